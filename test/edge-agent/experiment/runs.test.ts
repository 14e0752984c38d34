import t, { type Test } from 'tap'
import { barrier } from '../../../edge-agent/experiment/barrier.ts'
import { ExperimentHand, fixedHand, type Made } from '../../../edge-agent/experiment/hand.ts'
import { type Round, runAlone, runFree, runInStep } from '../../../edge-agent/experiment/runs.ts'
import { START_MS } from '../../helpers/ledger.ts'
import { TestSearch } from '../../helpers/search.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const LONG_MS = 60_000

async function handOf(t: Test, name: string, search: TestSearch) {
  const hand = new ExperimentHand({ label: name, hand: fixedHand(name, 1, START_MS), now: () => START_MS })
  t.teardown(() => hand.stop())
  await hand.start(search.open)
  return hand
}

async function pairOf(t: Test, first = true, second = true) {
  const searches = [new TestSearch(first), new TestSearch(second)] as const
  const hands = [await handOf(t, 'a', searches[0]), await handOf(t, 'b', searches[1])] as const
  return { hands, searches }
}

/** Heights of the other hand that its ticks name. */
const namedBy = (made: readonly (Made | undefined)[]) =>
  made.map((each) => each?.added.tick.anchors[0]?.height)

t.test('the barrier waits for all, but not longer than its time-out', async (t) => {
  const never = new Promise<string>(() => {})
  t.strictSame(await barrier([Promise.resolve('a'), Promise.resolve('b')], LONG_MS), ['a', 'b'])
  const startMs = performance.now()
  t.strictSame(await barrier([Promise.resolve('a'), never], 50), ['a', undefined])
  const tookMs = performance.now() - startMs
  t.ok(tookMs >= 45, `it has waited ${tookMs} ms`)
  await t.rejects(barrier([never, Promise.reject(new Error('gone'))], LONG_MS), /gone/)
})

t.test('alone: so many ticks, that name nothing', async (t) => {
  const hand = await handOf(t, 'a', new TestSearch())
  const made: Made[] = []
  await runAlone(hand, 3, (each) => made.push(each))
  t.strictSame(
    made.map(({ added }) => [added.entry.height, added.tick.anchors.length]),
    [
      [1, 0],
      [2, 0],
      [3, 0],
    ],
  )
})

t.test("in step: each round's ticks name the other hand's tick of the round before", async (t) => {
  const { hands } = await pairOf(t)
  const rounds: Round[] = []
  await runInStep(hands, { rounds: 4, timeoutMs: LONG_MS }, (round) => rounds.push(round))
  t.strictSame(
    rounds.map(({ ticks }) => namedBy(ticks)),
    [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ],
  )
  t.strictSame(
    rounds.map(({ cut }) => cut),
    [false, false, false, false],
  )
})

t.test('in step: whoever is first waits for the other', async (t) => {
  const { hands, searches } = await pairOf(t, true, false)
  const rounds: Round[] = []
  const over = runInStep(hands, { rounds: 1, timeoutMs: LONG_MS }, (round) => rounds.push(round))
  await waitUntil('a has its tick', () => hands[0].slow.tip.height === 1)
  await new Promise((resolve) => setTimeout(resolve, 40))
  t.equal(searches[0].jobs.length, 1, 'a rests')
  t.equal(rounds.length, 0, 'the round is open')
  searches[1].find()
  await over
  const [round] = rounds
  t.ok((round?.waitedMs[0] ?? 0) >= 35, 'a has waited')
  t.ok((round?.waitedMs[1] ?? LONG_MS) < (round?.waitedMs[0] ?? 0), 'b has not')
})

t.test(
  'in step: a hand that stalls holds the round until the time-out, then the other goes on',
  async (t) => {
    const { hands, searches } = await pairOf(t, true, false)
    const rounds: Round[] = []
    const over = runInStep(hands, { rounds: 4, timeoutMs: 60 }, (round) => {
      rounds.push(round)
      // It comes to life in the third round.
      if (round.round === 2) setImmediate(() => searches[1].find())
      if (round.round === 3) searches[1].instant = true
    })
    await over
    t.strictSame(
      rounds.map(({ ticks }) => ticks.map((made) => made?.added.entry.height)),
      [
        [1, undefined],
        [2, undefined],
        [3, 1],
        [4, 2],
      ],
    )
    for (const { ms } of rounds.slice(0, 2)) t.ok(ms >= 55, `the round was held for ${ms} ms`)
    t.strictSame(namedBy(rounds.map(({ ticks }) => ticks[0])), [0, 0, 0, 1], 'a names what there is of b')
    t.strictSame(namedBy(rounds.map(({ ticks }) => ticks[1])), [undefined, undefined, 2, 3])
  },
)

t.test('in step: a stop cuts a round, of which what was found is told', async (t) => {
  const { hands } = await pairOf(t, true, false)
  const rounds: Round[] = []
  const over = runInStep(hands, { rounds: 9, timeoutMs: LONG_MS }, (round) => rounds.push(round))
  await waitUntil('a has its tick', () => hands[0].slow.tip.height === 1)
  for (const hand of hands) await hand.stop()
  await over
  t.strictSame(
    rounds.map(({ cut, ticks }) => [cut, ...ticks.map((made) => made !== undefined)]),
    [[true, true, false]],
  )
})

t.test("free: each tick names the other's newest, and the slow hand's last tick ends both", async (t) => {
  const { hands, searches } = await pairOf(t, false, false)
  const [slow, fast] = searches
  const made: Made[] = []
  const over = runFree(hands, 2, (each) => made.push(each))
  const after = async (search: TestSearch) => {
    const count = made.length
    search.find()
    await waitUntil('it has become a tick', () => made.length > count)
  }
  await after(fast)
  await after(fast)
  await after(slow)
  await after(fast)
  await after(slow)
  await over
  t.strictSame(
    made.map(({ hand, added }) => [hand.label, added.entry.height, added.tick.anchors[0]?.height]),
    [
      ['b', 1, 0],
      ['b', 2, 0],
      ['a', 1, 2],
      ['b', 3, 1],
      ['a', 2, 3],
    ],
  )
  t.ok(slow.stops > 0 && fast.stops > 0)
})
