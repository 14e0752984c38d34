import t from 'tap'
import { headerHash } from '../../ledger/network.ts'
import { answer, viewOf } from '../../node/answers.ts'
import { BLOCK_BYTES_MAX, header as headerCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { BLOCKS_MAX, HEADERS_MAX, MESSAGE_BYTES_MAX, type Request, reply } from '../../schemas/message.ts'
import { alice, bob, carol, TestChain, testNetwork } from '../helpers/ledger.ts'

const ask = (test: TestChain, question: Request) => {
  const answered = answer(test.chain, question)
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
const blocksFor = (test: TestChain, hashes: readonly Hash[]) => {
  const answered = ask(test, { type: 'getBlocks', id: 1, hashes })
  return answered.type === 'blocks' ? answered.blocks : []
}

t.test(
  'headers follow the first locator entry that is on the best chain, at most as many as asked',
  async (t) => {
    const test = grown(5)
    const hashes = hashesOf(test)
    const heights = (locator: readonly Hash[], limit: number): number[] => {
      const answered = ask(test, { type: 'getHeaders', id: 1, locator, limit })
      return answered.type === 'headers' ? answered.headers.map(({ height }) => height) : []
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
    chain.restore(hash, header, bob.account)
    chain.restoreTip(hash, network.state0)
    archive.blocks.set(hash, encode(headerCodec, header))
  }
  const answered = ask(test, { type: 'getHeaders', id: 1, locator: [], limit: 65_535 })
  t.equal(answered.type === 'headers' && answered.headers.length, HEADERS_MAX)
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
