import t from 'tap'
import { measureHashRate } from '../../../edge-agent/mining/hash-rate.ts'
import type { Kernel } from '../../../edge-agent/mining/kernel.ts'

t.test('the rate counts hashes per second, after a warm-up that does not count', async (t) => {
  let nowMs = 0
  let scans = 0
  /** One hash takes 1 ms, and 10 ms in the first four calls, which are all of the warm-up. */
  const kernel: Kernel = {
    prepare: () => ({ midstate: new Int32Array(8), tail: new Int32Array(16) }),
    scan(_work, _target, _nonce, count) {
      nowMs += count * (++scans <= 4 ? 10 : 1)
      return undefined
    },
  }
  t.equal(
    measureHashRate(40_000, kernel, () => nowMs),
    1000,
  )
})

t.test('this machine hashes', async (t) => {
  t.ok(measureHashRate(50) > 1000)
})
