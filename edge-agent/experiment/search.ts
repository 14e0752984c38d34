/**
 * Who searches nonces for one hand of an experiment: worker threads of this machine here, those of another over SSH in the cli.
 *
 * A search has one job at a time. After a find it rests until a job on another parent. A find may be one of a job that was just
 * replaced. The count of hashes is exact with one thread; with several it is by time in the moment of a find.
 */
import { Worker } from 'node:worker_threads'
import { HEADER_BYTES, type Header, header as headerCodec } from '../../schemas/block.ts'
import { decode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { GENERATION, SHARED_BYTES, sharedViews } from '../mining/thread.ts'
import type { SearchOrder, SearchReport, SearchWorkerData } from './search-worker.ts'
import { TEAM_BYTES, teamViews } from './team.ts'

export interface Find {
  /** Encoded, with its nonce. */
  readonly header: Uint8Array
  /** Tried since the find before. */
  readonly hashes: number
  /** Milliseconds of hashing since the find before; with several threads in the mean of them. */
  readonly ms: number
}

export interface Search {
  /** Replaces the job: an encoded header, which says its target. */
  mine(header: Uint8Array): void
  /** Ends it, and says how many hashes it tried since its last find. May be called twice. */
  stop(): Promise<number>
}

export interface SearchEvents {
  readonly onFound: (find: Find) => void
  /** It is over and finds nothing more. */
  readonly onFailed: (error: unknown) => void
}

/** Resolves when it is ready to search; rejects when it cannot. */
export type OpenSearch = (events: SearchEvents) => Promise<Search>

/** Four thousand hashes in the mean: the thread has started and the compiler knows the kernel. */
const WARM_UP_TARGET = 2n ** 244n - 1n

/** As compiled: the compiler does not rewrite names inside `new URL`. */
const workerUrl = new URL('./search-worker.js', import.meta.url)

/** Threads of this machine, each with a core for itself, or a share of one. `random`: uniform in [0, 1), for the first nonce. */
export const threads =
  (count: number, random: () => number, duty = 1): OpenSearch =>
  async ({ onFound, onFailed }) => {
    const shared = new SharedArrayBuffer(TEAM_BYTES)
    const { microseconds } = teamViews(shared)
    let failedEarly = (_: unknown): void => {}
    const failed = new Promise<never>((_, reject) => {
      failedEarly = reject
    })
    // Once it is open nobody looks at it any more.
    failed.catch(() => {})
    const fail = (error: unknown): void => {
      failedEarly(error)
      onFailed(error)
    }
    const team = Array.from({ length: count }, () => new Thread(shared, duty, fail))
    const total = () => team.reduce((sum, thread) => sum + thread.hashes, 0)
    const range = 2n ** 64n / BigInt(count)
    /** Finds that were handed on. */
    let finds = 0
    let counted = 0
    let countedMs = 0
    let foundOn: string | undefined
    const order = (header: Uint8Array, target: bigint): void => {
      const start = BigInt(Math.floor(random() * 2 ** 48)) << 16n
      for (const [index, thread] of team.entries()) {
        const nonceStart = BigInt.asUintN(64, start + BigInt(index) * range)
        thread.order({ job: { header, target, nonceStart, finds } })
      }
    }
    const handOn = { to: onFound }
    const take = ({ header }: SearchReport): void => {
      finds++
      const hashes = total() - counted
      counted += hashes
      const totalMs = Number(Atomics.load(microseconds, 0)) / 1000 / count
      const ms = totalMs - countedMs
      countedMs = totalMs
      handOn.to({ header, hashes, ms })
    }
    for (const thread of team) thread.onReport(take)
    // Each thread alone, so that each is warm.
    for (const thread of team)
      await Promise.race([
        failed,
        new Promise<void>((resolve) => {
          handOn.to = () => resolve()
          const job = { header: new Uint8Array(HEADER_BYTES), target: WARM_UP_TARGET, nonceStart: 0n, finds }
          thread.order({ job })
        }),
      ])
    handOn.to = (find) => {
      foundOn = decoded(find.header).parent
      onFound(find)
    }
    return {
      mine(header) {
        const { parent, target } = decoded(header)
        // The find on that parent and this job have crossed on their ways.
        if (parent !== foundOn) order(header, target)
      },
      async stop() {
        await Promise.all(team.map((thread) => thread.stop()))
        const unfinished = total() - counted
        counted += unfinished
        return unfinished
      },
    }
  }

function decoded(header: Uint8Array): Header {
  const outcome = decode(headerCodec, header, HEADER_BYTES)
  invariant(outcome.ok, 'a job is a header')
  return outcome.value
}

/** The main thread's end of one. */
class Thread {
  readonly #shared: ReturnType<typeof sharedViews>
  readonly #worker: Worker
  readonly #ended: Promise<void>
  #stopped = false

  constructor(team: SharedArrayBuffer, duty: number, onFailed: (error: unknown) => void) {
    const memory = new SharedArrayBuffer(SHARED_BYTES)
    this.#shared = sharedViews(memory)
    const data: SearchWorkerData = { memory, team, duty }
    this.#worker = new Worker(workerUrl, { workerData: data })
    this.#worker.on('error', onFailed)
    this.#ended = new Promise((resolve) =>
      this.#worker.once('exit', () => {
        if (!this.#stopped) onFailed(new Error('a search thread ended without being told to'))
        resolve()
      }),
    )
  }

  /** Hashes so far. */
  get hashes(): number {
    return Number(Atomics.load(this.#shared.hashes, 0))
  }

  onReport(listener: (report: SearchReport) => void): void {
    this.#worker.on('message', listener)
  }

  /** Message first, then the count: who sees the new count finds the message. */
  order(order: SearchOrder): void {
    this.#worker.postMessage(order)
    Atomics.add(this.#shared.generation, GENERATION, 1)
    Atomics.notify(this.#shared.generation, GENERATION)
  }

  async stop(): Promise<void> {
    if (!this.#stopped) {
      this.#stopped = true
      this.order({ stop: true })
    }
    await this.#ended
  }
}
