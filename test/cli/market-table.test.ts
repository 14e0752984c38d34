import t from 'tap'
import type { Listing } from '../../cli/listings.ts'
import { asJson, describeLeftOut, table } from '../../cli/market-table.ts'
import type { LeftOut } from '../../cli/offers.ts'
import { short } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { alice, bob, START_MS, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const common = { price: 2_000_000, confirmations: 1, place: '', terms: '' }
const item: OfferItem = {
  ...{ type: 'topic', name: 'soil', ...common, unit: '%', everyMs: 500, count: 1, place: 'bed' },
  ...{ secondsMin: 10, secondsMax: 7_200, freeEveryMs: 60_000, terms: 'as is' },
}
const file: OfferItem = { type: 'file', name: 'day.csv', ...common, confirmations: 2, bytes: 1_000_000 }
const past = { until: '2024-10-07', readings: [5, 0, 9, 3], scores: [97, null, 81, null] }
const listing: Listing = {
  ...{ network, seller: alice.account, name: 'probe', item, online: true, time: START_MS },
  ...{ until: START_MS + 1, score: { score: 93, neighbours: 4, past } },
}

t.test('a table of what is offered', async (t) => {
  const text = table([
    listing,
    { ...listing, name: '\x1b[2Jevil', item: file, online: undefined, score: undefined },
    { ...listing, item: { ...item, type: 'readings', everyMs: 0 } as OfferItem, online: false },
  ])
  const [head, first, second, third] = text.split('\n')
  t.match(head, /^seller +account +kind +item +unit +every +price +score +past +online +place +terms$/)
  t.match(
    first,
    /^probe +8a88e3dd +topic +soil +% +0\.5 s +0\.02 a minute +93 \(4\) +81 in 3 d +yes +bed +10 s to 2 h, 1 confirmation, free every 60 s, as is$/,
  )
  t.match(
    second,
    /^\uFFFD\[2Jevil +8a88e3dd +file +day\.csv +- +- +0\.02 for 1000000 bytes, 0\.00002 a kB +- +- +\? +- +2 confirmations$/,
  )
  t.match(third, / change +0\.02 a reading .* no +bed/)
  t.equal(head?.indexOf('price'), first?.indexOf('0.02'), 'columns stand below their names')
})

t.test('the same for machines', async (t) => {
  const left: LeftOut = { network: network.id, publisher: bob.account, code: 'stale', message: 'why' }
  t.strictSame(JSON.parse(JSON.stringify(asJson([listing], [left]))), {
    offers: [
      {
        network: network.id,
        seller: { account: alice.account, name: 'probe' },
        item,
        online: true,
        score: 93,
        neighbours: 4,
        past,
        perKilobyte: null,
        time: START_MS,
        until: START_MS + 1,
      },
    ],
    leftOut: [left],
  })
  t.match(asJson([{ ...listing, item: file }], []), { offers: [{ perKilobyte: 2_000 }] })
})

t.test('what was left out is counted, and said in full when asked for', async (t) => {
  const left = (code: LeftOut['code']): LeftOut => ({
    ...{ network: network.id, publisher: bob.account, code, message: `why\x1b` },
  })
  t.equal(describeLeftOut([], true), '')
  const list = [left('stale'), left('stale'), left('bad-signature')]
  t.equal(describeLeftOut(list, false), 'left out: 2 stale, 1 bad-signature (-v says more)\n')
  const lines = describeLeftOut(list, true).split('\n')
  t.equal(lines[1], `  ${short(bob.account)}: stale, why\uFFFD`)
  t.equal(lines.length, 5)
})
