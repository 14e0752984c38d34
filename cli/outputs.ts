/** The commands for the outputs of an agent that does not run. */
import type { Command } from 'commander'
import { EXIT } from './exit.ts'
import { example, jsonOption } from './options.ts'

interface SafeOptions {
  readonly config: string
  readonly data?: string
  readonly json: boolean
}

/** Adds outputs safe. */
export function addOutputCommands(program: Command): void {
  const outputs = program
    .command('outputs')
    .description('relays and LEDs of an agent')
    .addHelpText('after', example('pinledger outputs safe --config agent.yaml'))
  outputs
    .command('safe')
    .description(
      'sets all outputs of a configuration to their safe state, once: for a service manager, after the agent has ended',
    )
    .requiredOption('--config <file>', "the agent's YAML configuration")
    .option('--data <dir>', 'as for the agent, if it was given there')
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger outputs safe --config agent.yaml'))
    .action(async (options: SafeOptions) => {
      process.exitCode = await safe(options, (text) => process.stdout.write(text))
    })
}

async function safe({ config: file, data, json }: SafeOptions, out: (text: string) => void): Promise<number> {
  const { agentConfig } = await import('../edge-agent/config.ts')
  const { openAccess, thisGpio } = await import('../edge-agent/gpio/access.ts')
  const { guardLine } = await import('../edge-agent/outputs/config.ts')
  const { placeOf } = await import('../edge-agent/outputs/guarded-line.ts')
  const { holder, setSafe } = await import('../edge-agent/outputs/safe.ts')
  const { openDataDir } = await import('../node/data-dir.ts')
  const { configure, given } = await import('./configure.ts')
  const config = configure(agentConfig, file, given({ data }))
  // An agent that runs knows better what its outputs should be.
  const directory = openDataDir(config.data)
  try {
    const say = (fields: object, text: string): void => out(`${json ? JSON.stringify(fields) : text}\n`)
    const guard = await holder(directory.path)
    if (guard !== undefined) {
      say(
        { guard },
        `process ${guard} holds the outputs in their safe state; to let go of them: kill ${guard}`,
      )
      return EXIT.ok
    }
    const outcomes = await setSafe(config.outputs.map(guardLine), (choice) => openAccess(thisGpio, choice))
    for (const { line, kind, fault } of outcomes) {
      const safe = line.safe === 1 ? 'on' : 'off'
      const where = 'file' in line ? { file: line.file } : { pin: line.pin }
      const what = `${line.name} (${placeOf(line)})`
      const outcome =
        fault ??
        (kind !== 'gpiod'
          ? `${safe}, and stays so`
          : `${safe} for a moment: a line of the character device is let go with the program that sets it, and is now what its resistors make it`)
      const stays = kind !== undefined && kind !== 'gpiod'
      say(
        { output: line.name, ...where, safe, set: fault === undefined, stays, fault },
        `${what}: ${outcome}`,
      )
    }
    if (outcomes.length === 0) say({}, `${file} has no outputs`)
    return outcomes.some(({ fault }) => fault !== undefined) ? EXIT.world : EXIT.ok
  } finally {
    directory.close()
  }
}
