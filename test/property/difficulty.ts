/**
 * The difficulty rule against its formula in floating point, and what no sequence of block times may do to it.
 * The published vectors are in test/ledger/difficulty.test.ts.
 */
import { strictEqual as equal, ok } from 'node:assert'
import fc from 'fast-check'
import { nextTarget, targetFor, workOf } from '../../ledger/difficulty.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import { testGenesis } from '../helpers/ledger.ts'
import { property } from './property.ts'

const TIME_MAX = 2 ** 48 - 1
const LARGEST = (1n << 256n) - 1n

const rule = fc
  .record({
    interval: fc.integer({ min: 100, max: 2 ** 32 - 1 }),
    halfLife: fc.oneof(fc.constantFrom(1, 64, 65_535), fc.integer({ min: 1, max: 65_535 })),
    easiest: fc.oneof(
      fc.constantFrom(LARGEST, 1n),
      fc.integer({ min: 1, max: 255 }).map((bits) => 1n << BigInt(bits)),
    ),
  })
  .map(
    ({ interval, halfLife, easiest }): Genesis =>
      testGenesis({ interval, halfLife, targetMax: easiest, target: 1n }),
  )
/** Any target that the rule allows, small ones included. */
const targetOf = ({ targetMax }: Genesis) =>
  fc
    .oneof(
      fc.bigInt({ min: 1n, max: targetMax }),
      fc.constantFrom(1n, targetMax),
      fc.nat(255).map((bits) => (targetMax >> BigInt(bits)) + 1n),
    )
    .map((target) => (target > targetMax ? targetMax : target))
/** Times that a liar would choose: next to nothing, around the interval and the clamp, for ever. */
const solveTimeOf = ({ interval }: Genesis) =>
  fc.oneof(
    fc.constantFrom(
      1,
      interval - 1,
      interval,
      interval + 1,
      20 * interval - 1,
      20 * interval,
      20 * interval + 1,
      TIME_MAX,
    ),
    fc.integer({ min: 1, max: 3 * interval }),
    fc.integer({ min: 1, max: 21 * interval }),
    fc.integer({ min: 1, max: TIME_MAX }),
  )

const formula = property(
  'difficulty-formula',
  'the next target is target * 2^((min(solve, 20 T) - T) / (halfLife T)) within 0.1 %, from 1 to targetMax',
  600,
  rule.chain((genesis) => fc.tuple(fc.constant(genesis), targetOf(genesis), solveTimeOf(genesis))),
  ([genesis, target, solveTime]) => {
    const next = nextTarget(genesis, target, solveTime)
    ok(next >= 1n && next <= genesis.targetMax, `${next} is from 1 to targetMax`)
    const { interval, halfLife, targetMax } = genesis
    const exponent = (Math.min(solveTime, 20 * interval) - interval) / (halfLife * interval)
    const exact = Math.min(Number(targetMax), Math.max(1, Number(target) * 2 ** exponent))
    // One more for small targets, which are whole numbers.
    ok(Math.abs(Number(next) - exact) <= exact / 1000 + 1, `got ${Number(next)}, by the formula ${exact}`)
    if (solveTime === interval) equal(next, target, 'exactly T keeps the target')
    equal(
      nextTarget(genesis, target, Math.min(solveTime, 20 * interval)),
      next,
      'what is above 20 T does not count',
    )
  },
)

const monotone = property(
  'difficulty-monotone',
  'a longer solve time never makes the next block harder, a larger target never a smaller one',
  600,
  rule.chain((genesis) =>
    fc.tuple(
      fc.constant(genesis),
      fc.tuple(targetOf(genesis), targetOf(genesis)),
      fc.tuple(
        solveTimeOf(genesis),
        fc.oneof(
          solveTimeOf(genesis),
          fc.nat(5).map((more) => -more),
        ),
      ),
    ),
  ),
  ([genesis, [target, otherTarget], [first, second]]) => {
    // Also right beside each other, where the cubic's pieces meet.
    const solveTime = second > 0 ? second : Math.max(1, first + second)
    const [fast, slow] = first < solveTime ? [first, solveTime] : [solveTime, first]
    ok(nextTarget(genesis, target, fast) <= nextTarget(genesis, target, slow), `${fast} and ${slow} ms`)
    const [hard, easy] = target < otherTarget ? [target, otherTarget] : [otherTarget, target]
    ok(nextTarget(genesis, hard, first) <= nextTarget(genesis, easy, first), 'by target')
    ok(workOf(hard) >= workOf(easy), 'a harder target is more work')
    ok(workOf(target) >= 1n, 'every block is work')
  },
)

const adversarial = property(
  'difficulty-range',
  'whatever times a chain of blocks has, its targets stay in range, and honest blocks lead back',
  60,
  rule.chain((genesis) =>
    fc.record({
      genesis: fc.constant(genesis),
      target: targetOf(genesis),
      times: fc.array(fc.tuple(solveTimeOf(genesis), fc.integer({ min: 1, max: 80 })), { maxLength: 12 }),
    }),
  ),
  ({ genesis, target, times }) => {
    let at = target
    for (const [solveTime, blocks] of times) {
      for (let block = 0; block < blocks; block++) {
        const next = nextTarget(genesis, at, solveTime)
        ok(next >= 1n && next <= genesis.targetMax, `${next} is from 1 to targetMax`)
        // One block moves it by what 19 T above or 1 T below can, whoever lies.
        const most = 2 ** (19 / genesis.halfLife) * 1.001
        ok(Number(next) <= Number(at) * most + 1, 'up by no more than 19 T')
        ok(Number(next) >= Number(at) / (2 ** (1 / genesis.halfLife) * 1.001) - 1, 'down by no more than T')
        at = next
      }
    }
    for (let block = 0; block < 20; block++) equal(nextTarget(genesis, at, genesis.interval), at)
  },
)

const worth = property(
  'difficulty-work',
  'the target for so many hashes takes that many, and work is exact and never zero',
  300,
  fc.tuple(
    fc.oneof(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })),
    fc.oneof(fc.bigInt({ min: 0n, max: LARGEST }), fc.bigInt({ min: 0n, max: 1000n })),
  ),
  ([hashes, any]) => {
    const target = targetFor(hashes)
    equal(workOf(target), BigInt(hashes))
    ok(workOf(target - 1n) >= workOf(target))
    for (const other of [target, any]) {
      const work = workOf(other)
      ok(work * (other + 1n) <= LARGEST + 1n && (work + 1n) * (other + 1n) > LARGEST + 1n, 'rounded down')
    }
  },
)

export const difficultyProperties = [formula, monotone, adversarial, worth]
