/**
 * Rate limits by token bucket: a burst up to `burst`, then `perSecond` on average. The clock is a parameter.
 *
 * `BucketPerKey` keeps one bucket for each name, of a bounded number of names: the one unused for longest makes room.
 * A newcomer starts with a full bucket, so pair it with one bucket for all where names are cheap.
 */
export interface RateLimit {
  readonly perSecond: number
  /** Most tokens that gather, at least 1. */
  readonly burst: number
}

export class TokenBucket {
  readonly #limit: RateLimit
  #tokens: number
  #atMs: number

  /** `nowMs`: monotonic milliseconds, here and in `take`. */
  constructor(limit: RateLimit, nowMs: number) {
    this.#limit = limit
    this.#tokens = limit.burst
    this.#atMs = nowMs
  }

  /** Takes a token; false when there is none. */
  take(nowMs: number): boolean {
    const gained = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#limit.perSecond
    this.#tokens = Math.min(this.#limit.burst, this.#tokens + gained)
    this.#atMs = nowMs
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Takes a token, and then 0; else the milliseconds, at least 1, after which there is one. */
  takeOrWaitMs(nowMs: number): number {
    return this.take(nowMs) ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) / this.#limit.perSecond) * 1000))
  }
}

export class BucketPerKey {
  readonly #limit: RateLimit
  readonly #keysMax: number
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(limit: RateLimit, keysMax: number) {
    this.#limit = limit
    this.#keysMax = keysMax
  }

  take(key: string, nowMs: number): boolean {
    return this.#bucket(key, nowMs).take(nowMs)
  }

  takeOrWaitMs(key: string, nowMs: number): number {
    return this.#bucket(key, nowMs).takeOrWaitMs(nowMs)
  }

  #bucket(key: string, nowMs: number): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#limit, nowMs)
    // A Map keeps the order of insertion: the first key is the one unused for longest.
    this.#buckets.delete(key)
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > this.#keysMax) {
      for (const oldest of this.#buckets.keys()) {
        this.#buckets.delete(oldest)
        break
      }
    }
    return bucket
  }
}
