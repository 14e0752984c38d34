import t from 'tap'
import { LedgerWires } from '../../../edge-agent/wires/ledger-wires.ts'
import { COIN } from '../../../ledger/amount.ts'
import type { Sealed } from '../../../ledger/transaction.ts'
import { invariant } from '../../../schemas/result.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { sample, WiresLab } from '../../helpers/wires-lab.ts'

const PAY = 100
const plain = { when: { device: bob.account, sensor: 'soil' }, pay: '0.000001', for: 'soil' }
const memoFor = ({ id }: Sealed): string => `soil ${id.slice(0, 16)}`

t.test('each reading is paid once, however often it is looked for', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  const [first, second] = lab.readings('1', '2')
  invariant(first !== undefined && second !== undefined, 'two readings')
  lab.mine([first, second])
  t.match(
    lab.outbox.unconfirmed.map(({ transaction: tx }) => tx),
    [first, second].map((each) => ({ to: bob.account, amount: PAY, memo: memoFor(each) })),
  )
  t.strictSame(lab.memos(), [])
  lab.mine(lab.outbox.unconfirmed)
  lab.mine()
  t.strictSame(lab.memos(), [])
  t.equal(lab.chain.state.account(alice.account).nonce, 2)
})

t.test("a wire pays for its device's sensor and nothing else", async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  const other = { ...sample(0, '1'), sensor: 'light' }
  lab.mine([
    lab.test.reading(carol),
    lab.test.sign(bob, { type: 'reading', sample: other }),
    lab.test.transfer(bob, alice.account, 0, { nonce: 1 }),
  ])
  t.strictSame(lab.outbox.unconfirmed, [])
  const [wanted] = lab.readings('1')
  invariant(wanted !== undefined, 'one reading')
  lab.mine([wanted])
  t.match(lab.outbox.unconfirmed, [{ transaction: { memo: memoFor(wanted) } }])
})

t.test('a batch pays for each of its readings', async (t) => {
  const lab = new WiresLab({ wires: [{ ...plain, to: carol.account }] })
  lab.mine([lab.test.batch(bob, 7)])
  t.match(
    lab.outbox.unconfirmed.map(({ transaction: tx }) => tx),
    [{ to: carol.account, amount: 7 * PAY }],
  )
  const greedy = new WiresLab({ wires: [{ ...plain, pay: '90000000' }] })
  greedy.mine([greedy.test.batch(bob, 7)])
  t.strictSame(greedy.outbox.unconfirmed, [], 'an amount that no number holds is not paid')
  t.match(greedy.lines.at(-1)?.fields.reason, /beyond 2\^53/)
})

t.test(
  'of a batch only the number of readings is known: comparisons and prices by unit say so',
  async (t) => {
    const above = { ...plain, when: { ...plain.when, above: 1 } }
    const byUnit = { ...plain, pay: { perUnit: '0.1', most: '1' }, for: 'moisture' }
    const lab = new WiresLab({ wires: [above, byUnit] })
    lab.mine([lab.test.batch(bob, 7)])
    t.strictSame(lab.outbox.unconfirmed, [])
    lab.trade.onConnected()
    t.match(
      lab.states.at(-1)?.wires.map(({ why }) => why),
      [/in batches/, /in batches/],
    )
  },
)

t.test('a reading is bought at exactly the depth that its wire asks for', async (t) => {
  const wires = [
    { ...plain, confirmations: 3 },
    { ...plain, to: carol.account },
  ]
  const lab = new WiresLab({ wires })
  const receivers = () => lab.outbox.unconfirmed.map(({ transaction: tx }) => tx.type === 'transfer' && tx.to)
  lab.mine(lab.readings('1'))
  t.strictSame(receivers(), [carol.account], 'the wire that asks for one')
  lab.mine()
  t.strictSame(receivers(), [carol.account])
  lab.mine()
  t.strictSame(receivers(), [carol.account, bob.account], 'the wire that asks for three')
  lab.mine()
  t.equal(receivers().length, 2)
})

t.test('not before the agent is in sync, and then all that came meanwhile', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  lab.inSync = false
  lab.mine(lab.readings('1'))
  lab.mine(lab.readings('2'))
  t.strictSame(lab.memos(), [])
  lab.inSync = true
  t.equal(lab.pay().length, 2)
})

t.test('a new agent does not pay for what was before it', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  lab.inSync = false
  lab.mine(lab.readings('1'))
  lab.mine([], 29)
  lab.mine(lab.readings('2'))
  lab.inSync = true
  t.equal(lab.pay().length, 1, 'the one that is 31 blocks deep is not bought')
})

t.test('nor an agent that was away for more than a day', async (t) => {
  const test = new TestChain(testNetwork({ interval: 600_000 }))
  const lab = new WiresLab({ wires: [plain], test })
  lab.mine([], 120)
  lab.inSync = false
  const [old] = lab.readings('1')
  invariant(old !== undefined, 'one reading')
  lab.mine([old])
  lab.mine([], 100)
  const [fresh] = lab.readings('2')
  invariant(fresh !== undefined, 'one reading')
  lab.mine([fresh])
  lab.mine([], 60)
  lab.inSync = true
  t.strictSame(lab.memos(), [memoFor(fresh)])
})

t.test('a reading that was not paid before a crash is paid after it, one that was is not', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  lab.mine(lab.readings('1'))
  t.equal(lab.outbox.unconfirmed.length, 1)
  lab.inSync = false
  const [late] = lab.readings('2')
  invariant(late !== undefined, 'one reading')
  lab.mine([late])
  lab.inSync = true
  lab.restart()
  t.strictSame(lab.memos(), [memoFor(late)])
})

t.test('after a restart the last 30 blocks are looked at again, and no older ones', async (t) => {
  for (const [depth, due] of [
    [30, 1],
    [31, 0],
  ] as const) {
    const lab = new WiresLab({ wires: [plain] })
    lab.inSync = false
    lab.mine(lab.readings('1'), depth)
    lab.restart()
    lab.inSync = true
    t.equal(lab.pay().length, due, `at depth ${depth}`)
  }
})

t.test('a payment in a block that the outbox does not know is not made again', async (t) => {
  for (const restartsFirst of [true, false]) {
    const lab = new WiresLab({ wires: [plain] })
    const [first] = lab.readings('1')
    invariant(first !== undefined, 'one reading')
    lab.mine([first])
    const paid = lab.outbox.unconfirmed
    lab.inSync = false
    const lost = { lost: ['outbox.log', 'wires.log'] }
    if (restartsFirst) lab.restart(lost)
    const [unpaid] = lab.readings('2')
    invariant(unpaid !== undefined, 'one reading')
    lab.mine([...paid, unpaid])
    lab.mine([], 5)
    if (!restartsFirst) lab.restart(lost)
    lab.inSync = true
    t.strictSame(lab.memos(), [memoFor(unpaid)], 'the outbox is lost, the chain is not')
  }
})

t.test('one paid by an earlier version, under its receiver and memo, is not paid again', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  lab.inSync = false
  const [reading] = lab.readings('1')
  invariant(reading !== undefined, 'one reading')
  lab.mine([reading])
  const memo = memoFor(reading)
  const draft = { type: 'transfer', to: bob.account, amount: PAY, memo } as const
  lab.outbox.add([{ draft, key: `${bob.account} ${memo}` }])
  lab.inSync = true
  t.strictSame(lab.memos(), [])
})

t.test('what somebody else has paid for is ours to pay none the less', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  const [reading] = lab.readings('1')
  invariant(reading !== undefined, 'one reading')
  lab.mine([reading, lab.test.transfer(bob, bob.account, 0, { nonce: 1, memo: memoFor(reading) })])
  t.equal(lab.outbox.unconfirmed.length, 1)
})

t.test('as far as the coins go; the rest stays unpaid, with a warning', async (t) => {
  const test = new TestChain(testNetwork({ allocations: [{ account: alice.account, amount: 2 * PAY + 99 }] }))
  const lab = new WiresLab({ test, wires: [plain] })
  lab.mine(lab.readings('1', '2', '3', '4', '5'))
  t.equal(lab.outbox.unconfirmed.length, 2)
  const warning = lab.lines.find(({ event }) => event === 'not enough coins for all wires')
  t.match(warning, { level: 'warn', fields: { unpaid: 3 } })
})

t.test('a purchase costs its fee too, and coins that waiting transactions take are not there', async (t) => {
  const fee = 1_000
  for (const [amount, waiting, due] of [
    [PAY + fee, 0, 1],
    [PAY + fee - 1, 0, 0],
    [PAY + fee + 500 + fee, 500, 1],
    [PAY + fee + 500 + fee - 1, 500, 0],
  ] as const) {
    const network = testNetwork({ feeFloor: fee, allocations: [{ account: alice.account, amount }] })
    const lab = new WiresLab({ test: new TestChain(network), wires: [plain] })
    const draft = { type: 'transfer', to: carol.account, amount: waiting, memo: '' } as const
    if (waiting > 0) lab.outbox.add([{ draft, key: 'other' }])
    lab.mine(lab.readings('1'))
    const made = lab.outbox.unconfirmed.length - (waiting > 0 ? 1 : 0)
    t.equal(made, due, `${amount} coins, ${waiting} of them spoken for`)
  }
})

t.test(
  'after a reorganisation the new blocks are looked at, and what was paid is not paid again',
  async (t) => {
    const lab = new WiresLab({ wires: [plain] })
    const [shared] = lab.readings('1')
    invariant(shared !== undefined, 'one reading')
    lab.mine([shared])
    lab.mine([], 2)
    const other = new TestChain(lab.test.network)
    const fresh = other.reading(bob, { nonce: 1, sample: sample(1, '2') })
    other.grow(1, [shared, fresh], carol)
    other.grow(3, [], carol)
    lab.reorganise(other)
    t.strictSame(
      lab.outbox.unconfirmed.map(({ transaction: tx }) => tx.type === 'transfer' && tx.memo),
      [memoFor(shared), memoFor(fresh)],
    )
  },
)

t.test('a reading that a reorganisation brings back with another fee is the same reading', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  lab.mine(lab.readings('1'))
  t.equal(lab.outbox.unconfirmed.length, 1)
  const other = new TestChain(lab.test.network)
  const again = other.reading(bob, { sample: sample(0, '1'), expiry: 900_000 })
  other.grow(1, [again], carol)
  other.grow(1, [], carol)
  lab.reorganise(other)
  t.equal(lab.outbox.unconfirmed.length, 1, 'its id is another, and it is not paid twice')
})

t.test('an edge among confirmed readings fires once, and again after the way back', async (t) => {
  const falls = { device: bob.account, sensor: 'soil', falls: 20, hysteresis: 5 }
  const lab = new WiresLab({ wires: [{ ...plain, when: falls }] })
  const fired: string[] = []
  for (const value of ['19', '21', '18', '22', '19', '25', '20', '19.9', '3']) {
    const before = lab.outbox.unconfirmed.length
    lab.mine(lab.readings(value))
    if (lab.outbox.unconfirmed.length > before) fired.push(value)
  }
  t.strictSame(
    fired,
    ['19.9'],
    'below at first says nothing; 21 and 22 are no way back from there; 20 is not below',
  )
})

t.test('after a reorganisation a wire remembers what was where the branches part', async (t) => {
  const rises = { device: bob.account, sensor: 'soil', rises: 20 }
  const lab = new WiresLab({ wires: [{ ...plain, when: rises }] })
  const shared = new TestChain(lab.test.network)
  const first = lab.readings('25')
  lab.mine(first)
  shared.grow(1, first, carol)
  // On our branch it fell; on the other it never did, so what follows is no rise.
  lab.mine(lab.readings('10'))
  const other = new TestChain(lab.test.network)
  other.grow(1, first, bob)
  invariant(other.chain.tip.hash === lab.chain.at(1)?.hash, 'the branches share block 1')
  other.grow(1, [], carol)
  other.grow(1, [other.reading(bob, { nonce: 1, sample: sample(5, '26') })], carol)
  lab.reorganise(other)
  t.strictSame(lab.outbox.unconfirmed, [])
})

t.test('a restart long after an edge goes on from what the log remembers', async (t) => {
  const rises = { device: bob.account, sensor: 'soil', rises: 20 }
  const lab = new WiresLab({ wires: [{ ...plain, when: rises }] })
  lab.mine(lab.readings('10'))
  lab.mine([], 150)
  t.ok((lab.log.ledger?.height ?? 0) > 1, 'it is recorded')
  lab.restart()
  lab.mine(lab.readings('30'))
  t.equal(lab.outbox.unconfirmed.length, 1, 'the reading before it was low, 151 blocks ago')
  lab.restart({ lost: ['wires.log'] })
  lab.mine(lab.readings('5'))
  lab.mine(lab.readings('31'))
  t.equal(lab.outbox.unconfirmed.length, 2)
})

t.test('what a start finds deeper than 30 blocks is remembered and not paid', async (t) => {
  const rises = { device: bob.account, sensor: 'soil', rises: 20 }
  const lab = new WiresLab({ wires: [{ ...plain, when: rises }] })
  lab.mine(lab.readings('10'))
  lab.mine([], 150)
  t.ok((lab.log.ledger?.height ?? 0) > 1, 'it is recorded that it was low')
  t.ok((lab.log.ledger?.height ?? 151) <= 151 - 30, 'of a block that stays')
  lab.inSync = false
  lab.mine(lab.readings('30'), 100)
  lab.restart()
  lab.inSync = true
  for (let second = 0; second < 12; second++) t.strictSame(lab.memos(), [])
  lab.mine(lab.readings('31'))
  t.strictSame(lab.outbox.unconfirmed, [], 'it rose long ago')
  lab.mine(lab.readings('10'))
  lab.mine(lab.readings('30'))
  t.equal(lab.outbox.unconfirmed.length, 1)
})

t.test('what wires remember is kept of the last 256 heights', async (t) => {
  const test = new TestChain()
  const wires = new LedgerWires(test.chain, [], 0, undefined)
  const look = (): void => {
    for (const _ of wires.due(() => ({ isPaid: () => false, obstacle: () => undefined }))) t.fail('it pays')
  }
  look()
  for (let height = 1; height <= 257; height++) {
    test.grow(1)
    look()
  }
  t.equal(wires.settled(255)?.height, 2)
  t.equal(wires.settled(256), undefined)
})

t.test('what a log remembers of another chain is nothing', async (t) => {
  const rises = { device: bob.account, sensor: 'soil', rises: 20 }
  const wires = [{ ...plain, when: rises }]
  const lab = new WiresLab({ wires })
  lab.mine(lab.readings('10'))
  lab.mine([], 150)
  const other = new WiresLab({ wires })
  other.inSync = false
  other.test.grow(160, [], carol)
  other.disk = lab.disk.after()
  other.restart({ lost: ['outbox.log'] })
  other.inSync = true
  for (let second = 0; second < 12; second++) other.pay()
  other.mine(other.readings('30'))
  t.strictSame(other.outbox.unconfirmed, [], 'nobody saw it low there')
})

t.test('blocks that a reorganisation brings are new, also below what a start called past', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  lab.mine([], 110)
  const other = new TestChain(lab.test.network)
  other.follow(lab.test)
  lab.mine([], 40)
  t.ok(lab.log.ledger, 'there is a log')
  lab.restart()
  lab.pay()
  other.grow(1, [other.reading(bob, { sample: sample(0, '1') })], carol)
  other.grow(41, [], carol)
  lab.reorganise(other)
  for (let second = 0; second < 5; second++) lab.pay()
  t.equal(lab.outbox.unconfirmed.length, 1)
})

t.test('a change is counted from the value that was last paid for, also after a restart', async (t) => {
  const when = { device: bob.account, sensor: 'soil', changesBy: 0.2 }
  const lab = new WiresLab({ wires: [{ ...plain, when, perHourMax: 2 }] })
  const fired: string[] = []
  const look = (value: string): void => {
    const before = lab.outbox.unconfirmed.length
    lab.mine(lab.readings(value))
    if (lab.outbox.unconfirmed.length > before) fired.push(value)
  }
  for (const value of ['20.1', '20.2', '20.29', '20.3']) look(value)
  t.strictSame(fired, ['20.3'], 'by exactly 0.2, which no float would say')
  lab.restart()
  for (const value of ['20.2', '20.15', '20.1']) look(value)
  t.strictSame(fired, ['20.3', '20.1'])
  for (const value of ['21', '21.1']) look(value)
  t.strictSame(fired.length, 2, 'the limit')
})

t.test('a price by unit is exact, rounded down, capped and never negative', async (t) => {
  const byUnit = { ...plain, pay: { perUnit: '0.00000003', most: '0.000002' } }
  const lab = new WiresLab({ wires: [byUnit] })
  lab.mine(lab.readings('10', '0.7', '-5', '33.4', '1000', '0.2'))
  t.strictSame(
    lab.outbox.unconfirmed.map(({ transaction: tx }) => tx.type === 'transfer' && tx.amount),
    [30, 2, 100, 200],
  )
})

t.test("a device's output or topic is bought by its memo, each event once", async (t) => {
  const lamp = { device: carol.account, output: 'lamp', minutes: 2 }
  const topic = { device: carol.account, topic: 'sun', minutes: 1 }
  const lab = new WiresLab({
    wires: [
      { when: { ...plain.when, above: 20 }, pay: '0.04', to: lamp },
      { when: { ...plain.when, below: 20 }, pay: '0.01', to: topic, for: 'a look at the sun' },
    ],
  })
  lab.mine(lab.readings('25', '15', '30'))
  const paid = lab.outbox.unconfirmed
  t.match(
    paid.map(({ transaction: tx }) => tx),
    [
      { to: carol.account, amount: 0.04 * COIN, memo: 'on lamp' },
      { to: carol.account, amount: 0.04 * COIN, memo: 'on lamp' },
      { to: carol.account, amount: 0.01 * COIN, memo: 'topic sun' },
    ],
  )
  lab.restart()
  lab.mine(paid)
  t.strictSame(lab.memos(), [])
  lab.trade.onConnected()
  t.match(lab.states.at(-1)?.wires, [
    { memo: 'on lamp', all: { payments: 2, coins: '0.08' }, day: { payments: 2 }, waiting: { payments: 0 } },
    { memo: 'topic sun', all: { payments: 1, coins: '0.01' } },
  ])
  const answer = (nonce: number, memo: string) => lab.test.transfer(carol, alice.account, 0, { nonce, memo })
  const [first, , third] = paid
  lab.mine([
    answer(0, `sold ${first?.id.slice(0, 16)} on lamp until 2026-11-29T20:01:30Z`),
    answer(1, `refund ${third?.id.slice(0, 16)} underpaid`),
  ])
  lab.trade.onConnected()
  t.strictSame(
    lab.states.at(-1)?.wires.map((each) => each.answer),
    ['sold: on lamp until 2026-11-29T20:01:30Z', 'refunded: underpaid'],
  )
})

t.test("an answer is the seller's: what anybody else says of a payment is none", async (t) => {
  const lamp = { device: carol.account, output: 'lamp', minutes: 2 }
  const lab = new WiresLab({ wires: [{ when: plain.when, pay: '0.04', to: lamp }] })
  lab.mine(lab.readings('25'))
  const [paid] = lab.outbox.unconfirmed
  const memo = `refund ${paid?.id.slice(0, 16)} underpaid`
  lab.mine([...lab.outbox.unconfirmed, lab.test.transfer(bob, alice.account, 0, { nonce: 1, memo })])
  const answer = () => {
    lab.trade.onConnected()
    return lab.states.at(-1)?.wires[0]?.answer
  }
  t.equal(answer(), null)
  lab.mine([lab.test.transfer(carol, alice.account, 0, { memo })])
  t.equal(answer(), 'refunded: underpaid')
})

t.test('the same reading twice, as a dishonest device may sign it, is paid once', async (t) => {
  const lab = new WiresLab({ wires: [plain] })
  const copy = (nonce: number) => lab.test.reading(bob, { nonce, sample: sample(7, '1') })
  lab.mine([copy(0), copy(1)])
  lab.mine([copy(2)])
  t.equal(lab.outbox.unconfirmed.length, 1)
})

t.test('nor is it counted twice against a limit', async (t) => {
  const lab = new WiresLab({ wires: [{ ...plain, perHourMax: 2 }] })
  const copy = (nonce: number) => lab.test.reading(bob, { nonce, sample: sample(7, '1') })
  lab.mine([copy(0), copy(1), lab.test.reading(bob, { nonce: 2, sample: sample(8, '1') })])
  t.equal(lab.outbox.unconfirmed.length, 2)
})
