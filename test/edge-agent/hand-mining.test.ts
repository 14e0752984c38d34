/** When the slow hand's miner works and when it rests, and what becomes of a find. */
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { HandMining } from '../../edge-agent/hand-mining.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { faulty } from '../../ledger/fault.ts'
import type { HandNode } from '../../node/hand-node.ts'
import type { Session } from '../../node/session.ts'
import { decode } from '../../schemas/codec.ts'
import { TICK_BYTES_MAX, tick as tickCodec } from '../../schemas/tick.ts'
import { TestHand } from '../helpers/hand.ts'
import { START_MS } from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'
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
  await waitUntil('three are found', () => published.length >= 3)
  t.equal(test.slow.tip.height, published.length)
  for (const [index, bytes] of published.entries()) {
    const decoded = decode(tickCodec, bytes, TICK_BYTES_MAX)
    t.match(decoded, { value: { header: { height: index + 1 }, anchors: [{ height: 7 }] } })
  }
  t.equal(lines.filter(({ event }) => event === 'found a tick').length, published.length)
  t.strictSame(fatal, [])
  t.ok(mining.stats().hashes > 0)
})

t.test(
  'it rests without a connection, without the right time, and while others have a better hand',
  async (t) => {
    const { mining, state, published } = lab(t)
    mining.refresh()
    await waitUntil('its thread runs', () => published.length >= 3)
    for (const name of ['connected', 'synchronised', 'inSync'] as const) {
      state[name] = false
      mining.refresh()
      // Its thread looks at orders a few times a second; every second there is another job by itself.
      await sleep(200)
      const [{ hashes }, told] = [mining.stats(), published.length]
      await sleep(1_200)
      t.equal(mining.stats().hashes, hashes, name)
      t.equal(published.length, told)
      state[name] = true
      mining.refresh()
      await waitUntil('it mines again', () => published.length > told)
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
