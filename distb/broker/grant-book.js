import { GRANT_MS_MAX, GRANT_SENSORS_MAX } from '../schemas/grant.js';
import { parseSellerMemo } from '../schemas/receipt-memo.js';
export const GRANT_BOOK_LIMITS = {
    /** Seller, buyer and sensor together; what a broker of ours keeps for a validator has room for all of them. */
    entriesMax: 10_000,
    /** Of these, of one seller. */
    entriesPerSellerMax: 2_000,
    /** Receipts for one entry that a reorganisation can fall back on. */
    receiptsMax: 16,
};
export class GrantBook {
    #limits;
    #pages = new Map();
    #perSeller = new Map();
    #changed = new Map();
    #entries = 0;
    /** No entry is over before. */
    #soonest = Number.POSITIVE_INFINITY;
    /** Receipts that found no room. */
    dropped = 0;
    constructor(limits = GRANT_BOOK_LIMITS) {
        this.#limits = limits;
    }
    /** Entries that run. */
    get size() {
        return this.#entries;
    }
    /** Pairs that have entries. */
    get pairs() {
        return [...this.#pages.values()];
    }
    /** Heeds the receipts of a block of the best chain, as far as they run at `nowMs`. */
    connect(block, nowMs) {
        for (const receipt of receiptsIn(block))
            if (receipt.until > nowMs)
                this.#add(receipt);
    }
    /** Takes the receipts of a block back. */
    disconnect(block) {
        for (const receipt of receiptsIn(block)) {
            const { seller, buyer, sensor, nonce } = receipt;
            const page = this.#pages.get(keyOf(receipt));
            const receipts = page?.sensors.get(sensor);
            if (page !== undefined && receipts?.delete(nonce) === true && receipts.size === 0)
                this.#drop(page, sensor);
            // Also when it is not in the book: we may have told of it before a restart.
            this.#changed.set(keyOf(receipt), { seller, buyer });
        }
    }
    /** Forgets what is over at `nowMs`, the time of the tip. */
    expire(nowMs) {
        if (nowMs < this.#soonest)
            return;
        this.#soonest = Number.POSITIVE_INFINITY;
        for (const [key, page] of this.#pages) {
            for (const [sensor, receipts] of page.sensors) {
                const until = longest(receipts);
                if (until > nowMs)
                    this.#soonest = Math.min(this.#soonest, until);
                else {
                    this.#changed.set(key, { seller: page.seller, buyer: page.buyer });
                    this.#drop(page, sensor);
                }
            }
        }
    }
    /** What a buyer may read of a seller; nothing when the pair is not in the book. */
    sensors({ seller, buyer }) {
        const page = this.#pages.get(keyOf({ seller, buyer }));
        if (page === undefined)
            return [];
        return [...page.sensors].map(([sensor, receipts]) => ({ sensor, until: longest(receipts) }));
    }
    /** Pairs that have changed since this was asked last. */
    takeChanged() {
        const changed = [...this.#changed.values()];
        if (changed.length > 0)
            this.#changed = new Map();
        return changed;
    }
    #add(receipt) {
        const { seller, buyer, sensor, nonce, until } = receipt;
        const key = keyOf(receipt);
        let receipts = this.#pages.get(key)?.sensors.get(sensor);
        if (receipts === undefined) {
            if ((this.#pages.get(key)?.sensors.size ?? 0) >= GRANT_SENSORS_MAX || !this.#makeRoom(seller)) {
                this.dropped++;
                return;
            }
            const page = this.#pages.get(key) ?? { seller, buyer, sensors: new Map() };
            receipts = new Map();
            page.sensors.set(sensor, receipts);
            this.#pages.set(key, page);
            this.#count(seller, 1);
        }
        receipts.set(nonce, until);
        if (receipts.size > this.#limits.receiptsMax)
            forgetShortest(receipts);
        this.#soonest = Math.min(this.#soonest, until);
        this.#changed.set(key, { seller, buyer });
    }
    /**
     * Whether a seller may have one more entry. When the book is full, the seller with the most gives one up, that which
     * is over first, for one that has far less: one who sells to thousands of accounts of its own keeps nobody else out.
     */
    #makeRoom(seller) {
        const own = this.#perSeller.get(seller) ?? 0;
        if (own >= this.#limits.entriesPerSellerMax)
            return false;
        if (this.#entries < this.#limits.entriesMax)
            return true;
        let most;
        for (const [each, count] of this.#perSeller)
            if (count > (most?.count ?? own + 1))
                most = { seller: each, count };
        if (most === undefined)
            return false;
        let first;
        for (const page of this.#pages.values()) {
            if (page.seller !== most.seller)
                continue;
            for (const [sensor, receipts] of page.sensors) {
                const until = longest(receipts);
                if (until < (first?.until ?? Number.POSITIVE_INFINITY))
                    first = { page, sensor, until };
            }
        }
        if (first === undefined)
            return false;
        const { seller: loser, buyer } = first.page;
        this.#changed.set(keyOf(first.page), { seller: loser, buyer });
        this.#drop(first.page, first.sensor);
        this.dropped++;
        return true;
    }
    #drop(page, sensor) {
        page.sensors.delete(sensor);
        if (page.sensors.size === 0)
            this.#pages.delete(keyOf(page));
        this.#count(page.seller, -1);
    }
    #count(seller, by) {
        this.#entries += by;
        const count = (this.#perSeller.get(seller) ?? 0) + by;
        if (count === 0)
            this.#perSeller.delete(seller);
        else
            this.#perSeller.set(seller, count);
    }
}
const keyOf = ({ seller, buyer }) => `${seller}/${buyer}`;
function longest(receipts) {
    let until = 0;
    for (const each of receipts.values())
        if (each > until)
            until = each;
    return until;
}
function forgetShortest(receipts) {
    let shortest;
    for (const each of receipts)
        if (shortest === undefined || each[1] < shortest[1])
            shortest = each;
    if (shortest !== undefined)
        receipts.delete(shortest[0]);
}
function* receiptsIn({ header, transactions }) {
    for (const transaction of transactions) {
        const receipt = receiptOf(transaction, header.time);
        if (receipt !== undefined)
            yield receipt;
    }
}
function receiptOf(transaction, blockTime) {
    if (transaction.type !== 'transfer' || transaction.amount !== 0)
        return undefined;
    const { from: seller, to: buyer, nonce, memo } = transaction;
    if (seller === buyer || !memo.startsWith('sold '))
        return undefined;
    const said = parseSellerMemo(memo);
    if (said?.type !== 'sold' || said.item.kind !== 'topic')
        return undefined;
    return {
        seller,
        buyer,
        sensor: said.item.name,
        nonce,
        until: Math.min(said.until, blockTime + GRANT_MS_MAX),
    };
}
//# sourceMappingURL=grant-book.js.map