/** Why a broker may have ended a connection: one of ours cuts off whom it does not know as a validator when it speaks as one. */
import type { Log } from '../node/log.ts'
import type { Account } from '../schemas/hex.ts'

/** Who is cut off within this time most likely was for its first words. */
const AT_ONCE_MS = 2_000

export interface CutOffModules {
  readonly log: Log
  readonly monotonic: () => number
}

export class CutOff {
  readonly #account: Account
  readonly #modules: CutOffModules
  #connectedMs: number | undefined

  constructor(account: Account, modules: CutOffModules) {
    this.#account = account
    this.#modules = modules
  }

  onConnected(): void {
    this.#connectedMs = this.#modules.monotonic()
  }

  /** Says what to do, if that is what happened. */
  onDisconnected(): void {
    const { log, monotonic } = this.#modules
    if (this.#connectedMs !== undefined && monotonic() - this.#connectedMs < AT_ONCE_MS)
      log.warn('cut off as soon as we published: the broker may not know this account as a validator', {
        remedy: `start the broker with --validator ${this.#account}, or add the account to its list of validators`,
      })
    this.#connectedMs = undefined
  }
}
