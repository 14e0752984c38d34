import { accept } from '../schemas/result.js';
import { faulty } from './fault.js';
const rateOf = ({ sealed: { transaction: tx, bytes } }) => tx.fee / bytes.length;
export class GapBuffer {
    #limits;
    /** By nonce, ascending. */
    #accounts = new Map();
    #ids = new Set();
    constructor(limits) {
        this.#limits = limits;
    }
    get size() {
        return this.#ids.size;
    }
    has(id) {
        return this.#ids.has(id);
    }
    of(account) {
        return this.#accounts.get(account) ?? [];
    }
    /** Holds a transaction until `next` and those after it have come; answers with the one that had to make room, if any. */
    put(held, next) {
        const { gapMax, heldAccountMax, heldMax } = this.#limits;
        const { from, nonce } = held.sealed.transaction;
        if (nonce - next > gapMax)
            return faulty('nonce-gap', `nonce: expected ${next}, at most ${gapMax} more are held, got ${nonce}`);
        const own = this.of(from);
        // To change one's mind about what cannot be mined yet would cost nothing, so it is not possible.
        if (own.some(({ sealed }) => sealed.transaction.nonce === nonce))
            return faulty('nonce-gap', `nonce: expected ${next}, and another with nonce ${nonce} is held`);
        if (own.length >= heldAccountMax) {
            return faulty('nonce-gap', `nonce: expected ${next}, got ${nonce}, and ${own.length} are held already`);
        }
        let evicted;
        if (this.size >= heldMax) {
            for (const each of this.#all())
                if (evicted === undefined || rateOf(each) <= rateOf(evicted))
                    evicted = each;
            if (evicted === undefined || rateOf(evicted) >= rateOf(held))
                return faulty('nonce-gap', `nonce: expected ${next}, got ${nonce}, and ${heldMax} better ones are held`);
            this.delete(evicted);
        }
        const sorted = [...this.of(from), held];
        sorted.sort((a, b) => a.sealed.transaction.nonce - b.sealed.transaction.nonce);
        this.#accounts.set(from, sorted);
        this.#ids.add(held.sealed.id);
        return accept(evicted?.sealed);
    }
    delete(held) {
        const { from } = held.sealed.transaction;
        const rest = this.of(from).filter((each) => each !== held);
        this.#ids.delete(held.sealed.id);
        if (rest.length === 0)
            this.#accounts.delete(from);
        else
            this.#accounts.set(from, rest);
    }
    /** Takes out all of an account. */
    take(account) {
        const own = this.of(account);
        this.#accounts.delete(account);
        for (const { sealed } of own)
            this.#ids.delete(sealed.id);
        return own;
    }
    /** Takes out what was held too long when the next block has this height. */
    expire(height) {
        const late = [...this.#all()].filter(({ since }) => height - since > this.#limits.heldBlocksMax);
        for (const held of late)
            this.delete(held);
        return late;
    }
    *#all() {
        for (const own of this.#accounts.values())
            yield* own;
    }
}
//# sourceMappingURL=gap-buffer.js.map