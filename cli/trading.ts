/** The commands that buy by hand: `pinledger buy ...`. */
import { type Command, Option } from 'commander'
import { WorldError } from '../node/error.ts'
import { loadKey } from '../node/key-file.ts'
import type { Log } from '../node/log.ts'
import { selfTest } from '../node/signing.ts'
import type { Item, ItemKind } from '../schemas/receipt-memo.ts'
import type { Purchase, Say, Step } from './buying.ts'
import { EXIT } from './exit.ts'
import { addFileCommands } from './file-commands.ts'
import { checkNetwork } from './networks.ts'
import { coins, example, minutes, onNetwork, quiet, whole } from './options.ts'
import { running } from './program.ts'
import { addReadings } from './readings.ts'
import type { Where } from './sender.ts'
import type { Reading } from './topic-reader.ts'

interface BuyOptions {
  readonly of: string
  readonly key: string
  /** Whole seconds. */
  readonly minutes?: number
  readonly seconds?: number
  /** Smallest units. */
  readonly maxCoins?: number
  readonly coins?: number
  readonly network?: string
  readonly wait: number
  readonly broker: string
  readonly json: boolean
}

const HOW = `
With --minutes or --seconds the price comes from the seller's signed offer, the one that pinledger market shows; with
--coins the seller decides how long that is. Each step is a line: the price, paid, confirmed, the seller's receipt or
why the coins come back. How a payment is settled is the seller's rule, and the same for all: docs/TRADE.md.
`

/** Adds buy with what can be bought: for a time, and files. */
export function addTradingCommands(program: Command): void {
  const buy = program
    .command('buy')
    .description('buys from a device: an output or a paid topic for a time, readings one by one, or a file')
    .addHelpText('after', example('pinledger buy output lamp --of agent-1 --minutes 1 --key visitor.json'))
  const common = (command: Command): Command =>
    onNetwork(
      command
        .requiredOption(
          '--of <seller>',
          'its account, or its name: of the one seller that offers so, with --coins of one that is online',
        )
        .requiredOption('--key <file>', 'key file of the buyer')
        .addOption(
          new Option('--minutes <minutes>', 'for how long, at the price that is offered')
            .argParser(minutes)
            .conflicts(['seconds', 'coins']),
        )
        .addOption(
          new Option('--seconds <seconds>', 'the same in whole seconds').argParser(whole).conflicts('coins'),
        )
        .option('--max-coins <coins>', 'what it may cost, without the fee; more is not paid', coins)
        .addOption(
          new Option('--coins <coins>', 'pay so much instead, whatever is offered')
            .argParser(coins)
            .conflicts('maxCoins'),
        ),
      'how long to wait for blocks and the seller',
    )
  common(
    buy
      .command('output')
      .description('pays for a relay or LED, and waits for the receipt and its block')
      .argument('<name>', 'the output'),
  )
    .addHelpText(
      'after',
      HOW + example('pinledger buy output lamp --of agent-1 --minutes 1 --key visitor.json'),
    )
    .action(async (name: string, options: BuyOptions) => {
      process.exitCode = await buyItem('on', name, options)
    })
  common(
    buy
      .command('topic')
      .description("pays for a sensor's paid topic, and prints its readings until the time is over")
      .argument('<sensor>', 'the sensor'),
  )
    .addHelpText(
      'after',
      HOW + example('pinledger buy topic soil --of agent-2 --minutes 5 --key visitor.json'),
    )
    .action(async (name: string, options: BuyOptions) => {
      process.exitCode = await buyItem('topic', name, options)
    })
  addFileCommands(buy)
  addReadings(buy)
}

async function buyItem(kind: ItemKind, name: string, options: BuyOptions): Promise<number> {
  const { key, network, wait, broker, json } = options
  checkNetwork(network)
  selfTest()
  if (timeOf(options) === undefined && options.coins === undefined)
    throw new WorldError('usage', 'say for how long with --minutes or --seconds, or how much with --coins')
  const signer = loadKey(key)
  const log = quiet(json)
  const where = { url: broker }
  const { buyOutput, describeStep } = await import('./buying.ts')
  const item = { kind, name }
  const out = (text: string): void => void process.stdout.write(`${text}\n`)
  const say = (step: Step): void => out(json ? JSON.stringify(step) : describeStep(step, { item }))
  const terms = await termsFor(where, item, options, say, log)
  if (terms === undefined) return EXIT.no
  const purchase: Purchase = { item, ...terms, waitSeconds: wait }
  if (kind === 'on') {
    // A child ends with who started it; the channel to that one does not keep it from ending by itself.
    const gone = (): never => process.exit(EXIT.no)
    if (process.connected === false) gone()
    process.once('disconnect', gone)
    process.channel?.unref()
    return buyOutput(where, signer, purchase, say, log)
  }
  const { buyTopic } = await import('./buy-topic.ts')
  const run = running({ name: 'buy', json, level: 'warn' })
  const onReading = (reading: Reading): void => {
    const { sensor, value, unit, time } = reading
    const at = new Date(time).toISOString()
    out(
      json
        ? JSON.stringify({ step: 'reading', ...reading, time: at })
        : `${at.slice(11, 19)} ${sensor} ${value} ${unit}`,
    )
  }
  return buyTopic(where, signer, purchase, {
    say,
    onReading,
    log,
    now: Date.now,
    signal: run.signal,
  }).finally(run.end)
}

/** Whole seconds. */
const timeOf = (options: BuyOptions): number | undefined => options.minutes ?? options.seconds

/** Who is paid how much, on which network; undefined when that is more than is wanted, which was said. */
async function termsFor(
  where: Where,
  { kind, name }: Item,
  options: BuyOptions,
  say: Say,
  log: Log,
): Promise<Pick<Purchase, 'seller' | 'amount' | 'network'> | undefined> {
  const { of, coins: amount, maxCoins: coinsMax, network } = options
  const time = timeOf(options)
  if (time === undefined) {
    const { findSeller } = await import('./seller.ts')
    return { seller: await findSeller(where, of, log), amount: amount ?? 0, network }
  }
  const { findTimedPrice } = await import('./timed-price.ts')
  const found = await findTimedPrice(where, { of, kind, name }, { seconds: time, coinsMax }, network, log)
  if (!found.ok) {
    say({ step: 'refused', reason: found.fault.message })
    return undefined
  }
  const { network: genesis, ...price } = found.value
  say({ step: 'offered', ...price })
  return { seller: price.seller, amount: price.amount, network: genesis }
}
