import t from 'tap'
import { figuresOf } from '../../../sim/lab/figures.ts'
import { drawn, plots } from '../../../sim/lab/plots.ts'
import { run } from '../../../sim/lab/run.ts'
import { scenario } from '../../../sim/lab/trace.ts'
import { ruleOf, runFor, T_MS, T_SECONDS } from './clock.ts'

const STEADY = scenario('steady', T_SECONDS)
const rule = ruleOf('asert-clamped', STEADY)

/** A run of ticks that took so many T each. */
function made(solves: readonly number[]) {
  let atMs = 0
  const ticks = solves.map((solve) => {
    const solveMs = Math.round(solve * T_MS)
    atMs += solveMs
    return { target: 1n, hashes: 1, solveMs, atMs }
  })
  return { rule, ticks, seconds: atMs / 1000, isCut: false }
}
const solves = (count: number, solve: number): number[] => Array.from({ length: count }, () => solve)

t.test('of ticks that all take 1.1 T the drift is a straight line', async (t) => {
  const figures = figuresOf(made(solves(200, 1.1)), T_MS, [])
  for (const [name, expected] of Object.entries({ intervalMean: 1.1, intervalSd: 0, pace: 0.1, wander: 0 }))
    t.ok(Math.abs(figures[name as 'pace'] - expected) < 1e-6, name)
  t.ok(Math.abs(figures.driftEnd - 20) < 1e-9)
  t.ok(Math.abs(figures.driftMost - 21) < 1e-9, 'most just before the last tick')
  t.match(figures, { ticks: 200, relock: [], storm: 55, isCut: false })
})

t.test('drift alternates: no pace, a wander of half its width, and most just before a tick', async (t) => {
  const figures = figuresOf(
    made(Array.from({ length: 2000 }, (_, at) => (at % 2 === 0 ? 1.9 : 0.1))),
    T_MS,
    [],
  )
  t.ok(Math.abs(figures.pace) < 1e-3)
  t.ok(Math.abs(figures.wander - 0.45) < 1e-3)
  t.ok(Math.abs(figures.driftMost - 1.9) < 1e-3)
})

t.test(
  'locked again: from the tick on after which sixty take 48 to 75 T, before the next change',
  async (t) => {
    const ran = made([
      ...solves(100, 1),
      ...solves(40, 0.25),
      ...solves(200, 1),
      ...solves(20, 4),
      ...solves(80, 1),
    ])
    const [quick, slow] = [100 * T_SECONDS, 310 * T_SECONDS]
    // Of sixty ticks fifteen at a quarter of T still leave more than 48 T, and four at 4 T fewer than 75.
    t.strictSame(figuresOf(ran, T_MS, [quick, slow]).relock, [24, 15])
    t.strictSame(figuresOf(ran, T_MS, [quick, quick + 50 * T_SECONDS]).relock[0], null)
    t.strictSame(figuresOf(ran, T_MS, [1e6]).relock, [null])
  },
)

t.test('the greatest storm is counted wherever it is', async (t) => {
  t.equal(figuresOf(made([...solves(100, 1), ...solves(400, 0.01), ...solves(100, 1)]), T_MS, []).storm, 456)
})

t.test('the same seed gives the same ticks, and every rule the same luck', async (t) => {
  const hashed = (name: 'lwma' | 'asert-clamped', seed: number) =>
    runFor(ruleOf(name, STEADY), STEADY, seed, 200)
      .ticks.slice(0, 5)
      .map(({ solveMs }) => solveMs)
  t.strictSame(hashed('lwma', 1), hashed('lwma', 1))
  t.notSame(hashed('lwma', 1), hashed('lwma', 2))
  t.equal(hashed('lwma', 1)[0], hashed('asert-clamped', 1)[0])
})

t.test(
  'a run ends with its time, at the latest after the most ticks, and a rate of 0 ends it too',
  async (t) => {
    const ran = runFor(rule, STEADY, 1, 500)
    t.ok((ran.ticks.at(-1)?.atMs ?? 0) <= 500 * T_MS)
    const dead = { ...STEADY, steps: [...STEADY.steps, { fromSeconds: 100, hashesPerSecond: 0 }] }
    t.ok(run(rule, { seed: 1, trace: dead, seconds: 5000 }).ticks.length < 30)
    const fast = { ...STEADY, steps: [{ fromSeconds: 0, hashesPerSecond: 1e15 }] }
    const cut = run(ruleOf('fixed-hex', STEADY), { seed: 1, trace: fast, seconds: 1e6, ticksMax: 5000 })
    t.match(cut, { isCut: true, seconds: 5 })
    t.equal(cut.ticks.length, 5000, 'a millisecond each')
  },
)

t.test('plots have a line for each rule, marks for changes, and nothing that is no number', async (t) => {
  for (const name of ['outage', 'daily'] as const) {
    const trace = { ...scenario(name, T_SECONDS), name: 'a<b' }
    const { seconds } = trace
    const runs = (['fixed-hex', 'lwma', 'asert-absolute', 'asert-clamped'] as const).map((name) =>
      drawn(runFor(ruleOf(name, trace), trace, 1), T_MS),
    )
    for (const svg of Object.values(plots(runs, { trace, seconds, intervalMs: T_MS }))) {
      t.equal(svg.match(/<path /g)?.length, 4)
      t.match(svg, 'a&lt;b')
      t.notMatch(svg, /NaN|Infinity|undefined/)
      t.equal(
        svg.includes('>off<') && svg.includes('>on<'),
        name === 'outage',
        'not of a trace with too many',
      )
      t.ok(svg.length < 60_000)
    }
  }
})
