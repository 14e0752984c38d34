import t from 'tap'
import { createDelayRing } from '../../../edge-agent/mining/delay-ring.ts'

t.test('percentiles are over the last delays only, the largest is of all', async (t) => {
  const ring = createDelayRing(4)
  for (const delay of [900, 4, 1, 3, 2]) ring.add(delay)
  t.strictSame(
    [0, 0.25, 0.5, 0.95, 1].map((q) => ring.quantile(q)),
    [1, 1, 2, 4, 4],
  )
  t.equal(ring.max(), 900)
})

t.test('an empty ring has neither, a ring of one has one', async (t) => {
  const ring = createDelayRing(8)
  t.equal(ring.quantile(0.5), undefined)
  t.equal(ring.max(), undefined)
  ring.add(0)
  t.equal(ring.quantile(0.95), 0)
  t.equal(ring.max(), 0)
})
