/** Hashlocks and the median time that decides them: docs/PROTOCOL.md section 3, hashlocks. */
import t from 'tap'
import { applyTransaction } from '../../ledger/apply.ts'
import { MEDIAN_BLOCKS, medianHeight } from '../../ledger/hashlock.ts'
import { StateView } from '../../ledger/state.ts'
import { checkTransaction, type Sealed, SignatureCache } from '../../ledger/transaction.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice, bob, carol, codeOf, coinsIn, START_MS, TestChain, testNetwork } from '../helpers/ledger.ts'
import { bytes32, lock, refund, tell } from '../helpers/trade.ts'

const allocations = [alice, bob, carol].map(({ account }) => ({ account, amount: 1_000_000 }))
const network = testNetwork({ allocations, maturity: 100 })
const secret = bytes32(5)
const LATE = 2 ** 48 - 1

/** A chain with a lock of 100 of Alice's for Bob, and what is judged of claim and refund where. */
function locked(deadline: { height: number; time: number }) {
  const chain = new TestChain(network)
  const put = lock(chain, alice, bob, 100, secret, deadline)
  chain.grow(1, [put])
  const { id } = put
  const judge = (sealed: Sealed, height: number, medianTime: number) => {
    const view = new StateView(chain.chain.state)
    return codeOf(applyTransaction(network, view, sealed, { height, medianTime, miner: carol.account }))
  }
  return {
    chain,
    id,
    /** Codes of claim and refund in a block. */
    both: (height: number, time: number) => [
      judge(tell(chain, bob, id, secret), height, time),
      judge(refund(chain, alice, id), height, time),
    ],
    has: ({ account }: { account: Account }) => chain.chain.state.account(account).balance - 1_000_000,
    mine: (sealed: Sealed) => codeOf(chain.accept(chain.block([], { forced: [sealed] }))),
  }
}
const CLAIM = ['ok', 'deadline-not-passed']
const REFUND = ['deadline-passed', 'ok']

t.test('the deadline passes when height and median time are both reached, exactly then', async (t) => {
  const { both } = locked({ height: 10, time: 5000 })
  t.strictSame(both(9, 4999), CLAIM)
  t.strictSame(both(10, 4999), CLAIM, 'height alone')
  t.strictSame(both(9, 5000), CLAIM, 'time alone')
  t.strictSame(both(10, 5000), REFUND, 'both, to the unit')
  t.strictSame(both(999, 4999), CLAIM, 'a fast chain does not cut the time short')
  t.strictSame(both(9, LATE), CLAIM, 'nor a stopped one the blocks')
  t.strictSame(both(11, 5001), REFUND)
})

t.test('in no block are claim and refund both valid, and in each one of them is', async (t) => {
  for (const deadline of [
    { height: 0, time: 0 },
    { height: 3, time: 0 },
    { height: 0, time: 3 },
    { height: 4, time: 4 },
  ]) {
    const { both } = locked(deadline)
    for (let height = 1; height < 7; height++)
      for (let time = 0; time < 7; time++)
        t.equal(both(height, time).filter((code) => code === 'ok').length, 1, `${height} ${time}`)
  }
})

t.test('a claim pays who is named, whoever tells the secret, and only once', async (t) => {
  const { chain, id, has, mine } = locked({ height: 50, time: 0 })
  t.equal(has(alice), -100)
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
  chain.grow(1, [tell(chain, carol, id, secret)])
  t.strictSame([has(alice), has(bob), has(carol)], [-100, 100, 0])
  t.equal(chain.chain.state.hashlock(id), undefined)
  t.equal(mine(tell(chain, carol, id, secret)), 'unknown-hashlock')
  t.equal(mine(refund(chain, alice, id)), 'unknown-hashlock')
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
})

t.test('a refund brings it back to who put it in, whoever asks, and only once', async (t) => {
  const { chain, id, has, mine } = locked({ height: 3, time: 0 })
  t.equal(mine(refund(chain, carol, id)), 'deadline-not-passed')
  t.equal(chain.chain.next.height, 2)
  chain.grow(1)
  t.equal(mine(tell(chain, bob, id, secret)), 'deadline-passed')
  chain.grow(1, [refund(chain, carol, id)])
  t.strictSame([has(alice), has(bob), has(carol)], [0, 0, 0])
  t.equal(mine(refund(chain, carol, id)), 'unknown-hashlock')
})

t.test('bad-preimage: any other secret; the deadline is named first', async (t) => {
  const { chain, id, mine } = locked({ height: 3, time: 0 })
  t.equal(mine(tell(chain, bob, id, bytes32(6))), 'bad-preimage')
  t.equal(mine(tell(chain, bob, id, chain.chain.state.hashlock(id)?.lock ?? secret)), 'bad-preimage')
  chain.grow(1)
  t.equal(mine(tell(chain, bob, id, bytes32(6))), 'deadline-passed')
})

t.test('the same lock and secret twice are two locks', async (t) => {
  const chain = new TestChain(network)
  const deadline = { height: 50, time: 0 }
  const [one, two] = [
    lock(chain, alice, bob, 1, secret, deadline),
    lock(chain, alice, bob, 1, secret, deadline, { nonce: 1 }),
  ]
  chain.grow(1, [one, two])
  chain.grow(1, [tell(chain, bob, one.id, secret)])
  t.not(one.id, two.id)
  t.ok(chain.chain.state.hashlock(two.id))
})

t.test('bad-hashlock, bad-account: a lock over nothing, or for no key', async (t) => {
  const chain = new TestChain(network)
  const one = (amount: number, to = bob.account) =>
    codeOf(
      checkTransaction(
        network,
        lock(chain, alice, { account: to } as typeof bob, amount, secret, { height: 0, time: 0 }),
        new SignatureCache(),
      ),
    )
  t.equal(one(1), 'ok')
  t.equal(one(0), 'bad-hashlock')
  t.equal(one(1, `01${'00'.repeat(31)}` as Account), 'bad-account')
})

t.test('the median is that of the 11 blocks below, of all while there are fewer', async (t) => {
  t.equal(MEDIAN_BLOCKS, 11)
  for (let height = 1; height < 40; height++) {
    const below = Array.from({ length: Math.min(11, height) }, (_, back) => height - 1 - back).sort(
      (a, b) => a - b,
    )
    t.equal(medianHeight(height), below[Math.floor(below.length / 2)], `height ${height}`)
  }
})

t.test('a chain knows the median time of its next block, and of branches', async (t) => {
  const chain = new TestChain(network)
  t.strictSame(chain.chain.next, { height: 1, medianTime: START_MS })
  const times = [START_MS]
  for (let height = 1; height <= 30; height++) {
    // Uneven, so that the wrong block has the wrong time.
    const time = chain.chain.tip.time + 1 + ((height * 7919) % 3000)
    t.ok(chain.accept(chain.block([], { header: { time } }), time).ok)
    times.push(time)
    const last = times.slice(-11).sort((a, b) => a - b)
    t.strictSame(chain.chain.next, { height: height + 1, medianTime: last[Math.floor(last.length / 2)] })
  }
})

t.test('a miner who sets the clock ahead in five of eleven blocks does not move a deadline', async (t) => {
  const chain = new TestChain(network)
  chain.grow(6)
  const honest = chain.chain.tip.time
  for (let ahead = 0; ahead < 5; ahead++) {
    const time = honest + 30_000 + ahead
    t.ok(chain.accept(chain.block([], { header: { time } }), honest).ok)
  }
  t.ok(chain.chain.next.medianTime <= honest)
})

t.test('on a branch its own times decide, not those of the best chain', async (t) => {
  const time = START_MS + 30_000
  const slow = locked({ height: 3, time })
  const quick = new TestChain(network)
  quick.follow(slow.chain)
  // Both go on; on one branch nothing takes long, on the other everything does.
  for (let block = 0; block < 8; block++) {
    const next = slow.chain.chain.tip.time + 9_000
    t.ok(slow.chain.accept(slow.chain.block([], { header: { time: next } }), next).ok)
  }
  for (let block = 0; block < 8; block++) {
    const next = quick.chain.tip.time + 1
    t.ok(quick.accept(quick.block([], { header: { time: next }, miner: carol }), next).ok)
  }
  t.ok(slow.chain.chain.next.medianTime >= time)
  t.ok(quick.chain.next.medianTime < time)
  const back = refund(slow.chain, alice, slow.id)
  t.equal(codeOf(quick.accept(quick.block([], { forced: [back] }))), 'deadline-not-passed')
  t.ok(slow.chain.accept(slow.chain.block([back])).ok)
  quick.grow(12, [tell(slow.chain, bob, slow.id, secret)], carol)
  t.ok(slow.chain.follow(quick)?.ok)
  t.equal(slow.chain.chain.tip.hash, quick.chain.tip.hash)
  t.equal(slow.has(bob), 100, 'the claim of the heavier branch counts, the refund does not')
  t.equal(slow.has(alice), -100)
})
