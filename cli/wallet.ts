/** The commands of a person with a key or a question: each loads its work when it is called. */

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Command, Option } from 'commander'
import { WorldError } from '../node/error.ts'
import { createKey, loadKey } from '../node/key-file.ts'
import { selfTest } from '../node/signing.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { MEMO_BYTES_MAX } from '../schemas/transaction.ts'
import { checkNetwork } from './networks.ts'
import {
  account,
  brokerOption,
  coins,
  durationOption,
  example,
  height,
  jsonOption,
  onNetwork,
  quiet,
  transactionId,
} from './options.ts'
import { running } from './program.ts'

/** Adds keygen, account, pay and watch. */
export function addWalletCommands(program: Command): void {
  program
    .command('keygen')
    .description('makes an account: a secret key in a file of mode 0600; prints the account')
    .argument('<file>', 'key file; an existing one is never replaced')
    .option('--show', 'print the account of an existing key file', false)
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger keygen friend.json'))
    .action((file: string, { show, json }: { show: boolean; json: boolean }) => {
      selfTest()
      if (!show) makeDirectoryFor(file)
      const { account: made } = show ? loadKey(file) : createKey(file)
      process.stdout.write(json ? `${JSON.stringify({ account: made, file })}\n` : `${made}\n`)
    })

  program
    .command('account')
    .description('what the validators on a broker say of an account, or can prove of it')
    .argument('<account>', '64 hex digits', account)
    .option('--proven', 'believe nobody: follow all headers and check a proof', false)
    .option('--genesis <file>', 'with --proven: the network; else the one that the broker tells of')
    .addOption(
      new Option('--transaction <id>', 'with --proven: show that this transaction is in the chain').argParser(
        transactionId,
      ),
    )
    .option('--height <height>', 'with --transaction: its block, as its receipt says', height)
    .addOption(brokerOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'pinledger account $(pinledger keygen --show friend.json)',
        'pinledger account $(pinledger keygen --show friend.json) --proven --genesis .pinledger/genesis.json',
      ),
    )
    .action(
      async (
        of: Account,
        {
          broker,
          json,
          proven,
          genesis,
          transaction: id,
          height: at,
        }: {
          broker: string
          json: boolean
          proven: boolean
          genesis?: string
          transaction?: Hash
          height?: number
        },
      ) => {
        if (!proven && (genesis !== undefined || id !== undefined || at !== undefined))
          throw new WorldError('usage', '--genesis, --transaction and --height go with --proven')
        if ((id === undefined) !== (at === undefined))
          throw new WorldError('usage', '--transaction and --height go together')
        if (!proven) {
          const { accountCommand } = await import('./account.ts')
          process.exitCode = await accountCommand({ url: broker }, of, json, quiet(json))
          return
        }
        selfTest()
        const { provenCommand } = await import('./proven.ts')
        const transaction = id === undefined || at === undefined ? undefined : { id, height: at }
        process.exitCode = await provenCommand({ url: broker }, { account: of, genesis, transaction }, json, {
          log: quiet(json),
          now: Date.now,
          out: (text) => process.stdout.write(text),
          err: { write: (text) => process.stderr.write(text), tty: process.stderr.isTTY },
        })
      },
    )

  onNetwork(
    program
      .command('pay')
      .description('pays an account and waits for the confirmation')
      .requiredOption('--key <file>', 'key file of the payer')
      .requiredOption('--to <account>', 'who is paid, 64 hex digits', account)
      .requiredOption('--amount <coins>', 'such as 0.25', coins)
      .option('--memo <text>', `what for, at most ${MEMO_BYTES_MAX} bytes`, '')
      .option(
        '--fee <coins>',
        'when left out, what a validator thinks it takes to be confirmed within 6 blocks',
        coins,
      ),
    'how long to wait for a block',
  )
    .addHelpText(
      'after',
      example(
        'pinledger pay --key .pinledger/visitor.json --to $(pinledger keygen --show friend.json) --amount 1.5 --memo "a coffee"',
      ),
    )
    .action(
      async (options: {
        key: string
        to: Account
        amount: number
        memo: string
        fee?: number
        network?: string
        wait: number
        broker: string
        json: boolean
      }) => {
        const { key, to, amount, memo, fee, network, wait, broker, json } = options
        if (Buffer.byteLength(memo) > MEMO_BYTES_MAX || /\p{Cc}/u.test(memo)) {
          throw new WorldError(
            'usage',
            `--memo: at most ${MEMO_BYTES_MAX} bytes without control characters, got ${Buffer.byteLength(memo)} bytes`,
          )
        }
        checkNetwork(network)
        selfTest()
        const order = { to, amount, memo, fee, network, waitSeconds: wait }
        const { payCommand } = await import('./pay.ts')
        process.exitCode = await payCommand({ url: broker }, loadKey(key), order, json, quiet(json))
      },
    )

  program
    .command('watch')
    .description('one line per event of a running network')
    .addOption(brokerOption())
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger watch --broker mqtt://192.168.1.10'))
    .action(async ({ broker, duration, json }: { broker: string; duration?: number; json: boolean }) => {
      const run = running({ name: 'watch', json, level: 'warn', duration })
      const { watchCommand } = await import('./watch.ts')
      await watchCommand({ url: broker }, json, run.signal).finally(run.end)
    })
}

/** A validator's key is made before its data directory is. */
function makeDirectoryFor(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new WorldError(
      'key-file',
      `cannot create the directory of key file ${file}: ${String(error)}`,
      error,
    )
  }
}
