/** What a proof of when something happened shows, and what a forger cannot make it show. */
import t from 'tap'
import { anchorPath } from '../../ledger/hand.ts'
import { position0 } from '../../ledger/header.ts'
import { checkMoment } from '../../ledger/sandwich.ts'
import type { Block } from '../../schemas/block.ts'
import { ZERO_HASH } from '../../schemas/hex.ts'
import { COMPACT_BYTES, MOMENT_HEADERS_MAX, type Moment } from '../../schemas/moment.ts'
import { invariant } from '../../schemas/result.ts'
import { handedGenesis, handGenesis, mineTick, testHand } from '../helpers/hand.ts'
import { codeOf, testNetwork } from '../helpers/ledger.ts'
import { bytesOf, compact, first, hand, network, smallLab } from '../helpers/moment-lab.ts'

const { lab, paid, batch, read } = smallLab()
const inRoot = lab.proof({ height: 2, root: 2, before: 2 })
const aboveRoot = lab.proof({ height: 5, root: 4, before: 4 })
const direct = lab.proof({ height: 4, root: 4, before: 3 })
const fromTick0 = lab.proof({ height: 1, root: 1, before: 1 })
const sampled = lab.proof({ height: 2, root: 2, before: 2, sample: batch.samples.slice(3, 4) })
const onTop = lab.proof({ height: 2, root: 2, before: 2, last: 4 })
const PROOFS = { inRoot, aboveRoot, direct, fromTick0, sampled, onTop }

const check = (value: Moment, on = network) => checkMoment(on, bytesOf(value))
/** Why a proof is refused; 'ok' if it holds. */
const why = (value: Moment, on = network): string => {
  const checked = check(value, on)
  return checked.ok ? 'ok' : `${checked.fault.code}: ${checked.fault.message}`
}
const held = (value: Moment) => {
  const checked = check(value)
  invariant(checked.ok, checked.ok ? '' : checked.fault.message)
  return checked.value
}
const blockAt = (height: number): Block => lab.blocks[height - 1] as Block

t.test(
  'a proof says what was when: in the root, above it, anchored at once or some blocks later',
  async (t) => {
    const facts = Object.values(PROOFS).map((each) => {
      const { id, block, after, before, work, sample } = held(each)
      return [id.slice(0, 8), block, after.height, before.height, work, sample?.index]
    })
    const ids = [
      batch.sealed.id,
      held(aboveRoot).id,
      held(direct).id,
      paid.id,
      batch.sealed.id,
      batch.sealed.id,
    ]
    const shown = ids.map((id) => id.slice(0, 8))
    t.strictSame(facts, [
      [shown[0], 2, 1, 2, 16n, undefined],
      [shown[1], 5, 2, 4, 32n, undefined],
      [shown[2], 4, 2, 3, 16n, undefined],
      [shown[3], 1, 0, 1, 16n, undefined],
      [shown[4], 2, 1, 2, 16n, 3],
      [shown[5], 2, 1, 2, 16n, undefined],
    ])
    const { after, before, blockTime, blockHash } = held(inRoot)
    t.strictSame(after, { height: 1, hash: lab.hands.slow.hashAt(1), time: lab.ticks[0]?.header.time })
    t.strictSame(before, { height: 2, hash: lab.hands.slow.hashAt(2), time: lab.ticks[1]?.header.time })
    t.equal(blockTime, blockAt(2).header.time)
    t.equal(blockHash, lab.chain.chain.at(2)?.hash)
    const top = held(onTop)
    t.strictSame([top.last.height, top.work, top.workAbove, top.handWork], [4, 16n, 32n, 64n])
    t.strictSame([held(inRoot).last, held(inRoot).workAbove], [before, 0n])
    t.equal(held(fromTick0).after.hash, hand.block0Hash)
    t.equal(held(lab.proof({ height: 2, index: 1, root: 2, before: 2 })).id, read.id)
    t.equal(why(lab.proof({ height: 2, root: 1, before: 4 })), 'ok', 'wider than need be')
  },
)

t.test('cut at every length, and with bytes behind', async (t) => {
  for (const value of [fromTick0, sampled]) {
    const bytes = bytesOf(value)
    for (let length = 0; length < bytes.length; length++)
      if (codeOf(checkMoment(network, bytes.subarray(0, length))) === 'ok') t.fail(`cut to ${length}`)
    t.equal(codeOf(checkMoment(network, Buffer.concat([bytes, Uint8Array.of(0)]))), 'bad-encoding')
  }
})

t.test('every byte of every proof is bound; all bits on a sample of the shortest', async (t) => {
  for (const [name, value] of Object.entries(PROOFS)) {
    const bytes = bytesOf(value)
    // Time and nonce of the last tick are its miner's, and its content if nothing hangs on its anchors: one in sixteen is as
    // good a tick, with a hash of its own.
    const free = bytes.length - (name === 'onTop' ? COMPACT_BYTES : 14)
    const original = held(value).last.hash
    for (let at = 0; at < bytes.length; at++)
      for (const flip of name === 'direct' && at % 7 === 0 ? [1, 2, 4, 8, 16, 32, 64, 128, 255] : [255]) {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ flip
        const checked = checkMoment(network, changed)
        if (checked.ok && (at < free || checked.value.last.hash === original))
          t.fail(`${name}: byte ${at} of ${bytes.length}, ${flip}`)
      }
  }
})

t.test("another network's genesis, also one that shares the hand, and one without a hand", async (t) => {
  const sister = testNetwork(handedGenesis({ name: 'sister' }))
  const stranger = testNetwork(handedGenesis({ hand: handGenesis({ name: 'strange' }) }))
  for (const on of [sister, stranger]) {
    t.match(why(inRoot, on), /^bad-proof: ledger: the proof is of network/)
    t.match(why({ ...inRoot, ledger: on.genesisHash }, on), /^bad-proof: rootCoinbase: not the root's/)
  }
  t.match(why(inRoot, testNetwork()), /^bad-proof: this network has no slow hand/)
})

t.test('a back-dated or post-dated claim: `after` is the tick that the root names', async (t) => {
  t.match(why({ ...aboveRoot, after: 1 }), /^bad-proof: after: block 4 names tick/)
  t.match(why({ ...aboveRoot, after: 0 }), /^bad-proof: after/)
  t.match(why({ ...aboveRoot, after: 3 }), /^bad-proof: after/)
  t.match(why({ ...aboveRoot, after: 4 }), /^bad-proof: after: tick 4 is not before tick 4/)
  t.match(why({ ...aboveRoot, after: 2 ** 32 - 1 }), /^bad-proof: after/)
  const tick = lab.hands.slow.hashAt(3)
  t.match(
    why({ ...aboveRoot, after: 3, rootCoinbase: { ...aboveRoot.rootCoinbase, tick } }),
    /not the root's/,
  )
})

t.test('a root from elsewhere: the way to the event goes hash by hash', async (t) => {
  const older = {
    below: network.block0,
    root: blockAt(1).header,
    rootCoinbase: blockAt(1).coinbase,
    after: 0,
  }
  t.match(why({ ...aboveRoot, ...older }), /^(high-hash|bad-target): headers\.0/)
  t.match(why({ ...inRoot, ...older }), /^(high-hash|bad-target): headers\.0/)
  t.match(why({ ...direct, ...older }), /^bad-proof: path/)
  t.match(why({ ...direct, below: blockAt(2).header }), /^unknown-parent: root/)
  t.match(
    why({ ...direct, below: { ...direct.below, time: direct.below.time - 1 } }),
    /^unknown-parent: root/,
  )
  t.match(why({ ...direct, root: { ...direct.root, parent: ZERO_HASH } }), /^unknown-parent: root/)
})

t.test('ticks cut short, left out, in pieces, of another hand, or in another order', async (t) => {
  t.match(
    why({ ...aboveRoot, before: 3, ticks: first(aboveRoot, 3) }),
    /^bad-proof: anchor: tick 3 does not name block 6/,
  )
  t.match(
    why({ ...aboveRoot, before: 2, ticks: first(aboveRoot, 2) }),
    /^bad-proof: after: tick 2 is not before/,
  )
  for (const length of [0, 1, COMPACT_BYTES - 1, COMPACT_BYTES + 1])
    t.match(why({ ...inRoot, after: 0, ticks: inRoot.ticks.subarray(0, length) }), /^bad-proof: ticks/)
  const [one, two] = [first(inRoot, 1), inRoot.ticks.subarray(COMPACT_BYTES)]
  t.match(why({ ...inRoot, ticks: Buffer.concat([two, one]) }), /: ticks\.1/)
  t.match(why({ ...inRoot, after: 0, before: 1, ticks: two }), /: ticks\.1/)
  const other = testHand({ name: 'strange' })
  const strange = mineTick(other, position0(other), lab.ticks[0]?.anchors)
  t.match(why({ ...fromTick0, ticks: compact([strange]) }), /^high-hash: ticks\.1/)
  const back = lab.ticks.map((each, index) =>
    index === 1 ? { ...each, header: { ...each.header, time: 5 } } : each,
  )
  t.match(why({ ...aboveRoot, ticks: compact(back) }), /^(time-too-old|high-hash): ticks\.2/)
})

t.test('an anchor of another tick, block or ledger, or at no place', async (t) => {
  const { anchors } = lab.ticks[0] ?? { anchors: [] }
  const earlier = {
    anchorPath: anchorPath(network.hashing, anchors, 1),
    before: 3,
    ticks: first(aboveRoot, 3),
  }
  t.match(why({ ...aboveRoot, ...earlier }), /^bad-proof: anchor/)
  t.match(why({ ...aboveRoot, headers: aboveRoot.headers.slice(0, 1) }), /does not name block 5/)
  for (const anchorIndex of [0, 2, 3, 65_535]) t.match(why({ ...inRoot, anchorIndex }), /^bad-proof: anchor/)
  for (const anchorCount of [0, 1, 2, 4, 32_769, 65_535])
    t.match(why({ ...inRoot, anchorCount }), /^bad-proof: anchor/)
  t.match(why({ ...inRoot, anchorIndex: 0, anchorCount: 1, anchorPath: [] }), /^bad-proof: anchor/)
  t.match(why({ ...inRoot, anchorPath: inRoot.anchorPath.toReversed() }), /^bad-proof: anchor/)
})

t.test('the event: another transaction, place, block or coinbase', async (t) => {
  t.match(why({ ...inRoot, transaction: read.bytes }), /^bad-proof: path/)
  t.match(why({ ...inRoot, index: 1 }), /^bad-proof: path/)
  for (const count of [0, 1, 3]) t.match(why({ ...inRoot, count }), /^bad-proof: path/)
  t.match(why({ ...inRoot, block: 1 }), /^bad-proof: coinbase/)
  t.match(why({ ...inRoot, block: 1, coinbase: [blockAt(3).coinbase] }), /^bad-proof: path/)
  t.match(why({ ...inRoot, block: 1, coinbase: [blockAt(2).coinbase] }), /not that of block 3/)
  t.match(why({ ...inRoot, block: 2 }), /^bad-proof: block: number 2 of 1/)
  t.match(why({ ...inRoot, coinbase: [blockAt(2).coinbase] }), /none if it is the root/)
  t.match(why({ ...aboveRoot, coinbase: [] }), /^bad-proof: coinbase/)
  t.match(why({ ...aboveRoot, block: 0, coinbase: [] }), /^bad-proof: path/)
  t.match(why({ ...inRoot, transaction: new Uint8Array(0) }), /^bad-encoding/)
})

t.test('a sample of another batch, value, place or number, or of no batch', async (t) => {
  const [sample] = sampled.sample
  invariant(sample !== undefined, 'it has one')
  const but = (changes: Partial<typeof sample>) => why({ ...sampled, sample: [{ ...sample, ...changes }] })
  t.match(but({ transaction: read.id }), /^bad-proof: sample: not one of this/)
  t.match(but({ count: 4 }), /^bad-proof: sample: not one of this/)
  t.match(but({ index: 2 }), /^bad-proof: sample: its path/)
  t.match(but({ sample: { ...sample.sample, sequence: 4 } }), /^bad-proof: sample: its path/)
  t.match(but({ path: sample.path.slice(1) }), /^bad-proof: sample: its path/)
  const single = lab.proof({ height: 2, index: 1, root: 2, before: 2 })
  t.match(why({ ...single, sample: [{ ...sample, transaction: read.id }] }), /not one of this transaction/)
})

t.test('more headers than a proof may have', async (t) => {
  const header = { content: ZERO_HASH, time: 1, nonce: new Uint8Array(8) }
  const most = bytesOf({ ...direct, headers: Array.from({ length: MOMENT_HEADERS_MAX }, () => header) })
  t.match(codeOf(checkMoment(network, most)), 'high-hash')
  const before = bytesOf(direct).length - direct.ticks.length
  t.ok(before < most.length)
  const [high, low] = [(MOMENT_HEADERS_MAX + 1) >> 8, (MOMENT_HEADERS_MAX + 1) & 255]
  const countAt = 1 + 32 + 4 + 115 + 115 + 241
  const more = Buffer.concat([
    most.subarray(0, countAt),
    Uint8Array.of(high, low),
    most.subarray(countAt + 2),
    new Uint8Array(46),
  ])
  t.equal(codeOf(checkMoment(network, more)), 'bad-encoding')
})
