/**
 * Three hosts as network namespaces, joined by a switch; the cable of one is pulled for a minute while both sides mine on.
 * Plugged in again, all end on one tip, the weaker side has reorganised, and what it had confirmed is confirmed again.
 *
 *     host a: mosquitto, validator 1, agent 1        host b: mosquitto, bridged to a's, validator 2, agent 2
 *     host c: agent 3, a client of b's broker
 *
 * Brokers of another make, because a bridge has no key to log in to ours with. Takes root.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { targetFor } from '../../ledger/difficulty.ts'
import type { Account } from '../../schemas/hex.ts'
import { installed } from '../helpers/mosquitto.ts'
import { isRunning, type Program, parsed, run, startProgram, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { fromRoot } from '../helpers/root.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { type Announced, collector, storedTransactions } from './lab.ts'
import { command, needsRoot, notInstalled } from './machine.ts'

const MAIN = fromRoot('dist/cli/main.js')
const APART_MS = 60_000
const TOGETHER_MS_MAX = 60_000
const ENOUGH_MS = 90_000
/** Blocks that each side has to make on its own for the test to mean anything. */
const APART_BLOCKS_MIN = 5
/** Hashes for the first block: about a second of all three miners together. */
const FIRST_WORK = 150_000
const HOSTS = ['a', 'b', 'c'] as const
type Host = (typeof HOSTS)[number]

/** Namespaces carry our process id, so that a later run can tell and remove what a killed one left behind. */
const NAME = /^pinledger-(\d+)-(switch|[abc])$/
const NAMESPACES = '/run/netns'

interface Lab {
  readonly address: (host: Host) => string
  start(host: Host, program: string, ...args: string[]): Program
  /** Pulls a host's cable, or plugs it in. */
  cable(host: Host, state: 'up' | 'down'): Promise<void>
}

/** Undefined where there can be no namespaces, which the test has then said. */
async function buildLab(t: Test): Promise<Lab | undefined> {
  if (needsRoot(t, 'a network of three hosts')) return undefined
  for (const program of ['ip', 'mosquitto', 'mosquitto_sub']) {
    if (installed(program) !== undefined) continue
    notInstalled(t, program, 'iproute2 mosquitto mosquitto-clients')
    return undefined
  }
  for (const name of existsSync(NAMESPACES) ? readdirSync(NAMESPACES) : []) {
    const owner = NAME.exec(name)?.[1]
    if (owner !== undefined && !isRunning(Number(owner))) await command('ip', ['netns', 'del', name])
  }
  const namespace = (of: Host | 'switch'): string => `pinledger-${process.pid}-${of}`
  const made: string[] = []
  const remove = (): void => {
    // Synchronous, since this is also the last thing that a dying test does.
    for (const name of made.splice(0)) spawnSync('ip', ['netns', 'del', name])
  }
  process.once('exit', remove)
  t.teardown(remove)
  for (const of of ['switch', ...HOSTS] as const) {
    const fault = await command('ip', ['netns', 'add', namespace(of)])
    if (fault !== undefined) {
      t.comment(`LEFT OUT: network namespaces: ${fault.trim()}; run it where ip-netns(8) is allowed`)
      t.not(process.env.CI, 'true', 'in CI network namespaces have to be allowed')
      return undefined
    }
    made.push(namespace(of))
  }
  const address = (host: Host): string => `10.77.0.${1 + HOSTS.indexOf(host)}`
  const ip = async (...args: string[]): Promise<void> => {
    const fault = await command('ip', args)
    if (fault !== undefined) throw new Error(`ip ${args.join(' ')}: ${fault}`)
  }
  await ip('-n', namespace('switch'), 'link', 'add', 'bridge', 'type', 'bridge')
  await ip('-n', namespace('switch'), 'link', 'set', 'bridge', 'up')
  for (const host of HOSTS) {
    const [at, there] = [namespace(host), namespace('switch')]
    await ip('-n', there, 'link', 'add', `to-${host}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', at)
    await ip('-n', there, 'link', 'set', `to-${host}`, 'master', 'bridge', 'up')
    await ip('-n', at, 'address', 'add', `${address(host)}/24`, 'dev', 'eth0')
    await ip('-n', at, 'link', 'set', 'eth0', 'up')
    await ip('-n', at, 'link', 'set', 'lo', 'up')
  }
  return {
    address,
    start: (host, program, ...args) =>
      startProgram(t, 'ip', ['netns', 'exec', namespace(host), program, ...args]),
    cable: (host, state) => ip('-n', namespace('switch'), 'link', 'set', `to-${host}`, state),
  }
}

/** Mosquitto on every address of its host; with `peer`, bridged to the one there. */
function brokerConfig(t: Test, peer?: string): string {
  const file = join(temporary(t), 'mosquitto.conf')
  const bridge = [
    'connection partition-test',
    `address ${peer}:1883`,
    'topic pinledger/# both 1',
    // Retained messages stay so on the other side, and nothing comes back to where it came from.
    'try_private true',
    // With clean sessions, mosquitto 2.0.11 never again sends what waited for an acknowledgement when the line broke.
    'cleansession false',
    'keepalive_interval 5',
    'restart_timeout 1',
    'notifications false',
  ]
  const own = ['listener 1883 0.0.0.0', 'allow_anonymous true', 'persistence false', 'user root']
  writeFileSync(file, [...own, ...(peer === undefined ? [] : bridge), ''].join('\n'))
  return file
}

/** Configuration of an agent with a reading a second, which buys those of `neighbour`. */
function agentConfig(data: string, name: string, url: string, duty: number, neighbour: Account): string {
  const [steps, file] = [join(data, 'steps.yaml'), join(data, `${name}.yaml`)]
  writeFileSync(
    steps,
    stringify({
      steps: [
        { after: 1, value: 1 },
        { after: 1, value: 2 },
      ],
      repeat: true,
    }),
  )
  const config = {
    ...{ name, broker: { url }, data: join(data, name), genesis: join(data, 'genesis.json'), mine: { duty } },
    sensors: [{ name: 'steps', driver: 'script', file: steps, unit: 'count' }],
    wires: [{ when: { device: neighbour, sensor: 'steps' }, pay: '0.01', for: 'a step' }],
  }
  writeFileSync(file, stringify(config))
  return file
}

const heightOf = ({ tips }: Announced): number => tips.at(-1)?.height ?? 0

t.test('cut apart for a minute and healed: one tip, and nothing that was confirmed is lost', async (t) => {
  const lab = await buildLab(t)
  if (lab === undefined) return
  const data = temporary(t)
  const found = foundQuickNetwork(data, { target: targetFor(FIRST_WORK) })
  const [one, two] = found.validators as [Account, Account]
  const url = (host: Host): string => `mqtt://${lab.address(host)}:1883`
  const mosquitto = installed('mosquitto') ?? ''
  for (const broker of [
    lab.start('a', mosquitto, '-c', brokerConfig(t)),
    lab.start('b', mosquitto, '-c', brokerConfig(t, lab.address('a'))),
  ])
    await waitUntil('mosquitto listens', () => broker.err.some((line) => line.endsWith('running')))

  const { of, take } = collector()
  const listen = (host: Host, validator: Account): void => {
    const topics = ['tip', 'receipt'].flatMap((kind) => ['-t', `pinledger/+/${kind}/${validator}/#`])
    const args = ['-h', lab.address(host), '-q', '1', '-R', '-v', ...topics]
    const { child } = lab.start(host, 'mosquitto_sub', ...args)
    let rest = ''
    child.stdout?.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        const [name = '', ...words] = line.split(' ')
        if (name.endsWith('/json')) take(name, words.join(' '))
      }
    })
  }
  listen('a', one)
  listen('b', two)
  const validator = (host: Host, name: string): Program =>
    lab.start(
      ...([host, process.execPath, MAIN, 'validator', '--name', name, '--data', join(data, name)] as const),
      ...['--genesis', found.genesisFile, '--broker', url(host), '--json'],
    )
  const validators = [validator('a', 'validator-1'), validator('b', 'validator-2')]
  const agent = (host: Host, index: number, broker: Host, duty: number): Program => {
    const neighbour = found.agents[(index + 1) % 3] as Account
    const file = agentConfig(data, `agent-${index + 1}`, url(broker), duty, neighbour)
    return lab.start(host, process.execPath, MAIN, 'agent', '--config', file, '--json')
  }
  // Side a has a quarter of the others' hash rate or less, so that it is the one that reorganises.
  const agents = [agent('a', 0, 'a', 0.05), agent('b', 1, 'b', 0.1), agent('c', 2, 'b', 0.1)]
  const agree = (): boolean => {
    const [here, there] = [of(one).tips.at(-1), of(two).tips.at(-1)]
    return here !== undefined && here.hash === there?.hash && here.stateRoot === there.stateRoot
  }
  await waitUntil('both sides are on one chain', () => heightOf(of(one)) >= 8 && agree(), ENOUGH_MS)

  await lab.cable('a', 'down')
  const forkAt = Math.max(heightOf(of(one)), heightOf(of(two)))
  await sleep(APART_MS)
  const [weak, strong] = [heightOf(of(one)), heightOf(of(two))]
  t.ok(weak >= forkAt + APART_BLOCKS_MIN, `apart, side a went from ${forkAt} to ${weak}`)
  t.ok(strong >= forkAt + APART_BLOCKS_MIN, `and side b to ${strong}`)
  const ownBlocks = of(one).tips.filter(({ height }) => height > forkAt + 1)
  t.notOk(
    ownBlocks.some(({ hash }) => of(two).tips.some((tip) => tip.hash === hash)),
    'on chains of their own',
  )
  const ours = [...of(one).confirmed].filter(([, height]) => height > forkAt + 1).map(([id]) => id)
  const onlyOurs = ours.filter((id) => !of(two).confirmed.has(id))
  t.ok(onlyOurs.length >= 10, `${onlyOurs.length} transactions are confirmed on side a alone`)

  await lab.cable('a', 'up')
  const healedMs = performance.now()
  await waitUntil('both sides have one tip', () => agree() && heightOf(of(one)) > strong, TOGETHER_MS_MAX)
  t.pass(
    `one tip at height ${heightOf(of(one))}, ${Math.round(performance.now() - healedMs)} ms after healing`,
  )
  const reorganised = validators.map(
    ({ out }) =>
      out
        .map((line) => parsed(line) ?? {})
        .filter(({ event }) => String(event).startsWith('reorganised'))
        .map(({ disconnected }) => Number(disconnected))
        .sort((a, b) => b - a)[0] ?? 0,
  )
  t.ok(Math.max(...reorganised) >= APART_BLOCKS_MIN, `blocks undone at once: ${reorganised.join(' and ')}`)
  const again = (): boolean => ours.every((id) => of(one).confirmed.has(id) && of(two).confirmed.has(id))
  await waitUntil('what side a had confirmed is confirmed by both', again, ENOUGH_MS)
  t.pass(`confirmed again ${Math.round(performance.now() - healedMs)} ms after healing`)

  for (const { child } of agents) child.kill('SIGINT')
  for (const { ended } of agents) t.strictSame(await ended, { code: 0, signal: null })
  await waitUntil('the last block is known to both', agree)
  for (const { child } of validators) child.kill('SIGINT')
  for (const { ended } of validators) t.strictSame(await ended, { code: 0, signal: null })
  const { code, out } = await run(t, ['verify', '--data', data, '--json'])
  t.equal(code, 0, 'every ledger verifies')
  const { stores } = parsed(out) as { stores: { store: string; tip: string; stateRoot: string }[] }
  const [here, there] = stores.filter(({ store }) => store.includes('validator-'))
  t.equal(here?.tip, there?.tip, 'both stores end on one tip')
  t.equal(here?.stateRoot, there?.stateRoot, 'with one state root')
  const stored = storedTransactions(join(data, 'validator-1')).map(({ id }) => id)
  t.equal(new Set(stored).size, stored.length, `none of ${stored.length} transactions is there twice`)
  t.ok(ours.every((id) => stored.includes(id)))
})
