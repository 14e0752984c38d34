/**
 * What was not forwarded to those who asked for it: counted by reason, and told once a minute.
 *
 * Who subscribes to `#` is withheld every paid reading, and that is no fault: a line for each would fill the disk.
 */
import type { Log } from '../node/log.ts'
import type { WithheldReason } from './readers.ts'

const TELL_EVERY_MS = 60_000

export class Withheld {
  readonly #log: Log
  readonly #now: () => number
  readonly counts = new Map<WithheldReason, number>()
  #told = new Map<WithheldReason, number>()
  #toldMs: number

  /** `now`: milliseconds, of which only differences count. */
  constructor(log: Log, now: () => number) {
    this.#log = log
    this.#now = now
    this.#toldMs = now() - TELL_EVERY_MS
  }

  count(reason: WithheldReason): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1)
  }

  /** One line for what has come since the last one, if it is time. */
  tell(): void {
    if (this.#now() - this.#toldMs < TELL_EVERY_MS) return
    for (const [reason, count] of this.counts) {
      const messages = count - (this.#told.get(reason) ?? 0)
      if (messages === 0) continue
      this.#log.info('withheld from subscribers', { reason, messages })
      this.#toldMs = this.#now()
    }
    this.#told = new Map(this.counts)
  }
}
