import t from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { invariant } from '../../../schemas/result.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { sample, WiresLab } from '../../helpers/wires-lab.ts'

const MINUTES_10 = 600_000
const slow = () => new TestChain(testNetwork({ interval: MINUTES_10 }))
const wire = (limits: object) => ({
  when: { device: bob.account, sensor: 'soil' },
  pay: '1',
  for: 'soil',
  ...limits,
})
/** Mines a block with one reading and what waits, and tells whether it was bought. */
function buys(lab: WiresLab): boolean {
  const waiting = lab.outbox.unconfirmed
  lab.mine([...lab.readings('1'), ...waiting])
  return lab.outbox.unconfirmed.length > 0
}

t.test('no more than perHourMax in an hour of the ledger, which frees up as its time passes', async (t) => {
  const lab = new WiresLab({ test: slow(), wires: [wire({ perHourMax: 2 })] })
  t.strictSame(
    Array.from({ length: 12 }, () => buys(lab)),
    // Bought with blocks 1 and 2, paid in 2 and 3; at block 8 an hour has passed since block 2.
    [true, true, false, false, false, false, false, true, true, false, false, false],
  )
})

t.test('a restart forgets no payment of that hour: in the outbox, in the chain, or in the log', async (t) => {
  for (const lost of [[], ['wires.log']]) {
    const lab = new WiresLab({ test: slow(), wires: [wire({ perHourMax: 2 })] })
    t.strictSame([buys(lab), buys(lab)], [true, true])
    lab.restart({ lost })
    t.equal(buys(lab), false, 'one waits and one is confirmed')
    lab.restart({ lost })
    t.strictSame([buys(lab), buys(lab)], [false, false])
  }
  const lab = new WiresLab({ wires: [wire({ perDayMax: 3 })] })
  t.strictSame([buys(lab), buys(lab), buys(lab), buys(lab)], [true, true, true, false])
  lab.mine([], 120)
  t.ok((lab.log.ledger?.height ?? 0) > 4, 'they are in the log')
  lab.restart()
  t.equal(buys(lab), false)
  t.match(lab.lines.at(-1)?.fields.reason, /perDayMax: it has paid 3 times/)
})

t.test('perDayMax and coinsPerDayMax count a day', async (t) => {
  for (const limit of [{ perDayMax: 3 }, { coinsPerDayMax: '3.5' }, { coinsPerDayMax: '3' }]) {
    const lab = new WiresLab({ test: slow(), wires: [wire(limit)] })
    const bought = Array.from({ length: 150 }, () => buys(lab))
    const times = bought.flatMap((yes, at) => (yes ? [at + 1] : []))
    // Paid in block 2, which is a day ago from block 146 on.
    t.strictSame(times, [1, 2, 3, 146, 147, 148], JSON.stringify(limit))
  }
})

t.test('readings of one block share a limit', async (t) => {
  for (const limit of [{ perHourMax: 3 }, { perDayMax: 3 }, { coinsPerDayMax: '3' }]) {
    const lab = new WiresLab({ wires: [wire(limit)] })
    lab.mine(lab.readings('1', '2', '3', '4', '5'))
    t.equal(lab.outbox.unconfirmed.length, 3, JSON.stringify(limit))
  }
})

t.test('without its log a start reads what the last day has cost out of the blocks', async (t) => {
  const lab = new WiresLab({ test: slow(), wires: [wire({ perDayMax: 3 })] })
  t.strictSame([buys(lab), buys(lab), buys(lab), buys(lab)], [true, true, true, false])
  lab.mine([], 60)
  lab.restart({ lost: ['wires.log', 'outbox.log'] })
  t.equal(buys(lab), false)
})

t.test('the log knows what was paid longer ago, as long as it is of this chain', async (t) => {
  const wires = [wire({})]
  const lab = new WiresLab({ test: slow(), wires })
  const told = (of: WiresLab) => {
    of.trade.onConnected()
    return of.states.at(-1)?.wires[0]?.all.payments
  }
  t.strictSame([buys(lab), buys(lab)], [true, true])
  lab.mine(lab.outbox.unconfirmed)
  lab.mine([], 300)
  lab.restart()
  t.equal(told(lab), 2)
  const other = new WiresLab({ test: slow(), wires })
  other.test.grow(310, [], carol)
  other.disk = lab.disk.after()
  other.restart({ lost: ['outbox.log'] })
  t.equal(told(other), 0, 'of another one it counts nothing')
})

t.test('balanceMin stays, and the fee does not come out of it', async (t) => {
  const allocations = [{ account: alice.account, amount: 10 * COIN }]
  for (const [balanceMin, due] of [
    ['8.99999', 1],
    ['8.999991', 0],
  ] as const) {
    const test = new TestChain(testNetwork({ feeFloor: 1_000, allocations }))
    const lab = new WiresLab({ test, wires: [wire({ balanceMin })] })
    lab.mine(lab.readings('1'))
    t.equal(lab.outbox.unconfirmed.length, due, balanceMin)
  }
})

t.test('two wires share the coins, not the limits', async (t) => {
  const allocations = [{ account: alice.account, amount: 3 * COIN }]
  const wires = [wire({ perHourMax: 1 }), { ...wire({ perHourMax: 5 }), for: 'more' }]
  const lab = new WiresLab({ test: new TestChain(testNetwork({ allocations })), wires })
  lab.mine(lab.readings('1', '2', '3', '4'))
  t.strictSame(
    lab.outbox.unconfirmed.map(({ transaction: tx }) => tx.type === 'transfer' && tx.memo.split(' ')[0]),
    ['soil', 'more', 'more'],
  )
})

t.test('new wires for the same purchase inherit what it has cost', async (t) => {
  const lab = new WiresLab({ test: slow(), wires: [wire({ perHourMax: 2 })] })
  t.strictSame([buys(lab), buys(lab)], [true, true])
  const above = { device: bob.account, sensor: 'soil', above: 0 }
  lab.restart({ wires: [{ ...wire({ perHourMax: 3 }), when: above }] })
  t.strictSame([buys(lab), buys(lab)], [true, false])
})

t.test('a payment that a reorganisation took off the chain counts while it waits', async (t) => {
  const lab = new WiresLab({ test: slow(), wires: [wire({ perHourMax: 1 })] })
  const [first, second] = lab.readings('1', '2')
  invariant(first !== undefined && second !== undefined, 'two readings')
  lab.mine([first])
  lab.mine(lab.outbox.unconfirmed)
  const other = new TestChain(lab.test.network)
  other.grow(1, [first, second], carol)
  other.grow(5, [], carol)
  lab.reorganise(other)
  t.equal(
    lab.outbox.unconfirmed.length,
    1,
    'the first payment waits again, and the second reading is not bought',
  )
})

t.test('and once: it is not counted with the block that is gone, too', async (t) => {
  const lab = new WiresLab({ test: slow(), wires: [wire({ perHourMax: 2 })] })
  const [first, second] = lab.readings('1', '2')
  invariant(first !== undefined && second !== undefined, 'two readings')
  lab.mine([first])
  lab.mine(lab.outbox.unconfirmed)
  const other = new TestChain(lab.test.network)
  other.grow(1, [first, second], carol)
  other.grow(5, [], carol)
  lab.reorganise(other)
  t.equal(lab.outbox.unconfirmed.length, 2)
})

t.test('a limit that was reached is told with the wire, until it pays again', async (t) => {
  const wires = [{ when: { sensor: 'soil' }, to: bob.account, pay: '1', for: 'water', perHourMax: 1 }]
  const lab = new WiresLab({ test: slow(), wires, sensors: ['soil'] })
  const told = () => {
    lab.trade.onConnected()
    return lab.states.at(-1)?.wires[0]
  }
  t.match(told(), { why: null, lastPaid: null, all: { payments: 0, coins: '0' } })
  lab.say(sample(0, '1'), sample(1, '1'))
  lab.pay()
  t.match(told(), {
    why: /perHourMax: it has paid 1 times in the last hour/,
    waiting: { payments: 1, coins: '1' },
  })
  lab.mine(lab.outbox.unconfirmed)
  t.match(told(), { lastPaid: /^2026-01-01T00/, day: { payments: 1, coins: '1' }, waiting: { payments: 0 } })
  lab.mine([], 7)
  lab.say(sample(2, '1'))
  t.equal(lab.pay().length, 1)
  t.equal(told()?.why, null)
})
