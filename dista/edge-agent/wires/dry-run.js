import { act } from './act.js';
import { Book } from './book.js';
import { freshMemory } from './condition.js';
import { Till } from './limits.js';
import { readingFor, sampleFor, slotFor } from './occurrence.js';
import { describeWire, purchaseOf } from './wire.js';
export function dryRun(wires, agent, blocks) {
    const book = new Book();
    const tallies = wires.map(() => ({
        memory: freshMemory(0),
        seen: 0,
        payments: 0,
        amount: 0,
        paid: new Set(),
        stopped: new Map(),
    }));
    for (const { height, time, transactions } of blocks) {
        for (const [index, wire] of wires.entries()) {
            const tally = tallies[index];
            if (tally === undefined)
                continue;
            const till = openTill(book, time);
            const paid = [];
            for (const occurrence of occurrences(wire, agent, time, transactions)) {
                const payment = look(wire, tally, occurrence, till, time);
                if (payment !== undefined)
                    paid.push({ purchase: purchaseOf(wire), amount: payment });
            }
            book.connect(height, time, paid);
        }
    }
    return wires.map((wire, index) => {
        const { seen = 0, payments = 0, amount = 0, stopped = new Map() } = tallies[index] ?? {};
        return {
            words: describeWire(wire),
            seen,
            payments,
            amount,
            stopped: [...stopped].map(([why, { times, first }]) => ({ why, times, first })),
        };
    });
}
const openTill = (book, nowMs) => new Till({
    since: (purchase, after) => book.since(purchase, after),
    waiting: () => ({ payments: 0, amount: 0 }),
    nowMs,
    spendable: Number.POSITIVE_INFINITY,
    fee: 0,
});
function* occurrences(wire, agent, time, transactions) {
    const slot = slotFor(wire, time);
    if (slot !== undefined)
        yield slot;
    for (const { id, transaction: tx } of transactions) {
        const own = tx.type === 'reading' && tx.from === agent ? sampleFor(wire, tx.sample) : undefined;
        const occurrence = own ?? readingFor(wire, id, tx);
        if (occurrence !== undefined)
            yield occurrence;
    }
}
/** What it pays for an occurrence. */
function look(wire, tally, occurrence, till, time) {
    if (wire.source.kind !== 'every' || !tally.paid.has(occurrence.key))
        tally.seen++;
    const done = act(wire, tally.memory, occurrence, {
        isPaid: () => tally.paid.has(occurrence.key),
        obstacle: (amount) => till.obstacle(wire, amount),
    });
    tally.memory = done.memory;
    if (done.why !== undefined) {
        const [why = ''] = done.why.split(':');
        const { times = 0, first = time } = tally.stopped.get(why) ?? {};
        tally.stopped.set(why, { times: times + 1, first });
    }
    if (done.payment === undefined)
        return undefined;
    till.take(wire, done.payment.amount);
    tally.paid.add(occurrence.key);
    tally.payments++;
    tally.amount += done.payment.amount;
    return done.payment.amount;
}
//# sourceMappingURL=dry-run.js.map