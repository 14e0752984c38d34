/** Commands and options of `pinledger`, and what running one command line comes to. */
import { Command, type OutputConfiguration } from 'commander'
import { SOFTWARE } from '../node/runtime.ts'
import { EXIT, exitCodeOf, explain } from './exit.ts'
import { example } from './options.ts'
import { addProgramCommands } from './programs.ts'

/** Where help and complaints go. */
export type Output = Required<Pick<OutputConfiguration, 'writeOut' | 'writeErr'>>

const STREAMS: Output = {
  writeOut: (text) => process.stdout.write(text),
  writeErr: (text) => process.stderr.write(text),
}

/** The commands that run for years: what starts after every crash and power cut does not first load the declarations of all others. */
const PROGRAMS: readonly unknown[] = ['up', 'broker', 'validator', 'agent']

async function createProgram(args: readonly string[], output: Output): Promise<Command> {
  // Before the commands are added, which take these two from it.
  const program = new Command('pinledger').configureOutput(output).exitOverride()
  program
    .description('Sensors that sign, mine and pay over MQTT')
    .version(SOFTWARE)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options and an example)')
    .addHelpText('after', example('pinledger up', 'pinledger watch', 'pinledger verify --data .pinledger'))
  addProgramCommands(program)
  if (!PROGRAMS.includes(args[0])) (await import('./commands.ts')).addCommands(program)
  return program
}

/** Runs a command line. The exit code, if it ended before its command could set `process.exitCode`. */
export async function runCommandLine(
  args: readonly string[],
  output: Output = STREAMS,
): Promise<number | undefined> {
  try {
    const program = await createProgram(args, output)
    await program.parseAsync(args, { from: 'user' })
    return undefined
  } catch (error) {
    const { code, exitCode } = error as { code?: unknown; exitCode?: number }
    if (typeof code === 'string' && code.startsWith('commander.'))
      return exitCode === 0 ? EXIT.ok : EXIT.usage
    output.writeErr(`${explain(error)}\n`)
    return exitCodeOf(error)
  }
}
