/** Who may mine on an enrolled network, block by block. */
import t from 'tap'
import { checkOnState } from '../../ledger/apply.ts'
import { executeBlock } from '../../ledger/block.ts'
import { mayMine, mayMineBelow } from '../../ledger/membership.ts'
import { Mempool } from '../../ledger/mempool.ts'
import { StateView } from '../../ledger/state.ts'
import { buildTemplate } from '../../ledger/template.ts'
import { checkTransaction, type Sealed, SignatureCache, sealTransaction } from '../../ledger/transaction.ts'
import type { Signer } from '../../node/signing.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import { type Account, type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import type { Admission } from '../../schemas/transaction.ts'
import {
  alice,
  bob,
  carol,
  codeOf,
  coinsIn,
  mine,
  signer,
  TestChain,
  testNetwork,
} from '../helpers/ledger.ts'

const dave = signer(4)
const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
/** Alice is the authority and has the coins. */
const enrolled = (overrides: Partial<Genesis> = {}) =>
  new TestChain(testNetwork({ authorities: [alice.account], activations, ...overrides }))

const change = (chain: TestChain, type: 'admission' | 'revocation', member: Account, fields: object = {}) => {
  const { by = alice, ...rest } = fields as { by?: Signer }
  return chain.sign(by, { type, member, ...rest })
}
const admit = (chain: TestChain, { account }: Signer, fields: object = {}): Sealed =>
  change(chain, 'admission', account, fields)
const revoke = (chain: TestChain, { account }: Signer, fields: object = {}): Sealed =>
  change(chain, 'revocation', account, fields)

/** A block with which nothing is wrong but perhaps its miner: made under the rules of an open network. */
function blockOf(chain: TestChain, miner: Signer, transactions: readonly Sealed[] = []) {
  const open = { ...chain.network, genesis: { ...chain.network.genesis, authorities: [] } }
  return mine(open, buildTemplate(open, chain.chain, transactions, miner, chain.nowMs))
}
const mines = (chain: TestChain, miner: Signer, transactions: readonly Sealed[] = []) =>
  codeOf(chain.accept(blockOf(chain, miner, transactions)))
const checked = (chain: TestChain, sealed: Sealed) =>
  codeOf(checkTransaction(chain.network, sealed, new SignatureCache()))

t.test('on an open network everybody may mine, and nobody can admit', async (t) => {
  const open = new TestChain()
  t.ok(mayMine(open.network, open.chain.state, carol.account))
  t.equal(mines(open, carol), 'ok')
  const outcome = checkTransaction(open.network, admit(open, bob), new SignatureCache())
  t.match(outcome, {
    ok: false,
    fault: { code: 'not-authority', message: /open network has no authorities/ },
  })
  const view = open.chain.state
  const context = { ...open.chain.next, miner: alice.account, reward: 'all' } as const
  t.equal(codeOf(executeBlock(open.network, view, context, [admit(open, bob)])), 'type-not-active')
})

t.test('not-admitted: on an enrolled network authorities mine, others do not', async (t) => {
  const chain = enrolled({ authorities: [alice.account, carol.account] })
  for (const miner of [alice, carol]) t.equal(mines(chain, miner), 'ok')
  const block = blockOf(chain, bob)
  const outcome = chain.accept(block)
  t.match(outcome, { ok: false, fault: { code: 'not-admitted', message: new RegExp(bob.account) } })
  t.equal(codeOf(chain.accept(block)), 'known', 'it is remembered, the parent cannot change')
  t.equal(chain.chain.tip.height, 2)
})

t.test('not-admitted comes before anything that costs', async (t) => {
  const chain = enrolled()
  const context = { ...chain.chain.next, miner: bob.account, reward: Number.MAX_SAFE_INTEGER }
  const bad = chain.transfer(carol, bob.account, 1)
  t.equal(codeOf(executeBlock(chain.network, chain.chain.state, context, [bad])), 'not-admitted')
})

t.test('a template is only made for who may mine', async (t) => {
  const chain = enrolled()
  const template = (miner: Signer) => buildTemplate(chain.network, chain.chain, [], miner, chain.nowMs)
  t.throws(() => template(bob), /not|neither/)
  t.equal(template(alice).coinbase.from, alice.account)
})

t.test('an admission allows mining from the next block on, not in its own', async (t) => {
  const chain = enrolled()
  t.equal(mines(chain, bob, [admit(chain, bob)]), 'not-admitted')
  t.equal(mines(chain, alice, [admit(chain, bob)]), 'ok')
  t.strictSame(chain.chain.state.member(bob.account), { account: bob.account, since: 1 })
  t.equal(mines(chain, bob), 'ok')
  t.equal(mines(chain, carol), 'not-admitted')
  t.equal(chain.chain.tip.miner, bob.account)
})

t.test('a revoked miner cannot make the next block; the revoking one and those before stay', async (t) => {
  const chain = enrolled()
  chain.grow(1, [admit(chain, bob)], alice)
  t.equal(mines(chain, bob), 'ok')
  t.equal(mines(chain, bob, [revoke(chain, bob)]), 'ok', 'the state before the block decides')
  t.equal(mines(chain, bob), 'not-admitted')
  t.equal(chain.chain.tip.height, 3)
  t.equal(chain.chain.state.maturing(bob.account, 3, 5), 2 * 50e8, 'his rewards stay his')
  t.equal(chain.chain.state.member(bob.account), undefined)
  chain.grow(1, [admit(chain, bob)], alice)
  t.equal(mines(chain, bob), 'ok', 'and may be admitted again')
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
})

t.test('not-authority: only authorities of this network admit and revoke, members do not', async (t) => {
  const chain = enrolled()
  chain.grow(1, [admit(chain, bob)], alice)
  for (const by of [bob, carol]) {
    t.equal(checked(chain, admit(chain, dave, { by })), 'not-authority')
    t.equal(checked(chain, revoke(chain, bob, { by })), 'not-authority')
  }
  t.equal(
    codeOf(chain.accept(chain.block([], { miner: alice, forced: [admit(chain, dave, { by: bob })] }))),
    'not-authority',
  )
  t.equal(checked(chain, admit(chain, dave)), 'ok')
  t.equal(checked(chain, revoke(chain, bob)), 'ok')
  const unsigned = { ...admit(chain, dave).transaction, from: carol.account, signature: new Uint8Array(64) }
  t.equal(checked(chain, sealTransaction(chain.network, unsigned)), 'not-authority', 'before the signature')
})

t.test('an authority of another network has no say, also with the same key', async (t) => {
  const [chain, other] = [
    enrolled(),
    enrolled({ name: 'other', authorities: [alice.account, carol.account] }),
  ]
  t.equal(checked(chain, admit(other, bob, { by: carol })), 'wrong-network')
  t.equal(checked(chain, admit(chain, bob, { by: carol })), 'not-authority')
  const foreign = admit(other, bob)
  t.equal(checked(other, foreign), 'ok')
  t.equal(checked(chain, foreign), 'wrong-network')
  const renamed = { ...foreign.transaction, network: chain.network.id }
  t.equal(
    checked(chain, sealTransaction(chain.network, renamed)),
    'bad-signature',
    'the genesis hash is signed',
  )
})

t.test('nonce-too-low: an admission cannot be replayed after the revocation', async (t) => {
  const chain = enrolled()
  const admission = admit(chain, bob)
  chain.grow(1, [admission], alice)
  chain.grow(1, [revoke(chain, bob)], alice)
  t.equal(codeOf(chain.accept(chain.block([], { miner: alice, forced: [admission] }))), 'nonce-too-low')
  t.notOk(mayMine(chain.network, chain.chain.state, bob.account))
})

t.test('already-member, not-member: what changes nothing is refused, and leaves no trace', async (t) => {
  const chain = enrolled()
  chain.grow(1, [admit(chain, bob)], alice)
  const forced = (sealed: Sealed) => codeOf(chain.accept(chain.block([], { miner: alice, forced: [sealed] })))
  const { state, next } = chain.chain
  for (const [sealed, code] of [
    [admit(chain, bob), 'already-member'],
    [admit(chain, alice), 'already-member'],
    [revoke(chain, carol), 'not-member'],
    [revoke(chain, alice), 'not-member'],
  ] as const) {
    t.equal(forced(sealed), code)
    t.equal(
      checkOnState(chain.network, state, sealed.transaction, next)?.code,
      code,
      'for who lets them wait',
    )
  }
  t.equal(checkOnState(chain.network, state, admit(chain, carol).transaction, next), undefined)
  t.equal(checkOnState(chain.network, state, chain.reading(carol).transaction, next), undefined)
  t.equal(chain.nonceOf(alice.account), 1)
  const both = [admit(chain, carol, { nonce: 1 }), revoke(chain, carol, { nonce: 2 })]
  t.equal(mines(chain, alice, both), 'ok', 'each sees the ones before it')
  t.equal(chain.chain.state.member(carol.account), undefined)
})

t.test('what can never be mined does not wait, so that it keeps nothing else waiting', async (t) => {
  const chain = enrolled({ authorities: [alice.account, carol.account] })
  chain.grow(1, [admit(chain, bob)], alice)
  const mempool = new Mempool(chain.network)
  const add = (sealed: Sealed) => codeOf(mempool.add(sealed, chain.chain))
  t.equal(add(admit(chain, bob)), 'already-member')
  t.equal(add(revoke(chain, dave)), 'not-member')
  const late = admit(chain, dave, { by: carol })
  t.equal(add(admit(chain, dave)), 'ok')
  t.equal(add(late), 'ok', 'whichever comes first')
  const outcome = chain.accept(chain.block([admit(chain, dave)], { miner: alice }))
  if (!outcome.ok) throw new Error(outcome.fault.message)
  const { dropped } = mempool.update(chain.chain, outcome.value)
  t.match(dropped, [{ sealed: { id: late.id }, fault: { code: 'already-member' } }])
  t.equal(mempool.size, 0)
})

t.test('bad-account: a member is an account key', async (t) => {
  const chain = enrolled()
  for (const member of [`01${'00'.repeat(31)}`, `02${'00'.repeat(31)}`] as Account[]) {
    t.equal(checked(chain, change(chain, 'admission', member)), 'bad-account')
    t.equal(checked(chain, change(chain, 'revocation', member)), 'bad-account')
  }
})

t.test('fee, nonce, expiry and activation are those of any transaction', async (t) => {
  const chain = enrolled({
    feeFloor: 10,
    activations: activations.map(({ type }) => ({ type, height: type === 4 ? 2 : 0 })),
    authorities: [alice.account, carol.account],
  })
  const forced = (sealed: Sealed, miner = carol) =>
    codeOf(chain.accept(chain.block([], { miner, forced: [sealed] })))
  t.equal(forced(admit(chain, bob, { fee: 10 })), 'type-not-active')
  chain.grow(1, [], carol)
  t.equal(forced(admit(chain, bob, { fee: 9 })), 'fee-too-low')
  t.equal(forced(admit(chain, bob, { fee: 10, nonce: 1 })), 'nonce-gap')
  t.equal(forced(admit(chain, bob, { fee: 10, expiry: 1 })), 'expired')
  t.equal(forced(admit(chain, bob, { by: carol, fee: 10 }), alice), 'insufficient-balance')
  chain.grow(1, [admit(chain, bob, { fee: 10 })], carol)
  const { nonce, balance } = chain.chain.state.account(alice.account)
  t.strictSame([nonce, balance], [1, 1000e8 - 10])
  t.match(chain.chain.state.totals(), { transactions: 1, readings: 0 })
  t.equal(mines(chain, bob), 'ok')
})

t.test('a reorganisation that undoes an admission undoes the right to mine', async (t) => {
  const [main, rival] = [enrolled(), enrolled()]
  main.grow(1, [admit(main, bob)], alice)
  main.grow(1, [], bob)
  rival.grow(3, [], alice)
  t.equal(codeOf(main.follow(rival) ?? { ok: true, value: undefined }), 'ok')
  t.equal(main.chain.tip.hash, rival.chain.tip.hash)
  t.notOk(mayMine(main.network, main.chain.state, bob.account))
  t.equal(mines(main, bob), 'not-admitted')
  t.strictSame(main.chain.state.root(), rival.chain.state.root())
})

t.test('a side branch of a miner who is not admitted never becomes the best chain', async (t) => {
  const [main, rival] = [enrolled(), enrolled()]
  main.grow(1, [admit(main, bob)], alice)
  main.grow(1, [], bob)
  rival.grow(2, [], alice)
  // On the rival's branch Bob is no member: under an open network's rules his third block would win.
  const third = blockOf(rival, bob)
  main.follow(rival)
  const { tip } = main.chain
  t.equal(codeOf(main.accept(third)), 'not-admitted')
  t.equal(main.chain.tip, tip)
  t.ok(mayMine(main.network, main.chain.state, bob.account))
})

t.test(
  'mayMineBelow says of a parent below the tip what its state would, for who is no member now',
  async (t) => {
    const chain = enrolled()
    const states = [chain.chain.state]
    const step = (miner: Signer, ...list: Sealed[]) => {
      chain.grow(1, list, miner)
      states.push(chain.chain.state)
    }
    step(alice)
    step(alice, admit(chain, bob), admit(chain, carol, { nonce: 1 }))
    step(bob)
    step(alice, revoke(chain, bob))
    step(alice, admit(chain, bob))
    step(alice, admit(chain, dave), revoke(chain, bob, { nonce: 5 }))
    step(alice)
    const tip = states.length - 1
    const changesOf = (height: number) => chain.archive.changes(chain.chain.at(height)?.hash as Hash)
    for (const [height, state] of states.entries()) {
      const undone = Array.from({ length: tip - height }, (_, back) => changesOf(tip - back))
      for (const { account } of [alice, bob, signer(9)])
        t.equal(
          mayMineBelow(chain.network, chain.chain.state, account, undone),
          mayMine(chain.network, state, account),
          `${account} on block ${height}`,
        )
      t.ok(
        mayMineBelow(chain.network, chain.chain.state, carol.account, undone),
        'a member now is let through',
      )
    }
    t.ok(mayMineBelow(testNetwork(), chain.chain.state, signer(9).account, []), 'an open network')
  },
)

t.test('the members of a state can be listed, whatever else is in it', async (t) => {
  const chain = enrolled()
  chain.grow(1, [admit(chain, bob), admit(chain, carol, { nonce: 1 })], alice)
  chain.grow(1, [admit(chain, dave), revoke(chain, carol, { nonce: 3 })], alice)
  const listed = [...chain.chain.state.members()].sort((a, b) => a.since - b.since)
  t.strictSame(listed, [
    { account: bob.account, since: 1 },
    { account: dave.account, since: 2 },
  ])
  const view = new StateView(chain.chain.state)
  view.setMember(bob.account, undefined)
  t.equal(view.member(bob.account), undefined)
  view.setMember(bob.account, 1)
  t.strictSame(view.changes(), [], 'set as it was')
  const lookalike = { kind: 4, key: ZERO_HASH, before: new Uint8Array(0), after: new Uint8Array(36) }
  const state = chain.chain.state.with([lookalike], 'after')
  t.equal([...state.members()].length, 2, 'an entry of another kind with as many bytes is none')
})

t.test('a type is what its number says: an admission is no revocation', async (t) => {
  const chain = enrolled()
  const admission = admit(chain, bob)
  const { type: _, ...fields } = admission.transaction as Admission
  const turned = sealTransaction(chain.network, { type: 'revocation', ...fields } as never)
  t.equal(checked(chain, turned), 'bad-signature')
})
