/**
 * A slow hand on disk: one log of all ticks in the order in which they came, each durable before anybody hears of it.
 *
 * A tick with one anchor has 185 bytes, and 24 more as a record. Nothing is ever deleted: with a tick every 160 s that is 41 MB a year.
 * Source: docs/PROTOCOL.md section 14.
 */
import type { Hand } from '../ledger/hand.ts'
import { SlowHand, type TickAdded } from '../ledger/slow-hand.ts'
import { decode, encode } from '../schemas/codec.ts'
import { handGenesis } from '../schemas/genesis.ts'
import type { Hash } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { TICK_BYTES_MAX, tick as tickCodec } from '../schemas/tick.ts'
import { type AppendLog, type LogFile, openAppendLog } from './append-log.ts'
import { WorldError } from './error.ts'
import { inBatches } from './records.ts'

export const HAND_FILE = 'hand.log'
export const HAND_RECORD = { hand: 1, tick: 2 } as const
/** Places of ticks off the best chain are looked through when there are so many: those that left the window never come back. */
const BRANCHES_MIN = 1024

export class HandStore {
  readonly slow: SlowHand
  readonly #log: AppendLog
  /** Place in the log of the best chain's ticks, that of height 1 first. */
  #places: number[] = []
  readonly #branches = new Map<Hash, number>()
  #tidyAt = BRANCHES_MIN

  /** Throws WorldError `store-corrupt`, also when the log is another hand's. */
  constructor(file: LogFile, hand: Hand) {
    this.slow = new SlowHand(hand)
    const expected = encode(handGenesis, hand.genesis)
    let records = 0
    this.#log = openAppendLog(file, {
      kindName: (kind) => (kind === HAND_RECORD.tick ? 'tick' : `hand record ${kind}`),
      onRecord: (kind, bytes, position) => {
        const isFirst = records++ === 0
        if (isFirst && kind === HAND_RECORD.hand && Buffer.compare(bytes, expected) === 0) return
        const decoded =
          !isFirst && kind === HAND_RECORD.tick ? decode(tickCodec, bytes, TICK_BYTES_MAX) : undefined
        const added = decoded?.ok ? this.slow.restore(decoded.value) : undefined
        if (added === undefined)
          throw new WorldError(
            'store-corrupt',
            `${file.path} is not of this slow hand (record at byte ${position}): move it away, and the hand is fetched anew from others`,
          )
        this.#remember(added, position)
        this.#tidy()
      },
    })
    if (this.#log.records === 0) this.#log.append([{ kind: HAND_RECORD.hand, bytes: expected }])
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#log.size
  }

  /** Makes ticks durable that were just added to the hand; throws WorldError `store-write`, and must not be used again then. */
  save(added: readonly TickAdded[]): void {
    const records = added.map((each) => ({
      kind: HAND_RECORD.tick,
      bytes: encode(tickCodec, each.tick),
      each,
    }))
    for (const batch of inBatches(records)) {
      const places = this.#log.append(batch)
      for (const [index, { each }] of batch.entries()) this.#remember(each, places[index] as number)
    }
    // Not before: the hand is ahead of what has been remembered.
    this.#tidy()
  }

  /** Bytes of the best chain's tick at a height from 1 to the tip's. */
  tick(height: number): Uint8Array {
    const place = this.#places[height - 1]
    invariant(place !== undefined, `the slow hand has a tick at height ${height}`)
    return this.#log.read(place).bytes
  }

  close(): void {
    this.#log.close()
  }

  #remember({ entry, left, joined }: TickAdded, place: number): void {
    this.#branches.set(entry.hash, place)
    if (left === undefined) return
    const fork = this.#places.length - left.length
    // What leaves the best chain may come back.
    for (const [index, hash] of left.entries()) this.#branches.set(hash, this.#places[fork + index] as number)
    this.#places.length = fork
    for (const hash of joined) {
      const known = this.#branches.get(hash)
      invariant(known !== undefined, 'every tick of the window has its place')
      this.#places.push(known)
      this.#branches.delete(hash)
    }
  }

  #tidy(): void {
    if (this.#branches.size < this.#tidyAt) return
    for (const hash of this.#branches.keys())
      if (this.slow.entry(hash) === undefined) this.#branches.delete(hash)
    this.#tidyAt = Math.max(BRANCHES_MIN, 2 * this.#branches.size)
  }
}
