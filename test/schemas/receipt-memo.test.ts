import fc from 'fast-check'
import t from 'tap'
import {
  ITEM_KINDS,
  itemNameBytesMax,
  parsePurchase,
  parseSellerMemo,
  paymentName,
  REFUND_CODES,
  type SellerMemo,
  writePurchase,
  writeSellerMemo,
  writeTime,
} from '../../schemas/receipt-memo.ts'
import { MEMO_BYTES_MAX } from '../../schemas/transaction.ts'

const PAYMENT = '1a2b3c4d5e6f7081'
const until = Date.UTC(2026, 10, 29, 20, 1, 30)

for (const [text, memo] of [
  [
    `sold ${PAYMENT} on lamp until 2026-11-29T20:01:30Z`,
    { type: 'sold', payment: PAYMENT, item: { kind: 'on', name: 'lamp' }, until },
  ],
  [
    `sold ${PAYMENT} topic soil until 2028-02-29T00:00:00Z`,
    {
      type: 'sold',
      payment: PAYMENT,
      item: { kind: 'topic', name: 'soil' },
      until: Date.UTC(2028, 1, 29),
    },
  ],
  [`refund ${PAYMENT} underpaid`, { type: 'refund', payment: PAYMENT, code: 'underpaid' }],
] as const) {
  t.test(`"${text}" is read and written`, async (t) => {
    t.strictSame(parseSellerMemo(text), memo)
    t.equal(writeSellerMemo(memo), text)
  })
}

t.test('every refund code is read', async (t) => {
  for (const code of REFUND_CODES)
    t.strictSame(parseSellerMemo(`refund ${PAYMENT} ${code}`), { type: 'refund', payment: PAYMENT, code })
})

for (const [why, text] of [
  ['a gift', 'for the flowers'],
  ['nothing', ''],
  ['a purchase', 'on lamp'],
  ['a payment in capitals', `sold ${PAYMENT.toUpperCase()} on lamp until 2026-11-29T20:01:30Z`],
  ['a payment cut short', `sold ${PAYMENT.slice(1)} on lamp until 2026-11-29T20:01:30Z`],
  ['two spaces', `sold ${PAYMENT} on  lamp until 2026-11-29T20:01:30Z`],
  ['something before', ` sold ${PAYMENT} on lamp until 2026-11-29T20:01:30Z`],
  ['something after', `sold ${PAYMENT} on lamp until 2026-11-29T20:01:30Z.`],
  ['an unknown kind', `sold ${PAYMENT} off lamp until 2026-11-29T20:01:30Z`],
  ['a name that is none', `sold ${PAYMENT} on Lamp until 2026-11-29T20:01:30Z`],
  ['a name with a space', `sold ${PAYMENT} on lamp two until 2026-11-29T20:01:30Z`],
  ['30 February', `sold ${PAYMENT} on lamp until 2026-02-30T20:01:30Z`],
  ['29 February of 2100', `sold ${PAYMENT} on lamp until 2100-02-29T20:01:30Z`],
  ['month 0', `sold ${PAYMENT} on lamp until 2026-00-10T20:01:30Z`],
  ['the hour 24', `sold ${PAYMENT} on lamp until 2026-11-29T24:00:00Z`],
  ['a leap second', `sold ${PAYMENT} on lamp until 2026-12-31T23:59:60Z`],
  ['a time before 1970', `sold ${PAYMENT} on lamp until 1969-12-31T23:59:59Z`],
  ['the year 26', `sold ${PAYMENT} on lamp until 0026-11-29T20:01:30Z`],
  ['another zone', `sold ${PAYMENT} on lamp until 2026-11-29T20:01:30+01:00`],
  ['parts of a second', `sold ${PAYMENT} on lamp until 2026-11-29T20:01:30.5Z`],
  ['a longer memo than the ledger takes', `sold ${PAYMENT} on ${'a'.repeat(40)} until 2026-11-29T20:01:30Z`],
  ['an unknown code', `refund ${PAYMENT} generous`],
  ['a code that every object has', `refund ${PAYMENT} constructor`],
] as const) {
  t.test(`${why} is no receipt and no refund`, async (t) => t.equal(parseSellerMemo(text), undefined))
}

t.test('a receipt has exactly one text', async (t) => {
  const payment = fc.stringMatching(/^[0-9a-f]{16}$/)
  const kind = fc.constantFrom(...ITEM_KINDS)
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,24}$/)
  const seconds = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 })
  fc.assert(
    fc.property(payment, kind, name, seconds, (payment, kind, name, seconds) => {
      const memo: SellerMemo = { type: 'sold', payment, item: { kind, name }, until: seconds * 1000 }
      t.strictSame(parseSellerMemo(writeSellerMemo(memo)), memo)
    }),
  )
})

t.test('times are those of the calendar', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59) / 1000 }), (seconds) => {
      t.equal(writeTime(seconds * 1000), new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'))
    }),
  )
  for (const year of [1970, 1972, 1999, 2000, 2100, 2400, 9999])
    for (const [month, day] of [[0, 1], [1, 28], [1, 29], [2, 1], [11, 31]] as const) // biome-ignore format: dates
      t.equal(
        writeTime(Date.UTC(year, month, day)),
        new Date(Date.UTC(year, month, day)).toISOString().replace('.000Z', 'Z'),
      )
})

t.test('what has no text is our own bug: parts of a second, and names without room', async (t) => {
  const sold = (name: string, ms: number, kind: 'on' | 'topic' = 'on') =>
    writeSellerMemo({ type: 'sold', payment: PAYMENT, item: { kind, name }, until: ms })
  t.throws(() => sold('lamp', until + 1), /whole seconds/)
  t.throws(() => sold('lamp', -1000), /whole seconds/)
  t.throws(() => sold('Lamp', until), /can be read again/)
  t.throws(() => writeSellerMemo({ type: 'refund', payment: 'x', code: 'late' }), /can be read again/)
  for (const kind of ITEM_KINDS) {
    const longest = 'a'.repeat(itemNameBytesMax(kind))
    t.equal(sold(longest, until, kind).length, MEMO_BYTES_MAX)
    t.throws(() => sold(`${longest}a`, until, kind), /can be read again/)
  }
  t.equal(itemNameBytesMax('on'), 28)
  t.equal(itemNameBytesMax('topic'), 25)
})

t.test('a purchase names what it wants, whether there is such a thing or not', async (t) => {
  for (const item of [
    { kind: 'on', name: 'lamp' },
    { kind: 'topic', name: 'soil' },
  ] as const)
    t.strictSame(parsePurchase(writePurchase(item)), item)
  t.strictSame(parsePurchase('on '), { kind: 'on', name: '' })
  t.strictSame(parsePurchase('topic  Soil moisture'), { kind: 'topic', name: ' Soil moisture' })
  for (const gift of ['', 'on', 'topic', 'onlamp', 'On lamp', ' on lamp', 'readings soil'])
    t.equal(parsePurchase(gift), undefined, gift)
})

t.test('a payment is named by the first digits of its id', async (t) => {
  t.equal(paymentName(PAYMENT + 'f'.repeat(48)), PAYMENT)
})
