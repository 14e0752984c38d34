/** Memory that the threads of a search share, beside that of each (mining/thread.ts). */
export const TEAM_BYTES = 16

export const teamViews = (memory: SharedArrayBuffer) => ({
  /** So far. */
  finds: new Int32Array(memory, 0, 1),
  /** Of hashing, the sum over all threads. */
  microseconds: new BigUint64Array(memory, 8, 1),
})
