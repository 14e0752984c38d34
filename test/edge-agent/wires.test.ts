import { join } from 'node:path'
import t from 'tap'
import { Outbox } from '../../edge-agent/outbox.ts'
import { type Wire, Wires } from '../../edge-agent/wires.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { alice, bob, carol, TestChain } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

const HOUR_MS = 3_600_000
const test = new TestChain()
const wire: Wire = {
  device: bob.account,
  sensor: 'soil',
  pay: 100,
  to: bob.account,
  purpose: 'water',
  confirmations: 1,
  perHourMax: 1_000,
}
const block = (...transactions: Sealed[]) => ({ transactions })
const never = () => false

t.test("a wire pays for its device's sensor and nothing else", (t) => {
  const wires = new Wires([wire])
  const wanted = test.reading(bob)
  const others = [
    test.reading(carol),
    test.sign(bob, {
      type: 'reading',
      sample: {
        sensor: 'light',
        sequence: 0,
        value: { mantissa: 1, exponent: 0 },
        unit: 'lx',
        time: 1,
        synchronised: true,
      },
    }),
    test.transfer(bob, alice.account, 1),
  ]
  const due = wires.due(block(wanted, ...others), 1, never, 0)
  t.match(due, [
    {
      amount: 100,
      draft: { type: 'transfer', to: bob.account, amount: 100, memo: `water ${wanted.id.slice(0, 16)}` },
    },
  ])
  t.equal(due.length, 1)
  t.end()
})

t.test('a batch pays for each of its readings', (t) => {
  const [due] = new Wires([{ ...wire, to: carol.account }]).due(block(test.batch(bob, 7)), 1, never, 0)
  t.match(due, { amount: 700, draft: { to: carol.account, amount: 700 } })
  t.strictSame(
    new Wires([{ ...wire, pay: Number.MAX_SAFE_INTEGER }]).due(block(test.batch(bob, 7)), 1, never, 0),
    [],
    'an amount that no number holds is not paid',
  )
  t.end()
})

t.test('at exactly the depth that is configured', (t) => {
  const wires = new Wires([{ ...wire, confirmations: 3 }, wire])
  t.equal(wires.confirmationsMax, 3)
  const depths = [1, 2, 3, 4].map((depth) => wires.due(block(test.reading(bob)), depth, never, 0).length)
  t.strictSame(depths, [1, 0, 1, 0], 'one wire at depth 1, the other at depth 3')
  t.equal(new Wires([]).confirmationsMax, 1)
  t.end()
})

t.test('no more than its hourly limit, which frees up as time passes', (t) => {
  const wires = new Wires([{ ...wire, perHourMax: 2 }])
  const reading = (sequence: number): Sealed =>
    test.sign(bob, {
      type: 'reading',
      sample: {
        sensor: 'soil',
        sequence,
        value: { mantissa: 1, exponent: 0 },
        unit: '%',
        time: 1,
        synchronised: true,
      },
    })
  const at = (sequence: number, nowMs: number) => wires.due(block(reading(sequence)), 1, never, nowMs).length
  t.strictSame([at(1, 0), at(2, 1_000), at(3, 2_000)], [1, 1, 0])
  t.equal(at(4, HOUR_MS - 1), 0)
  t.equal(at(5, HOUR_MS), 1, 'an hour after the first')
  t.equal(at(6, HOUR_MS + 1), 0)
  t.end()
})

t.test('each reading once, also over a restart, because the outbox remembers', (t) => {
  const files = replaceableLog(join(temporary(t), 'outbox.log'))
  let outbox = new Outbox(files, test.chain, alice)
  const reading = test.reading(bob)
  const due = () => new Wires([wire]).due(block(reading), 1, (key) => outbox.has(key), 0)
  t.equal(outbox.add(due()).length, 1)
  t.strictSame(due(), [])
  outbox.close()
  outbox = new Outbox(files, test.chain, alice)
  t.strictSame(due(), [], 'after a restart')
  t.equal(outbox.pending(64).length, 1)
  outbox.close()
  t.end()
})

t.test('two wires of one reading are two purchases', (t) => {
  const wires = new Wires([wire, { ...wire, to: carol.account }])
  const due = wires.due(block(test.reading(bob)), 1, never, 0)
  t.equal(new Set(due.map(({ key }) => key)).size, 2)
  t.end()
})
