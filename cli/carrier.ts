/** `pinledger carrier`: joins the brokers of two sites whose ledgers share a slow hand. */
import type { Command } from 'commander'
import { systemClock } from '../node/clock.ts'
import { carrierConfig } from '../schemas/config.ts'
import { durationOption, example, jsonOption } from './options.ts'
import { running } from './program.ts'

interface CarrierOptions {
  readonly config?: string
  readonly name?: string
  readonly data?: string
  readonly genesis?: string
  readonly broker?: string
  readonly otherGenesis?: string
  readonly otherBroker?: string
  readonly duration?: number
  readonly json: boolean
}

/** Adds carrier. */
export function addCarrierCommand(program: Command): void {
  program
    .command('carrier')
    .description('carries the slow hand that two ledgers share between their brokers')
    .option('--config <file>', 'YAML configuration')
    .option('--name <name>', 'in words')
    .option('--data <dir>', 'directory for its key and the slow hand')
    .option('--genesis <file>', 'of one network')
    .option('--broker <url>', 'its broker')
    .option('--other-genesis <file>', 'of the other network, with the same slow hand')
    .option('--other-broker <url>', 'its broker')
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nBoth brokers have to know its account as a validator's: pinledger keygen DIR/key.json makes one and prints it.\n${example(
        'pinledger carrier --data carrier --genesis home.json --broker mqtt://home --other-genesis barn.json --other-broker mqtt://barn',
      )}`,
    )
    .action(async ({ config: file, broker, otherBroker, duration, json, ...rest }: CarrierOptions) => {
      const { runCarrier } = await import('../broker/carrier-main.ts')
      const { configure, given } = await import('./configure.ts')
      const address = (url: string | undefined) => (url === undefined ? undefined : { url })
      const options = given({ ...rest, broker: address(broker), otherBroker: address(otherBroker) })
      const config = configure(carrierConfig, file, options)
      const run = running({ name: config.name, json, level: 'info', duration })
      await runCarrier(config, {
        log: run.log,
        clock: systemClock(),
        random: Math.random,
        signal: run.signal,
        onReady: run.ready,
      }).finally(run.end)
    })
}
