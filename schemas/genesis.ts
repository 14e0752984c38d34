/**
 * A network's birth certificate: its name, its consensus parameters and who owns the first coins.
 *
 * The hash of these bytes is the parent of block 0, so two networks that differ in any rule or allocation have
 * different genesis hashes and cannot exchange a message. Source: docs/PROTOCOL.md section 6.
 */
import type { Infer } from './codec.ts'
import { list, struct, versions } from './compound.ts'
import { account, constant, name, time, u8, u16, u32, u64, u256 } from './field.ts'

/** Bytes of the largest genesis: some 10,000 allocations. */
export const GENESIS_BYTES_MAX = 1 << 20

/**
 * The birth certificate of a slow hand. Ledgers that have the same one in their genesis share the hand; its hash is the
 * parent of tick 0. Source: docs/PROTOCOL.md section 14.
 */
export const handGenesis = struct({
  name,
  /** Time of tick 0, milliseconds. */
  time,
  /** Mean time between ticks that the difficulty rule steers to, milliseconds. */
  interval: u32,
  /** Ticks after which a deviation of one interval per tick has halved or doubled the target. */
  halfLife: u16,
  /** Target of tick 0 and of its child. */
  target: u256,
  /** Easiest target that the rule may ever reach. */
  targetMax: u256,
})
export type HandGenesis = Infer<typeof handGenesis>

const fields = {
  name,
  /** Time of block 0, milliseconds. */
  time,
  /** T: the mean time between blocks that the difficulty rule steers to, milliseconds. */
  interval: u32,
  /** Blocks after which a deviation of one interval per block has halved or doubled the target. */
  halfLife: u16,
  /** Target of block 0 and of its child. */
  target: u256,
  /** Easiest target that the rule may ever reach. */
  targetMax: u256,
  /** Reward of the first era, smallest units; halves every `halvingInterval` blocks (0 only where the subsidy is 0). */
  subsidy: u64,
  halvingInterval: u32,
  /** Least fee, smallest units for each started 1000 bytes; waived for the block's own miner. */
  feeFloor: u64,
  /** Blocks after which a reward becomes balance, at least 1. */
  maturity: u16,
  blockBytesMax: u32,
  /** Signatures in a block, the coinbase's included: bounds the time that a block takes to verify. */
  blockSignaturesMax: u16,
  /** Blocks per slow tick in the mean (ClockChain), 0: no slow hand. */
  slowRatio: u16,
  /** Who may admit and revoke miners; empty: an open network, everybody mines. */
  authorities: list(account, 64),
  /** Whose checkpoints are final, and how many of them must agree (0: none). */
  checkpointSigners: list(account, 64),
  checkpointThreshold: u8,
  /** From which height a transaction type is valid. A type that is not named is refused. */
  activations: list(struct({ type: u8, height: u32 }), 64),
  allocations: list(struct({ account, amount: u64 }), 10_000),
}

const genesis1 = struct({ version: constant(1), ...fields })

/** `hand`: in version 2, and only there. */
export type Genesis = Omit<Infer<typeof genesis1>, 'version'> & {
  readonly version: 1 | 2
  readonly hand?: HandGenesis
}

/** Version 1 has no slow hand; version 2 ends with one. */
export const genesis = versions<Genesis, typeof genesis1.fields>(
  genesis1,
  struct({ version: constant(2), ...fields, hand: handGenesis }),
)
