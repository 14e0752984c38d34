import { CHANNEL_MESSAGE_BYTES_MAX, CONVERSATION_BYTES, channelMessage, channelTalk, } from '../../schemas/channel-message.js';
import { decode, encode } from '../../schemas/codec.js';
import { fromHex, toHex } from '../../schemas/hex.js';
import { SIGNATURE_BYTES } from '../../schemas/transaction.js';
import { conversationKeys, createKeyPair } from '../key-agreement.js';
import { open, seal } from '../sealed.js';
/** Welcomes of hellos whose keys were not used yet. */
const PENDING_MAX = 4;
const NO_SIGNATURE = new Uint8Array(SIGNATURE_BYTES);
/** The 32 bytes that the author of a hello or welcome signs. */
const handshake = ({ genesisHash, hashing }, message) => hashing.tagged('key', fromHex(genesisHash), encode(channelMessage, message).subarray(0, -SIGNATURE_BYTES));
/** Whether a hello or welcome is this account's. */
export function isSigned({ network, accepts }, message, by) {
    try {
        return accepts(message.signature, handshake(network, message), by);
    }
    catch {
        // Not even a key.
        return false;
    }
}
function signed({ network, signer }, message) {
    return { ...message, signature: new Uint8Array(signer.sign(handshake(network, message))) };
}
/** One pair of keys, agreed. */
export class Conversation {
    #channel;
    #id;
    #keys;
    #random;
    constructor(channel, id, keys, random) {
        this.#channel = channel;
        this.#id = id;
        this.#keys = keys;
        this.#random = random;
    }
    /** Undefined when the other's key is none to agree with. */
    static agree({ network, random }, channel, own, theirs, side) {
        const both = side === 'buyer' ? [own.publicKey, theirs] : [theirs, own.publicKey];
        const context = Buffer.concat([fromHex(network.genesisHash), fromHex(channel)]);
        const keys = conversationKeys(own, theirs, context);
        const id = network.hashing.plain(Buffer.concat(both)).slice(0, CONVERSATION_BYTES);
        return keys === undefined ? undefined : new Conversation(channel, id, keys, random);
    }
    /** Names it in messages. */
    get id() {
        return toHex(this.#id);
    }
    /** The whole message on the topic. */
    seal(talk) {
        const box = seal(this.#keys.send, encode(channelTalk, talk), undefined, this.#random);
        return encode(channelMessage, { type: 'sealed', channel: this.#channel, conversation: this.#id, box });
    }
    /** Undefined for what the other side did not seal under these keys. */
    open({ box }) {
        const text = open(this.#keys.receive, box);
        const talk = text === undefined ? undefined : decode(channelTalk, text, CHANNEL_MESSAGE_BYTES_MAX);
        return talk?.ok ? talk.value : undefined;
    }
}
/** The seller's end of one channel. */
export class SellerEnd {
    #modules;
    #channel;
    #buyer;
    #active;
    /** By the hello's key, the oldest first. */
    #pending = new Map();
    constructor(modules, channel, buyer) {
        this.#modules = modules;
        this.#channel = channel;
        this.#buyer = buyer;
    }
    get active() {
        return this.#active;
    }
    /** The answer to a hello; undefined when it is not the buyer's. */
    hello(hello) {
        const known = this.#pending.get(toHex(hello.publicKey));
        if (known !== undefined)
            return known.welcome;
        if (!isSigned(this.#modules, hello, this.#buyer))
            return undefined;
        const pair = createKeyPair(this.#modules.random);
        const conversation = Conversation.agree(this.#modules, this.#channel, pair, hello.publicKey, 'seller');
        if (conversation === undefined)
            return undefined;
        const fields = { channel: this.#channel, hello: hello.publicKey, publicKey: pair.publicKey };
        const draft = { type: 'welcome', ...fields, signature: NO_SIGNATURE };
        const welcome = encode(channelMessage, signed(this.#modules, draft));
        this.#pending.set(toHex(hello.publicKey), { welcome, conversation });
        for (const oldest of this.#pending.keys()) {
            if (this.#pending.size <= PENDING_MAX)
                break;
            this.#pending.delete(oldest);
        }
        return welcome;
    }
    /** What the buyer says; the keys that it says it under are the ones that count from now on. */
    open(message) {
        const id = toHex(message.conversation);
        if (this.#active?.id === id)
            return this.#active.open(message);
        for (const [key, { conversation }] of this.#pending) {
            if (conversation.id !== id)
                continue;
            const talk = conversation.open(message);
            if (talk === undefined)
                return undefined;
            this.#pending.delete(key);
            this.#active = conversation;
            return talk;
        }
        return undefined;
    }
}
/** The buyer's end of one channel. */
export class BuyerEnd {
    #modules;
    #channel;
    #seller;
    /** Of the last hello, until it is welcome. */
    #pair;
    #active;
    constructor(modules, channel, seller) {
        this.#modules = modules;
        this.#channel = channel;
        this.#seller = seller;
    }
    get active() {
        return this.#active;
    }
    /** A hello with a fresh key. What was agreed before goes on until it is welcome. */
    hello() {
        this.#pair = createKeyPair(this.#modules.random);
        const fields = { channel: this.#channel, publicKey: this.#pair.publicKey };
        return encode(channelMessage, signed(this.#modules, { type: 'hello', ...fields, signature: NO_SIGNATURE }));
    }
    /** True when new keys are agreed. */
    welcome(welcome) {
        const pair = this.#pair;
        if (pair === undefined || toHex(pair.publicKey) !== toHex(welcome.hello))
            return false;
        if (!isSigned(this.#modules, welcome, this.#seller))
            return false;
        const conversation = Conversation.agree(this.#modules, this.#channel, pair, welcome.publicKey, 'buyer');
        if (conversation === undefined)
            return false;
        this.#active = conversation;
        this.#pair = undefined;
        return true;
    }
    open(message) {
        return this.#active?.id === toHex(message.conversation) ? this.#active.open(message) : undefined;
    }
}
//# sourceMappingURL=conversation.js.map