/**
 * The commands that found a network and say who may mine on it. Each command's work is in its own file, loaded when it
 * is called.
 */
import { type Command, Option } from 'commander'
import { PRESETS } from '../ledger/preset.ts'
import { WorldError } from '../node/error.ts'
import { loadKey } from '../node/key-file.ts'
import { selfTest } from '../node/signing.ts'
import type { Account } from '../schemas/hex.ts'
import type { GenesisOptions } from './genesis.ts'
import {
  account,
  accounts,
  allocations,
  brokerOption,
  coins,
  example,
  jsonOption,
  onNetwork,
  quiet,
  slowRatioOption,
  whole,
} from './options.ts'

const MEMBERSHIP = [
  [
    'admit',
    'admission',
    'lets an account mine on an enrolled network, and waits for the confirmation',
    'It may mine from the next block on.',
  ],
  [
    'revoke',
    'revocation',
    'takes the right to mine back, and waits for the confirmation',
    'Its next blocks are refused; those that it mined until then stay, with their rewards.',
  ],
] as const

interface MembershipOptions {
  readonly key: string
  readonly fee?: number
  readonly network?: string
  readonly wait: number
  readonly broker: string
  readonly json: boolean
}

/** Throws WorldError `usage` unless it is a genesis hash, its first 8 digits, or undefined. */
export function checkNetwork(network: string | undefined): void {
  if (network !== undefined && !/^[0-9a-f]{8}([0-9a-f]{56})?$/.test(network))
    throw new WorldError('usage', '--network: expected 8 or 64 hex digits')
}

/** Adds genesis, admit, revoke and members. */
export function addNetworkCommands(program: Command): void {
  program
    .command('genesis')
    .description('founds a network without running it: writes the genesis that all its machines need')
    .addOption(new Option('--preset <name>', 'parameters').choices(Object.keys(PRESETS)).default('field'))
    .requiredOption('--name <name>', 'of the network, such as lab')
    .requiredOption('--out <file>', 'where to write it; an existing file is never replaced')
    .option(
      '--authority <account...>',
      'who may admit and revoke miners; none: everybody mines',
      accounts,
      [],
    )
    .option('--allocate <account=coins...>', 'who has coins from the start', allocations, [])
    .option('--first-work <hashes>', 'of the first block; for one agent on this machine when left out', whole)
    .option('--signer <account...>', 'whose checkpoints make blocks final', accounts, [])
    .option('--threshold <count>', 'signers that must agree; more than half when left out', whole)
    .addOption(slowRatioOption())
    .option('--slow-hand <file>', 'genesis of a network whose slow hand this one shares')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'pinledger genesis --name home --out genesis.json',
        'pinledger genesis --name barn --out barn.json --slow-hand genesis.json',
        'pinledger genesis --name lab --out genesis.json --authority $(pinledger keygen authority.json)',
      ),
    )
    .action(async (options: GenesisOptions) => {
      selfTest()
      const { genesisCommand } = await import('./genesis.ts')
      genesisCommand(options, Date.now())
    })

  for (const [name, type, description, what] of MEMBERSHIP) {
    onNetwork(
      program
        .command(name)
        .description(description)
        .argument('<account>', '64 hex digits', account)
        .requiredOption('--key <file>', 'key file of an authority, which the genesis names')
        .option('--fee <coins>', 'what a validator thinks that it takes when left out', coins),
      'how long to wait for a block',
    )
      .addHelpText(
        'after',
        `\n${what}\n${example(`pinledger ${name} $(pinledger keygen --show agent/key.json) --key authority.json`)}`,
      )
      .action(async (member: Account, options: MembershipOptions) => {
        const { key, fee, network, wait, broker, json } = options
        checkNetwork(network)
        selfTest()
        const { changeCommand } = await import('./admit.ts')
        const change = { type, member, fee, network, waitSeconds: wait }
        process.exitCode = await changeCommand({ url: broker }, loadKey(key), change, json, quiet(json))
      })
  }

  program
    .command('members')
    .description('who may mine on an enrolled network, as its validators say')
    .addOption(brokerOption())
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger members --broker mqtt://192.168.1.10'))
    .action(async ({ broker, json }: { broker: string; json: boolean }) => {
      const { membersCommand } = await import('./admit.ts')
      process.exitCode = await membersCommand({ url: broker }, json, quiet(json))
    })
}
