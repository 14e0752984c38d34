/** Payment channels, rule by rule: docs/PROTOCOL.md section 3, channels. */
import t from 'tap'
import { applyTransaction, signaturesOf } from '../../ledger/apply.ts'
import {
  CLAIM_STEPS_MAX,
  claimMessage,
  provenAmount,
  WORD_SIGNATURES,
  wordBefore,
} from '../../ledger/channel.ts'
import { StateView } from '../../ledger/state.ts'
import { checkTransaction, type Sealed, SignatureCache } from '../../ledger/transaction.ts'
import { hashing } from '../../node/signing.ts'
import { type Account, fromHex, type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import type { ChannelProof } from '../../schemas/transaction.ts'
import { alice, bob, carol, codeOf, coinsIn, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { bytes32, claim, close, NEVER, open, share, signedFor, wordOf, wordsFrom } from '../helpers/trade.ts'

const stranger = signer(9)
const allocations = [alice, bob, carol].map(({ account }) => ({ account, amount: 1_000_000 }))
const network = testNetwork({ allocations, maturity: 100 })
const words = wordsFrom(bytes32(7), 3000)
const most = Number.MAX_SAFE_INTEGER

/** A chain on which Alice has opened a channel for Bob, and what is in it. */
function opened(amount = 1000, fields: object = {}) {
  const chain = new TestChain(network)
  const sealed = open(chain, alice, bob, amount, fields)
  chain.grow(1, [sealed], stranger)
  const id = sealed.id
  return {
    chain,
    id,
    entry: () => chain.chain.state.channel(id),
    has: ({ account }: { account: Account }) => chain.chain.state.account(account).balance - 1_000_000,
    /** Mines a transaction; its code when it is refused. */
    mine: (sealed: Sealed) => codeOf(chain.accept(chain.block([], { forced: [sealed], miner: stranger }))),
    /** The same with a state root that fits. */
    take: (sealed: Sealed) => {
      const outcome = chain.accept(chain.block([sealed], { miner: stranger }))
      if (!outcome.ok) throw new Error(outcome.fault.message)
      return outcome.value.connected[0]?.transactions.length === 1
    },
    by: (amount: number, signedBy = alice) =>
      claim(chain, carol, id, signedFor(network, signedBy, id, amount)),
    words: (steps: number, list = words) => claim(chain, carol, id, wordOf(list, steps)),
  }
}
const checked = (sealed: Sealed) => codeOf(checkTransaction(network, sealed, new SignatureCache()))
const PAYWORD = { anchor: words[0], step: 2 }

t.test('an open takes the amount from the payer, and the supply stays', async (t) => {
  const { chain, entry, has, id } = opened(1000, { delay: 7, until: 99, ...PAYWORD })
  t.strictSame(entry(), {
    from: alice.account,
    to: bob.account,
    amount: 1000,
    paid: 0,
    delay: 7,
    closing: 99,
    word: words[0],
    steps: 0,
    step: 2,
  })
  t.equal(has(alice), -1000)
  t.equal(chain.chain.state.channel(ZERO_HASH), undefined)
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
  t.match(id, /^[0-9a-f]{64}$/)
})

t.test(
  'bad-channel: nothing in it, no delay, a step without a chain or a chain without a step',
  async (t) => {
    const chain = new TestChain(network)
    const one = (amount: number, fields: object = {}) => checked(open(chain, alice, bob, amount, fields))
    t.equal(one(1), 'ok')
    t.equal(one(0), 'bad-channel')
    t.equal(one(1, { delay: 0 }), 'bad-channel')
    t.equal(one(1, { step: 1 }), 'bad-channel')
    t.equal(one(1, { anchor: words[0] }), 'bad-channel')
    t.equal(one(1, PAYWORD), 'ok')
    t.equal(
      checked(open(chain, alice, { account: `01${'00'.repeat(31)}` as Account } as typeof bob, 1)),
      'bad-account',
    )
    t.equal(one(most, { fee: 1 }), 'ok', 'whether it is there is for the state to say')
  },
)

t.test('an open that is not covered is refused', async (t) => {
  const chain = new TestChain(network)
  const forced = (sealed: Sealed) => codeOf(chain.accept(chain.block([], { forced: [sealed] })))
  t.equal(forced(open(chain, alice, bob, 1_000_001)), 'insufficient-balance')
  t.equal(forced(open(chain, alice, bob, most, { fee: 1 })), 'amount-overflow')
})

t.test('a signed claim pays what it is above the one before, whoever sends it', async (t) => {
  const { take, by, entry, has, chain } = opened()
  t.ok(take(by(100)))
  t.strictSame([has(bob), has(alice), entry()?.paid], [100, -1000, 100])
  t.ok(take(by(1000)), 'up to the last unit')
  t.strictSame([has(bob), entry()?.paid, has(carol)], [1000, 1000, 0])
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
})

t.test('claim-not-higher: a claim that is replayed, or decreasing', async (t) => {
  const { take, mine, by } = opened()
  t.ok(take(by(100)))
  t.equal(mine(by(100)), 'claim-not-higher')
  t.equal(mine(by(99)), 'claim-not-higher')
  t.equal(mine(by(0)), 'claim-not-higher')
})

t.test(
  'of two claims in one block each pays its part, in the wrong order the lower is refused',
  async (t) => {
    const { chain, id, by, has, mine } = opened()
    const lower = by(10)
    const higher = claim(chain, carol, id, signedFor(network, alice, id, 30), { nonce: 1 })
    const accepted = chain.accept(chain.block([lower, higher], { miner: stranger }))
    t.ok(accepted.ok)
    t.equal(has(bob), 30)
    t.equal(mine(by(20)), 'claim-not-higher', 'a stale one')
  },
)

t.test('bad-claim: more than the channel has', async (t) => {
  const { mine, by } = opened()
  t.equal(mine(by(1001)), 'bad-claim')
  t.equal(mine(by(most)), 'bad-claim')
})

t.test(
  "bad-claim: another channel's claim, another network's, another payer's, another amount's",
  async (t) => {
    const { chain, id, mine, take } = opened()
    const other = opened(1001)
    t.not(id, other.id)
    const foreign = (proof: ChannelProof) => claim(chain, carol, id, proof)
    t.equal(checked(foreign(signedFor(network, alice, other.id, 5))), 'bad-claim')
    const elsewhere = testNetwork({ allocations, name: 'elsewhere' })
    t.equal(checked(foreign(signedFor(elsewhere, alice, id, 5))), 'bad-claim')
    t.equal(checked(foreign({ ...signedFor(network, alice, id, 5), amount: 6 })), 'bad-claim')
    t.equal(checked(foreign({ ...signedFor(network, alice, id, 5), payer: carol.account })), 'bad-claim')
    const smallOrder = `01${'00'.repeat(31)}` as Account
    t.equal(checked(foreign({ ...signedFor(network, alice, id, 5), payer: smallOrder })), 'bad-account')
    const own = foreign(signedFor(network, carol, id, 5))
    t.equal(checked(own), 'ok', "Carol's own signature is valid without the state")
    t.equal(mine(own), 'bad-claim', 'but the channel is not hers')
    t.equal(mine(foreign(signedFor(network, bob, id, 5))), 'bad-claim', "nor the payee's")
    t.ok(take(foreign(signedFor(network, alice, id, 5))))
  },
)

t.test('a spoilt authorisation is found also when the transaction itself is signed', async (t) => {
  const { chain, id } = opened()
  const cache = new SignatureCache()
  const proof = { ...signedFor(network, alice, id, 5), amount: 6 }
  const sealed = claim(chain, carol, id, proof)
  t.equal(codeOf(checkTransaction(network, sealed, cache)), 'bad-claim')
  t.equal(codeOf(checkTransaction(network, sealed, cache)), 'bad-claim', 'and is not remembered as good')
})

t.test('a claim names genesis, channel and amount', async (t) => {
  const message = (...args: Parameters<typeof claimMessage>) => toHex(claimMessage(...args))
  const one = message(network, bytes32(1), 5)
  const others = [
    message(network, bytes32(1), 6),
    message(network, bytes32(2), 5),
    message(testNetwork({ name: 'other' }), bytes32(1), 5),
  ]
  t.equal(new Set([one, ...others]).size, 4)
})

t.test('a word pays its steps, and moves the place from which the next one counts', async (t) => {
  const { take, words: by, entry, has, mine } = opened(1000, PAYWORD)
  t.ok(take(by(5)))
  t.strictSame([has(bob), entry()?.paid, entry()?.steps, entry()?.word], [10, 10, 5, words[5]])
  t.ok(take(by(6)))
  t.equal(has(bob), 12)
  t.equal(mine(by(6)), 'claim-not-higher', 'replayed')
  t.equal(mine(by(5)), 'claim-not-higher', 'steps below')
  t.ok(take(by(500)), 'all of it')
  t.equal(mine(by(501)), 'bad-claim', 'more than there is')
})

t.test('bad-claim: a word that is not in the chain, or is not so many steps up', async (t) => {
  const { chain, id, mine } = opened(1000, PAYWORD)
  const one = (steps: number, word: Hash) => mine(claim(chain, carol, id, { type: 'word', steps, word }))
  t.equal(one(5, bytes32(8)), 'bad-claim')
  t.equal(one(5, words[6] as Hash), 'bad-claim')
  t.equal(one(6, words[5] as Hash), 'bad-claim')
  t.equal(one(1, words[0] as Hash), 'bad-claim', 'the anchor itself is worth nothing')
  t.equal(one(0, words[0] as Hash), 'claim-not-higher')
})

t.test('bad-claim: a word in a channel without a chain, and another channel’s chain', async (t) => {
  const plain = opened()
  t.equal(plain.mine(plain.words(5)), 'claim-not-higher', 'a step is worth nothing there')
  const other = wordsFrom(bytes32(3), 10)
  const { mine, words: by } = opened(1000, PAYWORD)
  t.equal(mine(by(5, other)), 'bad-claim')
})

t.test('too-many-steps: one more than a claim may be above the one before', async (t) => {
  t.equal(CLAIM_STEPS_MAX, 1024)
  const { mine, take, words: by, has } = opened(6000, PAYWORD)
  t.equal(mine(by(CLAIM_STEPS_MAX + 1)), 'too-many-steps')
  t.ok(take(by(CLAIM_STEPS_MAX)))
  t.equal(mine(by(2 * CLAIM_STEPS_MAX + 1)), 'too-many-steps')
  t.ok(take(by(2 * CLAIM_STEPS_MAX)), 'counted from the last one')
  t.equal(has(bob), 4 * CLAIM_STEPS_MAX)
})

t.test('bad-claim: steps whose worth leaves 2^53 - 1', async (t) => {
  const step = 2 ** 52
  t.equal(provenAmount({ step }, { type: 'word', steps: 1, word: ZERO_HASH }), step)
  t.equal(provenAmount({ step }, { type: 'word', steps: 2, word: ZERO_HASH }), undefined)
  t.equal(provenAmount({ step: most }, { type: 'word', steps: 0xffffffff, word: ZERO_HASH }), undefined)
  t.equal(provenAmount({ step: most }, { type: 'word', steps: 1, word: ZERO_HASH }), most)
  const { mine, words: by } = opened(1000, { anchor: words[0], step })
  t.equal(mine(by(2)), 'bad-claim')
  t.equal(mine(by(1)), 'bad-claim', 'above the deposit')
})

t.test(
  'signed claims and words in one channel: the total counts, words go on from the last word',
  async (t) => {
    const { take, mine, by, words: step, entry, has } = opened(1000, PAYWORD)
    t.ok(take(step(5)))
    t.ok(take(by(100)))
    t.strictSame([entry()?.steps, entry()?.paid], [5, 100], 'a signature moves no word')
    t.equal(mine(step(50)), 'claim-not-higher', '50 steps are worth 100, which it has')
    t.ok(take(step(51)))
    t.equal(has(bob), 102)
  },
)

t.test('unknown-channel: one that never was, is not there yet, or is closed', async (t) => {
  const { chain, id, mine, take, by } = opened()
  t.equal(mine(claim(chain, carol, bytes32(1), signedFor(network, alice, bytes32(1), 5))), 'unknown-channel')
  t.equal(mine(close(chain, alice, bytes32(1))), 'unknown-channel')
  t.ok(take(close(chain, bob, id)))
  t.equal(mine(by(5)), 'unknown-channel')
  t.equal(mine(close(chain, bob, id)), 'unknown-channel', 'its coins come back once')
})

t.test('open, claim and close in one block, each sees the ones before', async (t) => {
  const chain = new TestChain(network)
  const made = open(chain, alice, bob, 50)
  const list = [
    made,
    claim(chain, carol, made.id, signedFor(network, alice, made.id, 20)),
    close(chain, bob, made.id),
  ]
  t.ok(chain.accept(chain.block(list, { miner: stranger })).ok)
  const { state } = chain.chain
  t.equal(state.channel(made.id), undefined)
  t.strictSame(
    [state.account(alice.account).balance, state.account(bob.account).balance],
    [999_980, 1_000_020],
  )
  const early = [claim(chain, carol, bytes32(4), signedFor(network, alice, bytes32(4), 1))]
  t.equal(codeOf(chain.accept(chain.block([], { forced: early }))), 'unknown-channel')
})

t.test('the payee closes at once, and the payer has back what was not claimed', async (t) => {
  const { chain, id, take, by, has, entry } = opened()
  t.ok(take(by(300)))
  t.ok(take(close(chain, bob, id)))
  t.strictSame([has(alice), has(bob), entry()], [-300, 300, undefined])
  t.equal(coinsIn(chain.chain.state), chain.chain.state.totals().supply)
})

t.test('the payer’s wish closes `delay` blocks later; claims in between count', async (t) => {
  const { chain, id, take, mine, by, has, entry } = opened(1000, { delay: 4 })
  const wishedAt = chain.chain.tip.height + 1
  t.ok(take(close(chain, alice, id)))
  t.equal(entry()?.closing, wishedAt + 4)
  t.equal(has(alice), -1000, 'nothing is back yet')
  t.equal(mine(close(chain, alice, id)), 'not-closable', 'a second wish changes nothing')
  t.ok(take(by(700)), 'the payee has until then')
  t.equal(mine(close(chain, carol, id)), 'not-closable', 'a stranger before it')
  chain.grow(wishedAt + 4 - chain.chain.next.height - 1, [], stranger)
  t.equal(mine(close(chain, alice, id)), 'not-closable', 'one block before')
  chain.grow(1, [], stranger)
  t.equal(chain.chain.next.height, wishedAt + 4)
  t.equal(mine(by(600)), 'claim-not-higher')
  t.ok(take(by(701)), 'a claim is good as long as nobody has closed it')
  t.ok(take(close(chain, alice, id)))
  t.strictSame([has(alice), has(bob), entry()], [-701, 701, undefined])
})

t.test('a stranger may close it from its height on, not before', async (t) => {
  const { chain, id, take, mine, has } = opened(1000, { until: 5 })
  t.equal(mine(close(chain, carol, id)), 'not-closable')
  chain.grow(2, [], stranger)
  t.equal(chain.chain.next.height, 4)
  t.equal(mine(close(chain, carol, id)), 'not-closable', 'one block before')
  chain.grow(1, [], stranger)
  t.ok(take(close(chain, carol, id)))
  t.strictSame([has(alice), has(carol)], [0, 0])
})

t.test('not-closable: a wish that would close it no sooner', async (t) => {
  const { chain, id, mine, take, entry } = opened(1000, { delay: 4, until: 7 })
  t.equal(chain.chain.next.height, 2)
  t.ok(take(close(chain, alice, id)), 'closes at 6, sooner than 7')
  t.equal(entry()?.closing, 6)
  const late = opened(1000, { delay: 4, until: 6 })
  t.equal(late.mine(close(late.chain, alice, late.id)), 'not-closable', 'not sooner than 6')
  t.equal(mine(close(chain, alice, id)), 'not-closable')
  const long = opened(1000, { delay: NEVER })
  t.equal(long.mine(close(long.chain, alice, long.id)), 'not-closable', 'beyond the last height there is')
})

t.test('a channel to oneself does nothing that counts', async (t) => {
  const chain = new TestChain(network)
  const made = open(chain, alice, alice, 50)
  const list = [made, claim(chain, alice, made.id, signedFor(network, alice, made.id, 20), { nonce: 1 })]
  t.ok(chain.accept(chain.block(list, { miner: stranger })).ok)
  t.ok(chain.accept(chain.block([close(chain, alice, made.id)], { miner: stranger })).ok)
  t.equal(chain.chain.state.account(alice.account).balance, 1_000_000)
})

t.test('what a claim brings is split, what a close brings back is not', async (t) => {
  const { chain, id, take, by, has } = opened()
  t.ok(take(share(chain, bob, [[carol.account, 2500]])))
  t.ok(take(share(chain, alice, [[carol.account, 10_000]])))
  t.ok(take(by(101)))
  t.strictSame([has(bob), has(carol)], [76, 25], 'a share is rounded down')
  t.ok(take(close(chain, bob, id)))
  t.equal(has(alice), -101)
})

t.test('a claim counts in a block what it takes to check', async (t) => {
  const { chain, id, by, words: step } = opened(1000, PAYWORD)
  const counts = [by(5), step(5), close(chain, bob, id), open(chain, alice, bob, 1)]
  t.strictSame(
    counts.map(({ transaction }) => signaturesOf(transaction)),
    [2, 1 + WORD_SIGNATURES, 1, 1],
  )
})

t.test('a refused claim or close leaves the view as it was', async (t) => {
  const { chain, id, by } = opened()
  const context = { ...chain.chain.next, miner: bob.account }
  for (const sealed of [by(1001), close(chain, carol, id), close(chain, carol, bytes32(1))]) {
    const view = new StateView(chain.chain.state)
    t.not(codeOf(applyTransaction(network, view, sealed, context)), 'ok')
    t.strictSame(view.changes(), [])
  }
})

t.test(
  'a reorganisation takes claims and closes back, and they count again on the other branch',
  async (t) => {
    const ours = opened()
    const theirs = opened()
    const claimed = ours.by(400)
    ours.take(claimed)
    ours.take(close(ours.chain, bob, ours.id))
    theirs.chain.grow(2, [], carol)
    t.ok(theirs.take(claimed))
    t.ok(ours.chain.follow(theirs.chain)?.ok)
    t.equal(ours.chain.chain.state.root(), theirs.chain.chain.state.root())
    t.equal(ours.entry()?.paid, 400)
  },
)

t.test('wordBefore hashes with its tag, remembers, and takes no step for 0', async (t) => {
  const last = words.at(-1) as Hash
  for (let twice = 0; twice < 2; twice++) t.equal(wordBefore(hashing, last, 3000), words[0])
  t.equal(wordBefore(hashing, last, 0), last)
  t.equal(wordBefore(hashing, last, 1), toHex(hashing.tagged('word', fromHex(last))))
})
