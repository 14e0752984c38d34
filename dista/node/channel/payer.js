import { encode } from '../../schemas/codec.js';
import { channelProof } from '../../schemas/transaction.js';
import { isDelivery } from './delivery.js';
const NOTHING = { records: [], talk: [] };
/** Readings that a purchase can pay in all. */
export const readingsIn = ({ deposit, price, steps }) => steps > 0 ? steps : Math.floor(deposit / price);
const proofs = (purchase, { prove }) => purchase.index > 0 ? [prove(purchase.index)] : [];
/** What the buyer says first in each conversation. */
export const resume = (purchase, world) => ({
    type: 'resume',
    sensor: purchase.sensor,
    price: purchase.price,
    every: world.every,
    last: Math.min(world.last, readingsIn(purchase)),
    index: purchase.index,
    proof: proofs(purchase, world),
});
/** Why a reading is not paid for; undefined when it is what was ordered. */
export function whyRefused({ network, accepts }, purchase, delivery) {
    const { index, due, sample } = delivery;
    if (delivery.channel !== purchase.channel)
        return 'channel: another one';
    if (due !== index * purchase.price)
        return `due: ${due}, agreed are ${index} times ${purchase.price}`;
    if (sample.sensor !== purchase.sensor)
        return `sensor: ${sample.sensor} instead of ${purchase.sensor}`;
    if (purchase.last !== undefined && sample.sequence <= purchase.last.sequence)
        return `sequence: ${sample.sequence} is not after ${purchase.last.sequence}`;
    return isDelivery(network, accepts, delivery, purchase.seller) ? undefined : 'signature: not the seller';
}
export function onDelivery(world, purchase, delivery) {
    const { number, index } = purchase;
    if (purchase.stopped !== undefined || delivery.index < index)
        return NOTHING;
    // Its payment was lost.
    if (delivery.index === index)
        return { records: [], talk: [paymentFor(world, index)] };
    if (delivery.index > index + 1)
        return stop(purchase, 'bad-index', `reading ${delivery.index} after ${index}`);
    if (delivery.index > Math.min(world.last, readingsIn(purchase)))
        return { records: [], talk: [{ type: 'stop', code: 'done', message: `no more than ${index} readings` }] };
    const fault = whyRefused(world, purchase, delivery);
    if (fault !== undefined)
        return stop(purchase, 'bad-reading', fault);
    const { sample } = delivery;
    return {
        records: [{ type: 'paid', number, index: index + 1, sample: [sample] }],
        talk: [paymentFor(world, index + 1)],
        got: sample,
    };
}
/** The seller says where it stands: it may lack a payment, or know of one that this side has forgotten. */
export function onStanding(world, purchase, { index, proof }) {
    if (purchase.stopped !== undefined || index === purchase.index)
        return NOTHING;
    if (index < purchase.index)
        return { records: [], talk: [paymentFor(world, purchase.index)] };
    const [theirs] = proof;
    const isOurs = index <= readingsIn(purchase) && theirs !== undefined && isSame(theirs, world.prove(index));
    if (!isOurs)
        return stop(purchase, 'bad-proof', `${index} readings are paid, this side knows of ${purchase.index}`);
    return { records: [{ type: 'paid', number: purchase.number, index, sample: [] }], talk: [] };
}
const paymentFor = ({ prove }, index) => ({
    type: 'payment',
    index,
    proof: prove(index),
});
/** Words and Ed25519 signatures have one form, made by this side. */
const isSame = (one, other) => Buffer.compare(encode(channelProof, one), encode(channelProof, other)) === 0;
function stop({ number }, code, message) {
    return {
        records: [{ type: 'purchaseStopped', number, reason: code }],
        talk: [{ type: 'stop', code, message: message.slice(0, 160) }],
        stopped: `${code}: ${message}`,
    };
}
//# sourceMappingURL=payer.js.map