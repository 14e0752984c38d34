/** What a clock of exponential ticks can do at best, worked out; the tests hold the simulation against it. */

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
