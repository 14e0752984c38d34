/** What clocks made of proof of work can do, worked out and simulated. Seeds are stated; the same seed, the same ticks. */
import t from 'tap'
import { targetFor } from '../../../ledger/difficulty.ts'
import { driftSd, paceOfCubic } from '../../../ledger/drift.ts'
import { figuresOf, LOCKED } from '../../../sim/lab/figures.ts'
import type { Rule } from '../../../sim/lab/rules.ts'
import type { Run } from '../../../sim/lab/run.ts'
import { relockTicks, ticksToSee } from '../../../sim/lab/theory.ts'
import { scenario, shocks } from '../../../sim/lab/trace.ts'
import { HALF_LIFE, mean, ruleOf, runFor, sd, seedsTo, T_MS, T_SECONDS } from './clock.ts'

const STEADY = scenario('steady', T_SECONDS)
const TICKS = 50_000
const drifts = ({ ticks }: Run): number[] => ticks.map(({ atMs }, index) => atMs / T_MS - index - 1)
const isNear = (value: number, expected: number, share: number): boolean =>
  Math.abs(value / expected - 1) <= share

t.test(
  'at a constant rate our drift is within 20 % of T sqrt(h / (2 ln 2)) about a fitted line, whose slope is the pace of the cubic',
  async (t) => {
    for (const halfLife of [16, 64]) {
      const expected = paceOfCubic(T_MS, halfLife)
      t.ok(expected < -0.001 && expected > -0.003, `${(expected * 100).toFixed(3)} %`)
      for (const seed of seedsTo(3)) {
        const run = runFor(ruleOf('asert-clamped', STEADY, halfLife), STEADY, seed, TICKS)
        const { pace, wander } = figuresOf(run, T_MS, [])
        t.ok(isNear(wander, driftSd(halfLife), 0.2), `h = ${halfLife}, seed ${seed}: ${wander.toFixed(2)} T`)
        t.ok(isNear(pace, expected, 0.1), `h = ${halfLife}, seed ${seed}: ${(pace * 100).toFixed(3)} %`)
        // Without the line it is not: over so many ticks the pace alone moves the clock by more.
        t.ok(sd(drifts(run)) > 2 * driftSd(halfLife), `raw: ${sd(drifts(run)).toFixed(1)} T`)
      }
    }
  },
)

t.test(
  'with an exact power of two, or an absolute schedule, the drift itself has that deviation, without a line: seeds 1 to 3',
  async (t) => {
    const ours = ruleOf('asert-clamped', STEADY)
    const exact: Rule = {
      ...ours,
      next(ticks) {
        const { target, solveMs } = ticks[ticks.length - 1] ?? { target: 0n, solveMs: 0 }
        return BigInt(Number(target) * 2 ** ((Math.min(20, solveMs / T_MS) - 1) / HALF_LIFE))
      },
    }
    for (const rule of [exact, ruleOf('asert-absolute', STEADY)]) {
      for (const seed of seedsTo(3)) {
        const all = drifts(runFor(rule, STEADY, seed, TICKS))
        t.ok(isNear(sd(all), driftSd(HALF_LIFE), 0.2), `seed ${seed}: ${sd(all).toFixed(2)} T`)
        t.ok(Math.abs(all.at(-1) ?? Number.NaN) < 4 * driftSd(HALF_LIFE), `at the end ${all.at(-1)} T`)
      }
    }
  },
)

t.test(
  'windows go slow as clocks, by 0.3 to 0.5 %, and nothing calls them back: 50,000 T, seeds 1 to 3',
  async (t) => {
    for (const name of ['window-mean', 'lwma'] as const) {
      for (const seed of seedsTo(3)) {
        const { pace, driftEnd } = figuresOf(runFor(ruleOf(name, STEADY), STEADY, seed, TICKS), T_MS, [])
        t.ok(pace > 0.003 && pace < 0.005, `${name}, seed ${seed}: ${(pace * 100).toFixed(2)} %`)
        t.ok(driftEnd > 130, `${driftEnd} T at the end, where an absolute schedule has less than 28`)
      }
    }
    for (const seed of seedsTo(3)) {
      const { pace } = figuresOf(runFor(ruleOf('window-x2', STEADY), STEADY, seed, TICKS), T_MS, [])
      t.ok(
        pace > 0.03,
        `window-x2, seed ${seed}: ${(pace * 100).toFixed(1)} %, since it does not correct what is less than half`,
      )
    }
  },
)

t.test(
  'a rate four times as high, and an eighth of it: locked again after 190 and 88 ticks; seeds 1 to 20',
  async (t) => {
    const trace = scenario('step', T_SECONDS)
    const changes = shocks(trace, trace.seconds)
    const runs = seedsTo(20).map((seed) => runFor(ruleOf('asert-clamped', trace), trace, seed))
    const relocks = runs.map((run) => figuresOf(run, T_MS, changes).relock)
    for (const [index, { ratio, ticks, most }] of [
      { ratio: 4, ticks: 190, most: 260 },
      { ratio: 1 / 8, ticks: 88, most: 160 },
    ].entries()) {
      const all = relocks.map((relock) => relock[index] ?? Number.NaN)
      t.ok(isNear(mean(all), ticks, 0.15), `x${ratio}: ${mean(all)} ticks in the mean`)
      t.ok(Math.max(...all) <= most, `${Math.max(...all)} at most`)
      // The sixty ticks that have to be right begin half of that before the moment that is worked out.
      const expected = relockTicks(HALF_LIFE, ratio, LOCKED) - 30
      t.ok(isNear(mean(all), expected, 0.25), `worked out: ${expected.toFixed(0)}`)
      // From then on the mean interval is T again.
      const later = runs.map(({ ticks }) => {
        const first = ticks.findIndex(({ atMs }) => atMs > (changes[index] ?? 0) * 1000)
        return ((ticks[first + 900]?.atMs ?? 0) - (ticks[first + 400]?.atMs ?? 0)) / 500 / T_MS
      })
      t.ok(isNear(mean(later), 1, 0.03), `ticks 400 to 900 after it: ${mean(later).toFixed(3)} T each`)
    }
  },
)

t.test(
  'a rate that is 10 % off shows at 3 sigma after 900 ticks in every second run: seeds 1 to 300',
  async (t) => {
    t.equal(Math.round(ticksToSee(0.1, 3)), 900)
    const target = targetFor(1_000_000)
    const fixed: Rule = { name: 'fixed-hex', first: target, next: () => target }
    /** Share of runs whose first so many ticks are wrong by more than 3 sigma. */
    const seen = (factor: number, most: number): Record<number, number> => {
      const steps = [{ fromSeconds: 0, hashesPerSecond: 100_000 / factor }]
      const trace = { name: 'wrong', seconds: 1.2 * most * T_SECONDS, steps }
      const runs = seedsTo(300).map((seed) => drifts(runFor(fixed, trace, seed)))
      const share = (count: number): number =>
        runs.filter((all) => Math.abs(all[count - 1] ?? 0) > 3 * Math.sqrt(count)).length / runs.length
      return { 225: share(225), 900: share(900), 1800: share(1800) }
    }
    for (const factor of [1.1, 0.9]) {
      const { 225: quarter = 1, 900: half = 0, 1800: twice = 0 } = seen(factor, 1800)
      t.ok(half > 0.42 && half < 0.58, `x${factor}: after 900 ticks ${half}`)
      t.ok(quarter < 0.15, `after a quarter of them ${quarter}`)
      t.ok(twice > 0.85, `after twice as many ${twice}`)
    }
    t.ok(
      (seen(1, 900)[900] ?? 1) < 0.01,
      'a rate that is right looks wrong in fewer than one run of a hundred',
    )
  },
)

t.test(
  'after 12 hours off an absolute schedule makes up for all ticks in a storm, ours for none: seeds 1 to 10',
  async (t) => {
    const trace = scenario('outage', T_SECONDS)
    const missed = (12 * 3600) / T_SECONDS
    for (const seed of seedsTo(10)) {
      const absolute = figuresOf(runFor(ruleOf('asert-absolute', trace), trace, seed), T_MS, [])
      t.ok(absolute.storm > 0.95 * missed, `absolute: ${absolute.storm} in 60 T`)
      t.ok(Math.abs(absolute.driftEnd) < 28, `and is right again: ${absolute.driftEnd} T`)
      const clamped = figuresOf(runFor(ruleOf('asert-clamped', trace), trace, seed), T_MS, [])
      t.ok(clamped.storm < 110, `clamped: ${clamped.storm} in 60 T`)
      t.ok(Math.abs(clamped.driftEnd - missed) < 60, `and stays behind: ${clamped.driftEnd} T`)
    }
  },
)
