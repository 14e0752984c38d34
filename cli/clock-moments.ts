/** The commands that say how good a clock a network is, and when something happened. */
import { type Command, Option } from 'commander'
import { selfTest } from '../node/signing.ts'
import type { Hash } from '../schemas/hex.ts'
import type { CheckOptions } from './clock-check.ts'
import type { ExportOptions } from './clock-export.ts'
import type { OrderOptions } from './clock-order.ts'
import type { WhenOptions } from './clock-when.ts'
import {
  brokerOption,
  DATA_DEFAULT,
  example,
  height,
  jsonOption,
  quiet,
  tickHash,
  transactionId,
} from './options.ts'

const knownTickOption = (): Option =>
  new Option(
    '--tick <hash>',
    'a tick that you know: it has to be the one before which all was there, or above it',
  ).argParser(tickHash)
const knownDataOption = (): Option =>
  new Option(
    '--data <dir>',
    "a program's data directory: the tick has to be on its slow hand, the block on its ledger",
  )

const files = (file: string, before: readonly string[] = []): readonly string[] => [...before, file]

/** Adds status, when, check, order and export. */
export function addMomentCommands(clock: Command): void {
  clock
    .command('status')
    .description(
      'how good a clock the network on a broker is: pace, drift, hand ratio, stale blocks, miners, alarms',
    )
    .addOption(brokerOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nEnds with 1 while a validator raises an alarm.\n${example('pinledger clock status')}`,
    )
    .action(async ({ broker, json }: { broker: string; json: boolean }) => {
      const { statusCommand } = await import('./clock-status.ts')
      const print = (text: string): void => void process.stdout.write(text)
      process.exitCode = await statusCommand({ url: broker }, json, quiet(json), print)
    })

  clock
    .command('when')
    .description('between which two ticks of the slow hand a transaction came, with a proof for others')
    .argument('<transaction>', 'id of a payment, a reading or a batch of readings', transactionId)
    .option('--data <dir>', 'data directory of a program, or of pinledger up', DATA_DEFAULT)
    .option('--height <height>', 'of its block; looked for when left out', height)
    .option('--sample <file>', "one reading of a batch: the JSON message of its sensor's sample/ topic")
    .option('--out <file>', 'where to write the proof; <first 8 digits>.moment when left out')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'pinledger clock when 8f1f13c7...2ad7',
        'pinledger clock check 8f1f13c7.moment --genesis genesis.json',
      ),
    )
    .action(async (transaction: Hash, options: WhenOptions) => {
      selfTest()
      const { whenCommand } = await import('./clock-when.ts')
      process.exitCode = whenCommand(transaction, options)
    })

  clock
    .command('check')
    .description('checks a proof of clock when, offline, with nothing but the genesis')
    .argument('<file>', 'the proof')
    .option('--genesis <file>', 'of the network', `${DATA_DEFAULT}/genesis.json`)
    .addOption(knownTickOption())
    .addOption(knownDataOption())
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger clock check 8f1f13c7.moment --genesis genesis.json'))
    .action(async (file: string, options: CheckOptions) => {
      selfTest()
      const { checkCommand } = await import('./clock-check.ts')
      process.exitCode = checkCommand(file, options)
    })

  clock
    .command('order')
    .description('which of two events came first, of one network or of two with one slow hand, offline')
    .argument('<file>', 'proof of clock when of one')
    .argument('<other>', 'of the other')
    .requiredOption(
      '--genesis <file>',
      "of the network of both, or twice: that of the first file's, that of the other's",
      files,
    )
    .addOption(knownTickOption())
    .addOption(knownDataOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nEnds with 1 when no tick lies between, or a proof does not hold.\n${example(
        'pinledger clock order door.moment gate.moment --genesis home.json --genesis barn.json',
      )}`,
    )
    .action(async (file: string, other: string, options: OrderOptions) => {
      selfTest()
      const { orderCommand } = await import('./clock-order.ts')
      process.exitCode = orderCommand([file, other], options)
    })

  clock
    .command('export')
    .description('one tick of the slow hand for a timestamp service of others, such as OpenTimestamps')
    .argument('<tick>', 'its height', height)
    .option('--data <dir>', 'data directory of a program, or of pinledger up', DATA_DEFAULT)
    .option('--out <file>', 'where to write it; tick-<height>.header when left out')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `\nThe file is the tick's header; its SHA-256 is what a calendar gets, and the SHA-256 of that is the tick's hash.\n${example('pinledger clock export 120', 'ots stamp tick-120.header')}`,
    )
    .action(async (tick: number, options: ExportOptions) => {
      selfTest()
      const { exportCommand } = await import('./clock-export.ts')
      process.exitCode = exportCommand(tick, options)
    })
}
