/**
 * The miner: gives one job at a time to worker threads, which search disjoint ranges of nonces.
 *
 * A new job or a pause interrupts hashing within a few milliseconds; the delays are measured and kept in a bounded
 * ring. After a find all threads rest until the next job, so that a job is found at most once. A thread that dies is
 * started again with backoff.
 */
import { Worker } from 'node:worker_threads'
import { type BackoffOptions, createBackoff } from '../node/backoff.ts'
import type { Log } from '../node/log.ts'
import { HEADER_BYTES } from '../schemas/block.ts'
import { invariant } from '../schemas/result.ts'
import { createDelayRing } from './mining/delay-ring.ts'
import { MiningThread } from './mining/mining-thread.ts'
import type { WorkerData } from './mining/thread.ts'

/** What to mine: the miner fills in the nonce only, so a fresh time is a new job. */
export interface Job {
  /** Encoded header; its nonce is ignored. */
  readonly header: Uint8Array
  readonly target: bigint
}

export interface MinerOptions {
  /** Worker threads, 1 to 64. */
  readonly threads: number
  /** Fraction of one core that each thread uses, 0 (mines nothing) to 1. */
  readonly duty: number
  /** Milliseconds of hashing between two sleeps. */
  readonly sliceMs: number
  /** Delays between restarts of a thread that dies. */
  readonly restart: BackoffOptions
}

export const MINER_DEFAULTS: MinerOptions = {
  threads: 1,
  duty: 0.25,
  sliceMs: 10,
  restart: { baseMs: 200, capMs: 30_000, stableMs: 60_000 },
}

const THREADS_MAX = 64
/** Share of an agent's hashing that goes to the slow hand of its network's clock. */
export const SLOW_SHARE = 0.2
/** Delays kept for the percentiles. */
const DELAYS_MAX = 1024
/** The hash rate is a mean over at least this long. */
const RATE_WINDOW_MS = 1000

export interface MinerModules {
  readonly log: Log
  /** A find: the encoded header with its nonce, and the job that it belongs to, which may just have been replaced. */
  readonly onFound: (header: Uint8Array, job: Job) => void
  /** First nonce of a job, 0 to 2^64 - 1: random, so that two miners of one account do not repeat each other. */
  readonly nonceStart: () => bigint
  /** Uniform in [0, 1), for the backoff. */
  readonly random: () => number
  /** Starts a worker thread; tests put one in its place that dies. */
  readonly spawn?: (data: WorkerData) => Worker
}

export interface MinerStats {
  /** Hashes since the start. */
  readonly hashes: number
  /** Mean of the last second or more, over all threads. */
  readonly hashesPerSecond: number
  /** From `mine` or `pause` to the last hash on the old job; undefined until there was one. */
  readonly interruptMsP50: number | undefined
  readonly interruptMsP95: number | undefined
  /** Largest of all, not only of those that the percentiles are over. */
  readonly interruptMsMax: number | undefined
  readonly restarts: number
}

/** As compiled: the compiler does not rewrite names inside `new URL`. */
const workerUrl = new URL('./mining/worker.js', import.meta.url)
const spawnWorker = (data: WorkerData): Worker => new Worker(workerUrl, { workerData: data })

export class Miner {
  readonly #options: MinerOptions
  readonly #modules: MinerModules
  readonly #delays = createDelayRing(DELAYS_MAX)
  #threads: readonly MiningThread[] = []
  /** Number of the current job, counted up; finds name it. */
  #number = 0
  #current: Job | undefined
  #previous: Job | undefined
  #restarts = 0
  #rate = { atMs: 0, hashes: 0, perSecond: 0 }

  constructor(options: MinerOptions, modules: MinerModules) {
    invariant(options.threads >= 1 && options.threads <= THREADS_MAX, `1 to ${THREADS_MAX} threads`)
    invariant(options.duty >= 0 && options.duty <= 1, 'a duty is 0 to 1')
    this.#options = options
    this.#modules = modules
  }

  /** Starts the threads, which rest until the first job. */
  start(): void {
    const { threads, duty, sliceMs, restart } = this.#options
    const { log, random, spawn = spawnWorker } = this.#modules
    this.#rate = { atMs: performance.now(), hashes: 0, perSecond: 0 }
    if (duty === 0) return
    this.#threads = Array.from(
      { length: threads },
      (_, index) =>
        new MiningThread({
          spawn: (memory) => spawn({ memory, duty, sliceMs }),
          backoff: createBackoff(restart, random),
          onReport: (report) =>
            report.type === 'found'
              ? this.#found(report.job, report.header)
              : this.#delays.add(report.delayMs),
          onDeath: (cause, waitMs) => {
            this.#restarts++
            log.warn('mining thread died', { thread: index, cause, restartMs: waitMs })
          },
        }),
    )
    for (const thread of this.#threads) thread.start()
  }

  /** Replaces the current job. */
  mine(job: Job): void {
    invariant(job.header.length === HEADER_BYTES, `a header has ${HEADER_BYTES} bytes`)
    const sentAtNs = process.hrtime.bigint()
    this.#previous = this.#current
    this.#current = job
    this.#number++
    const range = 2n ** 64n / BigInt(this.#options.threads)
    const start = this.#modules.nonceStart()
    for (const [index, thread] of this.#threads.entries()) {
      const nonceStart = BigInt.asUintN(64, start + BigInt(index) * range)
      thread.order({ sentAtNs, job: { number: this.#number, ...job, nonceStart } })
    }
  }

  /** Rests until the next job. */
  pause(): void {
    const sentAtNs = process.hrtime.bigint()
    this.#previous = undefined
    this.#current = undefined
    for (const thread of this.#threads) thread.order({ sentAtNs })
  }

  stats(): MinerStats {
    const hashes = this.#threads.reduce((sum, thread) => sum + thread.hashes, 0)
    const nowMs = performance.now()
    const elapsedMs = nowMs - this.#rate.atMs
    if (elapsedMs >= RATE_WINDOW_MS) {
      this.#rate = { atMs: nowMs, hashes, perSecond: ((hashes - this.#rate.hashes) / elapsedMs) * 1000 }
    }
    return {
      hashes,
      hashesPerSecond: this.#rate.perSecond,
      interruptMsP50: this.#delays.quantile(0.5),
      interruptMsP95: this.#delays.quantile(0.95),
      interruptMsMax: this.#delays.max(),
      restarts: this.#restarts,
    }
  }

  /** Ends all threads. May be called twice. */
  async stop(): Promise<void> {
    this.#current = undefined
    this.#previous = undefined
    await Promise.all(this.#threads.map((thread) => thread.stop()))
  }

  #found(number: number, header: Uint8Array): void {
    // A thread may find a nonce in the instant in which its job is replaced; an older find than that is not possible
    // to hand over, and one of a job that another thread has found is void.
    const job =
      number === this.#number ? this.#current : number === this.#number - 1 ? this.#previous : undefined
    if (job === undefined) return
    if (number === this.#number) this.pause()
    else this.#previous = undefined
    this.#modules.onFound(header, job)
  }
}
