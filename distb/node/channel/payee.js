import { signDelivery } from './delivery.js';
import { checkPayment } from './proof.js';
const NOTHING = { records: [], talk: [] };
const refusal = (code, message) => ({ code, message });
/** Whether the payer has wished to close, or the end is as near as if it had. */
export const isClosing = ({ closing, delay }, height) => closing - height <= delay;
/** Why reading number `index` is not delivered on a channel; undefined when it may be. */
export function whyNot({ place, terms }, price, index) {
    const { entry, confirmations, height, isCurrent } = place;
    if (entry === undefined)
        return refusal('closing', 'the channel is not on the ledger');
    if (terms === undefined)
        return refusal('not-for-sale', 'the sensor is not sold by reading');
    if (entry.delay < terms.delayMin)
        return refusal('delay', `the channel's delay is ${entry.delay} blocks, at least ${terms.delayMin} are wanted`);
    if (price < terms.perReading || (entry.step > 0 && price !== entry.step))
        return refusal('price', `a reading costs ${Math.max(terms.perReading, entry.step)}, not ${price}`);
    if (isClosing(entry, height))
        return refusal('closing', `anybody may close it from height ${entry.closing} on`);
    if (index * price > entry.amount)
        return refusal('used-up', `${entry.amount} pays for ${Math.floor(entry.amount / price)} readings`);
    if (!isCurrent)
        return refusal('not-current', 'the seller does not know where the ledger stands');
    if (confirmations < terms.confirmations)
        return refusal('not-confirmed', `${terms.confirmations} confirmations are wanted, it has ${confirmations}`);
    return undefined;
}
/** The buyer says where it stands. `sale`: undefined before the first time. */
export function onResume(world, channel, sale, { sensor, price, every, last, index, proof: [proof] }) {
    const { entry } = world.place;
    if (entry === undefined)
        return stopped(refusal('closing', 'the channel is not on the ledger'));
    if (price < 1)
        return stopped(refusal('price', 'a price is at least 1'));
    if (sale !== undefined && (sale.sensor !== sensor || sale.price !== price))
        return stopped(refusal('price', `this channel buys ${sale.sensor} at ${sale.price}`));
    if (sale?.stopped !== undefined)
        return stopped(refusal('bad-proof', `this sale has ended: ${sale.stopped}`));
    const records = [];
    const known = sale?.index ?? 0;
    const reason = whyNot(world, price, known + 1);
    // A proof is money, also from who gets no reading for now.
    const isNews = proof !== undefined && index > known;
    if (sale === undefined && reason !== undefined && !isNews)
        return stopped(reason);
    if (sale === undefined)
        records.push({ type: 'agreed', channel, buyer: entry.from, sensor, price });
    if (isNews) {
        const claimed = { channel, entry, price, best: sale?.proof };
        const fault = checkPayment(world.network, world.accepts, claimed, index, proof);
        if (fault !== undefined)
            return ends(channel, records, fault);
        records.push({ type: 'proven', channel, index, proof });
    }
    const best = isNews ? proof : sale?.proof;
    const standing = { sensor, price, every, last, index: isNews ? index : known };
    const talk = [{ type: 'resume', ...standing, proof: best === undefined ? [] : [best] }];
    const next = isNews ? whyNot(world, price, index + 1) : reason;
    if (next !== undefined)
        return { records, talk: [...talk, { type: 'stop', ...next }], refusal: next };
    if (!isNews && sale?.pending !== undefined)
        talk.push(deliver(world, sale, sale.pending));
    return { records, talk };
}
/** The buyer pays for what was delivered, or says again that it has. */
export function onPayment(world, sale, { index, proof }) {
    const { entry } = world.place;
    const { channel, price } = sale;
    if (entry === undefined || sale.stopped !== undefined || index <= sale.index)
        return NOTHING;
    if (sale.pending === undefined || index !== sale.index + 1)
        return ends(channel, [], `reading ${index} is paid, ${sale.index} were delivered and paid`, 'bad-index');
    const claimed = { channel, entry, price, best: sale.proof };
    const fault = checkPayment(world.network, world.accepts, claimed, index, proof);
    if (fault !== undefined)
        return ends(channel, [], fault);
    return { records: [{ type: 'proven', channel, index, proof }], talk: [] };
}
/** The sensor has said something. Nothing happens while the reading before it is not paid. */
export function onSample(world, sale, sample) {
    if (sale.stopped !== undefined || sale.pending !== undefined)
        return NOTHING;
    if (sale.sequence !== undefined && sample.sequence <= sale.sequence)
        return NOTHING;
    const index = sale.index + 1;
    const reason = whyNot(world, sale.price, index);
    if (reason !== undefined)
        return stopped(reason);
    const { channel } = sale;
    return { records: [{ type: 'delivered', channel, index, sample }], talk: [deliver(world, sale, sample)] };
}
/** What was delivered and is not paid, once more: it or its payment may have been lost. */
export const again = (world, sale) => sale.stopped !== undefined || sale.pending === undefined
    ? NOTHING
    : { records: [], talk: [deliver(world, sale, sale.pending)] };
function deliver({ network, signer }, sale, sample) {
    const index = sale.index + 1;
    return signDelivery(network, signer, { channel: sale.channel, index, due: index * sale.price, sample });
}
const stopped = (reason) => ({
    records: [],
    talk: [{ type: 'stop', ...reason }],
    refusal: reason,
});
/** The buyer is wrong or lies: what it has proven until now is all that this sale will bring. */
function ends(channel, records, message, code = 'bad-proof') {
    const { talk, ...rest } = stopped(refusal(code, message));
    return { ...rest, talk, records: [...records, { type: 'saleStopped', channel, reason: code }] };
}
//# sourceMappingURL=payee.js.map