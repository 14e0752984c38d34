/**
 * What waits in the mempool's queues, sorted and counted: best fee rate first, then the earliest.
 *
 * It stays sorted as transactions come and go. Finding a place takes a binary search and one move of memory, so that
 * neither a block nor a transaction sorts ten thousand others again.
 */
import type { Hash } from '../schemas/hex.ts'
import { isTimed, neededBy, type StateKey } from './apply.ts'
import { memoryOf } from './mempool-limits.ts'
import type { Sealed } from './transaction.ts'

export interface Waiting extends Sealed {
  /** Its own fee rate, smallest units per byte, and order of arrival. */
  readonly offered: number
  readonly arrival: number
  /** The lowest rate and the latest arrival of its account's queue up to it. */
  readonly rate: number
  readonly since: number
}

export class MempoolIndex {
  readonly #sorted: Waiting[] = []
  readonly #ids = new Set<Hash>()
  readonly #expiring = new Map<number, Set<Waiting>>()
  /** By the entry of the state that they need. */
  readonly #needing = new Map<string, Set<Waiting>>()
  readonly #timed = new Set<Waiting>()
  #bytes = 0
  #memory = 0

  get size(): number {
    return this.#sorted.length
  }

  /** Encoded bytes of all. */
  get bytes(): number {
    return this.#bytes
  }

  get memory(): number {
    return this.#memory
  }

  /** The cheapest, of equals the latest. */
  get worst(): Waiting | undefined {
    return this.#sorted.at(-1)
  }

  has(id: Hash): boolean {
    return this.#ids.has(id)
  }

  /** A copy, best first. */
  list(): readonly Waiting[] {
    return this.#sorted.slice()
  }

  /** The cheapest first, of equals the latest. */
  *worstFirst(): Generator<Waiting> {
    for (let at = this.#sorted.length - 1; at >= 0; at--) yield this.#sorted[at] as Waiting
  }

  /** Those whose last height is from `from` to below `to`. */
  *expiring(from: number, to: number): Generator<Waiting> {
    // After a long absence there are fewer heights that occur than have passed.
    if (to - from > this.#expiring.size) {
      for (const [expiry, list] of this.#expiring) if (expiry >= from && expiry < to) yield* list
    } else {
      for (let expiry = from; expiry < to; expiry++) yield* this.#expiring.get(expiry) ?? []
    }
  }

  /** Those that need an entry of the state. */
  needing(needed: StateKey): Iterable<Waiting> {
    return this.#needing.get(nameOf(needed)) ?? []
  }

  /** Those that may become possible or impossible as time passes. */
  get timed(): Iterable<Waiting> {
    return this.#timed
  }

  insert(waiting: Waiting): void {
    this.#sorted.splice(this.#placeOf(waiting), 0, waiting)
    this.#ids.add(waiting.id)
    this.#bytes += waiting.bytes.length
    this.#memory += memoryOf(waiting)
    const { transaction: tx } = waiting
    put(this.#expiring, tx.expiry, waiting)
    const needed = neededBy(tx)
    if (needed !== undefined) put(this.#needing, nameOf(needed), waiting)
    if (isTimed(tx)) this.#timed.add(waiting)
  }

  /** Takes out one that is in. */
  delete(waiting: Waiting): void {
    this.#sorted.splice(this.#placeOf(waiting), 1)
    this.#ids.delete(waiting.id)
    this.#bytes -= waiting.bytes.length
    this.#memory -= memoryOf(waiting)
    const { transaction: tx } = waiting
    take(this.#expiring, tx.expiry, waiting)
    const needed = neededBy(tx)
    if (needed !== undefined) take(this.#needing, nameOf(needed), waiting)
    this.#timed.delete(waiting)
  }

  /** Index of the first that is not before this one. */
  #placeOf(waiting: Waiting): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (compare(this.#sorted[middle] as Waiting, waiting) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

const nameOf = ({ kind, key }: StateKey): string => `${kind} ${key}`

function put<K>(map: Map<K, Set<Waiting>>, key: K, waiting: Waiting): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, new Set([waiting]))
  else list.add(waiting)
}

function take<K>(map: Map<K, Set<Waiting>>, key: K, waiting: Waiting): void {
  const list = map.get(key)
  list?.delete(waiting)
  if (list?.size === 0) map.delete(key)
}

/** Equal in rate and arrival are only those of one queue, which the nonce keeps in sequence. */
const compare = (a: Waiting, b: Waiting): number =>
  b.rate - a.rate || a.since - b.since || a.transaction.nonce - b.transaction.nonce
