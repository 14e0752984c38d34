/**
 * Looks at every MQTT control packet before the broker's parser sees it, with a bound on each.
 *
 * A frame is: type and flags (1 byte), remaining length (1 to 4 bytes), body. The claimed length is judged before
 * the body arrives, the body once it is complete. After CONNECT nothing is passed on until `admit`: whether the
 * client may publish decides how large its frames may be. What leaves `scan` is whole frames that are well formed.
 * Source: MQTT 3.1.1 sections 1.5, 2 and 3.
 */
import { isUtf8 } from 'node:buffer';
import { isFilter } from './filter.js';
/** Control packet types that a client sends, MQTT 3.1.1 table 2.1. */
const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;
const SUBSCRIBE = 8;
const UNSUBSCRIBE = 10;
const PINGREQ = 12;
const DISCONNECT = 14;
/** Types of exactly two bytes: a packet id. PUBACK, PUBREC, PUBREL, PUBCOMP. */
const ACKS = new Set([4, 5, PUBREL, 7]);
const CONNACK_VERSION = Uint8Array.of(0x20, 2, 0, 1);
const CONNACK_IDENTIFIER = Uint8Array.of(0x20, 2, 0, 2);
/** MQTT 5 section 3.2: reason 0x84 (unsupported protocol version), no properties. */
const CONNACK_5_VERSION = Uint8Array.of(0x20, 3, 0, 0x84, 0);
const EMPTY = Buffer.alloc(0);
const MALFORMED = { code: 'malformed-packet' };
export class FrameScanner {
    #limits;
    #phase = 'connect';
    #publishes = false;
    #chunks = [];
    #size = 0;
    /** Bytes before another look makes sense. */
    #need = 2;
    constructor(limits) {
        this.#limits = limits;
    }
    /** Bytes that wait here for the rest of their frame, or for `admit`. */
    get buffered() {
        return this.#size;
    }
    /** True from a complete CONNECT until `admit`: whoever feeds this should stop reading. */
    get held() {
        return this.#phase === 'held';
    }
    /** The login succeeded: go on with what came after CONNECT. */
    admit(publishes) {
        this.#publishes = publishes;
        this.#phase = 'open';
        return this.scan(EMPTY);
    }
    /** Takes the next bytes; after a fault nothing may follow. */
    scan(chunk) {
        if (chunk.length > 0)
            this.#chunks.push(chunk);
        this.#size += chunk.length;
        if (this.#phase === 'held' || this.#size < this.#need)
            return { frames: EMPTY };
        const bytes = this.#chunks.length === 1 ? (this.#chunks[0] ?? EMPTY) : Buffer.concat(this.#chunks);
        let start = 0;
        let fault;
        while (fault === undefined && !this.held) {
            const head = this.#head(bytes, start);
            if (typeof head === 'object') {
                fault = head;
                break;
            }
            this.#need = head;
            if (start + head > bytes.length)
                break;
            fault = this.#frame(bytes.subarray(start, start + head));
            if (fault === undefined)
                start += head;
        }
        const rest = bytes.subarray(start);
        this.#size = fault === undefined ? rest.length : 0;
        // A copy, so that a few bytes of a slow client do not keep a whole network buffer alive.
        this.#chunks = this.#size === 0 ? [] : [Buffer.from(rest)];
        if (this.held)
            this.#need = 0;
        const frames = bytes.subarray(0, start);
        return fault === undefined ? { frames } : { frames, fault };
    }
    /** Whole length of the frame at `start`, or how many bytes it takes to know, or a fault. */
    #head(bytes, start) {
        const first = bytes[start];
        // Whoever speaks another protocol (HTTP on the wrong port) need not send a whole frame to be told.
        if (this.#phase === 'connect' && first !== undefined && first >> 4 !== CONNECT)
            return { code: 'no-connect' };
        let length = 0;
        for (let index = 1; index <= 4; index++) {
            const byte = bytes[start + index];
            if (byte === undefined)
                return index + 1;
            length += (byte & 0x7f) * 128 ** (index - 1);
            if (byte < 128) {
                const total = 1 + index + length;
                const max = this.#bytesMax((first ?? 0) >> 4);
                return total > max ? { code: 'frame-too-large', bytes: total } : total;
            }
        }
        return { code: 'malformed-length' };
    }
    #bytesMax(type) {
        if (this.#phase === 'connect')
            return this.#limits.connectBytesMax;
        return type === PUBLISH && this.#publishes ? this.#limits.messageBytesMax : this.#limits.controlBytesMax;
    }
    #frame(frame) {
        const type = (frame[0] ?? 0) >> 4;
        const flags = (frame[0] ?? 0) & 15;
        if (this.#phase === 'connect')
            this.#phase = 'held';
        else if (type === CONNECT)
            return { code: 'second-connect' };
        let offset = 1;
        while ((frame[offset] ?? 0) >= 128)
            offset += 1;
        const body = new Cursor(frame.subarray(offset + 1));
        if (type === PUBLISH)
            return publishFault(flags, body);
        const required = type === PUBREL || type === SUBSCRIBE || type === UNSUBSCRIBE ? 2 : 0;
        if (flags !== required)
            return { code: 'bad-flags' };
        if (type === CONNECT)
            return connectFault(body, this.#limits);
        if (type === SUBSCRIBE || type === UNSUBSCRIBE)
            return filtersFault(body, type === SUBSCRIBE);
        if (ACKS.has(type))
            return body.left === 2 ? packetIdFault(body) : MALFORMED;
        if (type === PINGREQ || type === DISCONNECT)
            return body.left === 0 ? undefined : MALFORMED;
        return { code: 'not-for-a-client' };
    }
}
/** Reads a body field by field; undefined when it is too short. */
class Cursor {
    #body;
    #at = 0;
    constructor(body) {
        this.#body = body;
    }
    get left() {
        return this.#body.length - this.#at;
    }
    u8() {
        return this.left < 1 ? undefined : this.#body[this.#at++];
    }
    u16() {
        if (this.left < 2)
            return undefined;
        this.#at += 2;
        return this.#body.readUInt16BE(this.#at - 2);
    }
    /** Two bytes of length, then as many bytes. */
    field() {
        const length = this.u16();
        if (length === undefined || this.left < length)
            return undefined;
        this.#at += length;
        return this.#body.subarray(this.#at - length, this.#at);
    }
}
/** UTF-8 without NUL [MQTT-1.5.3-1, MQTT-1.5.3-2]. */
const isText = (bytes) => isUtf8(bytes) && !bytes.includes(0);
function packetIdFault(body) {
    const id = body.u16();
    if (id === undefined)
        return MALFORMED;
    return id === 0 ? { code: 'packet-id-zero' } : undefined; // [MQTT-2.3.1-1]
}
function publishFault(flags, body) {
    const qos = (flags >> 1) & 3;
    if (qos === 3 || (qos === 0 && flags >= 8))
        return { code: 'bad-flags' }; // [MQTT-3.3.1-4, MQTT-3.3.1-2]
    const topic = body.field();
    if (topic === undefined || topic.length === 0)
        return MALFORMED;
    if (!isText(topic))
        return { code: 'bad-text' };
    if (topic.includes('+') || topic.includes('#'))
        return { code: 'wildcard-topic' }; // [MQTT-3.3.2-2]
    return qos > 0 ? packetIdFault(body) : undefined;
}
/** SUBSCRIBE and UNSUBSCRIBE: a packet id, then at least one filter [MQTT-3.8.3-3, MQTT-3.10.3-2]. */
function filtersFault(body, withQos) {
    const fault = packetIdFault(body);
    if (fault !== undefined)
        return fault;
    do {
        const filter = body.field();
        if (filter === undefined || filter.length === 0)
            return MALFORMED;
        if (!isText(filter))
            return { code: 'bad-text' };
        // The parser behind us ends the connection for some of these and accepts others. Under a `$` name, which nobody
        // may have, exactly this filter is refused with 0x80 in SUBACK and the client's other ones work.
        if (!isFilter(filter.toString()))
            filter.fill('$');
        if (withQos && (body.u8() ?? 3) > 2)
            return MALFORMED;
    } while (body.left > 0);
    return undefined;
}
function connectFault(body, limits) {
    const protocol = body.field()?.toString('latin1');
    const level = body.u8();
    if (protocol === 'MQTT' && level === 5)
        return { code: 'mqtt-version', answer: CONNACK_5_VERSION };
    if (!(protocol === 'MQTT' && level === 4) && !(protocol === 'MQIsdp' && level === 3))
        return { code: 'mqtt-version', answer: CONNACK_VERSION }; // [MQTT-3.1.2-2]
    const flags = body.u8() ?? 1;
    const [clean, will, willQos, willRetain, password, username] = [
        (flags & 2) > 0, (flags & 4) > 0, (flags >> 3) & 3, (flags & 32) > 0, (flags & 64) > 0, (flags & 128) > 0,
    ]; // biome-ignore format: bits in their order
    if ((flags & 1) > 0 || willQos === 3 || (!will && (willQos > 0 || willRetain)) || (password && !username))
        return { code: 'bad-flags' };
    if (body.u16() === undefined)
        return MALFORMED; // keepalive
    const clientId = body.field();
    if (clientId === undefined)
        return MALFORMED;
    const texts = [clientId];
    if (will) {
        const topic = body.field();
        if (topic === undefined || body.field() === undefined)
            return MALFORMED;
        texts.push(topic);
    }
    if (username) {
        const name = body.field();
        if (name === undefined)
            return MALFORMED;
        texts.push(name);
    }
    if (password && body.field() === undefined)
        return MALFORMED;
    if (body.left > 0)
        return MALFORMED;
    if (!texts.every(isText))
        return { code: 'bad-text' };
    // A session that outlives its connection needs a name to come back with [MQTT-3.1.3-8].
    if (clientId.length > limits.clientIdBytesMax || (clientId.length === 0 && !clean))
        return { code: 'bad-client-id', answer: CONNACK_IDENTIFIER };
    return undefined;
}
//# sourceMappingURL=frame.js.map