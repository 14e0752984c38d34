import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Outbox } from '../../edge-agent/outbox.ts'
import { Purchasing } from '../../edge-agent/purchasing.ts'
import { type Wire, Wires } from '../../edge-agent/wires.ts'
import type { Update } from '../../ledger/chain.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { recordingLog } from '../helpers/rig.ts'

const PAY = 100
const wire: Wire = {
  device: bob.account,
  sensor: 'soil',
  pay: PAY,
  to: bob.account,
  purpose: 'soil',
  confirmations: 1,
  perHourMax: 1_000,
}
const memoFor = ({ id }: Sealed): string => `soil ${id.slice(0, 16)}`
/** So many readings of bob's that may stand in one block. */
const readings = (test: TestChain, count: number): Sealed[] =>
  Array.from({ length: count }, (_, index) => test.reading(bob, { nonce: test.nonceOf(bob.account) + index }))

/** Alice buys on a chain that bob mines. `restart` is a new start of the program, with its outbox or without. */
function lab(t: Test, { wires = [wire], test = new TestChain() } = {}) {
  const directory = temporary(t)
  const { log, lines } = recordingLog()
  let file = 0
  const open = () => {
    const outbox = new Outbox(replaceableLog(join(directory, `${file}.log`)), test.chain, alice)
    const modules = { chain: test.chain, outbox, wires: new Wires(wires), log, nowMs: () => 0 }
    return { outbox, purchasing: new Purchasing(alice.account, modules) }
  }
  let parts = open()
  t.teardown(() => parts.outbox.close())
  const follow = (update: Update): void => {
    parts.outbox.update(update)
    if (update.connected.length > 0) parts.purchasing.update(update)
  }
  const memos = (): string[] => parts.purchasing.due().map(({ draft }) => draft.memo)
  return {
    test,
    memos,
    unpaid: () => lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields.unpaid),
    get outbox() {
      return parts.outbox
    },
    mine(transactions: readonly Sealed[] = [], count = 1): void {
      for (let done = 0; done < count; done++) {
        const outcome = test.accept(test.block(done === 0 ? transactions : []))
        invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
        follow(outcome.value)
      }
    },
    /** Follows another chain's blocks, one by one, as from a peer. */
    reorganise(other: TestChain): void {
      for (let height = 1; height <= other.chain.tip.height; height++) {
        const { hash } = other.chain.at(height) ?? other.chain.tip
        if (test.chain.entry(hash) !== undefined) continue
        const outcome = test.acceptBytes(other.archive.block(hash))
        invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
        follow(outcome.value)
      }
      t.equal(test.chain.tip.hash, other.chain.tip.hash, 'the other branch has won')
    },
    /** Pays what is due, as the agent does. */
    pay: (): readonly Sealed[] => parts.outbox.add(parts.purchasing.due()),
    restart(keepsOutbox = true): void {
      parts.outbox.close()
      if (!keepsOutbox) file++
      parts = open()
    },
  }
}

t.test('each reading is paid once, however often it is looked for', async (t) => {
  const { test, mine, pay, memos } = lab(t)
  const [first, second] = [...readings(test, 2)]
  invariant(first !== undefined && second !== undefined, 'two readings')
  mine([first, second])
  const paid = pay()
  t.match(
    paid.map(({ transaction: tx }) => tx),
    [first, second].map((each) => ({ to: bob.account, amount: PAY, memo: memoFor(each) })),
  )
  t.equal(paid.length, 2)
  t.strictSame(memos(), [])
  mine(paid)
  t.strictSame(memos(), [])
  mine()
  t.strictSame(memos(), [])
  t.equal(test.chain.state.account(alice.account).nonce, 2)
})

t.test('a reading is bought at exactly the depth that its wire asks for', async (t) => {
  const { test, mine, pay } = lab(t, {
    wires: [
      { ...wire, confirmations: 3 },
      { ...wire, to: carol.account },
    ],
  })
  const paidTo = () => pay().map(({ transaction: tx }) => (tx.type === 'transfer' ? tx.to : ''))
  mine(readings(test, 1))
  t.strictSame(paidTo(), [carol.account], 'the wire that asks for one')
  mine()
  t.strictSame(paidTo(), [])
  mine()
  t.strictSame(paidTo(), [bob.account], 'the wire that asks for three')
  mine()
  t.strictSame(paidTo(), [])
})

t.test('several blocks that came at once are looked through one by one', async (t) => {
  const { test, mine, memos } = lab(t, { wires: [{ ...wire, confirmations: 3 }] })
  const bought: Sealed[] = []
  for (let height = 1; height <= 4; height++) {
    const each = readings(test, 1)
    bought.push(...each)
    mine(each)
  }
  t.strictSame(memos(), bought.slice(0, 2).map(memoFor))
})

t.test('a reading that was not paid before a crash is paid after it, one that was is not', async (t) => {
  const { test, mine, pay, memos, restart } = lab(t)
  mine(readings(test, 1))
  t.equal(pay().length, 1)
  const [late] = readings(test, 1)
  invariant(late !== undefined, 'one reading')
  mine([late])
  restart()
  t.strictSame(memos(), [memoFor(late)])
})

t.test('after a restart the last 30 blocks are looked at again, and no older ones', async (t) => {
  for (const [depth, due] of [
    [30, 1],
    [31, 0],
  ] as const) {
    const { test, mine, pay, restart } = lab(t)
    mine(readings(test, 1), depth)
    restart()
    t.equal(pay().length, due, `at depth ${depth}`)
  }
})

t.test('at most 20 blocks are looked at in one go, and the rest in the next', async (t) => {
  const { test, mine, memos, restart } = lab(t)
  mine([], 19)
  const [twentieth, later] = [...readings(test, 1), ...readings(test, 2).slice(1)]
  invariant(twentieth !== undefined && later !== undefined, 'two readings')
  mine([twentieth])
  mine([later], 10)
  restart()
  t.strictSame(memos(), [memoFor(twentieth)])
  t.strictSame(memos(), [memoFor(later)])
  t.strictSame(memos(), [])
})

t.test('a payment that comes in a block and that the outbox does not know is not made again', async (t) => {
  const { test, mine, pay, memos, restart } = lab(t)
  mine(readings(test, 1))
  const paid = pay()
  restart(false)
  mine(paid)
  t.strictSame(memos(), [])
})

t.test('nor one that stood in our chain before the start', async (t) => {
  const { test, mine, pay, memos, restart } = lab(t)
  const [first] = readings(test, 1)
  invariant(first !== undefined, 'one reading')
  mine([first])
  const paid = pay()
  const [unpaid] = readings(test, 1)
  invariant(unpaid !== undefined, 'one reading')
  mine([...paid, unpaid], 5)
  restart(false)
  t.strictSame(memos(), [memoFor(unpaid)], 'the outbox is lost, the chain is not')
})

t.test('what somebody else has paid for is ours to pay none the less', async (t) => {
  const { test, mine, memos } = lab(t)
  const [reading] = readings(test, 1)
  invariant(reading !== undefined, 'one reading')
  mine([reading, test.transfer(bob, bob.account, 0, { nonce: 1, memo: memoFor(reading) })])
  t.strictSame(memos(), [memoFor(reading)])
})

t.test('as far as the coins go; the rest stays unpaid, with a warning', async (t) => {
  const test = new TestChain(testNetwork({ allocations: [{ account: alice.account, amount: 2 * PAY + 99 }] }))
  const { mine, memos, unpaid } = lab(t, { test })
  const list = readings(test, 5)
  mine(list)
  t.strictSame(memos(), list.slice(0, 2).map(memoFor))
  t.strictSame(unpaid(), [3])
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
    const { mine, memos, outbox, unpaid, test } = lab(t, { test: new TestChain(network) })
    const draft = { type: 'transfer', to: carol.account, amount: waiting, memo: '' } as const
    if (waiting > 0) outbox.add([{ draft, key: 'other' }])
    mine(readings(test, 1))
    t.equal(memos().length, due, `${amount} coins, ${waiting} of them spoken for`)
    t.strictSame(unpaid(), due === 1 ? [] : [1])
  }
})

t.test('after a reorganisation below the height looked at, the new blocks are looked at', async (t) => {
  const { test, mine, pay, memos, reorganise } = lab(t)
  const [shared] = readings(test, 1)
  invariant(shared !== undefined, 'one reading')
  mine([shared])
  t.equal(pay().length, 1)
  mine([], 2)
  t.strictSame(memos(), [])
  const other = new TestChain(test.network)
  const fresh = other.reading(bob, { nonce: 1 })
  other.grow(1, [shared, fresh], carol)
  other.grow(3, [], carol)
  reorganise(other)
  t.strictSame(memos(), [memoFor(fresh)], 'the one that only this branch has; the other is paid')
})

t.test('a block is not looked at before the chain has it, nor again once it was', async (t) => {
  const { test, mine, memos } = lab(t)
  t.strictSame(memos(), [], 'with block 0 alone')
  const list = readings(test, 1)
  mine(list)
  t.strictSame(memos(), list.map(memoFor))
  t.strictSame(memos(), [], 'whoever asks has to store the answer')
})
