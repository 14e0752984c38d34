/**
 * Channels that were opened lately, by us or to us: how deep their openings are, and which ids our own have got.
 *
 * The state says that a channel is there, not since when. Blocks down to where it matters are looked through once at the
 * start; a channel that is in the state and not here is deeper than that.
 */
import { parseBlock } from '../../ledger/block.js';
import { invariant } from '../../schemas/result.js';
/** Confirmations that anybody may ask for, at most. */
export const DEPTH_MAX = 100;
export class Openings {
    #chain;
    #account;
    #openings = new Map();
    /** `from`: height above which our own openings matter, if that is lower than the depth that others' do. */
    constructor(chain, account, from) {
        this.#chain = chain;
        this.#account = account;
        const lowest = Math.max(chain.base.height, Math.min(from, chain.tip.height - DEPTH_MAX));
        for (let height = lowest + 1; height <= chain.tip.height; height++) {
            const entry = chain.at(height);
            invariant(entry !== undefined, `the chain has height ${height}`);
            const block = parseBlock(chain.network, chain.archive.block(entry.hash));
            invariant(block.ok, `stored block ${entry.hash} parses`);
            for (const { transaction, id } of block.value.transactions)
                this.#note(transaction, id, height);
        }
    }
    /** Those of our own that this update brought. */
    update({ disconnected, connected }) {
        for (const { transactions } of disconnected)
            for (const { id } of transactions)
                this.#openings.delete(id);
        const fresh = [];
        for (const { transactions, entry } of connected) {
            for (const { transaction, id } of transactions) {
                const opening = this.#note(transaction, id, entry.height);
                if (opening?.open.from === this.#account)
                    fresh.push(opening);
            }
        }
        const old = this.#chain.tip.height - 2 * DEPTH_MAX;
        for (const { channel, height, open } of this.#openings.values())
            if (height < old && open.from !== this.#account)
                this.#openings.delete(channel);
        return fresh;
    }
    /** Our own, the oldest first. */
    own() {
        return [...this.#openings.values()].filter(({ open }) => open.from === this.#account);
    }
    /** Blocks on a channel's opening that is in the state, its own counted. */
    confirmations(channel) {
        const opening = this.#openings.get(channel);
        return opening === undefined ? Number.POSITIVE_INFINITY : this.#chain.tip.height - opening.height + 1;
    }
    #note(transaction, channel, height) {
        if (transaction.type !== 'channelOpen')
            return undefined;
        if (transaction.from !== this.#account && transaction.to !== this.#account)
            return undefined;
        const opening = { channel, height, open: transaction };
        this.#openings.set(channel, opening);
        return opening;
    }
}
//# sourceMappingURL=openings.js.map