/**
 * A sale of readings over a channel: whatever is lost, repeated, overtaken, forged or crashed, the seller is never more than one reading
 * ahead of what it can prove, and the buyer never pays for a reading that it has not got.
 */
import { strictEqual as equal, ok } from 'node:assert'
import fc from 'fast-check'
import type { ChannelTalk } from '../../schemas/channel-message.ts'
import { ChannelPair, type Mode, PRICE } from '../helpers/channel-pair.ts'
import { property } from './property.ts'

const side = fc.constantFrom('buyer' as const, 'seller' as const)
const mode = fc.constantFrom<Mode>('payword', 'signed')

/** What may happen to honest sides. */
const honest = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('deliver' as const), at: fc.nat(9), keep: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sample' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('flush' as const), side }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hello' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('again' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop' as const), at: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('claim' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      side,
      arrives: fc.constantFrom(undefined, 0, 300, 700, 1000),
    }),
  },
)

/** What a side that lies may say besides: to whom, about which reading, with which of its proofs or forgeries. */
const lie = fc.record({
  do: fc.constant('lie' as const),
  type: fc.constantFrom('resume' as const, 'payment' as const, 'delivery' as const),
  index: fc.nat(45),
  near: fc.boolean(),
  proof: fc.nat(40),
  price: fc.constantFrom(PRICE, PRICE, PRICE, 0, 1, PRICE + 1),
})
type Step = typeof honest extends fc.Arbitrary<infer T> ? T : never
type Lie = typeof lie extends fc.Arbitrary<infer T> ? T : never

function run(pair: ChannelPair, step: Step): void {
  switch (step.do) {
    case 'deliver':
      pair.deliver(step.at, step.keep)
      break
    case 'drop':
      pair.drop(step.at)
      break
    case 'sample':
      pair.sample()
      break
    case 'hello':
      pair.hello()
      break
    case 'again':
      pair.again()
      break
    case 'flush':
      pair.flush(step.side)
      break
    case 'claim':
      pair.claim()
      break
    case 'crash':
      pair.crash(step.side, step.arrives)
  }
}

/** Nothing goes wrong any more: both go on where they were. */
function settle(pair: ChannelPair): void {
  pair.wire.length = 0
  for (let round = 0; round < 4; round++) {
    pair.hello()
    for (let message = 0; message < 40; message++) {
      pair.flush('buyer')
      pair.flush('seller')
      pair.deliver(0, false)
    }
    pair.sample()
  }
}

/** A lie of the buyer, made of what it has: every proof that it could make, and forgeries. */
function lieToSeller(pair: ChannelPair, { type, index: any, near, proof: which, price }: Lie): void {
  const index = near ? (pair.sale?.index ?? 0) + (any % 4) : any
  const honestOnes = [0, 1, 2, 3].map((below) => pair.prove(Math.max(1, Math.min(40, index - below))))
  const proofs = [...honestOnes, ...pair.forgeries(index)]
  const proof = proofs[which % proofs.length] as (typeof proofs)[number]
  const standing = { sensor: 'soil', price, every: 0, last: 0xffffffff, index }
  const talk: ChannelTalk =
    type === 'payment'
      ? { type, index, proof }
      : { type: 'resume', ...standing, proof: which % 3 === 0 ? [] : [proof] }
  pair.receive({ to: 'seller', talk })
}

/** A lie of the seller: what it once said, twisted, and proofs that the buyer did not give. */
function lieToBuyer(pair: ChannelPair, { type, index: any, near, proof: which, price }: Lie): void {
  const index = near ? pair.purchase.index + (any % 4) : any
  const said = pair.wire.find(({ to, talk }) => to === 'buyer' && talk.type === 'delivery')?.talk
  if (type === 'delivery' && said?.type === 'delivery') {
    const twists = [
      { ...said, index },
      { ...said, due: said.due + price },
      { ...said, due: index * PRICE },
      { ...said, sample: { ...said.sample, sequence: index } },
      { ...said, signature: new Uint8Array(64).fill(which) },
    ]
    pair.receive({ to: 'buyer', talk: twists[which % twists.length] as ChannelTalk })
    return
  }
  const proofs = [...pair.proofs, ...pair.forgeries(index)]
  const proof = proofs[which % proofs.length] as (typeof proofs)[number]
  const standing = { sensor: 'soil', price, every: 0, last: 0xffffffff, index }
  pair.receive({ to: 'buyer', talk: { type: 'resume', ...standing, proof: which % 3 === 0 ? [] : [proof] } })
}

export const channelProperties = [
  property(
    'channel-honest',
    'two honest sides never accuse each other, lose no more than is out, and go on after any crash or loss',
    250,
    fc.record({ mode, steps: fc.array(honest, { maxLength: 120 }) }),
    ({ mode: how, steps }) => {
      const pair = new ChannelPair(how)
      for (const step of steps) {
        run(pair, step)
        pair.check()
      }
      equal(pair.stops.join(), '')
      const before = pair.sale?.index ?? 0
      settle(pair)
      const after = pair.sale?.index ?? 0
      ok(after > before, `it goes on from ${before}, now ${after} are paid`)
      while (pair.claim()) pair.check()
      equal(pair.entry.paid, after * PRICE, 'the ledger pays what was proven')
    },
  ),
  property(
    'channel-buyer-lies',
    'whatever a buyer says, at most one reading is out that is not paid, and what it has proven the ledger pays',
    250,
    fc.record({
      mode,
      steps: fc.array(fc.oneof({ weight: 3, arbitrary: honest }, { weight: 2, arbitrary: lie }), {
        maxLength: 80,
      }),
    }),
    ({ mode: how, steps }) => {
      const pair = new ChannelPair(how, 'buyer')
      for (const step of steps) {
        const index = pair.sale?.index ?? 0
        const crashes = pair.crashes
        if (step.do === 'lie') lieToSeller(pair, step)
        else run(pair, step)
        const out = [...pair.delivered.values()].reduce((sum, texts) => sum + texts.size, 0)
        pair.flush('seller')
        ok(out <= (pair.sale?.index ?? 0) + 1, 'at most one reading is out')
        ok(crashes < pair.crashes || (pair.sale?.index ?? 0) >= index, 'what is proven only grows')
      }
      while (pair.claim());
      // At the price that the buyer has named, which may be above the seller's.
      const { index, price } = pair.sale ?? { index: 0, price: 0 }
      equal(pair.entry.paid, index * price, 'the ledger pays what was proven')
    },
  ),
  property(
    'channel-seller-lies',
    'whatever a seller says, and whatever it claims with, the buyer pays one price for each reading that it has',
    80,
    fc.record({
      mode,
      steps: fc.array(fc.oneof({ weight: 3, arbitrary: honest }, { weight: 2, arbitrary: lie }), {
        maxLength: 80,
      }),
    }),
    ({ mode: how, steps }) => {
      const pair = new ChannelPair(how, 'seller')
      for (const step of steps) {
        if (step.do === 'lie') lieToBuyer(pair, step)
        else run(pair, step)
        pair.check()
        for (const proof of [...pair.proofs, ...pair.forgeries(step.do === 'lie' ? step.index : 1).slice(2)])
          pair.onLedger(proof)
        pair.check()
      }
    },
  ),
]
