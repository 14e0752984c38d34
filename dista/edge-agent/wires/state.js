/** What an agent says of its wires, retained on `wires/<agent>/json`: for people and for `pinledger wires`. */
import { z } from 'zod';
import { formatCoins } from '../../ledger/amount.js';
import { accountText } from '../../schemas/hex.js';
import { writePurchase } from '../../schemas/receipt-memo.js';
import { describeWire, purchaseOf, receiverOf } from './wire.js';
const text = z.string().max(500);
const coins = z.string().max(32);
const spent = z.object({ payments: z.int().min(0), coins });
const wireState = z.object({
    words: text,
    /** Who is paid. */
    to: accountText,
    /** How its memos begin, or all of them. */
    memo: text,
    /** Whose sensor it looks at; the agent's own when there is no device. */
    device: accountText.nullable(),
    sensor: text.nullable(),
    /** The latest payment that is in a block, or was decided since the start. */
    lastPaid: text.nullable(),
    /** In the last 24 hours of the ledger's time, in all, and of transactions that wait for a block. */
    day: spent,
    all: spent,
    waiting: spent,
    /** Why it did not pay when it should have. */
    why: text.nullable(),
    /** The seller's last receipt or refund. */
    answer: text.nullable(),
    /** How the seller's offer and what is paid differ. */
    offer: text.nullable().default(null),
});
export const wiresState = z.object({
    agent: accountText,
    at: text,
    owner: accountText.nullable(),
    /** Of the last message of the owner's that was taken; 0: none. */
    sequence: z.int().min(0),
    from: z.enum(['configuration', 'owner']),
    /** First 16 hex digits of the SHA-256 of the owner's text, when it is in force. */
    text: text.nullable(),
    wires: z.array(wireState).max(64),
    /** The last message that was refused; `message` are the first 16 hex digits of its SHA-256. */
    refused: z
        .object({ at: text, sequence: z.int().min(0).nullable(), message: text, reason: text })
        .nullable(),
});
const NOTHING = { payments: 0, amount: 0 };
const inCoins = ({ payments, amount }) => ({ payments, coins: formatCoins(amount) });
export const timeText = (ms) => new Date(ms).toISOString();
export function wireStates(wires, payments, dayBegins, lately, offered) {
    const waiting = payments.waiting();
    return wires.map((wire) => {
        const purchase = purchaseOf(wire);
        const { source, to } = wire;
        const { paidAt = payments.book.lastPaid(purchase), why } = lately(purchase) ?? {};
        return {
            words: describeWire(wire),
            to: receiverOf(wire),
            memo: to.kind === 'account' ? to.purpose : writePurchase(to.item),
            device: source.kind === 'ledger' ? source.device : null,
            sensor: source.kind === 'every' ? null : source.sensor,
            lastPaid: paidAt === undefined ? null : timeText(paidAt),
            day: inCoins(payments.book.since(purchase, dayBegins)),
            all: inCoins(payments.book.total(purchase)),
            waiting: inCoins(waiting.get(purchase) ?? NOTHING),
            why: why ?? null,
            answer: payments.answer(purchase) ?? null,
            offer: offered(purchase) ?? null,
        };
    });
}
//# sourceMappingURL=state.js.map