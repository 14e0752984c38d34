import t from 'tap'
import { ORPHANS_DEFAULTS, Orphans } from '../../node/orphans.ts'
import { block as blockCodec, type Header } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, hashFromBytes } from '../../schemas/hex.ts'
import { alice, bob, carol, mine, TestChain } from '../helpers/ledger.ts'

const test = new TestChain()
const { network } = test
const UNKNOWN = 'ab'.repeat(32) as Hash
let times = 0
/** A block on a parent that nobody has; each is another. */
function orphan(header: Partial<Header> = {}, meets = true): Uint8Array {
  const spoilt = { parent: UNKNOWN, time: test.nowMs + times++, ...header }
  const block = test.block()
  return encode(blockCodec, mine(network, { ...block, header: { ...block.header, ...spoilt } }, meets))
}
const hashOf = (bytes: Uint8Array): Hash => hashFromBytes(network.hashing.double(bytes.subarray(0, 115)))
const named = (number: number): Account => number.toString(16).padStart(64, '0') as Account

t.test('a block waits for its parent, and comes out once', async (t) => {
  const orphans = new Orphans(network)
  const [first, second] = [orphan(), orphan()]
  t.equal(orphans.add(first, bob.account, 0), true)
  t.equal(orphans.add(second, carol.account, 0), true)
  t.equal(orphans.add(first, alice.account, 0), true, 'it is there already')
  t.strictSame([orphans.size, orphans.bytes], [2, first.length + second.length])
  t.strictSame(orphans.take(hashOf(first), 0), [])
  t.match(orphans.take(UNKNOWN, 0), [
    { bytes: first, publisher: bob.account },
    { bytes: second, publisher: carol.account },
  ])
  t.strictSame([orphans.take(UNKNOWN, 0).length, orphans.size, orphans.bytes], [0, 0, 0])
})

t.test('only blocks with a proof of work are kept, and of a target that the network allows', async (t) => {
  const orphans = new Orphans(network)
  t.equal(orphans.add(orphan({}, false), bob.account, 0), false, 'its hash is above its target')
  const { targetMax } = network.genesis
  t.equal(orphans.add(orphan({ target: targetMax }), bob.account, 0), true)
  t.equal(orphans.add(orphan({ target: targetMax + 1n }), bob.account, 0), false)
  t.equal(orphans.add(Uint8Array.of(1, 2, 3), bob.account, 0), false)
  t.equal(orphans.add(new Uint8Array(network.genesis.blockBytesMax + 1), bob.account, 0), false)
  const large = new Uint8Array(network.genesis.blockBytesMax + 1)
  large.set(orphan())
  t.equal(orphans.add(large, bob.account, 0), false, 'too large for a block')
  t.equal(orphans.size, 1)
})

t.test('a publisher has eight places, and its weakest block makes room', async (t) => {
  const orphans = new Orphans(network)
  const { target } = test.block().header
  const blocks = Array.from({ length: 9 }, (_, index) => orphan(index === 3 ? { target: target * 2n } : {}))
  for (const bytes of blocks.slice(0, 8)) orphans.add(bytes, bob.account, 0)
  t.equal(orphans.add(orphan(), carol.account, 0), true, 'others have their own')
  t.equal(orphans.add(blocks[8] ?? new Uint8Array(), bob.account, 0), true)
  const kept = orphans.take(UNKNOWN, 0).filter(({ publisher }) => publisher === bob.account)
  t.strictSame(
    kept.map(({ bytes }) => blocks.indexOf(bytes)),
    [0, 1, 2, 4, 5, 6, 7, 8],
  )
})

t.test('a flood under many names does not drive out a block with more work', async (t) => {
  const orphans = new Orphans(network)
  const { targetMax } = network.genesis
  const honest = orphan({ target: targetMax / 2n })
  orphans.add(honest, bob.account, 0)
  const cheap = Array.from({ length: 80 }, () => orphan({ target: targetMax }))
  for (const [index, bytes] of cheap.entries()) orphans.add(bytes, named(index >> 2), 0)
  t.equal(orphans.size, ORPHANS_DEFAULTS.blocksMax)
  t.ok(orphans.take(UNKNOWN, 0).some(({ bytes }) => bytes === honest))
})

t.test('in all no more bytes than stated', async (t) => {
  const one = orphan()
  const orphans = new Orphans(network, { bytesMax: one.length * 3 })
  for (let count = 0; count < 6; count++) orphans.add(orphan(), named(count), 0)
  t.equal(orphans.size, 3)
  t.ok(orphans.bytes <= one.length * 3)
})

t.test('a block that has waited for a minute is forgotten', async (t) => {
  const orphans = new Orphans(network)
  const [old, young] = [orphan(), orphan()]
  orphans.add(old, bob.account, 0)
  orphans.add(young, bob.account, 30_000)
  t.match(orphans.take(UNKNOWN, 60_001), [{ bytes: young }])
  orphans.add(old, bob.account, 0)
  orphans.add(young, bob.account, 60_001)
  t.equal(orphans.size, 1, 'also when the next one comes')
})
