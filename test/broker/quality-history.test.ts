import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { historyFile } from '../../broker/history-file.ts'
import { QualityBook } from '../../broker/quality.ts'
import { DAY_MS, QualityHistory, savedHistory } from '../../broker/quality-history.ts'
import { HISTORY_DAYS_MAX, quality as qualitySchema } from '../../schemas/quality.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { alice, bob, testNetwork } from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'

const FIRST = 20_000
const at = (day: number): number => (FIRST + day) * DAY_MS
const [probe, other] = [alice.account, bob.account]

t.test('a day is told once it has ended, the newest first, with the lowest score', async (t) => {
  const history = new QualityHistory()
  history.block(1, at(0))
  history.readings(probe, 'soil', 3, 1)
  for (const score of [90, 70, null, 95]) history.score(probe, 'soil', score)
  t.equal(history.of(probe, 'soil'), null, 'today is not over')
  history.block(2, at(1) - 1)
  t.equal(history.of(probe, 'soil'), null)
  history.block(3, at(1))
  t.strictSame(history.of(probe, 'soil'), { until: '2024-10-04', readings: [3], scores: [70] })
  t.equal(history.of(probe, 'air'), null)
  t.equal(history.of(other, 'soil'), null)
  history.block(9, at(3))
  history.readings(probe, 'soil', 5, 9)
  history.block(10, at(4))
  t.strictSame(
    history.of(probe, 'soil'),
    { until: '2024-10-07', readings: [5, 0, 0, 3], scores: [null, null, null, 70] },
    'days without a reading have their place',
  )
  history.block(11, at(2))
  history.readings(probe, 'soil', 1, 11)
  t.equal(history.of(probe, 'soil')?.readings.length, 4, 'time does not go back')
})

t.test('so many days, so many sensors', async (t) => {
  const history = new QualityHistory(undefined, 2)
  for (let day = 0; day < HISTORY_DAYS_MAX + 5; day++) {
    history.block(day, at(day))
    history.readings(probe, 'soil', day + 1, day + 1)
  }
  const past = history.of(probe, 'soil')
  t.equal(past?.readings.length, HISTORY_DAYS_MAX)
  t.equal(past?.readings[0], HISTORY_DAYS_MAX + 4)
  t.doesNotThrow(() => savedHistory.parse(history.saved()))
  history.readings(probe, 'air', 1, 100)
  history.readings(probe, 'soil', 1, 100)
  history.readings(other, 'soil', 1, 100)
  t.strictSame(
    history.saved().sensors.map(([key]) => key),
    [`${probe}/soil`, `${other}/soil`],
    'who was noted longest ago makes room',
  )
})

t.test('kept through a restart: blocks that are in it count no second time', async (t) => {
  const path = join(t.testdir(), 'quality.json')
  const { log, lines } = recordingLog()
  const file = historyFile(path, log)
  t.equal(file.load(), undefined)
  const before = new QualityHistory(file.load())
  before.block(7, at(0))
  before.readings(probe, 'soil', 4, 7)
  before.score(probe, 'soil', 80)
  file.save(before.saved())
  const history = new QualityHistory(historyFile(path, log).load())
  for (const height of [6, 7, 8]) {
    history.block(height, at(0))
    history.readings(probe, 'soil', 4, height)
  }
  history.block(9, at(1))
  t.strictSame(history.of(probe, 'soil'), { until: '2024-10-04', readings: [8], scores: [80] })
  t.strictSame(lines, [])

  for (const broken of ['', '{', '{"height":-1,"sensors":[]}', readFileSync(path, 'utf8').slice(0, -2)]) {
    writeFileSync(path, broken)
    t.equal(file.load(), undefined)
  }
  t.equal(lines.length, 4, 'each is said')
  historyFile(join(t.testdirName, 'gone', 'quality.json'), log).save(before.saved())
  t.match(lines.at(-1), { event: 'the earlier days of sensors are not kept' })
})

t.test('an opinion has it', async (t) => {
  const book = new QualityBook(testNetwork())
  const says = (height: number, timeMs: number) => {
    const value = { mantissa: 4_000 + ((height * 37) % 100), exponent: -2 }
    const sample = { sensor: 'soil', sequence: height, value, unit: '%', time: timeMs, synchronised: true }
    book.block({ height, time: timeMs }, [{ type: 'reading', from: probe, sample } as Transaction])
  }
  for (let height = 1; height <= 20; height++) says(height, at(0))
  const past = () => {
    const [told] = book.due(at(0) + 100_000 * book.standing.length, 20)
    t.strictSame(qualitySchema.parse(told), told)
    return told?.sensors[0]?.past
  }
  t.equal(past(), null)
  says(21, at(1))
  t.strictSame(past(), { until: '2024-10-04', readings: [20], scores: [100] }, 'a new day is news')
})
