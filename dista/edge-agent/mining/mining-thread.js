import { GENERATION, SHARED_BYTES, sharedViews } from './thread.js';
/** A worker that hears of its end takes a millisecond; one that does not hear is ended. */
const STOP_MS_MAX = 500;
export class MiningThread {
    #modules;
    #memory = new SharedArrayBuffer(SHARED_BYTES);
    #shared = sharedViews(this.#memory);
    #worker;
    #last;
    #restart;
    #stopped = false;
    constructor(modules) {
        this.#modules = modules;
    }
    /** Hashes so far, those of earlier workers included. */
    get hashes() {
        return Number(Atomics.load(this.#shared.hashes, 0));
    }
    start() {
        const startedMs = performance.now();
        const worker = this.#modules.spawn(this.#memory);
        let cause = 'it ended without being told to';
        worker.on('message', (report) => this.#modules.onReport(report));
        worker.on('error', (error) => {
            cause = error instanceof Error ? error.message : String(error);
        });
        worker.on('exit', () => {
            this.#worker = undefined;
            if (this.#stopped)
                return;
            const waitMs = this.#modules.backoff.next(performance.now() - startedMs);
            this.#modules.onDeath(cause, waitMs);
            this.#restart = setTimeout(() => this.start(), waitMs);
        });
        this.#worker = worker;
        if (this.#last !== undefined)
            this.#send(this.#last);
    }
    order(order) {
        this.#last = order;
        this.#send(order);
    }
    async stop() {
        this.#stopped = true;
        clearTimeout(this.#restart);
        const worker = this.#worker;
        if (worker === undefined)
            return;
        const exited = new Promise((resolve) => worker.once('exit', resolve));
        const timer = setTimeout(() => worker.terminate(), STOP_MS_MAX);
        this.#send({ sentAtNs: process.hrtime.bigint(), stop: true });
        await exited;
        clearTimeout(timer);
    }
    /** Message first, then the count: who sees the new count finds the message. */
    #send(order) {
        this.#worker?.postMessage(order);
        Atomics.add(this.#shared.generation, GENERATION, 1);
        Atomics.notify(this.#shared.generation, GENERATION);
    }
}
//# sourceMappingURL=mining-thread.js.map