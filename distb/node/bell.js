export class Bell {
    #timers;
    #waiting = new Set();
    constructor(timers) {
        this.#timers = timers;
    }
    /** Resolves after `delayMs`, or at the next ring; without a delay only then. */
    wait(delayMs = Number.POSITIVE_INFINITY) {
        return new Promise((resolve) => {
            const end = () => {
                cancel?.();
                this.#waiting.delete(end);
                resolve();
            };
            const cancel = delayMs === Number.POSITIVE_INFINITY ? undefined : this.#timers.after(delayMs, end);
            this.#waiting.add(end);
        });
    }
    ring() {
        for (const end of [...this.#waiting])
            end();
    }
}
//# sourceMappingURL=bell.js.map