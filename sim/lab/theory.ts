/** What a clock of exponential ticks can do at best, worked out; the tests hold the simulation against it. */
import { nextTarget } from '../../ledger/difficulty.ts'

/**
 * Standard deviation of the drift under ASERT at a constant hash rate, in T: of an exact power of two, long after the first tick,
 * and to first order in 1 / h. Under our integers it is that about the line which `paceOfCubic` is the slope of.
 *
 * Let x be the logarithm of target over right target. A tick takes E exp(-x) T, E exponential with mean 1 and variance
 * 1, and moves x by a (E exp(-x) - 1), where a = ln 2 / h. For small x that is a pull of -a x and a push of variance
 * a^2, so the variance of x is a / 2. The drift is x / a, its variance 1 / (2 a), the root of it sqrt(h / (2 ln 2)).
 */
export const driftSd = (halfLife: number): number => Math.sqrt(halfLife / (2 * Math.LN2))

/**
 * Ticks until a rate that is wrong by `error` shows: n ticks are wrong by n error T, and their chance is sqrt(n) T, so
 * n error = sigmas sqrt(n).
 */
export const ticksToSee = (error: number, sigmas: number): number => (sigmas / error) ** 2

/**
 * Ticks of ASERT until the mean interval is back within `band` (1.25: T / 1.25 to 1.25 T) after the hash rate has
 * changed by `ratio`, without luck.
 *
 * With y the logarithm of T over the mean interval, dy/dn = a (exp(-y) - 1); so exp(y) - 1 shrinks by exp(-a) a tick.
 */
export function relockTicks(halfLife: number, ratio: number, band: number): number {
  const end = ratio > 1 ? band - 1 : 1 - 1 / band
  return Math.max(0, (halfLife / Math.LN2) * Math.log(Math.abs(ratio - 1) / end))
}

/** Solve times that stand for the exponential distribution: the middles of so many parts of equal chance. */
const PARTS = 20_000

/**
 * By how much a clock under our rule is wrong at a constant hash rate, as a share: negative when it is fast.
 *
 * The cubic of aserti3-2d is up to 0.012 % from 2^x. An absolute schedule corrects that, since each target follows
 * from the whole deviation; a relative one adds it up, by a mean of b halvings a tick. The clock settles where the mean
 * of (interval - T) / (h T) is -b, so it is wrong by -b h.
 */
export function paceOfCubic(intervalMs: number, halfLife: number): number {
  const target = 1n << 236n
  const rule = { interval: intervalMs, halfLife, targetMax: 1n << 255n }
  let sum = 0
  for (let part = 0; part < PARTS; part++) {
    const solveMs = Math.max(1, Math.round(-Math.log(1 - (part + 0.5) / PARTS) * intervalMs))
    const moved = Math.log2(Number(nextTarget(rule, target, solveMs)) / Number(target))
    sum += moved * halfLife - (solveMs - intervalMs) / intervalMs
  }
  return -sum / PARTS
}
