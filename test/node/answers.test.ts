import t from 'tap'
import { Chain } from '../../ledger/chain.ts'
import { headerHash } from '../../ledger/header.ts'
import { KIND } from '../../ledger/state.ts'
import { answer, viewOf } from '../../node/answers.ts'
import { BLOCK_BYTES_MAX, header as headerCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { BLOCKS_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX, type Request, reply } from '../../schemas/message.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'

const ask = (test: TestChain, question: Request) => {
  const answered = answer(test.chain, question)
  if (answered === undefined) return undefined
  // What is answered has to be sendable.
  t.ok(encode(reply, { ...answered, id: question.id }).length <= MESSAGE_BYTES_MAX)
  return answered
}
const grown = (blocks: number): TestChain => {
  const test = new TestChain()
  test.grow(blocks)
  return test
}
const hashesOf = ({ chain }: TestChain): Hash[] =>
  Array.from({ length: chain.tip.height }, (_, below) => chain.at(below + 1)?.hash ?? ZERO_HASH)
const blocksFor = (test: TestChain, hashes: readonly Hash[], height = 1) => {
  const answered = ask(test, { type: 'getBlocks', id: 1, height, hashes })
  return answered?.type === 'blocks' ? answered.blocks : []
}

t.test(
  'headers follow the first locator entry that is on the best chain, at most as many as asked',
  async (t) => {
    const test = grown(5)
    const hashes = hashesOf(test)
    const heights = (locator: readonly Hash[], limit: number): number[] => {
      const answered = ask(test, { type: 'getHeaders', id: 1, locator, limit })
      return answered?.type === 'headers' ? answered.headers.map(({ height }) => height) : []
    }
    t.strictSame(heights(hashes.slice(1, 2), 100), [3, 4, 5])
    t.strictSame(heights(hashes.slice(1, 2), 2), [3, 4])
    t.strictSame(heights([ZERO_HASH, ...hashes.slice(3, 4)], 100), [5], 'an unknown one is passed over')
    t.strictSame(heights([], 100), [1, 2, 3, 4, 5], 'without any: from block 1')
    t.strictSame(heights(hashes.slice(-1), 100), [])
    t.strictSame(heights([], 0), [])
  },
)

t.test('whoever asks for more headers than fit a reply gets what fits', async (t) => {
  const test = new TestChain()
  const { chain, archive, network } = test
  for (let height = 1; height <= HEADERS_MAX + 1; height++) {
    const { hash: parent } = chain.at(height - 1) ?? { hash: ZERO_HASH }
    const header = { ...network.block0, height, parent }
    const hash = headerHash(network.hashing, header)
    chain.restore({ ...header, hash, nonce: toHex(header.nonce), miner: bob.account })
    chain.restoreTip(hash, network.state0)
    archive.blocks.set(hash, encode(headerCodec, header))
  }
  const answered = ask(test, { type: 'getHeaders', id: 1, locator: [], limit: 65_535 })
  t.equal(answered?.type === 'headers' && answered.headers.length, HEADERS_MAX)
})

t.test('blocks come byte for byte in the order asked, up to the first that is not known', async (t) => {
  const test = grown(3)
  const [first, second, third] = hashesOf(test)
  if (first === undefined || second === undefined || third === undefined) throw new Error('three blocks')
  const bytes = (...hashes: Hash[]) => hashes.map((hash) => test.archive.block(hash))
  t.strictSame(blocksFor(test, [third, first]), bytes(third, first))
  t.strictSame(blocksFor(test, [first, ZERO_HASH, second]), bytes(first))
  t.strictSame(blocksFor(test, [test.network.block0Hash, first]), [], 'block 0 has no body')
  t.strictSame(blocksFor(test, []), [])
})

t.test('a side block is answered too: its branch may win', async (t) => {
  const test = grown(2)
  const other = new TestChain(test.network)
  other.grow(1, [], carol)
  test.follow(other)
  const [side] = hashesOf(other)
  t.equal(side === undefined || test.chain.isBest(test.chain.entry(side) ?? test.chain.tip), false)
  t.strictSame(blocksFor(test, hashesOf(other)), [other.archive.block(side ?? ZERO_HASH)])
})

t.test('a block below the window is found by its height, as long as it is kept', async (t) => {
  const test = grown(6)
  const hashes = hashesOf(test)
  const kept = new Map(
    hashes.slice(1, 4).map((hash, index) => [`${index + 2} ${hash}`, test.archive.block(hash)]),
  )
  const archive = Object.assign(Object.create(test.archive), {
    settled: (height: number, hash: Hash) => kept.get(`${height} ${hash}`),
  })
  Object.assign(test.chain, { archive })
  test.chain.trim(4)
  const bytes = (...heights: number[]) =>
    heights.map((height) => test.archive.block(hashes[height - 1] ?? ZERO_HASH))
  t.strictSame(blocksFor(test, hashes.slice(1), 2), bytes(2, 3, 4, 5, 6), 'over the base into the window')
  t.strictSame(blocksFor(test, hashes, 1), [], 'the first is not kept')
  t.strictSame(blocksFor(test, hashes.slice(1), 3), [], 'a wrong height')
  t.strictSame(blocksFor(test, hashes.slice(5), 1), bytes(6), 'in the window the hash is enough')
})

t.test('as many blocks as fit one message, and the largest block always does', async (t) => {
  const test = grown(3)
  const hashes = hashesOf(test)
  const sized = (...bytes: number[]): number => {
    for (const [index, hash] of hashes.entries())
      test.archive.blocks.set(hash, new Uint8Array(bytes[index] ?? 0))
    return blocksFor(test, hashes).length
  }
  const room = MESSAGE_BYTES_MAX - 1024
  const half = room / 2 - 4
  t.equal(sized(half, half, 1), 2)
  t.equal(sized(half, half - 5, 1), 3, 'to the last byte')
  t.equal(sized(half, half - 4, 1), 2)
  t.equal(sized(half, half + 1, 1), 1, 'no later block takes the place of one that does not fit')
  t.equal(sized(BLOCK_BYTES_MAX, BLOCK_BYTES_MAX, 1), 1)
})

t.test('as many hashes as a request holds are answered', async (t) => {
  const test = grown(1)
  const [hash = ZERO_HASH] = hashesOf(test)
  t.equal(
    blocksFor(
      test,
      Array.from({ length: BLOCKS_MAX }, () => hash),
    ).length,
    BLOCKS_MAX,
  )
})

t.test("an account's view: nonce and balance at the tip, and rewards that still mature apart", async (t) => {
  const test = new TestChain(testNetwork({ maturity: 2, subsidy: 50, halvingInterval: 1_000 }))
  const before = viewOf(test.chain, alice.account)
  test.grow(1, [test.transfer(alice, carol.account, 5, { memo: 'a coffee' })])
  test.grow(2)
  t.strictSame(ask(test, { type: 'getAccount', id: 1, account: alice.account }), {
    type: 'account',
    view: { account: alice.account, height: 3, nonce: 1, balance: before.balance - 5, maturing: 0 },
  })
  const view = (account: typeof bob.account) => viewOf(test.chain, account)
  t.match(view(carol.account), { nonce: 0, balance: 5 })
  const { balance, maturing } = view(bob.account)
  t.strictSame([balance, maturing], [50, 100], 'one reward of three has matured')
})

t.test("an entry's bytes at the tip, and none for what is not there", async (t) => {
  const test = new TestChain()
  test.grow(1, [test.transfer(alice, bob.account, 5)])
  const entry = (kind: number, key: string) => ask(test, { type: 'getEntry', id: 1, kind, key: key as Hash })
  const nonce1 = '0000000000000001'
  const found = entry(KIND.account, alice.account)
  t.match(found, {
    type: 'entry',
    height: 1,
    value: test.chain.state.get(KIND.account, alice.account as never),
  })
  t.match(found?.type === 'entry' && toHex(found.value), new RegExp(`^${nonce1}`))
  const none = { type: 'entry', height: 1, value: new Uint8Array(0) }
  t.strictSame(entry(KIND.split, alice.account), none)
  t.strictSame(entry(KIND.account, carol.account), none)
  t.strictSame(entry(255, alice.account), none, 'nor of a kind that nobody knows')
})

t.test('a proof is given of what is there, and else silence', async (t) => {
  const test = new TestChain()
  const account = alice.account
  t.equal(ask(test, { type: 'getBalance', id: 1, account }), undefined, 'block 0 has no coinbase')
  const [one, two] = [
    test.transfer(alice, bob.account, 1),
    test.transfer(alice, bob.account, 2, { nonce: 1 }),
  ]
  test.grow(1, [one])
  test.grow(1, [two])
  const inclusion = (height: number, { id: transaction } = one) =>
    ask(test, { type: 'getInclusion', id: 1, height, transaction })
  const header = (height: number) => test.chain.header(height)
  t.match(inclusion(1), {
    proof: { header: header(1), transaction: one.bytes, index: 0, count: 1, path: [] },
  })
  t.match(inclusion(2, two), { proof: { header: header(2), transaction: two.bytes, following: [] } })
  const { content, time, nonce } = header(2)
  t.match(inclusion(1), { proof: { following: [{ content, time, nonce }] } })
  for (const height of [0, 2, 3, 0xffffffff]) t.equal(inclusion(height), undefined, `not at height ${height}`)
  const proof = ask(test, { type: 'getBalance', id: 1, account })
  t.match(proof, {
    type: 'balance',
    proof: { header: header(2), state: test.chain.state.accountProof(account) },
  })
  t.match(proof, { proof: { coinbase: { stateRoot: test.chain.state.root() } } })
})

t.test('a block below the window is proven from as long as it is kept', async (t) => {
  const test = new TestChain()
  const sealed = test.transfer(alice, bob.account, 1)
  test.grow(1, [sealed])
  test.grow(2)
  const { chain, archive } = test
  const headers = [1, 2, 3].map((height) => chain.header(height))
  const kept = new Map(
    [1, 2, 3].map((height) => [height, archive.block(chain.at(height)?.hash ?? ZERO_HASH)]),
  )
  chain.trim(3)
  const question = { type: 'getInclusion', id: 1, height: 1, transaction: sealed.id } as const
  const settled = new Chain(
    chain.network,
    {
      block: (hash) => archive.block(hash),
      changes: (hash) => archive.changes(hash),
      waypoint: () => ZERO_HASH,
      waypointHeight: () => undefined,
      header: (height) => headers[height - 1] ?? chain.network.block0,
      settled: (height, hash) => {
        t.ok(height >= 1, 'block 0 is not looked for')
        const header = headers[height - 1]
        const known = header !== undefined && hash === headerHash(chain.network.hashing, header)
        return known ? kept.get(height) : undefined
      },
    },
    { position: chain.tip, miner: bob.account, state: chain.state },
  )
  t.match(answer(settled, question), { proof: { transaction: sealed.bytes, following: { length: 2 } } })
  t.match(answer(settled, { type: 'getBalance', id: 1, account: alice.account }), { type: 'balance' })
  t.equal(answer(settled, { ...question, height: 0 }), undefined)
  kept.clear()
  t.equal(answer(settled, question), undefined)
  t.equal(answer(settled, { type: 'getBalance', id: 1, account: alice.account }), undefined)
})
