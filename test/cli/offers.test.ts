/** What is made of a broker's retained messages, whoever put them there. */
import t from 'tap'
import { Heard } from '../../cli/offers.ts'
import { signOffer } from '../../ledger/offer.ts'
import type { Signer } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { genesis as genesisCodec } from '../../schemas/genesis.ts'
import type { Account } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import type { Kind } from '../../schemas/topic.ts'
import { alice, bob, carol, START_MS, signer, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const other = testNetwork({ name: 'other' })
const soil: OfferItem = {
  ...{ type: 'readings', name: 'soil', price: 5, confirmations: 1, place: '', terms: '' },
  ...{ unit: '%', everyMs: 500, count: 1 },
}
const offered = (by: Signer, time = START_MS, on = network) =>
  signOffer(on, { from: by.account, time, until: time + 1000, name: 'x', items: [soil] }, by.sign).bytes
const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

function heard(wanted?: string) {
  const all = new Heard(wanted)
  const say = (kind: Kind, publisher: Account, payload: Uint8Array, rest: string[] = [], id = network.id) => {
    const json = kind === 'status' || kind === 'quality'
    all.take({ topic: { network: id, kind, publisher, rest, json }, payload, retain: true })
  }
  return {
    all,
    say,
    genesis: (of = network, id = of.id) =>
      say('genesis', carol.account, encode(genesisCodec, of.genesis), [], id),
    facts: (nowMs = START_MS) => {
      const { listings, leftOut } = all.market(nowMs)
      return {
        shown: listings.map(({ seller }) => seller),
        leftOut: leftOut.map(({ publisher, code }) => [publisher, code]),
      }
    },
  }
}

t.test('only whole, signed, own, fresh offers of this network show', async (t) => {
  const { say, genesis, facts } = heard()
  // The offers may come before what they are checked against.
  say('offer', alice.account, offered(alice))
  const tampered = offered(bob)
  tampered[tampered.length - 100] = (tampered[tampered.length - 100] ?? 0) ^ 1
  say('offer', bob.account, tampered)
  say('offer', carol.account, offered(alice))
  const [stale, foreign, unsigned] = [signer(11), signer(12), signer(13)]
  say('offer', stale.account, offered(stale, START_MS - 1000))
  say('offer', foreign.account, offered(foreign, START_MS, other))
  say('offer', unsigned.account, offered(unsigned).fill(0, -64))
  t.strictSame(facts().shown, [])
  t.ok(facts().leftOut.every(([, code]) => code === 'unknown-network'))
  genesis()
  t.strictSame(facts(), {
    shown: [alice.account],
    leftOut: [
      [bob.account, 'bad-signature'],
      [carol.account, 'foreign-name'],
      [stale.account, 'stale'],
      [foreign.account, 'wrong-network'],
      [unsigned.account, 'bad-signature'],
    ],
  })
})

t.test('a genesis counts only under its own name, and only the wanted one', async (t) => {
  const { say, genesis, facts } = heard()
  genesis(other, network.id)
  say('offer', alice.account, offered(alice))
  t.strictSame(facts().leftOut, [[alice.account, 'unknown-network']])
  genesis()
  t.strictSame(facts().shown, [alice.account])
  const strict = heard(`${network.id}${'0'.repeat(56)}`)
  strict.genesis()
  strict.say('offer', alice.account, offered(alice))
  t.strictSame(strict.facts().leftOut, [[alice.account, 'unknown-network']])
})

t.test('an offer that is taken back or replaced while we listen', async (t) => {
  const { say, genesis, all, facts } = heard()
  genesis()
  say('offer', alice.account, offered(alice))
  say('offer', alice.account, offered(alice, START_MS + 5))
  t.strictSame(
    all.market(START_MS).listings.map(({ time }) => time),
    [START_MS + 5],
  )
  say('offer', alice.account, new Uint8Array(0))
  t.strictSame(facts(), { shown: [], leftOut: [] })
})

t.test('who is online, and what validators think of a sensor', async (t) => {
  const { say, genesis, all } = heard()
  genesis()
  say('offer', alice.account, offered(alice))
  const listing = () => all.market(START_MS).listings[0]
  t.match(listing(), { online: undefined, score: undefined })
  say('status', alice.account, text({ state: 'online' }))
  t.equal(listing()?.online, true)
  say('status', alice.account, text({ state: 'offline' }))
  t.equal(listing()?.online, false)
  const past = { until: '2026-11-30', readings: [9], scores: [70] }
  const opinion = (score: number | null, device = alice.account, sensor = 'soil') =>
    text({
      device,
      height: 1,
      sensors: [
        {
          ...{ sensor, unit: '%', place: '', readings: 9, score, neighbours: 2, gaps: 0, unsynchronised: 0 },
          ...{ frozen: false, copied: '', outliers: 0, offset: 0 },
          // Who is older than this field says nothing.
          ...(score === 20 ? { past } : {}),
        },
      ],
    })
  const says = (by: Signer, payload: Uint8Array) => say('quality', by.account, payload, [alice.account])
  says(bob, opinion(null))
  says(bob, opinion(10, bob.account))
  says(bob, opinion(10, alice.account, 'air'))
  says(bob, text({ device: alice.account, height: 1, sensors: 'many' }))
  says(bob, new TextEncoder().encode('{'))
  t.equal(listing()?.score, undefined)
  says(bob, opinion(80))
  says(carol, opinion(20))
  t.strictSame(listing()?.score, { score: 20, neighbours: 2, past })
})

t.test('there is an end to how many are remembered', async (t) => {
  const { say, all } = heard()
  for (let at = 0; at < 2_100; at++)
    say('offer', at.toString(16).padStart(64, '0') as Account, Uint8Array.of(1))
  const { leftOut } = all.market(START_MS)
  t.equal(leftOut.filter(({ code }) => code === 'too-many').length, 100)
  t.equal(leftOut.length, 2_100)
})
