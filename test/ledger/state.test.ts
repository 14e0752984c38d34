import t from 'tap'
import { changes as changesCodec, KIND, provenAccount, State, StateView } from '../../ledger/state.ts'
import { hashing } from '../../node/signing.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, ZERO_HASH } from '../../schemas/hex.ts'
import { STATE_VALUE_BYTES_MAX, stateProof } from '../../schemas/proof.ts'
import { alice, bob, carol, coinsIn, seeded, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { bytes32 } from '../helpers/trade.ts'

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

const CHANNEL = {
  ...{ from: alice.account, to: bob.account, amount: 9, paid: 4, delay: 3, closing: 2, word: bytes32(1) },
  ...{ steps: 2, step: 1 },
}
const HASHLOCK = { from: alice.account, to: bob.account, amount: 7, lock: bytes32(2), height: 5, time: 6 }
const shares = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ account: signer(index + 1).account, parts: 1 + index }))

t.test('channels, hashlocks and splits are entries that come, change and go', async (t) => {
  const [one, two] = [bytes32(3), bytes32(4)]
  const view = new StateView(empty)
  view.setChannel(one, CHANNEL)
  view.setHashlock(one, HASHLOCK)
  view.setSplit(carol.account, shares(4))
  t.strictSame(
    [view.channel(one), view.hashlock(one), view.split(carol.account)],
    [CHANNEL, HASHLOCK, shares(4)],
  )
  t.strictSame([view.channel(two), view.hashlock(two), view.split(alice.account)], [undefined, undefined, []])
  t.strictSame(
    view.changes().map(({ kind, after }) => [kind, after.length]),
    [
      [KIND.channel, 132],
      [KIND.hashlock, 114],
      [KIND.split, 138],
    ],
    'under one key, by kind',
  )
  const state = empty.with(view.changes(), 'after')
  t.strictSame(
    [state.channel(one), state.hashlock(one), state.split(carol.account)],
    [CHANNEL, HASHLOCK, shares(4)],
  )
  t.equal(coinsIn(state), 9 - 4 + 7)
  const later = new StateView(state)
  later.setChannel(one, undefined)
  later.setHashlock(one, undefined)
  later.setSplit(carol.account, [])
  const emptied = state.with(later.changes(), 'after')
  t.equal(emptied.root(), ZERO_HASH)
  t.equal(emptied.with(later.changes(), 'before').root(), state.root())
})

t.test('a split with one share has as many bytes as a member, and is none', async (t) => {
  const view = new StateView(empty)
  view.setSplit(alice.account, shares(1))
  view.setMember(bob.account, 7)
  const state = empty.with(view.changes(), 'after')
  t.strictSame([...state.members()], [{ account: bob.account, since: 7 }])
})

t.test(
  'a proof of an account may end at any entry, also at the largest, and shows nothing of it',
  async (t) => {
    const view = new StateView(empty)
    view.setSplit(carol.account, shares(4))
    view.setChannel(bytes32(3), CHANNEL)
    view.setHashlock(bytes32(4), HASHLOCK)
    view.setAccount(alice.account, { nonce: 1, balance: 2 })
    const state = empty.with(view.changes(), 'after')
    const root = state.root()
    const sizes = new Set<number>()
    for (let index = 1; index < 60; index++) {
      const { account } = signer(index)
      const proof = state.accountProof(account)
      if (proof === undefined) throw new Error('four entries have proofs')
      t.ok(decode(stateProof, encode(stateProof, proof), 2048).ok)
      t.strictSame(provenAccount(hashing, root, account, proof), state.account(account))
      sizes.add(proof.leaf[0]?.value.length ?? 0)
    }
    t.ok(
      [16, 114, 132, 138].every((size) => sizes.has(size)),
      [...sizes].join(' '),
    )
    t.ok(Math.max(...sizes) <= STATE_VALUE_BYTES_MAX)
  },
)
