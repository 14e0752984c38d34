/**
 * What Aedes calls persistence, in memory and bounded: persistent sessions, their queues, QoS 2 packet ids, retained
 * messages.
 *
 * Aedes' own memory persistence has no bounds: it queues for sessions whose client never returns, keeps an entry for
 * every client id that ever acknowledged a message, and stores filters that it has just refused. Invariants here: a
 * session exists only after `open`; a filter is stored only when granted; a queue over its bound takes nothing new
 * (such messages are delivered live only); `#queueBytes` is the sum over all queues. Wills are the live client's and
 * are not stored. Source: the abstract persistence that aedes 1.2 calls.
 */
import { Readable } from 'node:stream';
import { matches } from './filter.js';
const MATCHES_CACHED_MAX = 4096;
const OVERHEAD_BYTES = 256;
export class Sessions {
    #limits;
    #modules;
    #sessions = new Map();
    #inflight = new Map();
    #recipients = new Map();
    #queueBytes = 0;
    constructor(limits, modules) {
        this.#limits = limits;
        this.#modules = modules;
    }
    get count() {
        return this.#sessions.size;
    }
    get queueBytes() {
        return this.#queueBytes;
    }
    /** Whether this account may have a persistent session under this client id. */
    mayOpen(clientId, account) {
        if (this.#sessions.has(clientId))
            return true;
        let own = 0;
        for (const session of this.#sessions.values())
            if (session.account === account)
                own += 1;
        return own < this.#limits.sessionsPerAccountMax && this.#sessions.size < this.#limits.sessionsMax;
    }
    /** A client that wants a persistent session has logged in; it is not there before `arrive`. */
    open(clientId, account) {
        if (this.#sessions.has(clientId))
            return;
        const leftAt = this.#modules.now();
        this.#sessions.set(clientId, { account, filters: new Map(), queue: [], bytes: 0, leftAt });
    }
    arrive(clientId) {
        const session = this.#sessions.get(clientId);
        if (session !== undefined)
            session.leftAt = undefined;
    }
    /** Its client has gone: the session waits for it `sessionMsMax`. */
    leave(clientId) {
        const session = this.#sessions.get(clientId);
        if (session !== undefined)
            session.leftAt = this.#modules.now();
    }
    /** Ends the sessions whose clients have not come back in time. */
    expire() {
        const before = this.#modules.now() - this.#limits.sessionMsMax;
        for (const [id, { leftAt }] of this.#sessions)
            if (leftAt !== undefined && leftAt <= before)
                this.#end(id);
    }
    #end(id) {
        this.#queueBytes -= this.#sessions.get(id)?.bytes ?? 0;
        this.#sessions.delete(id);
        this.#inflight.delete(id);
        this.#recipients.clear();
    }
    // From here on: what Aedes calls.
    async setup() { }
    async destroy() { }
    async storeRetained(packet) {
        this.#modules.retained.store(packet);
    }
    createRetainedStreamCombi(filters) {
        const { retained } = this.#modules;
        return Readable.from((function* () {
            for (const filter of filters)
                yield* retained.matching(filter);
        })());
    }
    async addSubscriptions(client, subscriptions) {
        const session = this.#sessions.get(client.id);
        if (session === undefined)
            return;
        for (const subscription of subscriptions) {
            if (!this.#modules.granted(client, subscription.topic))
                continue;
            session.filters.set(subscription.topic, { ...subscription });
        }
        this.#recipients.clear();
    }
    async removeSubscriptions(client, filters) {
        for (const filter of filters)
            this.#sessions.get(client.id)?.filters.delete(filter);
        this.#recipients.clear();
    }
    async subscriptionsByClient(client) {
        return [...(this.#sessions.get(client.id)?.filters.values() ?? [])];
    }
    async cleanSubscriptions(client) {
        if (this.#sessions.has(client.id))
            this.#end(client.id);
    }
    async countOffline() {
        let subsCount = 0;
        for (const { filters } of this.#sessions.values())
            subsCount += filters.size;
        return { subsCount, clientsCount: this.#sessions.size };
    }
    /** Sessions that want a topic with QoS above 0, each once with its highest. */
    async subscriptionsByTopic(topic) {
        const known = this.#recipients.get(topic);
        if (known !== undefined)
            return known;
        const found = [];
        for (const [clientId, { filters }] of this.#modules.isOpen(topic) ? this.#sessions : []) {
            let best;
            for (const [filter, { qos }] of filters)
                if (qos > (best?.qos ?? 0) && matches(filter, topic))
                    best = { clientId, topic: filter, qos };
            if (best !== undefined)
                found.push(best);
        }
        if (this.#recipients.size >= MATCHES_CACHED_MAX)
            this.#recipients.clear();
        this.#recipients.set(topic, found);
        return found;
    }
    async outgoingEnqueue(recipient, packet) {
        this.#enqueue(recipient.clientId, packet, packet.qos);
    }
    async outgoingEnqueueCombi(recipients, packet) {
        for (const { clientId, qos } of recipients)
            this.#enqueue(clientId, packet, Math.min(qos, packet.qos));
    }
    #enqueue(clientId, packet, qos) {
        const session = this.#sessions.get(clientId);
        const bytes = sizeOf(packet);
        if (session === undefined || session.queue.length >= this.#limits.queueMessagesMax)
            return;
        if (session.bytes + bytes > this.#limits.queueBytesMax)
            return;
        if (this.#queueBytes + bytes > this.#limits.queueTotalBytesMax)
            return;
        // A copy: the parser's payload is a view that keeps its whole network buffer alive. Queued is not retained.
        const payload = Buffer.from(packet.payload);
        session.queue.push({ ...packet, payload, qos, retain: false, messageId: undefined });
        this.#resize(session, bytes);
    }
    #resize(session, bytes) {
        session.bytes += bytes;
        this.#queueBytes += bytes;
    }
    /** Gives a queued message its packet id, or replaces it by its PUBREL. One that found no room goes out live only. */
    async outgoingUpdate(client, packet) {
        const session = this.#sessions.get(client.id);
        if (session === undefined)
            return;
        for (const [index, queued] of session.queue.entries()) {
            const same = packet.cmd !== 'pubrel' && queued.brokerId === packet.brokerId;
            if (same && queued.brokerCounter === packet.brokerCounter) {
                queued.messageId = packet.messageId;
                return;
            }
            if (packet.cmd !== 'pubrel' || queued.messageId !== packet.messageId)
                continue;
            const released = { ...queued, cmd: 'pubrel', payload: Buffer.alloc(0) };
            session.queue[index] = released;
            this.#resize(session, sizeOf(released) - sizeOf(queued));
            return;
        }
    }
    async outgoingClearMessageId(client, packet) {
        const session = this.#sessions.get(client.id);
        const index = session?.queue.findIndex((queued) => queued.messageId === packet.messageId) ?? -1;
        if (session === undefined || index < 0 || packet.messageId === undefined)
            return undefined;
        const [done] = session.queue.splice(index, 1);
        if (done !== undefined)
            this.#resize(session, -sizeOf(done));
        return done;
    }
    outgoingStream(client) {
        return Readable.from([...(this.#sessions.get(client.id)?.queue ?? [])]);
    }
    // QoS 2 towards us: only the packet ids matter, the message itself has gone on.
    async incomingStorePacket(client, packet) {
        const ids = this.#inflight.get(client.id) ?? new Set();
        if (packet.messageId !== undefined)
            ids.add(packet.messageId);
        this.#inflight.set(client.id, ids);
    }
    async incomingGetPacket(client, packet) {
        if (packet.messageId !== undefined && this.#inflight.get(client.id)?.has(packet.messageId))
            return packet;
        throw new Error('no such packet'); // how Aedes is told so
    }
    async incomingDelPacket(client, packet) {
        const ids = this.#inflight.get(client.id);
        if (packet.messageId !== undefined)
            ids?.delete(packet.messageId);
        if (ids?.size === 0)
            this.#inflight.delete(client.id);
    }
    async cleanIncoming(client) {
        this.#inflight.delete(client.id);
    }
    async putWill() { }
    async getWill() { }
    async delWill() { }
    streamWill() {
        return Readable.from([]);
    }
}
const sizeOf = (packet) => packet.topic.length + packet.payload.length + OVERHEAD_BYTES;
//# sourceMappingURL=sessions.js.map