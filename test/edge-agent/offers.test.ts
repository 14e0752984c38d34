/** What an agent makes of offers on a broker, whoever put them there. */
import t from 'tap'
import { Offers } from '../../edge-agent/offers.ts'
import { signOffer } from '../../ledger/offer.ts'
import type { Account } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import { alice, bob, START_MS, TestChain } from '../helpers/ledger.ts'

const HOUR_MS = 3_600_000
const lamp = (price: number): OfferItem => ({
  ...{ type: 'output', name: 'lamp', price, confirmations: 1, place: '', terms: '' },
  ...{ secondsMin: 10, secondsMax: 600 },
})

function bench() {
  const test = new TestChain()
  const state = { nowMs: START_MS, synchronised: true }
  const clock = { now: () => state.nowMs, monotonic: () => 0, synchronised: () => state.synchronised }
  const desk = { chain: test.chain, clock, isGuarded: true }
  const offers = new Offers(desk, 2)
  const signed = (price: number, time = START_MS, by = alice) =>
    signOffer(
      test.network,
      { from: by.account, time, until: time + HOUR_MS, name: 'x', items: [lamp(price)] },
      by.sign,
    ).bytes
  const hear = (payload: Uint8Array, publisher: Account = alice.account) => {
    const parsed = parseTopic(topic(test.network.id, 'offer', publisher))
    if (parsed !== undefined) offers.take(parsed, payload)
  }
  const price = (of: Account = alice.account) => offers.find(of, 'output', 'lamp')?.price
  return { test, state, desk, offers, signed, hear, price }
}

t.test('of the sellers that are wanted what they signed counts, and nothing else', async (t) => {
  const { test, offers, signed, hear, price } = bench()
  hear(signed(1))
  t.equal(price(), undefined, 'nobody wanted it yet')
  t.strictSame(offers.want([alice.account]), [topic(test.network.id, 'offer', alice.account)])
  hear(signed(2))
  t.equal(price(), 2)
  hear(signed(3, START_MS, bob))
  hear(signed(4, START_MS, bob), bob.account)
  const tampered = signed(5)
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1
  hear(tampered)
  hear(new Uint8Array(200).fill(7))
  t.equal(price(), 2)
  t.equal(price(bob.account), undefined)
  t.equal(offers.find(alice.account, 'topic', 'lamp'), undefined, 'of another kind')
  t.equal(offers.find(alice.account, 'output', 'fan'), undefined)
})

t.test('the newest offer counts, until it is stale or taken back', async (t) => {
  const { state, offers, signed, hear, price } = bench()
  offers.want([alice.account])
  hear(signed(1, START_MS + 5))
  hear(signed(2, START_MS))
  t.equal(price(), 1, 'an older one, sent again, is passed over')
  hear(signed(3, START_MS + 6))
  t.equal(price(), 3)
  state.nowMs = START_MS + 6 + HOUR_MS
  t.equal(price(), undefined, 'stale')
  state.nowMs = START_MS
  hear(new Uint8Array(0))
  t.equal(price(), undefined, 'taken back')
})

t.test('a clock that is not right does not make an offer stale: the ledger knows better', async (t) => {
  const { state, offers, signed, hear, price } = bench()
  offers.want([alice.account])
  state.nowMs = START_MS + 30 * 365 * 24 * HOUR_MS
  hear(signed(1))
  t.equal(price(), undefined)
  state.synchronised = false
  t.equal(price(), 1)
})

t.test('an offer of the future does not count, and does not stand in the way of a true one', async (t) => {
  const { state, offers, signed, hear, price } = bench()
  offers.want([alice.account])
  hear(signed(1, START_MS + 300_001))
  t.equal(price(), undefined, 'by a clock that is wrong')
  hear(signed(2))
  t.equal(price(), 2)
  hear(signed(3, START_MS + 300_000))
  t.equal(price(), 3, 'clocks may differ by so much')
  state.nowMs = START_MS - 1
  t.equal(price(), undefined)
})

t.test('where anybody may say anything an empty message takes nothing back', async (t) => {
  const { desk, offers, signed, hear, price } = bench()
  offers.want([alice.account])
  hear(signed(1))
  desk.isGuarded = false
  hear(new Uint8Array(0))
  t.equal(price(), 1)
})

t.test('so many sellers and no more', async (t) => {
  const { offers } = bench()
  const accounts = [3, 4, 5].map((digit) => String(digit).repeat(64) as Account)
  t.equal(offers.want(accounts).length, 2)
})
