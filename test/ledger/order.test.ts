/** Which of two events came first: by the ticks between them, on one chain of ticks, or not at all. */
import t, { type Test } from 'tap'
import { type Order, order } from '../../ledger/order.ts'
import type { Sandwich } from '../../ledger/sandwich.ts'
import type { Hash } from '../../schemas/hex.ts'
import { COMPACT_BYTES } from '../../schemas/moment.ts'
import { alice, TestChain } from '../helpers/ledger.ts'

const hash = (byte: number): Hash => byte.toString(16).padStart(2, '0').repeat(32) as Hash
const { id, transaction } = new TestChain().transfer(alice, alice.account, 1)

/** Made after one tick and before another, of a hand whose tick of each height has that byte all over, from `branch` on another. */
function between(
  after: number,
  before: number,
  branch = Number.POSITIVE_INFINITY,
  hand = hash(0),
  last = before,
): Sandwich {
  const ticks = new Uint8Array(COMPACT_BYTES * last)
  for (let height = 1; height <= last; height++)
    ticks.fill(height < branch ? height : 0x80 + height, COMPACT_BYTES * (height - 1), COMPACT_BYTES * height)
  const tick = (height: number) => ({
    height,
    hash: hash(height < branch ? height : 0x80 + height),
    time: 1000 * height,
  })
  const event = { id, transaction, sample: undefined, block: 1, blockHash: hash(1), blockTime: 0 }
  const work = { work: 1n, workAbove: 0n, handWork: 1n }
  return { ...event, ...work, after: tick(after), before: tick(before), last: tick(last), hand, ticks }
}

/** The same asked the other way round gives the same answer. */
function bothWays(t: Test, a: Sandwich, b: Sandwich): Order {
  const there = order(a, b)
  const back = order(b, a)
  const turned = back.first === undefined ? back : { ...back, first: back.first === 'a' ? 'b' : 'a' }
  t.strictSame(turned, there, 'asked the other way round')
  return there
}

t.test('what was there before a tick came before what was made after it', async (t) => {
  const [a, b] = [between(3, 4), between(4, 5)]
  t.strictSame(bothWays(t, a, b), { first: 'a', before: a.before, after: b.after })
  t.match(bothWays(t, between(0, 2), between(7, 9)), {
    first: 'a',
    before: { height: 2 },
    after: { height: 7 },
  })
})

t.test('without a tick between nothing is said', async (t) => {
  for (const [a, b] of [
    [between(3, 4), between(3, 4)],
    [between(3, 5), between(4, 6)],
    [between(0, 9), between(4, 5)],
  ] as const)
    t.strictSame(bothWays(t, a, b), { first: undefined, why: 'overlap' })
})

t.test('ticks of different branches do not order; those before the branches do', async (t) => {
  t.strictSame(bothWays(t, between(3, 4), between(5, 6, 4)), { first: undefined, why: 'branches' })
  t.match(bothWays(t, between(3, 4), between(5, 6, 5)), { first: 'a' })
})

t.test('what lies on top of the later tick does not count, nor which proof was made first', async (t) => {
  const [a, b] = [between(3, 4, undefined, hash(0), 9), between(4, 5, undefined, hash(0), 6)]
  t.strictSame(bothWays(t, a, b), { first: 'a', before: a.before, after: b.after })
  t.match(bothWays(t, between(3, 4, 6, hash(0), 9), b), { first: 'a' }, 'another branch above it')
})

t.test('ticks of different hands do not order', async (t) => {
  const other = between(5, 6, undefined, hash(1))
  t.strictSame(bothWays(t, between(3, 4), other), { first: undefined, why: 'hands' })
})
