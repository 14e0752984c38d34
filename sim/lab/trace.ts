/**
 * Hash-rate traces: what all miners together hash a second, constant from step to step.
 *
 * A trace is the same for every rule that runs on it. Its first step is at 0 s and steps come in order; a rate of 0 is
 * an outage.
 */

export interface RateStep {
  readonly fromSeconds: number
  readonly hashesPerSecond: number
}

export interface Trace {
  readonly name: string
  /** How long it runs unless somebody asks for another time; the last rate goes on. */
  readonly seconds: number
  readonly steps: readonly RateStep[]
}

export const SCENARIOS = ['steady', 'step', 'outage', 'daily', 'come-and-go'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** Of every simulated trace at its beginning, hashes a second. */
const RATE = 100_000
const HOUR = 3600

/** A simulated trace. What is about one change is counted in intervals, what is about days in hours. */
export function scenario(name: Scenario, intervalSeconds: number): Trace {
  const at = (intervals: number): number => intervals * intervalSeconds
  const trace = (seconds: number, steps: readonly (readonly [from: number, factor: number])[]): Trace => ({
    name,
    seconds,
    steps: steps.map(([fromSeconds, factor]) => ({
      fromSeconds,
      hashesPerSecond: Math.round(RATE * factor),
    })),
  })
  const hourly = (hours: number, factor: (hour: number) => number): Trace =>
    trace(
      hours * HOUR,
      Array.from({ length: hours }, (_, hour) => [hour * HOUR, factor(hour)] as const),
    )
  switch (name) {
    case 'steady':
      return trace(at(5000), [[0, 1]])
    case 'step':
      return trace(at(4000), [
        [0, 1],
        [at(1000), 4],
        [at(2000), 0.5],
      ])
    case 'outage':
      return trace(20 * HOUR, [
        [0, 1],
        [2 * HOUR, 0],
        [14 * HOUR, 1],
      ])
    case 'daily':
      return hourly(72, (hour) => 1 + 0.5 * Math.sin((hour / 12) * Math.PI))
    case 'come-and-go':
      return hourly(36, (hour) => (hour % 6 >= 4 ? 4 : 1))
  }
}

/** The first rate that is not 0, hashes a second; 0 when nothing ever hashes. */
export const firstRate = ({ steps }: Trace): number =>
  steps.find(({ hashesPerSecond }) => hashesPerSecond > 0)?.hashesPerSecond ?? 0

/** A change by so much is one after which a rule has to lock again. */
const SHOCK = 1.5

/** Seconds at which the rate comes back, or changes by more than SHOCK, up to `seconds`. */
export function shocks({ steps }: Trace, seconds: number): readonly number[] {
  return steps.flatMap(({ fromSeconds, hashesPerSecond }, index) => {
    const before = steps[index - 1]?.hashesPerSecond
    if (before === undefined || hashesPerSecond === 0 || fromSeconds >= seconds) return []
    const ratio = hashesPerSecond / before
    return ratio >= SHOCK || ratio <= 1 / SHOCK ? [fromSeconds] : []
  })
}

/** Walks along a trace: how long so many hashes take from where it stands. Times only go up. */
export class RateWalk {
  readonly #steps: readonly RateStep[]
  #index = 0

  constructor({ steps }: Trace) {
    this.#steps = steps
  }

  /** The second at which `hashes` are done that were begun at `fromSeconds`; infinite when the rate stays 0. */
  done(fromSeconds: number, hashes: number): number {
    let [at, left] = [fromSeconds, hashes]
    for (;;) {
      while ((this.#steps[this.#index + 1]?.fromSeconds ?? Number.POSITIVE_INFINITY) <= at) this.#index++
      const rate = this.#steps[this.#index]?.hashesPerSecond ?? 0
      const until = this.#steps[this.#index + 1]?.fromSeconds ?? Number.POSITIVE_INFINITY
      if (rate > 0 && at + left / rate <= until) return at + left / rate
      if (until === Number.POSITIVE_INFINITY) return until
      left -= rate * (until - at)
      at = until
    }
  }
}
