/** What a stretch of time costs by an offer, and what is refused before anything is paid. */
import t from 'tap'
import { priceTime } from '../../cli/timed-price.ts'
import type { Account } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const seller = '5ab50c85'.padEnd(64, '0') as Account
const common = { name: 'lamp', confirmations: 1, place: '', terms: '' }
const lamp = { type: 'output', ...common, price: 100, secondsMin: 10, secondsMax: 600 } as const

function priced(seconds: number, coinsMax?: number, item: OfferItem = lamp, name = 'porch') {
  const outcome = priceTime({ seller, name, network, item, online: undefined }, { seconds, coinsMax })
  return outcome.ok ? outcome.value : outcome.fault
}

t.test('the price is the least that buys the time, on the network of the offer', async (t) => {
  t.strictSame(priced(90), {
    ...{ seller, name: 'porch', network: network.genesisHash },
    ...{ seconds: 90, perMinute: 100, amount: 150 },
  })
  t.match(priced(61), { amount: 102 }, 'rounded up: 101 would buy 60 seconds')
})

t.test('a time that the offer does not sell is refused, and the limit is named', async (t) => {
  t.match(priced(10), { amount: 17 })
  t.strictSame(priced(9), { code: 'too-short', message: 'porch sells 10 s of lamp at least, not 9 s' })
  t.match(priced(600), { amount: 1000 })
  t.strictSame(priced(601), { code: 'too-long', message: 'porch sells 600 s of lamp at most, not 601 s' })
})

t.test('it costs no more than is wanted', async (t) => {
  t.match(priced(60, 100), { amount: 100 })
  t.match(priced(60, 99), {
    code: 'too-dear',
    message: '60 s cost 0.000001 coins, more than 0.00000099',
  })
})

t.test('a price beyond all coins is refused, not rounded', async (t) => {
  t.match(priced(600, undefined, { ...lamp, price: Number.MAX_SAFE_INTEGER }), { code: 'too-dear' })
})

t.test("what is not sold by time is refused, and the seller's name cannot move the cursor", async (t) => {
  const file: OfferItem = { type: 'file', ...common, price: 1, bytes: 1 }
  t.match(priced(60, undefined, file), { code: 'not-timed' })
  t.match(priced(9, undefined, lamp, 'po\u202erch'), { message: /^po\ufffdrch sells/ })
})

t.test('a seller that is known to be away is not paid', async (t) => {
  const listing = { seller, name: 'porch', network, item: lamp }
  const wish = { seconds: 60, coinsMax: undefined }
  t.match(priceTime({ ...listing, online: false }, wish), {
    fault: { code: 'offline', message: /^porch is offline/ },
  })
  t.match(priceTime({ ...listing, online: true }, wish), { ok: true })
})
