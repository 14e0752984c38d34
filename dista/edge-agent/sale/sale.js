import { feeFloorFor } from '../../ledger/transaction.js';
import { short } from '../../schemas/hex.js';
import { parsePurchase, parseSellerMemo, paymentName, writePurchase, writeSellerMemo, writeTime, } from '../../schemas/receipt-memo.js';
import { BlockWalk, blocksAbove } from '../block-walk.js';
import { settle } from './settlement.js';
/** Own answers remembered that the outbox may have lost. */
const ANSWERED_MAX = 10_000;
/** Settlements that wait for room in the outbox or for coins; with so many, no more payments are looked at. */
const WAITING_MAX = 1_000;
export class Sale {
    #desk;
    #modules;
    #walk;
    /** By the names of payments that our memos on the ledger answer. */
    #answered = new Set();
    /** By id. */
    #waiting = new Map();
    #wasInSync = false;
    constructor(modules) {
        const { desk, shop, running } = modules;
        const { chain, outbox } = desk;
        this.#desk = desk;
        this.#modules = modules;
        // From the first start on: one that is killed before it was ever in sync must find its way back to here.
        if (outbox.marked === undefined)
            outbox.mark(chain.tip.height);
        this.#walk = new BlockWalk(chain, outbox.marked);
        running.tip(chain.tip.time);
        for (const { block } of blocksAbove(chain, this.#firstOf(shop.secondsMax)))
            this.#recall(block.transactions);
        this.#recall(outbox.transactions);
    }
    /** Whether what is sold is known: our own receipts are, and so is the time. */
    get isKnown() {
        return this.#wasInSync || this.#desk.clock.synchronised();
    }
    onUpdate(update) {
        this.#modules.running.tip(update.tip.time);
        for (const { transactions } of update.disconnected)
            for (const { id } of transactions)
                this.#waiting.delete(id);
        for (const { transactions } of update.connected)
            this.#recall(transactions);
        this.#walk.update(update);
        this.#settle();
    }
    tick() {
        this.#settle();
    }
    /** Height below which nothing counts any more: neither a receipt that may still run, nor an answer to what is looked at again. */
    #firstOf(secondsMax) {
        const { chain } = this.#desk;
        const fromMs = this.#modules.running.now() - secondsMax * 1000;
        let height = chain.tip.height;
        // Times of blocks grow with their height.
        while (height > chain.base.height && (chain.at(height)?.time ?? 0) >= fromMs)
            height--;
        return Math.min(height, this.#walk.height);
    }
    #settle() {
        const { desk, shop } = this.#modules;
        if (!desk.inSync)
            return;
        this.#wasInSync = true;
        for (const open of this.#waiting.values())
            if (this.#answer(open))
                this.#waiting.delete(open.id);
        if (this.#waiting.size >= WAITING_MAX)
            return;
        for (const { block, confirmations, top } of this.#walk.next(shop.confirmationsMax)) {
            for (const { id, transaction: tx } of block.transactions) {
                if (tx.type !== 'transfer' || tx.to !== desk.signer.account)
                    continue;
                const item = parsePurchase(tx.memo);
                if (item === undefined || shop.confirmations(item) !== confirmations)
                    continue;
                const open = { id, transfer: tx, item, deepSince: top.time };
                if (!this.#isAnswered(id) && !this.#answer(open))
                    this.#wait(open);
            }
        }
        if (this.#waiting.size === 0)
            desk.outbox.mark(this.#walk.height);
    }
    #isAnswered(id) {
        return this.#desk.outbox.has(keyOf(id)) || this.#answered.has(paymentName(id));
    }
    /** Decides and stores that, in one step; false when it cannot be stored, and is to be decided anew. */
    #answer({ id, transfer: { from, amount }, item, deepSince }) {
        const { desk, shop, running } = this.#modules;
        const nowMs = running.now();
        const { until, refund } = settle({ amount, ageMs: nowMs - deepSince }, shop.wanted(item), {
            nowMs,
            runningMs: running.of(item, from).remainingMs,
            refundFee: feeFloorFor(desk.chain.network, 1),
        });
        const payment = paymentName(id);
        const answers = [];
        const add = (coins, memo) => {
            const draft = { type: 'transfer', to: from, amount: coins, memo: writeSellerMemo(memo) };
            answers.push({ draft, key: answers.length === 0 ? keyOf(id) : `${keyOf(id)} rest` });
        };
        if (until !== undefined)
            add(0, { type: 'sold', payment, item, until });
        if (refund !== undefined)
            add(refund.amount, { type: 'refund', payment, code: refund.code });
        if (!this.#store(answers))
            return false;
        const facts = { item: writePurchase(item), buyer: short(from), payment };
        if (until !== undefined) {
            desk.log.info('sold', { ...facts, until: writeTime(until) });
            running.sell(item, from, until);
            this.#modules.onSold();
        }
        if (refund !== undefined)
            desk.log.info('gave coins back', { ...facts, why: refund.code, amount: refund.amount });
        return true;
    }
    /** False when the outbox has no room, or the account not the coins. */
    #store(answers) {
        const { chain, outbox, signer, act } = this.#desk;
        if (answers.length === 0)
            return true;
        const cost = answers.reduce((sum, { draft }) => sum + draft.amount, 0);
        const fees = answers.length * feeFloorFor(chain.network, 1);
        const spendable = chain.state.account(signer.account).balance - outbox.committed;
        if (outbox.room < answers.length || (cost > 0 && cost + fees > spendable))
            return false;
        act(answers);
        return true;
    }
    #wait(open) {
        if (this.#waiting.size === 0)
            this.#desk.log.warn('cannot answer a payment yet', {
                room: this.#desk.outbox.room,
                remedy: 'too few coins to give back what is due, or a full outbox; it is tried again each second',
            });
        this.#waiting.set(open.id, open);
    }
    /** Takes note of what our own memos say. */
    #recall(transactions) {
        for (const { transaction: tx } of transactions) {
            if (tx.type !== 'transfer' || tx.from !== this.#desk.signer.account)
                continue;
            const memo = parseSellerMemo(tx.memo);
            if (memo === undefined)
                continue;
            this.#answered.add(memo.payment);
            if (memo.type === 'sold')
                this.#modules.running.restore(memo.item, tx.to, memo.until);
        }
        for (const oldest of this.#answered) {
            if (this.#answered.size <= ANSWERED_MAX)
                break;
            this.#answered.delete(oldest);
        }
    }
}
const keyOf = (payment) => `sale ${payment}`;
//# sourceMappingURL=sale.js.map