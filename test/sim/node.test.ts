import t from 'tap'
import { SimBroker } from '../../sim/broker.ts'
import { Deals } from '../../sim/deals.ts'
import { sharedSignatures, simSigner } from '../../sim/identities.ts'
import { SimNode } from '../../sim/node.ts'
import { Rng } from '../../sim/random.ts'
import { BLOCK_HASHES, simGenesis } from '../../sim/rules.ts'
import { Scheduler } from '../../sim/scheduler.ts'

const INTERVAL_MS = 10_000

t.test('a machine that starts again draws other numbers', async (t) => {
  const scheduler = new Scheduler()
  const signer = simSigner(0)
  const network = { intervalMs: INTERVAL_MS, holders: [signer.account], signers: [], authorities: [] }
  const never = Number.POSITIVE_INFINITY
  const ignore = (): void => {}
  let startedMs = 0
  /** How long the miner took for its first block after each start. */
  const waits: number[] = []
  const node = new SimNode(
    {
      ...{ name: 'n0', role: 'agent', signer, edge: undefined, admits: [] },
      ...{ sendsMs: never, tradesMs: never, bytesMax: never },
      rate: BLOCK_HASHES / INTERVAL_MS,
      genesis: simGenesis({ ...network, slowHand: false }),
    },
    {
      ...{ scheduler, broker: new SimBroker(scheduler, new Rng('broker')), random: new Rng('machine') },
      ...{ signatures: sharedSignatures(), deals: new Deals(), others: () => [signer.account] },
      log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
      ...{ onUpdate: ignore, onFinal: ignore, onTick: ignore },
      onStarted: () => {
        startedMs = scheduler.nowMs
      },
      onBug: (_, error) => t.fail(String(error)),
      onFound: (found) => {
        waits.push(Math.round(scheduler.nowMs - startedMs))
        found.kill(1_000)
      },
    },
  )
  node.start()
  await scheduler.run(3_600_000, () => waits.length === 8)
  t.equal(waits.length, 8)
  t.equal(new Set(waits).size, 8, `waits of ${waits.join(', ')} ms`)
})
