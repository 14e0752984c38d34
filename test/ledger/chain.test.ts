import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { Chain } from '../../ledger/chain.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { FUTURE_INTERVALS_MAX, headerHash } from '../../ledger/header.ts'
import {
  type Block,
  block as blockCodec,
  HEADER_BYTES,
  HEADER_TIME_OFFSET,
  type Header,
} from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, toHex } from '../../schemas/hex.ts'
import {
  alice,
  bob,
  carol,
  codeOf,
  coinsIn,
  mine,
  remake,
  seeded,
  signer,
  TestChain,
  testNetwork,
} from '../helpers/ledger.ts'

const network = testNetwork()
const { interval } = network.genesis
const hashOf = (test: TestChain, height: number) => test.chain.at(height)?.hash as Hash
const bytesAt = (test: TestChain, height: number) => test.archive.block(hashOf(test, height))
const snapshot = ({ chain }: TestChain) => ({
  tip: chain.tip.hash,
  root: chain.state.root(),
  locator: chain.locator(),
})

t.test('blocks with transfers extend the chain, and rewards mature', async (t) => {
  const test = new TestChain()
  test.grow(1, [test.transfer(alice, bob.account, 5 * COIN)])
  t.equal(test.chain.tip.height, 1)
  t.equal(test.chain.state.account(bob.account).balance, 5 * COIN)
  test.grow(5)
  t.equal(test.chain.state.account(bob.account).balance, 55 * COIN)
  t.equal(test.chain.state.totals().supply, 1300 * COIN)
})

t.test(
  'the branch with more work wins, and losing blocks are disconnected with their changes undone',
  async (t) => {
    const ours = new TestChain(network)
    const theirs = new TestChain(network)
    ours.grow(2, [ours.transfer(alice, carol.account, COIN)])
    theirs.grow(3)
    const lost = [hashOf(ours, 2), hashOf(ours, 1)]
    const last = ours.follow(theirs)
    t.ok(last?.ok)
    if (!last?.ok) return
    t.strictSame(
      last.value.disconnected.map(({ entry }) => entry.hash),
      lost,
      'from the tip back',
    )
    t.strictSame(
      last.value.connected.map(({ entry }) => entry.height),
      [1, 2, 3],
      'from the fork on',
    )
    t.strictSame(snapshot(ours), snapshot(theirs))
    t.equal(ours.chain.state.account(carol.account).balance, 0)
  },
)

t.test(
  "a shorter branch with more work wins over a longer one, whose heights are then nobody's",
  async (t) => {
    const steered = testNetwork({ halfLife: 1, target: targetFor(16), targetMax: targetFor(2) })
    const grow = (count: number, stepMs: number) => {
      const chain = new TestChain(steered)
      for (let height = 1; height <= count; height++) {
        chain.accept(chain.block([], { header: { time: chain.chain.tip.time + stepMs } }))
      }
      return chain
    }
    const [long, short] = [grow(6, 3 * interval), grow(4, interval / 4)]
    const node = new TestChain(steered)
    node.follow(long)
    t.equal(node.chain.tip.height, 6)
    t.ok(node.follow(short)?.ok)
    t.strictSame(snapshot(node), snapshot(short))
    t.equal(node.chain.at(5), undefined)
    t.equal(node.chain.headersAfter([], 100).length, 4)
    const old = node.chain.entry(long.chain.tip.hash)
    t.equal(old === undefined || node.chain.isBest(old), false)
  },
)

t.test('on a tie the first seen stays, whichever that is', async (t) => {
  const [a, b] = [new TestChain(network), new TestChain(network)]
  a.grow(2, [], alice)
  b.grow(2, [], carol)
  for (const [first, second] of [
    [a, b],
    [b, a],
  ] as const) {
    const node = new TestChain(network)
    node.follow(first)
    t.match(node.follow(second), { ok: true, value: { disconnected: [], connected: [] } })
    t.equal(node.chain.tip.hash, first.chain.tip.hash)
  }
})

t.test(
  'reorganisations of depth 1 to 50 lead to exactly the state of a chain that only saw the winner',
  async (t) => {
    const random = seeded(11)
    const people = [alice, bob, carol, signer(4), signer(5)]
    const pick = () => people[Math.floor(random() * people.length)] ?? alice
    /** Random payments and readings of one block. */
    const traffic = (test: TestChain) => {
      const nonces = new Map<string, number>()
      return Array.from({ length: Math.floor(random() * 4) }, () => {
        const from = pick()
        const nonce = nonces.get(from.account) ?? test.nonceOf(from.account)
        nonces.set(from.account, nonce + 1)
        const fee = Math.floor(random() * 1000)
        return random() < 0.3
          ? test.reading(from, { nonce })
          : test.transfer(from, pick().account, Math.floor(random() * COIN), { nonce, fee })
      })
    }
    const observer = new TestChain(testNetwork({ maturity: 3 }))
    const winner = new TestChain(observer.network)
    for (const depth of [1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 50]) {
      const before = snapshot(observer)
      for (let block = 0; block < depth; block++) observer.grow(1, traffic(observer), pick())
      for (let block = 0; block <= depth; block++) winner.grow(1, traffic(winner), pick())
      const last = observer.follow(winner)
      if (!last?.ok || last.value.disconnected.length !== depth) t.fail(`depth ${depth} is not reorganised`)
      t.strictSame(snapshot(observer), snapshot(winner), `depth ${depth}`)
      t.not(observer.chain.tip.hash, before.tip)
      const { state, tip } = observer.chain
      t.equal(coinsIn(state), state.totals().supply, 'balances and maturing rewards are the supply')
      // These miners claim everything, so nothing is burnt: supply is what the genesis and the subsidies made.
      t.equal(state.totals().supply, 1000 * COIN + tip.height * 50 * COIN)
    }
    const fresh = new TestChain(observer.network)
    fresh.follow(winner)
    t.strictSame(snapshot(fresh), snapshot(observer))
    t.strictSame([...fresh.chain.state.values()], [...observer.chain.state.values()])
  },
)

t.test(
  'an invalid block in the middle of a heavier branch changes nothing and leaves with its children',
  async (t) => {
    const ours = new TestChain(network)
    ours.grow(3)
    // A peer whose second block lies about the state: its own chain object cannot hold it, so headers are built by hand.
    const theirs = new TestChain(network)
    theirs.grow(1, [], carol)
    const first = bytesAt(theirs, 1)
    const bad = theirs.block([], { miner: carol, coinbase: { stateRoot: 'ab'.repeat(32) as Hash } })
    const children = [bad]
    for (let count = 0; count < 2; count++) children.push(childOf(children.at(-1) as Block))
    const before = snapshot(ours)
    t.ok(ours.acceptBytes(first).ok)
    t.ok(ours.accept(children[0] as Block).ok, 'a side block, not executed yet')
    t.ok(ours.accept(children[1] as Block).ok, 'its child, a tie')
    t.equal(codeOf(ours.accept(children[2] as Block)), 'bad-state-root', 'heavier: executed, and found out')
    t.strictSame(snapshot(ours), before)
    t.ok(ours.chain.entry(hashOf(theirs, 1)), 'the valid block before it stays')
    for (const block of children) {
      const hash = blockHash(block)
      t.equal(ours.chain.entry(hash), undefined)
      t.equal(ours.chain.isInvalid(hash), true)
    }
    t.equal(codeOf(ours.accept(children[0] as Block)), 'known', 'not judged twice')
    t.equal(codeOf(ours.accept(children[1] as Block)), 'invalid-parent')
    t.equal(codeOf(ours.accept(childOf(children[2] as Block))), 'invalid-parent')
    ours.grow(1)
    t.equal(ours.chain.tip.height, 4, 'and honest work goes on')
  },
)

const blockHash = (block: Block): Hash => {
  const bytes = encode(blockCodec, block).subarray(0, HEADER_BYTES)
  return Buffer.from(network.hashing.double(bytes)).toString('hex') as Hash
}
/** An empty child with proof of work, one interval later, of a block that no chain accepted. */
function childOf(parent: Block): Block {
  const { header } = parent
  const place = { height: header.height + 1, parent: blockHash(parent) }
  const draft = { ...parent, transactions: [] }
  return mine(
    network,
    remake(network, draft, { header: { ...place, time: header.time + interval }, coinbase: place }, carol),
  )
}

t.test('a mutated body under a valid header does not stop the right body', async (t) => {
  const source = new TestChain(network)
  const block = source.block([source.transfer(alice, carol.account, 5), source.reading(bob)])
  const bytes = encode(blockCodec, block)
  const mutations: [string, Uint8Array][] = [
    ['bad-transactions-root', encode(blockCodec, { ...block, transactions: block.transactions.slice(1) })],
    ['bad-content', encode(blockCodec, { ...block, coinbase: { ...block.coinbase, reward: 1 } })],
    ['bad-encoding', bytes.subarray(0, -1)],
    ['bad-encoding', Uint8Array.of(...bytes, 0)],
    ['block-too-large', new Uint8Array([...bytes, ...new Uint8Array(100_000)])],
  ]
  for (const [code, mutated] of mutations) {
    const node = new TestChain(network)
    t.equal(codeOf(node.acceptBytes(mutated)), code)
    t.equal(node.chain.isInvalid(blockHash(block)), false)
    t.ok(node.acceptBytes(bytes).ok, `the right body after ${code}`)
  }
})

t.test('a block that is invalid behind a matching content is remembered', async (t) => {
  const node = new TestChain(network)
  for (const coinbase of [
    { reward: 51 * COIN },
    { height: 7 },
    { stateRoot: 'cd'.repeat(32) as Hash },
    { signature: new Uint8Array(64) },
  ]) {
    const block = node.block([], { coinbase })
    const code = codeOf(node.accept(block))
    t.match(code, /^bad-/)
    t.equal(node.chain.isInvalid(blockHash(block)), true, code)
    t.equal(codeOf(node.accept(block)), 'known')
  }
  t.equal(node.chain.tip.height, 0)
})

t.test('time-too-new: a block ahead of the clock is held, not remembered, and accepted later', async (t) => {
  const node = new TestChain(network)
  const now = node.nowMs
  const block = node.block([], { header: { time: now + FUTURE_INTERVALS_MAX * interval + 1 } })
  t.equal(codeOf(node.accept(block, now)), 'time-too-new')
  t.equal(node.chain.isInvalid(blockHash(block)), false)
  t.equal(node.chain.entry(blockHash(block)), undefined)
  t.ok(node.accept(block, now + 1).ok)
})

t.test('unknown-parent: held until the parent comes', async (t) => {
  const theirs = new TestChain(network)
  theirs.grow(2)
  const node = new TestChain(network)
  t.equal(codeOf(node.acceptBytes(bytesAt(theirs, 2))), 'unknown-parent')
  t.ok(node.acceptBytes(bytesAt(theirs, 1)).ok)
  t.ok(node.acceptBytes(bytesAt(theirs, 2)).ok)
  t.equal(codeOf(node.acceptBytes(bytesAt(theirs, 2))), 'known')
})

t.test('a header that breaks a rule is refused before its body is looked at', async (t) => {
  const node = new TestChain(network)
  const { header } = node.block()
  const easy = mine(network, { ...node.block(), header: { ...header, target: header.target + 1n } })
  const cut = encode(blockCodec, easy).subarray(0, HEADER_BYTES)
  t.equal(codeOf(node.acceptBytes(cut)), 'bad-target')
  t.equal(codeOf(node.acceptBytes(new Uint8Array(HEADER_BYTES - 1))), 'bad-encoding')
  t.equal(codeOf(node.acceptBytes(new Uint8Array())), 'bad-encoding')
})

t.test('no bytes whatever make the chain throw, and none but the honest ones are accepted', async (t) => {
  const random = seeded(5)
  const node = new TestChain(network)
  const bytes = encode(blockCodec, node.block([node.transfer(alice, carol.account, 5)]))
  const before = snapshot(node)
  const accepted: number[] = []
  for (let round = 0; round < 3000; round++) {
    const spoilt =
      round % 10 === 0
        ? Uint8Array.from({ length: Math.floor(random() * 600) }, () => random() * 256)
        : bytes.slice()
    for (let edits = 1 + Math.floor(random() * 3); edits > 0; edits--) {
      const at = Math.floor(random() * spoilt.length)
      // Another time or nonce can meet the easy target of this network by luck, and is then another valid block.
      if (at < HEADER_TIME_OFFSET || at >= HEADER_BYTES) spoilt[at] = random() * 256
    }
    if (Buffer.compare(spoilt, bytes) !== 0 && node.chain.accept(spoilt, node.nowMs).ok) accepted.push(round)
  }
  t.strictSame(accepted, [])
  t.strictSame(snapshot(node), before)
  t.ok(node.acceptBytes(bytes).ok, 'the honest block still is')
})

t.test('the newest 1000 invalid blocks are remembered, no more', async (t) => {
  const node = new TestChain(network)
  const invalid = (index: number) => node.block([], { coinbase: { height: 2 + index } })
  const first = invalid(0)
  node.accept(first)
  for (let index = 1; index <= 999; index++) node.accept(invalid(index))
  t.equal(node.chain.isInvalid(blockHash(first)), true)
  node.accept(invalid(1000))
  t.equal(node.chain.isInvalid(blockHash(first)), false, 'it will be judged anew')
  t.equal(codeOf(node.accept(first)), 'bad-coinbase')
})

t.test('a locator names ten blocks from the tip, then ever sparser ones, block 0 last', async (t) => {
  const test = new TestChain(network)
  test.grow(60)
  const heights = test.chain.locator().map((hash) => test.chain.entry(hash)?.height)
  t.strictSame(heights.slice(0, 11), [60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 49])
  t.equal(heights.at(-1), 0)
  t.ok(heights.length < 16)
  const heads = test.chain.headersAfter(['ee'.repeat(32) as Hash, hashOf(test, 57), hashOf(test, 1)], 10)
  t.strictSame(
    heads.map(({ height }) => height),
    [58, 59, 60],
    'after the first that is known',
  )
  t.equal(test.chain.headersAfter([], 10).length, 10, 'from block 1, up to the limit')
  t.strictSame(test.chain.headersAfter([test.chain.tip.hash], 10), [])
})

const storedOf = (hash: Hash, header: Header) => ({
  ...header,
  hash,
  nonce: toHex(header.nonce),
  miner: bob.account,
})

t.test('a restored tree has the same tip, state and entries, and goes on', async (t) => {
  const test = new TestChain(network)
  test.grow(4)
  const restored = new Chain(network, test.archive)
  for (const header of test.chain.headersAfter([], 4)) {
    t.ok(restored.restore(storedOf(headerHash(network.hashing, header), header)).ok)
  }
  restored.restoreTip(test.chain.tip.hash, test.chain.state)
  t.equal(restored.tip.work, test.chain.tip.work)
  t.strictSame(restored.locator(), test.chain.locator())
  const next = encode(blockCodec, test.block())
  t.ok(restored.accept(next, test.nowMs).ok)
  const orphan = test.block([], { header: { parent: 'aa'.repeat(32) as Hash } })
  t.equal(codeOf(restored.restore(storedOf(blockHash(orphan), orphan.header))), 'unknown-parent')
})
