import t from 'tap'
import { LockWatch } from '../../../edge-agent/files/lock-watch.ts'
import type { Update } from '../../../ledger/chain.ts'
import type { Sealed } from '../../../ledger/transaction.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { bytes32, lock, NEVER, tell } from '../../helpers/trade.ts'

const deadline = { height: NEVER, time: 0 }
const allocations = [alice, bob, carol].map(({ account }) => ({ account, amount: 1_000 }))

/** Bob watches. */
function lab(test = new TestChain(testNetwork({ allocations })), back = 10) {
  const watch = new LockWatch(test.chain, bob.account, back)
  const take = (outcome: ReturnType<TestChain['accept']>): void => {
    if (!outcome.ok) throw new Error(outcome.fault.message)
    watch.update(outcome.value satisfies Update)
    watch.look()
  }
  return {
    test,
    watch,
    take,
    mine: (...transactions: Sealed[]) => take(test.accept(test.block(transactions))),
    heights: () => watch.open().map(({ height }) => height),
  }
}

t.test('locks for us are seen, others not, until they are claimed or nothing is to be done', async (t) => {
  const { test, watch, mine, heights } = lab()
  const first = lock(test, alice, bob, 5, bytes32(1), deadline)
  const second = lock(test, alice, bob, 5, bytes32(2), deadline, { nonce: 1 })
  mine(first, second, lock(test, carol, alice, 5, bytes32(3), deadline))
  const ids = () => watch.open().map(({ id }) => id)
  t.strictSame(ids(), [first.id, second.id])
  t.match(watch.open()[0], { lock: { amount: 5 }, height: 1 })
  mine(tell(test, bob, first.id, bytes32(1)))
  t.strictSame(ids(), [second.id])
  watch.forget(second.id)
  mine()
  t.strictSame(heights(), [])
})

t.test('after a start open locks are found as far back as they can matter, in one go or some', async (t) => {
  const test = new TestChain(testNetwork({ allocations }))
  test.grow(1, [lock(test, alice, bob, 5, bytes32(1), deadline)])
  const closed = lock(test, alice, bob, 5, bytes32(2), deadline)
  test.grow(1, [closed])
  test.grow(33, [tell(test, bob, closed.id, bytes32(2))])
  test.grow(1, [lock(test, alice, bob, 5, bytes32(3), deadline)])
  const near = lab(test, 35)
  near.watch.look()
  near.watch.look()
  t.strictSame(near.heights(), [36], 'the block of the first is 35 below')
  const far = lab(test, 36)
  far.watch.look()
  t.strictSame(far.heights(), [1])
  far.watch.look()
  t.strictSame(far.heights(), [1, 36])
})

t.test('a lock whose block was undone counts from the block that has it then', async (t) => {
  const { test, watch, take, mine, heights } = lab()
  mine()
  const other = new TestChain(test.network)
  other.follow(test)
  const sealed = lock(test, alice, bob, 5, bytes32(1), deadline)
  mine(sealed)
  t.strictSame(heights(), [2])
  other.grow(1, [], carol)
  other.grow(2, [sealed], carol)
  for (const height of [2, 3, 4])
    take(test.acceptBytes(other.archive.block(other.chain.at(height)?.hash ?? test.chain.tip.hash)))
  t.equal(test.chain.tip.hash, other.chain.tip.hash)
  t.strictSame(heights(), [3])
  watch.look()
  t.equal(watch.open().length, 1)
})

t.test('a lock that was undone does not count as deep while its new block was not come to', async (t) => {
  const { test, watch, take, mine, heights } = lab()
  mine()
  const other = new TestChain(test.network)
  other.follow(test)
  const sealed = lock(test, alice, bob, 5, bytes32(1), deadline)
  mine(sealed)
  for (let height = 3; height <= 24; height++) mine()
  t.strictSame(heights(), [2])
  other.grow(21, [], carol)
  other.grow(3, [sealed], carol)
  for (let height = 2; height <= 25; height++)
    take(
      test.acceptBytes(
        other.archive.block(other.chain.at(height)?.hash ?? test.chain.tip.hash),
        Number.MAX_SAFE_INTEGER,
      ),
    )
  t.equal(test.chain.tip.hash, other.chain.tip.hash)
  t.strictSame(heights(), [], '20 blocks are looked through in one go')
  watch.look()
  t.strictSame(heights(), [23])
})
