import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LabLog } from '../../../edge-agent/lab/lab-log.ts'
import { ORDER_MS_MAX, signOrder } from '../../../edge-agent/lab/order.ts'
import { type LabState, LabTrade } from '../../../edge-agent/lab/trade.ts'
import { openTicks, ticksBytes, towerBytes } from '../../../edge-agent/lab/words.ts'
import type { Desk } from '../../../edge-agent/trade.ts'
import { encode } from '../../../schemas/codec.ts'
import { type Account, type Hash, toHex, ZERO_HASH } from '../../../schemas/hex.ts'
import { type LabPlan, type LabStart, labAsk } from '../../../schemas/lab-message.ts'
import type { Kind, ParsedTopic } from '../../../schemas/topic.ts'
import { alice, bob, carol, START_MS, TestChain } from '../../helpers/ledger.ts'
import { temporary } from '../../helpers/processes.ts'
import { recordingLog } from '../../helpers/rig.ts'
import { TestSearch } from '../../helpers/search.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const alone: LabStart = {
  ...{ type: 'start', mode: 'alone', rounds: 3, timeoutMs: 60_000 },
  agents: [{ account: alice.account, difficulty: 1 }],
}

/** Alice's laboratory; carol owns it. */
class Bench {
  readonly chain = new TestChain()
  readonly path: string
  readonly told: { readonly kind: Kind; readonly payload: Uint8Array }[] = []
  readonly states: LabState[] = []
  readonly lines: ReturnType<typeof recordingLog>['lines']
  search = new TestSearch()
  trade: LabTrade
  nowMs = START_MS
  monotonicMs = 0
  readonly #t: Test
  readonly #log: ReturnType<typeof recordingLog>['log']

  constructor(t: Test) {
    this.#t = t
    this.path = join(temporary(t), 'lab')
    const { log, lines } = recordingLog()
    this.#log = log
    this.lines = lines
    this.trade = this.#open()
    t.teardown(() => this.trade.stop())
  }

  #open(): LabTrade {
    const { chain } = this.chain
    const desk = {
      ...{ chain, signer: alice, log: this.#log, connected: true, random: () => 0.5, listen: () => {} },
      clock: { now: () => this.nowMs, monotonic: () => this.monotonicMs, synchronised: () => true },
      tell: async (kind: Kind, _levels: readonly string[], payload: Uint8Array) => {
        this.told.push({ kind, payload })
        return true
      },
      tellPeople: async (kind: Kind, _levels: readonly string[], value: unknown) => {
        if (kind === 'lab-state') this.states.push(value as LabState)
        return true
      },
    } as unknown as Desk
    const onFatal = (error: unknown) => this.#t.fail('it failed', { error })
    const options = { owner: carol.account, open: this.search.open, onFatal }
    return new LabTrade(desk, options, new LabLog(this.path))
  }

  async restart(): Promise<void> {
    await this.trade.stop()
    this.search = new TestSearch()
    this.trade = this.#open()
    this.trade.onConnected()
  }

  order(sequence: number, plan: LabPlan, time = this.nowMs) {
    return signOrder(this.chain.network, { sequence, time, plan }, (message) => carol.sign(message))
  }

  hear(kind: Kind, publisher: Account, payload: Uint8Array): void {
    const topic: ParsedTopic = {
      ...{ network: this.chain.network.id, kind, publisher, rest: [], json: false },
    }
    this.trade.onMessage(topic, payload)
  }

  give(sequence: number, plan: LabPlan, time?: number) {
    const signed = this.order(sequence, plan, time)
    this.hear('lab', carol.account, signed.bytes)
    return signed
  }

  /** Time passes, a second a turn. */
  pass(seconds: number): void {
    for (let second = 0; second < seconds; second++) {
      this.nowMs += 1_000
      this.monotonicMs += 1_000
      this.trade.tick()
    }
  }

  /** Words of bob's as a tower: where the hands ended when the round began. */
  tower(order: Hash, round: number, heights: readonly number[], term = 1): void {
    const tips = heights.map((height) => ({ height, hash: ZERO_HASH as Hash }))
    const body = { order, term, round, leftMs: 0, tips }
    const bytes = towerBytes(this.chain.network, body, (message) => bob.sign(message))
    this.hear('tower', bob.account, bytes)
  }

  get state(): LabState | undefined {
    return this.states.at(-1)
  }

  /** Heights of the ticks that were said. */
  get heights(): number[] {
    return this.told.flatMap(({ kind, payload }) => {
      if (kind !== 'lab-tick') return []
      const order = toHex(payload.subarray(0, 32)) as Hash
      const said = openTicks({ network: this.chain.network, order, by: alice.account }, payload)
      return said.ok ? said.value.ticks.map(({ tick }) => tick.header.height) : []
    })
  }
}

t.test('an order is carried out once, and what was made is said again to whoever lacks it', async (t) => {
  const bench = new Bench(t)
  const { hash, bytes } = bench.give(5, alone)
  await waitUntil('it is over', () => bench.state?.state === 'over')
  t.strictSame(bench.heights, [1, 2, 3])
  t.match(bench.state, { order: hash, sequence: 5, hand: 'a', ticks: 3, refused: null })
  bench.told.length = 0
  bench.hear('lab-ask', carol.account, encode(labAsk, { order: hash, above: 1 }))
  bench.hear('lab-ask', carol.account, encode(labAsk, { order: hash, above: 2 }))
  t.strictSame(bench.heights, [], 'once a second')
  bench.trade.tick()
  t.strictSame(bench.heights, [2, 3])
  await bench.restart()
  bench.hear('lab', carol.account, bytes)
  t.match(bench.state, { state: 'over', sequence: 5 })
  t.strictSame(bench.search.jobs, [])
})

t.test('an experiment is resumed after a restart, within its time, until it is stopped', async (t) => {
  const bench = new Bench(t)
  bench.search.instant = false
  const { hash } = bench.give(5, { ...alone, timeoutMs: ORDER_MS_MAX })
  await waitUntil('it searches', () => bench.search.jobs.length > 0)
  bench.search.find()
  await waitUntil('a tick is said', () => bench.heights.length === 1)
  bench.nowMs += 3 * ORDER_MS_MAX
  await bench.restart()
  await waitUntil('it is over', () => bench.state?.state === 'over')
  t.equal(bench.state?.order, hash)
  t.strictSame([...new Set(bench.heights)], [1, 2, 3])

  bench.search.instant = false
  const { length } = bench.search.jobs
  const { stops } = bench.search
  bench.give(6, alone)
  await waitUntil('it searches', () => bench.search.jobs.length > length)
  bench.give(7, { type: 'stop' })
  t.match(bench.state, { state: 'stopped', order: null, sequence: 7 })
  await waitUntil('the search is at an end', () => bench.search.stops > stops)
})

t.test('an order that comes while the agent stops is left for its next start', async (t) => {
  const bench = new Bench(t)
  bench.give(5, { type: 'stop' })
  await bench.trade.stop()
  const { bytes } = bench.give(6, alone)
  await bench.restart()
  t.equal(bench.state?.sequence, 5)
  bench.hear('lab', carol.account, bytes)
  await waitUntil('it is over', () => bench.state?.state === 'over')
})

t.test('what is not for it, or not to be borne, is not carried out, and it says why', async (t) => {
  const bench = new Bench(t)
  bench.give(5, { ...alone, agents: [{ account: bob.account, difficulty: 1 }] })
  t.match(bench.state, { state: 'not-named', sequence: 5 })
  bench.give(5, alone)
  t.match(bench.state?.refused, { sequence: 5, reason: /^old-sequence/ })
  bench.give(6, { ...alone, rounds: 0 })
  t.match(bench.state?.refused, { sequence: 6, reason: /^bad-plan/ })
  const { length } = bench.lines
  bench.give(6, { ...alone, rounds: 0 })
  t.equal(bench.lines.length, length, 'the same again is not said twice')
  bench.give(7, alone, bench.nowMs - ORDER_MS_MAX)
  t.match(bench.state?.refused, { sequence: 7, reason: /^bad-time/ })
  bench.hear('lab', bob.account, bench.order(8, alone).bytes)
  t.match(bench.state, { sequence: 5 }, 'nobody else is heard')
  t.strictSame(bench.search.jobs, [])
})

t.test('a few experiments stay on disk', async (t) => {
  const bench = new Bench(t)
  for (let sequence = 1; sequence <= 6; sequence++) {
    bench.give(sequence, { ...alone, rounds: 1 })
    await waitUntil('it is over', () => bench.state?.state === 'over' && bench.state.sequence === sequence)
  }
  t.equal(readdirSync(bench.path).filter((name) => /^[0-9a-f]{16}$/.test(name)).length, 4)
})

const both = (mode: LabStart['mode'], agents = [bob, alice]): LabStart => ({
  ...{ type: 'start', mode, rounds: 5, timeoutMs: 60_000 },
  agents: agents.map(({ account }) => ({ account, difficulty: 1 })),
})

t.test('only the owner and the agents of an experiment are answered', async (t) => {
  const bench = new Bench(t)
  const { hash } = bench.give(5, alone)
  await waitUntil('it is over', () => bench.state?.state === 'over')
  bench.told.length = 0
  bench.hear('lab-ask', bob.account, encode(labAsk, { order: hash, above: 0 }))
  bench.pass(3)
  t.strictSame(bench.heights, [])
  bench.hear('lab-ask', carol.account, encode(labAsk, { order: hash, above: 2 }))
  bench.pass(3)
  t.strictSame(bench.heights, [3])
})

t.test("what others say under the owner's name is checked and told only so often", async (t) => {
  const bench = new Bench(t)
  const told = bench.states.length
  for (let index = 0; index < 300; index++)
    bench.hear(
      'lab',
      carol.account,
      Uint8Array.from({ length: 79 }, (_, at) => (at === 7 ? index : 0)),
    )
  t.equal(bench.lines.filter(({ event }) => event.includes('refused')).length, 20)
  t.ok(bench.states.length - told <= 20)
  bench.give(5, alone)
  t.equal(bench.state?.sequence, 0, 'not looked at')
  bench.pass(1)
  bench.give(5, alone)
  t.equal(bench.state?.sequence, 5)
})

t.test('an experiment ends with its time, however often its agent was off', async (t) => {
  const bench = new Bench(t)
  bench.search.instant = false
  bench.give(5, alone)
  await waitUntil('it searches', () => bench.search.jobs.length > 0)
  bench.nowMs += 2 * 3 * 60_000 + ORDER_MS_MAX
  await bench.restart()
  bench.search.instant = false
  await waitUntil('it searches', () => bench.search.jobs.length > 0)
  t.equal(bench.state?.state, 'running')
  bench.nowMs += 5 * 60_000
  bench.trade.tick()
  t.equal(bench.state?.state, 'over')
  await bench.restart()
  t.equal(bench.state?.state, 'over')
  t.strictSame(bench.search.jobs, [])

  bench.search.instant = false
  bench.give(6, alone)
  await waitUntil('it searches', () => bench.search.jobs.length > 0)
  bench.nowMs += 10 * ORDER_MS_MAX
  await bench.restart()
  await waitUntil('it is over', () => bench.state?.state === 'over')
})

t.test('a tower that lies gets one tick a round', async (t) => {
  const bench = new Bench(t)
  const { hash } = bench.give(5, both('rounds'))
  await waitUntil('it takes part', () => bench.state?.state === 'running')
  bench.trade.onConnected()
  bench.tower(hash, 1, [0, 1_000_000])
  await waitUntil('it has said its tick', () => bench.heights.length > 0)
  await new Promise((resolve) => setTimeout(resolve, 50))
  t.strictSame(bench.heights, [1])
  for (let round = 2; round <= 4; round++) bench.tower(hash, round, [0, 1_000_000])
  await waitUntil('it has said the next one', () => bench.heights.length > 1)
  const warned = bench.lines.filter(({ event }) => event.includes('knows more ticks'))
  t.equal(warned.length, 1, 'and is not a line in the log for each')
})

t.test('who says too much that is of no use is not heard for a while', async (t) => {
  const bench = new Bench(t)
  const { hash } = bench.give(5, both('rounds'))
  await waitUntil('it takes part', () => bench.state?.state === 'running')
  bench.trade.onConnected()
  const forged = new Uint8Array(200)
  forged.set(Buffer.from(hash, 'hex'))
  for (let count = 0; count < 21; count++) bench.hear('lab-tick', bob.account, forged)
  t.equal(bench.lines.filter(({ event }) => event.includes('of no use')).length, 1)
  bench.tower(hash, 1, [0, 0])
  bench.pass(2)
  t.equal(bench.state?.round, null)
  bench.pass(9)
  bench.tower(hash, 1, [0, 0])
  bench.pass(1)
  t.equal(bench.state?.round, 1)
})

t.test('hands that run free begin at once: when all are there, or some seconds later', async (t) => {
  const bench = new Bench(t)
  const here = (order: Hash) =>
    ticksBytes(bench.chain.network, { order, ticks: [] }, (message) => bob.sign(message))
  const { hash } = bench.give(5, both('free', [alice, bob]))
  await waitUntil('it says that it is there', () => bench.told.some(({ kind }) => kind === 'lab-tick'))
  bench.pass(5)
  t.strictSame([bench.search.jobs.length, bench.heights], [0, []], 'one is lacking')
  bench.hear('lab-tick', bob.account, here(hash))
  await waitUntil('it begins', () => bench.heights.length > 0)

  const { length } = bench.search.jobs
  const second = bench.give(6, both('free', [alice, bob]))
  await waitUntil('the other one has ended', () => bench.search.stops > 0)
  const isOfSecond = ({ payload }: { payload: Uint8Array }) => toHex(payload.subarray(0, 32)) === second.hash
  await waitUntil('it is there', () => bench.told.some(isOfSecond))
  bench.pass(11)
  t.equal(bench.search.jobs.length, length)
  bench.pass(2)
  await waitUntil('it begins alone', () => bench.search.jobs.length > length)
})

t.test('an experiment whose threads do not start has failed, and the agent goes on', async (t) => {
  const bench = new Bench(t)
  bench.search.cannot = new Error('no memory for a thread')
  bench.give(5, alone)
  await waitUntil('it has failed', () => bench.state?.state === 'failed')
  t.match(
    bench.lines.filter(({ level }) => level === 'error'),
    [{ fields: { error: /no memory/ } }],
  )
  bench.search.cannot = undefined
  bench.give(6, alone)
  await waitUntil('the next one is over', () => bench.state?.state === 'over')
})
