/** PROTOCOL.md section 14: the rules of a tick, and which genesis makes a slow hand. */
import t from 'tap'
import {
  anchorPath,
  anchorsRoot,
  checkAnchors,
  checkHand,
  checkTick,
  createHand,
  decodeTick,
  TICK_FUTURE_INTERVALS_MAX,
  tickTemplate,
} from '../../ledger/hand.ts'
import { checkHeader, position0 } from '../../ledger/header.ts'
import { checkMerklePath } from '../../ledger/merkle.ts'
import { hashing } from '../../node/signing.ts'
import { block as blockCodec, HEADER_BYTES, HEADER_TIME_OFFSET, type Header } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import type { Genesis, HandGenesis } from '../../schemas/genesis.ts'
import { fromHex, type Hash, ZERO_HASH } from '../../schemas/hex.ts'
import { ANCHORS_MAX, type Anchor, TICK_BYTES_MAX, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { handedGenesis, handGenesis, mineHeader, mineTick, TestHand, testHand } from '../helpers/hand.ts'
import { codeOf, START_MS, TestChain, testNetwork } from '../helpers/ledger.ts'

const test = new TestHand()
test.grow(2)
const { slow } = test
const { hand, tip } = slow
const T = hand.genesis.interval
const nowMs = test.nowMs
const ledger = (index: number): Hash => index.toString(16).padStart(64, '0') as Hash
const anchor = (index: number, height = index): Anchor => ({
  ledger: ledger(index),
  height,
  block: 'ab'.repeat(32) as Hash,
})
const check = (header: Partial<Header>, meets = true, now = nowMs) =>
  codeOf(checkTick(hand, mineHeader({ ...test.tick().header, ...header }, meets), tip, now))
const parse = (tick: Tick) => codeOf(checkAnchors(hand, tick))

t.test('a tick on the tip is accepted', async (t) => {
  t.equal(check({}), 'ok')
  t.equal(parse(test.tick()), 'ok')
  t.equal(parse(test.tick([anchor(1), anchor(2), anchor(7)])), 'ok')
})

t.test('tick 0 follows from the genesis alone', async (t) => {
  const { block0, genesisHash, id } = hand
  t.strictSame(
    { ...block0, nonce: [...block0.nonce] },
    {
      ...{ version: 1, height: 0, parent: genesisHash, content: ZERO_HASH },
      ...{ target: hand.genesis.target, time: START_MS, nonce: Array(8).fill(0) },
    },
  )
  t.equal(id, genesisHash.slice(0, 8))
  t.equal(position0(hand).work, 0n)
})

t.test('every field of the genesis makes another hand', async (t) => {
  const changes: Partial<HandGenesis>[] = [
    { name: 'tess' },
    { time: START_MS + 1 },
    { interval: T + 1 },
    { halfLife: 65 },
    { target: hand.genesis.target - 1n },
    { targetMax: hand.genesis.targetMax + 1n },
  ]
  const ids = changes.map((each) => createHand(handGenesis(each), hashing).genesisHash)
  t.equal(new Set([...ids, hand.genesisHash]).size, changes.length + 1)
})

t.test('unknown-parent, bad-height, bad-target, high-hash: as a block', async (t) => {
  t.equal(check({ parent: hand.block0Hash }), 'unknown-parent')
  for (const height of [0, 2, 4, 2 ** 32 - 1]) t.equal(check({ height }), 'bad-height')
  t.equal(check({ target: tip.childTarget + 1n }), 'bad-target')
  t.equal(check({ target: tip.childTarget - 1n }), 'bad-target')
  t.equal(check({}, false), 'high-hash')
})

t.test("time: after the parent's, and at most one interval of the hand ahead of this clock", async (t) => {
  t.equal(TICK_FUTURE_INTERVALS_MAX, 1)
  t.equal(check({ time: tip.time }), 'time-too-old')
  t.equal(check({ time: tip.time - 1 }), 'time-too-old')
  t.equal(check({ time: tip.time + 1 }), 'ok')
  t.equal(check({ time: nowMs + T }), 'ok')
  t.equal(check({ time: nowMs + T + 1 }), 'time-too-new')
  t.equal(check({ time: nowMs + T + 1 }, true, nowMs + 1), 'ok', 'and later no more')
  t.equal(check({ time: 2 ** 48 - 1 }), 'time-too-new')
})

t.test('the target follows the pace of the hand, not that of the ledger', async (t) => {
  const at = (time: number) => {
    const checked = checkTick(hand, mineTick(hand, tip, [], { time }).header, tip, nowMs + 40 * T)
    return checked.ok ? checked.value.childTarget : 0n
  }
  t.equal(at(tip.time + T), tip.childTarget)
  t.ok(at(tip.time + T - 1000) < tip.childTarget)
  t.ok(at(tip.time + T + 1000) > tip.childTarget)
  t.equal(at(tip.time + 20 * T), at(tip.time + 40 * T), 'what takes longer than 20 intervals counts as 20')
})

t.test('bad-anchors: out of order, or a ledger twice', async (t) => {
  t.equal(parse(test.tick([anchor(2), anchor(1)])), 'bad-anchors')
  t.equal(parse(test.tick([anchor(1), anchor(1)])), 'bad-anchors')
  t.equal(parse(test.tick([anchor(1, 5), anchor(1, 6)])), 'bad-anchors')
  t.equal(parse(test.tick([anchor(1), anchor(3), anchor(2)])), 'bad-anchors')
})

t.test('bad-content: the header commits to every anchor and their number', async (t) => {
  const tick = test.tick([anchor(1), anchor(2)])
  t.equal(parse(tick), 'ok')
  t.equal(parse({ ...tick, anchors: [] }), 'bad-content')
  t.equal(parse({ ...tick, anchors: [anchor(1)] }), 'bad-content')
  t.equal(parse({ ...tick, anchors: [anchor(1), anchor(2, 3)] }), 'bad-content')
  t.equal(parse({ ...tick, anchors: [anchor(1), anchor(2), anchor(3)] }), 'bad-content')
  t.equal(parse(test.tick([], { content: ZERO_HASH })), 'bad-content', 'no anchors have a root, too')
})

t.test('bad-encoding: cut at any length, trailing bytes, another version, too many anchors', async (t) => {
  const bytes = encode(tickCodec, test.tick([anchor(1)]))
  const code = (changed: Uint8Array) => codeOf(decodeTick(changed))
  for (let length = 0; length < bytes.length; length++)
    if (code(bytes.subarray(0, length)) !== 'bad-encoding') t.fail(`cut to ${length}`)
  t.equal(code(Buffer.concat([bytes, Uint8Array.of(0)])), 'bad-encoding')
  const other = bytes.slice()
  other[0] = 2
  t.equal(code(other), 'bad-encoding')
  const many = Buffer.concat([bytes.subarray(0, 115), Uint8Array.of(4, 1), new Uint8Array(68 * 1025)])
  t.equal(code(many), 'bad-encoding')
})

t.test('the largest tick has 1024 anchors and 69749 bytes, and is accepted', async (t) => {
  const anchors = Array.from({ length: ANCHORS_MAX }, (_, index) => anchor(index))
  const tick = test.tick(anchors)
  t.equal(encode(tickCodec, tick).length, TICK_BYTES_MAX)
  t.equal(TICK_BYTES_MAX, 69_749)
  t.equal(parse(tick), 'ok')
})

t.test('a flipped bit anywhere in a tick is noticed', async (t) => {
  const { slow: fresh } = new TestHand(testHand())
  const tick = mineTick(fresh.hand, fresh.tip, [anchor(1), anchor(9)])
  const bytes = encode(tickCodec, tick)
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const changed = bytes.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const outcome = fresh.accept(changed, START_MS + T)
    // Another time or nonce is by chance as good, one in sixteen: that is another tick, mined anew.
    const isMined = bit >> 3 >= HEADER_TIME_OFFSET && bit >> 3 < HEADER_BYTES
    if (outcome.ok && !isMined) t.fail(`bit ${bit}`)
  }
  t.equal(codeOf(fresh.accept(bytes, START_MS + T)), 'ok')
})

t.test("a block's header is no tick, and a tick's header no block", async (t) => {
  const network = testNetwork(handedGenesis({ hand: handGenesis() }))
  const chain = new TestChain(network)
  const { header } = chain.block()
  const slow0 = position0(hand)
  t.equal(codeOf(checkTick(hand, header, slow0, nowMs)), 'unknown-parent')
  const tick = mineTick(hand, slow0)
  t.equal(codeOf(checkHeader(network, tick.header, chain.chain.tip, nowMs)), 'unknown-parent')
  const { content } = tick.header
  t.equal(codeOf(chain.accept(chain.block([], { header: { content } }))), 'bad-content')
  t.equal(parse({ header, anchors: [] }), 'bad-content')
  t.notOk(decode(tickCodec, encode(blockCodec, chain.block()), TICK_BYTES_MAX).ok, 'nor its bytes')
})

t.test('a template sorts its anchors, and is later than the tip whatever the clock says', async (t) => {
  const template = tickTemplate(hand, tip, [anchor(3), anchor(1), anchor(2)], 0)
  t.strictSame(
    template.anchors.map(({ height }) => height),
    [1, 2, 3],
  )
  t.equal(template.header.time, tip.time + 1)
  t.equal(tickTemplate(hand, tip, [], tip.time + 5).header.time, tip.time + 5)
  t.equal(parse({ ...template, header: mineHeader(template.header) }), 'ok')
})

t.test('each anchor has a path to the content', async (t) => {
  for (const count of [1, 2, 3, 5, 8, 13]) {
    const anchors = Array.from({ length: count }, (_, index) => anchor(index))
    const root = fromHex(anchorsRoot(hashing, anchors))
    for (const [index, each] of anchors.entries()) {
      const leaf = hashing.tagged('anchor', encode(tickCodec.fields.anchors, [each]).subarray(2))
      const path = anchorPath(hashing, anchors, index).map(fromHex)
      if (!checkMerklePath(hashing, root, leaf, index, count, path)) t.fail(`${index} of ${count}`)
    }
  }
})

t.test('a genesis makes a slow hand only if the hand is a whole number of its blocks slow', async (t) => {
  const field = (overrides: Partial<Genesis>) => checkHand(handedGenesis(overrides))?.field
  t.equal(field({}), undefined)
  t.equal(field({ slowRatio: 3 }), 'hand.interval')
  t.equal(field({ slowRatio: 1, hand: handGenesis({ interval: 4_000 }) }), 'slowRatio')
  t.equal(field({ slowRatio: 0 }), 'slowRatio')
  t.equal(field({ hand: handGenesis({ interval: 16_001 }) }), 'hand.interval')
  t.equal(field({ interval: 65_538, slowRatio: 65_535 }), 'slowRatio', 'more milliseconds than a u32 has')
  t.equal(field({ hand: handGenesis({ halfLife: 0 }) }), 'hand.halfLife')
  t.equal(field({ hand: handGenesis({ target: 0n }) }), 'hand.target')
  t.equal(field({ hand: handGenesis({ target: 2n, targetMax: 1n }) }), 'hand.target')
  const { hand: _, ...without } = handedGenesis()
  t.equal(checkHand({ ...without, version: 1, slowRatio: 0 })?.field, undefined)
  t.equal(checkHand({ ...without, version: 1, slowRatio: 4 })?.field, 'slowRatio')
  t.equal(checkHand({ ...without, version: 2, slowRatio: 0 })?.field, 'hand')
})
