/**
 * One MQTT connection, from CONNECT to its end; the only file that knows mqtt.js.
 *
 * mqtt.js would reconnect without jitter, queue without bound and send again on its own: all of that is off, and every
 * connection is a new client, so that nothing of one outlives it. Received frames are bounded before they are buffered.
 * What is in flight is bounded, and settles `false` when the connection ends. Source: MQTT 3.1.1.
 */
import mqtt, {} from 'mqtt';
import { MESSAGE_BYTES_MAX } from '../schemas/message.js';
import { accept, invariant, refuse } from '../schemas/result.js';
import { FrameMeter } from './frame-meter.js';
/** Frames above this end the connection; smaller ones with a payload above MESSAGE_BYTES_MAX are dropped. */
const FRAME_BYTES_MAX = 16 * MESSAGE_BYTES_MAX;
const IN_FLIGHT_MAX = 256;
const IN_FLIGHT_BYTES_MAX = 8 * MESSAGE_BYTES_MAX;
/** DISCONNECT has this long to leave before the socket is cut. */
const END_TIMEOUT_MS = 250;
/** Connects and waits for the CONNACK. */
export async function openConnection(options, modules) {
    const client = mqtt.connect(options.url, clientOptions(options));
    let ending;
    let returnCode = 0;
    const cut = (message) => {
        ending ??= { byBroker: false, message };
        client.stream.destroy();
    };
    const closed = new Promise((resolve) => {
        client.once('close', () => resolve(ending ?? { byBroker: true, message: 'the broker closed the connection' }));
    });
    const onAbort = () => cut('stopped');
    modules.signal.addEventListener('abort', onAbort);
    const connected = new Promise((resolve) => {
        client.once('connect', () => resolve(true));
        void closed.then(() => {
            modules.signal.removeEventListener('abort', onAbort);
            resolve(false);
        });
    });
    const onError = (error) => {
        if ('code' in error && typeof error.code === 'number')
            returnCode = error.code;
        cut(describe(error));
    };
    client.on('error', onError);
    // mqtt.js swallows stream errors without a code, such as those of a WebSocket.
    client.stream.on('error', onError);
    const meter = new FrameMeter(FRAME_BYTES_MAX);
    client.stream.on('data', (chunk) => {
        if (meter.exceeds(chunk))
            cut(`the broker sent a message above ${FRAME_BYTES_MAX} bytes`);
    });
    client.on('message', (topic, payload, packet) => {
        if (payload.length > MESSAGE_BYTES_MAX)
            modules.onOversize(payload.length);
        // A copy, because mqtt.js hands out windows into larger buffers, and `Buffer.slice` does not copy as codecs expect.
        else
            modules.onMessage(topic, new Uint8Array(payload), packet.retain);
    });
    if (modules.signal.aborted)
        onAbort();
    if (await connected)
        return accept(connectionOf(client, closed, cut, options));
    const { message } = await closed;
    return refuse(returnCode > 0 ? { code: 'refused', returnCode, message } : { code: 'unreachable', message });
}
function connectionOf(client, closed, cut, options) {
    const pending = new Set();
    let pendingBytes = 0;
    let over = false;
    void closed.then(() => {
        over = true;
        for (const lose of [...pending])
            lose();
    });
    /** Runs `begin`, which answers through `done`; answers `lost` when the connection ends first. */
    const inFlight = (bytes, lost, begin) => new Promise((resolve) => {
        const settle = (value) => {
            if (!pending.delete(lose))
                return;
            clearTimeout(timer);
            pendingBytes -= bytes;
            resolve(value);
        };
        const lose = () => settle(lost);
        const timer = setTimeout(() => cut(`the broker did not acknowledge within ${options.ackTimeoutMs / 1000} s`), options.ackTimeoutMs);
        pending.add(lose);
        pendingBytes += bytes;
        begin(settle);
    });
    return {
        closed,
        async publish(topic, payload, { qos, retain }) {
            invariant(payload.length <= MESSAGE_BYTES_MAX, `a message of ${payload.length} bytes, above the limit`);
            if (over || !client.connected || client.disconnecting)
                return false;
            if (pending.size >= IN_FLIGHT_MAX || pendingBytes + payload.length > IN_FLIGHT_BYTES_MAX)
                return false;
            const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
            return inFlight(payload.length, false, (done) => {
                client.publish(topic, bytes, { qos, retain }, (error) => done(!error));
            });
        },
        async subscribe(filters, qos) {
            if (filters.length === 0)
                return [];
            if (over || !client.connected || client.disconnecting)
                return undefined;
            return inFlight(0, undefined, (done) => {
                client.subscribe([...filters], { qos }, (_error, _asked, packet) => {
                    const granted = packet?.granted ?? [];
                    done(filters.filter((_, index) => Number(granted[index] ?? 0x80) >= 0x80));
                });
            });
        },
        async end() {
            // mqtt.js would wait for ever for what the broker does not acknowledge, and send no DISCONNECT.
            for (const id of Object.keys(client.outgoing))
                client.removeOutgoingMessage(Number(id));
            const timer = setTimeout(() => cut('stopped'), END_TIMEOUT_MS);
            client.end();
            await closed;
            clearTimeout(timer);
        },
    };
}
function clientOptions(options) {
    const { will } = options;
    return {
        clientId: options.clientId,
        clean: true,
        protocolVersion: 4,
        reconnectPeriod: 0,
        resubscribe: false,
        queueQoSZero: false,
        keepalive: options.keepaliveSeconds,
        connectTimeout: options.connectTimeoutMs,
        timerVariant: 'native',
        wsOptions: { maxPayload: FRAME_BYTES_MAX },
        // Its own log would show the password.
        log: () => { },
        ...(options.ca === undefined ? {} : { ca: options.ca }),
        ...(options.username === undefined ? {} : { username: options.username }),
        ...(options.password === undefined ? {} : { password: options.password }),
        ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload), qos: 1 } }),
    };
}
function describe(error) {
    const inner = error.event?.message;
    if (typeof inner === 'string' && inner !== '')
        return inner;
    // Several addresses failed: an AggregateError has no message of its own.
    if (error instanceof AggregateError)
        return error.errors.map((cause) => cause.message).join('; ');
    return error.message;
}
//# sourceMappingURL=connection.js.map