/**
 * What a wire may act on: a reading on the ledger, a live sample, a slot of its schedule; and what tells two of them apart.
 *
 * Each occurrence has one *key* for a wire, under which the outbox remembers its payment. A reading's is made of its device, sensor,
 * sequence number and time, not of its transaction's id: signed again with another fee it is the same reading. A live sample's has
 * the time too, since a sequence number that a crash kept from the disk is given again. An edge or a change among live samples is
 * counted instead: then the sample that showed it may differ after a crash, and the edge is the same.
 */
import { hashing } from '../../node/signing.js';
import { toHex } from '../../schemas/hex.js';
import { writePurchase } from '../../schemas/receipt-memo.js';
import { purchaseOf } from './wire.js';
const DIGITS = 16;
const MINUTE_MS = 60_000;
/** The reading or batch of a transaction, if it is what the wire looks at. */
export function readingFor({ source }, id, tx) {
    if (source.kind !== 'ledger' || tx.from !== source.device)
        return undefined;
    const name = id.slice(0, DIGITS);
    if (tx.type === 'reading') {
        const { sensor, sequence, time, value } = tx.sample;
        if (sensor !== source.sensor)
            return undefined;
        return { key: `reading ${tx.from} ${sensor} ${sequence} ${time}`, name, value, count: 1 };
    }
    if (tx.type !== 'batch' || tx.sensor !== source.sensor)
        return undefined;
    const key = `batch ${tx.from} ${tx.sensor} ${tx.sequence} ${tx.firstTime}`;
    return { key, name, value: undefined, count: tx.count };
}
export function sampleFor({ source }, { sensor, sequence, time, value }) {
    if (source.kind !== 'own' || sensor !== source.sensor)
        return undefined;
    const occurrence = {
        key: `sample ${sensor} ${sequence} ${time}`,
        name: String(sequence),
        value,
        count: 1,
    };
    return occurrence;
}
/** The slot that a time is in. */
export function slotFor({ source }, nowMs) {
    if (source.kind !== 'every')
        return undefined;
    const length = source.minutes * MINUTE_MS;
    const begins = Math.floor(nowMs / length) * length;
    const name = new Date(begins).toISOString().slice(0, 16);
    return { key: `slot ${source.minutes} ${begins}`, name, value: undefined, count: 1 };
}
/** `memory`: what is remembered once it is paid. */
export function identify(wire, occurrence, memory) {
    const { to, source, condition } = wire;
    const counted = source.kind === 'own' && ['rises', 'falls', 'changes'].includes(condition.kind);
    const event = counted ? `${condition.kind} ${memory.epoch} ${memory.count}` : occurrence.key;
    const text = new TextEncoder().encode(`${purchaseOf(wire)}\n${event}`);
    const key = `wire ${toHex(hashing.plain(text)).slice(0, 40)}`;
    if (to.kind === 'item')
        return { key, memo: writePurchase(to.item), alias: undefined };
    const memo = `${to.purpose} ${occurrence.name}`;
    // The number of a live sample may come again, so that a memo with it names no single one.
    return { key, memo, alias: source.kind === 'own' ? undefined : `${to.account} ${memo}` };
}
//# sourceMappingURL=occurrence.js.map