/** How an agent shares its duty between blocks and ticks, against a real broker. */
import t, { type Test } from 'tap'
import { Agent } from '../../edge-agent/agent.ts'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import { Outputs } from '../../edge-agent/outputs/outputs.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { readBlockHead } from '../../node/records.ts'
import { replaceableLog } from '../../node/replaceable-log.ts'
import { systemTimers } from '../../node/timers.ts'
import { invariant } from '../../schemas/result.ts'
import { handedGenesis, handGenesis } from '../helpers/hand.ts'
import { carol } from '../helpers/ledger.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** An agent on a network with a hand, both easy or both beyond any miner. */
async function startAgent(t: Test, slowShare: number, target?: bigint) {
  const genesis = handedGenesis(target === undefined ? {} : { target, hand: handGenesis({ target }) })
  const rig = await Rig.start(t, genesis)
  await rig.validator()
  const { lines, log } = recordingLog()
  const disk = new MemoryDisk()
  const store = new ChainStore(disk, genesis)
  const { hand: own } = store.chain.network
  invariant(own !== undefined, 'the network has a hand')
  const hand = new HandStore(disk.open(HAND_FILE), own)
  const clock = { now: Date.now, monotonic: () => performance.now(), synchronised: () => true }
  const onFatal = (error: unknown) => void t.fail('the agent failed', { error })
  const agent = new Agent(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      ...{ name: 'agent', software: 'test', signer: carol, sensors: [] },
      mining: { ...MINER_DEFAULTS, duty: 0.4, slowShare },
    },
    {
      ...{ store, hand, clock, random: Math.random, log, onFatal },
      outbox: new Outbox(replaceableLog(`${temporary(t)}/outbox.log`), store.chain, carol),
      outputs: new Outputs([], {
        clock,
        timers: systemTimers,
        log,
        lines: { start() {}, drive() {}, async stop() {} },
      }),
    },
  )
  const stop = () => agent.stop()
  await agent.start()
  const named = () => readBlockHead(store.block(store.chain.tip.hash)).coinbase.tick
  return { agent, slow: hand.slow, chain: store.chain, lines, named, stop }
}

t.test(
  'without a share for it there are blocks and no ticks; with all of it ticks and no blocks',
  async (t) => {
    const blocks = await startAgent(t, 0)
    await waitUntil('there are blocks', () => blocks.chain.tip.height >= 3)
    t.equal(blocks.slow.tip.height, 0)
    await blocks.stop()
    const ticks = await startAgent(t, 1)
    await waitUntil('there are ticks', () => ticks.slow.tip.height >= 3)
    t.equal(ticks.chain.tip.height, 0)
    await ticks.stop()
  },
)

t.test(
  'of its duty the share goes to ticks and the rest to blocks, each block with the newest tick',
  async (t) => {
    const both = await startAgent(t, 0.25)
    await waitUntil('there are both', () => both.slow.tip.height >= 2 && both.chain.tip.height >= 2)
    await both.stop()
    const { agent, lines, stop } = await startAgent(t, 0.25, 1n)
    await waitUntil('it is in sync', () => agent.node.inSync)
    await new Promise((resolve) => setTimeout(resolve, 6_000))
    await stop()
    const report = lines.find(({ event }) => event === 'report')?.fields ?? {}
    const [fast, slow] = [report['hashes-per-second'], report['slow-hashes-per-second']].map(Number) as [
      number,
      number,
    ]
    t.ok(slow > 0)
    t.ok(slow < fast * 0.7, `${slow} for ticks, ${fast} for blocks`)
  },
)
