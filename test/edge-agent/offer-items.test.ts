import t from 'tap'
import { itemsOf } from '../../edge-agent/offer-items.ts'
import { OFFER_ITEMS_MAX } from '../../schemas/offer.ts'

const facts = (sensor: string) => ({ unit: sensor === 'soil' ? '%' : 'Cel', count: 12 })
const timed = { secondsMin: 10, secondsMax: 3600 }

t.test('a price makes an item, and what has none is not offered', async (t) => {
  const sell = { ...timed, confirmations: 2, place: 'greenhouse', freeEverySeconds: 60 }
  const items = itemsOf(
    {
      sensors: [
        { name: 'load' },
        {
          name: 'soil',
          intervalSeconds: 0.5,
          sell: { ...sell, perMinute: 20, perReading: 3, terms: 'as is' },
        },
        { name: 'air', sell: { ...sell, perReading: 4 } },
        { name: 'none', sell },
      ],
      outputs: [{ name: 'led' }, { name: 'lamp', sell: { ...timed, confirmations: 1, perMinute: 50 } }],
      files: [{ name: 'day.csv', price: 100, bytes: 1000, confirmations: 3 }],
    },
    facts,
  )
  const where = { confirmations: 2, place: 'greenhouse' }
  const soil = { name: 'soil', ...where, terms: 'as is', unit: '%', count: 12, everyMs: 500 }
  const nothing = { place: '', terms: '' }
  t.strictSame(items, [
    { type: 'readings', price: 3, ...soil },
    { type: 'topic', price: 20, ...soil, ...timed, freeEveryMs: 60_000 },
    { type: 'readings', price: 4, name: 'air', ...where, terms: '', unit: 'Cel', count: 12, everyMs: 0 },
    { type: 'output', name: 'lamp', price: 50, confirmations: 1, ...nothing, ...timed },
    { type: 'file', name: 'day.csv', price: 100, bytes: 1000, confirmations: 3, ...nothing },
  ])
})

t.test('no more than fit an offer', async (t) => {
  const files = Array.from({ length: OFFER_ITEMS_MAX + 5 }, (_, at) => {
    return { name: `f${at}`, price: 1, bytes: 1, confirmations: 1 }
  })
  t.equal(itemsOf({ sensors: [], outputs: [], files }, facts).length, OFFER_ITEMS_MAX)
})
