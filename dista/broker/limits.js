/**
 * Every bound of the broker in one table, with units; `createBroker` takes a partial one over these defaults.
 *
 * They are generous for a bench of Pis and keep a broker with 1 GB of memory alive under hostile clients: at most
 * `outgoingTotalBytesMax + receivingBytesMax`, the retained quotas and the offline queues, about 300 MB in all.
 */
import { MESSAGE_BYTES_MAX } from '../schemas/message.js';
const MIB = 1 << 20;
export const LIMITS = {
    /** Sockets at once, and of these from one remote address. */
    connectionsMax: 1000,
    connectionsPerAddressMax: 256,
    /** From accept to a complete CONNECT. */
    connectMsMax: 5000,
    /** Largest keepalive that a client may ask for; 0 (never) is refused, so every dead socket is noticed. */
    keepaliveSecondsMax: 1200,
    /** Largest frame before the login succeeded. */
    connectBytesMax: 4096,
    /** Largest SUBSCRIBE or UNSUBSCRIBE, and largest frame of somebody who may not publish. */
    controlBytesMax: 16_384,
    /** Largest PUBLISH: a payload, a topic of the tree and framing. */
    messageBytesMax: MESSAGE_BYTES_MAX + 512,
    /** Incomplete frames of all connections together. */
    receivingBytesMax: 64 * MIB,
    /** Bytes that one client has not read yet; more than all retained messages, which a `#` gets at once. */
    outgoingBytesMax: 64 * MIB,
    /** The same for all clients together: the one that is furthest behind is cut off. */
    outgoingTotalBytesMax: 128 * MIB,
    /** A client that takes nothing of what waits for it is cut off after this time. */
    stallMsMax: 10_000,
    /** Aedes' own bound for a write that waits, behind ours. */
    drainMsMax: 5000,
    clientIdBytesMax: 128,
    /** Filters of one client, and SUBSCRIBE entries of one client in a minute: each walks the retained messages. */
    filtersMax: 100,
    subscribesPerMinuteMax: 600,
    /** QoS 2 messages of one client that wait for its PUBREL. */
    inflightMax: 100,
    /** Persistent sessions (clean session 0), of these one account's, and how long one stays after its client left. */
    sessionsMax: 256,
    sessionsPerAccountMax: 4,
    sessionMsMax: 3_600_000,
    /** Messages and bytes that wait in one persistent session; newer ones are delivered live only. */
    queueMessagesMax: 1000,
    queueBytesMax: 1 * MIB,
    /** Messages and bytes of all persistent sessions' queues together. */
    queueTotalBytesMax: 32 * MIB,
    /** Retained messages of one device, of all devices, of one validator. */
    retainedPerDeviceMax: 256,
    retainedPerDeviceBytesMax: MIB / 4,
    retainedDevicesBytesMax: 8 * MIB,
    retainedPerValidatorMax: 32_768,
    retainedPerValidatorBytesMax: 16 * MIB,
    /** Grants that are believed of one validator: a buyer for a paid topic is one. Each takes some 300 bytes of memory. */
    grantsPerValidatorMax: 16_384,
    /** Wrong signatures from one address before it is refused unseen until the minute is over; each costs some ms. */
    loginFailuresPerMinuteMax: 300,
    /** Life of a challenge, and of one that somebody has logged in with. Twice this long a signature is accepted. */
    challengeMs: 60_000,
    challengeUsedMs: 3000,
    /** Logins that one challenge takes. */
    loginsPerChallengeMax: 10_000,
};
//# sourceMappingURL=limits.js.map