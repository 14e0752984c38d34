/**
 * Who is not listened to: a publisher that sends more of what is refused than honest trouble explains.
 *
 * Two rates: one for broken rules, a higher one for what is late, repeated or uncovered, which honest senders send
 * too. Beyond either, the publisher is muted for a while. On a broker without access control anybody can
 * spend another's allowance; SECURITY.md says so.
 */
import type { Account } from '../schemas/hex.ts'
import { BucketPerKey } from './token-bucket.ts'

const RATES = {
  rejected: { perSecond: 1, burst: 20 },
  ignored: { perSecond: 20, burst: 400 },
} as const
const ACCOUNTS_MAX = 1_000
export const MUTE_MS = 10_000

export class Muting {
  readonly #buckets = {
    rejected: new BucketPerKey(RATES.rejected, ACCOUNTS_MAX),
    ignored: new BucketPerKey(RATES.ignored, ACCOUNTS_MAX),
  }
  readonly #untilMs = new Map<Account, number>()

  isMuted(publisher: Account, nowMs: number): boolean {
    return (this.#untilMs.get(publisher) ?? 0) > nowMs
  }

  /** Counts a useless message; true when its publisher is muted from now on. */
  count(publisher: Account, why: keyof typeof RATES, nowMs: number): boolean {
    if (this.#buckets[why].take(publisher, nowMs)) return false
    if (this.#untilMs.size >= ACCOUNTS_MAX) this.#untilMs.clear()
    this.#untilMs.set(publisher, nowMs + MUTE_MS)
    return true
  }
}
