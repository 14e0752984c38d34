import t from 'tap'
import { fixedHand } from '../../../edge-agent/experiment/hand.ts'
import { lengthen } from '../../../edge-agent/lab/line.ts'
import { fitting, openTicks, openTower, ticksBytes, towerBytes } from '../../../edge-agent/lab/words.ts'
import { tickTemplate } from '../../../ledger/hand.ts'
import { headerHash, type Position } from '../../../ledger/header.ts'
import { SlowHand } from '../../../ledger/slow-hand.ts'
import { hashing } from '../../../node/signing.ts'
import { type Hash, ZERO_HASH } from '../../../schemas/hex.ts'
import { LAB_TICKS_BYTES_MAX, LAB_TICKS_MAX } from '../../../schemas/lab-message.ts'
import type { Anchor, Tick } from '../../../schemas/tick.ts'
import { mineHeader } from '../../helpers/hand.ts'
import { alice, bob, START_MS, testNetwork } from '../../helpers/ledger.ts'

const hand = fixedHand('a-0000000000000000', 1, START_MS)
const other = fixedHand('b-0000000000000000', 1, START_MS)
const hands = new Set([hand.genesisHash, other.genesisHash])
const anchor: Anchor = { ledger: other.genesisHash, height: 0, block: other.block0Hash }

/** Ticks on each other, from the hand's begin on. */
function ticks(count: number, anchors: readonly Anchor[] = [anchor], laterMs = 0): Tick[] {
  const slow = new SlowHand(hand)
  const made: Tick[] = []
  for (let height = 1; height <= count; height++) {
    const tip: Position = slow.tip
    const template = tickTemplate(hand, tip, anchors, START_MS + 10 * height + laterMs)
    const tick = { ...template, header: mineHeader(template.header) }
    made.push(tick)
    slow.restore(tick)
  }
  return made
}
const said = (list: readonly Tick[]) => list.map((tick) => ({ tick, hashes: 1, microseconds: 2 }))
const take = (slow: SlowHand, list: readonly Tick[], heightMax = 100) =>
  lengthen(slow, hands, heightMax, said(list))

t.test('what follows the end is taken, what is known passed over, and a gap is said', async (t) => {
  const slow = new SlowHand(hand)
  const [one, two, three, four] = ticks(4) as [Tick, Tick, Tick, Tick]
  t.match(take(slow, [one, two]), { added: { length: 2 }, gap: false, fault: undefined })
  t.match(take(slow, [four]), { added: { length: 0 }, gap: true })
  t.match(take(slow, [one, two, three]), { added: [{ hashes: 1, microseconds: 2 }], gap: false })
  t.equal(slow.tip.hash, headerHash(hashing, three.header))
})

t.test('of two ticks of one height the first counts, however long the second line is', async (t) => {
  const slow = new SlowHand(hand)
  take(slow, ticks(2))
  const { hash } = slow.tip
  t.match(take(slow, ticks(5, [anchor], 3)), { added: { length: 0 }, fault: /^two ticks of height 1/ })
  const [, , , fourth] = ticks(4, [anchor], 3) as [Tick, Tick, Tick, Tick]
  const [, , third] = ticks(3, [anchor], 3) as [Tick, Tick, Tick]
  t.match(take(slow, [third, fourth]), { added: { length: 0 }, fault: /does not follow/ })
  t.equal(slow.tip.hash, hash)
})

t.test('a tick without its work, of another hand, or beyond the experiment is not taken', async (t) => {
  const slow = new SlowHand(hand)
  const [one] = ticks(1) as [Tick]
  const idle = { ...one, header: mineHeader(one.header, false) }
  t.match(take(slow, [idle]), { added: { length: 0 }, fault: /^high-hash/ })
  const foreign = { ledger: ZERO_HASH as Hash, height: 1, block: ZERO_HASH as Hash }
  t.match(take(slow, ticks(1, [foreign])), { fault: /no other hand here/ })
  const own = { ledger: hand.genesisHash, height: 0, block: hand.block0Hash }
  t.match(take(slow, ticks(1, [own])), { fault: /no other hand here/ })
  t.match(take(slow, ticks(2), 1), { added: { length: 1 }, fault: /expected at most 1/ })
})

t.test('what agents say is signed by them, for one network, and as one kind of message', async (t) => {
  const network = testNetwork()
  const sign = (message: Uint8Array) => alice.sign(message)
  const order = 'ab'.repeat(32) as Hash
  const tower = towerBytes(network, { order, term: 1, round: 2, leftMs: 3, tips: [] }, sign)
  const from = { network, order, by: alice.account }
  t.match(openTower(from, tower), { ok: true, value: { order, term: 1, round: 2, leftMs: 3 } })
  t.match(openTower({ ...from, by: bob.account }, tower), { ok: false, fault: 'rejected' })
  const other = { ...from, network: testNetwork({ name: 'other' }) }
  t.match(openTower(other, tower), { ok: false, fault: 'rejected' })
  const bytes = ticksBytes(network, { order, ticks: said(ticks(1)) }, sign)
  t.match(openTicks(from, bytes), { ok: true, value: { order, ticks: { length: 1 } } })
  bytes[40] = (bytes[40] ?? 0) ^ 1
  t.match(openTicks(from, bytes), { ok: false, fault: 'rejected' })
  t.match(openTicks(from, tower), { ok: false, fault: 'rejected' })
})

t.test('what is of another experiment costs no signature check', async (t) => {
  const order = 'ab'.repeat(32) as Hash
  const network = testNetwork()
  const sign = (message: Uint8Array) => alice.sign(message)
  const tower = towerBytes(network, { order, term: 1, round: 2, leftMs: 3, tips: [] }, sign)
  let checks = 0
  const verify = () => {
    checks++
    return true
  }
  const counting = { ...network, signatures: { ...network.signatures, verify } }
  const from = { network: counting, order: ZERO_HASH as Hash, by: alice.account }
  t.match(openTower(from, tower), { ok: false, fault: 'ignored' })
  t.match(openTower(from, new Uint8Array(31)), { ok: false, fault: 'ignored' })
  t.equal(checks, 0)
  t.ok(openTower({ ...from, order }, tower).ok)
  t.equal(checks, 1)
})

t.test('a message holds as many ticks as fit', async (t) => {
  t.equal(fitting([]), 0)
  t.equal(fitting(Array(1_000).fill(185)), LAB_TICKS_MAX)
  const count = fitting(Array(1_000).fill(1817))
  t.equal(count, Math.floor((LAB_TICKS_BYTES_MAX - 98) / 1833))
})
