import t from 'tap'
import { AGAIN_BLOCKS, BlockWalk, blocksAbove } from '../../edge-agent/block-walk.ts'
import type { Update } from '../../ledger/chain.ts'
import { invariant } from '../../schemas/result.ts'
import { carol, TestChain } from '../helpers/ledger.ts'

/** What a walk shows, as `height@confirmations`. */
const shown = (walk: BlockWalk, depthMax: number): string[] =>
  [...walk.next(depthMax)].map(({ entry, confirmations }) => `${entry.height}@${confirmations}`)

const grown = (blocks: number): TestChain => {
  const test = new TestChain()
  test.grow(blocks)
  return test
}

t.test('each block once at each depth, also when several came at once', async (t) => {
  const test = new TestChain()
  const walk = new BlockWalk(test.chain)
  t.strictSame(shown(walk, 2), [], 'block 0 has nothing to show')
  test.grow(3)
  t.strictSame(shown(walk, 2), ['1@1', '2@1', '1@2', '3@1', '2@2'])
  t.strictSame(shown(walk, 2), [])
  test.grow(1)
  const [first, second] = [...walk.next(2)]
  t.match(first, { entry: { height: 4 }, top: { height: 4 }, block: { block: { coinbase: { height: 4 } } } })
  t.match(second, { entry: { height: 3 }, top: { height: 4 }, confirmations: 2 })
  t.equal(walk.height, 4)
})

t.test('it begins some blocks below where it was, or below what is known to be dealt with', async (t) => {
  const { chain } = grown(50)
  t.equal(new BlockWalk(chain).height, 50 - AGAIN_BLOCKS)
  t.equal(new BlockWalk(chain, 40).height, 40 - AGAIN_BLOCKS)
  t.equal(
    new BlockWalk(chain, 4_000).height,
    50 - AGAIN_BLOCKS,
    'not beyond a chain that was lost and begun anew',
  )
  t.equal(new BlockWalk(chain, 4).height, 0)
  t.strictSame(
    [...blocksAbove(chain, 48)].map(({ entry }) => entry.height),
    [49, 50],
  )
})

t.test('a long way is gone in steps of 20 heights', async (t) => {
  const { chain } = grown(45)
  const walk = new BlockWalk(chain, 30)
  t.strictSame(
    [shown(walk, 1).length, shown(walk, 1).length, shown(walk, 1).length, walk.height],
    [20, 20, 5, 45],
  )
})

t.test('after a reorganisation the new blocks are shown, at each depth', async (t) => {
  const test = grown(3)
  const walk = new BlockWalk(test.chain)
  t.equal(shown(walk, 2).length, 5)
  const other = new TestChain(test.network)
  other.grow(1)
  other.grow(3, [], carol)
  for (let height = 1; height <= 4; height++) {
    const outcome = test.acceptBytes(other.archive.block(other.chain.at(height)?.hash ?? test.chain.tip.hash))
    if (!outcome.ok) continue
    const update: Update = outcome.value
    walk.update(update)
  }
  invariant(test.chain.tip.hash === other.chain.tip.hash, 'the other branch has won')
  t.strictSame(shown(walk, 2), ['2@1', '1@2', '3@1', '2@2', '4@1', '3@2'])
})
