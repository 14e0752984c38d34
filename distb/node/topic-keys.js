import { decode, encode } from '../schemas/codec.js';
import { fromHex, toHex } from '../schemas/hex.js';
import { accept, invariant, refuse } from '../schemas/result.js';
import { EPOCH_MS, epochAt, epochKeys, KEY_MESSAGE_BYTES_MAX, keyMessage, PAID_MESSAGE_BYTES_MAX, paidMessage, soldReading, } from '../schemas/sealed.js';
import { SIGNATURE_BYTES } from '../schemas/transaction.js';
import { openBox, sealFor } from './key-agreement.js';
import { accountSecret, deriveKey, open, seal } from './sealed.js';
import { hashing, signatures } from './signing.js';
const fault = (code, message) => refuse({ code, message });
const utf8 = (text) => new TextEncoder().encode(text);
/** A seller's side: its secret stays inside. */
export class TopicSeller {
    #network;
    #signer;
    #secret;
    #random;
    /** The last key of each sensor. */
    #keys = new Map();
    constructor(network, signer, random) {
        this.#network = network;
        this.#signer = signer;
        this.#secret = accountSecret(signer, 'topic');
        this.#random = random;
    }
    /** The payload on `paid/` of a reading. */
    seal(sample, nowMs) {
        const epoch = epochAt(nowMs);
        const body = encode(soldReading, { sale: 1, sample, signature: new Uint8Array(SIGNATURE_BYTES) });
        body.set(this.#signer.sign(readingMessage(this.#network, body)), body.length - SIGNATURE_BYTES);
        const sealed = seal(this.#key(sample.sensor, epoch), body, undefined, this.#random);
        return encode(paidMessage, { epoch, sealed });
    }
    /**
     * Answers who asks and has paid until `untilMs`: the keys of this epoch and, if it is paid for, of the next one. Undefined
     * when the public key is none.
     */
    answer(ask, nowMs, untilMs) {
        const epoch = epochAt(nowMs);
        const paid = [epoch, epoch + 1].filter((each) => each * EPOCH_MS < untilMs);
        const keys = paid.map((each) => ({ epoch: each, key: this.#derive(ask.sensor, each) }));
        const { seller, buyer, sensor, publicKey } = ask;
        const text = encode(epochKeys, { keys });
        const box = sealFor(publicKey, text, boxContext(this.#network, seller, sensor), this.#random);
        if (box === undefined)
            return undefined;
        const unsigned = { type: 'keys', seller, buyer, sensor, publicKey, box };
        return signKeyMessage(this.#network, this.#signer, unsigned);
    }
    #key(sensor, epoch) {
        const last = this.#keys.get(sensor);
        if (last?.epoch === epoch)
            return last.key;
        const key = this.#derive(sensor, epoch);
        this.#keys.set(sensor, { epoch, key });
        return key;
    }
    #derive(sensor, epoch) {
        const genesis = fromHex(this.#network.genesisHash);
        return deriveKey(this.#secret, genesis, 'epoch', utf8(`/${sensor}/${epoch}`));
    }
}
/** A buyer's question, for the pair whose public key it names. */
export function askForKeys(network, signer, seller, sensor, pair) {
    const { publicKey } = pair;
    return signKeyMessage(network, signer, { type: 'ask', seller, buyer: signer.account, sensor, publicKey });
}
/** The keys in an answer that `readKeyMessage` took, if it is one to `pair`'s question. */
export function openKeys(network, answer, pair) {
    if (toHex(answer.publicKey) !== toHex(pair.publicKey))
        return fault('not-for-us', 'publicKey: of another question');
    const text = openBox(pair, answer.box, boxContext(network, answer.seller, answer.sensor));
    if (text === undefined)
        return fault('not-opened', 'box: not made for our question');
    const decoded = decode(epochKeys, text, text.length);
    return decoded.ok ? accept(decoded.value.keys) : refuse(decoded.fault);
}
/** The reading in a payload on `paid/<seller>/<sensor>`; `keyOf` gives the key of an epoch, if we have it. */
export function openReading(network, seller, sensor, payload, keyOf) {
    const message = decode(paidMessage, payload, PAID_MESSAGE_BYTES_MAX);
    if (!message.ok)
        return refuse(message.fault);
    const { epoch, sealed } = message.value;
    const key = keyOf(epoch);
    if (key === undefined)
        return fault('no-key', `epoch: no key of ${epoch}`);
    const body = open(key, sealed);
    if (body === undefined)
        return fault('not-opened', `sealed: not under the key of epoch ${epoch}`);
    const decoded = decode(soldReading, body, body.length);
    if (!decoded.ok)
        return refuse(decoded.fault);
    const { sample, signature } = decoded.value;
    if (sample.sensor !== sensor)
        return fault('not-for-us', `sensor: ${sample.sensor} on the topic of ${sensor}`);
    if (!signatures.verify(signature, readingMessage(network, body), seller))
        return fault('bad-signature', `signature: not ${seller}'s`);
    return accept(sample);
}
/** Signs a message for `key/`. */
export function signKeyMessage(network, signer, unsigned) {
    const { account } = signer;
    invariant(account === (unsigned.type === 'ask' ? unsigned.buyer : unsigned.seller), 'we sign what is ours');
    const bytes = encode(keyMessage, { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) });
    bytes.set(signer.sign(keyDigest(network, bytes)), bytes.length - SIGNATURE_BYTES);
    return bytes;
}
/** A message from `key/<from>/<to>`, if it is signed by the one and meant for the other. */
export function readKeyMessage(network, from, to, bytes) {
    const decoded = decode(keyMessage, bytes, KEY_MESSAGE_BYTES_MAX);
    if (!decoded.ok)
        return refuse(decoded.fault);
    const message = decoded.value;
    const [sender, addressee] = message.type === 'ask' ? [message.buyer, message.seller] : [message.seller, message.buyer];
    if (sender !== from || addressee !== to)
        return fault('not-for-us', `${message.type}: from ${sender} for ${addressee}, on the topic of ${from} for ${to}`);
    if (!signatures.isAccount(from) || !signatures.verify(message.signature, keyDigest(network, bytes), from))
        return fault('bad-signature', `signature: not ${from}'s`);
    return accept(message);
}
const keyDigest = (network, bytes) => hashing.tagged('key', fromHex(network.genesisHash), bytes.subarray(0, -SIGNATURE_BYTES));
const readingMessage = (network, body) => hashing.tagged('delivery', fromHex(network.genesisHash), body.subarray(0, -SIGNATURE_BYTES));
const boxContext = (network, seller, sensor) => Buffer.concat([fromHex(network.genesisHash), fromHex(seller), utf8(sensor)]);
//# sourceMappingURL=topic-keys.js.map