/** Debian's MQTT client reads our broker, and Debian's broker carries our network. */
import t, { type Test } from 'tap'
import { openBenchNetwork } from '../../cli/bench-network.ts'
import { installed, leftOut, startMosquitto } from '../helpers/mosquitto.ts'
import { parsed, pinledger, run, startProgram, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const mosquitto = installed('mosquitto')
const subscriber = installed('mosquitto_sub')

async function people(t: Test, program: string): Promise<void> {
  const data = temporary(t)
  const { agents, validators } = foundQuickNetwork(data)
  const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
  const up = pinledger(t, ['up', '--data', data, ...ports])
  const where = await up.line('it says where', (line) => line.includes('mosquitto_sub -p'))
  const port = /-p (\d+)/.exec(where)?.[1] ?? ''
  const client = startProgram(t, program, ['-p', port, '-t', '#', '-v'])
  const kindsOf = (json: boolean): Set<string> =>
    new Set(
      client.out
        .map((line) => /^pinledger\/[0-9a-f]{8}\/(\w+)\/\S+/.exec(line))
        .filter((match) => match !== null && match[0].endsWith('/json') === json)
        .map((match) => match?.[1] ?? ''),
    )
  const mirrors = [
    'account',
    'block',
    'confirmed',
    'genesis',
    'reading',
    'receipt',
    'sensor',
    'status',
    'tip',
    'tx',
  ]
  const binary = ['account', 'block', 'genesis', 'receipt', 'tip', 'tx']
  await waitUntil(
    'all kinds of topic were seen',
    () =>
      mirrors.every((kind) => kindsOf(true).has(kind)) && binary.every((kind) => kindsOf(false).has(kind)),
    40_000,
  )
  t.pass(
    `mirrors of ${[...kindsOf(true)].sort().join(', ')} beside binary ${[...kindsOf(false)].sort().join(', ')}`,
  )
  // An agent that has nothing to sell takes back what it may have offered before: mosquitto_sub's word for empty is (null).
  const taken = /\/offer\/[0-9a-f]{64}\/json \(null\)$/
  const lines = client.out.filter((line) => /^pinledger\/\S+\/json /.test(line) && !taken.test(line))
  const unreadable = lines.filter((line) => parsed(line.slice(line.indexOf(' ') + 1)) === undefined)
  t.strictSame(unreadable, [], `all ${lines.length} mirrors are JSON`)
  t.match(client.out.join('\n'), /^pinledger\/challenge [0-9a-f]{64}$/m)
  const all = lines.join('\n')
  for (const account of [...agents, ...validators]) t.match(all, account)
}

async function carries(t: Test, program: string): Promise<void> {
  const data = temporary(t)
  const { genesisFile } = foundQuickNetwork(data)
  const network = await openBenchNetwork(data, 'bench')
  const { url } = await startMosquitto(t, program)
  const watch = pinledger(t, ['watch', '--broker', url, '--json'])
  const followers = ['validator-1', 'validator-2'].map((name) =>
    pinledger(t, [
      'validator',
      ...['--name', name, '--data', `${data}/${name}`, '--genesis', genesisFile, '--broker', url, '--json'],
    ]),
  )
  const agents = network.agentConfigs.map((file) =>
    pinledger(t, ['agent', '--config', file, '--broker', url, '--json']),
  )
  const seen = { block: 0, payment: 0 }
  const readers = new Set<unknown>()
  await watch.line(
    'blocks, readings of all and a payment are confirmed',
    (line) => {
      const { event, device } = parsed(line) ?? {}
      if (event === 'reading') readers.add(device)
      if (event === 'block' || event === 'payment') seen[event]++
      return seen.block >= 3 && seen.payment >= 1 && readers.size === 3
    },
    60_000,
  )
  t.pass(`${seen.block} blocks, ${seen.payment} payments, readings of ${[...readers].sort().join(', ')}`)
  for (const agent of agents) agent.child.kill('SIGINT')
  for (const agent of agents)
    t.strictSame(await agent.ended, { code: 0, signal: null }, 'an agent stops cleanly')
  const tips = async () => {
    const { code, out } = await run(t, ['verify', '--data', data, '--json'])
    const { stores } = parsed(out) as { stores: { store: string; tip: string; stateRoot: string }[] }
    return { code, validators: stores.filter(({ store }) => store.includes('/validator-')) }
  }
  let last = await tips()
  for (let attempt = 0; attempt < 10 && new Set(last.validators.map(({ tip }) => tip)).size > 1; attempt++)
    last = await tips()
  t.equal(last.code, 0, 'every ledger verifies')
  t.equal(last.validators.length, 2)
  t.equal(last.validators[0]?.tip, last.validators[1]?.tip, 'both validators end on one tip')
  t.equal(last.validators[0]?.stateRoot, last.validators[1]?.stateRoot, 'and one state root')
  for (const follower of followers) {
    follower.child.kill('SIGINT')
    t.strictSame(await follower.ended, { code: 0, signal: null })
  }
}

t.test("mosquitto_sub -t '#' -v shows JSON for people beside the binary topics", async (t) => {
  if (subscriber === undefined) leftOut(t, 'mosquitto_sub')
  else await people(t, subscriber)
})

t.test("Debian's mosquitto works in place of our broker", async (t) => {
  if (mosquitto === undefined) leftOut(t, 'mosquitto')
  else await carries(t, mosquitto)
})
