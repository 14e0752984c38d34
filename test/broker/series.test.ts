import t from 'tap'
import { ofBatch, ofSample, SeriesBook, WINDOW } from '../../broker/series.ts'
import type { Account } from '../../schemas/hex.ts'
import { QUALITY_SENSORS_MAX } from '../../schemas/quality.ts'
import type { Batch, Sample } from '../../schemas/transaction.ts'
import { alice, bob } from '../helpers/ledger.ts'

const sample = (sequence: number, overrides: Partial<Sample> = {}): Sample => ({
  ...{ sensor: 'soil', sequence, value: { mantissa: 215, exponent: -1 }, unit: '%' },
  ...{ time: 1_000 + sequence, synchronised: true, ...overrides },
})
const only = (book: SeriesBook) => [...book.all()][0]

t.test('what a reading and a batch say', async (t) => {
  t.match(ofSample(sample(3)), { sequence: 3, count: 1, value: 21.5, time: 1_003 })
  t.ok(Math.abs(ofSample(sample(3)).step - 0.1) < 1e-9)
  const batch = { sensor: 'imu', unit: 'm/s2', sequence: 5, count: 20, firstTime: 1, lastTime: 9 }
  t.match(ofBatch({ ...batch, synchronised: false } as Batch), { count: 20, time: 9, value: undefined })
})

t.test('numbers that are missing are counted before the reading that follows them', async (t) => {
  const book = new SeriesBook()
  for (const sequence of [4, 5, 9, 10]) t.ok(book.take(alice.account, ofSample(sample(sequence)), sequence))
  t.strictSame(
    only(book)?.points.map(({ missed, height }) => [missed, height]),
    [
      [0, 4],
      [0, 5],
      [3, 9],
      [0, 10],
    ],
  )
})

t.test('what comes again after a reorganisation counts once, and a device may count anew', async (t) => {
  const book = new SeriesBook()
  for (const sequence of [1, 2, 3]) book.take(alice.account, ofSample(sample(sequence)), 7)
  for (const sequence of [2, 3]) t.notOk(book.take(alice.account, ofSample(sample(sequence)), 8))
  t.ok(book.take(alice.account, ofSample(sample(4)), 9))
  t.ok(book.take(alice.account, ofSample(sample(0, { time: 5_000 })), 10), 'its data was lost')
  t.strictSame(
    only(book)?.points.map(({ missed }) => missed),
    [0, 0, 0, 0, 0],
  )
})

t.test('another unit is another series', async (t) => {
  const book = new SeriesBook()
  book.take(alice.account, ofSample(sample(1)), 1)
  book.take(alice.account, ofSample(sample(2, { unit: 'Cel' })), 2)
  t.match(only(book), { unit: 'Cel', points: [{ height: 2, missed: 0 }] })
  t.equal(book.size, 1)
})

t.test('memory is bounded for each sensor, each device and in all', async (t) => {
  const book = new SeriesBook(QUALITY_SENSORS_MAX + 3)
  for (let sequence = 0; sequence < 3 * WINDOW; sequence++)
    book.take(alice.account, ofSample(sample(sequence)), sequence)
  t.equal(only(book)?.points.length, WINDOW)
  t.equal(only(book)?.points.at(-1)?.height, 3 * WINDOW - 1)
  for (let index = 0; index < 100; index++)
    book.take(bob.account, ofSample(sample(0, { sensor: `s${index}` })), 1)
  const of = (account: Account) => [...book.all()].filter(({ device }) => device === account).length
  t.strictSame([of(alice.account), of(bob.account)], [1, QUALITY_SENSORS_MAX])
  for (let index = 0; index < 5; index++)
    book.take(`${index}`.padStart(64, '0') as Account, ofSample(sample(0)), 2)
  t.equal(book.size, QUALITY_SENSORS_MAX + 3)
  t.equal(of(alice.account), 0, 'the one that was heard longest ago made room')
  t.ok(book.take(bob.account, ofSample(sample(0, { sensor: 'new' })), 3), 'room of one is free again')
})
