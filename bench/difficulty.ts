/**
 * The difficulty rule under shocks, by the simulator: all nodes off for twelve hours, a tenfold hash rate that comes and
 * leaves, and a loss of four fifths. Prints how many blocks came in the first 60 T and how long it took to lock again.
 *
 * Run after `npm run build`: `node dist/bench/difficulty.js [seeds] [--write docs/figures] [--json]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from '../sim/faults.ts'
import { plotSvg } from '../sim/plot.ts'
import { type SimReport, World } from '../sim/world.ts'

const INTERVAL_MS = 10_000
const HOUR_MS = 3_600_000
/** One validator and two miners: what is measured does not depend on how many they are. */
const NODES = 3
const WINDOW = 60
/** The rate counts as locked within this factor of one block in T, over the window. */
const LOCKED = 1.25

interface Scenario {
  readonly name: string
  readonly title: string
  readonly hours: number
  /** Hours: the moments that are marked, the last the one from which is counted. */
  readonly marks: readonly { readonly at: number; readonly label: string }[]
  readonly faults: readonly Fault[]
}

const everybody = Array.from({ length: NODES }, (_, node) => node)
const power = (from: number, to: number, factor: number): Fault[] =>
  everybody.map((node) => ({
    what: 'hash-rate',
    kind: 'power',
    node,
    factor,
    atMs: from * HOUR_MS,
    untilMs: to * HOUR_MS,
  }))

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'outage',
    title: 'All nodes are off for 12 hours',
    hours: 16,
    marks: [
      { at: 2, label: 'off' },
      { at: 14, label: 'on' },
    ],
    faults: [{ what: 'kill', kind: 'crash', nodes: everybody, atMs: 2 * HOUR_MS, untilMs: 14 * HOUR_MS }],
  },
  {
    name: 'tenfold',
    title: 'A miner with nine times the hash rate of all others comes, and leaves',
    hours: 12,
    marks: [
      { at: 1, label: 'comes' },
      { at: 4, label: 'leaves' },
    ],
    faults: power(1, 4, 10),
  },
  {
    name: 'loss',
    title: 'Four fifths of the hash rate are lost',
    hours: 8,
    marks: [{ at: 2, label: 'lost' }],
    faults: power(2, 8, 0.2),
  },
]

async function run(scenario: Scenario, seed: number): Promise<SimReport> {
  const report = await new World({
    // Odd and not divisible by three: an open network without signers.
    seed: 6 * seed + 1,
    nodes: NODES,
    hours: scenario.hours,
    kinds: new Set(),
    intervalMs: INTERVAL_MS,
    faults: scenario.faults,
    trades: false,
    slowHand: false,
  }).run()
  if (report.violation !== undefined)
    throw new Error(`${report.violation.invariant}: ${report.violation.message}`)
  return report
}

const shockMs = ({ marks }: Scenario): number => (marks.at(-1)?.at ?? 0) * HOUR_MS
const within = ({ blocks }: SimReport, fromMs: number, toMs: number): number =>
  blocks.filter(({ atMs }) => atMs > fromMs && atMs <= toMs).length

/** Intervals from the shock until WINDOW blocks in a row took about WINDOW intervals. */
function lockedAfter({ blocks }: SimReport, fromMs: number): number {
  const after = blocks.filter(({ atMs }) => atMs > fromMs)
  for (let at = WINDOW; at < after.length; at++) {
    const [first, last] = [after[at - WINDOW]?.atMs ?? 0, after[at]?.atMs ?? 0]
    const pace = (last - first) / (WINDOW * INTERVAL_MS)
    if (pace < LOCKED && pace > 1 / LOCKED) return (first - fromMs) / INTERVAL_MS
  }
  return Number.POSITIVE_INFINITY
}

function plot({ title, marks }: Scenario, { blocks }: SimReport): string {
  const rate = blocks.flatMap(({ atMs }, at): (readonly [number, number])[] => {
    const before = blocks[at - 30]
    return before === undefined
      ? []
      : [[atMs / HOUR_MS, (30 * INTERVAL_MS) / Math.max(1, atMs - before.atMs)]]
  })
  const first = blocks[0]?.hashes ?? 1
  return plotSvg({
    title,
    x: 'hours, T = 10 s',
    y: 'against the beginning, logarithmic',
    marks,
    lines: [
      { label: 'blocks per T, over 30 blocks', colour: '#2a7', points: rate },
      {
        label: 'difficulty',
        colour: '#c62',
        points: blocks.map(({ atMs, hashes }) => [atMs / HOUR_MS, hashes / first] as const),
      },
    ],
  })
}

const summary = (values: readonly number[]): Record<string, number> => {
  const sorted = values.toSorted((a, b) => a - b)
  const round = (value: number): number => Math.round(value * 10) / 10
  return {
    mean: round(values.reduce((sum, value) => sum + value, 0) / values.length),
    least: round(sorted[0] ?? Number.NaN),
    most: round(sorted.at(-1) ?? Number.NaN),
  }
}

const seeds = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 20)
const folder = process.argv[process.argv.indexOf('--write') + 1]
const json = process.argv.includes('--json')
for (const scenario of SCENARIOS) {
  const reports: SimReport[] = []
  for (let seed = 1; seed <= seeds; seed++) reports.push(await run(scenario, seed))
  const fromMs = shockMs(scenario)
  const counts = reports.map((report) => within(report, fromMs, fromMs + WINDOW * INTERVAL_MS))
  const results = {
    scenario: scenario.name,
    seeds,
    'blocks in the first 60 T': summary(counts),
    'above 80': counts.filter((count) => count > 80).length,
    'intervals until locked': summary(reports.map((report) => lockedAfter(report, fromMs))),
  }
  process.stdout.write(
    json
      ? `${JSON.stringify(results)}\n`
      : `${Object.entries(results)
          .map(
            ([what, value]) =>
              `${what.padEnd(26)} ${typeof value === 'object' ? JSON.stringify(value) : value}`,
          )
          .join('\n')}\n\n`,
  )
  if (process.argv.includes('--write') && folder !== undefined && reports[0] !== undefined) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `${scenario.name}.svg`), plot(scenario, reports[0]))
  }
}
