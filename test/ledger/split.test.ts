/** Splits of what an account earns: docs/PROTOCOL.md section 3, splits. */
import t from 'tap'
import { signaturesOf } from '../../ledger/apply.ts'
import { earn, PARTS, shareOf } from '../../ledger/split.ts'
import { StateView } from '../../ledger/state.ts'
import { checkTransaction, type Sealed, SignatureCache } from '../../ledger/transaction.ts'
import type { Signer } from '../../node/signing.ts'
import type { Account } from '../../schemas/hex.ts'
import { alice, bob, carol, codeOf, coinsIn, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { bytes32, lock, share, tell } from '../helpers/trade.ts'

const [dave, erin] = [signer(4), signer(5)]
const people = [alice, bob, carol, dave, erin]
const allocations = people.map(({ account }) => ({ account, amount: 1_000_000 }))
const network = testNetwork({ allocations, maturity: 1, subsidy: 70, halvingInterval: 1000 })

/** A chain with these splits. */
function lab(...splits: readonly (readonly [Signer, readonly (readonly [Signer, number])[]])[]) {
  const chain = new TestChain(network)
  const list = splits.map(([from, shares]) =>
    share(
      chain,
      from,
      shares.map(([{ account }, parts]) => [account, parts]),
    ),
  )
  chain.grow(1, list, signer(99))
  return {
    chain,
    gained: () => people.map(({ account }) => chain.chain.state.account(account).balance - 1_000_000),
    mine: (...list: readonly Sealed[]) => chain.grow(1, list, signer(99)),
  }
}

t.test('a transfer is shared by ten thousandths, rounded down, and the account keeps the rest', async (t) => {
  const { chain, gained, mine } = lab([
    bob,
    [
      [carol, 3333],
      [dave, 1],
      [erin, 2],
    ],
  ])
  mine(chain.transfer(alice, bob.account, 10_001))
  t.strictSame(gained(), [-10_001, 10_001 - 3333 - 1 - 2, 3333, 1, 2])
  mine(chain.transfer(alice, bob.account, 1))
  t.strictSame(gained(), [-10_002, 10_001 - 3336 + 1, 3333, 1, 2], 'of one unit nothing is left to share')
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
})

t.test('all parts may be given away, and then nothing is kept but what rounding leaves', async (t) => {
  const { chain, gained, mine } = lab([
    bob,
    [
      [carol, 5000],
      [dave, 5000],
    ],
  ])
  mine(chain.transfer(alice, bob.account, 101))
  t.strictSame(gained(), [-101, 1, 50, 50, 0])
})

t.test('what a share brings is not split again: circles end at once', async (t) => {
  const { chain, gained, mine } = lab(
    [bob, [[carol, 10_000]]],
    [carol, [[bob, 10_000]]],
    [dave, [[bob, 5000]]],
  )
  mine(chain.transfer(alice, bob.account, 100))
  t.strictSame(gained(), [-100, 0, 100, 0, 0])
  mine(chain.transfer(alice, dave.account, 100))
  t.strictSame(gained(), [-200, 50, 100, 50, 0])
})

t.test('a payment to oneself is earned as well, and the payer may be a share of the payee', async (t) => {
  const { chain, gained, mine } = lab([alice, [[bob, 1000]]], [carol, [[alice, 2500]]])
  mine(chain.transfer(alice, alice.account, 1000, { fee: 3 }))
  t.strictSame(gained(), [-103, 100, 0, 0, 0])
  mine(chain.transfer(alice, carol.account, 1000))
  t.strictSame(gained(), [-103 - 1000 + 250, 100, 750, 0, 0])
})

t.test('a new split replaces the old one, from the next transaction on; none removes it', async (t) => {
  const { chain, gained, mine } = lab([bob, [[carol, 10_000]]])
  const before = chain.transfer(alice, bob.account, 10)
  const change = share(chain, bob, [[dave.account, 5000]])
  const after = chain.transfer(alice, bob.account, 10, { nonce: 1 })
  mine(before, change, after)
  t.strictSame(gained(), [-20, 5, 10, 5, 0])
  const { state } = chain.chain
  t.strictSame(state.split(bob.account), [{ account: dave.account, parts: 5000 }])
  mine(share(chain, bob, []))
  t.strictSame(chain.chain.state.split(bob.account), [])
  mine(chain.transfer(alice, bob.account, 10))
  t.strictSame(gained(), [-30, 15, 10, 5, 0])
  mine(share(chain, bob, []), share(chain, carol, [], { nonce: 0 }))
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply, 'to remove none is no fault')
})

t.test('rewards and fees are not split', async (t) => {
  const { chain } = lab([bob, [[carol, 10_000]]])
  chain.grow(2, [chain.transfer(alice, dave.account, 1, { fee: 5 })], bob)
  const { state } = chain.chain
  t.equal(state.account(bob.account).balance, 1_000_000 + 75)
  t.equal(state.account(carol.account).balance, 1_000_000)
})

t.test('what a hashlock brings is split', async (t) => {
  const { chain, gained, mine } = lab([bob, [[carol, 4000]]])
  const put = lock(chain, alice, bob, 100, bytes32(1), { height: 99, time: 0 })
  mine(put)
  mine(tell(chain, dave, put.id, bytes32(1)))
  t.strictSame(gained(), [-100, 60, 40, 0, 0])
})

t.test('bad-split: oneself, an account twice, no parts, or more than all of them', async (t) => {
  const chain = new TestChain(network)
  const one = (...shares: readonly (readonly [Account, number])[]) =>
    codeOf(checkTransaction(network, share(chain, alice, shares), new SignatureCache()))
  const [b, c, d] = [bob.account, carol.account, dave.account]
  t.equal(one(), 'ok')
  t.equal(one([b, 1], [c, PARTS - 1]), 'ok')
  t.equal(one([alice.account, 1]), 'bad-split')
  t.equal(one([b, 1], [c, 1], [b, 1]), 'bad-split')
  t.equal(one([b, 0]), 'bad-split')
  t.equal(one([b, 5000], [c, 5001]), 'bad-split')
  t.equal(one([b, 65_535]), 'bad-split')
  t.equal(one([b, 1], [`01${'00'.repeat(31)}` as Account, 1]), 'bad-account')
  t.equal(one([b, 1], [c, 1], [d, 1], [erin.account, 1]), 'ok')
  t.throws(() => one([b, 1], [c, 1], [d, 1], [erin.account, 1], [signer(6).account, 1]), /at most 4/)
})

t.test('shares are exact where the product leaves the exact integers', async (t) => {
  const most = Number.MAX_SAFE_INTEGER
  for (const amount of [0, 1, 9_999, 10_000, 10_001, 2 ** 40 + 7, most - 1, most])
    for (const parts of [1, 2, 3333, 9_999, PARTS])
      t.equal(BigInt(shareOf(amount, parts)), (BigInt(amount) * BigInt(parts)) / BigInt(PARTS))
})

t.test('nothing earned leaves no trace, also of shares', async (t) => {
  const { chain } = lab([bob, [[signer(6), 1000]]])
  const view = new StateView(chain.chain.state)
  earn(view, bob.account, 0)
  earn(view, bob.account, 9)
  t.equal(view.changes().length, 1, 'and a share of less than a unit neither')
})

t.test('a split with shares counts as two signatures, for its keys', async (t) => {
  const chain = new TestChain(network)
  t.equal(signaturesOf(share(chain, alice, [[bob.account, 1]]).transaction), 2)
  t.equal(signaturesOf(share(chain, alice, []).transaction), 1)
})
