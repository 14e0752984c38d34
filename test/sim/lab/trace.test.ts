import t from 'tap'
import { firstRate, RateWalk, SCENARIOS, scenario, shocks } from '../../../sim/lab/trace.ts'
import { type MinedBlock, traceOfBlocks } from '../../../sim/lab/trace-of-blocks.ts'

const steps = (...pairs: readonly (readonly [from: number, rate: number])[]) => ({
  name: 'test',
  seconds: 100,
  steps: pairs.map(([fromSeconds, hashesPerSecond]) => ({ fromSeconds, hashesPerSecond })),
})

t.test('every simulated trace begins at 0 with the same rate, in order, within its time', async (t) => {
  for (const name of SCENARIOS) {
    const trace = scenario(name, 10)
    t.equal(trace.steps[0]?.fromSeconds, 0, name)
    t.equal(firstRate(trace), 100_000)
    for (const [index, { fromSeconds }] of trace.steps.entries())
      t.ok(fromSeconds < trace.seconds && fromSeconds > (trace.steps[index - 1]?.fromSeconds ?? -1))
  }
})

t.test('hashes take as long as the steps that they fall into', async (t) => {
  const walk = new RateWalk(steps([0, 10], [10, 0], [20, 5]))
  t.equal(walk.done(0, 50), 5)
  t.equal(walk.done(5, 50), 10, 'up to the end of a step')
  t.equal(walk.done(5, 60), 22, 'over an outage')
  t.equal(walk.done(22, 500), 122, 'the last rate goes on')
  t.equal(new RateWalk(steps([0, 10], [10, 0])).done(5, 51), Number.POSITIVE_INFINITY)
})

t.test('a shock is a rate that comes back or changes by half', async (t) => {
  const trace = steps([0, 10], [10, 14], [20, 21], [30, 0], [40, 21], [50, 13], [60, 100])
  t.strictSame(shocks(trace, 60), [20, 40, 50])
  t.equal(firstRate(steps([0, 0], [10, 7])), 7)
  t.equal(firstRate(steps([0, 0])), 0)
})

/** Blocks of 600 hashes, each so many seconds after the one before. */
function blocks(gaps: readonly number[]): MinedBlock[] {
  let seconds = 1000
  return [0, ...gaps].map((gap, index) => {
    seconds += gap
    return { height: index + 1, seconds, hashes: 600 }
  })
}
const gaps = (count: number, seconds: number): number[] => Array.from({ length: count }, () => seconds)
const rates = (mined: readonly MinedBlock[]) =>
  traceOfBlocks('ours', mined)?.steps.map(({ fromSeconds, hashesPerSecond }) => [
    fromSeconds,
    Number(hashesPerSecond.toPrecision(12)),
  ])

t.test('blocks give a rate for every thirty of them, from the first on', async (t) => {
  t.strictSame(rates(blocks([...gaps(30, 6), ...gaps(30, 3), ...gaps(29, 1)])), [
    [0, 100],
    [180, 200],
  ])
  t.equal(traceOfBlocks('ours', blocks([...gaps(30, 6), ...gaps(30, 3)]))?.seconds, 270)
  t.equal(traceOfBlocks('ours', blocks(gaps(29, 6))), undefined)
  t.equal(traceOfBlocks('ours', []), undefined)
})

t.test('heights that were missed count, in whatever order blocks come', async (t) => {
  const all = blocks(gaps(60, 6))
  const seen = all.filter((_, index) => index % 2 === 0)
  t.strictSame(rates(seen.toReversed()), [[0, 100]])
})

t.test('a pause of sixty solve times is an outage', async (t) => {
  t.strictSame(rates(blocks([...gaps(30, 6), 361, ...gaps(30, 6)])), [
    [0, 100],
    [180, 0],
    [541, 100],
  ])
  t.strictSame(rates(blocks([...gaps(30, 6), 359, ...gaps(29, 6)]))?.length, 2, 'a shorter one is bad luck')
  t.strictSame(rates(blocks([...gaps(10, 6), 361, ...gaps(30, 6)])), [
    [0, 100],
    [60, 0],
    [421, 100],
  ])
})
