export class Scheduler {
    #heap = [];
    #nowMs = 0;
    #order = 0;
    #events = 0;
    #unsettled = false;
    /** Milliseconds since the run began. */
    get nowMs() {
        return this.#nowMs;
    }
    /** Events that have run. */
    get events() {
        return this.#events;
    }
    at(timeMs, run) {
        const event = { timeMs: Math.max(timeMs, this.#nowMs), order: this.#order++, run };
        this.#push(event);
        return () => {
            event.run = undefined;
        };
    }
    after(delayMs, run) {
        return this.at(this.#nowMs + delayMs, run);
    }
    /** The running event has settled a promise, or may have: what waits for it runs before the next event. */
    settle() {
        this.#unsettled = true;
    }
    /** Runs what is due until `timeMs`, or until `isOver`. */
    async run(timeMs, isOver) {
        for (let next = this.#heap[0]; next !== undefined && next.timeMs <= timeMs; next = this.#heap[0]) {
            this.#pop();
            if (next.run === undefined)
                continue;
            this.#nowMs = next.timeMs;
            this.#events++;
            next.run();
            if (this.#unsettled) {
                this.#unsettled = false;
                await new Promise(setImmediate);
            }
            if (isOver())
                return;
        }
        this.#nowMs = Math.max(this.#nowMs, timeMs);
    }
    #push(event) {
        const heap = this.#heap;
        let at = heap.push(event) - 1;
        while (at > 0) {
            const up = (at - 1) >> 1;
            if (!isBefore(event, heap[up]))
                break;
            heap[at] = heap[up];
            at = up;
        }
        heap[at] = event;
    }
    #pop() {
        const heap = this.#heap;
        const last = heap.pop();
        if (heap.length === 0)
            return;
        let at = 0;
        for (;;) {
            let down = 2 * at + 1;
            if (down >= heap.length)
                break;
            if (down + 1 < heap.length && isBefore(heap[down + 1], heap[down]))
                down++;
            if (!isBefore(heap[down], last))
                break;
            heap[at] = heap[down];
            at = down;
        }
        heap[at] = last;
    }
}
const isBefore = (a, b) => a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order);
//# sourceMappingURL=scheduler.js.map