/** Made series: what each fault looks like, what honest sensors look like, and what fools the judge. */
import t from 'tap'
import { FROZEN_RUN, judge, median, READINGS_MIN, scoreOf, WEIGHTS } from '../../broker/plausibility.ts'
import { type Point, type Series, WINDOW } from '../../broker/series.ts'
import { seeded, signer } from '../helpers/ledger.ts'

const STEP = 0.01
const random = seeded(7)
/** Some normal distribution: the sum of twelve. */
const noise = (sigma: number): number =>
  sigma * (Array.from({ length: 12 }, random).reduce((sum, each) => sum + each) - 6)
/** A day in the greenhouse. */
const warmth = (at: number): number => 20 + 5 * Math.sin(at / 20)
const rounded = (value: number): number => Math.round(value / STEP) * STEP

const device = (index: number) => signer(100 + index).account
const series = (
  index: number,
  values: readonly (number | undefined)[],
  overrides: Partial<Point> = {},
): Series => ({
  ...{ device: device(index), sensor: 'air', unit: 'Cel' },
  points: values.map((value, at) => ({
    ...{ height: 2 * at, value, step: STEP, count: 1, missed: 0, synchronised: true, ...overrides },
  })),
})
const times = Array.from({ length: WINDOW }, (_, at) => at)
const honest = (index: number, sigma = 0.1) =>
  series(
    index,
    times.map((at) => rounded(warmth(at) + noise(sigma))),
  )
/** Each of these beside all the others. */
const judged = (all: readonly Series[]) =>
  all.map((one) => {
    const others = all.filter((other) => other.device !== one.device)
    return judge(one, { place: 'greenhouse', neighbours: others, others })
  })
const changed = (of: Series, change: (value: number, at: number) => number): Series => ({
  ...of,
  points: of.points.map((point, at) => ({ ...point, value: change(point.value ?? 0, at) })),
})

t.test('honest sensors with noise and offsets of their own have full marks', async (t) => {
  const all = [0.02, 0.1, 0.1, 0.2, 0.05].map((sigma, index) => honest(index, sigma))
  all[4] = changed(all[4] as Series, (value) => rounded(value + 0.8))
  for (const quality of judged(all)) {
    t.match(quality, { score: 100, neighbours: 4, outliers: 0, frozen: false, copied: '', gaps: 0 })
  }
  t.match(judged(all)[4]?.offset, 0.8)
})

t.test('a sensor alone is judged by its gaps and its clock', async (t) => {
  const [alone] = judged([honest(0)])
  t.strictSame(
    { ...alone },
    {
      ...{ sensor: 'air', unit: 'Cel', place: 'greenhouse', readings: WINDOW, score: 100, neighbours: 0 },
      ...{ gaps: 0, unsynchronised: 0, frozen: false, copied: '', outliers: null, offset: null },
    },
  )
  const young = series(0, times.slice(0, READINGS_MIN - 1))
  t.equal(judged([young])[0]?.score, null)
  t.equal(judged([series(0, [])])[0]?.score, null)
})

t.test('frozen: equal values while the neighbours move', async (t) => {
  const others = [1, 2, 3].map((index) => honest(index))
  const stuck = (run: number) => changed(honest(0), (value, at) => (at >= WINDOW - run ? 21.5 : value))
  t.match(judged([stuck(FROZEN_RUN), ...others])[0], { frozen: true })
  t.match(judged([stuck(FROZEN_RUN - 1), ...others])[0], { frozen: false })
  t.match(
    judged([stuck(WINDOW), ...others])[0],
    { frozen: true, score: 0 },
    'and most of its values are far off',
  )
  t.match(judged([stuck(FROZEN_RUN), ...others])[1], { frozen: false }, 'its neighbours are not')
  t.equal(judged([stuck(WINDOW)])[0]?.frozen, null, 'alone nobody knows')
})

t.test('at night all stand still, and none is frozen', async (t) => {
  const calm = [0, 1, 2, 3].map((index) =>
    series(
      index,
      times.map(() => 18),
    ),
  )
  for (const { frozen, score } of judged(calm)) t.strictSame({ frozen, score }, { frozen: false, score: 100 })
  const coarse = changed(honest(0, 0), (value) => Math.round(value / 5) * 5)
  const wide = { ...coarse, points: coarse.points.map((point) => ({ ...point, step: 5 })) }
  t.notOk(judged([wide, honest(1), honest(2), honest(3)])[0]?.frozen, 'a coarse sensor beside fine ones')
})

t.test("copied: another's values, some blocks later", async (t) => {
  const original = honest(1)
  const late = (blocks: number, count = 50): Series => ({
    ...original,
    device: device(0),
    points: original.points.slice(0, count).map((point) => ({ ...point, height: point.height + blocks })),
  })
  const marks = (copy: Series) => judged([copy, original, honest(2), honest(3)]).map(({ copied }) => copied)
  t.strictSame(marks(late(2)), [`${device(1)}/air`, '', '', ''], 'the copy is named with its original')
  t.equal(judged([late(2), original, honest(2), honest(3)])[0]?.score, 100 - WEIGHTS.copied)
  const elsewhere = judge(late(2), { place: '', neighbours: [], others: [original] })
  t.equal(elsewhere.copied, `${device(1)}/air`, 'from another place, too')
  const careless = changed(late(2), (value, at) => (at === 40 ? value + 1 : value))
  t.equal(marks(careless)[0], `${device(1)}/air`, 'one in 32 may differ')
  t.strictSame(marks(late(0)), ['', '', '', ''], 'one as fast as the original is not noticed')
  t.strictSame(
    marks(changed(late(2), (value) => rounded(value + noise(0.05)))),
    ['', '', '', ''],
    'nor one with noise added',
  )
  // Who is first on the ledger looks like the original.
  t.equal(
    marks(late(-2, WINDOW))[1],
    `${device(0)}/air`,
    'a faster thief makes the original look like the copy',
  )
})

t.test('values that say little are not taken for copies', async (t) => {
  const ramp = (index: number, delay: number) =>
    series(
      index,
      times.map((at) => Math.floor((at + delay) / 4)),
    )
  t.strictSame(
    judged([ramp(0, 0), ramp(1, 4)]).map(({ copied }) => copied),
    [null, null],
    'a steady rise in steps',
  )
  const door = (index: number) => ({
    ...series(
      index,
      times.map((at) => at % 2),
    ),
    unit: '/',
  })
  t.strictSame(
    judged([door(0), door(1)]).map(({ copied }) => copied),
    [null, null],
  )
  const counter = (delay: number, index: number) =>
    series(
      index,
      times.map((at) => at + delay),
    )
  t.equal(judged([counter(0, 0), counter(3, 1)])[0]?.copied, null, 'two counters')
})

t.test('outliers and drift, against the median of the neighbours', async (t) => {
  const others = [1, 2, 3, 4].map((index) => honest(index))
  const spiky = changed(honest(0), (value, at) => (at % 4 === 0 ? value + 10 : value))
  t.match(judged([spiky, ...others])[0], {
    outliers: 0.25,
    score: 100 - Math.round(WEIGHTS.outliers / 4) + 1,
  })
  for (const { outliers } of judged([spiky, ...others]).slice(1)) t.equal(outliers, 0)
  const drift = changed(honest(0), (value, at) => rounded(value + 0.08 * at))
  const [early] = judged([{ ...drift, points: drift.points.slice(0, 20) }, ...others])
  const [late] = judged([drift, ...others])
  t.ok(
    (early?.outliers ?? 1) <= 0.3 && (late?.outliers ?? 0) > 0.5,
    `${early?.outliers}, then ${late?.outliers}`,
  )
  t.ok((late?.offset ?? 0) > 2 && (late?.score ?? 100) < (early?.score ?? 0), 'and the offset shows it')
  const [two] = judged([spiky, ...others.slice(0, 2)])
  t.match(two, { outliers: null, score: 100 }, 'of three, nobody is out of line')
})

t.test('two of five who lie together are found, three are not', async (t) => {
  const liar = (index: number) => changed(honest(index), (value) => rounded(value + 6))
  const two = judged([liar(0), liar(1), honest(2), honest(3), honest(4)])
  t.strictSame(
    two.map(({ outliers }) => outliers),
    [1, 1, 0, 0, 0],
  )
  t.strictSame(
    two.map(({ score }) => score),
    [30, 30, 100, 100, 100],
  )
  const three = judged([liar(0), liar(1), liar(2), honest(3), honest(4)])
  t.strictSame(
    three.map(({ outliers }) => outliers),
    [0, 0, 0, 1, 1],
    'a majority decides what is true',
  )
})

t.test('a device with many sensors has one voice', async (t) => {
  const crowd = Array.from({ length: 20 }, (_, at) => ({
    ...changed(honest(0), (value) => rounded(value + 6)),
    sensor: `air-${at}`,
  }))
  const all = [honest(1), honest(2), honest(3), honest(4)]
  const others = [...crowd, ...all.slice(1)]
  const quality = judge(all[0] as Series, { place: 'x', neighbours: others, others })
  t.match(quality, { neighbours: 4, outliers: 0, score: 100 })
})

t.test('gaps: numbers that are missing beyond what is always left out', async (t) => {
  const gaps = (missed: (at: number) => number) => {
    const [quality] = judged([
      { ...honest(0), points: honest(0).points.map((point, at) => ({ ...point, missed: missed(at) })) },
    ])
    return [quality?.gaps, quality?.score]
  }
  t.strictSame(
    gaps((at) => (at % 8 === 7 ? 8 : 0)),
    [0.5, 85],
  )
  t.strictSame(
    gaps((at) => (at === 0 ? 0 : 119)),
    [0, 100],
    'one in 120 on purpose',
  )
  t.strictSame(
    gaps((at) => (at % 2 === 0 ? 119 : 120)),
    [0, 100],
    'not quite regular',
  )
  t.strictSame(
    gaps((at) => (at % 8 === 7 ? 239 : 119)),
    [0.11, 97],
    'of those, one in eight lost',
  )
})

t.test('readings by a clock that is not synchronised', async (t) => {
  t.match(judged([series(0, times, { synchronised: false })])[0], { unsynchronised: 1, score: 80 })
  const half = series(0, times)
  const points = half.points.map((point, at) => ({ ...point, synchronised: at % 2 === 0 }))
  t.match(judged([{ ...half, points }])[0], { unsynchronised: 0.5, score: 90 })
})

t.test('a batch counts for its numbers and its clock', async (t) => {
  const batches = series(
    0,
    times.map(() => undefined),
    { count: 20, missed: 0 },
  )
  t.match(judged([batches, honest(1), honest(2), honest(3)])[0], {
    ...{ readings: 20 * WINDOW, score: 100, outliers: null, frozen: null, copied: null },
  })
})

t.test('readings of another time are not compared', async (t) => {
  const others = [1, 2, 3, 4].map((index) => honest(index))
  const later = honest(0)
  const far = { ...later, points: later.points.map((point) => ({ ...point, height: point.height + 10_000 })) }
  t.match(judged([far, ...others])[0], { outliers: null, score: 100 })
})

t.test('the formula', async (t) => {
  const none = { gaps: 0, unsynchronised: 0, frozen: null, copied: null, outliers: null }
  t.equal(scoreOf(none), 100)
  t.equal(scoreOf({ ...none, gaps: 1 }), 70)
  t.equal(scoreOf({ ...none, unsynchronised: 1 }), 80)
  t.equal(scoreOf({ ...none, outliers: 1 }), 30)
  t.equal(scoreOf({ ...none, frozen: true }), 50)
  t.equal(scoreOf({ ...none, copied: 'x/y' }), 50)
  t.equal(scoreOf({ ...none, frozen: true, copied: 'x/y', gaps: 1 }), 0)
  t.strictSame([median([3, 1, 2]), median([4, 1, 2, 3]), median([])], [2, 2.5, 0])
})
