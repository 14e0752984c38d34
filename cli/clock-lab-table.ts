/** The laboratory's figures as text and as JSON. */
import { driftSd, paceOfCubic } from '../ledger/drift.ts'
import { type Figures, LOCKED, WINDOW } from '../sim/lab/figures.ts'
import type { RuleName } from '../sim/lab/rules.ts'
import { TICKS_MAX } from '../sim/lab/run.ts'
import { ticksToSee } from '../sim/lab/theory.ts'

export interface Result {
  readonly rule: RuleName
  readonly figures: Figures
}

export interface Facts {
  readonly trace: string
  /** True time that the run took, seconds. */
  readonly seconds: number
  /** T, seconds. */
  readonly interval: number
  readonly halfLife: number
  readonly seed: number
  /** Seconds. */
  readonly shocks: readonly number[]
}

/** What was run, what the columns mean, and what no rule can do better. */
export function heading({ trace, seconds, interval, halfLife, seed, shocks }: Facts): string {
  const locked = `${Math.round(WINDOW / LOCKED)} to ${Math.round(WINDOW * LOCKED)} T`
  return [
    `trace ${trace}, ${number(seconds / 3600, 1)} h, T = ${interval} s, half-life ${halfLife} ticks, seed ${seed}`,
    ...(shocks.length === 0
      ? []
      : [`re-lock: ticks after a change of the hash rate until ${WINDOW} ticks take ${locked}`]),
    `drift: true time less ticks, above 0 the clock is slow; pace and wander: the line through it, the deviation about it`,
    `at a constant rate ASERT wanders ${number(driftSd(halfLife), 1)} T; asert-clamped is wrong by ${percent(paceOfCubic(interval * 1000, halfLife))} % (its cubic)`,
    `a rate that is wrong by 10 % shows at 3 sigma after ${Math.round(ticksToSee(0.1, 3))} ticks`,
  ].join('\n')
}

const COLUMNS = [
  'rule',
  'ticks',
  'interval T',
  'its SD T',
  'pace %',
  'wander T',
  'drift at most T',
  'at the end T',
  're-lock ticks',
  `most in ${WINDOW} T`,
] as const
/** Shocks that the table has room for; of more it shows the slowest. */
const RELOCKS_MAX = 3

/** A line per rule, under a line with the names of the columns. */
export function table(results: readonly Result[]): string {
  const rows = [[...COLUMNS], ...results.map(row)]
  const widths = COLUMNS.map((_, at) => Math.max(...rows.map((cells) => (cells[at] ?? '').length)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
  const cut = results.some(({ figures }) => figures.isCut)
    ? `* stopped after ${TICKS_MAX} ticks: give it less time with --ticks\n`
    : ''
  return rows.map((cells) => `${line(cells).trimEnd()}\n`).join('') + cut
}

const row = ({ rule, figures }: Result): string[] => [
  rule,
  `${figures.ticks}${figures.isCut ? '*' : ''}`,
  number(figures.intervalMean, 3),
  number(figures.intervalSd, 2),
  percent(figures.pace),
  number(figures.wander, 1),
  number(figures.driftMost, 0),
  number(figures.driftEnd, 0),
  relocks(figures.relock),
  String(figures.storm),
]

function relocks(all: Figures['relock']): string {
  if (all.length === 0) return '-'
  const words = all.map((ticks) => (ticks === null ? 'never' : String(ticks)))
  if (words.length <= RELOCKS_MAX) return words.join(', ')
  const never = all.filter((ticks) => ticks === null).length
  if (never > 0) return `never ${never} of ${all.length}`
  return `up to ${Math.max(...all.map((ticks) => ticks ?? 0))}`
}

/** Without the sign of a zero. */
const number = (value: number, places: number): string =>
  Number.isFinite(value) ? value.toFixed(places).replace(/^-(0(\.0+)?)$/, '$1') : '-'
const percent = (share: number): string => number(share * 100, 2)

/** Times in T, shares as they are. */
export const jsonLine = (facts: Facts, { rule, figures }: Result): string =>
  `${JSON.stringify({ ...facts, rule, ...figures })}\n`
