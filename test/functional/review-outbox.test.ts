/** One thing is done once: what the outbox makes of earlier signings, strangers on the same key, and reorganisations. */
import t, { type Test } from 'tap'
import { Outbox, SETTLED_DEPTH } from '../../edge-agent/outbox.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { alice, bob, START_MS, TestChain, testNetwork } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

const sample = {
  sensor: 'soil',
  sequence: 0,
  value: { mantissa: 215, exponent: -1 },
  unit: 'Cel',
  time: START_MS,
  synchronised: true,
}

function device(t: Test, of = bob) {
  const chain = new TestChain(testNetwork({ feeFloor: 10 }))
  const outbox = new Outbox(replaceableLog(`${temporary(t)}/outbox.log`), chain.chain, of)
  t.teardown(() => outbox.close())
  const mine = (count: number, transactions: readonly Sealed[] = []): void => {
    for (let done = 0; done < count; done++) {
      const outcome = chain.accept(chain.block(done === 0 ? transactions : [], { miner: of }))
      if (!outcome.ok) throw new Error(outcome.fault.message)
      outbox.update(outcome.value)
    }
  }
  return { chain, outbox, mine }
}

t.test(
  'a reading that was signed again with a fee is not repeated when its first signing is confirmed',
  async (t) => {
    const { chain, outbox, mine } = device(t)
    const [first] = outbox.add([{ draft: { type: 'reading', sample }, key: '' }])
    t.equal(first?.transaction.fee, 0, 'a device without a coin')
    mine(1, [chain.transfer(alice, bob.account, 1_000, { fee: 10 })])
    const [again] = outbox.pending(10)
    t.equal(again?.transaction.fee, 10, 'it can pay now')
    if (first === undefined) return
    mine(1, [first])
    t.equal(outbox.waiting, 0, 'confirmed')
    mine(SETTLED_DEPTH + 2)
    t.same(outbox.pending(10), [])
    t.equal(outbox.waiting, 0)
  },
)

t.test('a payment whose nonce another program used goes out again only once that is for good', async (t) => {
  const { chain, outbox, mine } = device(t, alice)
  outbox.add([{ draft: { type: 'transfer', to: bob.account, amount: 5, memo: 'water' }, key: 'wire' }])
  mine(SETTLED_DEPTH + 5)
  mine(1, [chain.transfer(alice, bob.account, 7, { fee: 10 })])
  t.same(outbox.pending(10), [], 'it holds up nobody')
  mine(SETTLED_DEPTH - 1)
  t.same(outbox.pending(10), [], 'a reorganisation might still bring it back')
  mine(1)
  t.same(
    outbox.pending(10).map(({ transaction: tx }) => [tx.nonce, tx.type === 'transfer' && tx.amount]),
    [[1, 5]],
  )
})
