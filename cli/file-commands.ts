/** `buy file` and `buy refund`: both load their work when they are called. */
import type { Command } from 'commander'
import { WorldError } from '../node/error.ts'
import { loadKey } from '../node/key-file.ts'
import { selfTest } from '../node/signing.ts'
import { name as nameCodec } from '../schemas/field.ts'
import { checkNetwork } from './networks.ts'
import { coins, DATA_DEFAULT, example, hours, onNetwork, quiet } from './options.ts'

const PURCHASES_DEFAULT = `${DATA_DEFAULT}/purchases`
const HOURS_MAX_DEFAULT = 48

interface FileOptions {
  readonly of?: string
  readonly key: string
  readonly out?: string
  readonly maxCoins?: number
  readonly hoursMax: number
  readonly resume: boolean
  readonly purchases: string
  readonly network?: string
  readonly broker: string
  readonly json: boolean
}

/** Adds file and refund to `buy`. */
export function addFileCommands(buy: Command): void {
  onNetwork(
    buy
      .command('file')
      .description(
        'fetches a file encrypted, pays under a lock, and opens it with the key that the seller gives for that',
      )
      .argument('[name]', 'the file, as its seller calls it')
      .option('--of <seller>', 'its account, or the name of a device that is online')
      .requiredOption('--key <file>', 'key file of the buyer')
      .option('--out <file>', 'where the file goes; one that is there is never replaced')
      .option('--max-coins <coins>', 'what it may cost; without it only the price is shown', coins)
      .option('--hours-max <hours>', 'how long coins may be locked', hours, HOURS_MAX_DEFAULT)
      .option('--resume', 'go on with what was paid and is not finished', false)
      .option('--purchases <dir>', 'where unfinished purchases are kept', PURCHASES_DEFAULT),
  )
    .addHelpText(
      'after',
      `\nBefore it pays, the buyer knows of the content what the seller says, and no more: docs/TRADE.md, "Files".\n${example(
        'pinledger buy file day.bin --of agent-1 --key .pinledger/visitor.json --out day.bin --max-coins 0.5',
        'pinledger buy file --resume --key .pinledger/visitor.json',
      )}`,
    )
    .action(async (name: string | undefined, options: FileOptions) => {
      const { of: seller, key, out, maxCoins: coinsMax, hoursMax, resume, ...rest } = options
      const { purchases, network, broker, json } = rest
      checkNetwork(network)
      selfTest()
      const signer = loadKey(key)
      await withModules(json, async ({ commands, modules }) => {
        if (resume) {
          const order = { purchases, network, out, isPatient: true }
          return commands.openPurchasesCommand({ url: broker }, signer, order, modules)
        }
        if (name === undefined || seller === undefined || out === undefined)
          throw new WorldError('usage', 'expected NAME, --of and --out, or --resume')
        if (!nameCodec.json.safeParse(name).success)
          throw new WorldError(
            'usage',
            `NAME: files that are sold have names of a-z, 0-9, ".", "_", "-", got ${name}`,
          )
        const { findSeller } = await import('./seller.ts')
        const found = await findSeller({ url: broker }, seller, modules.log)
        const order = { seller: found, name, out, coinsMax, hoursMax, network, purchases }
        return commands.buyFileCommand({ url: broker }, signer, order, modules)
      })
    })

  onNetwork(
    buy
      .command('refund')
      .description('takes back what was paid for files whose key did not come before the deadline')
      .requiredOption('--key <file>', 'key file of the buyer')
      .option('--purchases <dir>', 'where unfinished purchases are kept', PURCHASES_DEFAULT),
  )
    .addHelpText(
      'after',
      `\nWhere the key has come in the meantime, the file is opened instead.\n${example('pinledger buy refund --key .pinledger/visitor.json')}`,
    )
    .action(async ({ key, purchases, network, broker, json }: Omit<FileOptions, 'resume' | 'hoursMax'>) => {
      checkNetwork(network)
      selfTest()
      const signer = loadKey(key)
      const order = { purchases, network, out: undefined, isPatient: false }
      await withModules(json, ({ commands, modules }) =>
        commands.openPurchasesCommand({ url: broker }, signer, order, modules),
      )
    })
}

type Commands = typeof import('./buy-file.ts')

/** Loads the work, and stops it when the person has had enough: what was begun is kept. */
async function withModules(
  json: boolean,
  work: (loaded: {
    commands: Commands
    modules: Parameters<Commands['buyFileCommand']>[3]
  }) => Promise<number>,
): Promise<void> {
  const commands = await import('./buy-file.ts')
  const { PurchaseProgress } = await import('./file-purchase/progress.ts')
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const print = (text: string): void => void process.stdout.write(text)
  const progress = new PurchaseProgress(
    { output: process.stderr, print, monotonic: () => performance.now() },
    json,
  )
  try {
    const modules = { progress, log: quiet(json), signal: controller.signal }
    process.exitCode = await work({ commands, modules })
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop)
  }
}
