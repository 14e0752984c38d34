/** Waits before it connects (again), milliseconds. */
const CONNECT_MS = [200, 3_000];
export class SimSession {
    name;
    #broker;
    #given;
    #filters = new Map();
    #connected = false;
    #stopped = false;
    #lastMs = 0;
    constructor(broker, given) {
        this.name = given.name;
        this.#broker = broker;
        this.#given = given;
    }
    get connected() {
        return this.#connected && this.#given.isAlive();
    }
    challenged = false;
    get will() {
        return this.#given.options.will;
    }
    start() {
        this.#connectSoon();
    }
    async stop() {
        this.#stopped = true;
        this.drop();
    }
    /** Takes the session off the broker, as when its process dies. */
    drop() {
        this.#connected = false;
        this.#broker.lose(this);
    }
    /** The connection ends. */
    cut(reason) {
        if (!this.#connected)
            return;
        this.#connected = false;
        this.#given.modules.onDisconnected(reason, CONNECT_MS[1]);
        this.#connectSoon();
    }
    subscribe(filters) {
        for (const filter of filters)
            this.#filters.set(filter, filter.split('/'));
        this.#broker.routesChanged();
    }
    async publish(topic, payload, { retain }) {
        this.#broker.scheduler.settle();
        if (!this.connected)
            return false;
        // Nobody in a simulation reads what is for people.
        if (!topic.endsWith('/json'))
            this.#broker.publish(this, topic, payload, retain);
        return true;
    }
    /** Whether one of its filters matches a topic, given by its levels; the nodes' filters have no `#`. */
    takes(levels) {
        for (const filter of this.#filters.values())
            if (filter.length === levels.length &&
                filter.every((wanted, at) => wanted === '+' || wanted === levels[at]))
                return true;
        return false;
    }
    deliver(message, delayMs, inOrder) {
        const { scheduler } = this.#broker;
        const dueMs = scheduler.nowMs + delayMs;
        const atMs = inOrder ? Math.max(dueMs, this.#lastMs) : dueMs;
        if (inOrder)
            this.#lastMs = atMs;
        scheduler.at(atMs, () => {
            if (!this.connected)
                return;
            if (message.topic.includes('/re'))
                scheduler.settle();
            try {
                void this.#given.modules.onMessage(message);
            }
            catch (error) {
                this.#given.modules.onFault(error);
            }
        });
    }
    #connectSoon() {
        const { scheduler, random } = this.#broker;
        scheduler.after(random.between(...CONNECT_MS), () => {
            if (this.#stopped || this.#connected || !this.#given.isAlive())
                return;
            if (!this.#broker.up) {
                this.#connectSoon();
                return;
            }
            scheduler.settle();
            this.#connected = true;
            this.#lastMs = scheduler.nowMs;
            this.#broker.attach(this);
            const birth = this.#given.options.birth?.();
            if (birth !== undefined)
                void this.publish(birth.topic, birth.payload, { retain: birth.retain });
            try {
                this.#given.modules.onConnected();
            }
            catch (error) {
                this.#given.modules.onFault(error);
            }
        });
    }
}
//# sourceMappingURL=session.js.map