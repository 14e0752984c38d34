import t from 'tap'
import { type ClockFacts, clockReport } from '../../ledger/clock-report.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { alice, bob, START_MS } from '../helpers/ledger.ts'

const T = 10_000
const pace = { interval: T, halfLife: 64, targetMax: targetFor(256) }
const NOTHING = { stale: { blocks: 0, of: 0 }, clocks: new Map(), own: undefined }

/** A hundred blocks at the pace, every eighth with a tick above it, `now` half an interval after the last. */
function facts(overrides: Partial<ClockFacts> = {}): ClockFacts {
  const blocks = Array.from({ length: 100 }, (_, at) => ({
    ...{ time: START_MS + (at + 1) * T, work: 1_000 },
    miner: at % 4 === 0 ? bob.account : alice.account,
  }))
  const ticks = Array.from({ length: 12 }, (_, at) => ({
    ...{ time: START_MS + (at + 1) * 8 * T, work: 9_000 },
    anchor: (at + 1) * 8,
  }))
  return {
    nowMs: START_MS + 100 * T + T / 2,
    listeningMs: 1_000 * T,
    fast: { ...pace, start: START_MS, height: 100, beats: blocks },
    slow: { ...pace, interval: 8 * T, start: START_MS, height: 12, ratio: 8, beats: ticks },
    ...NOTHING,
    ...overrides,
  }
}
const slowOf = (overrides: object) => ({ slow: { ...facts().slow, ...overrides } as ClockFacts['slow'] })
const codes = (overrides: Partial<ClockFacts>) => clockReport(facts(overrides)).alarms.map(({ code }) => code)

t.test('hands that keep their pace have it, no drift, the ratio of the law and no alarm', async (t) => {
  const { fast, slow, ratio, miners, alarms } = clockReport(facts())
  t.match(fast, { height: 100, meanMs: T, beats: 99, driftMs: 0, silentMs: T / 2 })
  t.match(slow, { height: 12, meanMs: 8 * T, driftMs: 0 })
  t.match(ratio, { mean: 8, law: 8, ticks: 11 })
  t.strictSame(alarms, [])
  t.equal(Math.round(fast.driftSdMs), Math.round(T * Math.sqrt(64 / (2 * Math.LN2))))
  t.match(miners, [
    { account: alice.account, blocks: 75 },
    { account: bob.account, blocks: 24 },
  ])
  t.equal(Math.round(miners[0]?.hashesPerSecond ?? 0), Math.round((75 * 1_000) / 990))
})

t.test('a hand that is silent for more than twelve intervals has stopped; the other goes on', async (t) => {
  const at = (intervals: number) => ({ nowMs: START_MS + 100 * T + intervals * T })
  t.strictSame(codes(at(12)), [])
  t.strictSame(codes(at(12.1)), ['fast-hand-stopped'])
  const ticks = facts().slow?.beats ?? []
  const before = ticks.map((tick) => ({ ...tick, time: tick.time - 12 * 8 * T }))
  t.strictSame(codes(slowOf({ beats: before })), ['slow-hand-stopped'])
  t.strictSame(
    codes({ ...slowOf({ beats: before }), listeningMs: 11 * 8 * T }),
    [],
    'nobody was there to hear it',
  )
})

t.test('what came by a clock that is never set counts before what wall clocks say', async (t) => {
  const silent = (silentMs: number) => ({ fast: { ...facts().fast, silentMs }, nowMs: START_MS + 3_600_000 })
  t.strictSame(codes({ ...silent(12 * T), slow: undefined }), [])
  t.strictSame(codes({ ...silent(12 * T + 1), slow: undefined }), ['fast-hand-stopped'])
})

t.test('a ratio outside three sigma is an alarm, and too few ticks are none', async (t) => {
  const ticks = (ratio: number, count = 12) =>
    slowOf({
      beats: Array.from({ length: count }, (_, at) => ({
        time: START_MS + 96 * T,
        work: 1,
        anchor: at * ratio,
      })),
    })
  // Three sigma of eleven ticks: 3 * sqrt(8 * 9 / 11) = 7.7.
  t.strictSame(codes(ticks(15.6)), [])
  t.strictSame(codes(ticks(15.8)), ['ratio'])
  t.strictSame(codes(ticks(0.2)), ['ratio'])
  t.strictSame(codes(ticks(100, 8)), [])
  t.equal(clockReport(facts(ticks(100, 8))).ratio, null)
})

t.test('a tick that names no block of ours does not count, the next one does', async (t) => {
  const beats = (facts().slow?.beats ?? []).map((tick, at) =>
    at === 0 || at === 5 ? { ...tick, anchor: undefined } : tick,
  )
  t.match(clockReport(facts(slowOf({ beats }))).ratio, { mean: 8, ticks: 10 })
})

t.test('a clock that is off by more than half an interval is named, ours first', async (t) => {
  const clocks = (aheadMs: number) => new Map([[bob.account, { aheadMs, blocks: 3 }]])
  t.strictSame(codes({ clocks: clocks(5_000) }), [])
  t.strictSame(codes({ clocks: clocks(5_001) }), ['clock'])
  t.strictSame(codes({ clocks: clocks(-3_600_000) }), ['clock'])
  const own = { aheadMs: 3_600_000, miners: 3 }
  const { alarms, ownAheadMs } = clockReport(facts({ clocks: clocks(-3_600_000), own }))
  t.equal(ownAheadMs, 3_600_000)
  t.strictSame(
    alarms.map(({ code }) => code),
    ['own-clock'],
  )
  t.match(alarms[0]?.message, /60 min ahead of the blocks of most of 3 other miners/)
  const slowly = { ...facts().fast, interval: 60_000 }
  t.strictSame(codes({ clocks: clocks(29_000), fast: slowly }), [], 'a template may be as old')
})

t.test('before the first block and tick there is a report', async (t) => {
  const fast = { ...facts().fast, height: 0, beats: [] }
  const { fast: said, ratio } = clockReport(
    facts({ fast, ...slowOf({ height: 0, beats: [] }), nowMs: START_MS }),
  )
  t.match(said, { meanMs: null, beats: 0, driftMs: 0, silentMs: 0 })
  t.equal(ratio, null)
})
