/** Drift and interval of several runs as plots: a point each in so many parts of the time, so that a plot stays small. */
import { BOTH_SIGNS, type Line, plotSvg } from '../plot.ts'
import type { Rule, RuleName } from './rules.ts'
import type { Run } from './run.ts'
import type { Trace } from './trace.ts'

const PARTS = 240
/** Ticks over which an interval is averaged. */
const WINDOW = 30
const MARKS_MAX = 8
const HOUR_MS = 3_600_000

const COLOURS: Record<RuleName, string> = {
  'fixed-hex': '#999',
  'hex-step': '#c6a',
  'window-x2': '#a73',
  'window-mean': '#38c',
  lwma: '#74c',
  'asert-absolute': '#d62',
  'asert-clamped': '#2a7',
}

export interface Drawn {
  readonly rule: Rule
  readonly drift: Line['points']
  readonly interval: Line['points']
}

/** The points of one run, so that its ticks need not be kept. */
export function drawn({ rule, ticks, seconds }: Run, intervalMs: number): Drawn {
  const drift: (readonly [number, number])[] = []
  const interval: (readonly [number, number])[] = []
  let count = 0
  for (let part = 0; part <= PARTS; part++) {
    const atMs = (part / PARTS) * seconds * 1000
    const before = count
    while ((ticks[count]?.atMs ?? Number.POSITIVE_INFINITY) <= atMs) count++
    drift.push([atMs / HOUR_MS, atMs / intervalMs - count])
    const [first, last] = [ticks[count - 1 - WINDOW], ticks[count - 1]]
    if (count > before && first !== undefined && last !== undefined)
      interval.push([last.atMs / HOUR_MS, (last.atMs - first.atMs) / (WINDOW * intervalMs)])
  }
  return { rule, drift, interval }
}

export interface PlotOptions {
  readonly trace: Trace
  readonly seconds: number
  readonly intervalMs: number
}

/** Two SVG documents. */
export function plots(all: readonly Drawn[], { trace, seconds, intervalMs }: PlotOptions) {
  const marks = trace.steps.slice(1).flatMap(({ fromSeconds, hashesPerSecond }, index) => {
    const before = trace.steps[index]?.hashesPerSecond ?? 0
    const ratio = hashesPerSecond / (trace.steps[0]?.hashesPerSecond || 1)
    const label =
      hashesPerSecond === 0 ? 'off' : before === 0 ? 'on' : `rate x${Number(ratio.toPrecision(2))}`
    return fromSeconds < seconds ? [{ at: fromSeconds / 3600, label }] : []
  })
  const plot = {
    x: `hours, T = ${intervalMs / 1000} s`,
    // Of a trace that changes all the time, marks would hide the lines.
    marks: marks.length > MARKS_MAX ? [] : marks,
  }
  const lines = (points: 'drift' | 'interval'): Line[] =>
    all.map((each) => ({ label: each.rule.name, colour: COLOURS[each.rule.name], points: each[points] }))
  return {
    drift: plotSvg({
      ...plot,
      title: `Drift of the clock, trace ${trace.name}`,
      y: 'true time less ticks, in T; above 0 the clock is slow',
      lines: lines('drift'),
      scale: BOTH_SIGNS,
    }),
    interval: plotSvg({
      ...plot,
      title: `Interval between ticks, trace ${trace.name}`,
      y: `in T, mean of ${WINDOW} ticks, logarithmic`,
      lines: lines('interval'),
    }),
  }
}
