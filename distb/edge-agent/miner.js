/**
 * The miner: gives one job at a time to worker threads, which search disjoint ranges of nonces.
 *
 * A new job or a pause interrupts hashing within a few milliseconds; the delays are measured and kept in a bounded
 * ring. After a find all threads rest until the next job, so that a job is found at most once. A thread that dies is
 * started again with backoff.
 */
import { Worker } from 'node:worker_threads';
import { createBackoff } from '../node/backoff.js';
import { HEADER_BYTES } from '../schemas/block.js';
import { invariant } from '../schemas/result.js';
import { createDelayRing } from './mining/delay-ring.js';
import { MiningThread } from './mining/mining-thread.js';
export const MINER_DEFAULTS = {
    threads: 1,
    duty: 0.25,
    sliceMs: 10,
    restart: { baseMs: 200, capMs: 30_000, stableMs: 60_000 },
};
const THREADS_MAX = 64;
/** Delays kept for the percentiles. */
const DELAYS_MAX = 1024;
/** The hash rate is a mean over at least this long. */
const RATE_WINDOW_MS = 1000;
/** As compiled: the compiler does not rewrite names inside `new URL`. */
const workerUrl = new URL('./mining/worker.js', import.meta.url);
const spawnWorker = (data) => new Worker(workerUrl, { workerData: data });
export class Miner {
    #options;
    #modules;
    #delays = createDelayRing(DELAYS_MAX);
    #threads = [];
    /** Number of the current job, counted up; finds name it. */
    #number = 0;
    #current;
    #previous;
    #restarts = 0;
    #rate = { atMs: 0, hashes: 0, perSecond: 0 };
    constructor(options, modules) {
        invariant(options.threads >= 1 && options.threads <= THREADS_MAX, `1 to ${THREADS_MAX} threads`);
        invariant(options.duty >= 0 && options.duty <= 1, 'a duty is 0 to 1');
        this.#options = options;
        this.#modules = modules;
    }
    /** Starts the threads, which rest until the first job. */
    start() {
        const { threads, duty, sliceMs, restart } = this.#options;
        const { log, random, spawn = spawnWorker } = this.#modules;
        this.#rate = { atMs: performance.now(), hashes: 0, perSecond: 0 };
        if (duty === 0)
            return;
        this.#threads = Array.from({ length: threads }, (_, index) => new MiningThread({
            spawn: (memory) => spawn({ memory, duty, sliceMs }),
            backoff: createBackoff(restart, random),
            onReport: (report) => report.type === 'found'
                ? this.#found(report.job, report.header)
                : this.#delays.add(report.delayMs),
            onDeath: (cause, waitMs) => {
                this.#restarts++;
                log.warn('mining thread died', { thread: index, cause, restartMs: waitMs });
            },
        }));
        for (const thread of this.#threads)
            thread.start();
    }
    /** Replaces the current job. */
    mine(job) {
        invariant(job.header.length === HEADER_BYTES, `a header has ${HEADER_BYTES} bytes`);
        const sentAtNs = process.hrtime.bigint();
        this.#previous = this.#current;
        this.#current = job;
        this.#number++;
        const range = 2n ** 64n / BigInt(this.#options.threads);
        const start = this.#modules.nonceStart();
        for (const [index, thread] of this.#threads.entries()) {
            const nonceStart = BigInt.asUintN(64, start + BigInt(index) * range);
            thread.order({ sentAtNs, job: { number: this.#number, ...job, nonceStart } });
        }
    }
    /** Rests until the next job. */
    pause() {
        const sentAtNs = process.hrtime.bigint();
        this.#previous = undefined;
        this.#current = undefined;
        for (const thread of this.#threads)
            thread.order({ sentAtNs });
    }
    stats() {
        const hashes = this.#threads.reduce((sum, thread) => sum + thread.hashes, 0);
        const nowMs = performance.now();
        const elapsedMs = nowMs - this.#rate.atMs;
        if (elapsedMs >= RATE_WINDOW_MS) {
            this.#rate = { atMs: nowMs, hashes, perSecond: ((hashes - this.#rate.hashes) / elapsedMs) * 1000 };
        }
        return {
            hashes,
            hashesPerSecond: this.#rate.perSecond,
            interruptMsP50: this.#delays.quantile(0.5),
            interruptMsP95: this.#delays.quantile(0.95),
            interruptMsMax: this.#delays.max(),
            restarts: this.#restarts,
        };
    }
    /** Ends all threads. May be called twice. */
    async stop() {
        this.#current = undefined;
        this.#previous = undefined;
        await Promise.all(this.#threads.map((thread) => thread.stop()));
    }
    #found(number, header) {
        // A thread may find a nonce in the instant in which its job is replaced; an older find than that is not possible
        // to hand over, and one of a job that another thread has found is void.
        const job = number === this.#number ? this.#current : number === this.#number - 1 ? this.#previous : undefined;
        if (job === undefined)
            return;
        if (number === this.#number)
            this.pause();
        else
            this.#previous = undefined;
        this.#modules.onFound(header, job);
    }
}
//# sourceMappingURL=miner.js.map