/**
 * What chance makes of a mean: proof of work draws from an exponential distribution, of which the mean of n draws
 * has a gamma distribution of shape n. Pure. Source: NIST/SEMATECH e-Handbook of Statistical Methods, 8.4.5.1 (chi-squared
 * limits for the mean of exponential times).
 */

/** Hashes until a hash begins with so many zero hex digits, in the mean. */
export const expectedHashes = (digits: number): number => 16 ** digits

/** Probability that the sum of n exponential draws of mean 1 is at most x: 1 - e^-x sum of x^k / k! for k < n. */
export function erlang(n: number, x: number): number {
  if (x <= 0) return 0
  let logTerm = -x
  for (let k = 1; k < n; k++) logTerm += Math.log(x / k)
  // From the last term down; they rise to about k = x and fall below it.
  let above = 0
  for (let k = n - 1; k >= 0; k--) {
    const term = Math.exp(logTerm)
    above += term
    if (k < x && term < above * 1e-17) break
    logTerm += Math.log(k / x)
  }
  return 1 - above
}

/** The sum of n exponential draws of mean 1 is below it with this probability. */
function erlangQuantile(n: number, probability: number): number {
  let low = 0
  let high = n + 10 * Math.sqrt(n) + 10
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (erlang(n, middle) < probability) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Beyond so many draws the mean is as good as normal: off by less than a ten-thousandth. */
const EXACT_MAX = 10_000
/** Standard deviations on each side that hold 95 % of a normal distribution. */
const NORMAL_95 = 1.959964

export interface Band {
  readonly low: number
  readonly high: number
}

/** Where the mean of n exponential draws lies in 95 of 100 runs, in means of the distribution. */
export function meanBand(n: number): Band {
  if (n > EXACT_MAX) {
    const half = NORMAL_95 / Math.sqrt(n)
    return { low: 1 - half, high: 1 + half }
  }
  return { low: erlangQuantile(n, 0.025) / n, high: erlangQuantile(n, 0.975) / n }
}

export interface Summary {
  readonly ticks: number
  /** Hashes for a tick, those of a search that was cut off counted in; undefined without a tick. */
  readonly mean: number | undefined
  readonly expected: number
  /** Hashes. */
  readonly band: Band | undefined
  readonly inside: boolean | undefined
  /** Undefined before anything was hashed. */
  readonly hashesPerSecond: number | undefined
}

export interface Counted {
  readonly digits: number
  readonly ticks: number
  /** Of all ticks. */
  readonly hashes: number
  /** Of a search that was cut off: without them the lucky ticks alone would count. */
  readonly unfinished: number
  /** Milliseconds of searching for the ticks. */
  readonly ms: number
}

export function summarise({ digits, ticks, hashes, unfinished, ms }: Counted): Summary {
  const expected = expectedHashes(digits)
  const hashesPerSecond = ms > 0 ? (hashes / ms) * 1000 : undefined
  if (ticks === 0)
    return { ticks, mean: undefined, expected, band: undefined, inside: undefined, hashesPerSecond }
  const mean = (hashes + unfinished) / ticks
  const { low, high } = meanBand(ticks)
  const band = { low: low * expected, high: high * expected }
  return { ticks, mean, expected, band, inside: mean >= band.low && mean <= band.high, hashesPerSecond }
}
