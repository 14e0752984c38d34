/** That what a broker brings gets to the watch of clocks: the watch itself is in clock-watch.test.ts. */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { TestChain } from '../helpers/ledger.ts'
import { alice, Rig } from '../helpers/rig.ts'

const INTERVAL_MS = 200
const HOUR_MS = 3_600_000

t.test('a validator that is an hour behind says so, from blocks that it cannot take', async (t) => {
  const rig = await Rig.start(t, { interval: INTERVAL_MS })
  const { lines, validator } = await rig.validator()
  const others = new TestChain(rig.chain.network)
  const device = await rig.device(alice)
  const said = () => lines.find(({ fields }) => fields.code === 'own-clock')
  // Three that count, one in two intervals, and the validator looks every ten seconds.
  for (let block = 1; block <= 80 && said() === undefined; block++) {
    const time = rig.chain.nowMs + HOUR_MS + block * INTERVAL_MS
    const made = others.block([], { miner: alice, header: { time } })
    t.ok(others.accept(made, time).ok)
    await device.send('block', encode(blockCodec, made), { qos: 1 })
    await sleep(2 * INTERVAL_MS)
  }
  t.match(said(), { level: 'warn', fields: { reason: /^this machine's clock is 60 min behind/ } })
  t.equal(validator.node.chain.tip.height, 0)
})
