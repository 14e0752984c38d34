/**
 * The main thread's end of one mining thread: passes on orders and reports, and starts the thread again when it dies.
 *
 * A restarted thread gets the last order. Orders are never queued here: the worker's port holds at most those of the
 * few milliseconds in which it does not look.
 */
import type { Worker } from 'node:worker_threads'
import type { Backoff } from '../../node/backoff.ts'
import { GENERATION, type Order, type Report, SHARED_BYTES, sharedViews } from './thread.ts'

/** A worker that hears of its end takes a millisecond; one that does not hear is ended. */
const STOP_MS_MAX = 500

export interface MiningThreadModules {
  readonly spawn: (memory: SharedArrayBuffer) => Worker
  readonly backoff: Backoff
  readonly onReport: (report: Report) => void
  /** `waitMs`: until it is started again. */
  readonly onDeath: (cause: string, waitMs: number) => void
}

export class MiningThread {
  readonly #modules: MiningThreadModules
  readonly #memory = new SharedArrayBuffer(SHARED_BYTES)
  readonly #shared = sharedViews(this.#memory)
  #worker: Worker | undefined
  #last: Order | undefined
  #restart: NodeJS.Timeout | undefined
  #stopped = false

  constructor(modules: MiningThreadModules) {
    this.#modules = modules
  }

  /** Hashes so far, those of earlier workers included. */
  get hashes(): number {
    return Number(Atomics.load(this.#shared.hashes, 0))
  }

  start(): void {
    const startedMs = performance.now()
    const worker = this.#modules.spawn(this.#memory)
    let cause = 'it ended without being told to'
    worker.on('message', (report: Report) => this.#modules.onReport(report))
    worker.on('error', (error) => {
      cause = error instanceof Error ? error.message : String(error)
    })
    worker.on('exit', () => {
      this.#worker = undefined
      if (this.#stopped) return
      const waitMs = this.#modules.backoff.next(performance.now() - startedMs)
      this.#modules.onDeath(cause, waitMs)
      this.#restart = setTimeout(() => this.start(), waitMs)
    })
    this.#worker = worker
    if (this.#last !== undefined) this.#send(this.#last)
  }

  order(order: Order): void {
    this.#last = order
    this.#send(order)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#restart)
    const worker = this.#worker
    if (worker === undefined) return
    const exited = new Promise((resolve) => worker.once('exit', resolve))
    const timer = setTimeout(() => worker.terminate(), STOP_MS_MAX)
    this.#send({ sentAtNs: process.hrtime.bigint(), stop: true })
    await exited
    clearTimeout(timer)
  }

  /** Message first, then the count: who sees the new count finds the message. */
  #send(order: Order): void {
    this.#worker?.postMessage(order)
    Atomics.add(this.#shared.generation, GENERATION, 1)
    Atomics.notify(this.#shared.generation, GENERATION)
  }
}
