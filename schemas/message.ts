/**
 * Messages between nodes over MQTT that are not transactions or blocks: tips, requests and their replies,
 * receipts, account views and batched samples.
 *
 * Requests carry an id that the reply repeats; the reply topic follows from the two names in the request's
 * topic. Source: docs/PROTOCOL.md section 8.
 */

import { BLOCK_BYTES_MAX, header } from './block.ts'
import type { Infer } from './codec.ts'
import { list, struct, union } from './compound.ts'
import { account, blob, choice, freeText, hash, time, u8, u16, u32, u64, u256 } from './field.ts'
import { balanceProof, inclusionProof, STATE_VALUE_BYTES_MAX } from './proof.ts'
import { anchor, TICK_BYTES_MAX } from './tick.ts'
import { sample } from './transaction.ts'

/** Largest MQTT payload that a node sends or accepts: one largest block, or several smaller ones, and framing. */
export const MESSAGE_BYTES_MAX = BLOCK_BYTES_MAX + 4096
/** Headers in one reply. */
export const HEADERS_MAX = 1000
/** Blocks asked for at once. */
export const BLOCKS_MAX = 128
/** Ticks in one reply. */
export const TICKS_MAX = 1000
/** Locator entries: newest first, then ever sparser, as Bitcoin's getheaders. */
export const LOCATOR_MAX = 64

/** Where a node's chain ends, retained on its own tip topic. */
export const tip = struct({
  height: u32,
  hash,
  parent: hash,
  time,
  miner: account,
  target: u256,
  /** Work of the whole chain: the sum of 2^256 / (target + 1). */
  work: u256,
  stateRoot: hash,
  /** Counts since genesis, coinbases not included. */
  transactions: u64,
  readings: u64,
  /** Smallest units in existence: allocations and all rewards so far. */
  supply: u64,
})
export type Tip = Infer<typeof tip>

/** Where a slow hand ends, and the newest block of the ledger of who says so; retained. */
export const handTip = struct({
  height: u32,
  hash,
  time,
  target: u256,
  /** Work of the whole hand: the sum of 2^256 / (target + 1). */
  work: u256,
  newest: anchor,
})
export type HandTip = Infer<typeof handTip>

/** An account as a node sees it at its tip. */
export const accountView = struct({
  account,
  height: u32,
  nonce: u64,
  /** Spendable. */
  balance: u64,
  /** Rewards that are still maturing. */
  maturing: u64,
})
export type AccountView = Infer<typeof accountView>

export const request = union({
  /** Headers after the newest locator entry on the peer's best chain, at most `limit`. */
  getHeaders: { number: 1, codec: struct({ id: u32, locator: list(hash, LOCATOR_MAX), limit: u16 }) },
  /** Bodies of these blocks, as many of the first ones as fit one message. The first is at `height`, the others follow it. */
  getBlocks: { number: 2, codec: struct({ id: u32, height: u32, hashes: list(hash, BLOCKS_MAX) }) },
  getAccount: { number: 3, codec: struct({ id: u32, account }) },
  /** Proof that a transaction is in the block at `height` of the best chain, which its receipt names. */
  getInclusion: { number: 4, codec: struct({ id: u32, height: u32, transaction: hash }) },
  /** Proof of an account's entry, or that it has none, in the state of the tip. */
  getBalance: { number: 5, codec: struct({ id: u32, account }) },
  /** What it takes to be confirmed soon. */
  getFees: { number: 6, codec: struct({ id: u32 }) },
  /** An entry of the state by its kind and key: a channel, a hashlock, a split. Not proven. */
  getEntry: { number: 7, codec: struct({ id: u32, kind: u8, key: hash }) },
  /** Ticks after the newest locator entry on the peer's slow hand, at most `limit`. */
  getTicks: { number: 8, codec: struct({ id: u32, locator: list(hash, LOCATOR_MAX), limit: u16 }) },
})
export type Request = Infer<typeof request>

export const reply = union({
  headers: { number: 1, codec: struct({ id: u32, headers: list(header, HEADERS_MAX) }) },
  /** Encoded blocks in the order asked; fewer than asked when a message is full or the peer lacks one. */
  blocks: { number: 2, codec: struct({ id: u32, blocks: list(blob(BLOCK_BYTES_MAX), BLOCKS_MAX) }) },
  account: { number: 3, codec: struct({ id: u32, view: accountView }) },
  inclusion: { number: 4, codec: struct({ id: u32, proof: inclusionProof }) },
  balance: { number: 5, codec: struct({ id: u32, proof: balanceProof }) },
  /** Smallest units for 1000 bytes: to enter the mempool, and to be confirmed within 1, 6 and 30 blocks. */
  fees: { number: 6, codec: struct({ id: u32, floor: u64, next: u64, soon: u64, later: u64 }) },
  /** At the tip; empty bytes: there is none. */
  entry: { number: 7, codec: struct({ id: u32, height: u32, value: blob(STATE_VALUE_BYTES_MAX) }) },
  /** Encoded ticks, lowest first; fewer than asked when a message is full or the hand ends. */
  ticks: { number: 8, codec: struct({ id: u32, ticks: list(blob(TICK_BYTES_MAX), TICKS_MAX) }) },
})
export type Reply = Infer<typeof reply>

/** What a validator did with a transaction. PUBACK says only that a broker has it; this says that the ledger does. */
export const receipt = struct({
  transaction: hash,
  status: choice({ accepted: 1, confirmed: 2, refused: 3, disconnected: 4 }),
  /** Block height when confirmed or disconnected, else 0. */
  height: u32,
  /** Fault code when refused, else empty. */
  code: freeText(40),
  /** The fault in words. */
  message: freeText(240),
})
export type Receipt = Infer<typeof receipt>

/** One sample of a batch with its Merkle path to the root that the batch transaction carries. */
export const batchedSample = struct({
  transaction: hash,
  index: u16,
  count: u16,
  sample,
  path: list(hash, 16),
})
export type BatchedSample = Infer<typeof batchedSample>

/** Devices and validators say that they are there; their last will says that they are gone. */
export const status = struct({
  state: choice({ offline: 0, online: 1 }),
  role: choice({ agent: 1, validator: 2 }),
  name: freeText(64),
  software: freeText(32),
  /** Milliseconds; 0 in a last will, which is written before the fact. */
  since: time,
  protocol: u8,
})
export type Status = Infer<typeof status>
