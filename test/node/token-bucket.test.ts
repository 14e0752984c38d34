import t from 'tap'
import { BucketPerKey, TokenBucket } from '../../node/token-bucket.ts'

t.test('a burst, then the rate', async (t) => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0)
  t.strictSame(
    [0, 0, 0, 0].map((at) => bucket.take(at)),
    [true, true, true, false],
  )
  t.equal(bucket.take(499), false)
  t.equal(bucket.take(500), true)
  t.equal(bucket.take(999), false)
})

t.test('tokens gather no further than the burst', async (t) => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 0)
  t.strictSame(
    [1e9, 1e9, 1e9].map((at) => bucket.take(at)),
    [true, true, false],
  )
})

t.test('a clock that steps back gives and takes nothing', async (t) => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 1000)
  t.equal(bucket.take(1000), true)
  t.equal(bucket.take(0), false)
})

t.test('the wait for a token is as long as it says', async (t) => {
  const bucket = new TokenBucket({ perSecond: 3, burst: 1 }, 0)
  t.equal(bucket.takeOrWaitMs(0), 0)
  t.equal(bucket.takeOrWaitMs(0), 334)
  t.equal(bucket.takeOrWaitMs(300), 34)
  t.equal(bucket.takeOrWaitMs(334), 0)
  const buckets = new BucketPerKey({ perSecond: 1, burst: 1 }, 2)
  t.strictSame(
    [buckets.takeOrWaitMs('a', 0), buckets.takeOrWaitMs('a', 0), buckets.takeOrWaitMs('b', 0)],
    [0, 1000, 0],
  )
})

t.test('each key has a bucket of its own, and the one unused for longest makes room', async (t) => {
  const buckets = new BucketPerKey({ perSecond: 0, burst: 1 }, 2)
  t.equal(buckets.take('a', 0), true)
  t.equal(buckets.take('b', 0), true)
  t.equal(buckets.take('a', 0), false)
  t.equal(buckets.take('c', 0), true)
  t.equal(buckets.take('a', 0), false, 'a was used last')
  t.equal(buckets.take('b', 0), true, 'b was forgotten')
})
