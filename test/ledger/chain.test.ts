import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'

t.test('blocks with transfers extend the chain, and rewards mature', async (t) => {
  const test = new TestChain()
  test.grow(1, [test.transfer(alice, bob.account, 5 * COIN)])
  t.equal(test.chain.tip.height, 1)
  t.equal(test.chain.state.account(bob.account).balance, 5 * COIN)
  test.grow(5)
  t.equal(test.chain.state.account(bob.account).balance, 55 * COIN)
  t.equal(test.chain.state.totals().supply, 1300 * COIN)
})

t.test(
  'the branch with more work wins, and losing blocks are disconnected with their changes undone',
  async (t) => {
    const network = testNetwork()
    const ours = new TestChain(network)
    const theirs = new TestChain(network)
    ours.grow(2, [ours.transfer(alice, carol.account, COIN)])
    theirs.grow(3)
    const rootBefore = theirs.chain.state.root()
    let last: ReturnType<TestChain['accept']> | undefined
    for (let height = 1; height <= 3; height++) {
      const entry = theirs.chain.at(height)
      last = ours.chain.accept(theirs.archive.block(entry?.hash as never), theirs.nowMs)
      if (last.ok) ours.archive.store(last.value)
    }
    t.ok(last?.ok)
    if (last?.ok) {
      t.equal(last.value.disconnected.length, 2)
      t.equal(last.value.connected.length, 3)
    }
    t.equal(ours.chain.tip.hash, theirs.chain.tip.hash)
    t.equal(ours.chain.state.root(), rootBefore)
    t.equal(ours.chain.state.account(carol.account).balance, 0)
  },
)
