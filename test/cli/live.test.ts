import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { describeEvent, type Event, Live } from '../../cli/live.ts'
import type { Mirror } from '../../cli/reader.ts'
import { transaction } from '../../schemas/transaction.ts'
import { alice, bob, carol, TestChain } from '../helpers/ledger.ts'
import { open } from '../helpers/trade.ts'

const test = new TestChain()
const mirror = (kind: Mirror['kind'], value: unknown, publisher = carol.account, retain = false): Mirror => ({
  network: test.network.id,
  kind,
  publisher,
  rest: [],
  retain,
  value,
})
const confirmed = (height: number, hash: string, time: number) => ({
  height,
  hash,
  miner: bob.account,
  time,
  reward: 50e8,
  target: '0000f'.padEnd(64, 'f'),
  transactions: [
    test.transfer(alice, bob.account, 150_000_000, { memo: 'a coffee' }),
    test.reading(bob),
    test.batch(bob, 7),
  ].map(({ id, transaction: tx }) => ({ id, ...(transaction.toJson(tx) as object) })),
})
const online = { state: 'online', role: 'agent', name: 'pump' }

t.test('a block that two validators report is shown once, with names and the time since the last', (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event))
  live.receive(mirror('status', online, bob.account, true))
  live.receive(mirror('status', online, bob.account))
  live.receive(mirror('confirmed', confirmed(1, 'aa', 1_000)))
  live.receive(mirror('confirmed', confirmed(1, 'aa', 1_000), alice.account))
  live.receive(mirror('confirmed', { ...confirmed(2, 'bb', 3_500), transactions: [] }))
  t.match(events, [
    { event: 'presence', name: 'pump', state: 'online' },
    { event: 'block', height: 1, miner: 'pump', transactions: 3, seconds: undefined },
    { event: 'payment', to: 'pump', amount: 150_000_000, memo: 'a coffee' },
    { event: 'reading', device: 'pump', sensor: 'soil', value: '21.5', count: 1 },
    { event: 'reading', count: 7 },
    { event: 'block', height: 2, seconds: 2.5 },
  ])
  t.equal(events.length, 6)
  t.end()
})

t.test('a channel in a block is a line with its people and coins', async (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event), new Map([[bob.account, 'probe']]))
  const opened = open(test, alice, bob, 150_000_000)
  const transactions = [{ id: opened.id, ...(transaction.toJson(opened.transaction) as object) }]
  live.receive(mirror('confirmed', { ...confirmed(4, 'dd', 1_000), transactions }))
  t.match(events[1], { event: 'trade', what: 'channelOpen', id: opened.id, to: 'probe', amount: 150_000_000 })
  t.match(
    describeEvent(events[1] as Event, 0, false),
    /^00:00:00 trade {4}[0-9a-f]{8} puts 1\.5 into a channel to probe \([0-9a-f]{12}\), confirmed in #4$/,
  )
})

t.test('a tick is shown once, however often validators speak of it, and an old one not at all', async (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event))
  const newest = { ledger: 'aa'.repeat(32), height: 9, block: 'bb'.repeat(32) }
  const hand = (height: number, time: number) => ({
    ...{ height, hash: 'cc'.repeat(32), time, work: '1'.padStart(64, '0'), newest },
    target: '0000f'.padEnd(64, 'f'),
  })
  live.receive(mirror('hand', hand(3, 1_000), carol.account, true))
  live.receive(mirror('hand', hand(4, 65_500)))
  live.receive(mirror('hand', hand(4, 65_500), alice.account))
  live.receive(mirror('hand', hand(3, 1_000), alice.account))
  t.equal(events.length, 1)
  t.match(events[0], { event: 'tick', height: 4, seconds: 64.5 })
  t.match(
    describeEvent(events[0] as Event, 0, false),
    '00:00:00 tick     4 of the slow hand, difficulty 4.00, 64.5 s after the last (cccccccccccc)',
  )
})

t.test('admissions and revocations are shown, with the account in full', async (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event))
  const made = [
    test.sign(alice, { type: 'admission', member: bob.account }),
    test.sign(alice, { type: 'revocation', member: bob.account, nonce: 1 }),
  ]
  const transactions = made.map(({ id, transaction: tx }) => ({ id, ...(transaction.toJson(tx) as object) }))
  live.receive(mirror('status', { ...online, name: 'office' }, alice.account, true))
  live.receive(mirror('confirmed', { ...confirmed(1, 'aa', 1), transactions }))
  const [admission, revocation] = events.slice(-2) as [Event, Event]
  t.strictSame(admission, { event: 'admission', authority: 'office', member: bob.account, height: 1 })
  t.strictSame(revocation, { event: 'revocation', authority: 'office', member: bob.account, height: 1 })
  const said = [admission, revocation].map((event) => describeEvent(event, 0, false))
  t.match(said[0], `office admitted miner ${bob.account}, confirmed in #1`)
  t.match(said[1], `office revoked miner ${bob.account}, confirmed in #1`)
})

t.test('balances follow a block, once, together', async (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event))
  const view = (account: string, balance: number) => ({ account, height: 1, nonce: 0, balance, maturing: 0 })
  live.receive(mirror('account', view(alice.account, 5), carol.account, true))
  live.receive(mirror('confirmed', { ...confirmed(1, 'aa', 1), transactions: [] }))
  live.receive(mirror('account', view(alice.account, 7)))
  live.receive(mirror('account', view(bob.account, 9)))
  await sleep(250)
  const balances = events.filter(({ event }) => event === 'balances')
  t.match(balances, [{ balances: { [alice.account.slice(0, 8)]: 7, [bob.account.slice(0, 8)]: 9 } }])
  t.equal(balances.length, 1)
})

t.test('what is no mirror of ours is no event', (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event))
  for (const kind of ['status', 'confirmed', 'account', 'refused', 'tip'] as const) {
    for (const value of [null, 7, 'text', [], {}, { height: 'x', transactions: [{}] }])
      live.receive(mirror(kind, value))
  }
  live.receive(mirror('confirmed', confirmed(1, 'aa', 1), carol.account, true))
  t.strictSame(events, [], 'nor is a block that the broker kept')
  t.end()
})

t.test('lines are plain or coloured; a peer cannot move the cursor', (t) => {
  const payment: Event = {
    event: 'payment',
    from: 'a',
    to: '\x1b[2Jevil\n',
    amount: 150_000_000,
    memo: 'x\ry',
    height: 3,
  }
  const plain = describeEvent(payment, 0, false)
  t.equal(plain, '00:00:00 payment  a -> \uFFFD[2Jevil\uFFFD 1.5 for x\uFFFDy, confirmed in #3')
  t.match(describeEvent(payment, 0, true), '\x1b[32mpayment ')
  const refused: Event = { event: 'refused', what: 'tx', from: 'a', code: 'bad-signature', reason: 'why' }
  t.match(describeEvent(refused, 0, false), /bad-signature, why/)
  const block: Event = {
    event: 'block',
    height: 4,
    hash: '00ab'.repeat(16),
    miner: 'pump',
    transactions: 2,
    seconds: 3.25,
    reward: 50e8,
    difficulty: 4,
  }
  t.match(
    describeEvent(block, 0, false),
    /#4 found by pump: 2 transactions, reward 50, difficulty 4\.00, 3\.\d s after/,
  )
  t.end()
})

t.test('a refusal that settles itself is not shown, a broken rule is', (t) => {
  const events: Event[] = []
  const live = new Live((event) => events.push(event))
  const refusal = (code: string) => mirror('refused', { kind: 'tx', from: bob.account, code, message: 'why' })
  for (const code of ['nonce-gap', 'nonce-too-low', 'bad-signature', 'from-a-newer-version'])
    live.receive(refusal(code))
  t.strictSame(
    events.map((event) => event.event === 'refused' && event.code),
    ['bad-signature', 'from-a-newer-version'],
  )
  t.end()
})
