/** An agent with its real parts: sensors of the test's, a store, an outbox and a miner, against broker and validator. */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Agent } from '../../edge-agent/agent.ts'
import type { Emit } from '../../edge-agent/driver.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import { outputConfig } from '../../edge-agent/outputs/config.ts'
import { type OutputLines, Outputs } from '../../edge-agent/outputs/outputs.ts'
import type { AgentSensor } from '../../edge-agent/sampling.ts'
import { wiresConfig } from '../../edge-agent/wires/config.ts'
import { WiresTrade, wiresOptions } from '../../edge-agent/wires/trade.ts'
import { WiresLog } from '../../edge-agent/wires/wires-log.ts'
import { WIRES_FILE } from '../../node/backup.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import type { Signer } from '../../node/signing.ts'
import { systemTimers } from '../../node/timers.ts'
import type { Account } from '../../schemas/hex.ts'
import { parseTopic } from '../../schemas/topic.ts'
import type { Decimal } from '../../schemas/units.ts'
import { join as joinBroker } from '../broker/running-broker.ts'
import { alice, bob, carol } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { runAgent } from '../helpers/running-agent.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const value = (mantissa: number): Decimal => ({ mantissa, exponent: 0 })

/** A sensor that says what the test says. */
function sensor(name: string, batch: number): AgentSensor & { readonly say: Emit } {
  let emit: Emit = () => {}
  return {
    name,
    driver: 'script',
    batch,
    say: (sample) => emit(sample),
    sensor: {
      unit: '%',
      start: async (to) => {
        emit = to
      },
      stop: async () => {
        emit = () => {}
      },
    },
  }
}

/** Lines that are driven at once. */
function drivenLines(): OutputLines & { readonly levels: string[] } {
  let told: Parameters<OutputLines['start']>[0] = () => {}
  const levels: string[] = []
  return {
    levels,
    start: (onLevels) => {
      told = onLevels
    },
    drive(wished) {
      if (levels.at(-1) !== wished.join('')) levels.push(wished.join(''))
      told(wished)
    },
    async stop() {
      levels.push('stop')
      told([0])
    },
  }
}

interface Options {
  readonly signer?: Signer
  readonly sensors?: readonly AgentSensor[]
  /** As a configuration has them. */
  readonly wires?: readonly object[]
  readonly owner?: Account
  readonly outputs?: readonly object[]
  readonly lines?: OutputLines
  /** Share of a core; 0 does not mine. */
  readonly duty?: number
  readonly data?: string
}

async function startAgent(t: Test, rig: Rig, options: Options = {}) {
  const { signer = alice, sensors = [], wires = [], owner, duty = 0, data = temporary(t) } = options
  const { outputs = [], lines: outputLines = drivenLines() } = options
  const { log, lines } = recordingLog()
  const store = new ChainStore(openDisk(data), rig.genesis)
  const outbox = new Outbox(replaceableLog(join(data, 'outbox.log')), store.chain, signer)
  const wiresLog = new WiresLog(replaceableLog(join(data, WIRES_FILE)))
  const wired = wiresOptions({ wires: wiresConfig.parse(wires), owner, sensors })
  const agent = new Agent(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      name: 'agent',
      software: 'test',
      signer,
      sensors,
      mining: { ...MINER_DEFAULTS, duty },
    },
    {
      store,
      outbox,
      trades: [(desk) => new WiresTrade(desk, wired, wiresLog)],
      outputs: new Outputs(
        outputs.map((each) => outputConfig.parse(each)),
        { lines: outputLines, clock: rig.clock(), timers: systemTimers, log },
      ),
      clock: rig.clock(),
      random: Math.random,
      log,
      onFatal: (error) => t.fail('the agent failed', { error }),
    },
  )
  const stop = await runAgent(t, agent, store)
  return { agent, outbox, store, lines, data, stop }
}

t.test('a reading is signed, sent, confirmed, and shown live as SenML', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const { mempool } = running.validator.node
  const heard: { kind: string; value: unknown; retain: boolean }[] = []
  const person = await joinBroker(t, rig.broker)
  person.on('message', (name, payload, { retain }) => {
    const parsed = parseTopic(name)
    if (parsed?.json) heard.push({ kind: parsed.kind, value: JSON.parse(String(payload)), retain })
  })
  await person.subscribeAsync(`pinledger/+/+/${alice.account}/#`)
  const soil = sensor('soil', 1)
  const { outbox } = await startAgent(t, rig, { sensors: [soil] })
  soil.say({ value: value(41) })
  soil.say({ value: value(42) })
  await waitUntil('both wait at the validator', () => mempool.size === 2)
  t.equal(outbox.waiting, 2)
  await rig.mine([running], mempool.ordered())
  await waitUntil('the outbox knows', () => outbox.waiting === 0)
  t.equal(rig.chain.chain.state.totals().readings, 2)
  t.match(
    heard.filter(({ kind }) => kind === 'reading').map((each) => each.value),
    [[{ n: 'soil', v: 41, u: '%', bn: `urn:dev:pinledger:${alice.account}:` }], [{ v: 42 }]],
  )
  t.match(heard.find(({ kind }) => kind === 'sensor')?.value, {
    sensor: 'soil',
    driver: 'script',
    unit: '%',
    batch: 1,
  })
  t.equal(heard.filter(({ kind }) => kind === 'tx').length >= 2, true, 'the mirrors of the transactions')
})

t.test('sequence numbers of readings go on after a restart, without gap or repetition', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const soil = sensor('soil', 1)
  const first = await startAgent(t, rig, { sensors: [soil] })
  soil.say({ value: value(1) })
  await waitUntil('it is in the outbox', () => first.outbox.waiting === 1)
  soil.say({ value: value(2) })
  await first.stop() // signs what has gathered
  const second = await startAgent(t, rig, { sensors: [soil], data: first.data })
  soil.say({ value: value(3) })
  const { mempool } = running.validator.node
  await waitUntil('all three wait', () => mempool.size === 3)
  const sequences = mempool
    .ordered()
    .map(({ transaction: tx }) => (tx.type === 'reading' ? [tx.nonce, tx.sample.sequence] : []))
  t.strictSame(sequences, [
    [0, 0],
    [1, 1],
    [2, 2],
  ])
  await rig.mine([running], mempool.ordered())
  await waitUntil('the outbox knows', () => second.outbox.waiting === 0)
})

t.test('a fast sensor batches: one transaction for four samples, each with its proof', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const soil = sensor('soil', 4)
  const samples: unknown[] = []
  const person = await joinBroker(t, rig.broker)
  person.on('message', (_name, payload) => void samples.push(JSON.parse(String(payload))))
  await person.subscribeAsync(`pinledger/+/sample/+/+/json`)
  await startAgent(t, rig, { sensors: [soil] })
  for (let each = 0; each < 6; each++) soil.say({ value: value(each) })
  await waitUntil('the batch waits', () => running.validator.node.mempool.size === 1)
  const [sealed] = running.validator.node.mempool.ordered()
  t.match(sealed?.transaction, { type: 'batch', sensor: 'soil', sequence: 0, count: 4, unit: '%' })
  await waitUntil('its samples travel', () => samples.length === 4)
  t.match(samples[3], { transaction: sealed?.id, index: 3, count: 4, sample: { sequence: 3, value: '3' } })
})

t.test('a wire pays for a confirmed reading, once, also over a restart', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const { mempool } = running.validator.node
  const wire = {
    when: { device: carol.account, sensor: 'soil' },
    pay: '0.000001',
    for: 'soil',
    confirmations: 2,
    perHourMax: 10,
  }
  const first = await startAgent(t, rig, { wires: [wire] })
  await rig.mine([running], [rig.chain.reading(carol)])
  await waitUntil('the agent has the block', () => first.store.chain.tip.height === 1)
  t.equal(mempool.size, 0, 'not deep enough')
  await rig.mine([running])
  await waitUntil('the payment waits', () => mempool.size === 1)
  t.match(mempool.ordered()[0]?.transaction, { to: carol.account, amount: 100, memo: /^soil [0-9a-f]{16}$/ })
  await first.stop()
  const second = await startAgent(t, rig, { wires: [wire], data: first.data })
  await rig.mine([running], mempool.ordered())
  await rig.mine([running])
  await waitUntil('the agent follows', () => second.store.chain.tip.height === 4)
  await waitUntil('nothing waits', () => second.outbox.waiting === 0)
  t.equal(rig.chain.chain.state.account(carol.account).balance, 100)
  t.equal(mempool.size, 0)
})

t.test('a wire without coins pays nothing and says so', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const wire = { when: { device: carol.account, sensor: 'soil' }, pay: '0.000001', for: 'soil' }
  const { lines, outbox } = await startAgent(t, rig, { signer: carol, wires: [{ ...wire, to: bob.account }] })
  await rig.mine([running], [rig.chain.reading(carol)])
  await waitUntil('it says so', () => lines.some(({ event }) => event === 'not enough coins for all wires'))
  t.equal(outbox.waiting, 0)
})

t.test('an agent mines on the tip, publishes its block, and its reward is its own', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const { agent } = await startAgent(t, rig, { signer: carol, duty: 0.5 })
  await waitUntil('the validator has a block of it', () => running.store.chain.tip.miner === carol.account)
  t.ok(agent.node.chain.tip.height >= 1)
})

t.test('while the broker is away readings gather in the outbox and are sent when it is back', async (t) => {
  const rig = await Rig.start(t)
  const running = await rig.validator()
  const soil = sensor('soil', 1)
  const { agent, outbox } = await startAgent(t, rig, { sensors: [soil] })
  await rig.broker.broker.stop()
  await waitUntil('it notices', () => !agent.node.session.connected)
  soil.say({ value: value(1) })
  await waitUntil('the reading is on disk', () => outbox.waiting === 1)
  t.equal(agent.node.session.connected, false)
  t.equal(running.validator.node.mempool.size, 0)
})

t.test(
  'an output follows a reading, its state stands on the broker, and it is safe before the agent says goodbye',
  async (t) => {
    const rig = await Rig.start(t)
    await rig.validator()
    const soil = sensor('soil', 1)
    const lines = drivenLines()
    const heard: { kind: string; value: { on?: unknown; reason?: string; state?: string } }[] = []
    const person = await joinBroker(t, rig.broker)
    person.on('message', (name, payload) => {
      const parsed = parseTopic(name)
      if (parsed?.json) heard.push({ kind: parsed.kind, value: JSON.parse(String(payload)) })
    })
    await person.subscribeAsync(`pinledger/+/+/${alice.account}/#`)
    const pump = { name: 'pump', pin: 17, when: { sensor: 'soil', below: 20 } }
    const { stop } = await startAgent(t, rig, { sensors: [soil], outputs: [pump], lines })
    soil.say({ value: { mantissa: 195, exponent: -1 } })
    t.equal(lines.levels.at(-1), '1', 'at once')
    const outputs = () => heard.filter(({ kind }) => kind === 'output').map(({ value }) => value)
    await waitUntil('it is published', () => outputs().some(({ on }) => on === true))
    t.match(outputs().at(-1), { name: 'pump', on: true, reason: 'soil 19.5 is below 20', safe: false })
    const late = await joinBroker(t, rig.broker)
    const retained = new Promise((resolve) =>
      late.once('message', (_topic, _payload, { retain }) => resolve(retain)),
    )
    await late.subscribeAsync(`pinledger/+/output/${alice.account}/pump/json`)
    t.equal(await retained, true, 'who comes later hears it too')
    await stop()
    t.strictSame(lines.levels.slice(-2), ['1', 'stop'])
    await waitUntil('the farewell came', () => heard.at(-1)?.kind === 'status')
    t.match(outputs().at(-1), { on: false, reason: 'the agent stops' })
  },
)

t.test('what was told of an output before there was a connection is published with it', async (t) => {
  const rig = await Rig.start(t)
  const person = await joinBroker(t, rig.broker)
  const heard: unknown[] = []
  person.on('message', (_name, payload) => void heard.push(JSON.parse(String(payload))))
  await person.subscribeAsync(`pinledger/+/output/${alice.account}/+/json`)
  const lines: OutputLines = {
    start: (_onLevels, onFault) => onFault('pump', 'GPIO 17 is busy'),
    drive: () => {},
    stop: async () => {},
  }
  const pump = { name: 'pump', pin: 17, when: { agent: 'connected' } }
  await startAgent(t, rig, { outputs: [pump], lines })
  await waitUntil('it is heard', () => heard.length > 0)
  t.match(heard, [{ name: 'pump', on: null, reason: 'GPIO 17 is busy' }])
})

t.test('an output that shows the connection goes off with it', async (t) => {
  const rig = await Rig.start(t)
  await rig.validator()
  const lines = drivenLines()
  const led = { name: 'led', pin: 4, when: { agent: 'connected' } }
  const { lines: logged } = await startAgent(t, rig, { outputs: [led], lines })
  t.equal(lines.levels.at(-1), '1')
  await rig.broker.broker.stop()
  await waitUntil('it is off', () => lines.levels.at(-1) === '0')
  t.match(
    logged.filter(({ event }) => event === 'output').map(({ fields }) => fields.reason),
    ['the agent is connected'],
  )
})
