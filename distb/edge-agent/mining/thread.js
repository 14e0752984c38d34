/**
 * What the miner and its worker threads say to each other.
 *
 * Jobs travel as messages, which a worker takes without returning to its event loop; that there is a newer one it sees
 * in shared memory: `generation` (i32 at 0) is counted up after each message and wakes a sleeping worker. `hashes`
 * (u64 at 8) is the worker's running count. One shared block per worker.
 */
export const SHARED_BYTES = 16;
export const GENERATION = 0;
const HASHES_OFFSET = 8;
export const sharedViews = (memory) => ({
    generation: new Int32Array(memory, 0, 1),
    hashes: new BigUint64Array(memory, HASHES_OFFSET, 1),
});
//# sourceMappingURL=thread.js.map