import t from 'tap'
import { bar, ProgressMeter } from '../../node/sync-progress.ts'

t.test('rate and time left are those of the last ten seconds', async (t) => {
  const meter = new ProgressMeter(0)
  meter.begin('bodies', 10_000, 0)
  for (let second = 1; second <= 10; second++) meter.count(500, second * 1000)
  t.match(meter.view(10_000), { phase: 'bodies', done: 5_000, of: 10_000, perSecond: 500, secondsLeft: 10 })
  for (let second = 11; second <= 20; second++) meter.count(100, second * 1000)
  t.match(meter.view(20_000), { done: 6_000, secondsLeft: 40 })
  t.equal(Math.round(meter.view(20_000).perSecond), 100)
})

t.test('what was there already counts as done, and not for the rate', async (t) => {
  const meter = new ProgressMeter(0)
  meter.begin('bodies', 1_000, 0)
  meter.skip(900)
  t.match(meter.view(0), { done: 900, perSecond: 0, secondsLeft: undefined })
  meter.count(50, 1_000)
  t.match(meter.view(1_000), { done: 950, perSecond: 50, secondsLeft: 1 })
})

t.test('while headers come, the time of the bodies is known only from an earlier catch-up', async (t) => {
  const meter = new ProgressMeter(0)
  meter.begin('headers', 10_000, 0)
  meter.count(5_000, 1_000)
  t.match(meter.view(1_000), { phase: 'headers', perSecond: 5_000, secondsLeft: undefined })
  t.match(meter.view(1_000, 500), { secondsLeft: 1 + 20 })
})

t.test('more than was claimed is not more than all', async (t) => {
  const meter = new ProgressMeter(0)
  meter.begin('headers', 10, 0)
  meter.count(50, 1_000)
  t.match(meter.view(1_000, 5), { done: 50, of: 50 })
})

t.test('a bar of twenty', async (t) => {
  const view = (done: number, of: number) => bar({ phase: 'bodies', done, of, perSecond: 0, secondsLeft: 0 })
  t.strictSame(
    [view(0, 0), view(0, 10), view(5, 10), view(10, 10)],
    ['.'.repeat(20), '.'.repeat(20), `${'#'.repeat(10)}${'.'.repeat(10)}`, '#'.repeat(20)],
  )
})
