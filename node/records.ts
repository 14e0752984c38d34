/** The kinds of record in a ledger's logs, and what a store writes for a block. Source: docs/PROTOCOL.md section 10. */
import type { Stored, Update } from '../ledger/chain.ts'
import { type Change, changes as changesCodec } from '../ledger/state.ts'
import {
  HEADER_BYTES,
  HEADER_NONCE_OFFSET,
  HEADER_TIME_OFFSET,
  type Header,
  header,
} from '../schemas/block.ts'
import { decode, encode, type Infer, Reader } from '../schemas/codec.ts'
import { list, struct } from '../schemas/compound.ts'
import { hash, u32 } from '../schemas/field.ts'
import { type Account, type Hash, hexOf } from '../schemas/hex.ts'
import { type Coinbase, coinbase } from '../schemas/transaction.ts'
import { CHECKPOINT_RECORD } from './checkpoint-records.ts'
import { WorldError } from './error.ts'

export const RECORD = {
  genesis: 1,
  block: 2,
  changes: 3,
  tip: 4,
  base: 5,
  state: 6,
  headers: 7,
  ...CHECKPOINT_RECORD,
  accounts: 10,
} as const

const NAMES = new Map<number, string>(Object.entries(RECORD).map(([name, kind]) => [kind, name]))
/** For messages: a record's kind in words. */
export const recordName = (kind: number): string => NAMES.get(kind) ?? `kind ${kind}`

/** Kinds that never begin a batch, but for the later ones of a reorganisation that is too large for one. */
export const continues = (kind: number): boolean => kind === RECORD.changes || kind === RECORD.tip

/** More than any record that this version writes. */
export const RECORD_BYTES_MAX = 16 << 20

export const changesRecord = struct({ block: hash, changes: changesCodec })

/** What a block changed, from its record; throws WorldError `store-corrupt`. */
export function readChanges(block: Hash, bytes: Uint8Array): readonly Change[] {
  const decoded = decode(changesRecord, bytes, RECORD_BYTES_MAX)
  if (decoded.ok) return decoded.value.changes
  const { field, message } = decoded.fault
  throw new WorldError('store-corrupt', `the stored changes of block ${block}: ${field} ${message}`)
}

export const tipRecord = struct({
  /** Blocks taken off the old tip. */
  disconnected: u32,
  /** Blocks put on, lowest first; the last is the tip. */
  connected: list(hash, 0xffff),
})
export type TipRecord = Infer<typeof tipRecord>

/** Where the miner stands in a block: behind the coinbase's type and network. */
const MINER_OFFSET = HEADER_BYTES + 5

/**
 * What is kept of an encoded block whose record checks: read at its places, since a start does so ten thousand times. Throws WorldError `store-corrupt` when the block is shorter than that.
 */
export function readStored(hash: Hash, bytes: Uint8Array): Stored {
  if (bytes.length < MINER_OFFSET + 32)
    throw new WorldError('store-corrupt', `a block of ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return {
    hash,
    height: view.getUint32(1),
    parent: hexOf(bytes, 5, 37) as Hash,
    content: hexOf(bytes, 37, 69) as Hash,
    time: view.getUint16(HEADER_TIME_OFFSET) * 2 ** 32 + view.getUint32(HEADER_TIME_OFFSET + 2),
    nonce: hexOf(bytes, HEADER_NONCE_OFFSET, HEADER_BYTES),
    miner: hexOf(bytes, MINER_OFFSET, MINER_OFFSET + 32) as Account,
  }
}

/** Header and coinbase of an encoded block, without its transactions. */
export function readBlockHead(bytes: Uint8Array): { header: Header; coinbase: Coinbase } {
  const reader = new Reader(bytes)
  return { header: header.read(reader), coinbase: coinbase.read(reader) }
}

/** A reorganisation through hours of full blocks has more changes than one batch can hold. */
const UPDATE_BATCH_BYTES_MAX = 32 << 20

/** Records in their order, in as few batches as the log takes. */
export function inBatches<T extends { readonly bytes: Uint8Array }>(records: readonly T[]): T[][] {
  const batches: T[][] = []
  let room = 0
  for (const record of records) {
    if (room < record.bytes.length) {
      batches.push([])
      room = UPDATE_BATCH_BYTES_MAX
    }
    batches.at(-1)?.push(record)
    room -= record.bytes.length
  }
  return batches
}

/** The batch that stores an update; `hasChanges` tells of which blocks the changes are stored already. */
export function updateRecords(
  { added, disconnected, connected, tip }: Update,
  hasChanges: (block: Hash) => boolean,
): { kind: number; bytes: Uint8Array; block: Hash }[] {
  const records: { kind: number; bytes: Uint8Array; block: Hash }[] = []
  if (added !== undefined) records.push({ kind: RECORD.block, bytes: added.bytes, block: added.entry.hash })
  for (const { entry, changes } of connected) {
    if (hasChanges(entry.hash)) continue
    records.push({
      kind: RECORD.changes,
      bytes: encode(changesRecord, { block: entry.hash, changes }),
      block: entry.hash,
    })
  }
  if (connected.length > 0) {
    const moved = { disconnected: disconnected.length, connected: connected.map(({ entry }) => entry.hash) }
    records.push({ kind: RECORD.tip, bytes: encode(tipRecord, moved), block: tip.hash })
  }
  return records
}
