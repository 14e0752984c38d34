/**
 * Looks through the blocks of validators for what concerns one hashlock: its payment, its claim, its refund.
 *
 * Blocks are believed as far as they are what their headers say; that they are the best chain is their validators' word, as with
 * `pinledger pay`. The key in a claim needs nobody's word.
 */
import { parseBlock } from '../../ledger/block.js';
import { MEDIAN_BLOCKS } from '../../ledger/hashlock.js';
import { headerHash } from '../../ledger/network.js';
import { BLOCKS_MAX, HEADERS_MAX } from '../../schemas/message.js';
import { invariant } from '../../schemas/result.js';
/** Blocks below where the payment was made that are looked through, too: the chain may have been another one. */
const BELOW = 12;
export class LedgerScan {
    #network;
    #payment;
    #since;
    #ask;
    /** The blocks looked through, lowest first, each the next one's parent. */
    #looked = [];
    #key;
    /** `since`: a block on whose chain the payment was made. */
    constructor(network, payment, since, ask) {
        this.#network = network;
        this.#payment = payment;
        this.#since = since;
        this.#ask = ask;
    }
    /** The preimage in a claim of the hashlock, in whatever block it was seen. Whether it opens the lock is for the caller to check. */
    get key() {
        return this.#key;
    }
    get paidAt() {
        return this.#looked.find(({ paid }) => paid)?.height;
    }
    get refundedAt() {
        return this.#looked.find(({ refunded }) => refunded)?.height;
    }
    /** Where the next block will stand; undefined before anything was looked through. */
    get next() {
        const last = this.#looked.at(-1);
        if (last === undefined)
            return undefined;
        const times = this.#looked.slice(-MEDIAN_BLOCKS).map(({ time }) => time);
        return { height: last.height + 1, medianTime: times[Math.floor(times.length / 2)] ?? 0 };
    }
    /** Looks on up to the validators' tip; false when they did not answer. */
    async look() {
        for (;;) {
            const locator = [...this.#looked.slice(-2 * BELOW).map(({ hash }) => hash)].reverse();
            const reply = await this.#ask({
                type: 'getHeaders',
                locator: [...locator, this.#since.hash],
                limit: HEADERS_MAX,
            });
            if (reply === undefined)
                return false;
            const { headers } = reply;
            this.#cut(headers);
            const wanted = headers.filter(({ height }) => height > this.#since.height - BELOW);
            if (!(await this.#take(wanted)))
                return false;
            if (headers.length < HEADERS_MAX)
                return true;
            // A chain that begins far below what concerns us: on to the next headers.
            const last = headers.at(-1);
            if (wanted.length === 0 && last !== undefined)
                this.#looked = [this.#lookedAt(last, false, false)];
        }
    }
    /** Forgets what is no longer below the headers that follow. */
    #cut(headers) {
        const [first] = headers;
        if (first === undefined)
            return;
        const at = this.#looked.findIndex(({ hash }) => hash === first.parent);
        this.#looked = at < 0 ? [] : this.#looked.slice(0, at + 1);
    }
    /** Fetches the bodies of headers that follow each other, and looks at them. */
    async #take(headers) {
        for (let done = 0; done < headers.length;) {
            const part = headers.slice(done, done + BLOCKS_MAX);
            const [first] = part;
            invariant(first !== undefined, 'a part has headers');
            const hashes = part.map((header) => headerHash(this.#network.hashing, header));
            const question = { type: 'getBlocks', height: first.height, hashes };
            // Not every validator keeps old blocks.
            const reply = await this.#ask(question, ({ blocks }) => blocks.length > 0);
            if (reply === undefined)
                return false;
            for (const bytes of reply.blocks) {
                const header = headers[done];
                if (header === undefined || !this.#takeBlock(bytes, header))
                    return false;
                done++;
            }
        }
        return true;
    }
    #takeBlock(bytes, header) {
        const { hashing } = this.#network;
        const parsed = parseBlock(this.#network, bytes);
        if (!parsed.ok || headerHash(hashing, parsed.value.block.header) !== headerHash(hashing, header))
            return false;
        let [paid, refunded] = [false, false];
        for (const { id, transaction: tx } of parsed.value.transactions) {
            if (id === this.#payment)
                paid = true;
            if (tx.type === 'hashlockRefund' && tx.hashlock === this.#payment)
                refunded = true;
            if (tx.type === 'hashlockClaim' && tx.hashlock === this.#payment)
                this.#key = tx.preimage;
        }
        this.#looked.push(this.#lookedAt(header, paid, refunded));
        return true;
    }
    #lookedAt(header, paid, refunded) {
        const hash = headerHash(this.#network.hashing, header);
        return { height: header.height, hash, time: header.time, paid, refunded };
    }
}
//# sourceMappingURL=ledger-scan.js.map