/** The command `pinledger buy readings`; its work is in buy-readings-command.ts. */
import { type Command, Option } from 'commander'
import { loadKey } from '../node/key-file.ts'
import { selfTest } from '../node/signing.ts'
import { checkNetwork } from './networks.ts'
import { coins, example, onNetwork, quiet, whole } from './options.ts'
import { running } from './program.ts'

/** What `buy readings` takes. */
interface ReadingsOptions {
  readonly of: string
  readonly key: string
  readonly network?: string
  readonly wait: number
  readonly broker: string
  readonly json: boolean
  readonly count: number
  readonly price?: number
  readonly deposit?: number
  readonly mode: 'payword' | 'signed'
  readonly delay: number
  readonly keep: boolean
}

/** Adds buy readings. */
export function addReadings(buy: Command): void {
  onNetwork(
    buy
      .command('readings')
      .description('buys readings one by one through a channel, and closes it')
      .argument('<sensor>', 'the sensor')
      .requiredOption('--of <seller>', 'its account, or the name of a device that is online')
      .requiredOption(
        '--key <file>',
        'key file of the buyer; what it must not forget goes into a directory beside it',
      )
      .requiredOption('--count <readings>', 'how many', whole)
      .option('--price <coins>', 'for each reading; what the seller offers when left out', coins)
      .option(
        '--deposit <coins>',
        'what a new channel holds; as many readings as are bought when left out',
        coins,
      )
      .addOption(
        new Option('--mode <mode>', 'pays by words of a hash chain, or by signatures')
          .choices(['payword', 'signed'])
          .default('payword'),
      )
      .option('--delay <blocks>', 'blocks to wait for what is left, if the seller does not close', whole, 120)
      .option('--keep', 'leave the channel open for the next time', false),
    'how long to wait for blocks and for each reading',
  )
    .addHelpText('after', example('pinledger buy readings soil --of agent-2 --count 10 --key visitor.json'))
    .action(async (sensor: string, options: ReadingsOptions) => {
      process.exitCode = await readings(sensor, options)
    })
}

async function readings(sensor: string, options: ReadingsOptions): Promise<number> {
  const { of, key, count, price, deposit, mode, delay, keep, network, wait, broker, json } = options
  checkNetwork(network)
  selfTest()
  const signer = loadKey(key)
  const log = quiet(json)
  const where = { url: broker }
  const { findSeller } = await import('./seller.ts')
  const { readingsCommand } = await import('./buy-readings-command.ts')
  const seller = await findSeller(where, of, log)
  const run = running({ name: 'buy', json, level: 'warn' })
  const order = { seller, sensor, count, network, waitSeconds: wait }
  const terms = { price, deposit, mode, delay, keep }
  return readingsCommand(
    where,
    signer,
    key,
    { ...order, ...terms },
    { json, log, signal: run.signal },
  ).finally(run.end)
}
