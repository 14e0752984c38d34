/** When the slow hand's miner works and when it rests, and what becomes of a find. */
import t, { type Test } from 'tap'
import { Agent } from '../../edge-agent/agent.ts'
import { HandMining } from '../../edge-agent/hand-mining.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import { Outputs } from '../../edge-agent/outputs/outputs.ts'
import { faulty } from '../../ledger/fault.ts'
import { ChainStore } from '../../node/chain-store.ts'
import type { HandNode } from '../../node/hand-node.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { readBlockHead } from '../../node/records.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import type { Session } from '../../node/session.ts'
import { systemTimers } from '../../node/timers.ts'
import { decode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { TICK_BYTES_MAX, tick as tickCodec } from '../../schemas/tick.ts'
import { handedGenesis, handGenesis, TestHand } from '../helpers/hand.ts'
import { carol, START_MS } from '../helpers/ledger.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const OPTIONS = { ...MINER_DEFAULTS, duty: 0.3 }

/** A miner over a hand that the test watches, and what the test may change. */
function lab(t: Test) {
  const test = new TestHand()
  const { lines, log } = recordingLog()
  const state = { connected: true, synchronised: true, inSync: true, nowMs: START_MS + 16_000, late: false }
  const published: Uint8Array[] = []
  const fatal: unknown[] = []
  const anchor = { ledger: 'ab'.repeat(32), height: 7, block: 'cd'.repeat(32) }
  const hand = {
    slow: test.slow,
    get inSync() {
      return state.inSync
    },
    anchors: () => [anchor],
    accept: (bytes: Uint8Array) => {
      if (state.late) return faulty('known', 'the test is quicker')
      const outcome = test.slow.accept(bytes, state.nowMs)
      state.nowMs += 16_000
      // As the node's onTick does.
      if (outcome.ok && test.slow.tip.height < 3) mining.refresh()
      return outcome
    },
    publish: async (bytes: Uint8Array) => void published.push(bytes),
  } as unknown as HandNode
  const session = {
    get connected() {
      return state.connected
    },
  } as unknown as Session
  const clock = { now: () => state.nowMs, monotonic: () => 0, synchronised: () => state.synchronised }
  const mining: HandMining = new HandMining(OPTIONS, {
    ...{ hand, session, clock, log, random: Math.random },
    onFatal: (error) => void fatal.push(error),
  })
  t.teardown(() => mining.stop())
  mining.start()
  return { test, mining, state, published, lines, fatal }
}

t.test('a tick that is found is taken, names the blocks that were there, and is published', async (t) => {
  const { test, mining, published, lines, fatal } = lab(t)
  mining.refresh()
  await waitUntil('three are found', () => published.length === 3)
  t.equal(test.slow.tip.height, 3)
  for (const [index, bytes] of published.entries()) {
    const decoded = decode(tickCodec, bytes, TICK_BYTES_MAX)
    t.match(decoded, { value: { header: { height: index + 1 }, anchors: [{ height: 7 }] } })
  }
  t.equal(lines.filter(({ event }) => event === 'found a tick').length, 3)
  t.strictSame(fatal, [])
  t.ok(mining.stats().hashes > 0)
})

t.test(
  'it rests without a connection, without the right time, and while others have a better hand',
  async (t) => {
    for (const name of ['connected', 'synchronised', 'inSync'] as const) {
      const { test, mining, state, published } = lab(t)
      state[name] = false
      mining.refresh()
      await new Promise((resolve) => setTimeout(resolve, 100))
      t.equal(mining.stats().hashes, 0, name)
      t.equal(test.slow.tip.height, 0)
      state[name] = true
      mining.refresh()
      await waitUntil('it mines', () => published.length > 0)
      await mining.stop()
    }
  },
)

t.test('a find that is refused is not published, and the next job begins', async (t) => {
  const { mining, state, published, lines, test } = lab(t)
  state.late = true
  mining.refresh()
  const late = () => lines.filter(({ event }) => event === 'a tick of ours came too late')
  await waitUntil('two are late', () => late().length >= 2)
  t.match(late()[0]?.fields, { code: 'known', height: 1 })
  t.strictSame(published, [])
  t.equal(test.slow.tip.height, 0)
  state.late = false
  await waitUntil('and then one is in time', () => published.length > 0)
})

t.test('a disk that no longer stores ends the program', async (t) => {
  const { mining, state, fatal, published } = lab(t)
  Object.defineProperty(state, 'late', {
    get: () => {
      throw new Error('no space')
    },
  })
  mining.refresh()
  await waitUntil('it is told', () => fatal.length > 0)
  t.match(fatal[0], { message: 'no space' })
  t.strictSame(published, [])
})

/** An agent on a network with a hand, both easy or both beyond any miner. */
async function startAgent(t: Test, slowShare: number, target?: bigint) {
  const genesis = handedGenesis(target === undefined ? {} : { target, hand: handGenesis({ target }) })
  const rig = await Rig.start(t, genesis)
  await rig.validator()
  const { lines, log } = recordingLog()
  const disk = new MemoryDisk()
  const store = new ChainStore(disk, genesis)
  const { hand: own } = store.chain.network
  invariant(own !== undefined, 'the network has a hand')
  const hand = new HandStore(disk.open(HAND_FILE), own)
  const clock = { now: Date.now, monotonic: () => performance.now(), synchronised: () => true }
  const onFatal = (error: unknown) => void t.fail('the agent failed', { error })
  const agent = new Agent(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      ...{ name: 'agent', software: 'test', signer: carol, sensors: [] },
      mining: { ...MINER_DEFAULTS, duty: 0.4, slowShare },
    },
    {
      ...{ store, hand, clock, random: Math.random, log, onFatal },
      outbox: new Outbox(replaceableLog(`${temporary(t)}/outbox.log`), store.chain, carol),
      outputs: new Outputs([], {
        clock,
        timers: systemTimers,
        log,
        lines: { start() {}, drive() {}, async stop() {} },
      }),
    },
  )
  const stop = () => agent.stop()
  await agent.start()
  const named = () => readBlockHead(store.block(store.chain.tip.hash)).coinbase.tick
  return { agent, slow: hand.slow, chain: store.chain, lines, named, stop }
}

t.test(
  'without a share for it there are blocks and no ticks; with all of it ticks and no blocks',
  async (t) => {
    const blocks = await startAgent(t, 0)
    await waitUntil('there are blocks', () => blocks.chain.tip.height >= 3)
    t.equal(blocks.slow.tip.height, 0)
    await blocks.stop()
    const ticks = await startAgent(t, 1)
    await waitUntil('there are ticks', () => ticks.slow.tip.height >= 3)
    t.equal(ticks.chain.tip.height, 0)
    await ticks.stop()
  },
)

t.test(
  'of its duty the share goes to ticks and the rest to blocks, each block with the newest tick',
  async (t) => {
    const both = await startAgent(t, 0.25)
    await waitUntil('there are both', () => both.slow.tip.height >= 2 && both.chain.tip.height >= 2)
    await both.stop()
    const { agent, lines, stop } = await startAgent(t, 0.25, 1n)
    await waitUntil('it is in sync', () => agent.node.inSync)
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await stop()
    const report = lines.find(({ event }) => event === 'report')?.fields ?? {}
    const [fast, slow] = [report['hashes-per-second'], report['slow-hashes-per-second']].map(Number) as [
      number,
      number,
    ]
    t.ok(slow > 0)
    t.ok(slow < fast * 0.7, `${slow} for ticks, ${fast} for blocks`)
  },
)
