/**
 * Offers: signed by the seller for one network and a stated time, so that whoever carries them cannot change them.
 *
 * What a check cannot know: whether the seller has made a newer offer since. So an offer is short-lived, and the price is
 * settled by the seller when the payment comes. Source: docs/PROTOCOL.md section 8.
 */
import { decode, encode } from '../schemas/codec.js';
import { fromHex, short } from '../schemas/hex.js';
import { OFFER_BYTES_MAX, offer as offerCodec } from '../schemas/offer.js';
import { accept, refuse } from '../schemas/result.js';
import { SIGNATURE_BYTES } from '../schemas/transaction.js';
/** An offer is good for so long at most: a seller that has vanished is not offered for ever. */
export const OFFER_MS_MAX = 86_400_000;
/** How far ahead of ours a seller's clock may be. */
export const OFFER_AHEAD_MS_MAX = 300_000;
/** What is signed: 32 bytes over the network's genesis hash and all but the signature. */
const messageOf = ({ hashing, genesisHash }, bytes) => hashing.tagged('offer', fromHex(genesisHash), bytes.subarray(0, -SIGNATURE_BYTES));
/** A signed offer and its bytes. */
export function signOffer(network, unsigned, sign) {
    const body = { ...unsigned, network: network.id };
    const bytes = encode(offerCodec, { ...body, signature: new Uint8Array(SIGNATURE_BYTES) });
    bytes.set(sign(messageOf(network, bytes)), bytes.length - SIGNATURE_BYTES);
    return { offer: { ...body, signature: bytes.slice(-SIGNATURE_BYTES) }, bytes };
}
/** The offer that stood on `publisher`'s topic, if it is one of this network, its own, whole, and good at `nowMs`. */
export function checkOffer(network, bytes, publisher, nowMs) {
    const no = (code, message) => refuse({ code, message });
    const decoded = decode(offerCodec, bytes, OFFER_BYTES_MAX);
    if (!decoded.ok) {
        const { field, message } = decoded.fault;
        return no('bad-encoding', field === '' ? message : `${field}: ${message}`);
    }
    const { value } = decoded;
    if (value.network !== network.id)
        return no('wrong-network', `network: expected ${network.id}, got ${value.network}`);
    if (value.from !== publisher)
        return no('foreign-name', `from: ${short(publisher)} offers in the name of ${short(value.from)}`);
    const misfit = misfitOf(value);
    if (misfit !== undefined)
        return no('bad-offer', misfit);
    // Everybody can sign for a key of small order.
    const { signatures } = network;
    if (!signatures.isAccount(publisher) ||
        !signatures.verify(value.signature, messageOf(network, bytes), publisher))
        return no('bad-signature', `signature: not ${short(publisher)}'s over this offer`);
    const aheadMs = value.time - nowMs;
    if (aheadMs > OFFER_AHEAD_MS_MAX)
        return no('early', `time: ${aheadMs} ms ahead, at most ${OFFER_AHEAD_MS_MAX}; check both clocks`);
    if (nowMs >= value.until)
        return no('stale', `until: over since ${nowMs - value.until} ms`);
    return accept(value);
}
/** What is wrong in an offer whatever the time. */
function misfitOf({ time, until, items }) {
    if (until <= time || until - time > OFFER_MS_MAX)
        return `until: 1 to ${OFFER_MS_MAX} ms after time, got ${until - time}`;
    const seen = new Set();
    for (const [index, item] of items.entries()) {
        const key = `${item.type} ${item.name}`;
        if (seen.has(key))
            return `items.${index}.name: ${key} stands twice`;
        seen.add(key);
        const wrong = misfitIn(item);
        if (wrong !== undefined)
            return `items.${index}.${wrong}`;
    }
    return undefined;
}
function misfitIn(item) {
    if (item.price < 1)
        return 'price: at least 1';
    if (item.confirmations < 1)
        return 'confirmations: at least 1';
    if (!('secondsMin' in item))
        return undefined;
    if (item.secondsMin < 1)
        return 'secondsMin: at least 1';
    return item.secondsMax < item.secondsMin ? 'secondsMax: at least secondsMin' : undefined;
}
//# sourceMappingURL=offer.js.map