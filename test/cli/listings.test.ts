import t from 'tap'
import { isMeant, type Listing, median, pick, type Search, type Sort, search } from '../../cli/listings.ts'
import type { Account } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { START_MS, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const common = { price: 5, confirmations: 1, place: '', terms: '' }
const timed = { secondsMin: 10, secondsMax: 600 }
const lamp: OfferItem = { type: 'output', name: 'lamp', ...common, price: 50, ...timed }
const soil: OfferItem = {
  ...{ type: 'readings', name: 'soil', ...common, unit: '%', everyMs: 500, count: 1 },
  ...{ place: 'Greenhouse 2', terms: 'no resale' },
}
const soilTopic: OfferItem = { ...soil, type: 'topic', ...timed, freeEveryMs: 60_000, price: 9 }
const air: OfferItem = { ...soil, name: 'air', unit: 'Cel', price: 2, place: 'yard' }
const account = (digits: string) => digits.padEnd(64, '0') as Account
const listing = (seller: string, name: string, item: OfferItem, score?: number, neighbours = 3): Listing => ({
  ...{ network, seller: account(seller), name, item, online: true, time: START_MS, until: START_MS + 1 },
  score: score === undefined ? undefined : { score, neighbours, past: null },
})
const all = [
  listing('bbbbbbbb11', 'probe', soil, 90),
  listing('bbbbbbbb11', 'probe', soilTopic, 95),
  listing('aaaaaaaa11', 'porch', lamp),
  listing('cccccccc11', 'probe', air, 95, 4),
]
const found = (query: Search, sort?: Sort) =>
  search(all, query, sort).map(({ seller, item }) => `${seller[0]} ${item.type} ${item.name}`)

t.test('words and filters narrow the list, case does not count', async (t) => {
  t.strictSame(found({}), ['a output lamp', 'b readings soil', 'b topic soil', 'c readings air'])
  t.strictSame(found({ words: ['GREEN', 'resale'] }), ['b readings soil', 'b topic soil'])
  t.strictSame(found({ words: ['green', 'lamp'] }), [])
  t.strictSame(found({ words: ['cccc'] }), ['c readings air'])
  t.strictSame(found({ unit: 'Cel' }), ['c readings air'])
  t.strictSame(found({ kind: 'output' }), ['a output lamp'])
  t.strictSame(found({ of: 'probe', maxPrice: 5 }), ['b readings soil', 'c readings air'])
  t.strictSame(found({ of: 'bbbbbbbb' }), ['b readings soil', 'b topic soil'])
  t.strictSame(found({ of: 'bbbbbbb' }), [], 'fewer than 8 digits are a name')
})

t.test('prices are sorted within a kind, the best score comes first', async (t) => {
  t.strictSame(found({}, 'price'), ['a output lamp', 'c readings air', 'b readings soil', 'b topic soil'])
  t.strictSame(found({}, 'score'), ['c readings air', 'b topic soil', 'b readings soil', 'a output lamp'])
})

t.test('a seller is meant by account, its start or its name; an item by kind and name', async (t) => {
  const one = (of: string, kind: OfferItem['type'], item: string) => {
    const outcome = pick(all, { of, kind, item })
    return outcome.ok ? outcome.value : `${outcome.fault.code}: ${outcome.fault.message}`
  }
  t.equal(one('porch', 'output', 'lamp'), all[2])
  t.equal(one('bbbbbbbb', 'topic', 'soil'), all[1])
  t.equal(one(account('cccccccc11'), 'readings', 'air'), all[3])
  t.equal(
    one('probe', 'readings', 'soil').toString().split(':')[0],
    'ambiguous',
    'although only one sells it',
  )
  t.match(one('probe', 'readings', 'soil'), /bbbbbbbb110*, cccccccc110*: say which by account/)
  t.match(one('porch', 'topic', 'lamp'), /no-such-item: .* it offers output lamp$/)
  t.match(
    one('porhc', 'output', 'lamp'),
    /no-such-seller: .*there are probe \(bbbbbbbb\), porch \(aaaaaaaa\)/,
  )
  t.match(pick([], { of: 'x', kind: 'file', item: 'y' }), { fault: { message: /nobody offers anything/ } })
})

t.test('a name that looks like the start of another account does not take its place', async (t) => {
  const liar = listing('dddddddd11', 'aaaaaaaa', lamp)
  t.equal(isMeant(liar, 'aaaaaaaa'), true)
  t.match(pick([...all, liar], { of: 'aaaaaaaa', kind: 'output', item: 'lamp' }), {
    fault: { code: 'ambiguous' },
  })
})

t.test('nobody goes by the whole account of another', async (t) => {
  const victim = account('aaaaaaaa11')
  const liar = listing('dddddddd11', victim, lamp)
  t.equal(isMeant(liar, victim), false)
  t.match(pick([liar, ...all], { of: victim, kind: 'output', item: 'lamp' }), { value: { seller: victim } })
})

t.test('an item on two networks is not guessed', async (t) => {
  const other = { ...listing('aaaaaaaa11', 'porch', lamp), network: testNetwork({ name: 'other' }) }
  t.match(pick([...all, other], { of: 'porch', kind: 'output', item: 'lamp' }), {
    fault: { code: 'ambiguous', message: /say which by --network/ },
  })
})

t.test('of many names some are said', async (t) => {
  const many = Array.from({ length: 20 }, (_, at) => listing(`${at + 10}eeeeee11`, `n${at}`, lamp))
  t.match(pick(many, { of: 'x', kind: 'output', item: 'lamp' }), {
    fault: { message: /there are (n\d \(\w{8}\), ){8}\.\.\.$/ },
  })
})

t.test('the middle opinion counts, of two the lower', async (t) => {
  const of = (...scores: number[]) =>
    median(scores.map((score) => ({ score, neighbours: 1, past: null })))?.score
  t.strictSame([of(), of(7), of(9, 7), of(100, 3, 50)], [undefined, 7, 7, 50])
})
