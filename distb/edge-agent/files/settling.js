/**
 * Gives keys for payments: watches our ledger for hashlocks, decides about each (lock-decision.ts), and claims.
 *
 * The claim is what makes a key public, and the outbox makes it once. It cancels a claim whose lock was gone from the chain for a
 * moment: the key is out then, so if the lock comes back its coins are claimed whatever is left of the deadline.
 */
import { formatCoins } from '../../ledger/amount.js';
import { hashFromBytes, short } from '../../schemas/hex.js';
import { decideLock, fittingKey } from './lock-decision.js';
import { LockWatch } from './lock-watch.js';
/** Locks remembered whose key was given. */
const GIVEN_MAX = 1_000;
export class Settling {
    #options;
    #desk;
    #keys;
    #watch;
    #given = new Set();
    constructor(options, desk, keys) {
        this.#options = options;
        this.#desk = desk;
        this.#keys = keys;
        this.#watch = new LockWatch(desk.chain, desk.signer.account, options.deadlineBlocks);
    }
    update(update) {
        this.#watch.update(update);
        this.settle();
    }
    /** Decides about what is open; only in sync, because what we have not seen yet may change everything. */
    settle() {
        if (!this.#desk.inSync)
            return;
        this.#watch.look();
        for (const seen of this.#watch.open())
            if (!this.#desk.outbox.has(claimKey(seen.id)))
                this.#decide(seen);
    }
    #decide({ id, lock, height }) {
        const { chain, clock, signer, log } = this.#desk;
        const { confirmations, marginBlocks, marginMinutes } = this.#options;
        const terms = {
            account: signer.account,
            confirmations,
            marginBlocks,
            marginMs: marginMinutes * 60_000,
        };
        const now = { next: chain.next, nowMs: clock.synchronised() ? clock.now() : 0 };
        const fitting = this.#given.has(id) ? fittingKey(lock, this.#keys) : undefined;
        const verdict = fitting === undefined
            ? decideLock(lock, chain.tip.height - height + 1, terms, now, this.#keys)
            : { act: 'reveal', preimage: hashFromBytes(fitting.bytes) };
        if (verdict.act === 'wait')
            return;
        const facts = { buyer: short(lock.from), coins: formatCoins(lock.amount), hashlock: short(id) };
        if (verdict.act === 'reveal') {
            if (this.#claim(id, verdict.preimage))
                log.info('sold a file', facts);
            return;
        }
        this.#watch.forget(id);
        // Whoever locks coins for something else of ours has not asked for a file.
        if (verdict.code !== 'no-file')
            log.warn('no key for a payment: its coins go back to the buyer after its deadline', {
                ...facts,
                code: verdict.code,
                reason: verdict.message,
            });
    }
    /** False when the outbox is full. */
    #claim(id, preimage) {
        const draft = { type: 'hashlockClaim', hashlock: id, preimage };
        if (this.#desk.act([{ draft, key: claimKey(id) }]).length === 0)
            return false;
        this.#given.add(id);
        for (const oldest of this.#given) {
            if (this.#given.size <= GIVEN_MAX)
                break;
            this.#given.delete(oldest);
        }
        return true;
    }
}
const claimKey = (id) => `file ${id}`;
//# sourceMappingURL=settling.js.map