/** What a shared slow hand orders. Seeds are stated. */
import t from 'tap'
import { order } from '../../../sim/lab/sites.ts'
import { seedsTo } from './clock.ts'

const TICK_SECONDS = 160

t.test(
  'two sites are ordered when a tick lies between: 1 - exp(-d / RT), at d of RT ln 2 and RT ln 20; seeds 1 to 3',
  async (t) => {
    for (const seed of seedsTo(3)) {
      const { half, most } = order({
        seed,
        sites: 2,
        tickSeconds: TICK_SECONDS,
        delaySeconds: 0,
        pairs: 20_000,
      })
      t.ok(
        Math.abs(half / (TICK_SECONDS * Math.LN2) - 1) < 0.25,
        `seed ${seed}: half at ${half.toFixed(0)} s`,
      )
      t.ok(
        Math.abs(most / (TICK_SECONDS * Math.log(20)) - 1) < 0.25,
        `seed ${seed}: 95 % at ${most.toFixed(0)} s`,
      )
    }
  },
)

t.test(
  'a thousand sites are ordered as well as two, and news that is late makes it worse; seed 1',
  async (t) => {
    const options = { seed: 1, tickSeconds: TICK_SECONDS, delaySeconds: 1, pairs: 8_000 }
    const [two, thousand] = [order({ ...options, sites: 2 }), order({ ...options, sites: 1_000 })]
    t.ok(
      Math.abs(thousand.half / two.half - 1) < 0.2,
      `${two.half.toFixed(0)} and ${thousand.half.toFixed(0)} s`,
    )
    const late = order({ ...options, sites: 1_000, delaySeconds: 80 })
    t.ok(late.half > thousand.half + 80, `${late.half.toFixed(0)} s when news takes 80 s`)
  },
)
