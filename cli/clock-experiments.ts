/** The experiments on hands of a clock; each loads its work when it is called. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { WorldError } from '../node/error.ts'
import { selfTest } from '../node/signing.ts'
import type { Account } from '../schemas/hex.ts'
import type { AgentsPlan } from './clock-agents.ts'
import type { AlmostOptions, ExperimentOptions, MineOptions, PairOptions } from './clock-experiment.ts'
import type { VerifyOptions } from './clock-verify.ts'
import { account, brokerOption, example, jsonOption, seconds, whole } from './options.ts'

const DIGITS = 'difficulty: leading zero hex digits of a hash; each is 16 times the work'
const HOSTS_MAX = 26

const digits = (text: string): number => {
  if (!/^([1-9]|1[0-5])$/.test(text))
    throw new InvalidArgumentError('expected leading zero hex digits from 1 to 15, such as 4')
  return Number(text)
}
const twoDigits = (text: string): readonly [number, number] => {
  const [a = '', b, ...rest] = text.split(',')
  if (b === undefined || rest.length > 0)
    throw new InvalidArgumentError('expected the difficulties of two hands, such as 3,2')
  return [digits(a), digits(b)]
}
const hostNames = (text: string): readonly string[] => {
  const names = text.split(',')
  if (names.length > HOSTS_MAX || names.some((name) => name === ''))
    throw new InvalidArgumentError(`expected 1 to ${HOSTS_MAX} names of the inventory, such as pi-1,pi-2`)
  return names
}
const accounts = (text: string): readonly Account[] => {
  const list = text.split(',')
  if (list.length > HOSTS_MAX) throw new InvalidArgumentError(`expected at most ${HOSTS_MAX} accounts`)
  return list.map(account)
}
const threadCount = (text: string): number => {
  if (!/^([1-9]|[1-5]\d|6[0-4])$/.test(text)) throw new InvalidArgumentError('expected 1 to 64 threads')
  return Number(text)
}

/** Of agents over their broker. */
interface OverBroker {
  readonly agents?: readonly Account[]
  readonly key?: string
  readonly broker: string
}

/** Undefined: not on agents. */
async function onAgents(
  { agents, ...options }: OverBroker & ExperimentOptions,
  plan: (agents: number) => AgentsPlan,
): Promise<number | undefined> {
  if (agents === undefined) return undefined
  const agentsCommand = await import('./clock-agents.ts')
  return agentsCommand.onAgents({ ...options, agents }, plan(agents.length))
}

const twoOnly = (count: number): void => {
  if (count !== 2) throw new WorldError('usage', `two hands run on two agents, --agents names ${count}`)
}

function addPlaces(command: Command): Command {
  return command
    .option('--threads <count>', 'worker threads of each hand', threadCount, 1)
    .addOption(
      new Option('--on <hosts>', 'machines of the inventory, by SSH, instead of this one').argParser(
        hostNames,
      ),
    )
    .option('--inventory <file>', "Ansible's inventory: a YAML file, or a folder with hosts.yml")
    .addOption(
      new Option('--agents <accounts>', 'agents that run, over their broker, instead of this machine')
        .argParser(accounts)
        .conflicts(['on', 'inventory']),
    )
    .option('--key <file>', "key file of those agents' owner")
    .addOption(brokerOption())
    .option('--out <dir>', "where to keep each hand's ticks, for clock verify")
    .option('--seconds <seconds>', 'stop after this time', seconds)
    .addOption(jsonOption())
}

/** Adds mine, pair, almost and verify. */
export function addExperimentCommands(clock: Command): void {
  addPlaces(
    clock
      .command('mine')
      .description('mines ticks of a fixed difficulty, here or on other machines')
      .option('--difficulty <digits>', DIGITS, digits, 4)
      .option('--ticks <count>', 'how many', whole, 10),
  )
    .addOption(
      new Option('--feed', 'searches what another pinledger says on stdin').default(false).hideHelp(),
    )
    .addHelpText(
      'after',
      example(
        'pinledger clock mine --difficulty 4',
        'pinledger clock mine --difficulty 4 --on pi-1,pi-2 --inventory ansible/inventory',
      ),
    )
    .action(async ({ feed, ...options }: MineOptions & OverBroker & { readonly feed: boolean }) => {
      selfTest()
      if (feed) return serve(options.threads)
      const { difficulty, ticks } = options
      const code = await onAgents(options, (count) => ({
        ...{ mode: 'alone', rounds: ticks, difficulties: Array(count).fill(difficulty) },
      }))
      const { mineCommand } = await import('./clock-experiment.ts')
      process.exitCode = code ?? (await mineCommand(options))
    })

  addPlaces(
    clock
      .command('pair')
      .description("two hands in step: in each round both make a tick that names the other's last one")
      .option('--difficulty <digits>', `${DIGITS}; of each hand`, twoDigits, [3, 2] as const)
      .option('--rounds <count>', 'how many', whole, 10)
      .option('--round-timeout <seconds>', 'after which a round is closed without a tick', seconds, 600),
  )
    .addHelpText(
      'after',
      example(
        'pinledger clock pair --difficulty 3,2 --rounds 20 --out pair',
        'pinledger clock pair --difficulty 4,4 --on pi-1,pi-2 --inventory ansible/inventory',
        'pinledger clock pair --difficulty 4,4 --agents 8a88...6f5c,8139...b394 --key owner.json',
      ),
    )
    .action(async (options: PairOptions & OverBroker) => {
      selfTest()
      const code = await onAgents(options, (count) => {
        twoOnly(count)
        const { difficulty, rounds, roundTimeout } = options
        return { mode: 'rounds', difficulties: difficulty, rounds, timeoutMs: roundTimeout * 1000 }
      })
      const { pairCommand } = await import('./clock-experiment.ts')
      process.exitCode = code ?? (await pairCommand(options))
    })

  addPlaces(
    clock
      .command('almost')
      .description("two hands that run free at two difficulties; each tick names the other's newest")
      .option('--difficulty <digits>', `${DIGITS}; of each hand`, twoDigits, [5, 3] as const)
      .option('--ticks <count>', 'of the slow hand', whole, 5)
      .option('--all', "show the fast hand's ticks, too", false),
  )
    .addHelpText(
      'after',
      example('pinledger clock almost --difficulty 5,3', 'pinledger clock almost --seconds 60'),
    )
    .action(async (options: AlmostOptions & OverBroker) => {
      selfTest()
      const code = await onAgents(options, (count) => {
        twoOnly(count)
        const { difficulty, ticks, all } = options
        return { mode: 'free', difficulties: difficulty, rounds: ticks, all }
      })
      const { almostCommand } = await import('./clock-experiment.ts')
      process.exitCode = code ?? (await almostCommand(options))
    })

  clock
    .command('verify')
    .description(
      'checks hands from their bytes alone: proof of work, links, and what they name of each other',
    )
    .argument('<dir>', 'a folder with hand.log or hand.json, or with such folders: --out of an experiment')
    .addOption(jsonOption())
    .addHelpText('after', example('pinledger clock verify pair'))
    .action(async (directory: string, options: VerifyOptions) => {
      selfTest()
      const { verifyHandsCommand } = await import('./clock-verify.ts')
      process.exitCode = verifyHandsCommand(directory, options)
    })
}

async function serve(threadsOfSearch: number): Promise<void> {
  const { serveFeed } = await import('../edge-agent/experiment/feed.ts')
  const { threads } = await import('../edge-agent/experiment/search.ts')
  const { SOFTWARE } = await import('../node/runtime.ts')
  const open = threads(threadsOfSearch, Math.random)
  await serveFeed(open, process.stdin, SOFTWARE, (line) => process.stdout.write(line))
  // Nobody writes there any more, and an open pipe would keep the process.
  process.stdin.destroy()
}
