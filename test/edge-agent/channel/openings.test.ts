/** How deep the openings of channels are, also after a start. */
import t from 'tap'
import { DEPTH_MAX, Openings } from '../../../edge-agent/channel/openings.ts'
import { COIN } from '../../../ledger/amount.ts'
import type { Sealed } from '../../../ledger/transaction.ts'
import type { Signer } from '../../../node/signing.ts'
import { invariant } from '../../../schemas/result.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../../helpers/ledger.ts'
import { open as openChannel } from '../../helpers/trade.ts'

function lab() {
  const allocations = [alice, carol].map(({ account }) => ({ account, amount: COIN }))
  const test = new TestChain(testNetwork({ allocations }))
  const start = (from = Number.MAX_SAFE_INTEGER) => new Openings(test.chain, carol.account, from)
  const opening = (from: Signer, to: Signer) => openChannel(test, from, to, 100)
  const mine = (openings: Openings, ...transactions: Sealed[]) => {
    const outcome = test.accept(test.block(transactions))
    invariant(outcome.ok, 'a good block')
    return openings.update(outcome.value).map(({ channel }) => channel)
  }
  return { test, start, opening, mine }
}

t.test('it counts the blocks on an opening, its own among them, and tells of our own', async (t) => {
  const { test, start, opening, mine } = lab()
  const openings = start()
  const [paid, own, foreign] = [
    opening(alice, carol),
    opening(carol, bob),
    openChannel(test, alice, bob, 100, { nonce: 1 }),
  ]
  t.strictSame(mine(openings, paid, own, foreign), [own.id])
  t.equal(openings.confirmations(paid.id), 1)
  t.strictSame(mine(openings), [])
  t.equal(openings.confirmations(paid.id), 2)
  t.strictSame(
    openings.own().map(({ channel }) => channel),
    [own.id],
  )
  t.equal(openings.confirmations(foreign.id), Number.POSITIVE_INFINITY, "others' are none of ours")
})

t.test(
  'a start looks as far back as anybody may ask for, and for our own as far as it is told',
  async (t) => {
    const { test, start, opening } = lab()
    const [older, old] = [opening(carol, bob), opening(alice, carol)]
    test.grow(1, [older])
    test.grow(DEPTH_MAX, [old])
    t.equal(start().confirmations(old.id), DEPTH_MAX)
    t.equal(start(50).confirmations(old.id), DEPTH_MAX)
    t.strictSame(start().own(), [])
    t.strictSame(
      start(0)
        .own()
        .map(({ channel }) => channel),
      [older.id],
    )
  },
)

t.test('those of others are forgotten when nobody can ask for such a depth, our own are not', async (t) => {
  const { test, start, opening, mine } = lab()
  const openings = start()
  const [own, paid] = [opening(carol, bob), opening(alice, carol)]
  mine(openings, own, paid)
  for (let block = 1; block <= 2 * DEPTH_MAX; block++) mine(openings)
  t.equal(openings.confirmations(paid.id), test.chain.tip.height)
  mine(openings)
  t.equal(openings.confirmations(paid.id), Number.POSITIVE_INFINITY)
  t.equal(openings.own().length, 1)
})

t.test('an opening that came off the chain is none', async (t) => {
  const { test, start, opening } = lab()
  const openings = start()
  const own = opening(carol, bob)
  const other = new TestChain(test.network)
  other.grow(2, [], carol)
  for (const bytes of [test.block([own]), ...[1, 2].map((height) => other.chain.at(height)?.hash)]) {
    const outcome =
      typeof bytes === 'object'
        ? test.accept(bytes)
        : test.acceptBytes(other.archive.block(bytes ?? test.network.block0Hash))
    invariant(outcome.ok, 'a good block')
    openings.update(outcome.value)
  }
  t.equal(test.chain.tip.hash, other.chain.tip.hash)
  t.strictSame(openings.own(), [])
})
