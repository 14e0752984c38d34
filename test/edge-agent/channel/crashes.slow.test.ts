/**
 * Two agents that trade over channels and are killed: at each of their writes, and again and again. The lab checks both loss bounds
 * after every step. Run by npm run test:system; test/edge-agent/channel/channels.test.ts has a part of it.
 */
import t from 'tap'
import { COIN } from '../../../ledger/amount.ts'
import { ChannelLab, PRICE } from '../../helpers/channel-lab.ts'
import { seeded } from '../../helpers/ledger.ts'

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
      lab[side].disk.arrives = [0, 400, 1000][failAt % 3] as number
      await script(lab)
      crashes += lab[side].crashes
      lab.settled(`${side}, write ${failAt}`)
      if (lab.bought < calm.bought - 4) slow.push(`${side}, write ${failAt}: ${lab.bought} of ${calm.bought}`)
    }
    t.ok(crashes >= writes - 2, `the ${side} was killed at each of ${writes} writes`)
    t.strictSame(slow, [], 'and trade went on')
  }
})

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
