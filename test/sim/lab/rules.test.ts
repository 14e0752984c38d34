import t, { type Test } from 'tap'
import { hexDigits, targetFor, workOf } from '../../../ledger/difficulty.ts'
import { createRules, HASHES_MIN, RULE_NAMES, type RuleName, type Tick } from '../../../sim/lab/rules.ts'

const T = 10_000
const HASHES = 1_000_000
const rules = createRules({ intervalMs: T, halfLife: 64, firstHashes: HASHES })

/** Ticks that each took so long, all with one difficulty. */
function ticks(solves: readonly number[], hashes = HASHES): readonly Tick[] {
  let atMs = 0
  return solves.map((solveMs) => {
    atMs += solveMs
    return { target: targetFor(hashes), hashes, solveMs, atMs }
  })
}
const times = (count: number, solveMs: number): number[] => Array.from({ length: count }, () => solveMs)
/** Hashes for the next tick over those for the last. */
function factor(name: RuleName, history: readonly Tick[]): number {
  const next = rules.find((rule) => rule.name === name)?.next(history) ?? 0n
  return Number(workOf(next)) / (history.at(-1)?.hashes ?? Number.NaN)
}
const near = (t: Test, value: number, expected: number, what: string): void =>
  void t.ok(Math.abs(value / expected - 1) < 0.001, `${what}: ${value}, expected ${expected}`)

t.test('every rule is there once, and begins with what is asked for or the nearest hex digit', async (t) => {
  t.strictSame(
    rules.map(({ name }) => name),
    RULE_NAMES,
  )
  for (const { name, first } of rules) {
    if (name.includes('hex')) t.equal(hexDigits(first), 5, name)
    else t.equal(workOf(first), BigInt(HASHES), name)
  }
})

t.test('a rule that corrects keeps the target while ticks take T', async (t) => {
  for (const name of RULE_NAMES.filter((name) => !name.includes('hex')))
    near(t, factor(name, ticks(times(300, T))), 1, name)
})

t.test('fixed-hex never moves, hex-step by a digit a tick', async (t) => {
  const [quick, slow] = [ticks([T], 16 ** 5), ticks([T + 1], 16 ** 5)]
  t.equal(factor('fixed-hex', quick), 1)
  t.equal(factor('fixed-hex', slow), 1)
  t.equal(factor('hex-step', quick), 16)
  t.equal(factor('hex-step', slow), 1 / 16)
})

t.test('window-x2 decides every ten ticks, beyond half and twice the time', async (t) => {
  t.equal(factor('window-x2', ticks(times(9, 1))), 1)
  t.equal(factor('window-x2', ticks(times(20, T / 2 - 1))), 2)
  t.equal(factor('window-x2', ticks(times(20, T / 2))), 1)
  t.equal(factor('window-x2', ticks(times(20, 2 * T))), 1)
  t.equal(factor('window-x2', ticks(times(20, 2 * T + 1))), 0.5)
  t.equal(factor('window-x2', ticks([...times(10, 9 * T), ...times(10, T)])), 1, 'by the last ten alone')
})

t.test('window-mean and lwma follow the pace of 144 ticks, and hold the first target before', async (t) => {
  for (const name of ['window-mean', 'lwma'] as const) {
    near(t, factor(name, ticks(times(143, T / 2))), 1, `${name} before the window is full`)
    near(t, factor(name, ticks(times(144, T / 1.5))), 1.5, `${name} at one and a half of the pace`)
    near(t, factor(name, ticks([...times(50, 9 * T), ...times(144, T)])), 1, `${name} forgets what is older`)
  }
  near(t, factor('window-mean', ticks(times(144, T / 9))), 2, 'window-mean at most doubles')
  near(t, factor('window-mean', ticks(times(144, 9 * T))), 0.5, 'or halves')
  // A solve time of 6 T in the place of weight w adds 5 w T to a sum of 144 * 145 / 2 T.
  for (const [place, weight] of [
    [0, 1],
    [143, 144],
  ] as const) {
    const solves = times(144, T).with(place, 50 * T)
    near(t, factor('lwma', ticks(solves)), 1 / (1 + (5 * weight) / (72 * 145)), `lwma, weight ${weight}`)
  }
})

t.test('asert-absolute follows the schedule, asert-clamped the last tick up to 20 T', async (t) => {
  near(t, factor('asert-absolute', ticks(times(128, T / 2))), 2, '64 T ahead of its schedule')
  near(t, factor('asert-absolute', ticks([T, 65 * T])), 0.5, '64 T behind it')
  const late = factor('asert-clamped', ticks([T, 65 * T]))
  t.equal(late, factor('asert-clamped', ticks([T, 20 * T])))
  near(t, late, 2 ** (-19 / 64), 'as if it had taken 20 T')
})

t.test('no rule goes below the easiest target', async (t) => {
  for (const { name, next } of rules) {
    const history = ticks(times(300, 1000 * T), HASHES_MIN)
    t.ok(next(history) <= targetFor(HASHES_MIN), name)
  }
})
