/**
 * A thread of a search: tries nonces of its job until one is found, and counts every hash that could have been a find.
 *
 * The miner's own thread may hash a job that a find has outrun, and nobody minds. Here that would count hashes whose find is
 * void, and the mean would come out too high. So the threads of a search share a count of finds; a job was given at some
 * count, and is void when that has moved on, whether by this thread, by another, or while the job was on its way. Of what a
 * thread tries while another finds, the share counts that was tried by then.
 */
import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { invariant } from '../../schemas/result.ts'
import { createKernel, targetWords, type Work, withNonce } from '../mining/kernel.ts'
import { GENERATION, sharedViews } from '../mining/thread.ts'
import { shareBefore, teamViews } from './team.ts'

export interface SearchWorkerData {
  /** Of this thread; mining/thread.ts. */
  readonly memory: SharedArrayBuffer
  /** Of all threads: `teamViews`. */
  readonly team: SharedArrayBuffer
  /** Share of a core, above 0 to 1. */
  readonly duty: number
}

/** To the thread. */
export interface SearchOrder {
  readonly stop?: true
  readonly job?: {
    readonly header: Uint8Array
    readonly target: bigint
    readonly nonceStart: bigint
    /** Finds so far. */
    readonly finds: number
  }
}

/** From the thread. */
export interface SearchReport {
  readonly header: Uint8Array
}

/** Hashes between two looks at orders and finds: what a thread may waste when another is first. */
const BATCH = 256
/** Pauses are gathered to so many milliseconds: shorter ones take longer than they say. */
const PAUSE_MS = 4

interface Job {
  readonly header: Uint8Array
  readonly work: Work
  readonly target: Uint32Array
  readonly finds: number
  nonce: bigint
}

function run(port: MessagePort, { memory, team, duty }: SearchWorkerData): void {
  const { generation, hashes } = sharedViews(memory)
  const { finds, microseconds, foundAt } = teamViews(team)
  const kernel = createKernel()
  let job: Job | undefined
  let owedMs = 0

  /** Takes all waiting orders; the last counts. False: stop. */
  function takeOrders(): boolean {
    for (;;) {
      const order = (receiveMessageOnPort(port) as { message: SearchOrder } | undefined)?.message
      if (order === undefined) return true
      if (order.stop) return false
      job = order.job && {
        ...{ header: order.job.header, finds: order.job.finds },
        work: kernel.prepare(order.job.header),
        target: targetWords(order.job.target),
        nonce: order.job.nonceStart,
      }
    }
  }

  function search(current: Job): void {
    const start = process.hrtime.bigint()
    const nonce = kernel.scan(current.work, current.target, current.nonce, BATCH)
    const end = process.hrtime.bigint()
    const tried = nonce === undefined ? BATCH : Number(BigInt.asUintN(64, nonce - current.nonce)) + 1
    const spentMs = Number(end - start) / 1e6
    owedMs += spentMs * (1 / duty - 1)
    Atomics.add(microseconds, 0, BigInt(Math.round(spentMs * 1000)))
    current.nonce = BigInt.asUintN(64, current.nonce + BigInt(BATCH))
    if (nonce !== undefined) job = undefined
    const isFind =
      nonce !== undefined &&
      Atomics.compareExchange(finds, 0, current.finds, current.finds + 1) === current.finds
    if (isFind) Atomics.store(foundAt, 0, end)
    const isOutrun = !isFind && Atomics.load(finds, 0) !== current.finds
    const counted = isOutrun ? Math.round(tried * shareBefore(Atomics.load(foundAt, 0), start, end)) : tried
    Atomics.add(hashes, 0, BigInt(counted))
    if (!isFind) return
    const report: SearchReport = { header: withNonce(current.header, nonce) }
    port.postMessage(report)
  }

  for (;;) {
    const seen = Atomics.load(generation, GENERATION)
    if (!takeOrders()) return
    if (job === undefined || Atomics.load(finds, 0) !== job.finds) Atomics.wait(generation, GENERATION, seen)
    else if (owedMs >= PAUSE_MS) {
      // An order ends the pause, not what is owed.
      const startMs = performance.now()
      Atomics.wait(generation, GENERATION, seen, owedMs)
      owedMs -= performance.now() - startMs
    } else search(job)
  }
}

invariant(parentPort !== null, 'this file runs as a worker thread')
run(parentPort, workerData as SearchWorkerData)
