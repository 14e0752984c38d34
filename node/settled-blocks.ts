/**
 * Blocks of segments that lie below the window: found by reading a segment once, whose index is kept for a while.
 *
 * Most blocks of a height are in the segment that covers it; one that was connected again after a reorganisation may be in
 * one beside it.
 */
import { headerHash } from '../ledger/header.ts'
import type { Hash } from '../schemas/hex.ts'
import { type AppendLog, openAppendLog } from './append-log.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { RECORD, readBlockHead, recordName } from './records.ts'
import { segmentName } from './segments.ts'
import { hashing } from './signing.ts'

/** Segments whose index is in memory: some 4,096 blocks each. */
const INDEXES_MAX = 3
/** Segments looked into on either side. */
const REACH = 2

interface Index {
  readonly log: AppendLog
  readonly positions: ReadonlyMap<Hash, number>
}

export class SettledBlocks {
  readonly #disk: Disk
  readonly #onNotice: (message: string) => void
  /** The latest used last. */
  readonly #indexes = new Map<number, Index>()
  readonly #damaged = new Set<number>()

  constructor(disk: Disk, onNotice: (message: string) => void) {
    this.#disk = disk
    this.#onNotice = onNotice
  }

  /** A block at a height, from segments with these bases, ascending; undefined when it is no longer there. */
  find(bases: readonly number[], height: number, hash: Hash): Uint8Array | undefined {
    const at = bases.findLastIndex((base) => base < height)
    if (at === -1) return undefined
    const order = [0]
    for (let reach = 1; reach <= REACH; reach++) order.push(reach, -reach)
    for (const step of order) {
      const base = bases[at + step]
      const index = base === undefined ? undefined : this.#index(base)
      const position = index?.positions.get(hash)
      if (position !== undefined) return index?.log.read(position).bytes
    }
    return undefined
  }

  /** The segment is about to be removed. */
  forget(base: number): void {
    this.#indexes.get(base)?.log.close()
    this.#indexes.delete(base)
  }

  close(): void {
    for (const base of [...this.#indexes.keys()]) this.forget(base)
  }

  #index(base: number): Index | undefined {
    if (this.#damaged.has(base)) return undefined
    const index = this.#indexes.get(base) ?? this.#read(base)
    if (index === undefined) return undefined
    this.#indexes.delete(base)
    this.#indexes.set(base, index)
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= INDEXES_MAX) break
      this.forget(oldest)
    }
    return index
  }

  #read(base: number): Index | undefined {
    const positions = new Map<Hash, number>()
    try {
      const log = openAppendLog(this.#disk.open(segmentName(base)), {
        sealed: true,
        kindName: recordName,
        onRecord: (kind, bytes, position) => {
          if (kind === RECORD.block) positions.set(headerHash(hashing, readBlockHead(bytes).header), position)
        },
      })
      return { log, positions }
    } catch (error) {
      // Old blocks are for others: we go on without them, and say so.
      if (!(error instanceof WorldError)) throw error
      this.#damaged.add(base)
      this.#onNotice(`old blocks cannot be read: ${error.message}`)
      return undefined
    }
  }
}
