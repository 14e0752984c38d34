import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { LabLog } from '../../../edge-agent/lab/lab-log.ts'
import { ORDER_MS_MAX, signOrder } from '../../../edge-agent/lab/order.ts'
import { type LabState, LabTrade } from '../../../edge-agent/lab/trade.ts'
import { openTicks } from '../../../edge-agent/lab/words.ts'
import type { Desk } from '../../../edge-agent/trade.ts'
import { encode } from '../../../schemas/codec.ts'
import type { Account } from '../../../schemas/hex.ts'
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

  get state(): LabState | undefined {
    return this.states.at(-1)
  }

  /** Heights of the ticks that were said. */
  get heights(): number[] {
    return this.told.flatMap(({ kind, payload }) => {
      const said = kind === 'lab-tick' ? openTicks(this.chain.network, alice.account, payload) : undefined
      return said?.ticks.map(({ tick }) => tick.header.height) ?? []
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
  bench.hear('lab-ask', bob.account, encode(labAsk, { order: hash, above: 1 }))
  bench.hear('lab-ask', bob.account, encode(labAsk, { order: hash, above: 2 }))
  t.strictSame(bench.heights, [], 'once a second')
  bench.trade.tick()
  t.strictSame(bench.heights, [2, 3])
  await bench.restart()
  bench.hear('lab', carol.account, bytes)
  t.match(bench.state, { state: 'over', sequence: 5 })
  t.strictSame(bench.search.jobs, [])
})

t.test('an experiment is resumed after a restart, whatever the time, until it is stopped', async (t) => {
  const bench = new Bench(t)
  bench.search.instant = false
  const { hash } = bench.give(5, alone)
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
