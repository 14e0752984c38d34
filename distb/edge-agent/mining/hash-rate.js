/** How fast this machine mines: what a network's first target is chosen from, and what the bench prints. */
import { createKernel, HEADER_BYTES, targetWords } from './kernel.js';
/** Small enough to look at the clock about every millisecond, even on a slow Pi. */
const BATCH = 256;
/**
 * Hashes per second of one thread at full duty. Blocks its thread for `ms` milliseconds, of which the first quarter
 * warms up the compiler and does not count.
 */
export function measureHashRate(ms, kernel = createKernel(), nowMs = () => performance.now()) {
    const work = kernel.prepare(new Uint8Array(HEADER_BYTES));
    const impossible = targetWords(0n);
    const run = (durationMs) => {
        const startMs = nowMs();
        let hashes = 0;
        let elapsedMs = 0;
        do {
            kernel.scan(work, impossible, BigInt(hashes), BATCH);
            hashes += BATCH;
            elapsedMs = nowMs() - startMs;
        } while (elapsedMs < durationMs);
        return (hashes / elapsedMs) * 1000;
    };
    run(ms / 4);
    return run((ms * 3) / 4);
}
//# sourceMappingURL=hash-rate.js.map