import { list, struct } from './compound.js';
import { constant, fixed, hash, time, u32, u256 } from './field.js';
import { coinbase, transaction } from './transaction.js';
export const HEADER_BYTES = 115;
export const HEADER_TIME_OFFSET = 101;
export const HEADER_NONCE_OFFSET = 107;
/** More than any network's own limit on signatures allows. */
export const BLOCK_TRANSACTIONS_MAX = 8192;
/** No network may set a larger block size: a block has to fit one MQTT message with room to spare. */
export const BLOCK_BYTES_MAX = 1 << 20;
export const header = struct({
    version: constant(1),
    height: u32,
    /** Hash of the parent's header. */
    parent: hash,
    /** Leaf hash of the coinbase, which commits to everything else in the block. */
    content: hash,
    /** The header's hash, read as a big-endian integer, must not be above this. */
    target: u256,
    time,
    /** 8 bytes that the miner is free to choose. */
    nonce: fixed(8),
});
export const block = struct({ header, coinbase, transactions: list(transaction, BLOCK_TRANSACTIONS_MAX) });
//# sourceMappingURL=block.js.map