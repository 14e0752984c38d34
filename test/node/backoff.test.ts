import t from 'tap'
import { createBackoff, fullJitterMs } from '../../node/backoff.ts'

const options = { baseMs: 500, capMs: 60_000, stableMs: 30_000 }
const almostOne = () => 1 - Number.EPSILON

t.test('the window doubles with each attempt up to the cap', async (t) => {
  const windows = [0, 1, 2, 3, 6, 7, 8, 5000].map((attempt) => fullJitterMs(attempt, options, almostOne))
  t.strictSame(windows, [499, 999, 1999, 3999, 31_999, 59_999, 59_999, 59_999])
})

t.test('jitter is full: the wait is uniform from zero', async (t) => {
  t.equal(
    fullJitterMs(4, options, () => 0),
    0,
  )
  t.equal(
    fullJitterMs(4, options, () => 0.5),
    4000,
  )
})

t.test('a connection that never came up, or broke soon, does not reset the count', async (t) => {
  const backoff = createBackoff(options, almostOne)
  t.strictSame([backoff.next(0), backoff.next(29_999), backoff.next(0)], [499, 999, 1999])
})

t.test('a connection that was stable resets the count', async (t) => {
  const backoff = createBackoff(options, almostOne)
  backoff.next(0)
  backoff.next(0)
  t.strictSame([backoff.next(30_000), backoff.next(0)], [499, 999])
})
