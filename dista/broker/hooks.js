import { ANONYMOUS, mayPublish, maySubscribe } from './access.js';
import { Connection } from './connection.js';
import { looksOwned } from './login.js';
export class Hooks {
    #modules;
    #known = new WeakMap();
    #present = new Map();
    constructor(modules) {
        this.#modules = modules;
    }
    /** Clients that are logged in. */
    get clients() {
        return this.#present.size;
    }
    /** Whether this client was granted this filter. */
    granted(client, filter) {
        return this.#known.get(client)?.filters.has(filter) === true;
    }
    /** The hooks in Aedes' form. */
    options() {
        return {
            preConnect: (client, packet, done) => {
                const fine = this.#guarded('preConnect', client, () => this.#preConnect(client, packet));
                done(fine === true ? null : new Error('refused'), fine === true);
            },
            authenticate: (client, username, password, done) => {
                const refusal = this.#guarded('authenticate', client, () => this.#authenticate(client, username, password));
                if (refusal === undefined)
                    return done(null, true);
                const { reason, returnCode } = refusal === 'threw' ? OUR_FAULT : refusal;
                this.#refuse(client, reason, {});
                done(Object.assign(new Error(reason), { returnCode }), false);
            },
            authorizePublish: (client, packet, done) => {
                const reason = this.#guarded('authorizePublish', client, () => this.#authorizePublish(client, packet));
                if (reason === undefined)
                    return done(null);
                this.#refuse(client, reason, { topic: packet.topic });
                done(new Error(reason));
            },
            authorizeSubscribe: (client, subscription, done) => {
                const { topic } = subscription;
                const reason = this.#guarded('authorizeSubscribe', client, () => this.#authorizeSubscribe(client, topic));
                if (reason === undefined)
                    return done(null, subscription);
                this.#refuse(client, reason, { filter: topic });
                done(null, null); // 0x80 in SUBACK
            },
            // The one question before each way to a client: live, retained, and from the queue of its session.
            authorizeForward: (client, packet) => (this.#mayForward(client, packet.topic) ? packet : null),
        };
    }
    /** Follows who is there. */
    watch(aedes) {
        const { sessions, log } = this.#modules;
        aedes.on('client', (client) => {
            const known = this.#known.get(client);
            if (known === undefined)
                return;
            this.#present.set(client.id, known);
            if (!client.clean)
                sessions.arrive(client.id);
            const { identity, address } = known;
            log.debug('client connected', { client: client.id, address, as: identity.kind });
        });
        aedes.on('clientDisconnect', (client) => {
            if (this.#present.get(client.id) === this.#known.get(client))
                this.#present.delete(client.id);
            if (!client.clean)
                sessions.leave(client.id);
            log.debug('client gone', { client: client.id });
        });
        aedes.on('unsubscribe', (filters, client) => {
            for (const filter of filters)
                this.#known.get(client)?.filters.delete(filter);
        });
        const failed = (client, error) => {
            const reason = AEDES_REASONS[error.message];
            if (reason === undefined)
                log.debug('client failed', { client: client.id ?? undefined, error: error.message });
            else
                this.#refuse(client, reason, {});
        };
        aedes.on('clientError', failed);
        aedes.on('connectionError', failed);
    }
    #preConnect(client, packet) {
        const { conn } = client;
        const address = conn instanceof Connection ? conn.address : 'unknown';
        if (conn instanceof Connection)
            conn.clientId = packet.clientId;
        // Only accounts have sessions that outlive a connection, and only so many: others start clean and see so in
        // CONNACK's session present flag [MQTT-3.2.2-3].
        const { username } = packet;
        if (username === undefined || !this.#modules.sessions.mayOpen(packet.clientId, username))
            packet.clean = true;
        const since = this.#modules.now();
        this.#known.set(client, {
            connect: packet,
            address,
            identity: ANONYMOUS,
            filters: new Set(),
            subscribesSince: since,
            subscribes: 0,
        });
        return true;
    }
    #authenticate(client, username, password) {
        const known = this.#known.get(client);
        if (known === undefined)
            return OUR_FAULT;
        const { connect, address } = known;
        const { clientId } = connect;
        if (username === undefined) {
            if (looksOwned(clientId))
                return { reason: 'foreign-client-id', returnCode: 2 };
            // A client id is all that an anonymous client is: somebody elsewhere must not end its connection with it.
            const holder = this.#present.get(clientId);
            if (holder !== undefined && (holder.identity.kind !== 'anonymous' || holder.address !== address))
                return { reason: 'client-id-in-use', returnCode: 2 };
        }
        else {
            const login = this.#modules.login.verify({ username, password, clientId, address });
            if (!login.ok)
                return { reason: login.fault.code, returnCode: login.fault.returnCode };
            const kind = this.#modules.validators.has(login.value) ? 'validator' : 'device';
            known.identity = { kind, account: login.value };
            if (connect.clean !== true)
                this.#modules.sessions.open(clientId, login.value);
        }
        const will = connect.will;
        if (will !== undefined) {
            const verdict = mayPublish(known.identity, will.topic, will.retain === true);
            if (!verdict.ok)
                return { reason: `will-${verdict.fault.code}`, returnCode: 5 };
        }
        if (client.conn instanceof Connection)
            client.conn.admit(known.identity.kind !== 'anonymous');
        return undefined;
    }
    #authorizePublish(client, packet) {
        const identity = (client === null ? undefined : this.#known.get(client))?.identity ?? ANONYMOUS;
        const verdict = mayPublish(identity, packet.topic, packet.retain);
        if (!verdict.ok)
            return verdict.fault.code;
        const reason = packet.retain ? this.#authorizeRetained(client, packet) : undefined;
        if (reason === undefined)
            this.#hear(client, verdict.value, packet);
        return reason;
    }
    #authorizeRetained(client, packet) {
        const room = this.#modules.retained.verdict(packet.topic, packet.payload.length);
        if (room === 'own-quota')
            return 'retained-quota';
        // Others filled the room: not this device's fault, so its message goes on, live only.
        if (room === 'devices-full') {
            packet.retain = false;
            this.#refuse(client, 'retained-full', { topic: packet.topic });
        }
        return undefined;
    }
    /** Takes in what a validator says of who has paid, and of the time. */
    #hear(client, topic, { payload }) {
        const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
        const refusal = this.#modules.grants.hear(topic, bytes);
        // The message itself goes on: a validator that is newer than we are is not cut off for it.
        if (refusal !== undefined)
            this.#refuse(client, refusal, {});
    }
    #mayForward(client, topic) {
        try {
            const identity = this.#known.get(client)?.identity;
            const account = identity === undefined || identity.kind === 'anonymous' ? undefined : identity.account;
            const reason = this.#modules.readers.withheld(topic, account);
            if (reason !== undefined)
                this.#modules.withheld.count(reason);
            return reason === undefined;
        }
        catch (error) {
            this.#failed('authorizeForward', client, error);
            return false;
        }
    }
    #authorizeSubscribe(client, filter) {
        const known = this.#known.get(client);
        const { limits, now } = this.#modules;
        if (known === undefined)
            return 'internal';
        if (now() - known.subscribesSince >= 60_000) {
            known.subscribesSince = now();
            known.subscribes = 0;
        }
        known.subscribes += 1;
        if (known.subscribes > limits.subscribesPerMinuteMax)
            return 'subscribe-rate';
        const verdict = maySubscribe(filter);
        if (!verdict.ok)
            return verdict.fault.code;
        if (!known.filters.has(filter) && known.filters.size >= limits.filtersMax)
            return 'too-many-filters';
        known.filters.add(filter);
        return undefined;
    }
    #guarded(hook, client, decide) {
        try {
            return decide();
        }
        catch (error) {
            this.#failed(hook, client, error);
            return 'threw';
        }
    }
    #failed(hook, client, error) {
        this.#modules.log.error('hook failed', { hook, client: client?.id ?? undefined, error: String(error) });
    }
    #refuse(client, reason, facts) {
        const address = (client === null ? undefined : this.#known.get(client))?.address;
        this.#modules.refusals.refuse(reason, { client: client?.id ?? undefined, address, ...facts });
    }
}
const OUR_FAULT = { reason: 'internal', returnCode: 3 };
/** Aedes' own refusals, by the text of its errors. */
const AEDES_REASONS = {
    'keep alive limit exceeded': 'keepalive-limit',
    'keep alive timeout': 'keepalive-timeout',
    'connect did not arrive in time': 'connect-timeout',
    'drain timeout': 'stalled-reader',
};
//# sourceMappingURL=hooks.js.map