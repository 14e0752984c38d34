import { list, struct } from './compound.js';
import { account, constant, name, time, u8, u16, u32, u64, u256 } from './field.js';
/** Bytes of the largest genesis: some 10,000 allocations. */
export const GENESIS_BYTES_MAX = 1 << 20;
export const genesis = struct({
    version: constant(1),
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
    /** Fast blocks per slow tick (ClockChain), 0: no slow hand. */
    slowRatio: u16,
    /** Who may admit and revoke miners; empty: an open network, everybody mines. */
    authorities: list(account, 64),
    /** Whose checkpoints are final, and how many of them must agree (0: none). */
    checkpointSigners: list(account, 64),
    checkpointThreshold: u8,
    /** From which height a transaction type is valid. A type that is not named is refused. */
    activations: list(struct({ type: u8, height: u32 }), 64),
    allocations: list(struct({ account, amount: u64 }), 10_000),
});
//# sourceMappingURL=genesis.js.map