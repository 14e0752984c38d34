/**
 * A lasting session with a broker: connects, logs in, subscribes again, and comes back for ever with backoff.
 *
 * Invariants: every connection starts clean; all remembered filters are subscribed and the birth message is published
 * before `onConnected`; messages are handed on one at a time from a bounded queue; `publish` never keeps a message for
 * later, its callers have outboxes of their own. Source: MQTT 3.1.1, docs/PROTOCOL.md section 7.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { MESSAGE_BYTES_MAX } from '../schemas/message.js';
import { invariant } from '../schemas/result.js';
import { createBackoff } from './backoff.js';
import { credentialsFor, refusalText } from './broker-login.js';
import { openConnection } from './connection.js';
import { WorldError } from './error.js';
import { Inbox } from './inbox.js';
import { within } from './within.js';
export const SESSION_DEFAULTS = {
    keepaliveSeconds: 30,
    connectTimeoutMs: 10_000,
    /** How long to wait for the broker's challenge. */
    loginTimeoutMs: 3_000,
    /** A PUBACK or SUBACK that takes longer ends the connection. */
    ackTimeoutMs: 30_000,
    backoff: { baseMs: 500, capMs: 60_000, stableMs: 60_000 },
    /** Messages that wait for `onMessage`. */
    inboxBytesMax: 8 * MESSAGE_BYTES_MAX,
};
const SUBSCRIPTIONS_MAX = 256;
/** How long the last publication may take when stopping. */
const FAREWELL_TIMEOUT_MS = 1_000;
/** How long a running `onMessage` may take when stopping. */
const HANDLER_TIMEOUT_MS = 500;
const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];
export function createSession(options, modules) {
    return new BrokerSession(options, modules);
}
class BrokerSession {
    #options;
    #modules;
    #inbox;
    #filters = new Set();
    #stopping = new AbortController();
    #connection;
    #ready = false;
    #challenged = false;
    #stopped = false;
    #running;
    /** Connections in a row that the broker closed soon and without a word. */
    #shortLived = 0;
    constructor(options, modules) {
        this.#options = { ...SESSION_DEFAULTS, ...options };
        this.#modules = modules;
        this.#inbox = new Inbox(this.#options.inboxBytesMax, {
            handle: modules.onMessage,
            onDropped: modules.onDropped,
            onFault: modules.onFault,
        });
    }
    get connected() {
        return this.#ready;
    }
    get challenged() {
        return this.#challenged;
    }
    start() {
        invariant(this.#running === undefined, 'a session starts once');
        checkUrl(this.#options.url);
        this.#running = this.#run();
    }
    async stop() {
        this.#stopped = true;
        const connection = this.#connection;
        const farewell = this.#ready ? this.#options.farewell : undefined;
        if (connection !== undefined && farewell !== undefined) {
            const last = farewell();
            const published = connection.publish(last.topic, last.payload, { qos: 1, retain: last.retain });
            if (!(await within(FAREWELL_TIMEOUT_MS, published))) {
                this.#modules.log.warn('the broker did not take our farewell', { topic: last.topic });
            }
        }
        await connection?.end();
        this.#stopping.abort();
        await this.#running;
        await within(HANDLER_TIMEOUT_MS, this.#inbox.close());
    }
    async publish(topic, payload, options) {
        if (!this.#ready || this.#connection === undefined)
            return false;
        return this.#connection.publish(topic, payload, options);
    }
    subscribe(filters) {
        const added = filters.filter((filter) => !this.#filters.has(filter));
        for (const filter of added)
            this.#filters.add(filter);
        invariant(this.#filters.size <= SUBSCRIPTIONS_MAX, 'more filters than a session remembers');
        if (this.#connection !== undefined)
            void this.#subscribeNow(this.#connection, added);
    }
    async #run() {
        const { signal } = this.#stopping;
        const backoff = createBackoff(this.#options.backoff, this.#modules.random);
        while (!this.#stopped) {
            const { reason, upMs } = await this.#once();
            if (this.#stopped)
                return;
            const retryInMs = backoff.next(upMs);
            this.#guarded(() => this.#modules.onDisconnected(reason, retryInMs));
            await sleep(retryInMs, undefined, { signal }).catch(() => {
                // Only the abort can end it early, and the loop looks at that itself.
            });
        }
    }
    /** One connection, from the login to its end. */
    async #once() {
        const { signal } = this.#stopping;
        const transport = {
            url: this.#options.url,
            ca: this.#options.ca,
            keepaliveSeconds: this.#options.keepaliveSeconds,
            connectTimeoutMs: this.#options.connectTimeoutMs,
            ackTimeoutMs: this.#options.ackTimeoutMs,
        };
        const login = await credentialsFor(this.#options, transport, randomId(this.#modules.random), signal);
        if (!login.ok)
            return { reason: login.fault.message, upMs: 0 };
        const credentials = login.value;
        this.#challenged = credentials.proof;
        if (this.#options.signer !== undefined && !credentials.proof) {
            this.#modules.log.debug('the broker has no challenge, logging in as to any other broker');
        }
        const opened = await openConnection({
            ...transport,
            clientId: credentials.clientId,
            username: credentials.username,
            password: credentials.password,
            will: this.#options.will,
        }, {
            onMessage: (topic, payload, retain) => this.#inbox.push({ topic, payload, retain }),
            onOversize: (bytes) => this.#inbox.drop(bytes),
            signal,
        });
        if (!opened.ok) {
            const { fault } = opened;
            if (fault.code === 'unreachable')
                return { reason: fault.message, upMs: 0 };
            return { reason: this.#refused(fault.returnCode, credentials), upMs: 0 };
        }
        const since = this.#modules.now();
        const ending = await this.#live(opened.value);
        const upMs = this.#modules.now() - since;
        return { reason: this.#explain(ending, upMs), upMs };
    }
    async #live(connection) {
        this.#connection = connection;
        const filters = [...this.#filters];
        let up = filters.length === 0 || (await this.#subscribeNow(connection, filters));
        const birth = this.#options.birth === undefined ? undefined : this.#guarded(this.#options.birth);
        if (up && birth !== undefined) {
            up = await connection.publish(birth.topic, birth.payload, { qos: 1, retain: birth.retain });
        }
        if (up) {
            this.#ready = true;
            this.#guarded(() => this.#modules.onConnected());
        }
        const ending = await connection.closed;
        this.#ready = false;
        this.#connection = undefined;
        return ending;
    }
    /** False when the connection ended before the broker answered. */
    async #subscribeNow(connection, filters) {
        const refused = await connection.subscribe(filters, 1);
        for (const filter of refused ?? []) {
            this.#modules.log.warn('the broker refused a subscription; check what this account may read', {
                filter,
            });
        }
        return refused !== undefined;
    }
    #refused(returnCode, credentials) {
        const reason = refusalText(returnCode, credentials);
        this.#modules.log.warn('login refused', { returnCode, reason });
        return reason;
    }
    /** MQTT 3.1.1 closes a session that another one took over without saying why; a pattern of it is all we see. */
    #explain({ byBroker, message }, upMs) {
        this.#shortLived = byBroker && upMs < this.#options.backoff.stableMs ? this.#shortLived + 1 : 0;
        if (this.#shortLived < 2)
            return message;
        return `${message} again; another program may be logged in with the same account and client id, or this one did what the broker does not allow`;
    }
    #guarded(callback) {
        try {
            return callback();
        }
        catch (error) {
            this.#modules.onFault(error);
            return undefined;
        }
    }
}
function checkUrl(url) {
    if (!URL.canParse(url)) {
        throw new WorldError('config', `broker address "${url}" is not a URL; expected such as mqtt://192.168.1.10:1883`);
    }
    const { protocol, username, password, host } = new URL(url);
    if (username !== '' || password !== '') {
        throw new WorldError('config', `put the user name and password of broker ${host} into their own fields, not into the URL`);
    }
    if (!PROTOCOLS.includes(protocol)) {
        throw new WorldError('config', `broker address "${url}" starts with "${protocol}"; expected mqtt:, mqtts:, ws: or wss:`);
    }
}
const randomId = (random) => Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('');
//# sourceMappingURL=session.js.map