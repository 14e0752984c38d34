/** The commands for payment channels. Each command's work is in its own file, loaded when it is called. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { loadKey } from '../node/key-file.ts'
import { selfTest } from '../node/signing.ts'
import { name } from '../schemas/field.ts'
import type { Hash } from '../schemas/hex.ts'
import { checkNetwork } from './networks.ts'
import { coins, durationOption, example, onNetwork, quiet, seconds, transactionId, whole } from './options.ts'
import { running } from './program.ts'

interface Shared {
  readonly network?: string
  readonly broker: string
  readonly json: boolean
}

interface Changing extends Shared {
  readonly key: string
  readonly fee?: number
  readonly wait: number
}

interface OpenOptions extends Changing {
  readonly of: string
  readonly sensor: string
  readonly price: number
  readonly deposit: number
  readonly delay: number
  readonly mode: 'payword' | 'signed'
}

const sensorName = (text: string): string => {
  if (!name.json.safeParse(text).success) throw new InvalidArgumentError('expected a sensor, such as soil')
  return text
}

const share = (text: string): number => {
  const value = Number(text)
  if (!(value >= 0 && value < 1)) throw new InvalidArgumentError('expected 0 to below 1, such as 0.5')
  return value
}

/** Adds channel open, list, close and watch. */
export function addChannelCommands(program: Command): void {
  const channel = program
    .command('channel')
    .description('payment channels: coins put aside for a seller, of which it is granted ever more')
    .addHelpText('after', example('pinledger channel list --key visitor.json'))
  const changing = (command: Command): Command =>
    onNetwork(
      command
        .option('--fee <coins>', 'what a validator thinks that it takes when left out', coins)
        .option('--wait <seconds>', 'how long to wait for a block', seconds, 120),
    )

  changing(
    channel
      .command('open')
      .description('puts coins into a channel, for readings to be bought with later')
      .requiredOption(
        '--key <file>',
        'key file of the buyer; what it must not forget goes into a directory beside it',
      )
      .requiredOption('--of <seller>', 'its account, or the name of a device that is online')
      .requiredOption('--sensor <sensor>', 'whose readings', sensorName)
      .requiredOption('--price <coins>', 'for each reading', coins)
      .requiredOption('--deposit <coins>', 'what is put in', coins)
      .option('--delay <blocks>', 'blocks from the wish to close to the end', whole, 120)
      .addOption(
        new Option('--mode <mode>', 'pays by words of a hash chain, or by signatures')
          .choices(['payword', 'signed'])
          .default('payword'),
      ),
  )
    .addHelpText(
      'after',
      example(
        'pinledger channel open --key visitor.json --of agent-2 --sensor soil --price 0.001 --deposit 1',
      ),
    )
    .action(
      async ({
        key,
        of,
        sensor,
        price,
        deposit,
        delay,
        mode,
        fee,
        network,
        wait,
        broker,
        json,
      }: OpenOptions) => {
        checkNetwork(network)
        selfTest()
        const { findSeller } = await import('./seller.ts')
        const { openBooks } = await import('./channel-books.ts')
        const { checkPrice, openChannel } = await import('./channel-open.ts')
        const [where, log] = [{ url: broker }, quiet(json)]
        const seller = await findSeller(where, of, log)
        const order = { seller, sensor, price, deposit, delay, mode, fee, network, waitSeconds: wait }
        await checkPrice(where, order, log)
        const books = openBooks(key)
        process.exitCode = await openChannel(where, loadKey(key), books.log, order, json, log).finally(
          books.close,
        )
      },
    )

  onNetwork(
    channel
      .command('list')
      .description("one's own channels: what is paid, what the ledger has of it, and when they close")
      .option('--key <file>', 'key file of a person')
      .option('--data <dir>', "an agent's data directory, also while it runs"),
  )
    .addHelpText('after', example('pinledger channel list --data .pinledger/agent-3'))
    .action(async ({ key, data, network, broker, json }: Shared & { key?: string; data?: string }) => {
      checkNetwork(network)
      const { readBooks, signerOf } = await import('./channel-books.ts')
      const { listChannels } = await import('./channel-list.ts')
      const whose = { key, data }
      process.exitCode = await listChannels(
        { url: broker },
        signerOf(whose),
        readBooks(whose),
        network,
        json,
        quiet(json),
      )
    })

  changing(
    channel
      .command('close')
      .description('the payer: wishes to close, and closes when the delay is over; the payee: closes')
      .argument('<channel>', 'its id, 64 hex digits', transactionId)
      .requiredOption('--key <file>', 'key file of the payer or the payee'),
  )
    .addHelpText('after', example('pinledger channel close 5c0f...e1 --key visitor.json'))
    .action(async (id: Hash, { key, fee, network, wait, broker, json }: Changing) => {
      checkNetwork(network)
      selfTest()
      const { closeChannel } = await import('./channel-open.ts')
      const order = { fee, network, waitSeconds: wait }
      process.exitCode = await closeChannel({ url: broker }, loadKey(key), id, order, json, quiet(json))
    })

  onNetwork(
    channel
      .command('watch')
      .description('claims for sellers that are away, when their channels are closing; pays the fees')
      .requiredOption('--key <file>', 'key file of the watcher')
      .option('--patience <share>', 'part of the delay that sellers have for themselves, 0 to 1', share, 0.5)
      .addOption(durationOption()),
  )
    .addHelpText('after', example('pinledger channel watch --key watcher.json'))
    .action(async (options: Shared & { key: string; patience: number; duration?: number }) => {
      const { key, patience, duration, network, broker, json } = options
      checkNetwork(network)
      selfTest()
      const { watchChannels } = await import('./channel-watch.ts')
      const run = running({ name: 'channel watch', json, level: 'warn', duration })
      const say = (fields: object, text: string): void =>
        void process.stdout.write(`${json ? JSON.stringify(fields) : text}\n`)
      const what = { network, patience, json }
      const modules = { signal: run.signal, log: quiet(json), say }
      process.exitCode = await watchChannels({ url: broker }, loadKey(key), what, modules).finally(run.end)
    })
}
