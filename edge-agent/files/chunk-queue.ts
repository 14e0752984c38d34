/**
 * Which chunk goes out next, and when: buyers take turns, each and all together within a rate.
 *
 * Invariants: what waits is bounded, for each sale and in all; a chunk waits once; a request for more than there is room for is
 * cut, and the buyer asks again for what did not come.
 */
export interface QueueLimits {
  /** Bytes a second of one sale, and of all. */
  readonly perSale: number
  readonly overall: number
}

/** Chunks of one sale, and of all, that wait. */
const SALE_CHUNKS_MAX = 256
const CHUNKS_MAX = 4_096
/** What a rate lets through at once after a pause. */
const BURST_MS = 250

export interface ChunkTurn {
  readonly sale: string
  readonly index: number
}

/** A rate as the time until which it is used up (the generic cell rate algorithm of ITU-T I.371). */
class Pace {
  readonly #bytesPerMs: number
  #paidMs = Number.NEGATIVE_INFINITY
  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000
  }
  waitMs(nowMs: number): number {
    return Math.max(0, this.#paidMs - BURST_MS - nowMs)
  }
  use(bytes: number, nowMs: number): void {
    this.#paidMs = Math.max(this.#paidMs, nowMs) + bytes / this.#bytesPerMs
  }
}

export class ChunkQueue {
  readonly #limits: QueueLimits
  readonly #overall: Pace
  /** In the order of their turns. */
  readonly #sales = new Map<string, { readonly pace: Pace; readonly waiting: Set<number> }>()
  #size = 0

  constructor(limits: QueueLimits) {
    this.#limits = limits
    this.#overall = new Pace(limits.overall)
  }

  get size(): number {
    return this.#size
  }

  /** How many of the chunks `first`, `first` + 1, ... were added; those that wait already count as added. */
  add(sale: string, first: number, count: number): number {
    const { waiting } = this.#sale(sale)
    for (let done = 0; done < count; done++) {
      if (waiting.has(first + done)) continue
      if (waiting.size >= SALE_CHUNKS_MAX || this.#size >= CHUNKS_MAX) return done
      waiting.add(first + done)
      this.#size++
    }
    return count
  }

  /** Forgets a sale and what waits for it. */
  drop(sale: string): void {
    this.#size -= this.#sales.get(sale)?.waiting.size ?? 0
    this.#sales.delete(sale)
  }

  /** The next chunk; or after how long to ask again; undefined when nothing waits. `bytes`: what a chunk counts as. */
  next(bytes: number, nowMs: number): ChunkTurn | { readonly waitMs: number } | undefined {
    if (this.#size === 0) return undefined
    const overallMs = this.#overall.waitMs(nowMs)
    if (overallMs > 0) return { waitMs: Math.ceil(overallMs) }
    let waitMs = Number.POSITIVE_INFINITY
    for (const [sale, entry] of this.#sales) {
      const { pace, waiting } = entry
      const [index] = waiting
      if (index === undefined) continue
      const saleMs = pace.waitMs(nowMs)
      if (saleMs > 0) {
        waitMs = Math.min(waitMs, saleMs)
        continue
      }
      waiting.delete(index)
      this.#size--
      this.#overall.use(bytes, nowMs)
      pace.use(bytes, nowMs)
      this.#sales.delete(sale)
      this.#sales.set(sale, entry)
      return { sale, index }
    }
    return { waitMs: Math.ceil(waitMs) }
  }

  #sale(sale: string) {
    const known = this.#sales.get(sale)
    if (known !== undefined) return known
    const fresh = { pace: new Pace(this.#limits.perSale), waiting: new Set<number>() }
    this.#sales.set(sale, fresh)
    return fresh
  }
}
