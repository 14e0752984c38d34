/**
 * How plausible a sensor's latest readings are, beside those of its neighbours: pure. Advice, not proof; docs/TRADE.md has
 * what it is worth and what fools it.
 *
 * A neighbour is another device with a sensor of the same place and unit; a device with several has one voice, their median. Statistics
 * are medians and the median absolute deviation (MAD), so that fewer than half of the neighbours cannot move them far. Heights of
 * blocks say what was at the same time: devices' own clocks may lie.
 */
import type { SensorQuality } from '../schemas/quality.ts'
import type { Point, Series } from './series.ts'

/** Readings below which nothing is scored, and neighbours below which no reading is an outlier: of two, either may be wrong. */
export const READINGS_MIN = 16
export const NEIGHBOURS_MIN = 3
/** Deviations from the neighbours' median at which a reading is an outlier. */
export const OUTLIER_DEVIATIONS = 5
/** The standard deviation of a normal distribution is this many MADs. */
const MAD_TO_SIGMA = 1.4826
/** Least deviation, as a share of the median: what good sensors differ by. */
const ACCURACY = 0.01
/** Blocks within which a neighbour's reading is of the same time, if ours are not further apart. */
const NEAR_BLOCKS = 10
/** Equal values in a row that may be a stuck sensor. */
export const FROZEN_RUN = 12
/** How many of our smallest steps a neighbour has to move meanwhile, and over how many values. */
const MOVED_STEPS = 3
const MOVED_VALUES = 4
/**
 * Values compared with others', how many may differ, and from one to the next how many different changes there have to be: two counters go
 * alike, and so do two coarse sensors.
 */
export const COPY_RUN = 32
const COPY_DIFFERENT_MAX = 1
const COPY_CHANGES_MIN = 6
/** Sensors that a sensor is compared with to find whose copy it is. */
const ORIGINALS_MAX = 64

/** What each fault takes from 100, at most. */
export const WEIGHTS = { gaps: 30, unsynchronised: 20, outliers: 70, frozen: 50, copied: 50 } as const

export interface Surroundings {
  readonly place: string
  /** Series of other devices, of the same place and unit. */
  readonly neighbours: readonly Series[]
  /** Series of other devices, of the same unit, from anywhere. */
  readonly others: readonly Series[]
}

export function judge(
  series: Series,
  { place, neighbours, others }: Surroundings,
): Omit<SensorQuality, 'past'> {
  const { points, sensor, unit } = series
  const readings = sum(points, ({ count }) => count)
  const devices = byDevice(neighbours)
  const valued = points.filter(isValued)
  const facts = {
    gaps: gapsIn(points),
    unsynchronised: share(
      sum(points, ({ count, synchronised }) => (synchronised ? 0 : count)),
      readings,
    ),
    frozen: isFrozen(valued, devices),
    copied: originalOf(valued, others),
    ...compare(valued, devices),
  }
  const score = readings < READINGS_MIN ? null : scoreOf(facts)
  return { sensor, unit, place, readings, score, neighbours: devices.length, ...facts }
}

/**
 * Share of the transactions that are missing. A sensor that puts only each so-manieth reading on the ledger, as one that is sold does,
 * leaves out as many each time: what counts is what goes beyond the middle of all gaps.
 */
function gapsIn(points: readonly Point[]): number {
  const regular = median(points.slice(1).map(({ missed }) => missed))
  const lost = sum(points, ({ missed }) => Math.max(0, Math.floor((missed - regular) / (regular + 1))))
  return share(lost, lost + sum(points, ({ count }) => count))
}

type Facts = Pick<SensorQuality, 'gaps' | 'unsynchronised' | 'frozen' | 'copied' | 'outliers'>

/** 100 less what the faults take; what was not judged takes nothing. */
export function scoreOf({ gaps, unsynchronised, frozen, copied, outliers }: Facts): number {
  const taken =
    WEIGHTS.gaps * gaps +
    WEIGHTS.unsynchronised * unsynchronised +
    WEIGHTS.outliers * (outliers ?? 0) +
    (frozen === true ? WEIGHTS.frozen : 0) +
    (copied === null || copied === '' ? 0 : WEIGHTS.copied)
  return Math.max(0, Math.round(100 - taken))
}

interface Valued extends Point {
  readonly value: number
}
const isValued = (point: Point): point is Valued => point.value !== undefined

/** The neighbours' points by device. */
function byDevice(neighbours: readonly Series[]): (readonly (readonly Valued[])[])[] {
  const devices = new Map<string, (readonly Valued[])[]>()
  for (const { device, points } of neighbours)
    devices.set(device, [...(devices.get(device) ?? []), points.filter(isValued)])
  return [...devices.values()]
}

type Devices = ReturnType<typeof byDevice>

/** Outliers and offset against what the neighbours say at the time. */
function compare(points: readonly Valued[], devices: Devices): Pick<SensorQuality, 'outliers' | 'offset'> {
  const [first, last] = [points[0], points.at(-1)]
  if (first === undefined || last === undefined) return { outliers: null, offset: null }
  const spacing = (last.height - first.height) / Math.max(1, points.length - 1)
  const near = Math.max(NEAR_BLOCKS, 2 * spacing)
  const differences: number[] = []
  let outliers = 0
  for (const { value, step, height } of points) {
    const voices = devices.flatMap((sensors) => {
      const said = sensors.flatMap((each) => nearest(each, height, near))
      return said.length === 0 ? [] : [median(said)]
    })
    if (voices.length < NEIGHBOURS_MIN) continue
    const middle = median(voices)
    const mad = median(voices.map((voice) => Math.abs(voice - middle)))
    const deviation = Math.max(MAD_TO_SIGMA * mad, step, ACCURACY * Math.abs(middle))
    differences.push(value - middle)
    if (Math.abs(value - middle) > OUTLIER_DEVIATIONS * deviation) outliers++
  }
  if (differences.length < READINGS_MIN) return { outliers: null, offset: null }
  return { outliers: share(outliers, differences.length), offset: Number(median(differences).toPrecision(3)) }
}

/** The value that is nearest in height, if it is near. */
function nearest(points: readonly Valued[], height: number, near: number): readonly number[] {
  let best: Valued | undefined
  for (const point of points) {
    if (best === undefined || Math.abs(point.height - height) < Math.abs(best.height - height)) best = point
  }
  return best === undefined || Math.abs(best.height - height) > near ? [] : [best.value]
}

/** Equal values up to now while more than half of the neighbours moved. Null: too few readings, or nobody to compare with. */
function isFrozen(points: readonly Valued[], devices: Devices): boolean | null {
  const last = points.at(-1)
  if (last === undefined || points.length < FROZEN_RUN) return null
  const from = points.findLastIndex(({ value }) => value !== last.value) + 1
  const start = points[from]
  if (start === undefined || points.length - from < FROZEN_RUN) return false
  const moved = devices.flatMap((sensors) => {
    const meanwhile = sensors.map((each) =>
      each.filter(({ height }) => height >= start.height && height <= last.height).map(({ value }) => value),
    )
    const busy = meanwhile.filter((values) => values.length >= MOVED_VALUES)
    return busy.length === 0 ? [] : [busy.some((values) => moves(values, last.step))]
  })
  return moved.length === 0 ? null : 2 * moved.filter(Boolean).length > moved.length
}

const moves = (values: readonly number[], step: number): boolean =>
  new Set(values).size >= MOVED_VALUES && Math.max(...values) - Math.min(...values) > MOVED_STEPS * step

/** Whose earlier values these are, as `<account>/<sensor>`; empty: nobody's. Null: too few, or too alike to tell. */
function originalOf(points: readonly Valued[], others: readonly Series[]): string | null {
  const own = points.slice(-COPY_RUN)
  if (own.length < COPY_RUN || changesOf(own) < COPY_CHANGES_MIN) return null
  for (const { device, sensor, points: theirs } of others.slice(0, ORIGINALS_MAX))
    if (precedes(theirs.filter(isValued), own)) return `${device}/${sensor}`
  return ''
}

/** How many different steps there are from one value to the next. */
const changesOf = (points: readonly Valued[]): number =>
  new Set(points.slice(1).map(({ value, step }, at) => Math.round((value - (points[at]?.value ?? 0)) / step)))
    .size

/** Whether these values are in a row among theirs, and theirs were on the ledger before. */
function precedes(theirs: readonly Valued[], own: readonly Valued[]): boolean {
  for (let from = 0; from + own.length <= theirs.length; from++) {
    let different = 0
    for (let at = 0; at < own.length && different <= COPY_DIFFERENT_MAX; at++)
      if (theirs[from + at]?.value !== own[at]?.value) different++
    if (different > COPY_DIFFERENT_MAX) continue
    const delays = own.map(({ height }, at) => height - (theirs[from + at]?.height ?? height))
    if (median(delays) >= 1) return true
  }
  return false
}

/** The middle value; of an even number the mean of the two. Of none: 0. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const upper = sorted[half] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] ?? upper)) / 2
}

const sum = <T>(list: readonly T[], of: (item: T) => number): number =>
  list.reduce((total, item) => total + of(item), 0)
/** To the hundredth: finer is noise. */
const share = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((100 * part) / whole) / 100
