/** What a wire does about one occurrence: a pure function of its rule, its memory, what is paid already, and what stands against it. */
import { judge } from './condition.js';
import { perUnit } from './exact.js';
import { identify } from './occurrence.js';
import { receiverOf } from './wire.js';
export const BATCHED = 'its readings come in batches, whose values are not on the ledger';
export function act(wire, before, occurrence, { isPaid, obstacle }) {
    const judgement = judge(wire.condition, before, occurrence.value);
    if (!judgement.fires) {
        const why = occurrence.value === undefined && wire.condition.kind !== 'each' ? BATCHED : undefined;
        return { memory: judgement.memory, payment: undefined, why };
    }
    const identity = identify(wire, occurrence, judgement.paid);
    if (isPaid(identity))
        return { memory: judgement.paid, payment: undefined, why: undefined };
    return pay(wire, judgement, occurrence, identity, obstacle);
}
function pay(wire, { memory, paid }, occurrence, { key, memo }, obstacle) {
    const amount = amountFor(wire, occurrence);
    if (typeof amount === 'string')
        return { memory, payment: undefined, why: amount };
    const why = obstacle(amount);
    if (why !== undefined)
        return { memory, payment: undefined, why };
    const draft = { type: 'transfer', to: receiverOf(wire), amount, memo };
    return { memory: paid, payment: { draft, key, amount }, why: undefined };
}
/** Smallest units, or why there is nothing to pay. */
function amountFor({ pay }, { value, count }) {
    if (pay.kind === 'amount') {
        const amount = pay.amount * count;
        return Number.isSafeInteger(amount) ? amount : 'the amount is beyond 2^53 - 1';
    }
    if (value === undefined)
        return BATCHED;
    const amount = perUnit(pay.amount, pay.most, value);
    return amount === 0 ? 'the value comes to nothing' : amount;
}
//# sourceMappingURL=act.js.map