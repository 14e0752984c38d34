/**
 * Logins: the rotating challenge, and the proof that a client holds its account key.
 *
 * Invariants: the current and the previous challenge are valid, no other; a client id logs in once per challenge,
 * so that a recorded password is worthless; a challenge that was used is renewed soon, so that an honest client
 * which comes back is not kept waiting. Memory is bounded by `loginsPerChallengeMax`. Passwords are never logged.
 * Source: schemas/login.ts, docs/PROTOCOL.md section 7.
 */
import type { Signatures } from '../ledger/signature.ts'
import { hashing } from '../node/signing.ts'
import { type Account, fromHex, toHex } from '../schemas/hex.ts'
import { loginMessage, ownsClientId } from '../schemas/login.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import type { Limits } from './limits.ts'

export interface LoginFault {
  readonly code:
    | 'bad-user-name'
    | 'bad-password'
    | 'wrong-signature'
    | 'foreign-client-id'
    | 'replayed-login'
    | 'too-many-failures'
    | 'too-many-logins'
  /** CONNACK return code, MQTT 3.1.1 table 3.1: 2 identifier, 3 unavailable, 4 user name or password. */
  readonly returnCode: 2 | 3 | 4
}

export interface Credentials {
  readonly username: string
  readonly password: Uint8Array | undefined
  readonly clientId: string
  /** Remote address: wrong logins are counted by it. */
  readonly address: string
}

export interface LoginModules {
  readonly signatures: Pick<Signatures, 'verify' | 'isAccount'>
  /** Random bytes, unpredictable. */
  readonly random: (bytes: number) => Uint8Array
  /** Milliseconds; only differences count. */
  readonly now: () => number
}

const ACCOUNT = /^[0-9a-f]{64}$/
const PASSWORD = /^[0-9a-f]{128}$/
const ADDRESSES_MAX = 10_000

interface Challenge {
  readonly hex: string
  readonly since: number
  readonly used: Set<string>
}

/** Whether a client id is an account's, so that no anonymous client may have it. */
export const looksOwned = (clientId: string): boolean => /^[0-9a-f]{64}/i.test(clientId)

export class Login {
  readonly #limits: Limits
  readonly #modules: LoginModules
  #challenges: readonly Challenge[] = []
  #failures = new Map<string, number>()
  #failuresSince: number

  constructor(limits: Limits, modules: LoginModules) {
    this.#limits = limits
    this.#modules = modules
    this.#failuresSince = modules.now()
  }

  /** A new challenge (64 hex digits) when one is due; the caller publishes it. */
  renew(): string | undefined {
    const [current] = this.#challenges
    const now = this.#modules.now()
    if (current !== undefined) {
      const life = current.used.size > 0 ? this.#limits.challengeUsedMs : this.#limits.challengeMs
      if (now - current.since < life) return undefined
    }
    const bytes = this.#modules.random(32)
    invariant(bytes.length === 32, 'a challenge is 32 random bytes')
    const challenge = { hex: toHex(bytes), since: now, used: new Set<string>() }
    this.#challenges = [challenge, ...this.#challenges.slice(0, 1)]
    return challenge.hex
  }

  /** The account that the credentials prove, or why they do not. */
  verify(credentials: Credentials): Result<Account, LoginFault> {
    this.#forgetFailures()
    const failures = this.#failures.get(credentials.address) ?? 0
    if (failures >= this.#limits.loginFailuresPerMinuteMax)
      return refuse({ code: 'too-many-failures', returnCode: 3 })
    const result = this.#prove(credentials)
    // A refused signature costs noble's slow verdict, so an address has only so many; what costs nothing is free, since
    // honest clients may share the address.
    const costly = !result.ok && result.fault.code === 'wrong-signature'
    if (costly && (failures > 0 || this.#failures.size < ADDRESSES_MAX))
      this.#failures.set(credentials.address, failures + 1)
    return result
  }

  #prove({ username, password, clientId }: Credentials): Result<Account, LoginFault> {
    const account = username as Account
    if (!ACCOUNT.test(username) || !this.#modules.signatures.isAccount(account))
      return refuse({ code: 'bad-user-name', returnCode: 4 })
    if (!ownsClientId(account, clientId)) return refuse({ code: 'foreign-client-id', returnCode: 2 })
    const text = password === undefined ? '' : Buffer.from(password).toString('latin1')
    if (!PASSWORD.test(text)) return refuse({ code: 'bad-password', returnCode: 4 })
    const signature = fromHex(text)
    for (const { hex, used } of this.#challenges) {
      const message = hashing.tagged('login', loginMessage(hex, clientId))
      if (!this.#modules.signatures.verify(signature, message, account)) continue
      // By client id, not by signature: a second encoding of the same signature is no second login.
      if (used.has(clientId)) return refuse({ code: 'replayed-login', returnCode: 4 })
      if (used.size >= this.#limits.loginsPerChallengeMax)
        return refuse({ code: 'too-many-logins', returnCode: 3 })
      used.add(clientId)
      return accept(account)
    }
    return refuse({ code: 'wrong-signature', returnCode: 4 })
  }

  #forgetFailures(): void {
    const now = this.#modules.now()
    if (now - this.#failuresSince < 60_000) return
    this.#failures = new Map()
    this.#failuresSince = now
  }
}
