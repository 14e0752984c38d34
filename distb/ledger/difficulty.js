/** Longest solve time that counts, in intervals. */
const SOLVE_TIME_MAX_INTERVALS = 20;
const RADIX_BITS = 16n;
/**
 * `target * 2^(deviation / halfLife)`, at least 1 and at most `targetMax`. `deviation` and `halfLife` have the same
 * unit. BigInt division truncates and its shift floors, as the reference C++ does.
 */
export function asert(target, deviation, halfLife, targetMax) {
    const exponent = (deviation << RADIX_BITS) / halfLife;
    const shifts = exponent >> RADIX_BITS;
    const fraction = exponent & 0xffffn;
    const factor = 65536n +
        ((195766423245049n * fraction + 971821376n * fraction ** 2n + 5127n * fraction ** 3n + (1n << 47n)) >>
            48n);
    const shift = shifts - RADIX_BITS;
    const product = target * factor;
    const next = shift < 0n ? product >> -shift : product << shift;
    if (next === 0n)
        return 1n;
    return next > targetMax ? targetMax : next;
}
/** Target of the block after one with `target` that took `solveTimeMs`. */
export function nextTarget(genesis, target, solveTimeMs) {
    const { interval, halfLife, targetMax } = genesis;
    const solveTime = Math.min(solveTimeMs, SOLVE_TIME_MAX_INTERVALS * interval);
    return asert(target, BigInt(solveTime - interval), BigInt(halfLife) * BigInt(interval), targetMax);
}
/** Expected hashes to meet a target: 2^256 / (target + 1). */
export const workOf = (target) => (1n << 256n) / (target + 1n);
/** The target that takes `hashes` hashes in the mean. */
export function targetFor(hashes) {
    return (1n << 256n) / BigInt(Math.max(1, Math.round(hashes))) - 1n;
}
/** Difficulty as the lecture counts it: leading zero hex digits, here with a fraction. */
export function hexDigits(target) {
    return Math.log2(Number((1n << 300n) / (target + 1n)) / 2 ** 44) / 4;
}
//# sourceMappingURL=difficulty.js.map