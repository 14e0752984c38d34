import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { applyTransaction, readingsOf, signaturesOf, spendOf } from '../../ledger/apply.ts'
import { StateView } from '../../ledger/state.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { alice, bob, carol, codeOf, START_MS, signer, TestChain, testNetwork } from '../helpers/ledger.ts'

const test = new TestChain()
const all = 1000 * COIN
const context = (height = 1, miner = bob.account) => ({ height, medianTime: START_MS, miner })
/** Applies one after the other to the state after genesis; the code of the last. */
function apply(list: readonly Sealed[], at = context(), chain = test) {
  const view = new StateView(chain.chain.state)
  let code: string = 'ok'
  for (const sealed of list) code = codeOf(applyTransaction(chain.network, view, sealed, at))
  return { code, view }
}

t.test('a transfer moves the amount, takes the fee and counts the nonce', async (t) => {
  const { code, view } = apply([test.transfer(alice, carol.account, 5, { fee: 2 })])
  t.equal(code, 'ok')
  t.strictSame(view.account(alice.account), { nonce: 1, balance: all - 7 })
  t.strictSame(view.account(carol.account), { nonce: 0, balance: 5 })
})

t.test('a transfer to oneself costs the fee only', async (t) => {
  const { view } = apply([test.transfer(alice, alice.account, all - 2, { fee: 2 })])
  t.strictSame(view.account(alice.account), { nonce: 1, balance: all - 2 })
})

t.test('nonce-too-low: a transaction replayed', async (t) => {
  const sealed = test.transfer(alice, carol.account, 5)
  t.equal(apply([sealed, sealed]).code, 'nonce-too-low')
})

t.test('nonce-gap: a nonce above the next', async (t) => {
  t.equal(apply([test.transfer(alice, carol.account, 5, { nonce: 1 })]).code, 'nonce-gap')
  t.equal(apply([0, 1, 2].map((nonce) => test.transfer(alice, carol.account, 5, { nonce }))).code, 'ok')
})

t.test(
  'nonce-too-low: an account that sent everything away cannot be replayed when it is funded again',
  async (t) => {
    const away = test.transfer(alice, carol.account, all)
    const back = test.transfer(carol, alice.account, all)
    t.equal(apply([away, back, away]).code, 'nonce-too-low')
  },
)

t.test('insufficient-balance: one unit more than there is', async (t) => {
  t.equal(apply([test.transfer(alice, carol.account, all)]).code, 'ok')
  t.equal(apply([test.transfer(alice, carol.account, all - 1, { fee: 1 })]).code, 'ok')
  t.equal(apply([test.transfer(alice, carol.account, all + 1)]).code, 'insufficient-balance')
  t.equal(apply([test.transfer(alice, carol.account, all, { fee: 1 })]).code, 'insufficient-balance')
  t.equal(apply([test.reading(alice, { fee: all + 1 })]).code, 'insufficient-balance')
})

t.test(
  'insufficient-balance: a new key has 0 and cannot spend, but can say something for free',
  async (t) => {
    const stranger = signer(77)
    t.equal(apply([test.transfer(stranger, alice.account, 1)]).code, 'insufficient-balance')
    t.equal(apply([test.reading(stranger, { fee: 1 })]).code, 'insufficient-balance')
    t.equal(apply([test.reading(stranger)]).code, 'ok')
  },
)

t.test('amount-overflow: amount and fee whose sum leaves 2^53 - 1 (CVE-2010-5139)', async (t) => {
  const most = Number.MAX_SAFE_INTEGER
  t.equal(apply([test.transfer(alice, carol.account, most, { fee: 1 })]).code, 'amount-overflow')
  t.equal(apply([test.transfer(alice, carol.account, most, { fee: most })]).code, 'amount-overflow')
  t.equal(apply([test.transfer(alice, carol.account, most)]).code, 'insufficient-balance')
  t.equal(spendOf(test.transfer(alice, carol.account, most, { fee: 1 }).transaction), undefined)
})

t.test('expired: expiry is the last height that may contain it', async (t) => {
  const sealed = test.transfer(alice, carol.account, 1, { expiry: 10 })
  t.equal(apply([sealed], context(9)).code, 'ok')
  t.equal(apply([sealed], context(10)).code, 'ok')
  t.equal(apply([sealed], context(11)).code, 'expired')
})

t.test('type-not-active: below its activation height, and without one for ever', async (t) => {
  const later = new TestChain(testNetwork({ activations: [{ type: 2, height: 5 }] }))
  t.equal(apply([later.reading(alice)], context(4), later).code, 'type-not-active')
  t.equal(apply([later.reading(alice)], context(5), later).code, 'ok')
  t.equal(apply([later.batch(alice, 1)], context(500), later).code, 'type-not-active')
  t.equal(apply([later.transfer(alice, bob.account, 1)], context(500), later).code, 'type-not-active')
})

t.test("fee-too-low: one unit below the floor, but for the block's own miner", async (t) => {
  const floor = new TestChain(testNetwork({ feeFloor: 10 }))
  const paying = (fee: number) => floor.transfer(alice, carol.account, 1, { fee })
  t.equal(apply([paying(10)], context(), floor).code, 'ok')
  t.equal(apply([paying(9)], context(), floor).code, 'fee-too-low')
  t.equal(apply([paying(9)], context(1, alice.account), floor).code, 'ok')
  t.equal(
    apply([floor.reading(bob)], context(), floor).code,
    'ok',
    'a device without a coin, in its own block',
  )
  t.equal(apply([floor.reading(bob)], context(1, carol.account), floor).code, 'fee-too-low')
})

t.test('a refused transaction leaves the view as it was', async (t) => {
  for (const sealed of [
    test.transfer(alice, carol.account, all + 1),
    test.transfer(alice, carol.account, 1, { nonce: 4 }),
    test.transfer(alice, carol.account, 1, { expiry: 0 }),
    test.transfer(alice, carol.account, Number.MAX_SAFE_INTEGER, { fee: 5 }),
  ]) {
    t.strictSame(apply([sealed]).view.changes(), [])
  }
})

t.test('readings and batches move nothing but the fee; a batch counts as its samples', async (t) => {
  const { view } = apply([test.reading(alice, { fee: 3 }), test.batch(alice, 9, { nonce: 1, fee: 4 })])
  t.strictSame(view.account(alice.account), { nonce: 2, balance: all - 7 })
  const list = [test.transfer(alice, bob.account, 1), test.reading(alice), test.batch(alice, 9)]
  t.strictSame(
    list.map(({ transaction }) => readingsOf(transaction)),
    [0, 1, 9],
  )
  t.strictSame(
    list.map(({ transaction }) => signaturesOf(transaction)),
    [1, 1, 1],
  )
})
