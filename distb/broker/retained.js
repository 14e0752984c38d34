import { parseTopic } from '../schemas/topic.js';
import { matches } from './filter.js';
/** Bookkeeping of one message beside its topic and payload, bytes. */
const OVERHEAD_BYTES = 256;
/** Owner of what lies outside the tree of accounts: the broker's challenge. */
const BROKER = '';
export class RetainedMessages {
    #limits;
    #validators;
    #messages = new Map();
    #usage = new Map();
    #devicesBytes = 0;
    #bytes = 0;
    constructor(limits, validators) {
        this.#limits = limits;
        this.#validators = validators;
    }
    get count() {
        return this.#messages.size;
    }
    get bytes() {
        return this.#bytes;
    }
    /** What `store` would do with a payload of so many bytes; an empty one deletes and is always welcome. */
    verdict(topic, payloadBytes) {
        if (payloadBytes === 0)
            return 'store';
        const owner = ownerOf(topic);
        if (owner === BROKER)
            return 'store';
        const before = this.#messages.get(topic)?.bytes;
        const more = sizeOf(topic, payloadBytes) - (before ?? 0);
        const usage = this.#usage.get(owner) ?? { messages: 0, bytes: 0 };
        const validator = this.#validators.has(owner);
        const limits = this.#limits;
        const messagesMax = validator ? limits.retainedPerValidatorMax : limits.retainedPerDeviceMax;
        const bytesMax = validator ? limits.retainedPerValidatorBytesMax : limits.retainedPerDeviceBytesMax;
        if (usage.messages + (before === undefined ? 1 : 0) > messagesMax)
            return 'own-quota';
        if (usage.bytes + more > bytesMax)
            return 'own-quota';
        if (!validator && this.#devicesBytes + more > limits.retainedDevicesBytesMax)
            return 'devices-full';
        return 'store';
    }
    /** Keeps the message, replaces or (empty payload) deletes; does nothing beyond a quota. */
    store(packet) {
        const { topic } = packet;
        if (this.verdict(topic, packet.payload.length) !== 'store')
            return;
        const before = this.#messages.get(topic);
        if (before !== undefined) {
            this.#messages.delete(topic);
            this.#account(before.owner, -1, -before.bytes);
        }
        if (packet.payload.length === 0)
            return;
        const owner = ownerOf(topic);
        const bytes = sizeOf(topic, packet.payload.length);
        // A copy: the parser's payload is a view that keeps its whole network buffer alive.
        this.#messages.set(topic, {
            packet: { ...packet, payload: Buffer.from(packet.payload) },
            owner,
            bytes,
        });
        this.#account(owner, 1, bytes);
    }
    /** The retained messages that a filter matches. */
    *matching(filter) {
        if (!/[+#]/.test(filter)) {
            const one = this.#messages.get(filter);
            if (one !== undefined)
                yield one.packet;
            return;
        }
        for (const [topic, { packet }] of this.#messages)
            if (matches(filter, topic))
                yield packet;
    }
    #account(owner, messages, bytes) {
        const usage = this.#usage.get(owner) ?? { messages: 0, bytes: 0 };
        usage.messages += messages;
        usage.bytes += bytes;
        if (usage.messages === 0)
            this.#usage.delete(owner);
        else
            this.#usage.set(owner, usage);
        this.#bytes += bytes;
        if (owner !== BROKER && !this.#validators.has(owner))
            this.#devicesBytes += bytes;
    }
}
const ownerOf = (topic) => parseTopic(topic)?.publisher ?? BROKER;
const sizeOf = (topic, payloadBytes) => topic.length + payloadBytes + OVERHEAD_BYTES;
//# sourceMappingURL=retained.js.map