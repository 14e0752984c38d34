import { isTimed, neededBy } from './apply.js';
import { memoryOf } from './mempool-limits.js';
export class MempoolIndex {
    #sorted = [];
    #ids = new Set();
    #expiring = new Map();
    /** By the entry of the state that they need. */
    #needing = new Map();
    #timed = new Set();
    #bytes = 0;
    #memory = 0;
    get size() {
        return this.#sorted.length;
    }
    /** Encoded bytes of all. */
    get bytes() {
        return this.#bytes;
    }
    get memory() {
        return this.#memory;
    }
    /** The cheapest, of equals the latest. */
    get worst() {
        return this.#sorted.at(-1);
    }
    has(id) {
        return this.#ids.has(id);
    }
    /** A copy, best first. */
    list() {
        return this.#sorted.slice();
    }
    /** The cheapest first, of equals the latest. */
    *worstFirst() {
        for (let at = this.#sorted.length - 1; at >= 0; at--)
            yield this.#sorted[at];
    }
    /** Those whose last height is from `from` to below `to`. */
    *expiring(from, to) {
        // After a long absence there are fewer heights that occur than have passed.
        if (to - from > this.#expiring.size) {
            for (const [expiry, list] of this.#expiring)
                if (expiry >= from && expiry < to)
                    yield* list;
        }
        else {
            for (let expiry = from; expiry < to; expiry++)
                yield* this.#expiring.get(expiry) ?? [];
        }
    }
    /** Those that need an entry of the state. */
    needing(needed) {
        return this.#needing.get(nameOf(needed)) ?? [];
    }
    /** Those that may become possible or impossible as time passes. */
    get timed() {
        return this.#timed;
    }
    insert(waiting) {
        this.#sorted.splice(this.#placeOf(waiting), 0, waiting);
        this.#ids.add(waiting.id);
        this.#bytes += waiting.bytes.length;
        this.#memory += memoryOf(waiting);
        const { transaction: tx } = waiting;
        put(this.#expiring, tx.expiry, waiting);
        const needed = neededBy(tx);
        if (needed !== undefined)
            put(this.#needing, nameOf(needed), waiting);
        if (isTimed(tx))
            this.#timed.add(waiting);
    }
    /** Takes out one that is in. */
    delete(waiting) {
        this.#sorted.splice(this.#placeOf(waiting), 1);
        this.#ids.delete(waiting.id);
        this.#bytes -= waiting.bytes.length;
        this.#memory -= memoryOf(waiting);
        const { transaction: tx } = waiting;
        take(this.#expiring, tx.expiry, waiting);
        const needed = neededBy(tx);
        if (needed !== undefined)
            take(this.#needing, nameOf(needed), waiting);
        this.#timed.delete(waiting);
    }
    /** Index of the first that is not before this one. */
    #placeOf(waiting) {
        let [low, high] = [0, this.#sorted.length];
        while (low < high) {
            const middle = (low + high) >>> 1;
            if (compare(this.#sorted[middle], waiting) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
const nameOf = ({ kind, key }) => `${kind} ${key}`;
function put(map, key, waiting) {
    const list = map.get(key);
    if (list === undefined)
        map.set(key, new Set([waiting]));
    else
        list.add(waiting);
}
function take(map, key, waiting) {
    const list = map.get(key);
    list?.delete(waiting);
    if (list?.size === 0)
        map.delete(key);
}
/** Equal in rate and arrival are only those of one queue, which the nonce keeps in sequence. */
const compare = (a, b) => b.rate - a.rate || a.since - b.since || a.transaction.nonce - b.transaction.nonce;
//# sourceMappingURL=mempool-index.js.map