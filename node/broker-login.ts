/**
 * Logging in: which client id, user name and password a connection presents.
 *
 * With a key, an anonymous connection first reads the broker's retained challenge and the real one signs it
 * (schemas/login.ts). A broker without a challenge is somebody else's (Mosquitto, EMQX): there the configured user
 * name and password go, or none. docs/PROTOCOL.md section 7.
 */
import { toHex } from '../schemas/hex.ts'
import { loginMessage, ownsClientId } from '../schemas/login.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { CHALLENGE_TOPIC } from '../schemas/topic.ts'
import { type ConnectFault, type ConnectionOptions, openConnection } from './connection.ts'
import { hashing, type Signer } from './signing.ts'

export interface LoginOptions {
  readonly signer?: Signer | undefined
  /** Tells two connections of one account apart: 1 to 32 of a-z, 0-9 and `-`. */
  readonly clientIdSuffix?: string | undefined
  /** For a broker of another make. Never logged. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** How long to wait for the challenge. */
  readonly loginTimeoutMs: number
}

export interface Credentials {
  readonly clientId: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** What the broker asked to have signed, 64 hex digits; undefined: it gets no proof of the key. */
  readonly challenge: string | undefined
}

type Transport = Omit<ConnectionOptions, 'clientId' | 'username' | 'password' | 'will'>

/**
 * Finds out what to present; refuses when the broker cannot be reached. `randomId` is 16 or so random hex digits. Where the proof for
 * the challenge `refused` was refused, the next one is waited for: a client id logs in once with each, also after a restart.
 */
export async function credentialsFor(
  login: LoginOptions,
  transport: Transport,
  randomId: string,
  signal: AbortSignal,
  refused?: string,
): Promise<Result<Credentials, ConnectFault>> {
  const { signer, username, password } = login
  if (signer === undefined) {
    return accept({ clientId: `guest-${randomId}`, username, password, challenge: undefined })
  }
  const clientId =
    login.clientIdSuffix === undefined ? signer.account : `${signer.account}-${login.clientIdSuffix}`
  invariant(ownsClientId(signer.account, clientId), `client id suffix ${login.clientIdSuffix}`)
  const read = await readChallenge(login, transport, `guest-${randomId}`, signal, refused)
  if (!read.ok) return read
  const challenge = read.value
  if (challenge === undefined) return accept({ clientId, username, password, challenge })
  const digest = hashing.tagged('login', loginMessage(challenge, clientId))
  return accept({ clientId, username: signer.account, password: toHex(signer.sign(digest)), challenge })
}

/** The broker's challenge (64 hex digits), if it can be not the one that was `refused`; undefined when it has none that we can read. */
async function readChallenge(
  { loginTimeoutMs }: LoginOptions,
  transport: Transport,
  clientId: string,
  signal: AbortSignal,
  refused: string | undefined,
): Promise<Result<string | undefined, ConnectFault>> {
  let standing: string | undefined
  let found: (challenge: string | undefined) => void = () => {}
  const answer = new Promise<string | undefined>((resolve) => {
    found = resolve
  })
  const opened = await openConnection(
    { ...transport, clientId },
    {
      onMessage(topic, payload) {
        if (topic !== CHALLENGE_TOPIC) return
        const text = payload.length === 64 ? new TextDecoder().decode(payload) : ''
        standing = /^[0-9a-f]{64}$/.test(text) ? text : undefined
        if (standing === undefined || standing !== refused) found(standing)
      },
      onOversize: () => found(undefined),
      signal,
    },
  )
  // A broker that lets nobody in without a password has no challenge for us.
  if (!opened.ok) return opened.fault.code === 'refused' ? accept(undefined) : refuse(opened.fault)
  const timer = setTimeout(() => found(standing), loginTimeoutMs)
  void opened.value.closed.then(() => found(undefined))
  void opened.value.subscribe([CHALLENGE_TOPIC], 0).then((denied) => {
    if (denied === undefined || denied.length > 0) found(undefined)
  })
  const challenge = await answer
  clearTimeout(timer)
  await opened.value.end()
  return accept(challenge)
}

const REFUSALS: Readonly<Record<number, string>> = {
  1: 'the broker does not speak MQTT 3.1.1',
  2: 'the broker does not allow this client id; check clientIdSuffix',
  3: 'the broker is not available now',
}

/** A CONNACK's return code (MQTT 3.1.1 section 3.2.2.3) in words, with the remedy. */
export function refusalText(returnCode: number, { challenge, username }: Credentials): string {
  if (returnCode !== 4 && returnCode !== 5) {
    return REFUSALS[returnCode] ?? `the broker refused the connection (code ${returnCode})`
  }
  if (challenge !== undefined) {
    return 'the broker refused the proof of our key. It takes one login with each challenge, so one after a restart may have to wait for the next, which comes within seconds; if this goes on, ask whether this account is admitted'
  }
  if (username === undefined)
    return 'the broker wants a user name and password; set them in the configuration'
  return 'the broker refused the user name or password; check both in the configuration'
}
