/** The commands that run until they are stopped: the whole network, or one part of it. Each loads its part when it is called. */

import { type Command, Option } from 'commander'
import { PRESETS, type PresetName } from '../ledger/preset.ts'
import { systemClock } from '../node/clock.ts'
import { brokerConfig, validatorConfig } from '../schemas/config.ts'
import {
  BROKER_DEFAULT,
  DATA_DEFAULT,
  durationOption,
  example,
  jsonOption,
  port,
  slowRatioOption,
} from './options.ts'
import { running } from './program.ts'

/** Adds up, broker, validator and agent. */
export function addProgramCommands(program: Command): void {
  program
    .command('up')
    .description(
      'a whole network on this machine: broker, two validators, three agents that read its own sensors',
    )
    .option('--data <dir>', 'where everything is kept', DATA_DEFAULT)
    .addOption(
      new Option('--preset <name>', 'parameters of a network that is founded now')
        .choices(Object.keys(PRESETS))
        .default('bench'),
    )
    .addOption(slowRatioOption())
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--mqtt-port <port>', '0: any free one', port, 1883)
    .option('--ws-port <port>', 'MQTT over WebSocket, 0: any free one', port, 0)
    .option('--http-port <port>', 'health and metrics, 0: any free one', port, 0)
    .option('--no-guest', 'leave out the guest who buys light and readings now and then')
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger up --duration 60', 'pinledger up --mqtt-port 0 --data /tmp/lab --json'),
    )
    .action(
      async (options: {
        data: string
        preset: PresetName
        slowRatio: number
        host: string
        mqttPort: number
        wsPort: number
        httpPort: number
        duration?: number
        json: boolean
        guest: boolean
      }) => {
        const run = running({ name: 'up', json: options.json, level: 'info', duration: options.duration })
        const { upCommand } = await import('./up.ts')
        const code = await upCommand(options, process.argv[1] ?? '', run.signal).finally(run.end)
        process.exitCode = code
      },
    )

  program
    .command('broker')
    .description('the MQTT broker alone')
    .option('--config <file>', 'YAML configuration')
    .option('--host <address>', 'address to listen on')
    .option('--mqtt-port <port>', '0: any free one', port)
    .option('--ws-port <port>', 'MQTT over WebSocket', port)
    .option('--http-port <port>', 'health and metrics', port)
    .option('--validator <account...>', 'account that may publish the system topics')
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger broker --validator $(pinledger keygen --show validator/key.json)'),
    )
    .action(
      async ({
        config: file,
        validator,
        duration,
        json,
        ...rest
      }: {
        config?: string
        validator?: string[]
        duration?: number
        json: boolean
      }) => {
        const { runBroker } = await import('../broker/main.ts')
        const { configure, given } = await import('./configure.ts')
        const config = configure(brokerConfig, file, given({ ...rest, validators: validator }))
        const run = running({ name: 'broker', json, level: 'info', duration })
        await runBroker(config, {
          log: run.log,
          signal: run.signal,
          onReady: (ports) => run.ready({ ...ports }),
        }).finally(run.end)
      },
    )

  program
    .command('validator')
    .description('checks everything on a broker and keeps the ledger')
    .option('--config <file>', 'YAML configuration')
    .option('--name <name>', 'in words')
    .option('--data <dir>', 'directory for its key and ledger')
    .option('--genesis <file>', 'the network; needed on the first start')
    .option('--broker <url>', `address of the broker, such as ${BROKER_DEFAULT}`)
    .option('--host <address>', 'address for HTTP')
    .option('--http-port <port>', 'health and metrics', port)
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger validator --data v3 --genesis .pinledger/genesis.json --broker mqtt://192.168.1.10'),
    )
    .action(
      async ({
        config: file,
        broker,
        duration,
        json,
        ...rest
      }: {
        config?: string
        broker?: string
        duration?: number
        json: boolean
      }) => {
        const { runValidator } = await import('../broker/validator-main.ts')
        const { configure, given } = await import('./configure.ts')
        const config = configure(
          validatorConfig,
          file,
          given({ ...rest, broker: broker === undefined ? undefined : { url: broker } }),
        )
        const run = running({ name: config.name, json, level: 'info', duration })
        await runValidator(config, {
          log: run.log,
          clock: systemClock(),
          random: Math.random,
          signal: run.signal,
          onReady: run.ready,
        }).finally(run.end)
      },
    )

  program
    .command('agent')
    .description('an edge agent: sensors, wallet and miner')
    .requiredOption('--config <file>', 'YAML configuration')
    .option('--data <dir>', 'directory for key, ledger and outbox')
    .option('--genesis <file>', 'the network; needed on the first start')
    .option('--broker <url>', 'address of the broker')
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger agent --config .pinledger/agent-1.yaml'))
    .action(
      async ({
        config: file,
        broker,
        duration,
        json,
        ...rest
      }: {
        config: string
        broker?: string
        duration?: number
        json: boolean
      }) => {
        const { runAgent } = await import('../edge-agent/agent-main.ts')
        const { configure, given } = await import('./configure.ts')
        const { agentConfig } = await import('../edge-agent/config.ts')
        const config = configure(
          agentConfig,
          file,
          given({ ...rest, broker: broker === undefined ? undefined : { url: broker } }),
        )
        const run = running({ name: config.name, json, level: 'info', duration })
        await runAgent(config, {
          log: run.log,
          clock: systemClock(),
          random: Math.random,
          signal: run.signal,
          onReady: run.ready,
        }).finally(run.end)
      },
    )
}
