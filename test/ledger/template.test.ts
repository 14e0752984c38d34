import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { Mempool } from '../../ledger/mempool.ts'
import { buildTemplate } from '../../ledger/template.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { alice, bob, carol, codeOf, mine, seeded, signer, TestChain, testNetwork } from '../helpers/ledger.ts'

const people = [alice, bob, carol, signer(4)]
const allocations = people.map(({ account }) => ({ account, amount: 1000 * COIN }))
const build = (test: TestChain, list: readonly Sealed[], miner = bob, nowMs = test.nowMs) =>
  buildTemplate(test.network, test.chain, list, miner, nowMs)

t.test('a template of any mempool is accepted by a second chain', async (t) => {
  const random = seeded(9)
  const ours = new TestChain(
    testNetwork({ allocations, maturity: 2, blockBytesMax: 4096, blockSignaturesMax: 18 }),
  )
  const theirs = new TestChain(ours.network)
  const mempool = new Mempool(ours.network)
  let transactions = 0
  for (let height = 1; height <= 40; height++) {
    for (let count = Math.floor(random() * 40); count > 0; count--) {
      const from = people[Math.floor(random() * people.length)] ?? alice
      const nonce = mempool.nextNonce(ours.chain.state, from.account)
      const fee = Math.floor(random() * 500)
      const sealed =
        random() < 0.5
          ? ours.reading(from, { nonce, fee })
          : ours.transfer(from, alice.account, Math.floor(random() * 300 * COIN), {
              nonce,
              fee,
              expiry: height + 2,
            })
      mempool.add(sealed, ours.chain)
    }
    const block = mine(ours.network, build(ours, mempool.ordered(), people[height % 3]))
    transactions += block.transactions.length
    t.ok(encode(blockCodec, block).length <= 4096 && block.transactions.length <= 17)
    t.equal(codeOf(theirs.accept(block)), 'ok')
    const accepted = ours.accept(block)
    if (accepted.ok) mempool.update(ours.chain, accepted.value)
  }
  t.equal(theirs.chain.state.root(), ours.chain.state.root())
  t.ok(transactions > 200, `${transactions} transactions went through`)
})

t.test('the reward is subsidy and fees, and goes to the miner', async (t) => {
  const test = new TestChain()
  const { coinbase, header } = build(test, [test.transfer(alice, bob.account, 1, { fee: 9 })], carol)
  t.equal(coinbase.reward, 50 * COIN + 9)
  t.equal(coinbase.from, carol.account)
  t.equal(header.target, test.chain.tip.childTarget)
})

t.test('what does not apply stays out, and what follows it too', async (t) => {
  const test = new TestChain()
  const pay = (nonce: number, amount = 1) => test.transfer(alice, bob.account, amount, { nonce })
  const list = [
    pay(0),
    pay(1, 5000 * COIN),
    pay(2),
    test.transfer(carol, bob.account, 1),
    test.reading(carol),
  ]
  t.strictSame(
    build(test, list).transactions,
    [list[0], list[4]].map((sealed) => sealed?.transaction),
  )
  t.equal(build(test, [pay(0), pay(0)]).transactions.length, 1, 'no transaction twice')
})

t.test('limits on bytes and signatures are kept', async (t) => {
  const list = (test: TestChain, count: number) =>
    Array.from({ length: count }, (_, nonce) => test.reading(alice, { nonce }))
  const few = new TestChain(testNetwork({ blockSignaturesMax: 4 }))
  t.equal(build(few, list(few, 9)).transactions.length, 3)
  const small = new TestChain(testNetwork({ blockBytesMax: 4096 }))
  const block = build(small, list(small, 60))
  const size = encode(blockCodec, block).length
  t.ok(size <= 4096 && size > 4096 - 512, `${size} bytes`)
  t.ok(small.accept(mine(small.network, block)).ok)
})

t.test("under a fee floor the miner's own free transactions are included, others' are not", async (t) => {
  const floor = new TestChain(testNetwork({ feeFloor: 10 }))
  const list = [floor.reading(bob), floor.reading(carol), floor.transfer(alice, bob.account, 1, { fee: 10 })]
  const block = build(floor, list)
  t.strictSame(
    block.transactions.map(({ from }) => from),
    [bob.account, alice.account],
  )
  t.ok(floor.accept(mine(floor.network, block)).ok)
})

t.test('the time is after the parent, whatever the clock says', async (t) => {
  const test = new TestChain()
  test.grow(1)
  const { time } = test.chain.tip
  t.equal(build(test, [], bob, 0).header.time, time + 1)
  t.equal(build(test, [], bob, time).header.time, time + 1)
  t.equal(build(test, [], bob, time + 5).header.time, time + 5)
  t.ok(test.accept(mine(test.network, build(test, [], bob, 0))).ok)
})
