/**
 * What the miner and its worker threads say to each other.
 *
 * Jobs travel as messages, which a worker takes without returning to its event loop; that there is a newer one it sees
 * in shared memory: `generation` (i32 at 0) is counted up after each message and wakes a sleeping worker. `hashes`
 * (u64 at 8) is the worker's running count. One shared block per worker.
 */
export const SHARED_BYTES = 16
export const GENERATION = 0
const HASHES_OFFSET = 8

export interface Shared {
  readonly generation: Int32Array
  readonly hashes: BigUint64Array
}

export const sharedViews = (memory: SharedArrayBuffer): Shared => ({
  generation: new Int32Array(memory, 0, 1),
  hashes: new BigUint64Array(memory, HASHES_OFFSET, 1),
})

export interface WorkerData {
  readonly memory: SharedArrayBuffer
  /** Fraction of one core, above 0 and at most 1. */
  readonly duty: number
  /** Milliseconds of hashing between two sleeps. */
  readonly sliceMs: number
}

/** To the worker. Without a `job` it rests; `stop` ends the thread. */
export interface Order {
  /** `process.hrtime` of the call that gave the order, nanoseconds; the threads of a process share that clock. */
  readonly sentAtNs: bigint
  readonly stop?: true
  readonly job?: {
    /** The miner's number for the job, which comes back with what is found. */
    readonly number: number
    readonly header: Uint8Array
    readonly target: bigint
    readonly nonceStart: bigint
  }
}

/** From the worker. */
export type Report =
  | { readonly type: 'found'; readonly job: number; readonly header: Uint8Array }
  /** A job was given up; its last hash ended `delayMs` after the order was given (0: before, it was asleep). */
  | { readonly type: 'interrupted'; readonly delayMs: number }
