/** Two hands on one hash rate. Seeds are stated; the same seed, the same blocks and ticks. */
import t from 'tap'
import { clockReport } from '../../../ledger/clock-report.ts'
import { targetFor } from '../../../ledger/difficulty.ts'
import { blocksPerTick, chiSquaredGeometric, type Hands, runHands } from '../../../sim/lab/hands.ts'
import type { Trace } from '../../../sim/lab/trace.ts'
import { mean, seedsTo } from './clock.ts'

const T_MS = 10_000
const RATE = 100_000
/** Ten cells: nine degrees of freedom; above this comes one run of honest luck in a thousand. */
const [CELLS, CHI_SQUARED_MAX] = [10, 27.9]

const steps = (...list: readonly (readonly [fromTicks: number, share: number])[]): Trace => ({
  name: 'test',
  seconds: 0,
  steps: list.map(([from, share]) => ({
    fromSeconds: (from * 16 * T_MS) / 1000,
    hashesPerSecond: RATE * share,
  })),
})

/** Eight tenths of the hashing for blocks, two for ticks, at the right targets from the start. */
function hands(
  seed: number,
  ticks: number,
  { ratio = 16, halfLife = 64, isSteady = false, fast = steps([0, 0.8]), slow = steps([0, 0.2]) } = {},
): Hands {
  const perInterval = (RATE * T_MS) / 1000
  const works = { fastWork: 0.8 * perInterval, slowWork: 0.2 * perInterval * ratio }
  return runHands({
    seed,
    intervalMs: T_MS,
    ratio,
    halfLife: isSteady ? undefined : halfLife,
    fast,
    slow,
    ...works,
    seconds: (ticks * ratio * T_MS) / 1000,
  })
}

t.test('blocks per tick are geometric with mean R: chi-squared, seeds 1 to 3, R = 16 and 256', async (t) => {
  for (const ratio of [16, 256])
    for (const seed of seedsTo(3)) {
      const counts = blocksPerTick(hands(seed, 4_000, { ratio, isSteady: true }))
      const chi = chiSquaredGeometric(counts, ratio, CELLS)
      t.ok(chi < CHI_SQUARED_MAX, `R = ${ratio}, seed ${seed}: ${chi.toFixed(1)}`)
      t.ok(Math.abs(mean(counts) / ratio - 1) < 0.06, `mean ${mean(counts).toFixed(2)}`)
      const other = chiSquaredGeometric(counts, ratio * 1.25, CELLS)
      t.ok(other > CHI_SQUARED_MAX, `a mean that is a quarter off does not pass: ${other.toFixed(1)}`)
    }
})

t.test('with both targets on the move the law holds as well: 1,000 ticks, seeds 1 to 5', async (t) => {
  for (const seed of seedsTo(5)) {
    const chi = chiSquaredGeometric(blocksPerTick(hands(seed, 1_000)), 16, CELLS)
    t.ok(chi < CHI_SQUARED_MAX, `seed ${seed}: ${chi.toFixed(1)}`)
  }
})

/** The report of a node that hears both hands until `ticks` slow intervals have passed. */
function report({ blocks, ticks }: Hands, at: number, ratio = 16) {
  const nowMs = at * ratio * T_MS
  const seen = blocks.filter((time) => time <= nowMs)
  const known = ticks.filter((time) => time <= nowMs).slice(-64)
  const pace = { interval: T_MS, halfLife: 64, targetMax: targetFor(256) }
  return clockReport({
    nowMs,
    listeningMs: nowMs,
    fast: {
      ...{ ...pace, start: 0, height: seen.length },
      beats: seen.slice(-256).map((time) => ({ time, work: 1, miner: undefined })),
    },
    slow: {
      ...{ ...pace, interval: ratio * T_MS, start: 0, ratio, height: known.length },
      beats: known.map((time) => ({ time, work: 1, anchor: seen.filter((block) => block <= time).length })),
    },
    ...{ stale: { blocks: 0, of: 0 }, clocks: new Map(), own: undefined },
  })
}
const codes = (of: Hands, at: number) => report(of, at).alarms.map(({ code }) => code)

t.test('at a steady rate nobody is alarmed: seeds 1 to 20, looked at ten times each', async (t) => {
  const alarms = seedsTo(20).flatMap((seed) => {
    const run = hands(seed, 300)
    return Array.from({ length: 10 }, (_, look) => codes(run, 30 * (look + 1))).flat()
  })
  // Three sigma of 200 looks: luck alone raises an alarm about once.
  t.ok(alarms.length <= 3, `${alarms.length} of 200: ${alarms.join(' ')}`)
})

t.test('a hand whose miners stop raises its own alarm and not that of the other: seeds 1 to 5', async (t) => {
  for (const seed of seedsTo(5)) {
    const stopped = (of: Hands) => codes(of, 130).filter((code) => code.endsWith('stopped'))
    const slowStops = hands(seed, 200, { slow: steps([0, 0.2], [100, 0]) })
    t.strictSame(stopped(slowStops), ['slow-hand-stopped'], `seed ${seed}: slow`)
    const fastStops = hands(seed, 200, { fast: steps([0, 0.8], [100, 0]) })
    t.strictSame(stopped(fastStops), ['fast-hand-stopped'], `seed ${seed}: fast`)
  }
})

t.test(
  'at a steady rate the drift stays in its band as often as luck does: 200,000 blocks, seeds 1 to 3',
  async (t) => {
    const looks = 200
    for (const seed of seedsTo(3)) {
      const { blocks } = hands(seed, 12_600)
      // A thousand blocks apart, one look knows nothing of the last: the rule forgets in 64 / ln 2 blocks.
      const off = Array.from({ length: looks }, (_, look) => {
        const height = 1_000 * (look + 1)
        const time = blocks[height - 1] ?? Number.NaN
        const { fast } = clockReport({
          ...{ nowMs: time, listeningMs: 0, slow: undefined, clocks: new Map(), own: undefined },
          fast: {
            ...{ interval: T_MS, halfLife: 64, targetMax: targetFor(256), start: 0, height },
            beats: [{ time, work: 1, miner: undefined }],
          },
          stale: { blocks: 0, of: 0 },
        })
        return Math.abs(fast.driftMs - fast.driftRuleMs) / fast.driftSdMs
      })
      const within = (sigmas: number): number => off.filter((each) => each <= sigmas).length / looks
      // 68.3 and 99.7 of 100, and three sigma of 200 looks.
      t.ok(Math.abs(within(1) - 0.683) < 0.1, `seed ${seed}: ${within(1)} within one sigma`)
      t.ok(within(3) >= 0.98, `seed ${seed}: ${within(3)} within three`)
    }
  },
)

t.test('a hand that loses its miners and gets them back is locked again: seeds 1 to 5', async (t) => {
  for (const seed of seedsTo(5)) {
    const { ticks } = hands(seed, 900, { slow: steps([0, 0.2], [100, 0.8], [300, 0.1]) })
    const late = ticks.filter((time) => time > 600 * 16 * T_MS)
    const interval = ((late.at(-1) ?? 0) - (late[0] ?? 0)) / (late.length - 1)
    t.ok(Math.abs(interval / (16 * T_MS) - 1) < 0.2, `seed ${seed}: ${(interval / 1000).toFixed(0)} s`)
  }
})
