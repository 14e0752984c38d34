/**
 * What is sold at the moment: until when each output is, and each topic for each buyer.
 *
 * Wall time is the agent's clock, and while that is not known to be right, the newest block's time and what has passed since we saw
 * it. What is sold while we run ends by the monotonic clock, so that a clock that is set neither prolongs nor cuts it; what
 * comes from receipts of an earlier run ends when they say.
 */
import type { Clock } from '../../node/clock.ts'
import type { Account } from '../../schemas/hex.ts'
import type { Item } from '../../schemas/receipt-memo.ts'
import type { Sold } from '../outputs/rule.ts'

interface Until {
  /** Milliseconds since 1970, whole seconds. */
  readonly until: number
  /** Monotonic; undefined for what an earlier run has sold. */
  readonly endsMs: number | undefined
}

/** What is over is dropped whenever there are so many more. */
const SWEEP_ENTRIES = 1_000

export class Running {
  readonly #clock: Clock
  readonly #sold = new Map<string, Until>()
  #sweepAt = SWEEP_ENTRIES
  #newest: { readonly time: number; readonly atMs: number } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The chain's newest block is of this time. */
  tip(time: number): void {
    // An estimate that is ahead runs on: time is never set back by a block.
    const nowMs = this.#estimate()
    if (nowMs === undefined || time > nowMs) this.#newest = { time, atMs: this.#clock.monotonic() }
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#clock.synchronised() ? this.#clock.now() : (this.#estimate() ?? this.#clock.now())
  }

  /** Entries, what is over since a while not counted. */
  get size(): number {
    return this.#sold.size
  }

  /** An item, for whoever buys it: outputs are on for everybody, topics open for their buyers. */
  of({ kind, name }: Item, buyer: Account): Sold {
    return this.#get(keyOf(kind, name, buyer))
  }

  output(name: string): Sold {
    return this.#get(keyOf('on', name, ''))
  }

  /** What is sold now, by a receipt of just now. */
  sell(item: Item, buyer: Account, until: number): void {
    this.#set(item, buyer, { until, endsMs: this.#clock.monotonic() + until - this.now() })
  }

  /** What a receipt on the ledger or on its way there says. */
  restore(item: Item, buyer: Account, until: number): void {
    this.#set(item, buyer, { until, endsMs: undefined })
  }

  #set({ kind, name }: Item, buyer: Account, sold: Until): void {
    const key = keyOf(kind, name, buyer)
    const before = this.#sold.get(key)
    if (before !== undefined && before.until >= sold.until) return
    this.#sold.set(key, sold)
    if (this.#sold.size < this.#sweepAt) return
    for (const each of [...this.#sold.keys()]) if (this.#get(each).remainingMs === 0) this.#sold.delete(each)
    this.#sweepAt = this.#sold.size + SWEEP_ENTRIES
  }

  #get(key: string): Sold {
    const sold = this.#sold.get(key)
    if (sold === undefined) return { remainingMs: 0, until: 0 }
    const { until, endsMs } = sold
    const ms = endsMs === undefined ? until - this.now() : endsMs - this.#clock.monotonic()
    return { remainingMs: Math.max(0, ms), until }
  }

  #estimate(): number | undefined {
    const newest = this.#newest
    return newest === undefined ? undefined : newest.time + this.#clock.monotonic() - newest.atMs
  }
}

const keyOf = (kind: Item['kind'], name: string, buyer: Account | ''): string =>
  kind === 'on' ? `on ${name}` : `topic ${name} ${buyer}`
