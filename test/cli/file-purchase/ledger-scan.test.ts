import t from 'tap'
import { type AskValidators, LedgerScan } from '../../../cli/file-purchase/ledger-scan.ts'
import type { Sealed } from '../../../ledger/transaction.ts'
import { answer } from '../../../node/answers.ts'
import type { Hash } from '../../../schemas/hex.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { bytes32, lock, refund, tell } from '../../helpers/trade.ts'

const allocations = [alice, bob, carol].map(({ account }) => ({ account, amount: 1_000 }))

/** Alice pays Bob under a lock; `blocks` before that. */
function lab(blocks = 12, deadline = { height: 17, time: 0 }) {
  const test = new TestChain(testNetwork({ allocations }))
  test.grow(blocks)
  const since = { height: test.chain.tip.height, hash: test.chain.tip.hash as Hash }
  const payment = lock(test, alice, bob, 5, bytes32(1), deadline)
  const state = { isSilent: false, change: (reply: object): object => reply }
  const askOf =
    (from: TestChain): AskValidators =>
    async (question, isUseful = () => true) => {
      if (state.isSilent) return undefined
      const reply = answer(from.chain, { ...question, id: 1 })
      const changed = reply && (state.change(reply) as never)
      return changed !== undefined && isUseful(changed) ? changed : undefined
    }
  let from = test
  const ask: AskValidators = (question, isUseful) => askOf(from)(question, isUseful)
  return {
    ...{ test, payment, state, since },
    scan: new LedgerScan(test.network, payment.id, since, ask),
    /** Another chain is the best one from now on. */
    turnTo(other: TestChain) {
      from = other
    },
  }
}
const seen = ({ paidAt, refundedAt, key }: LedgerScan) => ({ paidAt, refundedAt, key })
const NOTHING = { paidAt: undefined, refundedAt: undefined, key: undefined }

t.test('the payment, its key and where the chain stands are found, block by block', async (t) => {
  const { test, payment, scan } = lab()
  t.equal(scan.next, undefined)
  t.ok(await scan.look())
  t.strictSame(seen(scan), NOTHING)
  test.grow(1, [payment])
  t.ok(await scan.look())
  t.strictSame(seen(scan), { ...NOTHING, paidAt: 13 })
  t.equal(scan.next?.height, 14)
  test.grow(1, [tell(test, bob, payment.id, bytes32(1))])
  t.ok(await scan.look())
  t.strictSame(seen(scan), { ...NOTHING, paidAt: 13, key: bytes32(1) })
  test.grow(9)
  t.ok(await scan.look())
  t.strictSame(scan.next, test.chain.next, 'as the ledger says, once 11 blocks were looked through')
})

t.test('a refund is found; what others lock, claim and take back is not ours', async (t) => {
  const { test, payment, scan } = lab()
  const others: Sealed[] = [
    lock(test, carol, bob, 5, bytes32(2), { height: 14, time: 0 }),
    lock(test, carol, bob, 5, bytes32(3), { height: 100, time: 0 }, { nonce: 1 }),
  ]
  test.grow(2, [payment, ...others])
  test.grow(1, [
    refund(test, carol, others[0]?.id as Hash),
    tell(test, bob, others[1]?.id as Hash, bytes32(3)),
  ])
  t.ok(await scan.look())
  t.strictSame(seen(scan), { ...NOTHING, paidAt: 13 })
  test.grow(2)
  test.grow(1, [refund(test, alice, payment.id)])
  t.ok(await scan.look())
  t.strictSame(seen(scan), { ...NOTHING, paidAt: 13, refundedAt: 18 })
})

t.test('after a reorganisation what was undone is forgotten, but not the key', async (t) => {
  const { test, payment, scan, turnTo } = lab()
  test.grow(1)
  t.ok(await scan.look())
  const other = new TestChain(test.network)
  other.follow(test)
  test.grow(1, [payment])
  test.grow(1, [tell(test, bob, payment.id, bytes32(1))])
  t.ok(await scan.look())
  other.grow(5, [], carol)
  turnTo(other)
  t.ok(await scan.look())
  t.strictSame(seen(scan), { ...NOTHING, key: bytes32(1) })
  t.equal(scan.next?.height, other.chain.next.height)
  other.grow(1, [payment], carol)
  t.ok(await scan.look())
  t.equal(scan.paidAt, 19)
})

t.test('a chain without the block where it began is looked through from some blocks below', async (t) => {
  const { test, payment, scan, turnTo } = lab(20, { height: 100, time: 0 })
  const other = new TestChain(test.network)
  other.grow(12, [], carol)
  other.grow(1, [payment], carol)
  other.grow(12, [], carol)
  turnTo(other)
  t.ok(await scan.look())
  t.equal(scan.paidAt, 13)
})

t.test('a block that is not what its header says is not believed, nor is silence', async (t) => {
  const { test, payment, scan, state } = lab()
  const other = new TestChain(test.network)
  other.follow(test)
  other.grow(1, [payment], carol)
  test.grow(1)
  const hash = other.chain.tip.hash
  state.change = (reply) => ('blocks' in reply ? { ...reply, blocks: [other.archive.block(hash)] } : reply)
  t.notOk(await scan.look())
  t.strictSame(seen(scan), NOTHING)
  state.change = (reply) => ('blocks' in reply ? { ...reply, blocks: [] } : reply)
  t.notOk(await scan.look())
  state.change = (reply) => reply
  state.isSilent = true
  t.notOk(await scan.look())
  state.isSilent = false
  t.ok(await scan.look())
  t.equal(scan.next?.height, test.chain.next.height)
})
