/** What a forger can do who mines blocks and ticks of its own, and what such a proof shows nevertheless. */
import t from 'tap'
import { headerHash, type Position, place, position0 } from '../../ledger/header.ts'
import { checkMoment } from '../../ledger/sandwich.ts'
import type { Block, Header } from '../../schemas/block.ts'
import { ZERO_HASH } from '../../schemas/hex.ts'
import type { Moment } from '../../schemas/moment.ts'
import { invariant } from '../../schemas/result.ts'
import type { Anchor } from '../../schemas/tick.ts'
import { mineTick } from '../helpers/hand.ts'
import { alice, bob, mine, remake } from '../helpers/ledger.ts'
import { bytesOf, compact, hand, MomentLab, network, smallLab } from '../helpers/moment-lab.ts'

const { lab, paid } = smallLab()
const direct = lab.proof({ height: 4, root: 4, before: 3 })
const check = (value: Moment) => checkMoment(network, bytesOf(value))
const why = (value: Moment): string => {
  const checked = check(value)
  return checked.ok ? 'ok' : `${checked.fault.code}: ${checked.fault.message}`
}
const held = (value: Moment) => {
  const checked = check(value)
  invariant(checked.ok, checked.ok ? '' : checked.fault.message)
  return checked.value
}
const blockAt = (height: number): Block => lab.blocks[height - 1] as Block

/** What a forger does who mines blocks and ticks of its own: a proof over its block, on a real parent, anchored by its tick. */
function forge(block: Block, changes: Partial<Moment> = {}): Moment {
  const { slow } = lab.hands
  const height = block.header.height
  const anchor: Anchor = {
    ledger: network.genesisHash,
    height,
    block: headerHash(network.hashing, block.header),
  }
  const tick = mineTick(hand, slow.tip, [anchor])
  return {
    ...direct,
    ...{ after: slow.tip.height, below: blockAt(6).header, root: block.header, rootCoinbase: block.coinbase },
    ...{ headers: [], block: 0, coinbase: [], transaction: paid.bytes, index: 0, count: 1, path: [] },
    ...{ anchorIndex: 0, anchorCount: 1, anchorPath: [] },
    ...{ before: slow.tip.height + 1, ticks: compact([...lab.ticks, tick]) },
    ...changes,
  }
}
const { tip: now } = lab.hands.slow
const coinbase = { tick: now.hash }
const forged = lab.chain.block([], { forced: [paid], coinbase })

t.test(
  'what the proof is not about: a block that is on no chain, with what was spent long ago',
  async (t) => {
    // Both hands have named it, so it was made between the ticks; what it holds may be older, and no ledger ever had it.
    const { after, before, id } = held(forge(forged))
    t.strictSame([after.height, before.height, id], [4, 5, paid.id])
  },
)

t.test('nor about the hand that is the best: a forger may make one of its own from tick 0', async (t) => {
  const zero = position0(hand)
  const tickOn = (parent: Position, anchors: readonly Anchor[] = []) => {
    const tick = mineTick(hand, parent, anchors)
    return { tick, at: place(hand, headerHash(network.hashing, tick.header), tick.header, parent) }
  }
  const one = tickOn(zero)
  const block = lab.chain.block([], { forced: [paid], coinbase: { tick: one.at.hash } })
  const anchor = { ledger: network.genesisHash, height: 7, block: headerHash(network.hashing, block.header) }
  const two = tickOn(one.at, [anchor])
  const forgery = forge(block, { after: 1, before: 2, ticks: compact([one.tick, two.tick]) })
  const { after, before, handWork } = held(forgery)
  t.strictSame([after.hash, before.hash], [one.at.hash, two.at.hash], 'which nobody else knows')
  t.ok(handWork < lab.hands.slow.tip.work, 'with less work than the hand that others have')
  const known = checkMoment(network, bytesOf(forgery), lab.hands.slow.hashAt(1))
  t.match(
    known,
    { ok: false, fault: { code: 'bad-proof', message: /another hand/ } },
    'who knows a tick sees it',
  )
  t.ok(checkMoment(network, bytesOf(forgery), two.at.hash).ok)
})

t.test(
  'nor may a forger go on alone from a tick that is known: the later tick has to be known',
  async (t) => {
    // From the real tick 1 on a tick of its own, in the place of the real tick 2, names a block that was made long after that.
    const parent = place(hand, lab.hands.slow.hashAt(1), lab.ticks[0]?.header as Header, position0(hand))
    const block = lab.chain.block([], { forced: [paid], coinbase: { tick: parent.hash } })
    const anchor = {
      ledger: network.genesisHash,
      height: 7,
      block: headerHash(network.hashing, block.header),
    }
    const own = mineTick(hand, parent, [anchor])
    const ticks = compact([...lab.ticks.slice(0, 1), own])
    const forgery = forge(block, { after: 1, before: 2, ticks })
    t.ok(held(forgery).before.time < (lab.ticks[3]?.header.time ?? 0), 'back-dated')
    const { slow } = lab.hands
    t.match(checkMoment(network, bytesOf(forgery), slow.hashAt(1)), {
      fault: {
        code: 'bad-proof',
        message: /is tick 1, and anybody may go on from there: tick 2 or a later one/,
      },
    })
    t.match(checkMoment(network, bytesOf(forgery), slow.hashAt(2)), { fault: { message: /another hand/ } })
    const honest = lab.proof({ height: 2, root: 2, before: 2, last: 4 })
    for (const height of [1, 2, 3, 4])
      t.equal(
        checkMoment(network, bytesOf(honest), slow.hashAt(height)).ok,
        height >= 2,
        `tick ${height} is known`,
      )
  },
)

t.test('a forged block needs the work of a block, and is held to its own header', async (t) => {
  const { targetMax } = network.genesis
  const spoilt = (header: Partial<Block['header']>) => forge(remake(network, forged, { header }, bob))
  const mined = (header: Partial<Block['header']>) =>
    forge(mine(network, remake(network, forged, { header }, bob)))
  t.equal(why(mined({ target: targetMax })), 'ok', 'as easy as the network allows')
  t.match(why(mined({ target: targetMax + 1n })), /^bad-proof: root: its target is easier/)
  t.match(why(mined({ target: 2n ** 256n - 1n })), /^bad-proof: root: its target is easier/)
  t.match(why(spoilt({ target: 0n })), /^high-hash: root/)
  t.match(why(mined({ height: 0 })), /^bad-height: root/)
  t.match(why(mined({ height: 8 })), /^bad-height: root/)
  t.match(why(mined({ time: blockAt(6).header.time })), /^time-too-old: root/)
  const last = mined({ time: 2 ** 48 - 1 })
  t.equal(why(last), 'ok', 'its miner may say what it likes')
  const next = { content: ZERO_HASH, time: 0, nonce: new Uint8Array(8) }
  t.match(why({ ...last, headers: [next] }), /^(high-hash|time-too-old): headers\.0/)
  const top = { ...blockAt(6).header, height: 2 ** 32 - 1 }
  const parent = headerHash(network.hashing, top)
  for (const height of [0, 2 ** 32 - 1])
    t.match(why({ ...mined({ parent, height }), below: top }), /^bad-height: root/)
})

t.test('a forged block whose coinbase is of another network, height or parent is none', async (t) => {
  const of = (changes: Partial<Block['coinbase']>) =>
    forge(mine(network, remake(network, forged, { coinbase: changes }, bob)))
  t.equal(why(of({})), 'ok')
  t.match(why(of({ network: 'ffffffff' as typeof network.id })), /^bad-proof: rootCoinbase/)
  t.match(why(of({ height: 6 })), /^bad-proof: rootCoinbase/)
  t.match(why(of({ parent: ZERO_HASH })), /^bad-proof: rootCoinbase/)
})

t.test('one coinbase in two blocks: the event is in the one that it names', async (t) => {
  const { hash, childTarget } = place(
    network,
    headerHash(network.hashing, forged.header),
    forged.header,
    lab.chain.chain.tip,
  )
  const again = {
    ...forged.header,
    height: 8,
    parent: hash,
    target: childTarget,
    time: forged.header.time + 90_000,
  }
  const second = mine(network, { ...forged, header: again })
  const value = forge(second, {
    ...{ root: forged.header, headers: [second.header], rootCoinbase: forged.coinbase },
  })
  t.equal(why(value), 'ok')
  t.match(
    why({ ...value, block: 1, coinbase: [forged.coinbase] }),
    /^bad-proof: coinbase: not that of block 8/,
  )
})

t.test("a transaction that its sender did not sign, or of another network's, is no event", async (t) => {
  const signature = new Uint8Array(64).fill(1)
  const value = { ...paid.transaction, signature }
  for (const [forced, code] of [
    [lab.chain.sign(alice, { ...paid.transaction, network: 'ffffffff' }), 'wrong-network'],
    [{ ...paid, transaction: value, ...spoil(value) }, 'bad-signature'],
  ] as const) {
    const block = lab.chain.block([], { forced: [forced], coinbase })
    t.match(why(forge(block, { transaction: forced.bytes })), new RegExp(`^${code}: transaction`))
  }
})

function spoil(value: typeof paid.transaction) {
  const { bytes, leaf } = lab.chain.sign(
    { ...alice, sign: () => value.signature },
    { ...value, signature: undefined },
  )
  return { bytes, leaf }
}

t.test('a forged tick needs the work that the hand demands of it', async (t) => {
  const value = forge(forged)
  const { slow } = lab.hands
  const anchor = { ledger: network.genesisHash, height: 7, block: headerHash(network.hashing, forged.header) }
  const at = (header: object) => {
    const tick = mineTick(hand, slow.tip, [anchor], header)
    return why({ ...value, ticks: compact([...lab.ticks, tick]) })
  }
  t.equal(at({}), 'ok')
  t.match(at({ time: slow.tip.time }), /^time-too-old: ticks\.5/)
  const idle = { ...mineTick(hand, slow.tip, [anchor]).header, nonce: new Uint8Array(8).fill(255) }
  t.match(
    why({ ...value, ticks: compact([...lab.ticks, { header: idle, anchors: [] }]) }),
    /^high-hash: ticks\.5/,
  )
  t.equal(at({ time: 2 ** 48 - 1 }), 'ok', "a time that no clock took is its miner's word all the same")
})

t.test('a lab without ticks proves nothing', async (t) => {
  const fresh = new MomentLab()
  fresh.block([fresh.chain.transfer(alice, bob.account, 1)])
  fresh.tick()
  const value = fresh.proof({ height: 1, root: 1, before: 1 })
  t.equal(why(value), 'ok')
  t.match(why({ ...value, ticks: new Uint8Array(0) }), /^bad-proof: ticks: 0 bytes/)
})
