/**
 * What each purchase has cost, by our own chain: payments by the time of their block, and their sum.
 *
 * It follows the chain block by block, forwards and back. What is older than a day, and deep enough never to come off the chain
 * again, is kept as a sum. Loaded from disk it is exact in sums and errs on the safe side in time: payments of ten minutes
 * count as if all were of the newest of them.
 */
import { parseSellerMemo } from '../../schemas/receipt-memo.js';
import { DAY_MS } from './limits.js';
import { purchaseIn } from './wire.js';
/** Purchases remembered; the one that was paid longest ago goes. */
export const PAGES_MAX = 256;
/** Blocks below the tip that may still come off. */
const DEEP_BLOCKS = 100;
const MERGED_MS = 600_000;
/** Buckets of a page on disk: one for each ten minutes of a day and of `DEEP_BLOCKS`, with room. */
export const BUCKETS_MAX = 512;
const NOTHING = { payments: 0, amount: 0 };
const sum = (left, right) => ({
    payments: left.payments + right.payments,
    amount: Math.min(Number.MAX_SAFE_INTEGER, left.amount + right.amount),
});
/** What a transfer of `self` paid for; undefined for gifts of nothing, receipts, refunds and what goes to itself. */
export function paidFor(self, tx) {
    if (tx.type !== 'transfer' || tx.from !== self || tx.to === self || tx.amount === 0)
        return undefined;
    if (parseSellerMemo(tx.memo) !== undefined)
        return undefined;
    return { purchase: purchaseIn(tx), amount: tx.amount };
}
export class Book {
    #pages;
    /** Blocks up to here are in what was loaded: they are not counted again, nor taken back. */
    #from;
    constructor(pages = [], from = 0) {
        this.#pages = new Map(pages.map(({ purchase, before, buckets }) => [purchase, { before, buckets: [...buckets] }]));
        this.#from = from;
    }
    /** A block of our chain, and what it has of our payments. */
    connect(height, time, payments) {
        if (height <= this.#from)
            return;
        for (const { purchase, amount } of payments) {
            const page = this.#pages.get(purchase) ?? { before: NOTHING, buckets: [] };
            // The latest paid is the last.
            this.#pages.delete(purchase);
            this.#pages.set(purchase, page);
            const last = page.buckets.at(-1);
            const one = { payments: 1, amount };
            if (last?.height === height)
                page.buckets.splice(-1, 1, { ...last, ...sum(last, one) });
            else
                page.buckets.push({ height, time, ...one });
        }
        for (const oldest of this.#pages.keys()) {
            if (this.#pages.size <= PAGES_MAX)
                break;
            this.#pages.delete(oldest);
        }
    }
    /** A block came off our chain; the highest first. */
    disconnect(height) {
        if (height <= this.#from)
            return;
        for (const { buckets } of this.#pages.values()) {
            while ((buckets.at(-1)?.height ?? 0) >= height)
                buckets.pop();
        }
    }
    /** Moves into the sums what no limit asks for any more. */
    prune(tip) {
        for (const page of this.#pages.values()) {
            const keep = page.buckets.findIndex(({ height, time }) => time > tip.time - DAY_MS || height > tip.height - DEEP_BLOCKS);
            const gone = page.buckets.splice(0, keep === -1 ? page.buckets.length : keep);
            page.before = gone.reduce(sum, page.before);
        }
    }
    /** Payments in blocks later than a time. */
    since(purchase, after) {
        let spent = NOTHING;
        const { buckets } = this.#pages.get(purchase) ?? { buckets: [] };
        for (let at = buckets.length - 1; at >= 0; at--) {
            const bucket = buckets[at];
            if (bucket === undefined || bucket.time <= after)
                break;
            spent = sum(spent, bucket);
        }
        return spent;
    }
    total(purchase) {
        const page = this.#pages.get(purchase);
        return page === undefined ? NOTHING : page.buckets.reduce(sum, page.before);
    }
    /** Time of the block with the latest payment, of a day at least. */
    lastPaid(purchase) {
        return this.#pages.get(purchase)?.buckets.at(-1)?.time;
    }
    /** What it says up to a height, for the disk. */
    pages(height) {
        return [...this.#pages].map(([purchase, { before, buckets }]) => {
            const settled = buckets.filter((bucket) => bucket.height <= height);
            return { purchase, before, buckets: merged(settled) };
        });
    }
}
/** At most one bucket for each ten minutes, as new as the newest in it. */
function merged(buckets) {
    const result = [];
    let begins = Number.NEGATIVE_INFINITY;
    for (const bucket of buckets) {
        const last = result.at(-1);
        if (last === undefined || bucket.time >= begins + MERGED_MS) {
            begins = bucket.time;
            result.push(bucket);
        }
        else {
            const { height, time } = bucket;
            result.splice(-1, 1, { height, time, ...sum(last, bucket) });
        }
    }
    return result.slice(-BUCKETS_MAX);
}
//# sourceMappingURL=book.js.map