#!/usr/bin/env node
/**
 * The program `pinledger`: commands, options and exit codes; each command's work is in its own file, loaded when it is
 * called, since loading all of them takes seconds on a small Pi.
 */
import { Command } from 'commander'
import { SOFTWARE } from '../node/runtime.ts'
import { addDoctorCommands } from './doctor.ts'
import { EXIT, exitCodeOf, explain } from './exit.ts'
import { addFlashCommands } from './flashing.ts'
import { addNetworkCommands } from './networks.ts'
import { example } from './options.ts'
import { addOutputCommands } from './outputs.ts'
import { addProgramCommands } from './programs.ts'
import { addSimulationCommand } from './simulation.ts'
import { addStorageCommands } from './storage.ts'
import { addWalletCommands } from './wallet.ts'

function createProgram(): Command {
  const program = new Command('pinledger')
    .description('Sensors that sign, mine and pay over MQTT')
    .version(SOFTWARE)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options and an example)')
    .addHelpText('after', example('pinledger up', 'pinledger watch', 'pinledger verify --data .pinledger'))
  addProgramCommands(program)
  addWalletCommands(program)
  addStorageCommands(program)
  addDoctorCommands(program)
  addSimulationCommand(program)
  addNetworkCommands(program)
  addOutputCommands(program)
  addFlashCommands(program)
  return program
}

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.ok)
})
process.on('uncaughtException', (error) => {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(EXIT.bug)
})
try {
  const program = createProgram()
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)]
  for (const command of all(program)) command.exitOverride()
  await program.parseAsync()
} catch (error) {
  const { code, exitCode } = error as { code?: unknown; exitCode?: number }
  if (typeof code === 'string' && code.startsWith('commander.'))
    process.exitCode = exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    process.stderr.write(`${explain(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
