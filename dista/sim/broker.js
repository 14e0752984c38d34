import { SimSession } from './session.js';
export const FAIR = { delayMs: [5, 60], loss: 0, repeat: 0, reorder: 0 };
/** Retained messages of a broker. */
const RETAINED_MAX = 10_000;
export class SimBroker {
    scheduler;
    random;
    weather = FAIR;
    /** The side of the partition that a client is on; all on 0 when there is none. */
    #side = new Map();
    #retained = new Map([[0, new Map()]]);
    #routes = new Map();
    #sessions = new Set();
    #sideOf = () => 0;
    #up = true;
    messages = 0;
    constructor(scheduler, random) {
        this.scheduler = scheduler;
        this.random = random;
    }
    /** A session of client `name`, which dies with `alive`. */
    open(name, options, modules, isAlive) {
        return new SimSession(this, { name, options, modules, isAlive });
    }
    get up() {
        return this.#up;
    }
    attach(session) {
        this.#sessions.add(session);
        this.#side.set(session, this.#sideOf(session.name));
        this.#routes.clear();
        for (const [topic, { payload }] of this.#retainedOf(session))
            if (session.takes(topic.split('/')))
                this.#deliver(session, topic, payload, true);
    }
    /** The client is gone without a word: its will is published. */
    lose(session) {
        if (!this.#sessions.delete(session))
            return;
        this.#routes.clear();
        const { will } = session;
        if (will !== undefined)
            this.publish(session, will.topic, will.payload, will.retain);
    }
    publish(from, topic, payload, retain) {
        const side = this.#side.get(from) ?? 0;
        if (retain) {
            const kept = this.#retained.get(side);
            if (payload.length === 0)
                kept?.delete(topic);
            else if (kept !== undefined && kept.size < RETAINED_MAX)
                kept.set(topic, { payload, atMs: this.scheduler.nowMs });
        }
        for (const session of this.#routesOf(topic))
            if (this.#side.get(session) === side)
                this.#deliver(session, topic, payload, false);
    }
    /** Each client on its side; sides that were apart come together again. */
    partition(sideOf) {
        const before = new Map([...this.#retained.values()].flatMap((kept) => [...kept].map(([topic, value]) => [topic, value])));
        for (const kept of this.#retained.values())
            for (const [topic, value] of kept)
                if (value.atMs >= (before.get(topic)?.atMs ?? 0))
                    before.set(topic, value);
        this.#sideOf = sideOf;
        this.#retained.clear();
        for (const session of this.#sessions)
            this.#side.set(session, sideOf(session.name));
        for (const side of new Set([0, ...this.#side.values()]))
            this.#retained.set(side, new Map(before));
    }
    /** All connections end; with `forget` what was retained is gone. */
    stop(forget) {
        this.#up = false;
        if (forget)
            for (const kept of this.#retained.values())
                kept.clear();
        for (const session of [...this.#sessions]) {
            this.#sessions.delete(session);
            session.cut('the broker stopped');
        }
        this.#routes.clear();
    }
    start() {
        this.#up = true;
    }
    routesChanged() {
        this.#routes.clear();
    }
    #retainedOf(session) {
        const side = this.#side.get(session) ?? 0;
        const kept = this.#retained.get(side) ?? new Map();
        this.#retained.set(side, kept);
        return kept;
    }
    #routesOf(topic) {
        let routes = this.#routes.get(topic);
        if (routes === undefined) {
            const levels = topic.split('/');
            routes = [...this.#sessions].filter((session) => session.takes(levels));
            if (this.#routes.size > 5_000)
                this.#routes.clear();
            this.#routes.set(topic, routes);
        }
        return routes;
    }
    #deliver(session, topic, payload, retain) {
        const { delayMs, loss, repeat, reorder } = this.weather;
        const { random } = this;
        if (loss > 0 && random.chance(loss))
            return;
        const copies = repeat > 0 && random.chance(repeat) ? 2 : 1;
        for (let copy = 0; copy < copies; copy++) {
            const delay = random.between(delayMs[0], delayMs[1]);
            const inOrder = !(reorder > 0 && random.chance(reorder));
            this.messages++;
            session.deliver({ topic, payload, retain }, delay, inOrder);
        }
    }
}
//# sourceMappingURL=broker.js.map