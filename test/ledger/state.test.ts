import t from 'tap'
import { changes as changesCodec, KIND, State, StateView } from '../../ledger/state.ts'
import { hashing } from '../../node/signing.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, ZERO_HASH } from '../../schemas/hex.ts'
import { alice, bob, carol, coinsIn, seeded, TestChain, testNetwork } from '../helpers/ledger.ts'

const empty = new State(hashing)
const accountKey = (account: Account) => account as string as typeof ZERO_HASH

t.test('an account that nobody funded has no entry, no balance and nonce 0', async (t) => {
  t.equal(empty.root(), ZERO_HASH)
  t.strictSame(empty.account(alice.account), { nonce: 0, balance: 0 })
  t.strictSame(empty.totals(), { supply: 0, transactions: 0, readings: 0 })
  const view = new StateView(empty)
  view.setAccount(alice.account, { nonce: 0, balance: 0 })
  t.strictSame(view.changes(), [], 'setting the default changes nothing')
})

t.test('an account that has sent stays, also at balance 0; one that has not goes', async (t) => {
  const view = new StateView(empty)
  view.setAccount(alice.account, { nonce: 3, balance: 0 })
  view.setAccount(bob.account, { nonce: 0, balance: 5 })
  const state = empty.with(view.changes(), 'after')
  t.ok(state.get(KIND.account, accountKey(alice.account)))
  const later = new StateView(state)
  later.setAccount(bob.account, { nonce: 0, balance: 0 })
  const emptied = state.with(later.changes(), 'after')
  t.equal(emptied.get(KIND.account, accountKey(bob.account)), undefined)
  t.equal(emptied.account(alice.account).nonce, 3)
})

t.test('changes made and taken back lead to the same root, in any order of the writes', async (t) => {
  const random = seeded(3)
  const writes = Array.from({ length: 40 }, (_, index) => ({
    account: hashing.tagged('stateKey', Uint8Array.of(index)),
    entry: { nonce: index % 3, balance: Math.floor(random() * 1000) },
  }))
  const run = (order: typeof writes) => {
    const view = new StateView(empty)
    for (const { account, entry } of order)
      view.setAccount(Buffer.from(account).toString('hex') as Account, entry)
    view.setReward(7, { account: bob.account, amount: 9 })
    view.setTotals({ supply: 1, transactions: 2, readings: 3 })
    return view.changes()
  }
  const forward = run(writes)
  t.strictSame(run(writes.toReversed()), forward, 'changes have one order')
  const state = empty.with(forward, 'after')
  t.equal(empty.with(forward.toReversed(), 'after').root(), state.root())
  t.equal(state.with(forward, 'before').root(), empty.root())
  const bytes = encode(changesCodec, forward)
  t.strictSame(decode(changesCodec, bytes, bytes.length), { ok: true, value: forward }, 'and survive storage')
})

t.test('a view reads its own writes, and only real changes are kept', async (t) => {
  const first = new StateView(empty)
  first.setAccount(alice.account, { nonce: 1, balance: 10 })
  first.setReward(1, { account: bob.account, amount: 5 })
  const state = empty.with(first.changes(), 'after')
  const view = new StateView(state)
  view.setAccount(alice.account, { nonce: 2, balance: 1 })
  t.strictSame(view.account(alice.account), { nonce: 2, balance: 1 })
  view.setAccount(alice.account, { nonce: 1, balance: 10 })
  view.setReward(1, undefined)
  t.equal(view.reward(1), undefined)
  t.strictSame(
    view.changes().map(({ kind, after }) => [kind, after.length]),
    [[KIND.reward, 0]],
  )
  t.strictSame(state.account(alice.account), { nonce: 1, balance: 10 }, 'the base is as it was')
})

t.test('entries of different kinds under one key do not meet', async (t) => {
  const view = new StateView(empty)
  view.setAccount(ZERO_HASH as string as Account, { nonce: 1, balance: 1 })
  view.setReward(0, { account: bob.account, amount: 1 })
  view.setTotals({ supply: 1, transactions: 0, readings: 0 })
  t.equal([...empty.with(view.changes(), 'after').values()].length, 3)
})

t.test("rewards that mature later are an account's sum by height", async (t) => {
  const test = new TestChain(testNetwork({ maturity: 3 }))
  test.grow(2)
  test.grow(1, [], carol)
  test.grow(1)
  const { state, tip } = test.chain
  const subsidy = test.network.genesis.subsidy
  t.equal(state.maturing(bob.account, tip.height, 3), 2 * subsidy, 'heights 2 and 4; height 1 has matured')
  t.equal(state.account(bob.account).balance, subsidy)
  t.equal(state.maturing(carol.account, tip.height, 3), subsidy)
  t.equal(coinsIn(state), state.totals().supply)
})
