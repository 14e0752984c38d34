/** The commands on clocks made of proof of work; each loads its work when it is called. */
import { type Command, InvalidArgumentError } from 'commander'
import { addExperimentCommands } from './clock-experiments.ts'
import type { LabOptions } from './clock-lab.ts'
import { addMomentCommands } from './clock-moments.ts'
import { example, hours, jsonOption, whole } from './options.ts'

/** T and half-life as a genesis can hold them. */
const INTERVAL_SECONDS = { min: 0.1, max: 4_000_000 } as const
const HALF_LIFE_MAX = 65_535
/** Ticks of true time: some ten seconds on a small Pi. */
const TICKS_MAX = 200_000

const number =
  (min: number, max: number, what: string, isWhole: boolean) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !(value >= min && value <= max) || (isWhole && !Number.isInteger(value)))
      throw new InvalidArgumentError(`expected ${what} from ${min} to ${max}`)
    return value
  }

/** A genesis counts it in whole milliseconds. */
const intervalSeconds = (text: string): number =>
  Math.round(1000 * number(INTERVAL_SECONDS.min, INTERVAL_SECONDS.max, 'seconds', false)(text)) / 1000

/** Adds clock with its commands. */
export function addClockCommands(program: Command): void {
  const clock = program
    .command('clock')
    .description('clocks whose ticks are proof of work')
    .addHelpText('after', example('pinledger clock lab', 'pinledger clock lab --trace step --out plots'))
  clock
    .command('lab')
    .description('runs difficulty rules side by side on one hash-rate trace: how good a clock is each?')
    .option(
      '--trace <trace>',
      'steady, step, outage, daily, come-and-go, or what was recorded: a file, or the data directory of a ledger',
      'step',
    )
    .option(
      '--ticks <count>',
      'how long, in intervals of true time; by default as long as the trace is',
      number(100, TICKS_MAX, 'ticks', true),
    )
    .option('--hours <hours>', 'the same in hours', hours)
    .option('--interval <seconds>', 'T, the time between ticks that rules steer to', intervalSeconds, 10)
    .option(
      '--half-life <ticks>',
      'of both ASERT rules: a deviation of T each doubles the target in so many ticks',
      number(1, HALF_LIFE_MAX, 'ticks', true),
      64,
    )
    .option('--seed <number>', 'decides the luck, the same for all rules', whole, 1)
    .option('--out <dir>', 'where to write the plots clock-drift.svg and clock-interval.svg')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\ndocs/CLOCKCHAIN.md explains the rules, the columns, and how to record a trace.\n${example(
        'pinledger clock lab',
        'pinledger clock lab --trace outage --out plots',
        'pinledger watch --json > class.jsonl   # for some hours, then',
        'pinledger clock lab --trace class.jsonl --interval 4',
      )}`,
    )
    .action(async (options: LabOptions) => {
      const { labCommand } = await import('./clock-lab.ts')
      labCommand(options, {
        out: (text) => process.stdout.write(text),
        err: (text) => process.stderr.write(text),
        nowMs: () => performance.now(),
      })
    })
  addMomentCommands(clock)
  addExperimentCommands(clock)
}
