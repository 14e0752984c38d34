/** Chunks of one sale, and of all, that wait. */
const SALE_CHUNKS_MAX = 256;
const CHUNKS_MAX = 4_096;
/** What a rate lets through at once after a pause. */
const BURST_MS = 250;
/** A rate as the time until which it is used up (the generic cell rate algorithm of ITU-T I.371). */
class Pace {
    #bytesPerMs;
    #paidMs = Number.NEGATIVE_INFINITY;
    constructor(bytesPerSecond) {
        this.#bytesPerMs = bytesPerSecond / 1000;
    }
    waitMs(nowMs) {
        return Math.max(0, this.#paidMs - BURST_MS - nowMs);
    }
    use(bytes, nowMs) {
        this.#paidMs = Math.max(this.#paidMs, nowMs) + bytes / this.#bytesPerMs;
    }
}
export class ChunkQueue {
    #limits;
    #overall;
    /** In the order of their turns. */
    #sales = new Map();
    #size = 0;
    constructor(limits) {
        this.#limits = limits;
        this.#overall = new Pace(limits.overall);
    }
    get size() {
        return this.#size;
    }
    /** How many of the chunks `first`, `first` + 1, ... were added; those that wait already count as added. */
    add(sale, first, count) {
        const { waiting } = this.#sale(sale);
        for (let done = 0; done < count; done++) {
            if (waiting.has(first + done))
                continue;
            if (waiting.size >= SALE_CHUNKS_MAX || this.#size >= CHUNKS_MAX)
                return done;
            waiting.add(first + done);
            this.#size++;
        }
        return count;
    }
    /** Forgets a sale and what waits for it. */
    drop(sale) {
        this.#size -= this.#sales.get(sale)?.waiting.size ?? 0;
        this.#sales.delete(sale);
    }
    /** The next chunk; or after how long to ask again; undefined when nothing waits. `bytes`: what a chunk counts as. */
    next(bytes, nowMs) {
        if (this.#size === 0)
            return undefined;
        const overallMs = this.#overall.waitMs(nowMs);
        if (overallMs > 0)
            return { waitMs: Math.ceil(overallMs) };
        let waitMs = Number.POSITIVE_INFINITY;
        for (const [sale, entry] of this.#sales) {
            const { pace, waiting } = entry;
            const [index] = waiting;
            if (index === undefined)
                continue;
            const saleMs = pace.waitMs(nowMs);
            if (saleMs > 0) {
                waitMs = Math.min(waitMs, saleMs);
                continue;
            }
            waiting.delete(index);
            this.#size--;
            this.#overall.use(bytes, nowMs);
            pace.use(bytes, nowMs);
            this.#sales.delete(sale);
            this.#sales.set(sale, entry);
            return { sale, index };
        }
        return { waitMs: Math.ceil(waitMs) };
    }
    #sale(sale) {
        const known = this.#sales.get(sale);
        if (known !== undefined)
            return known;
        const fresh = { pace: new Pace(this.#limits.perSale), waiting: new Set() };
        this.#sales.set(sale, fresh);
        return fresh;
    }
}
//# sourceMappingURL=chunk-queue.js.map