/** What is over is dropped whenever there are so many more. */
const SWEEP_ENTRIES = 1_000;
export class Running {
    #clock;
    #sold = new Map();
    #sweepAt = SWEEP_ENTRIES;
    #newest;
    constructor(clock) {
        this.#clock = clock;
    }
    /** The chain's newest block is of this time. */
    tip(time) {
        // An estimate that is ahead runs on: time is never set back by a block.
        const nowMs = this.#estimate();
        if (nowMs === undefined || time > nowMs)
            this.#newest = { time, atMs: this.#clock.monotonic() };
    }
    /** Milliseconds since 1970. */
    now() {
        return this.#clock.synchronised() ? this.#clock.now() : (this.#estimate() ?? this.#clock.now());
    }
    /** Entries, what is over since a while not counted. */
    get size() {
        return this.#sold.size;
    }
    /** An item, for whoever buys it: outputs are on for everybody, topics open for their buyers. */
    of({ kind, name }, buyer) {
        return this.#get(keyOf(kind, name, buyer));
    }
    output(name) {
        return this.#get(keyOf('on', name, ''));
    }
    /** What is sold now, by a receipt of just now. */
    sell(item, buyer, until) {
        this.#set(item, buyer, { until, endsMs: this.#clock.monotonic() + until - this.now() });
    }
    /** What a receipt on the ledger or on its way there says. */
    restore(item, buyer, until) {
        this.#set(item, buyer, { until, endsMs: undefined });
    }
    #set({ kind, name }, buyer, sold) {
        const key = keyOf(kind, name, buyer);
        const before = this.#sold.get(key);
        if (before !== undefined && before.until >= sold.until)
            return;
        this.#sold.set(key, sold);
        if (this.#sold.size < this.#sweepAt)
            return;
        for (const each of [...this.#sold.keys()])
            if (this.#get(each).remainingMs === 0)
                this.#sold.delete(each);
        this.#sweepAt = this.#sold.size + SWEEP_ENTRIES;
    }
    #get(key) {
        const sold = this.#sold.get(key);
        if (sold === undefined)
            return { remainingMs: 0, until: 0 };
        const { until, endsMs } = sold;
        const ms = endsMs === undefined ? until - this.now() : endsMs - this.#clock.monotonic();
        return { remainingMs: Math.max(0, ms), until };
    }
    #estimate() {
        const newest = this.#newest;
        return newest === undefined ? undefined : newest.time + this.#clock.monotonic() - newest.atMs;
    }
}
const keyOf = (kind, name, buyer) => kind === 'on' ? `on ${name}` : `topic ${name} ${buyer}`;
//# sourceMappingURL=running.js.map