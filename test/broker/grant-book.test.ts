import fc from 'fast-check'
import t from 'tap'
import { GRANT_BOOK_LIMITS, GrantBook, type GrantBookLimits } from '../../broker/grant-book.ts'
import type { Block } from '../../schemas/block.ts'
import { GRANT_MS_MAX, GRANT_SENSORS_MAX } from '../../schemas/grant.ts'
import type { Account } from '../../schemas/hex.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { alice, bob, carol, START_MS, testNetwork } from '../helpers/ledger.ts'
import { soldMemo } from '../helpers/receipts.ts'

const network = testNetwork()
const S = 1000
const pair = { seller: alice.account, buyer: bob.account }
const accountOf = (index: number): Account => index.toString(16).padStart(64, '0') as Account

interface Sold {
  readonly seller?: Account
  readonly buyer?: Account
  readonly sensor?: string
  readonly until?: number
  readonly nonce?: number
  readonly amount?: number
  readonly memo?: string
}

let counter = 0
function sold(given: Sold = {}): Transaction {
  const { seller = pair.seller, buyer = pair.buyer, sensor = 'soil', until = START_MS + 60 * S } = given
  const { nonce = counter++, amount = 0, memo = soldMemo(sensor, until) } = given
  const head = { network: network.id, from: seller, nonce, fee: 0, expiry: 9 }
  return { type: 'transfer', ...head, to: buyer, amount, memo, signature: new Uint8Array(64) }
}

/** Only times and transactions of it are read. */
const block = (transactions: readonly Transaction[], time = START_MS): Block =>
  ({ header: { time }, transactions }) as unknown as Block

function bookOf(
  transactions: readonly Transaction[],
  limits: Partial<GrantBookLimits> = {},
  time = START_MS,
) {
  const book = new GrantBook({ ...GRANT_BOOK_LIMITS, ...limits })
  book.connect(block(transactions, time), time)
  return book
}

t.test('a receipt grants its buyer the topic until its time', async (t) => {
  const book = bookOf([sold()])
  t.strictSame(book.sensors(pair), [{ sensor: 'soil', until: START_MS + 60 * S }])
  t.strictSame(book.sensors({ ...pair, buyer: carol.account }), [])
  t.strictSame(book.sensors({ seller: pair.buyer, buyer: pair.seller }), [])
  t.equal(book.size, 1)
  t.match(book.takeChanged(), [pair])
  t.strictSame(book.takeChanged(), [], 'once')
})

for (const [why, transaction] of [
  ['a transfer of more than 0', sold({ amount: 1 })],
  ['a payment', sold({ memo: 'topic soil' })],
  ['a receipt for an output', sold({ memo: 'sold 0123456789abcdef on lamp until 2027-01-01T00:00:00Z' })],
  ['a refund', sold({ memo: 'refund 0123456789abcdef late' })],
  ['a receipt to oneself', sold({ buyer: pair.seller })],
  ['one that is over', sold({ until: START_MS })],
  ['nearly a receipt', sold({ memo: `${soldMemo('soil', START_MS + 60 * S)} ` })],
] as const) {
  t.test(`${why} grants nothing`, async (t) => {
    const book = bookOf([transaction])
    t.equal(book.size, 0)
    t.strictSame(book.takeChanged(), [])
  })
}

t.test(
  'of several receipts the longest counts, so that a seller cannot take back what it sold',
  async (t) => {
    const book = bookOf([sold({ until: START_MS + 90 * S }), sold({ until: START_MS + 30 * S })])
    t.match(book.sensors(pair), [{ until: START_MS + 90 * S }])
    t.equal(book.size, 1)
  },
)

t.test('a receipt is heeded for so long after its block, whatever it says', async (t) => {
  const book = bookOf([sold({ until: Date.UTC(9999, 0) })])
  t.match(book.sensors(pair), [{ until: START_MS + GRANT_MS_MAX }])
})

t.test(
  'a block that is disconnected takes its receipts with it, and what was before counts again',
  async (t) => {
    const first = block([sold({ until: START_MS + 30 * S })])
    const second = block([sold({ until: START_MS + 90 * S }), sold({ sensor: 'air' })])
    const book = bookOf([])
    for (const each of [first, second]) book.connect(each, START_MS)
    t.equal(book.size, 2)
    book.disconnect(second)
    t.strictSame(book.sensors(pair), [{ sensor: 'soil', until: START_MS + 30 * S }])
    book.disconnect(first)
    t.strictSame([book.sensors(pair), book.size, book.pairs], [[], 0, []])
    t.match(book.takeChanged(), [pair])
  },
)

t.test('a receipt that is taken back is told of, also when the book did not have it', async (t) => {
  const book = bookOf([])
  book.disconnect(block([sold()]))
  t.match(book.takeChanged(), [pair])
})

t.test('a receipt that is heard of twice counts once', async (t) => {
  const receipt = block([sold()])
  const book = bookOf([])
  for (let count = 0; count < 3; count++) book.connect(receipt, START_MS)
  t.equal(book.size, 1)
  book.disconnect(receipt)
  t.equal(book.size, 0)
})

t.test('what is over by the time of a block is gone, the rest stays', async (t) => {
  const book = bookOf([sold(), sold({ sensor: 'air', until: START_MS + 61 * S })])
  book.takeChanged()
  book.expire(START_MS + 60 * S - 1)
  t.equal(book.size, 2)
  t.strictSame(book.takeChanged(), [])
  book.expire(START_MS + 60 * S)
  t.strictSame(book.sensors(pair), [{ sensor: 'air', until: START_MS + 61 * S }])
  t.match(book.takeChanged(), [pair])
  book.expire(START_MS + 61 * S)
  t.equal(book.size, 0)
  t.match(book.takeChanged(), [pair])
})

t.test('a pair has at most so many sensors, a seller and all together so many entries', async (t) => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => sold({ sensor: `s${index}` }))
  const wide = bookOf(many(GRANT_SENSORS_MAX + 1))
  t.strictSame([wide.size, wide.dropped], [GRANT_SENSORS_MAX, 1])
  const own = bookOf(many(5), { entriesPerSellerMax: 3 })
  t.strictSame([own.size, own.dropped], [3, 2])
  const all = bookOf(many(5), { entriesMax: 3 })
  t.strictSame([all.size, all.dropped], [3, 2], 'the same seller does not displace itself')
  all.connect(block([sold({ sensor: 's0', until: START_MS + 99 * S })]), START_MS)
  t.equal(all.sensors(pair)[0]?.until, START_MS + 99 * S, 'what is there can be bought for longer')
})

t.test('who sells to thousands of accounts keeps nobody else out', async (t) => {
  const book = new GrantBook({ ...GRANT_BOOK_LIMITS, entriesMax: 10 })
  const flood = (index: number) => sold({ buyer: accountOf(index), until: START_MS + (60 + index) * S })
  book.connect(block(Array.from({ length: 20 }, (_, index) => flood(index))), START_MS)
  t.equal(book.size, 10)
  book.takeChanged()
  const seller = carol.account
  book.connect(block([sold({ seller })]), START_MS)
  t.equal(book.sensors({ seller, buyer: pair.buyer }).length, 1)
  t.equal(book.size, 10)
  t.strictSame(
    book.sensors({ seller: pair.seller, buyer: accountOf(0) }),
    [],
    'the one that was over first made room',
  )
  t.strictSame(
    book.takeChanged().map(({ buyer }) => buyer),
    [accountOf(0), pair.buyer],
    'and both are told',
  )
})

t.test('a seller never displaces one that has no more than itself', async (t) => {
  const book = new GrantBook({ ...GRANT_BOOK_LIMITS, entriesMax: 2 })
  book.connect(block([sold({ seller: accountOf(1) }), sold({ seller: accountOf(2) })]), START_MS)
  book.connect(block([sold({ seller: accountOf(3) })]), START_MS)
  t.strictSame(
    book.pairs.map(({ seller }) => seller),
    [accountOf(1), accountOf(2)],
  )
})

t.test('more receipts than are kept for one entry cost only the shortest', async (t) => {
  const receipts = Array.from({ length: 20 }, (_, index) => sold({ until: START_MS + (index + 1) * S }))
  const book = bookOf(receipts, { receiptsMax: 16 })
  for (let index = 19; index >= 4; index--) {
    t.equal(book.sensors(pair)[0]?.until, START_MS + (index + 1) * S)
    book.disconnect(block([receipts[index] as Transaction]))
  }
  t.equal(book.size, 0)
})

t.test('connecting and disconnecting in any order leaves what the connected blocks say', async (t) => {
  const receipt = fc.record({
    seller: fc.integer({ min: 1, max: 3 }).map(accountOf),
    buyer: fc.integer({ min: 4, max: 6 }).map(accountOf),
    sensor: fc.constantFrom('soil', 'air'),
    until: fc.integer({ min: 1, max: 50 }).map((seconds) => START_MS + seconds * S),
  })
  const blocks = fc.array(fc.array(receipt, { maxLength: 4 }), { maxLength: 8 })
  fc.assert(
    fc.property(blocks, fc.array(fc.nat(7), { maxLength: 8 }), (made, undone) => {
      const chain = made.map((receipts) => block(receipts.map(sold)))
      const book = bookOf([])
      for (const each of chain) book.connect(each, START_MS)
      const gone = new Set(undone)
      for (const index of gone) if (chain[index] !== undefined) book.disconnect(chain[index])
      const expected = bookOf([])
      for (const [index, each] of chain.entries()) if (!gone.has(index)) expected.connect(each, START_MS)
      t.equal(book.size, expected.size)
      const told = (from: GrantBook) =>
        from.pairs
          .map(
            (each) =>
              `${each.seller} ${each.buyer} ${JSON.stringify([...from.sensors(each)].sort((a, b) => (a.sensor < b.sensor ? -1 : 1)))}`,
          )
          .sort()
      t.strictSame(told(book), told(expected))
    }),
  )
})
