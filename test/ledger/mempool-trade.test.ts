/** Channels and hashlocks in the mempool: what waits may be made worthless by others, or by time. */
import t from 'tap'
import { Mempool } from '../../ledger/mempool.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { alice, bob, carol, codeOf, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import {
  bytes32,
  claim,
  close,
  lock,
  open,
  refund,
  signedFor,
  tell,
  wordOf,
  wordsFrom,
} from '../helpers/trade.ts'

const [dave, miner] = [signer(4), signer(9)]
const allocations = [alice, bob, carol, dave].map(({ account }) => ({ account, amount: 1_000_000 }))
const network = testNetwork({ allocations, maturity: 100 })
const words = wordsFrom(bytes32(7), 100)
const secret = bytes32(5)

/** A mempool that follows a chain, on which Alice has a channel of 1000 and a lock of 100 for Bob. */
function lab(deadline = { height: 99, time: 0 }) {
  const chain = new TestChain(network)
  const opened = open(chain, alice, bob, 1000, { anchor: words[0], step: 1 })
  const locked = lock(chain, alice, bob, 100, secret, deadline, { nonce: 1 })
  chain.grow(1, [opened, locked], miner)
  const mempool = new Mempool(network)
  const accept = (block: ReturnType<TestChain['block']>) => {
    const accepted = chain.accept(block)
    if (!accepted.ok) throw new Error(accepted.fault.message)
    return mempool
      .update(chain.chain, accepted.value)
      .dropped.map(({ sealed, fault }) => [sealed.id, fault.code])
  }
  return {
    chain,
    mempool,
    channel: opened.id,
    lock: locked.id,
    add: (sealed: Sealed) => codeOf(mempool.add(sealed, chain.chain)),
    /** Mines a block; what the mempool drops because of it, and why. */
    block: (...list: readonly Sealed[]) => accept(chain.block(list, { miner })),
    ids: () => mempool.ordered().map(({ id }) => id),
    by: (of: typeof bob, amount: number, fields: object = {}) =>
      claim(chain, of, opened.id, signedFor(network, alice, opened.id, amount), fields),
  }
}

t.test('what the state does not allow does not wait', async (t) => {
  const { chain, channel, lock: locked, add, by } = lab()
  t.equal(add(by(carol, 1001)), 'bad-claim')
  t.equal(add(claim(chain, carol, bytes32(1), wordOf(words, 1))), 'unknown-channel')
  t.equal(add(claim(chain, carol, channel, wordOf(words, 0))), 'claim-not-higher')
  t.equal(add(close(chain, carol, channel)), 'not-closable')
  t.equal(add(refund(chain, alice, locked)), 'deadline-not-passed')
  t.equal(add(tell(chain, carol, locked, bytes32(6))), 'bad-preimage')
  t.equal(add(refund(chain, alice, bytes32(1))), 'unknown-hashlock')
  const waiting = open(chain, dave, bob, 10)
  t.equal(add(waiting), 'ok')
  t.equal(
    add(claim(chain, bob, waiting.id, signedFor(network, dave, waiting.id, 5))),
    'unknown-channel',
    'its open only waits',
  )
})

t.test(
  "somebody else's claim drops the waiting ones that it makes worthless, at once, and no others",
  async (t) => {
    const { chain, add, by, block, ids, mempool } = lab()
    const [low, high, behind] = [
      by(carol, 50),
      by(dave, 200),
      chain.transfer(carol, dave.account, 5, { nonce: 1 }),
    ]
    for (const sealed of [low, high, behind]) t.equal(add(sealed), 'ok')
    t.strictSame(block(by(bob, 100)), [[low.id, 'claim-not-higher']])
    t.strictSame(ids(), [high.id], 'a higher one is still worth something')
    t.equal(mempool.held, 1, 'what was behind it waits for another with its nonce')
    t.equal(add(chain.transfer(carol, carol.account, 0)), 'ok')
    t.equal(mempool.held, 0)
    t.equal(ids().length, 3, 'and then goes on')
    t.strictSame(block(high), [])
  },
)

t.test('a close drops every claim and close of its channel', async (t) => {
  const { chain, channel, add, by, block, mempool } = lab()
  const list = [by(carol, 50), claim(chain, dave, channel, wordOf(words, 60)), close(chain, alice, channel)]
  for (const sealed of list) t.equal(add(sealed), 'ok')
  const dropped = block(close(chain, bob, channel))
  t.strictSame(dropped.sort(), list.map(({ id }) => [id, 'unknown-channel']).sort())
  t.equal(mempool.size, 0)
})

t.test('a claim of a lock drops the others, and a claim of another lock does not', async (t) => {
  const { chain, lock: locked, add, block, ids } = lab()
  const other = lock(chain, dave, bob, 7, secret, { height: 99, time: 0 })
  block(other)
  const [mine, late] = [tell(chain, carol, locked, secret), tell(chain, dave, other.id, secret)]
  t.equal(add(mine), 'ok')
  t.equal(add(late), 'ok')
  t.strictSame(block(tell(chain, bob, locked, secret)), [[mine.id, 'unknown-hashlock']])
  t.strictSame(ids(), [late.id])
})

t.test(
  'a deadline that passes while a claim waits drops it, though no block touched its entries',
  async (t) => {
    const { chain, lock: locked, add, block, ids } = lab({ height: 4, time: 0 })
    const waiting = tell(chain, carol, locked, secret)
    t.equal(chain.chain.next.height, 2)
    t.equal(add(waiting), 'ok')
    t.strictSame(block(), [])
    t.strictSame(block(), [[waiting.id, 'deadline-passed']])
    t.strictSame(ids(), [])
    t.equal(add(refund(chain, carol, locked)), 'ok')
  },
)

t.test('a wish to close that has become useless while it waits is dropped', async (t) => {
  const chain = new TestChain(network)
  const opened = open(chain, alice, bob, 1000, { delay: 3, until: 7 })
  chain.grow(1, [opened], miner)
  const mempool = new Mempool(network)
  const wish = close(chain, alice, opened.id)
  t.equal(codeOf(mempool.add(wish, chain.chain)), 'ok', 'it would close at 5 instead of 7')
  const codes: string[] = []
  for (let block = 0; block < 3; block++) {
    const accepted = chain.accept(chain.block([], { miner }))
    if (!accepted.ok) throw new Error(accepted.fault.message)
    const { dropped } = mempool.update(chain.chain, accepted.value)
    codes.push(...dropped.map(({ fault }) => `${chain.chain.next.height} ${fault.code}`))
  }
  t.strictSame(codes, ['4 not-closable'])
})

t.test('a reorganisation brings a claim back, and drops it where the channel is gone', async (t) => {
  const { chain, channel, lock: locked, block, mempool, by, ids } = lab()
  const rival = new TestChain(network)
  rival.follow(chain)
  const [claimed, told] = [by(bob, 300), tell(chain, carol, locked, secret)]
  block(claimed, told)
  rival.grow(2, [], dave)
  const last = chain.follow(rival)
  if (!last?.ok) throw new Error('the rival has more work')
  t.strictSame(mempool.update(chain.chain, last.value).dropped, [])
  t.strictSame(ids().sort(), [claimed.id, told.id].sort(), 'both wait again')
  block(claimed, told)
  const gone = new TestChain(network)
  for (let height = 1; height <= 3; height++)
    gone.acceptBytes(chain.archive.block(chain.chain.at(height)?.hash ?? network.block0Hash))
  gone.grow(2, [close(gone, bob, channel)], dave)
  const moved = chain.follow(gone)
  if (!moved?.ok) throw new Error('it has more work, too')
  const { dropped } = mempool.update(chain.chain, moved.value)
  t.match(dropped, [{ sealed: { id: claimed.id }, fault: { code: 'nonce-too-low' } }])
  t.strictSame(ids(), [told.id])
})

t.test('a reorganisation to earlier times takes away what a deadline had allowed', async (t) => {
  const time = network.genesis.time + 20_000
  const { chain, lock: locked, mempool, add, ids } = lab({ height: 0, time })
  const quick = new TestChain(network)
  quick.follow(chain)
  const step = (on: TestChain, ms: number, by = miner) => {
    const at = on.chain.tip.time + ms
    const accepted = on.accept(on.block([], { header: { time: at }, miner: by }), at)
    if (!accepted.ok) throw new Error(accepted.fault.message)
    return accepted.value
  }
  for (let block = 0; block < 8; block++) mempool.update(chain.chain, step(chain, 6000))
  const back = refund(chain, carol, locked)
  t.equal(add(back), 'ok')
  for (let block = 0; block < 9; block++) step(quick, 1, dave)
  const moved = chain.follow(quick)
  if (!moved?.ok) throw new Error('the quick branch has more work')
  t.equal(chain.chain.tip.hash, quick.chain.tip.hash)
  t.ok(chain.chain.next.medianTime < time)
  const { dropped } = mempool.update(chain.chain, moved.value)
  t.match(dropped, [{ sealed: { id: back.id }, fault: { code: 'deadline-not-passed' } }])
  t.strictSame(ids(), [])
})

t.test('too-many-signatures: one that no block of this network could hold does not wait', async (t) => {
  const chain = new TestChain(testNetwork({ allocations, blockSignaturesMax: 5 }))
  const opened = open(chain, alice, bob, 1000, { anchor: words[0], step: 1 })
  chain.grow(1, [opened], miner)
  const mempool = new Mempool(chain.network)
  const word = claim(chain, carol, opened.id, wordOf(words, 5))
  t.equal(codeOf(mempool.add(word, chain.chain)), 'too-many-signatures')
  const signed = claim(chain, carol, opened.id, signedFor(chain.network, alice, opened.id, 5))
  t.equal(codeOf(mempool.add(signed, chain.chain)), 'ok')
})

t.test('who cannot pay for it has no word checked', async (t) => {
  const { chain, channel, add } = lab()
  const poor = signer(33)
  t.equal(add(claim(chain, poor, channel, wordOf(words.slice(1), 5), { fee: 1 })), 'insufficient-balance')
  t.equal(add(claim(chain, poor, channel, wordOf(words.slice(1), 5))), 'bad-claim')
})

t.test('a replacement is judged on the state, too, and leaves the old one when it fails', async (t) => {
  const { add, by, ids } = lab()
  const first = by(carol, 50)
  t.equal(add(first), 'ok')
  t.equal(add(by(carol, 1001, { fee: 9 })), 'bad-claim')
  t.strictSame(ids(), [first.id])
  const better = by(carol, 60, { fee: 9 })
  t.equal(add(better), 'ok')
  t.strictSame(ids(), [better.id])
})
