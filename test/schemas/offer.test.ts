import t from 'tap'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Network, toHex } from '../../schemas/hex.ts'
import {
  OFFER_BYTES_MAX,
  OFFER_ITEMS_MAX,
  OFFER_KINDS,
  OFFER_NAME_BYTES_MAX,
  type Offer,
  type OfferItem,
  offer,
  offerItem,
  PLACE_BYTES_MAX,
  TERMS_BYTES_MAX,
} from '../../schemas/offer.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'

const common = { name: 'a', price: 258, confirmations: 3, place: 'b', terms: 'cd' }
const commonBytes = '0161' + '0000000000000102' + '03' + '0162' + '026364'
const measured = { unit: '%', everyMs: 5_000, count: 7 }
const measuredBytes = '0125' + '00001388' + '0000000000000007'
const timed = { secondsMin: 1, secondsMax: 600 }
const timedBytes = '00000001' + '00000258'

/** Values and their bytes, written by hand from the declared layout. */
const ITEMS: Readonly<Record<OfferItem['type'], readonly [OfferItem, string]>> = {
  readings: [{ type: 'readings', ...common, ...measured }, `01${commonBytes}${measuredBytes}`],
  topic: [
    { type: 'topic', ...common, ...measured, ...timed, freeEveryMs: 60_000 },
    `02${commonBytes}${measuredBytes}${timedBytes}0000ea60`,
  ],
  output: [{ type: 'output', ...common, ...timed }, `03${commonBytes}${timedBytes}`],
  file: [{ type: 'file', ...common, bytes: 65_536 }, `04${commonBytes}0000000000010000`],
}

for (const kind of OFFER_KINDS) {
  const [value, bytes] = ITEMS[kind]
  t.test(`golden bytes: ${kind}`, async (t) => t.equal(toHex(codecFacts(t, offerItem, value)), bytes))
}

const head = {
  network: '0badcafe' as Network,
  from: 'aa'.repeat(32) as Account,
  time: 1,
  until: 2,
  name: 'x',
  signature: new Uint8Array(64).fill(9),
}

t.test('golden bytes: offer', async (t) => {
  const items = OFFER_KINDS.map((kind) => ITEMS[kind][0])
  const bytes = toHex(codecFacts(t, offer, { ...head, items }))
  const expected = OFFER_KINDS.map((kind) => ITEMS[kind][1]).join('')
  t.equal(
    bytes,
    `0badcafe${'aa'.repeat(32)}000000000001000000000002${'0178'}0004${expected}${'09'.repeat(64)}`,
  )
})

t.test('the largest offer is within its limit, and one item more is none', async (t) => {
  const largest: OfferItem = {
    type: 'topic',
    ...common,
    ...measured,
    ...timed,
    name: 'n'.repeat(32),
    unit: 'u'.repeat(15),
    place: 'p'.repeat(PLACE_BYTES_MAX),
    terms: 't'.repeat(TERMS_BYTES_MAX),
    freeEveryMs: 0,
  }
  const of = (count: number): Offer => ({
    ...head,
    name: 'x'.repeat(OFFER_NAME_BYTES_MAX),
    items: Array<OfferItem>(count).fill(largest),
  })
  t.ok(encode(offer, of(OFFER_ITEMS_MAX)).length <= OFFER_BYTES_MAX)
  refusesToEncode(t, offer, of(OFFER_ITEMS_MAX + 1))
  refusesToEncode(t, offerItem, { ...largest, terms: 't'.repeat(TERMS_BYTES_MAX + 1) })
  refusesToEncode(t, offerItem, { ...largest, place: 'p'.repeat(PLACE_BYTES_MAX + 1) })
})
