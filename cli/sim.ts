/** `pinledger sim`: a whole network in virtual time, the real code under the faults of a seed. */
import { FAULT_KINDS, type FaultKind } from '../sim/faults.ts'
import { minimise } from '../sim/minimise.ts'
import { type SimOptions, type SimReport, World } from '../sim/world.ts'
import { EXIT } from './exit.ts'

export interface SimCommandOptions {
  readonly seed: number
  /** Seeds to run, from `seed` on. */
  readonly seeds: number
  readonly nodes: number
  readonly hours: number
  readonly faults: readonly FaultKind[]
  /** T, seconds. */
  readonly interval: number
  readonly only: readonly number[] | undefined
  readonly trace: boolean
  readonly json: boolean
}

/** Runs spent on making a failure smaller. */
const MINIMISE_RUNS_MAX = 60

export async function simCommand(options: SimCommandOptions): Promise<number> {
  const { seed, seeds, nodes, hours, interval, only, trace, json } = options
  const write = (line: string) => process.stdout.write(`${line}\n`)
  if (!json) {
    write(
      `${nodes} nodes, T = ${interval} s, ${hours} h each, faults: ${options.faults.join(', ') || 'none'}; ` +
        `seed ${seed}${seeds > 1 ? ` to ${seed + seeds - 1}` : ''}`,
    )
  }
  const startMs = performance.now()
  let virtualMs = 0
  for (let current = seed; current < seed + seeds; current++) {
    const sim: SimOptions = {
      seed: current,
      nodes,
      hours,
      kinds: new Set(options.faults),
      intervalMs: interval * 1000,
      only,
      onLine: trace ? write : undefined,
    }
    const begunMs = performance.now()
    const report = await new World(sim).run()
    virtualMs += report.virtualMs
    const speed = report.virtualMs / (performance.now() - begunMs)
    write(json ? jsonLine(current, report, speed) : textLine(current, report, speed))
    if (report.violation === undefined) continue
    await explain(options, sim, report, write)
    return EXIT.no
  }
  if (!json && seeds > 1) {
    const elapsedMs = performance.now() - startMs
    write(
      `${seeds} seeds passed: ${(virtualMs / 3_600_000).toFixed(1)} virtual hours in ${(elapsedMs / 1000).toFixed(0)} s, ` +
        `${(virtualMs / elapsedMs).toFixed(0)} times faster than real time`,
    )
  }
  return EXIT.ok
}

function textLine(seed: number, report: SimReport, speed: number): string {
  const { violation, faults, height, ticks, transactions, reorganisations, deepest, restarts, final } = report
  return (
    `seed ${String(seed).padStart(6)}  ${violation === undefined ? 'ok    ' : 'BROKEN'}  ${String(height).padStart(5)} blocks  ${String(ticks).padStart(4)} ticks  ` +
    `${String(transactions).padStart(5)} transactions  ${String(faults.length).padStart(3)} faults  ${String(restarts).padStart(3)} restarts  ` +
    `${String(reorganisations).padStart(4)} reorganisations (deepest ${deepest})  final ${final}  x${speed.toFixed(0)}`
  )
}

function jsonLine(seed: number, report: SimReport, speed: number): string {
  const { trace: _trace, blocks: _blocks, faults, ...facts } = report
  return JSON.stringify({ seed, ...facts, faults: faults.length, speed: Math.round(speed) })
}

/** What broke, the smallest way there that we find, and the command that shows it again. */
async function explain(
  options: SimCommandOptions,
  sim: SimOptions,
  report: SimReport,
  write: (line: string) => void,
): Promise<void> {
  const { violation } = report
  if (violation === undefined || options.json) return
  write(
    `\nbroken: ${violation.invariant}, at ${violation.node}, after ${(violation.atMs / 1000).toFixed(3)} s`,
  )
  write(`  ${violation.message}`)
  write(`  replay: ${command(options, sim.seed, options.only)}`)
  if (options.trace) return
  write('looking for the faults that are enough ...')
  const smallest = await minimise(sim, report, MINIMISE_RUNS_MAX, () => {})
  write(`${smallest.only.length} of ${report.faults.length} faults are enough (${smallest.runs} runs):`)
  write(`  replay: ${command(options, sim.seed, smallest.only)}`)
  for (const line of smallest.report.trace.slice(-60)) write(`  ${line}`)
}

function command(
  { nodes, hours, faults, interval }: SimCommandOptions,
  seed: number,
  only: readonly number[] | undefined,
): string {
  const kinds = faults.length === FAULT_KINDS.length ? 'all' : faults.join(',') || 'none'
  const rest = only === undefined ? '' : ` --only ${only.join(',') || 'none'}`
  return `pinledger sim --seed ${seed} --nodes ${nodes} --hours ${hours} --interval ${interval} --faults ${kinds}${rest} --trace`
}
