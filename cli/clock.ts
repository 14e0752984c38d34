/** The commands on clocks made of proof of work; each loads its work when it is called. */
import type { Command } from 'commander'
import { addMomentCommands } from './clock-moments.ts'
import { example } from './options.ts'

/** Adds clock with its commands. */
export function addClockCommands(program: Command): void {
  const clock = program
    .command('clock')
    .description('clocks whose ticks are proof of work')
    .addHelpText('after', example('pinledger clock when 8f1f13c7...2ad7'))
  addMomentCommands(clock)
}
