const TELL_EVERY_MS = 60_000;
export class Withheld {
    #log;
    #now;
    counts = new Map();
    #told = new Map();
    #toldMs;
    /** `now`: milliseconds, of which only differences count. */
    constructor(log, now) {
        this.#log = log;
        this.#now = now;
        this.#toldMs = now() - TELL_EVERY_MS;
    }
    count(reason) {
        this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    }
    /** One line for what has come since the last one, if it is time. */
    tell() {
        if (this.#now() - this.#toldMs < TELL_EVERY_MS)
            return;
        for (const [reason, count] of this.counts) {
            const messages = count - (this.#told.get(reason) ?? 0);
            if (messages === 0)
                continue;
            this.#log.info('withheld from subscribers', { reason, messages });
            this.#toldMs = this.#now();
        }
        this.#told = new Map(this.counts);
    }
}
//# sourceMappingURL=withheld.js.map