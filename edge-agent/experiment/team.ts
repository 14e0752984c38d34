/** Memory that the threads of a search share, beside that of each (mining/thread.ts). */
export const TEAM_BYTES = 24

export const teamViews = (memory: SharedArrayBuffer) => ({
  /** So far. */
  finds: new Int32Array(memory, 0, 1),
  /** Of hashing, the sum over all threads. */
  microseconds: new BigUint64Array(memory, 8, 1),
  /** When the last one was found: nanoseconds of the machine's monotonic clock. */
  foundAt: new BigInt64Array(memory, 16, 1),
})

/** Which share of the time from `start` to `end` was over at `at`; 0 to 1. */
export const shareBefore = (at: bigint, start: bigint, end: bigint): number =>
  end > start ? Math.min(1, Math.max(0, Number(at - start) / Number(end - start))) : 0
