/** `pinledger split`: with whom an account shares what it earns. */
import { type Command, InvalidArgumentError } from 'commander'
import { PARTS } from '../ledger/split.ts'
import type { Shares } from '../ledger/state.ts'
import type { Account } from '../schemas/hex.ts'
import { SHARES_MAX } from '../schemas/transaction.ts'
import { checkNetwork } from './networks.ts'
import { account, coins, example, onNetwork, quiet } from './options.ts'

/** Ten thousandths in a percent. */
const PARTS_PER_PERCENT = 100

/** For an option that may stand several times: `ACCOUNT=30%`, to a hundredth of a percent. */
export function share(text: string, before: Shares = []): Shares {
  const [, owner = '', percent = ''] = /^([^=]*)=(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text) ?? []
  const parts = Math.round(Number(percent) * PARTS_PER_PERCENT)
  if (percent === '' || parts < 1 || parts > 100 * PARTS_PER_PERCENT)
    throw new InvalidArgumentError('expected an account and 0.01% to 100%, such as 8a88...6f5c=30%')
  if (before.length >= SHARES_MAX) throw new InvalidArgumentError(`expected at most ${SHARES_MAX} shares`)
  const to = account(owner)
  if (before.some((each) => each.account === to)) throw new InvalidArgumentError('expected each account once')
  if (before.reduce((sum, each) => sum + each.parts, parts) > PARTS)
    throw new InvalidArgumentError('expected at most 100% in all')
  return [...before, { account: to, parts }]
}

interface SharedOptions {
  readonly network?: string
  readonly broker: string
  readonly json: boolean
}

interface SetOptions extends SharedOptions {
  readonly key: string
  readonly share: Shares
  readonly fee?: number
  readonly wait: number
}

const KEY = '$(pinledger keygen --show friend.json)'

/** Adds split show, set and clear. */
export function addSplitCommands(program: Command): void {
  const split = program
    .command('split')
    .description('shares what an account earns with others: an owner, a site, a maintenance fund')
    .addHelpText(
      'after',
      `\nEarnings are payments, claims of channels and of hashlocks. Rewards for mining are not shared, nor is what a share brings.\n${example(
        `pinledger split set --key agent/key.json --share ${KEY}=30%`,
        `pinledger split show ${KEY}`,
      )}`,
    )
  onNetwork(
    split
      .command('show')
      .description('with whom an account shares, as a validator says')
      .argument('<account>', '64 hex digits', account),
  )
    .addHelpText('after', example(`pinledger split show ${KEY}`))
    .action(async (of: Account, { network, broker, json }: SharedOptions) => {
      checkNetwork(network)
      const { showSplit } = await import('./sharing.ts')
      process.exitCode = await showSplit({ url: broker }, network, of, json, quiet(json))
    })
  const change = (name: string, description: string) =>
    onNetwork(
      split
        .command(name)
        .description(description)
        .requiredOption('--key <file>', 'key file of the account that shares')
        .option('--fee <coins>', 'what a validator thinks that it takes when left out', coins),
      'how long to wait for a block',
    )
  const run = async ({ key, share: shares, fee, network, wait, broker, json }: SetOptions) => {
    checkNetwork(network)
    const { selfTest } = await import('../node/signing.ts')
    const { loadKey } = await import('../node/key-file.ts')
    const { setSplit } = await import('./sharing.ts')
    selfTest()
    const order = { shares, fee, network, waitSeconds: wait }
    process.exitCode = await setSplit({ url: broker }, loadKey(key), order, json, quiet(json))
  }
  change('set', 'shares what the account earns from now on, in place of what it shared before')
    .requiredOption('--share <account=percent>', 'whom with, up to 4 times; the rest stays', share)
    .addHelpText('after', example(`pinledger split set --key agent/key.json --share ${KEY}=12.5%`))
    .action(run)
  change('clear', 'keeps everything from now on')
    .addHelpText('after', example('pinledger split clear --key agent/key.json'))
    .action((options: Omit<SetOptions, 'share'>) => run({ ...options, share: [] }))
}
