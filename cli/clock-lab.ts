/** `pinledger clock lab`: difficulty rules on one hash-rate trace, as a table and as plots. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WorldError } from '../node/error.ts'
import { figuresOf } from '../sim/lab/figures.ts'
import { type Drawn, drawn, plots } from '../sim/lab/plots.ts'
import { createRules, HASHES_MIN } from '../sim/lab/rules.ts'
import { run } from '../sim/lab/run.ts'
import { firstRate, SCENARIOS, scenario, shocks, type Trace } from '../sim/lab/trace.ts'
import { heading, jsonLine, type Result, table } from './clock-lab-table.ts'
import { readTrace } from './clock-trace.ts'

export interface LabOptions {
  /** A simulated one by its name, or a file, or a data directory. */
  readonly trace: string
  readonly ticks?: number
  readonly hours?: number
  /** T, seconds. */
  readonly interval: number
  readonly halfLife: number
  readonly seed: number
  readonly out?: string
  readonly json: boolean
}

export interface LabModules {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly nowMs: () => number
}

export const PLOT_FILES = { drift: 'clock-drift.svg', interval: 'clock-interval.svg' } as const

/** Longest run, in intervals of true time. */
const INTERVALS_MAX = 1_000_000
/** From then on somebody who waits is told how far it is, and how often. */
const PATIENCE_MS = 2000
const TELL_MS = 1000

/** Throws WorldError `usage`, `config` or `store-write`. */
export function labCommand(options: LabOptions, { out, err, nowMs }: LabModules): void {
  const { interval, halfLife, seed, json } = options
  const intervalMs = Math.round(interval * 1000)
  const trace = traceOf(options)
  const seconds = secondsOf(options, trace)
  const firstHashes = firstRate(trace) * interval
  if (firstHashes < HASHES_MIN) {
    throw new WorldError(
      'usage',
      `trace ${options.trace}: at its first rate, ${firstRate(trace)} hashes a second, a tick of ${interval} s takes fewer than ${HASHES_MIN} hashes, the easiest that the rules know: choose a longer --interval`,
    )
  }
  const startedMs = nowMs()
  let toldMs = startedMs + PATIENCE_MS - TELL_MS
  const moments = shocks(trace, seconds)
  const results: Result[] = []
  const lines: Drawn[] = []
  for (const rule of createRules({ intervalMs, halfLife, firstHashes })) {
    const onProgress = (share: number): void => {
      if (json || nowMs() - toldMs < TELL_MS) return
      toldMs = nowMs()
      err(`${rule.name}: ${Math.floor(share * 100)} %\n`)
    }
    const ran = run(rule, { seed, trace, seconds, onProgress })
    results.push({ rule: rule.name, figures: figuresOf(ran, intervalMs, moments) })
    if (options.out !== undefined) lines.push(drawn(ran, intervalMs))
  }
  const facts = { trace: trace.name, seconds, interval, halfLife, seed, shocks: moments }
  if (json) for (const result of results) out(jsonLine(facts, result))
  else out(`${heading(facts)}\n\n${table(results)}`)
  if (options.out !== undefined) {
    const files = write(options.out, plots(lines, { trace, seconds, intervalMs }))
    if (!json) out(`\nplots: ${files.join(', ')}\n`)
  } else if (!json) out('\nplots: add --out DIR\n')
}

function traceOf({ trace, interval }: LabOptions): Trace {
  const simulated = SCENARIOS.find((name) => name === trace)
  return simulated === undefined ? readTrace(trace) : scenario(simulated, interval)
}

function secondsOf({ ticks, hours, interval }: LabOptions, trace: Trace): number {
  if (ticks !== undefined && hours !== undefined)
    throw new WorldError('usage', '--ticks and --hours say the same thing: give one of them')
  const seconds = ticks !== undefined ? ticks * interval : hours !== undefined ? hours * 3600 : trace.seconds
  if (seconds / interval > INTERVALS_MAX) {
    throw new WorldError(
      'usage',
      `${Math.round(seconds)} s are more than ${INTERVALS_MAX} intervals of ${interval} s: ask for less with --hours, or choose a longer --interval`,
    )
  }
  return seconds
}

function write(directory: string, texts: Record<keyof typeof PLOT_FILES, string>): readonly string[] {
  try {
    mkdirSync(directory, { recursive: true })
    return (['drift', 'interval'] as const).map((which) => {
      const path = join(directory, PLOT_FILES[which])
      writeFileSync(path, texts[which])
      return path
    })
  } catch (error) {
    throw new WorldError(
      'store-write',
      `cannot write the plots to ${directory}: ${String(error)}; choose another --out`,
      error,
    )
  }
}
