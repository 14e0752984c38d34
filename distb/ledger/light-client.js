import { decode } from '../schemas/codec.js';
import { fromHex, ZERO_HASH } from '../schemas/hex.js';
import { LOCATOR_MAX } from '../schemas/message.js';
import { FOLLOWING_MAX, } from '../schemas/proof.js';
import { accept, invariant, refuse } from '../schemas/result.js';
import { TRANSACTION_BYTES_MAX, transaction, } from '../schemas/transaction.js';
import { HEADER_GROUP } from './chain.js';
import { faulty, fromDecode } from './fault.js';
import { checkHeader, position0 } from './header.js';
import { checkMerklePath } from './merkle.js';
import { headerHash } from './network.js';
import { provenAccount } from './state.js';
import { sealCoinbase, sealTransaction } from './transaction.js';
export const LIGHT_CLIENT_DEFAULTS = {
    /** Places in memory, some 400 bytes each: a reorganisation may be this deep less one. */
    windowMax: 1_000,
    /** Blocks that may lie on the one whose state is shown: an old state is true, but not what was asked. */
    staleMax: 16,
};
/** A header that every peer finds, and what is shown at once: a header's parent, it, and those that follow. */
export const WINDOW_MIN = HEADER_GROUP + FOLLOWING_MAX + 2;
export class LightClient {
    network;
    #options;
    /** The best chain's end, one height after the other. */
    #places;
    constructor(network, { anchor, ...options } = {}) {
        this.network = network;
        this.#options = { ...LIGHT_CLIENT_DEFAULTS, ...options };
        invariant(this.#options.windowMax >= WINDOW_MIN, `a light client keeps at least ${WINDOW_MIN} places`);
        this.#places = [anchor ?? position0(network)];
    }
    get tip() {
        return this.#places.at(-1);
    }
    /** The lowest header that it knows; nothing at or below it is undone. */
    get base() {
        return this.#places[0];
    }
    /** The best chain's place at a height of the window. */
    at(height) {
        return this.#places[height - this.base.height];
    }
    /**
     * Hashes from the tip back for `getHeaders`: ten one by one, then multiples of HEADER_GROUP, because that is all that
     * a peer knows of its old blocks by hash; the base last.
     */
    locator() {
        const hashes = [];
        let { height } = this.tip;
        while (height > this.base.height && hashes.length < LOCATOR_MAX - 1) {
            hashes.push(this.at(height).hash);
            height -= hashes.length < 10 ? 1 : height % HEADER_GROUP || HEADER_GROUP;
        }
        return [...hashes, this.base.hash];
    }
    /**
     * Takes headers, lowest first, that begin on a header of its chain; they become its chain if they have more work. `nowMs` is
     * the device's clock; Infinity without one, which gives up the rule against times in the future. A fault ends the
     * headers there: those before it count all the same, each stands on its own work. Returns the last place that was checked.
     */
    follow(headers, nowMs) {
        const [first] = headers;
        if (first === undefined)
            return accept(this.tip);
        return this.#extend(first, headers.map((header) => () => header), nowMs);
    }
    /** Whether `id` is in a block of the best chain. The transaction's signature is the block's word, as all its content is. */
    checkInclusion(proof, id, nowMs) {
        const { network } = this;
        const decoded = decode(transaction, proof.transaction, TRANSACTION_BYTES_MAX);
        if (!decoded.ok)
            return refuse(fromDecode(decoded.fault));
        const sealed = sealTransaction(network, decoded.value, proof.transaction);
        if (sealed.id !== id)
            return light('wrong-transaction', `transaction: asked for ${id}, this is ${sealed.id}`);
        const body = checkCoinbase(network, proof.header, proof.coinbase);
        if (!body.ok)
            return body;
        const { index, count, path, coinbase } = proof;
        const root = fromHex(coinbase.transactionsRoot);
        if (!checkMerklePath(network.hashing, root, sealed.leaf, index, count, path.map(fromHex))) {
            return faulty('bad-transactions-root', `path: does not lead from transaction ${index} of ${count} to ${coinbase.transactionsRoot}`);
        }
        const under = this.#under(proof.header, proof.following, nowMs);
        return under.ok ? accept({ ...under.value, transaction: decoded.value }) : under;
    }
    /** What an account has in a recent state. */
    checkBalance(proof, account, nowMs) {
        const { network } = this;
        const body = checkCoinbase(network, proof.header, proof.coinbase);
        if (!body.ok)
            return body;
        const { stateRoot } = proof.coinbase;
        const entry = provenAccount(network.hashing, stateRoot, account, proof.state);
        if (entry === undefined)
            return faulty('bad-state-root', `state: does not lead from ${account} to ${stateRoot}`);
        const under = this.#under(proof.header, [], nowMs);
        if (!under.ok)
            return under;
        const { staleMax } = this.#options;
        const { confirmations, height } = under.value;
        if (confirmations - 1 > staleMax) {
            return light('stale', `header: ${confirmations - 1} blocks lie on height ${height}, at most ${staleMax}`);
        }
        return accept({ ...under.value, account, ...entry });
    }
    /** Where a header and those after it stand, once they have been followed. */
    #under(header, following, nowMs) {
        const followed = this.#extend(header, [() => header, ...following.map(expand)], nowMs);
        if (!followed.ok)
            return followed;
        const hash = headerHash(this.network.hashing, header);
        const { height, time } = header;
        const [place, below] = [this.at(height), this.at(height - 1)];
        if (place?.hash !== hash || below === undefined)
            return light('not-best', `header: ${hash} is not on the chain with the most work`);
        const { tip } = this;
        return accept({ hash, height, time, confirmations: tip.height - height + 1, work: tip.work - below.work });
    }
    #extend(first, steps, nowMs) {
        const fork = this.at(first.height - 1);
        // A parent of that height on another branch is the header rules' own fault `unknown-parent`.
        if (fork === undefined) {
            const { base, tip } = this;
            return faulty('unknown-parent', `height: ${first.height} does not follow one of the heights ${base.height} to ${tip.height}`);
        }
        const branch = [];
        let last = fork;
        let fault;
        for (const step of steps) {
            const checked = checkHeader(this.network, step(last), last, nowMs);
            if (!checked.ok) {
                fault = checked.fault;
                break;
            }
            last = checked.value;
            branch.push(last);
        }
        if (last.work > this.tip.work)
            this.#adopt(fork, branch);
        return fault === undefined ? accept(last) : refuse(fault);
    }
    #adopt(fork, branch) {
        this.#places.length = fork.height - this.base.height + 1;
        for (const place of branch)
            this.#places.push(place);
        this.#places.splice(0, Math.max(0, this.#places.length - this.#options.windowMax));
    }
}
/** A header from what does not follow from its parent. */
const expand = ({ content, time, nonce }) => ({ hash: parent, height, childTarget: target }) => ({
    ...{ version: 1, height: height + 1, parent, content, target, time, nonce },
});
/** What the header commits to, and what of it can be judged without the state before. */
function checkCoinbase(network, header, coinbase) {
    const { content } = sealCoinbase(network, coinbase);
    if (header.content !== content)
        return faulty('bad-content', `coinbase: its leaf is ${content}, the header says ${header.content}`);
    if (coinbase.network !== network.id)
        return faulty('wrong-network', `network: this is ${network.id}, the coinbase is for ${coinbase.network}`);
    if (coinbase.height !== header.height || coinbase.parent !== header.parent)
        return faulty('bad-coinbase', 'coinbase: height or parent differ from the header');
    if (coinbase.tick !== ZERO_HASH)
        return faulty('bad-tick', 'tick: all zero on a network without a slow hand');
    return accept(true);
}
const light = (code, message) => refuse({ code, message });
//# sourceMappingURL=light-client.js.map