import t from 'tap'
import { FILES_MAX, filesConfig } from '../../../edge-agent/files/config.ts'

const base = { directory: 'shelf', price: '2' }
/** Where it is wrong; undefined: nowhere. */
const wrongAt = (change: object): string | undefined => {
  const parsed = filesConfig.safeParse({ ...base, ...change })
  return parsed.success ? undefined : parsed.error.issues.map(({ path }) => path.join('.')).join()
}

t.test('there is a price, and one rule for it', async (t) => {
  t.equal(wrongAt({}), undefined)
  t.equal(wrongAt({ price: undefined }), 'price')
  t.equal(wrongAt({ price: undefined, perKilobyte: '0.1' }), undefined)
  t.equal(wrongAt({ price: undefined, prices: { 'day.bin': '1' } }), undefined)
  t.equal(wrongAt({ perKilobyte: '0.1' }), 'perKilobyte')
  const prices = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, '1']))
  t.equal(wrongAt({ prices: prices(FILES_MAX) }), undefined)
  t.equal(wrongAt({ prices: prices(FILES_MAX + 1) }), 'prices')
})

t.test('a deadline leaves room for the confirmations and the margin', async (t) => {
  t.match(filesConfig.parse(base), { marginBlocks: 60, marginMinutes: 15 }, 'half by default')
  t.match(filesConfig.parse({ ...base, deadlineBlocks: 9 }), { marginBlocks: 4 })
  const terms = (deadlineBlocks: number, confirmations: number, marginBlocks?: number) =>
    wrongAt({ deadlineBlocks, confirmations, marginBlocks })
  t.equal(terms(12, 7, 4), undefined)
  t.equal(terms(12, 8, 4), 'deadlineBlocks')
  t.equal(terms(12, 5), undefined)
  t.equal(terms(12, 6), 'deadlineBlocks')
  t.match(terms(12, 1, 12), /marginBlocks/)
  t.equal(wrongAt({ deadlineMinutes: 30, marginMinutes: 29 }), undefined)
  t.equal(wrongAt({ deadlineMinutes: 30, marginMinutes: 30 }), 'marginMinutes')
})
