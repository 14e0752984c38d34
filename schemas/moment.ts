/**
 * When something happened, as a file: what was in a block, between a tick that the block names and a tick that names the block.
 *
 * The way from the tick before: tick `after` is in the coinbase of the `root` block. On from there: headers up to the block that
 * tick `before` anchors; the event's block is one of them. Every byte is committed to by that tick's proof of work. Ticks above
 * it are more work on top, and the way to one that somebody has kept.
 * Source: docs/PROTOCOL.md section 14.
 */
import { header } from './block.ts'
import type { Infer } from './codec.ts'
import { list, struct } from './compound.ts'
import { blob, constant, fixed, hash, time, u16, u32 } from './field.ts'
import { batchedSample } from './message.ts'
import { compactHeader, MERKLE_PATH_MAX, PROVEN_TRANSACTION_BYTES_MAX } from './proof.ts'
import { coinbase } from './transaction.ts'

/** Blocks from the root to the one that is anchored. */
export const MOMENT_HEADERS_MAX = 4096
/** Levels of a Merkle tree over the most anchors of a tick. */
export const ANCHOR_PATH_MAX = 10
/** Ticks from the hand's beginning: 20 years of one every 160 s. */
export const MOMENT_TICKS_MAX = 1 << 22
/** What of a tick's header does not follow from its parent: content, time, nonce. */
export const COMPACT_BYTES = 46
export const MOMENT_BYTES_MAX = COMPACT_BYTES * (MOMENT_TICKS_MAX + MOMENT_HEADERS_MAX) + 8192

export const moment = struct({
  version: constant(1),
  /** Genesis hash. */
  ledger: hash,
  /** Height of the tick that the root's coinbase names. */
  after: u32,
  /** Height of the tick with the anchor. */
  before: u32,
  /** The root's parent, since its time decides the next target. */
  below: header,
  root: header,
  rootCoinbase: coinbase,
  /** The blocks above the root; the last is the one that is anchored, the root itself if there are none. */
  headers: list(compactHeader, MOMENT_HEADERS_MAX),
  /** Blocks from the root to the event's. */
  block: u16,
  /** The event's block's, unless that is the root. */
  coinbase: list(coinbase, 1),
  transaction: blob(PROVEN_TRANSACTION_BYTES_MAX),
  index: u16,
  count: u16,
  path: list(hash, MERKLE_PATH_MAX),
  /** One of the samples of a batch. */
  sample: list(batchedSample, 1),
  anchorIndex: u16,
  anchorCount: u16,
  anchorPath: list(hash, ANCHOR_PATH_MAX),
  /** All ticks from height 1 to the one with the anchor or a later one, as `compactHeader` each. */
  ticks: blob(COMPACT_BYTES * MOMENT_TICKS_MAX),
})
export type Moment = Infer<typeof moment>

/** One of `Moment.ticks`. */
export const compactTick = struct({ content: hash, time, nonce: fixed(8) })
