/** The clock tower: experiments on agents over a real broker, ordered by their owner from the command line. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { Agent } from '../../edge-agent/agent.ts'
import { type OpenSearch, threads } from '../../edge-agent/experiment/search.ts'
import { LAB_FOLDER, LabLog } from '../../edge-agent/lab/lab-log.ts'
import { readOrder, signOrder } from '../../edge-agent/lab/order.ts'
import { LabTrade } from '../../edge-agent/lab/trade.ts'
import { towerBytes } from '../../edge-agent/lab/words.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import { Outputs } from '../../edge-agent/outputs/outputs.ts'
import { ChainStore } from '../../node/chain-store.ts'
import type { Clock } from '../../node/clock.ts'
import { openDisk } from '../../node/disk.ts'
import { createKey } from '../../node/key-file.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import type { Signer } from '../../node/signing.ts'
import { systemTimers } from '../../node/timers.ts'
import { encode } from '../../schemas/codec.ts'
import { genesis as genesisCodec } from '../../schemas/genesis.ts'
import { type Account, type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { tip as tipCodec } from '../../schemas/message.ts'
import { mirror, topic } from '../../schemas/topic.ts'
import { startBroker as startOpenBroker } from '../helpers/challenge-broker.ts'
import { alice, bob, carol, testGenesis, testNetwork } from '../helpers/ledger.ts'
import { parsed, pinledger, run, temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { runAgent } from '../helpers/running-agent.ts'
import { solve } from '../helpers/search.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** This machine's own time: orders are of now. */
const clock: Clock = { now: Date.now, monotonic: () => performance.now(), synchronised: () => true }

/** Finds what it is given after so many milliseconds. */
const paced =
  (ms: number): OpenSearch =>
  async ({ onFound }) => {
    let job: Uint8Array | undefined
    let foundOn = ''
    const parentOf = (header: Uint8Array) => Buffer.from(header.subarray(5, 37)).toString('hex')
    const timer = setInterval(() => {
      if (job === undefined) return
      const header = solve(job)
      foundOn = parentOf(job)
      job = undefined
      onFound({ header, hashes: 100, ms })
    }, ms)
    return {
      mine(header) {
        if (parentOf(header) !== foundOn) job = header
      },
      async stop() {
        clearInterval(timer)
        return 0
      },
    }
  }

interface Running {
  readonly lines: ReturnType<typeof recordingLog>['lines']
  readonly data: string
  stop(): Promise<void>
}

async function startAgent(
  t: Test,
  rig: Pick<Rig, 'url' | 'genesis'>,
  signer: Signer,
  owner: Account,
  open: OpenSearch,
  data = temporary(t),
): Promise<Running> {
  const { log, lines } = recordingLog()
  const store = new ChainStore(openDisk(data), rig.genesis)
  const outbox = new Outbox(replaceableLog(join(data, 'outbox.log')), store.chain, signer)
  const still = { start: () => {}, drive: () => {}, stop: async () => {} }
  const onFatal = (error: unknown) => t.fail('the agent failed', { error })
  const agent = new Agent(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      name: 'agent',
      software: 'test',
      signer,
      sensors: [],
      mining: { ...MINER_DEFAULTS, duty: 0 },
    },
    {
      store,
      outbox,
      outputs: new Outputs([], { lines: still, clock, timers: systemTimers, log }),
      trades: [(desk) => new LabTrade(desk, { owner, open, onFatal }, new LabLog(join(data, LAB_FOLDER)))],
      clock,
      random: Math.random,
      log,
      onFatal,
    },
  )
  const stop = await runAgent(t, agent, store)
  return { lines, data, stop }
}

async function startLab(t: Test, opens: readonly [OpenSearch, OpenSearch]) {
  const rig = await Rig.start(t)
  await rig.validator()
  const key = join(temporary(t), 'owner.json')
  const owner = createKey(key)
  const agents = [
    await startAgent(t, rig, alice, owner.account, opens[0]),
    await startAgent(t, rig, bob, owner.account, opens[1]),
  ] as const
  const on = ['--agents', `${alice.account},${bob.account}`, '--key', key, '--broker', rig.url]
  return { rig, key, owner, agents, on }
}

const jsonOf = ({ out }: { out: string }) => out.split('\n').map((line) => parsed(line) ?? {})
const ticksOf = (said: { out: string }) => jsonOf(said).filter(({ type }) => type === 'tick')
const anchored = (tick: Record<string, unknown>) =>
  (tick.anchors as { height: number }[]).map(({ height }) => height)
const experimentsOf = ({ data }: Running) =>
  readdirSync(join(data, LAB_FOLDER)).filter((name) => /^[0-9a-f]{16}$/.test(name))

t.test('rounds, hands alone and hands that run free, on agents with real threads', async (t) => {
  const search = threads(1, Math.random, 0.25)
  const { agents, on } = await startLab(t, [search, search])
  const out = join(temporary(t), 'pair')
  const pair = await run(t, [
    ...['clock', 'pair', '--difficulty', '2,1', '--rounds', '4', '--round-timeout', '10'],
    ...['--json', '--out', out, ...on],
  ])
  t.equal(pair.code, 0, pair.err)
  t.strictSame(
    ticksOf(pair).map((tick) => [tick.round, String(tick.hand)[0], tick.height, ...anchored(tick)]),
    [1, 2, 3, 4].flatMap((round) => [
      [round, 'a', round, round - 1],
      [round, 'b', round, round - 1],
    ]),
    'each tick names the other hand where it was when the round began',
  )
  const good = await run(t, ['clock', 'verify', out])
  t.match(
    good,
    { code: 0, out: /4 ticks name hand b-[0-9a-f]{16}, never an earlier one than before/ },
    good.err,
  )
  for (const agent of agents) {
    const [experiment = ''] = experimentsOf(agent)
    const own = await run(t, ['clock', 'verify', join(agent.data, LAB_FOLDER, experiment)])
    t.match(own, { code: 0, out: /hand b-[0-9a-f]{16}, 4 ticks/ }, own.err)
  }

  const mine = await run(t, ['clock', 'mine', '--difficulty', '2', '--ticks', '5', '--json', ...on])
  t.equal(mine.code, 0, mine.err)
  const heights = (hand: string) =>
    ticksOf(mine).flatMap((tick) => (String(tick.hand)[0] === hand ? [tick.height] : []))
  t.strictSame(
    [heights('a'), heights('b')],
    [
      [1, 2, 3, 4, 5],
      [1, 2, 3, 4, 5],
    ],
  )

  const almost = await run(t, ['clock', 'almost', '--difficulty', '1,3', '--ticks', '12', ...on])
  t.equal(almost.code, 0, almost.err)
  t.match(almost.out, /^ +12 +b@.* a@\S+ [1-9]\d*$/m, 'each names the newest of the other')
  t.match(
    almost.out,
    /^b@\S+: 12 ticks, .*\na@\S+: \d+ ticks, .*\n\d+\.\d fast ticks for one of the slow hand/m,
  )
})

t.test('a tower that dies is replaced, and is an agent when it is back', async (t) => {
  const { rig, agents, on, owner, key } = await startLab(t, [paced(200), paced(200)])
  const asked = run(t, [
    ...['clock', 'pair', '--difficulty', '1,1', '--rounds', '60', '--round-timeout', '1', '--json', ...on],
  ])
  const states = new Map<string, { tower: string; round: number; state: string; term: number }>()
  const { client } = await rig.device(carol)
  client.on(
    'message',
    (name, payload) => void states.set(name.split('/')[3] ?? '', parsed(payload.toString()) as never),
  )
  await client.subscribeAsync(mirror(topic(rig.chain.network.id, 'lab-state', '+')), { qos: 1 })
  const state = (of: Signer) => states.get(of.account)
  await waitUntil('rounds go on', () => (state(bob)?.round ?? 0) > 2)
  t.equal(state(bob)?.tower, alice.account)
  await agents[0].stop()
  await waitUntil('the other has taken over', () => state(bob)?.tower === bob.account, 15_000)
  t.equal(state(bob)?.term, 2)
  const alone = state(bob)?.round ?? 0
  await waitUntil('rounds end without it', () => (state(bob)?.round ?? 0) > alone + 1, 15_000)
  const again = await startAgent(t, rig, alice, owner.account, paced(200), agents[0].data)
  await waitUntil(
    'it is back',
    () => state(alice)?.tower === bob.account && state(alice)?.state === 'running',
  )
  const said = await asked
  t.equal(said.code, 1, 'there were rounds without a tick')
  t.ok(jsonOf(said).some(({ type, hand }) => type === 'missed' && String(hand).startsWith('a@')))
  const last = ticksOf(said).filter(({ round }) => round === 60)
  t.equal(last.length, 2, 'both have their tick of the last round')
  t.strictSame(experimentsOf(again), experimentsOf(agents[1]))
  const [experiment = ''] = experimentsOf(again)
  const own = await run(t, ['clock', 'verify', join(again.data, LAB_FOLDER, experiment)])
  t.equal(own.code, 0, own.err)
  await waitUntil('the order is taken back', () => state(bob)?.state === 'stopped')

  t.test('an order counts once, and only from the owner', async (t) => {
    const foreign = join(temporary(t), 'foreign.json')
    createKey(foreign)
    const words = ['clock', 'mine', '--difficulty', '1', '--ticks', '1', '--broker', rig.url]
    const stranger = await run(t, [...words, '--agents', alice.account, '--key', foreign])
    t.match(stranger, { err: /no answer from 8a88e3dd: is it running, with {2}clock: \{ lab: true \}/ })
    t.not(stranger.code, 0)
    t.match(await run(t, [...words, '--agents', alice.account]), { err: /--key/ })
    t.match(await run(t, [...words, '--agents', alice.account, '--key', key]), { code: 0 })
  })
})

t.test('a tower that lies of rounds and ticks holds the command up for seconds at most', async (t) => {
  const rig = await Rig.start(t)
  await rig.validator()
  const key = join(temporary(t), 'owner.json')
  const owner = createKey(key)
  await startAgent(t, rig, alice, owner.account, paced(200))
  const { network } = rig.chain
  const liar = await rig.device(bob)
  const tell = (order: Hash, round: number, term = 9): Promise<void> => {
    const tips = [0, 4_000_000_000].map((height) => ({ height, hash: ZERO_HASH as Hash }))
    const body = { order, term, round, leftMs: 0, tips }
    return liar.send(
      'tower',
      towerBytes(network, body, (message) => bob.sign(message)),
      { qos: 1 },
    )
  }
  liar.client.on('message', async (name, payload) => {
    if (name !== topic(network.id, 'lab', owner.account)) return
    const read = readOrder(network, owner.account, payload)
    if (!read.ok || read.value.order.plan.type !== 'start') return
    const { hash } = read.value
    const state = { order: hash, state: 'running', ticks: 1_600_000, refused: null }
    await liar.client.publishAsync(
      mirror(topic(network.id, 'lab-state', bob.account)),
      JSON.stringify(state),
      { qos: 1, retain: true },
    )
    await tell(hash, 1, 4_000_000_000)
    for (const round of [4_000_000_000, 2, 3, 4]) await tell(hash, round)
  })
  await liar.client.subscribeAsync(topic(network.id, 'lab', owner.account))
  const startMs = performance.now()
  const said = await run(t, [
    ...['clock', 'pair', '--difficulty', '1,1', '--rounds', '3', '--round-timeout', '1', '--json'],
    ...['--agents', `${alice.account},${bob.account}`, '--key', key, '--broker', rig.url],
  ])
  t.equal(said.code, 1, said.err)
  t.strictSame(
    jsonOf(said).flatMap(({ type, round, hand }) =>
      type === 'missed' && String(hand).startsWith('b@') ? [round] : [],
    ),
    [1, 2, 3],
  )
  const seconds = (performance.now() - startMs) / 1000
  t.ok(seconds < 25, `${seconds.toFixed(1)} s`)
})

t.test('another order of the owner ends a command, which takes that one not back', async (t) => {
  const { rig, agents, on, owner } = await startLab(t, [paced(200), paced(200)])
  const { network } = rig.chain
  const mine = ['clock', 'mine', '--difficulty', '1', '--ticks', '1000', '--json', ...on]
  const isTick = (line: string) => parsed(line)?.type === 'tick'
  const orders = ({ lines }: Running) =>
    lines.flatMap(({ event, fields }) => (event.includes('has given an order') ? [fields.plan] : []))

  const first = pinledger(t, mine)
  await first.line('it goes on', isTick)
  const second = pinledger(t, mine)
  await second.line('the next one goes on', isTick)
  t.match(await first.ended, { code: 3 })
  t.match(first.err.at(-1), /another order of this owner, a start of .*, counts instead of this one/)
  await second.line('it is not taken back', isTick)
  t.strictSame(orders(agents[0]), ['start', 'start'])

  const sequence = Date.now() + 60_000
  const body = { sequence, time: sequence, plan: { type: 'stop' } as const }
  const { bytes } = signOrder(network, body, (message) => owner.sign(message))
  const device = await rig.device(owner)
  await device.send('lab', bytes, { retain: true, qos: 1 })
  t.match(await second.ended, { code: 3 })

  const refused = await run(t, mine)
  t.not(refused.code, 0)
  t.match(refused.err, /another order of this owner, a stop of|old-sequence/, 'of a clock that was ahead')
  const kept = await rig.device(carol)
  const heard: string[] = []
  kept.client.on('message', (_, payload) => void heard.push(payload.toString('hex')))
  await kept.client.subscribeAsync(topic(network.id, 'lab', owner.account), { qos: 1 })
  await waitUntil('the broker has kept an order', () => heard.length > 0)
  t.strictSame(heard, [Buffer.from(bytes).toString('hex')], 'the one that counts')
})

t.test('a command says so when the broker does not take the end of its experiment', async (t) => {
  const { rig, on } = await startLab(t, [paced(200), paced(200)])
  const mine = pinledger(t, ['clock', 'mine', '--difficulty', '1', '--ticks', '1000', '--json', ...on])
  await mine.line('it goes on', (line) => parsed(line)?.type === 'tick')
  await rig.broker.broker.stop()
  mine.child.kill('SIGINT')
  t.match(await mine.ended, { code: 0 })
  t.match(mine.err.at(-1), /^the broker did not take the end of this experiment: agents go on/)
})

t.test('where anybody may speak as an agent, none of its unsigned words ends an experiment', async (t) => {
  const broker = await startOpenBroker({ proof: false })
  t.teardown(() => broker.stop())
  const genesis = testGenesis()
  const network = testNetwork(genesis)
  const key = join(temporary(t), 'owner.json')
  const owner = createKey(key)
  await startAgent(t, { url: broker.url, genesis }, alice, owner.account, paced(200))
  const anybody = await connectAsync(broker.url)
  t.teardown(() => anybody.endAsync(true))
  const say = (name: string, payload: Uint8Array | string) =>
    anybody.publishAsync(name, Buffer.from(payload), { qos: 1, retain: true })
  const { block0Hash: hash } = network
  const place = {
    ...{ height: 0, hash, parent: hash, time: genesis.time, miner: carol.account, target: 1n, work: 0n },
    ...{ stateRoot: hash, transactions: 0, readings: 0, supply: 0 },
  }
  await say(topic(network.id, 'genesis', carol.account), encode(genesisCodec, genesis))
  await say(topic(network.id, 'tip', carol.account), encode(tipCodec, place))
  anybody.on('message', async (_, payload) => {
    const read = readOrder(network, owner.account, payload)
    if (!read.ok || read.value.order.plan.type !== 'start') return
    const { sequence } = read.value.order
    const forged = { order: read.value.hash, ticks: 0, refused: { sequence, reason: 'not in the mood' } }
    const name = mirror(topic(network.id, 'lab-state', alice.account))
    for (let count = 0; count < 20; count++) {
      await say(name, JSON.stringify({ ...forged, state: 'failed' }))
      await sleep(100)
    }
  })
  await anybody.subscribeAsync(topic(network.id, 'lab', owner.account))
  const mine = await run(t, [
    ...['clock', 'mine', '--difficulty', '1', '--ticks', '20', '--json'],
    ...['--agents', alice.account, '--key', key, '--broker', broker.url],
  ])
  t.equal(mine.code, 0, mine.err)
  t.equal(ticksOf(mine).length, 20)
  t.match(mine.err, /agent 8a88e3dd refuses: not in the mood \(by what this broker lets anybody say\)\n/)
  t.match(mine.err, /agent 8a88e3dd has failed: its log says why \(by what/)
  for (const word of [/ refuses: /g, / has failed: /g]) t.equal(mine.err.match(word)?.length, 1, 'said once')
})
