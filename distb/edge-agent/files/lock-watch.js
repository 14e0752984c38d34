import { AGAIN_BLOCKS, BlockWalk } from '../block-walk.js';
/** Locks that are watched at once; each has coins in it, so that many are not made for fun. */
const LOCKS_MAX = 10_000;
export class LockWatch {
    #chain;
    #account;
    #seen = new Map();
    #walk;
    /** `back`: how far below the tip an open lock can matter, in blocks. */
    constructor(chain, account, back) {
        this.#chain = chain;
        this.#account = account;
        this.#walk = new BlockWalk(chain, chain.tip.height - back + AGAIN_BLOCKS);
    }
    /** Follows the chain; call before `look`. */
    update(update) {
        this.#walk.update(update);
        const [lowest] = update.connected;
        if (update.disconnected.length === 0 || lowest === undefined)
            return;
        for (const [id, { height }] of this.#seen)
            if (height >= lowest.entry.height)
                this.#seen.delete(id);
    }
    /** Looks on, some blocks at a time. */
    look() {
        for (const { block, entry } of this.#walk.next(1))
            this.#take(block, entry.height);
    }
    /** Those that are open, oldest first. */
    open() {
        const { state } = this.#chain;
        for (const id of this.#seen.keys())
            if (state.hashlock(id) === undefined)
                this.#seen.delete(id);
        return [...this.#seen.values()];
    }
    /** A lock that nothing will ever be done about. */
    forget(id) {
        this.#seen.delete(id);
    }
    #take({ transactions }, height) {
        const { state } = this.#chain;
        for (const { id, transaction: lock } of transactions) {
            if (lock.type !== 'hashlock' || lock.to !== this.#account)
                continue;
            if (state.hashlock(id) !== undefined && this.#seen.size < LOCKS_MAX)
                this.#seen.set(id, { id, lock, height });
        }
    }
}
//# sourceMappingURL=lock-watch.js.map