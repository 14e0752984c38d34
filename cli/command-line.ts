/** Commands and options of `pinledger`, and what running one command line comes to. */
import { Command, type OutputConfiguration } from 'commander'
import { SOFTWARE } from '../node/runtime.ts'
import { addCarrierCommand } from './carrier.ts'
import { addChannelCommands } from './channels.ts'
import { addClockCommands } from './clock.ts'
import { addDoctorCommands } from './doctor.ts'
import { EXIT, exitCodeOf, explain } from './exit.ts'
import { addFlashCommands } from './flashing.ts'
import { addMarketCommands } from './market.ts'
import { addNetworkCommands } from './networks.ts'
import { example } from './options.ts'
import { addOutputCommands } from './outputs.ts'
import { addProgramCommands } from './programs.ts'
import { addSimulationCommand } from './simulation.ts'
import { addSplitCommands } from './splits.ts'
import { addStorageCommands } from './storage.ts'
import { addTradingCommands } from './trading.ts'
import { addWalletCommands } from './wallet.ts'
import { addWiringCommands } from './wiring.ts'

/** Where help and complaints go. */
export type Output = Required<Pick<OutputConfiguration, 'writeOut' | 'writeErr'>>

const STREAMS: Output = {
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
}

function createProgram(output: Output): Command {
  // Before the commands are added, which take these two from it.
  const program = new Command('pinledger').configureOutput(output).exitOverride()
  program
    .description('Sensors that sign, mine and pay over MQTT')
    .version(SOFTWARE)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options and an example)')
    .addHelpText('after', example('pinledger up', 'pinledger watch', 'pinledger verify --data .pinledger'))
  addProgramCommands(program)
  addCarrierCommand(program)
  addWalletCommands(program)
  addStorageCommands(program)
  addDoctorCommands(program)
  addSimulationCommand(program)
  addClockCommands(program)
  addNetworkCommands(program)
  addOutputCommands(program)
  addMarketCommands(program)
  addSplitCommands(program)
  addTradingCommands(program)
  addChannelCommands(program)
  addWiringCommands(program)
  addFlashCommands(program)
  return program
}

/** Runs a command line. The exit code, if it ended before its command could set `process.exitCode`. */
export async function runCommandLine(
  args: readonly string[],
  output: Output = STREAMS,
): Promise<number | undefined> {
  try {
    await createProgram(output).parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    const { code, exitCode } = error as { code?: unknown; exitCode?: number }
    if (typeof code === 'string' && code.startsWith('commander.'))
      return exitCode === 0 ? EXIT.ok : EXIT.usage
    output.writeErr(`${explain(error)}\n`)
    return exitCodeOf(error)
  }
}
