import t from 'tap'
import { workOf } from '../../ledger/difficulty.ts'
import { checkHeader, FUTURE_INTERVALS_MAX, position0 } from '../../ledger/header.ts'
import type { Header } from '../../schemas/block.ts'
import type { Hash } from '../../schemas/hex.ts'
import { codeOf, mine, TestChain } from '../helpers/ledger.ts'

const test = new TestChain()
test.grow(2)
const { network } = test
const { tip } = test.chain
const T = network.genesis.interval
const now = test.nowMs
/** A header on the tip with its proof of work, whatever else is wrong with it. */
const header = (changes: Partial<Header> = {}, meets = true): Header =>
  mine(network, test.block([], { header: changes }), meets).header
const check = (value: Header, nowMs = now) => codeOf(checkHeader(network, value, tip, nowMs))

t.test('a header on the tip is accepted, and its place follows', async (t) => {
  const checked = checkHeader(network, header(), tip, now)
  t.ok(checked.ok)
  if (!checked.ok) return
  t.equal(checked.value.height, 3)
  t.equal(checked.value.work, tip.work + workOf(tip.childTarget))
  t.equal(checked.value.target, tip.childTarget)
})

t.test('unknown-parent: another parent', async (t) => {
  t.equal(check(header({ parent: network.block0Hash })), 'unknown-parent')
  t.equal(check(header({ parent: 'ff'.repeat(32) as Hash })), 'unknown-parent')
})

t.test('bad-height: not one above its parent', async (t) => {
  for (const height of [0, 2, 4, 2 ** 32 - 1]) t.equal(check(header({ height })), 'bad-height')
})

t.test('high-hash: a hash above the target', async (t) => {
  t.equal(check(header({}, false)), 'high-hash')
})

t.test('bad-target: easier or harder by one than the parent demands', async (t) => {
  t.equal(check(header({ target: tip.childTarget + 1n })), 'bad-target')
  t.equal(check(header({ target: tip.childTarget - 1n })), 'bad-target')
  t.equal(check(header({ target: (1n << 256n) - 1n })), 'bad-target')
})

t.test('time-too-old: equal to or before the parent', async (t) => {
  t.equal(check(header({ time: tip.time })), 'time-too-old')
  t.equal(check(header({ time: tip.time - 1 })), 'time-too-old')
  t.equal(check(header({ time: 0 })), 'time-too-old')
  t.equal(check(header({ time: tip.time + 1 })), 'ok')
})

t.test('time-too-new: more than 9 T ahead of the local clock', async (t) => {
  const ahead = FUTURE_INTERVALS_MAX * T
  t.equal(FUTURE_INTERVALS_MAX, 9)
  t.equal(check(header({ time: now + ahead })), 'ok')
  t.equal(check(header({ time: now + ahead + 1 })), 'time-too-new')
  t.equal(check(header({ time: now + ahead + 1 }), now + 1), 'ok', 'and later no more')
  t.equal(check(header({ time: 2 ** 48 - 1 })), 'time-too-new')
})

t.test("block 0 is in place without work, and its child has the genesis' target", async (t) => {
  const { height, work, childTarget, hash } = position0(network)
  t.strictSame(
    { height, work, childTarget, hash },
    { height: 0, work: 0n, childTarget: network.genesis.target, hash: network.block0Hash },
  )
})
