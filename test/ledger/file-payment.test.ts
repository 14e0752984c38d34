import t from 'tap'
import { deadlineOf, expiryOf, type Seen, SURE_BLOCKS, settlementOf } from '../../ledger/file-payment.ts'

const lock = { expiry: 20, height: 30, time: 5_000 }
const settle = (height: number, medianTime: number, seen: Partial<Seen> = {}) =>
  settlementOf(lock, { paidAt: undefined, refundedAt: undefined, next: { height, medianTime }, ...seen })

t.test('a payment is sent until no block can have it, and given up some blocks later', async (t) => {
  for (const height of [1, 20, 21, 20 + SURE_BLOCKS])
    t.strictSame(settle(height, 9_000), { step: 'send' }, `${height}`)
  t.strictSame(settle(21 + SURE_BLOCKS, 0), { step: 'void' })
})

t.test('what is locked waits for both parts of its deadline', async (t) => {
  const paid = { paidAt: 15 }
  t.strictSame(settle(16, 1_000, paid), { step: 'wait', blocksLeft: 14, msLeft: 4_000 })
  t.strictSame(settle(30, 4_999, paid), { step: 'wait', blocksLeft: 0, msLeft: 1 })
  t.strictSame(settle(29, 9_000, paid), { step: 'wait', blocksLeft: 1, msLeft: 0 })
  t.strictSame(settle(30, 5_000, paid), { step: 'refund' })
})

t.test('what came back is over, whatever else was seen', async (t) => {
  const returned = { step: 'returned', height: 30 }
  t.strictSame(settle(31, 5_000, { paidAt: 15, refundedAt: 30 }), { ...returned, blocksLeft: 5 })
  t.strictSame(
    settle(35, 5_000, { refundedAt: 30 }),
    { ...returned, blocksLeft: 1 },
    'a block can be taken away',
  )
  t.strictSame(settle(36, 5_000, { paidAt: 15, refundedAt: 30 }), { step: 'refunded' })
  t.strictSame(settle(99, 9_000, { refundedAt: 30 }), { step: 'refunded' })
})

t.test(
  'the deadline counts from the next block, and the payment has a quarter of it, or an hour of blocks',
  async (t) => {
    const deadline = deadlineOf({ blocks: 10, minutes: 30 }, { height: 100 }, 5_000)
    t.strictSame(deadline, { height: 111, time: 5_000 + 30 * 60_000 })
    t.equal(expiryOf({ blocks: 120 }, { height: 100 }), 130)
    t.equal(expiryOf({ blocks: 1_000 }, { height: 100 }), 160, 'no more than 60')
    t.equal(expiryOf({ blocks: 4 }, { height: 100 }), 102, 'no less than 2')
  },
)
