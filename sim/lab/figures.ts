/** What a run comes to as a clock: intervals, drift, how soon it locks again, its greatest storm. All times in T. */

import type { Tick } from './rules.ts'
import type { Run } from './run.ts'

/** Ticks whose mean interval says whether a rule is locked, and T in which a storm is counted. */
export const WINDOW = 60
/** Locked: those ticks took from 1 / 1.25 to 1.25 of their time. */
export const LOCKED = 1.25

export interface Figures {
  readonly ticks: number
  readonly intervalMean: number
  readonly intervalSd: number
  /**
   * Drift is true time less T for each tick, at the ticks: positive when the clock is slow. `pace` is the slope of the
   * straight line through it (T a tick), `wander` its standard deviation about that line.
   */
  readonly pace: number
  readonly wander: number
  /** Farthest from zero, with its sign. */
  readonly driftMost: number
  readonly driftEnd: number
  /** For each shock the ticks after it until WINDOW ticks in a row were locked; null: never, before the next shock. */
  readonly relock: readonly (number | null)[]
  /** Most ticks within WINDOW T. */
  readonly storm: number
  readonly isCut: boolean
}

export function figuresOf(
  { ticks, seconds, isCut }: Run,
  intervalMs: number,
  shocks: readonly number[],
): Figures {
  const intervals = new Moments()
  const drifts = new LineFit()
  let driftMost = 0
  const see = (drift: number): void => {
    if (Math.abs(drift) > Math.abs(driftMost)) driftMost = drift
  }
  for (const [index, { solveMs, atMs }] of ticks.entries()) {
    const drift = atMs / intervalMs - index - 1
    intervals.add(solveMs / intervalMs)
    drifts.add(index, drift)
    // Just before it ticks a clock is farthest behind.
    see(drift + 1)
    see(drift)
  }
  const driftEnd = (seconds * 1000) / intervalMs - ticks.length
  see(driftEnd)
  return {
    ticks: ticks.length,
    intervalMean: intervals.mean,
    intervalSd: intervals.sd,
    pace: drifts.slope,
    wander: drifts.sd,
    driftMost,
    driftEnd,
    relock: shocks.map((from, index) =>
      relock(ticks, intervalMs, from * 1000, (shocks[index + 1] ?? seconds) * 1000),
    ),
    storm: storm(ticks, WINDOW * intervalMs),
    isCut,
  }
}

function relock(ticks: readonly Tick[], intervalMs: number, fromMs: number, untilMs: number): number | null {
  const first = ticks.findIndex(({ atMs }) => atMs > fromMs)
  if (first < 0) return null
  for (let at = first; at + WINDOW < ticks.length; at++) {
    const [from, to] = [ticks[at]?.atMs ?? 0, ticks[at + WINDOW]?.atMs ?? 0]
    if (to > untilMs) return null
    const pace = (to - from) / (WINDOW * intervalMs)
    if (pace < LOCKED && pace > 1 / LOCKED) return at - first
  }
  return null
}

/** Most ticks within `spanMs`. */
function storm(ticks: readonly Tick[], spanMs: number): number {
  let [from, most] = [0, 0]
  for (const [index, { atMs }] of ticks.entries()) {
    while ((ticks[from]?.atMs ?? 0) <= atMs - spanMs) from++
    most = Math.max(most, index - from + 1)
  }
  return most
}

/** Mean and standard deviation, number by number (Welford 1962). */
class Moments {
  #count = 0
  #mean = 0
  #squares = 0

  add(value: number): void {
    this.#count++
    const step = value - this.#mean
    this.#mean += step / this.#count
    this.#squares += step * (value - this.#mean)
  }

  get mean(): number {
    return this.#count === 0 ? Number.NaN : this.#mean
  }

  get sd(): number {
    return Math.sqrt(this.#squares / this.#count)
  }
}

/** The straight line by least squares, and how far the values are from it, in the same way. */
class LineFit {
  #count = 0
  readonly #mean = { x: 0, y: 0 }
  readonly #squares = { xx: 0, xy: 0, yy: 0 }

  add(x: number, y: number): void {
    this.#count++
    const [stepX, stepY] = [x - this.#mean.x, y - this.#mean.y]
    this.#mean.x += stepX / this.#count
    this.#mean.y += stepY / this.#count
    this.#squares.xx += stepX * (x - this.#mean.x)
    this.#squares.xy += stepX * (y - this.#mean.y)
    this.#squares.yy += stepY * (y - this.#mean.y)
  }

  get slope(): number {
    return this.#squares.xy / this.#squares.xx
  }

  get sd(): number {
    const { xx, xy, yy } = this.#squares
    return Math.sqrt(Math.max(0, yy - (xy * xy) / xx) / this.#count)
  }
}
