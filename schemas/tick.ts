/**
 * A tick of a slow hand: a header, and the newest blocks of the ledgers that its miner knows.
 *
 * The header has the bytes of a block's; its `content` is the Merkle root of the anchors. Source: docs/PROTOCOL.md section 14.
 */
import { header } from './block.ts'
import type { Infer } from './codec.ts'
import { list, struct } from './compound.ts'
import { hash, u32 } from './field.ts'

/** Ledgers that one tick can anchor. */
export const ANCHORS_MAX = 1024
/** A header, a count and that many anchors. */
export const TICK_BYTES_MAX = 115 + 2 + ANCHORS_MAX * 68

/** A block that was there before the tick. */
export const anchor = struct({
  /** Genesis hash of the block's ledger. */
  ledger: hash,
  height: u32,
  block: hash,
})
export type Anchor = Infer<typeof anchor>

/** Anchors stand in ascending order of their ledgers, each ledger once. */
export const tick = struct({ header, anchors: list(anchor, ANCHORS_MAX) })
export type Tick = Infer<typeof tick>
