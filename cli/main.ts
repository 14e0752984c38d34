#!/usr/bin/env node
/**
 * The program `pinledger`: commands, options and exit codes; each command's work is in its own file, loaded when it is
 * called, since loading all of them takes seconds on a small Pi.
 */
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Command, Option } from 'commander'
import { PRESETS, type PresetName } from '../ledger/preset.ts'
import { systemClock } from '../node/clock.ts'
import { WorldError } from '../node/error.ts'
import { createKey, loadKey } from '../node/key-file.ts'
import { SOFTWARE } from '../node/runtime.ts'
import { selfTest } from '../node/signing.ts'
import { brokerConfig, validatorConfig } from '../schemas/config.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { MEMO_BYTES_MAX } from '../schemas/transaction.ts'
import { FAULT_KINDS } from '../sim/faults.ts'
import { configure, given } from './configure.ts'
import { EXIT, exitCodeOf, explain } from './exit.ts'
import { addNetworkCommands, checkNetwork } from './networks.ts'
import {
  account,
  BROKER_DEFAULT,
  brokerOption,
  coins,
  DATA_DEFAULT,
  durationOption,
  example,
  faultKinds,
  height,
  hours,
  jsonOption,
  nodes,
  numbers,
  port,
  quiet,
  seconds,
  transactionId,
  whole,
} from './options.ts'
import { running } from './program.ts'
import type { SimCommandOptions } from './sim.ts'

function createProgram(): Command {
  const program = new Command('pinledger')
    .description('Sensors that sign, mine and pay over MQTT')
    .version(SOFTWARE)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for the options and an example)')
    .addHelpText('after', example('pinledger up', 'pinledger watch', 'pinledger verify --data .pinledger'))

  program
    .command('up')
    .description(
      'a whole network on this machine: broker, two validators, three agents that read its own sensors',
    )
    .option('--data <dir>', 'where everything is kept', DATA_DEFAULT)
    .addOption(
      new Option('--preset <name>', 'parameters of a network that is founded now')
        .choices(Object.keys(PRESETS))
        .default('bench'),
    )
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--mqtt-port <port>', '0: any free one', port, 1883)
    .option('--ws-port <port>', 'MQTT over WebSocket, 0: any free one', port, 0)
    .option('--http-port <port>', 'health and metrics, 0: any free one', port, 0)
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger up --duration 60', 'pinledger up --mqtt-port 0 --data /tmp/lab --json'),
    )
    .action(
      async (options: {
        data: string
        preset: PresetName
        host: string
        mqttPort: number
        wsPort: number
        httpPort: number
        duration?: number
        json: boolean
      }) => {
        const run = running({ name: 'up', json: options.json, level: 'info', duration: options.duration })
        const { upCommand } = await import('./up.ts')
        const code = await upCommand(options, process.argv[1] ?? '', run.signal).finally(run.end)
        process.exitCode = code
      },
    )

  program
    .command('broker')
    .description('the MQTT broker alone')
    .option('--config <file>', 'YAML configuration')
    .option('--host <address>', 'address to listen on')
    .option('--mqtt-port <port>', '0: any free one', port)
    .option('--ws-port <port>', 'MQTT over WebSocket', port)
    .option('--http-port <port>', 'health and metrics', port)
    .option('--validator <account...>', 'account that may publish the system topics')
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger broker --validator $(pinledger keygen --show validator/key.json)'),
    )
    .action(
      async ({
        config: file,
        validator,
        duration,
        json,
        ...rest
      }: {
        config?: string
        validator?: string[]
        duration?: number
        json: boolean
      }) => {
        const { runBroker } = await import('../broker/main.ts')
        const config = configure(brokerConfig, file, given({ ...rest, validators: validator }))
        const run = running({ name: 'broker', json, level: 'info', duration })
        await runBroker(config, {
          log: run.log,
          signal: run.signal,
          onReady: (ports) => run.ready({ ...ports }),
        }).finally(run.end)
      },
    )

  program
    .command('validator')
    .description('checks everything on a broker and keeps the ledger')
    .option('--config <file>', 'YAML configuration')
    .option('--name <name>', 'in words')
    .option('--data <dir>', 'directory for its key and ledger')
    .option('--genesis <file>', 'the network; needed on the first start')
    .option('--broker <url>', `address of the broker, such as ${BROKER_DEFAULT}`)
    .option('--host <address>', 'address for HTTP')
    .option('--http-port <port>', 'health and metrics', port)
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger validator --data v3 --genesis .pinledger/genesis.json --broker mqtt://192.168.1.10'),
    )
    .action(
      async ({
        config: file,
        broker,
        duration,
        json,
        ...rest
      }: {
        config?: string
        broker?: string
        duration?: number
        json: boolean
      }) => {
        const { runValidator } = await import('../broker/validator-main.ts')
        const config = configure(
          validatorConfig,
          file,
          given({ ...rest, broker: broker === undefined ? undefined : { url: broker } }),
        )
        const run = running({ name: config.name, json, level: 'info', duration })
        await runValidator(config, {
          log: run.log,
          clock: systemClock(),
          random: Math.random,
          signal: run.signal,
          onReady: run.ready,
        }).finally(run.end)
      },
    )

  program
    .command('agent')
    .description('an edge agent: sensors, wallet and miner')
    .requiredOption('--config <file>', 'YAML configuration')
    .option('--data <dir>', 'directory for key, ledger and outbox')
    .option('--genesis <file>', 'the network; needed on the first start')
    .option('--broker <url>', 'address of the broker')
    .addOption(durationOption())
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger agent --config .pinledger/agent-1.yaml'))
    .action(
      async ({
        config: file,
        broker,
        duration,
        json,
        ...rest
      }: {
        config: string
        broker?: string
        duration?: number
        json: boolean
      }) => {
        const { runAgent } = await import('../edge-agent/agent-main.ts')
        const { agentConfig } = await import('../edge-agent/config.ts')
        const config = configure(
          agentConfig,
          file,
          given({ ...rest, broker: broker === undefined ? undefined : { url: broker } }),
        )
        const run = running({ name: config.name, json, level: 'info', duration })
        await runAgent(config, {
          log: run.log,
          clock: systemClock(),
          random: Math.random,
          signal: run.signal,
          onReady: run.ready,
        }).finally(run.end)
      },
    )

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
    )
    .option('--network <hash>', 'genesis hash, or its first 8 digits, that the network must have')
    .option('--wait <seconds>', 'how long to wait for a block', seconds, 120)
    .addOption(brokerOption())
    .addOption(jsonOption())
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

  program
    .command('verify')
    .description(
      're-validates stored ledgers from genesis and prints height, tip and supply; changes nothing',
    )
    .option('--data <dir>', 'data directory of a program, or of pinledger up', DATA_DEFAULT)
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger verify --data .pinledger --json'))
    .action(async (options: { data: string; json: boolean }) => {
      const { verifyCommand } = await import('./verify.ts')
      process.exitCode = verifyCommand(options)
    })

  const print = (text: string): void => void process.stdout.write(text)
  program
    .command('repair')
    .description(
      'makes a damaged ledger one that opens: keeps what is whole, moves the rest aside, deletes nothing',
    )
    .requiredOption('--data <dir>', 'data directory of a program that is stopped')
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger repair --data .pinledger/validator-1'))
    .action(async (options: { data: string; json: boolean }) => {
      selfTest()
      const { repairCommand } = await import('./repair.ts')
      repairCommand(options, new Date(), print)
    })

  program
    .command('backup')
    .description('copies ledger and outbox, also while the program runs, and checks the copy')
    .requiredOption('--data <dir>', 'data directory of a program')
    .requiredOption('--to <dir>', 'a directory that is empty or not there')
    .option('--with-key', 'the secret key too: whoever has the copy can then spend', false)
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger backup --data .pinledger/agent-1 --to /mnt/stick/agent-1'))
    .action(async (options: { data: string; to: string; withKey: boolean; json: boolean }) => {
      selfTest()
      const { backupCommand } = await import('./backup.ts')
      backupCommand(options, print)
    })

  program
    .command('restore')
    .description('puts a backup into a new data directory')
    .requiredOption('--from <dir>', 'what pinledger backup wrote')
    .requiredOption('--data <dir>', 'a directory that is empty or not there')
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger restore --from /mnt/stick/agent-1 --data /var/lib/pinledger'))
    .action(async (options: { from: string; data: string; json: boolean }) => {
      selfTest()
      const { restoreCommand } = await import('./backup.ts')
      restoreCommand(options, print)
    })

  const snapshot = program
    .command('snapshot')
    .description('a ledger without its history, for a machine that joins late')
    .addHelpText(
      'after',
      example(
        'pinledger snapshot export --data .pinledger/validator-1 --out lab.snapshot',
        'pinledger snapshot import lab.snapshot --data v3 --genesis .pinledger/genesis.json',
      ),
    )
  snapshot
    .command('export')
    .description('writes one, also while the program runs')
    .requiredOption('--data <dir>', 'data directory of a program')
    .requiredOption('--out <file>', 'where to write it; an existing file is never replaced')
    .option('--height <height>', 'a multiple of 256; the highest there may be when left out', height)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger snapshot export --data .pinledger/validator-1 --out lab.snapshot'),
    )
    .action(async (options: { data: string; out: string; height?: number; json: boolean }) => {
      selfTest()
      const { exportCommand } = await import('./snapshot.ts')
      exportCommand(options, print)
    })
  snapshot
    .command('import')
    .description('checks one and founds a data directory with it')
    .argument('<file>', 'what snapshot export wrote')
    .requiredOption('--data <dir>', 'a directory without a ledger')
    .option('--genesis <file>', 'the network that it must be of')
    .option('--hash <hash>', 'the block that it must be of', transactionId)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example('pinledger snapshot import lab.snapshot --data v3 --genesis .pinledger/genesis.json'),
    )
    .action(async (file: string, options: { data: string; genesis?: string; hash?: Hash; json: boolean }) => {
      selfTest()
      const { importCommand } = await import('./snapshot.ts')
      importCommand({ file, ...options }, Date.now(), print, (text) => void process.stderr.write(text))
    })

  program
    .command('sim')
    .description(
      'runs a whole network in virtual time under faults that a seed decides, and checks what must hold',
    )
    .option('--seed <number>', 'the first seed', whole, 1)
    .option('--seeds <count>', 'how many seeds to run', whole, 1)
    .option('--nodes <count>', '2 to 200 machines, a fifth of them validators', nodes, 20)
    .option('--hours <hours>', 'virtual time of each run', hours, 0.5)
    .option('--interval <seconds>', 'T, the time between blocks', seconds, 10)
    .addOption(
      new Option('--faults <kinds>', `all, none, or some of ${FAULT_KINDS.join(',')}`)
        .argParser(faultKinds)
        .default(FAULT_KINDS, 'all'),
    )
    .addOption(new Option('--only <numbers>', "only these of the seed's faults").argParser(numbers))
    .option('--trace', 'print everything that happens', false)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      example(
        'pinledger sim --seed 7 --trace',
        'pinledger sim --seeds 1000',
        'pinledger sim --hours 24 --faults network,clock',
      ),
    )
    .action(async (options: SimCommandOptions) => {
      const { simCommand } = await import('./sim.ts')
      process.exitCode = await simCommand(options)
    })
  addNetworkCommands(program)
  return program
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

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(EXIT.ok)
})
process.on('uncaughtException', (error) => {
  process.stderr.write(`${explain(error)}\n`)
  process.exit(EXIT.bug)
})
try {
  const program = createProgram()
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)]
  for (const command of all(program)) command.exitOverride()
  await program.parseAsync()
} catch (error) {
  const { code, exitCode } = error as { code?: unknown; exitCode?: number }
  if (typeof code === 'string' && code.startsWith('commander.'))
    process.exitCode = exitCode === 0 ? EXIT.ok : EXIT.usage
  else {
    process.stderr.write(`${explain(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}
