/** The commands that buy by hand: `pinledger buy ...`. */
import type { Command } from 'commander'
import { WorldError } from '../node/error.ts'
import { loadKey } from '../node/key-file.ts'
import { selfTest } from '../node/signing.ts'
import type { ItemKind } from '../schemas/receipt-memo.ts'
import type { Purchase, Step } from './buying.ts'
import { addFileCommands } from './file-commands.ts'
import { checkNetwork } from './networks.ts'
import { brokerOption, coins, example, jsonOption, quiet, seconds } from './options.ts'
import { running } from './program.ts'
import { addReadings } from './readings.ts'
import type { Reading } from './topic-reader.ts'

interface BuyOptions {
  readonly of: string
  readonly key: string
  readonly coins?: number
  readonly network?: string
  readonly wait: number
  readonly broker: string
  readonly json: boolean
}

const HOW = `
Each step is a line: paid, confirmed, the seller's receipt or why the coins come back. What is sold for how much and
how a payment is settled is the seller's rule, and the same for all: docs/TRADE.md.
`

/** Adds buy with what can be bought: for a time, and files. */
export function addTradingCommands(program: Command): void {
  const buy = program
    .command('buy')
    .description('buys from a device: an output or a paid topic for a time, readings one by one, or a file')
    .addHelpText('after', example('pinledger buy output lamp --of agent-1 --coins 0.5 --key visitor.json'))
  const common = (command: Command): Command =>
    command
      .requiredOption('--of <seller>', 'its account, or the name of a device that is online')
      .requiredOption('--key <file>', 'key file of the buyer')
      .requiredOption('--coins <coins>', 'how much to pay, such as 0.5', coins)
      .option('--network <hash>', 'genesis hash, or its first 8 digits, that the network must have')
      .option('--wait <seconds>', 'how long to wait for blocks and the seller', seconds, 120)
      .addOption(brokerOption())
      .addOption(jsonOption())
  common(
    buy
      .command('output')
      .description('pays for a relay or LED, and waits for the receipt and its block')
      .argument('<name>', 'the output'),
  )
    .addHelpText(
      'after',
      HOW + example('pinledger buy output lamp --of agent-1 --coins 0.5 --key visitor.json'),
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
      HOW + example('pinledger buy topic soil --of agent-2 --coins 0.02 --key visitor.json'),
    )
    .action(async (name: string, options: BuyOptions) => {
      process.exitCode = await buyItem('topic', name, options)
    })
  addFileCommands(buy)
  addReadings(buy)
}

async function buyItem(kind: ItemKind, name: string, options: BuyOptions): Promise<number> {
  const { of, key, coins: amount, network, wait, broker, json } = options
  checkNetwork(network)
  selfTest()
  if (amount === undefined) throw new WorldError('usage', '--coins: how much to pay, such as 0.5')
  const signer = loadKey(key)
  const log = quiet(json)
  const where = { url: broker }
  const { findSeller } = await import('./seller.ts')
  const { buyOutput, describeStep } = await import('./buying.ts')
  const seller = await findSeller(where, of, log)
  const purchase: Purchase = { item: { kind, name }, seller, amount, network, waitSeconds: wait }
  const out = (text: string): void => void process.stdout.write(`${text}\n`)
  const say = (step: Step): void => out(json ? JSON.stringify(step) : describeStep(step, purchase))
  if (kind === 'on') return buyOutput(where, signer, purchase, say, log)
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
