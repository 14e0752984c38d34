/**
 * Two agents that trade over channels and are killed: one at each of its writes, both at each pair of their writes, and again and
 * again. The lab checks both loss bounds after every step. All pairs are those of a short run: the longer one of the first test
 * has 1,410, minutes of work for each way of paying, so every fifth write has to do there. Run by npm run test:system;
 * test/edge-agent/channel/channels.test.ts has a part of it.
 */
import t, { type Test } from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { ChannelLab, PRICE } from '../../helpers/channel-lab.ts'
import { seeded } from '../../helpers/ledger.ts'

/** Of a write that fails, so many bytes of a thousand are there afterwards. */
const ARRIVES = [0, 400, 1000]
const TERMS = { perReading: PRICE, confirmations: 1, delayMin: 5, claimAbove: COIN }

t.test('killed at any write, either side goes on where it was', async (t) => {
  const script = async (lab: ChannelLab): Promise<void> => {
    lab.start()
    await lab.run(26)
  }
  const calm = new ChannelLab(TERMS)
  await script(calm)
  for (const side of ['seller', 'buyer'] as const) {
    const writes = calm[side].disk.writes
    let crashes = 0
    const slow: string[] = []
    for (let failAt = 1; failAt < writes; failAt++) {
      const lab = new ChannelLab(TERMS)
      lab[side].disk.failAt = failAt
      lab[side].disk.arrives = ARRIVES[failAt % 3] as number
      await script(lab)
      crashes += lab[side].crashes
      lab.settled(`${side}, write ${failAt}`)
      if (lab.bought < calm.bought - 4) slow.push(`${side}, write ${failAt}: ${lab.bought} of ${calm.bought}`)
    }
    t.ok(crashes >= writes - 2, `the ${side} was killed at each of ${writes} writes`)
    t.strictSame(slow, [], 'and trade went on')
  }
})

interface Pairs {
  readonly mode: 'payword' | 'signed'
  /** Readings that a channel pays. */
  readonly readings: number
  /** Of the calm run whose writes are the ones to be killed at; quiet ones follow. */
  readonly rounds: number
  /** Every so many writes. */
  readonly every: number
}

/** Kills the seller at a write and the buyer at a write, for each pair of writes, and lets both go on. */
async function killBoth(t: Test, { mode, readings, rounds, every }: Pairs): Promise<void> {
  const create = (kills?: readonly [number, number]): ChannelLab => {
    const lab = new ChannelLab(TERMS, { mode, deposit: readings * PRICE })
    for (const [at, { disk }] of lab.actors.entries()) {
      if (kills === undefined) break
      disk.failAt = kills[at] as number
      disk.arrives = ARRIVES[(kills[0] + kills[1] + at) % 3] as number
    }
    lab.start()
    return lab
  }
  /** What is bought by then, and in rounds that are longer than it takes to talk again. */
  const finish = async (lab: ChannelLab) => {
    const { bought } = lab
    lab.roundMs = 4_000
    await lab.run(5)
    return { bought, later: lab.bought - bought }
  }
  const calm = create()
  await calm.run(rounds)
  const [sales, purchases] = calm.actors.map(({ disk }) => disk.writes) as [number, number]
  const most = await finish(calm)
  const slow: string[] = []
  let [pairs, both] = [0, 0]
  for (let seller = 0; seller < sales; seller += every) {
    for (let buyer = 0; buyer < purchases; buyer += every) {
      const lab = create([seller, buyer])
      await lab.run(rounds)
      const { bought, later } = await finish(lab)
      const name = `seller killed at write ${seller}, buyer at ${buyer}`
      lab.settled(name)
      pairs++
      if (lab.actors.every(({ crashes }) => crashes === 1)) both++
      // A word that a crash has swallowed is said again after up to 6 s, rounds take one.
      if (lab.bought < calm.bought - 5 || later < most.later - 2)
        slow.push(`${name}: ${bought}, then ${later}`)
    }
  }
  t.comment(
    `${pairs} pairs of ${sales} writes and ${purchases}; when calm ${most.bought}, then ${most.later}`,
  )
  t.ok(both >= 0.95 * pairs, `both were killed in ${both} of ${pairs} runs`)
  t.strictSame(slow, [], 'and trade went on')
}

for (const mode of ['payword', 'signed'] as const) {
  const name = mode === 'payword' ? 'words' : 'signatures'
  t.test(`${name}: both sides killed, at every pair of their writes, of four channels`, (t) =>
    killBoth(t, { mode, readings: 3, rounds: 12, every: 1 }),
  )
  t.test(`${name}: both sides killed, at some pairs of their writes, on longer channels`, (t) =>
    killBoth(t, { mode, readings: 8, rounds: 26, every: 5 }),
  )
}

t.test('both sides killed again and again at random writes, over a bad wire', async (t) => {
  let [crashes, bought] = [0, 0]
  for (let seed = 1; seed <= 12; seed++) {
    const lab = new ChannelLab(TERMS, { mode: seed % 2 === 0 ? 'payword' : 'signed' }, seed)
    const random = seeded(seed)
    lab.fate = () => (random() < 0.1 ? 0 : random() < 0.2 ? 2 : 1)
    lab.roundMs = 5_000
    lab.start()
    for (let round = 0; round < 50; round++) {
      for (const actor of lab.actors) {
        if (random() < 0.3) {
          actor.disk.failAt = actor.disk.writes + Math.floor(random() * 4)
          actor.disk.arrives = Math.floor(random() * 1001)
        }
      }
      await lab.run(1)
    }
    for (const actor of lab.actors) actor.disk.failAt = Number.POSITIVE_INFINITY
    const before = lab.bought
    await lab.run(40)
    t.ok(lab.bought > before, `seed ${seed}: ${before} readings, and it goes on`)
    lab.settled(`seed ${seed}`)
    crashes += lab.seller.crashes + lab.buyer.crashes
    bought += lab.bought
  }
  t.comment(`${crashes} crashes, ${bought} readings`)
  t.ok(crashes > 100)
})
