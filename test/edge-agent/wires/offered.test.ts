/** A wire that pays for time, beside what its seller offers. */
import t from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { signOffer } from '../../../ledger/offer.ts'
import { encode } from '../../../schemas/codec.ts'
import { fromHex } from '../../../schemas/hex.ts'
import type { OfferItem } from '../../../schemas/offer.ts'
import { topic } from '../../../schemas/topic.ts'
import { wiring, wiringParts } from '../../../schemas/wiring.ts'
import { alice, bob, carol } from '../../helpers/ledger.ts'
import { sample, WiresLab } from '../../helpers/wires-lab.ts'

const pump = (pay: object | string, minutes = 2) => ({
  ...{ when: { sensor: 'soil' }, pay, to: { device: bob.account, output: 'pump', minutes } },
})

/** Carol is the owner; bob offers a pump at 0.5 a minute, for 30 s to 10 minutes. */
function lab(...wires: object[]) {
  const agent = new WiresLab({ wires, owner: carol.account, sensors: ['soil'] })
  const { network } = agent.test
  let sequence = 0
  return {
    agent,
    offer(price = 0.5 * COIN, by = bob) {
      const item: OfferItem = {
        ...{ type: 'output', name: 'pump', price, confirmations: 1, place: '', terms: '' },
        ...{ secondsMin: 30, secondsMax: 600 },
      }
      const time = agent.test.nowMs
      const facts = { from: bob.account, time, until: time + 86_400_000, name: 'bob', items: [item] }
      const { bytes } = signOffer(network, facts, by.sign)
      const parsed = {
        network: network.id,
        kind: 'offer',
        publisher: bob.account,
        rest: [],
        json: false,
      } as const
      agent.receive(parsed, bytes)
      agent.pay()
    },
    /** What one sample makes it pay. */
    paid(value = '1') {
      agent.say(sample(sequence++, value))
      return agent.pay().map(({ transaction: tx }) => (tx.type === 'transfer' ? tx.amount / COIN : undefined))
    },
    warned: () =>
      agent.lines.flatMap(({ event, fields }) => (/another time/.test(event) ? [fields.reason] : [])),
    state: () => agent.states.at(-1)?.wires[0],
  }
}

t.test('it hears the offers of who sells what its wires pay for', async (t) => {
  const { agent } = lab(pump('1'))
  const { id } = agent.test.network
  t.strictSame(agent.trade.filters.slice(1), [topic(id, 'offer', bob.account)])
  const text = new TextEncoder().encode(
    JSON.stringify([{ ...pump('1'), to: { device: carol.account, topic: 'air', minutes: 1 } }]),
  )
  const { network } = agent.test
  const parts = wiringParts(alice.account, { sequence: 1, text })
  const signature = carol.sign(network.hashing.tagged('wiring', fromHex(network.genesisHash), ...parts))
  agent.receive(
    { network: id, kind: 'wiring', publisher: carol.account, rest: [alice.account], json: false },
    encode(wiring, { sequence: 1, text, signature }),
  )
  t.ok(agent.listened.includes(topic(id, 'offer', carol.account)), 'also of wires that come later')
})

t.test('a payment that would only come back is not sent, and says why', async (t) => {
  const { offer, paid, state, agent } = lab(pump('0.24'))
  t.strictSame(paid(), [0.24], 'without an offer it is not known')
  offer(COIN, carol)
  t.strictSame(paid(), [0.24], 'nor by an offer of somebody else')
  offer()
  t.strictSame(paid(), [])
  agent.trade.onConnected()
  t.match(state()?.why, /^underpaid: 0\.24 buys 28 s at the offered 0\.5 a minute, .* 30 s at least$/)
  offer(0.48 * COIN)
  t.strictSame(paid(), [0.24], 'the shortest time is enough')
})

t.test('amounts that depend on a reading are looked at one by one', async (t) => {
  const { offer, paid, warned } = lab(pump({ perUnit: '0.1', most: '1' }))
  offer()
  t.strictSame([paid('2'), paid('3')], [[], [0.3]])
  t.strictSame(warned(), [])
})

t.test('a wire that pays for another time than it says pays, and warns once', async (t) => {
  for (const [pay, minutes, expected] of [
    ['0.5', 2, /^0\.5 buys 60 s at the offered 0\.5 a minute, fewer than the 120 s that it says$/],
    ['0.5', 0.5, /more than the 30 s that it says$/],
    ['6', 12, /buys 720 s .*; the seller sells 600 s at most and gives the rest back$/],
  ] as const) {
    const { agent, offer, paid, warned, state } = lab(pump(pay, minutes))
    offer()
    t.strictSame(paid(), [Number(pay)])
    t.strictSame(paid(), [Number(pay)])
    t.equal(warned().length, 1)
    t.match(warned()[0], expected)
    agent.trade.onConnected()
    t.match(state()?.offer, expected)
  }
  const fits = lab(pump('1'))
  fits.offer()
  fits.agent.trade.onConnected()
  t.strictSame([fits.warned(), fits.state()?.offer], [[], null])
})
