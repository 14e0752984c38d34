/** What a shared slow hand orders. Seeds are stated. */
import t from 'tap'
import { Sites, type SitesOptions } from '../../../sim/lab/sites.ts'
import { seedsTo } from './clock.ts'

const TICK_SECONDS = 160
const OPTIONS: SitesOptions = {
  ...{ seed: 1, sites: 2, joined: 'around-one', blockSeconds: 10, ratio: 16 },
  ...{ hopSeconds: 0.1, ticks: 512, pairs: 20_000 },
}
const figures = (options: Partial<SitesOptions>) => new Sites({ ...OPTIONS, ...options }).figures()

t.test(
  'two blocks of one site are ordered when a tick lies between: 1 - exp(-d / RT), at d of RT ln 2 and RT ln 20; seeds 1 to 3',
  async (t) => {
    for (const seed of seedsTo(3)) {
      const { half, most, named, lost } = figures({ seed, sites: 1, ticks: 4_096, pairs: 80_000 })
      t.ok(Math.abs(half / (TICK_SECONDS * Math.LN2) - 1) < 0.1, `seed ${seed}: half at ${half.toFixed(0)} s`)
      t.ok(
        Math.abs(most / (TICK_SECONDS * Math.log(20)) - 1) < 0.1,
        `seed ${seed}: 95 % at ${most.toFixed(0)} s`,
      )
      t.equal(named, 1)
      t.equal(lost, 0)
    }
  },
)

t.test('ticks of 200 sites name them all, and order two hundred nearly as well as two; seed 1', async (t) => {
  const [two, many] = [figures({}), figures({ sites: 200 })]
  t.ok(many.named > 199, `${many.named} ledgers in a tick`)
  t.ok(many.half - two.half < 40, `${two.half.toFixed(0)} and ${many.half.toFixed(0)} s`)
  t.ok(many.most - two.most < 80, `${two.most.toFixed(0)} and ${many.most.toFixed(0)} s`)
})

t.test('names and ticks that are long on their way make it worse, and more ticks lose; seed 1', async (t) => {
  const [quick, slow] = [figures({ sites: 50 }), figures({ sites: 50, hopSeconds: 30 })]
  t.ok(slow.named > 49)
  t.ok(slow.half > quick.half + 60, `${quick.half.toFixed(0)} and ${slow.half.toFixed(0)} s`)
  t.ok(slow.lost > 0.15 && quick.lost < 0.01, `${slow.lost} of the ticks`)
})

t.test('in a ring names come from both sides, and their way is longer; seed 1', async (t) => {
  const [ring, around] = [
    figures({ sites: 100, joined: 'ring', hopSeconds: 1 }),
    figures({ sites: 100, hopSeconds: 1 }),
  ]
  t.ok(ring.named > 99 && around.named > 99)
  t.ok(ring.lost > 2 * around.lost, `${ring.lost} and ${around.lost}`)
})

t.test(
  'a validator speaks at each fourth part of a tick and at each tick: five times an interval; seed 1',
  async (t) => {
    const { said, passed } = figures({ sites: 20 })
    t.ok(Math.abs(said - 5) < 0.2, `${said}`)
    // At a tick there is nothing new when the last block was one at which it spoke, one of four, but for half of the time to the next.
    t.ok(passed < said - 0.2 && passed > 4.5, `${passed}`)
  },
)
