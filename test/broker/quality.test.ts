import t from 'tap'
import { QualityBook, TELL_MS } from '../../broker/quality.ts'
import { signOffer } from '../../ledger/offer.ts'
import type { Signer } from '../../node/signing.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { quality as qualitySchema } from '../../schemas/quality.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { alice, START_MS, seeded, signer, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const random = seeded(3)

const soil = (place: string): OfferItem => ({
  ...{ type: 'readings', name: 'soil', price: 5, confirmations: 1, place, terms: '' },
  ...{ unit: '%', everyMs: 500, count: 1 },
})
const offered = (by: Signer, place: string, time = START_MS) =>
  signOffer(
    network,
    { from: by.account, time, until: time + 600_000, name: 'x', items: [soil(place)] },
    by.sign,
  ).bytes

function says(book: QualityBook, by: Signer, height: number, value = 40 + random()) {
  const sample = {
    ...{ sensor: 'soil', sequence: height, value: { mantissa: Math.round(100 * value), exponent: -2 } },
    ...{ unit: '%', time: height, synchronised: true },
  }
  book.block({ height, time: START_MS }, [{ type: 'reading', from: by.account, sample } as Transaction])
}

t.test('neighbours are those whose offers name the same place', async (t) => {
  const book = new QualityBook(network)
  const all = [1, 2, 3, 4, 5].map((index) => signer(20 + index))
  for (const [index, by] of all.entries()) {
    book.offer(by.account, offered(by, ['bed', ' Bed', 'BED', 'bed', 'yard'][index] ?? ''), START_MS)
    for (let height = 1; height <= 40; height++) says(book, by, height, index === 3 ? 90 : undefined)
  }
  const told = book.due(START_MS, 40)
  t.equal(told.length, 5)
  for (const quality of told) t.strictSame(qualitySchema.parse(quality), quality)
  const of = (index: number) => told.find(({ device }) => device === all[index]?.account)?.sensors[0]
  t.match(of(0), { place: 'bed', neighbours: 3, outliers: 0, score: 100, readings: 40 })
  t.match(of(3), { neighbours: 3, outliers: 1, frozen: true, score: 0 })
  t.match(of(4), { place: 'yard', neighbours: 0, outliers: null, score: 100 })
})

t.test('each device at most once a minute, and only on change', async (t) => {
  const book = new QualityBook(network)
  for (let height = 1; height <= 20; height++) says(book, alice, height)
  const due = (afterMs: number) => book.due(START_MS + afterMs, 20).length
  t.strictSame([due(0), due(0)], [1, 0])
  says(book, alice, 21)
  t.equal(due(2 * TELL_MS), 0, 'nothing but the number of readings has changed')
  says(book, alice, 30)
  t.equal(due(2 * TELL_MS + 1_000), 0, 'too soon')
  t.equal(due(3 * TELL_MS), 1, 'a gap')
  t.match(book.standing, [{ device: alice.account, sensors: [{ gaps: 0.27 }] }])
})

t.test('many devices are told a few at a time', async (t) => {
  const book = new QualityBook(network)
  for (let index = 0; index < 30; index++) says(book, signer(index + 1), 1)
  const counts = [0, 1, 2, 3, 4].map((second) => book.due(START_MS + 1_000 * second, 1).length)
  t.strictSame(counts, [8, 8, 8, 6, 0])
  t.equal(book.standing.length, 30)
})

t.test('offers that are stale, taken back, or not signed place nobody', async (t) => {
  const book = new QualityBook(network)
  const place = (nowMs: number) => {
    says(book, alice, 1_000 + nowMs - START_MS)
    return book.due(nowMs, 1)[0]?.sensors[0]?.place ?? 'nothing new'
  }
  const bytes = offered(alice, 'bed')
  const unsigned = bytes.slice().fill(0, -64)
  book.offer(alice.account, unsigned, START_MS)
  book.offer(signer(9).account, bytes, START_MS)
  t.equal(place(START_MS), '')
  book.offer(alice.account, bytes, START_MS)
  t.equal(place(START_MS + TELL_MS), 'bed')
  t.equal(place(START_MS + 600_000), '', 'stale')
  book.offer(alice.account, offered(alice, 'bed', START_MS + 600_000), START_MS + 600_000)
  t.equal(place(START_MS + 700_000), 'bed')
  book.offer(alice.account, offered(alice, 'shed', START_MS + 600_000), START_MS + 600_500)
  t.equal(place(START_MS + 800_000), 'bed', 'not looked at: less than a second after the last')
  book.offer(alice.account, new Uint8Array(0), START_MS + 800_000)
  t.equal(place(START_MS + 900_000), '')
})

t.test('a device of which nothing is remembered is taken back', async (t) => {
  const book = new QualityBook(network, undefined, 2)
  for (const index of [1, 2]) says(book, signer(index), 1)
  book.due(START_MS, 1)
  t.strictSame(book.gone(), [])
  says(book, signer(3), 1)
  t.strictSame(book.gone(), [signer(1).account])
  t.strictSame(book.gone(), [])
  t.strictSame(
    book.standing.map(({ device }) => device),
    [signer(2).account],
  )
})
