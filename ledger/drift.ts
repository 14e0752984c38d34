/**
 * How the time that a hand shows leaves the true time at a constant hash rate: a pace of the rule's own, and luck about it.
 *
 * Source: docs/CLOCKCHAIN.md, "The laboratory".
 */
import { nextTarget } from './difficulty.ts'

/**
 * Standard deviation of the drift under ASERT at a constant hash rate, in T: of an exact power of two, long after the first tick,
 * and to first order in 1 / h. Under our integers it is that about the line which `paceOfCubic` is the slope of.
 *
 * Let x be the logarithm of target over right target. A tick takes E exp(-x) T, E exponential with mean 1 and variance
 * 1, and moves x by a (E exp(-x) - 1), where a = ln 2 / h. For small x that is a pull of -a x and a push of variance
 * a^2, so the variance of x is a / 2. The drift is x / a, its variance 1 / (2 a), the root of it sqrt(h / (2 ln 2)).
 */
export const driftSd = (halfLife: number): number => Math.sqrt(halfLife / (2 * Math.LN2))

/** Solve times that stand for the exponential distribution: the middles of so many parts of equal chance. */
const PARTS = 20_000
/** It takes a Pi a tenth of a second, and is asked for with every report. */
const known = new Map<string, number>()

/**
 * By how much a clock under our rule is wrong at a constant hash rate, as a share: negative when it is fast.
 *
 * The cubic of aserti3-2d is up to 0.012 % from 2^x. An absolute schedule corrects that, since each target follows
 * from the whole deviation; a relative one adds it up, by a mean of b halvings a tick. The clock settles where the mean
 * of (interval - T) / (h T) is -b, so it is wrong by -b h.
 */
export function paceOfCubic(intervalMs: number, halfLife: number): number {
  const key = `${intervalMs} ${halfLife}`
  const pace = known.get(key) ?? computePace(intervalMs, halfLife)
  known.set(key, pace)
  return pace
}

function computePace(intervalMs: number, halfLife: number): number {
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
