/**
 * Two agents trade readings over channels, with the real logs, outboxes and ledger, in virtual time. The lab checks both loss bounds
 * after every step.
 */
import t from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { ChannelLab, FUNDS, PRICE } from '../../helpers/channel-lab.ts'
import { alice, carol, seeded } from '../../helpers/ledger.ts'

const TERMS = { perReading: PRICE, confirmations: 1, delayMin: 5, claimAbove: COIN }

const count = (lab: ChannelLab, type: string): number =>
  lab.confirmed.filter((each) => each.type === type).length

for (const mode of ['payword', 'signed'] as const)
  t.test(
    `${mode === 'payword' ? 'words' : 'signatures'}: opens, pays, renews, claims and closes by itself`,
    async (t) => {
      const lab = new ChannelLab(TERMS, { mode })
      lab.start()
      await lab.run(30)
      t.ok(count(lab, 'channelOpen') >= 3, 'it opens the next channel by itself')
      t.ok(count(lab, 'channelClose') >= 2)
      t.ok(lab.bought >= 16, `${lab.bought} readings are bought`)
      t.ok(lab.earned >= 16 * PRICE, `${lab.earned / PRICE} are claimed`)
      t.ok(lab.earned <= lab.bought * PRICE)
      lab.settled('at the end')
    },
  )

t.test(
  'a machine that draws what it drew before uses no number twice, nor when its books have forgotten it',
  async (t) => {
    const lab = new ChannelLab(TERMS)
    let drawn = 0
    Object.assign(lab, { random: () => (++drawn % 20 === 0 ? drawn / 1e6 : 0.5) })
    lab.start()
    await lab.run(12)
    // Long enough to be forgotten.
    lab.mine(120)
    await lab.run(12)
    const memos = lab.confirmed.flatMap((each) => (each.type === 'channelOpen' ? [each.memo] : []))
    t.ok(memos.length >= 3, `${memos.length} channels`)
    t.equal(new Set(memos).size, memos.length, memos.join(', '))
    t.ok(drawn >= 20, 'it drew the same again')
    t.ok(lab.bought >= 16)
    lab.settled('at the end')
  },
)

t.test('a seller that cannot begin yet is asked again, and not only after a minute', async (t) => {
  const lab = new ChannelLab({ ...TERMS, confirmations: 4 })
  lab.start()
  await lab.run(20)
  t.ok(lab.bought >= 4, `${lab.bought} readings are bought in 20 s, the first 4 blocks without`)
})

t.test('a seller that starts anew less than a second after a hello is said hello again soon', async (t) => {
  const lab = new ChannelLab(TERMS)
  lab.roundMs = 500
  lab.start()
  for (let round = 0; lab.seller.durable.sales.size === 0 && round < 10; round++) await lab.run(1)
  t.equal(lab.seller.durable.sales.size, 1)
  lab.seller.crash()
  await lab.run(12)
  t.ok(lab.bought >= 4, `${lab.bought} readings are bought in 7 s`)
  lab.settled('at the end')
})

t.test('what is unclaimed stays below what the seller has set', async (t) => {
  const lab = new ChannelLab({ ...TERMS, claimAbove: 3 * PRICE }, { deposit: 100 * PRICE })
  lab.start()
  await lab.run(30)
  t.ok(count(lab, 'channelClaim') >= 4, `${count(lab, 'channelClaim')} claims`)
  t.ok(lab.bought * PRICE - lab.earned <= 5 * PRICE, 'all but the last few are on the ledger')
  lab.settled('at the end')
})

t.test('messages that are lost, repeated or late cost time and nothing else', async (t) => {
  const lab = new ChannelLab(TERMS, { deposit: 200 * PRICE })
  const random = seeded(3)
  const late: Parameters<typeof lab.fate>[0][] = []
  lab.fate = (message) => {
    const chance = random()
    if (chance < 0.2) return 0
    if (chance < 0.4) late.push(message)
    if (chance > 0.95) lab.wire.push(...late.splice(0, 3))
    return chance < 0.6 ? 2 : 1
  }
  lab.start()
  await lab.run(80)
  t.ok(lab.bought >= 15, `${lab.bought} readings are bought over a wire that loses a fifth`)
  const lines = [...lab.seller.lines, ...lab.buyer.lines]
  t.strictSame(
    lines.filter(({ event }) => /broke|given up/.test(event)),
    [],
    'nobody is accused',
  )
  lab.settled('at the end')
})

t.test('the payer vanishes: the payee claims what it has before the channel can close', async (t) => {
  const lab = new ChannelLab(TERMS, { deposit: 100 * PRICE, lifetime: 40 })
  lab.start()
  await lab.run(10)
  const { bought } = lab
  t.ok(bought >= 5)
  lab.buyer.vanish()
  for (let round = 0; round < 45; round++) await lab.run(1)
  t.equal(lab.earned, bought * PRICE, 'all that was paid is on the ledger')
  t.equal(count(lab, 'channelClose'), 1, 'and what is left is back')
  t.equal(lab.test.chain.state.account(alice.account).balance, FUNDS - bought * PRICE)
})

t.test('the payee vanishes: the payer wishes, waits, closes, and has its coins back', async (t) => {
  const lab = new ChannelLab(TERMS, { deposit: 100 * PRICE, silentMs: 20_000 })
  lab.start()
  await lab.run(8)
  const { bought } = lab
  lab.seller.vanish()
  lab.say(carol.account, false)
  for (let round = 0; round < 45; round++) await lab.run(1)
  t.equal(count(lab, 'channelClose'), 2, 'a wish and a close')
  t.equal(lab.earned, 0, 'the payee was away for longer than the delay, and nobody claimed for it')
  t.equal(lab.test.chain.state.account(alice.account).balance, FUNDS, 'everything is back')
  t.ok(bought > 0)
})

t.test('the payee is away, but shorter than the delay: it loses nothing', async (t) => {
  const lab = new ChannelLab(TERMS, { deposit: 100 * PRICE, silentMs: 20_000, delay: 30 })
  lab.start()
  await lab.run(8)
  const { bought } = lab
  lab.seller.vanish()
  lab.say(carol.account, false)
  for (let round = 0; round < 40 && count(lab, 'channelClose') === 0; round++) await lab.run(1)
  t.equal(count(lab, 'channelClose'), 1, 'the payer wishes to close')
  await lab.run(10)
  lab.seller.start()
  await lab.run(4)
  t.equal(lab.earned, bought * PRICE, 'back in time, it claims')
  t.equal(
    lab.test.chain.state.account(alice.account).balance,
    FUNDS - bought * PRICE,
    'and gives back the rest',
  )
  lab.settled('at the end')
})

t.test('killed at some of its writes, either side goes on where it was', async (t) => {
  for (const side of ['seller', 'buyer'] as const) {
    for (const failAt of [2, 5, 9, 12, 16]) {
      const lab = new ChannelLab(TERMS, {}, failAt)
      lab[side].disk.failAt = failAt
      lab[side].disk.arrives = [0, 400, 1000][failAt % 3] as number
      lab.start()
      await lab.run(14)
      t.equal(lab[side].crashes, 1)
      t.ok(lab.bought >= 4, `${side}, write ${failAt}: ${lab.bought} readings`)
      lab.settled(`${side}, write ${failAt}`)
    }
  }
})

t.test('the price is the one that is offered, and no more than the buyer has set', async (t) => {
  const lab = new ChannelLab(TERMS, { priceMax: 4 * PRICE })
  lab.start()
  await lab.run(12)
  const opened = lab.confirmed.find((each) => each.type === 'channelOpen')
  t.match(opened, { step: PRICE, amount: 8 * PRICE })
  t.ok(count(lab, 'channelOpen') <= 2, 'and a channel lasts for as many readings as that pays')
  t.ok(lab.bought >= 4)
  lab.settled('at the end')
})

t.test('without an offer, or for a dearer one, no channel is opened; the reason is in the log', async (t) => {
  const lab = new ChannelLab(TERMS)
  const said = () =>
    lab.buyer.lines.flatMap(({ event, fields }) => (event === 'no channel is opened' ? [fields.reason] : []))
  lab.start()
  lab.offer(PRICE + 1)
  await lab.run(12)
  t.equal(count(lab, 'channelOpen'), 0)
  t.strictSame(said(), ['perReadingMax: the seller asks for 0.00100001 a reading'])
  for (const actor of lab.actors) actor.hearOffer(carol.account, new Uint8Array(0))
  await lab.run(2)
  t.equal(count(lab, 'channelOpen'), 0)
  t.strictSame(said().slice(1), ['the seller does not offer it'])
  lab.offer(PRICE, alice)
  await lab.run(2)
  t.equal(count(lab, 'channelOpen'), 0, 'an offer of somebody else is none')
  lab.offer(PRICE)
  await lab.run(4)
  t.equal(count(lab, 'channelOpen'), 1)
})

t.test('no channel is opened with coins that are not there, or that wait to be spent', async (t) => {
  const poor = new ChannelLab(TERMS, { deposit: FUNDS + 1, priceMax: PRICE })
  poor.start()
  await poor.run(2)
  const busy = new ChannelLab(TERMS)
  busy.start()
  const rent = { type: 'transfer', to: carol.account, amount: FUNDS - 4 * PRICE, memo: 'rent' } as const
  busy.buyer.outbox?.add([{ draft: rent, key: 'rent' }])
  await busy.pass(60)
  for (const { buyer } of [poor, busy]) {
    t.ok(buyer.lines.some(({ event }) => event === 'not enough coins to open a channel'))
    t.notOk(buyer.outbox?.transactions.some(({ transaction: tx }) => tx.type === 'channelOpen'))
  }
})

t.test('a most that was lowered counts for open channels, too: they are called back', async (t) => {
  const lab = new ChannelLab(TERMS)
  lab.start()
  await lab.run(6)
  const { bought } = lab
  t.ok(bought > 0)
  const [buy] = lab.buyer.options.buys ?? []
  if (buy === undefined) return t.fail('it buys')
  lab.buyer.options = { buys: [{ ...buy, priceMax: PRICE - 1 }] }
  lab.buyer.crash()
  await lab.run(14)
  t.equal(lab.bought, bought)
  t.equal(count(lab, 'channelOpen'), 1)
  t.equal(count(lab, 'channelClose') >= 1, true)
  lab.settled('at the end')
})

for (const wants of [true, false])
  t.test(
    `the last payment of a channel is lost: a buyer that ${wants ? 'goes on' : 'wants no more'} does not leave it open`,
    async (t) => {
      const lab = new ChannelLab(TERMS)
      lab.start()
      // From the buyer's last reading on it is not heard.
      lab.fate = ({ name }) => (lab.bought >= 8 && name.endsWith(carol.account) ? 0 : 1)
      for (let round = 0; lab.bought < 8 && round < 40; round++) await lab.run(1)
      t.equal(lab.bought, 8)
      lab.fate = () => 1
      if (!wants) lab.buyer.options = {}
      lab.buyer.crash()
      await lab.run(30)
      const [first] = lab.buyer.got
      if (first === undefined) return t.fail('it buys')
      t.equal(lab.test.chain.state.channel(first.channel), undefined)
      t.ok(lab.earned >= (wants ? 8 : 7) * PRICE, `${lab.earned / PRICE} are claimed`)
      lab.settled('at the end')
    },
  )
