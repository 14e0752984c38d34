import t from 'tap'
import { Book, paidFor } from '../../../edge-agent/wires/book.ts'
import { HOUR_MS } from '../../../edge-agent/wires/limits.ts'
import { alice, bob, TestChain } from '../../helpers/ledger.ts'

const soil = `${bob.account} soil`
const one = (amount = 5) => [{ purchase: soil, amount }]

t.test('it counts payments later than a time, and takes back what comes off the chain', async (t) => {
  const book = new Book()
  book.connect(1, 1_000, one())
  book.connect(2, 2_000, [...one(), ...one()])
  book.connect(3, 3_000, [])
  t.strictSame(book.since(soil, 1_000), { payments: 2, amount: 10 })
  t.strictSame(book.since(soil, 999), { payments: 3, amount: 15 })
  t.strictSame(book.since('nobody', 0), { payments: 0, amount: 0 })
  book.disconnect(3)
  book.disconnect(2)
  t.strictSame(book.total(soil), { payments: 1, amount: 5 })
  t.equal(book.lastPaid(soil), 1_000)
})

t.test('what is older than a day becomes a sum, and what may still come off stays', async (t) => {
  const book = new Book()
  for (let height = 1; height <= 300; height++) book.connect(height, height * HOUR_MS, one())
  book.prune({ height: 300, time: 300 * HOUR_MS })
  t.equal(book.total(soil).payments, 300)
  t.equal(book.since(soil, 0).payments, 100, 'the last hundred blocks')
  book.disconnect(300)
  t.equal(book.total(soil).payments, 299)
})

t.test('on disk it has sums and ten minutes, and errs on the safe side', async (t) => {
  const book = new Book()
  for (let height = 1; height <= 100; height++) book.connect(height, height * 60_000, one())
  const pages = book.pages(95)
  t.equal(pages[0]?.buckets.length, 10)
  const again = new Book(pages, 95)
  t.equal(again.total(soil).payments, 95)
  for (const minute of [0, 7, 33, 80])
    t.ok(again.since(soil, minute * 60_000).payments >= 95 - minute, `since minute ${minute}`)
  again.connect(95, 95 * 60_000, one())
  t.equal(again.total(soil).payments, 95, 'blocks that it has are not counted again')
  again.connect(96, 96 * 60_000, one())
  again.disconnect(96)
  again.disconnect(95)
  t.equal(again.total(soil).payments, 95)
})

t.test('it remembers so many purchases; the one paid longest ago goes', async (t) => {
  const book = new Book()
  for (let each = 0; each < 257; each++) {
    if (each === 256) book.connect(each, each, one())
    book.connect(each + 1, each + 1, [
      { purchase: `${bob.account} ${each === 0 ? 'soil' : each}`, amount: 1 },
    ])
  }
  t.equal(book.total(soil).payments, 2)
  t.equal(book.total(`${bob.account} 1`).payments, 0)
})

t.test('what we pay counts; what we sell, give to ourselves or get does not', async (t) => {
  const test = new TestChain()
  const of = (memo: string, amount = 5, to = bob.account, from = alice) =>
    paidFor(alice.account, test.transfer(from, to, amount, { memo }).transaction)
  t.strictSame(of('soil 0123456789abcdef'), { purchase: soil, amount: 5 })
  t.equal(of('refund 0123456789abcdef late'), undefined)
  t.equal(of('soil 1', 0), undefined)
  t.equal(of('soil 1', 5, alice.account), undefined)
  t.equal(of('soil 1', 5, alice.account, bob), undefined)
  t.equal(of('soil 1', 5, bob.account, bob), undefined)
})
