/**
 * The difficulty rule: each block's target follows from its parent alone.
 *
 * `target = parent target * 2^((min(solve time, 20 T) - T) / (halfLife * T))` with the integer arithmetic of
 * aserti3-2d. Relative and clamped, so that an outage is not followed by a storm of blocks that make up for it.
 * Source: aserti3-2d (BCH upgrade 2020-11-15), docs/PROTOCOL.md section 4.
 */

/** What the rule steers by. */
export interface Pace {
  /** T: the mean time between blocks or ticks, milliseconds. */
  readonly interval: number
  /** Blocks or ticks. */
  readonly halfLife: number
  /** Easiest target that the rule may ever reach. */
  readonly targetMax: bigint
}

/** Longest solve time that counts, in intervals. */
const SOLVE_TIME_MAX_INTERVALS = 20
const RADIX_BITS = 16n

/**
 * `target * 2^(deviation / halfLife)`, at least 1 and at most `targetMax`. `deviation` and `halfLife` have the same
 * unit. BigInt division truncates and its shift floors, as the reference C++ does.
 */
export function asert(target: bigint, deviation: bigint, halfLife: bigint, targetMax: bigint): bigint {
  const exponent = (deviation << RADIX_BITS) / halfLife
  const shifts = exponent >> RADIX_BITS
  const fraction = exponent & 0xffffn
  // The reference's polynomial in Horner's form, which takes half the time.
  const cubic = ((5127n * fraction + 971821376n) * fraction + 195766423245049n) * fraction
  const factor = 65536n + ((cubic + (1n << 47n)) >> 48n)
  const shift = shifts - RADIX_BITS
  const product = target * factor
  const next = shift < 0n ? product >> -shift : product << shift
  if (next === 0n) return 1n
  return next > targetMax ? targetMax : next
}

/** Target of the block after one with `target` that took `solveTimeMs`. */
export function nextTarget(pace: Pace, target: bigint, solveTimeMs: number): bigint {
  const { interval, halfLife, targetMax } = pace
  const solveTime = Math.min(solveTimeMs, SOLVE_TIME_MAX_INTERVALS * interval)
  return asert(target, BigInt(solveTime - interval), BigInt(halfLife) * BigInt(interval), targetMax)
}

/** Expected hashes to meet a target: 2^256 / (target + 1). */
export const workOf = (target: bigint): bigint => (1n << 256n) / (target + 1n)

/** The target that takes `hashes` hashes in the mean. */
export function targetFor(hashes: number): bigint {
  return (1n << 256n) / BigInt(Math.max(1, Math.round(hashes))) - 1n
}

/** Difficulty as the lecture counts it: leading zero hex digits, here with a fraction. */
export function hexDigits(target: bigint): number {
  return Math.log2(Number((1n << 300n) / (target + 1n)) / 2 ** 44) / 4
}
