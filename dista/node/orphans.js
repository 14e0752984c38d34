/**
 * Blocks whose parent has not come yet, for a short while and a bounded number.
 *
 * Only blocks with a proof of work of their own are kept, though an easy one: their header's hash meets the target that they
 * state, which is at most the network's easiest. When there is no room, the block with the least work makes some: whoever
 * wants to flood the pool has to work as hard as those who mine. Source: docs/PROTOCOL.md section 8.
 */
import { parseBlock } from '../ledger/block.js';
import { workOf } from '../ledger/difficulty.js';
import { HEADER_BYTES, header as headerCodec } from '../schemas/block.js';
import { decode } from '../schemas/codec.js';
import { hashFromBytes } from '../schemas/hex.js';
export const ORPHANS_DEFAULTS = {
    blocksMax: 64,
    bytesMax: 4 << 20,
    perPublisherMax: 8,
    ageMsMax: 60_000,
};
export class Orphans {
    #network;
    #limits;
    /** By hash, oldest first. */
    #kept = new Map();
    #bytes = 0;
    constructor(network, limits = {}) {
        this.#network = network;
        this.#limits = { ...ORPHANS_DEFAULTS, ...limits };
    }
    get size() {
        return this.#kept.size;
    }
    get bytes() {
        return this.#bytes;
    }
    /** True when the block is kept now, or was already. `nowMs`: monotonic, here and in `take`. */
    add(bytes, publisher, nowMs) {
        this.#expire(nowMs);
        const orphan = this.#weigh(bytes, publisher, nowMs);
        if (orphan === undefined)
            return false;
        const same = this.#kept.get(orphan.hash);
        // A copy with another body must not take the place of the block that its header means.
        if (same !== undefined && (this.#isWhole(same) || !this.#isWhole(orphan)))
            return true;
        if (same !== undefined)
            this.#drop(same);
        this.#kept.set(orphan.hash, orphan);
        this.#bytes += bytes.length;
        const { blocksMax, bytesMax, perPublisherMax } = this.#limits;
        const own = [...this.#kept.values()].filter((other) => other.publisher === publisher);
        if (own.length > perPublisherMax)
            this.#drop(weakest(own));
        while (this.#kept.size > blocksMax || this.#bytes > bytesMax)
            this.#drop(weakest(this.#kept.values()));
        return this.#kept.has(orphan.hash);
    }
    /** Takes out the blocks that wait for this parent. */
    take(parent, nowMs) {
        if (this.#kept.size === 0)
            return [];
        this.#expire(nowMs);
        const children = [...this.#kept.values()].filter((orphan) => orphan.parent === parent);
        for (const child of children)
            this.#drop(child);
        return children;
    }
    #weigh(bytes, publisher, atMs) {
        const { genesis, hashing } = this.#network;
        if (bytes.length > genesis.blockBytesMax)
            return undefined;
        const head = bytes.subarray(0, HEADER_BYTES);
        const decoded = decode(headerCodec, head, HEADER_BYTES);
        if (!decoded.ok)
            return undefined;
        const { parent, target } = decoded.value;
        const hash = hashFromBytes(hashing.double(head));
        if (target > genesis.targetMax || BigInt(`0x${hash}`) > target)
            return undefined;
        return { bytes, publisher, hash, parent, work: workOf(target), atMs };
    }
    #isWhole(orphan) {
        orphan.whole ??= parseBlock(this.#network, orphan.bytes).ok;
        return orphan.whole;
    }
    #expire(nowMs) {
        for (const orphan of this.#kept.values()) {
            if (nowMs - orphan.atMs <= this.#limits.ageMsMax)
                break;
            this.#drop(orphan);
        }
    }
    #drop({ hash, bytes }) {
        this.#kept.delete(hash);
        this.#bytes -= bytes.length;
    }
}
/** The one with the least work, of equals the oldest. At least one. */
function weakest(orphans) {
    const [first, ...others] = orphans;
    return others.reduce((least, other) => (other.work < least.work ? other : least), first);
}
//# sourceMappingURL=orphans.js.map