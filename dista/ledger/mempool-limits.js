import { feeFloorFor } from './transaction.js';
export const MEMPOOL_DEFAULTS = {
    memoryBytesMax: 32 << 20,
    accountMax: 64,
    replacePercent: 10,
    gapMax: 64,
    heldAccountMax: 8,
    heldMax: 256,
    heldBlocksMax: 10,
};
/** What a waiting transaction takes besides its bytes: objects, hex texts, hashes, index entries. Measured on Node 20. */
export const OVERHEAD_BYTES = 2048;
/** Memory that a waiting transaction is counted with. */
export const memoryOf = ({ bytes }) => bytes.length + OVERHEAD_BYTES;
/**
 * Least fee with which `sealed` replaces `old`: `percent` more, the floor for its own way through the network, and not
 * less per byte.
 */
export function replacementFee(network, percent, old, sealed) {
    const { fee } = old.transaction;
    const step = Math.max(1, Math.ceil((fee * percent) / 100), feeFloorFor(network, sealed.bytes.length));
    return Math.max(fee + step, Math.ceil((fee * sealed.bytes.length) / old.bytes.length));
}
//# sourceMappingURL=mempool-limits.js.map