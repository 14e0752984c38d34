/** When an agent mines and when it rests. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { MINER_DEFAULTS } from '../../edge-agent/miner.ts'
import { Mining } from '../../edge-agent/mining.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { systemClock } from '../../node/clock.ts'
import { openDisk } from '../../node/disk.ts'
import { LedgerNode } from '../../node/ledger-node.ts'
import { bound } from '../helpers/bound.ts'
import { bob, carol } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

async function startMining(t: Test, rig: Rig, synchronised: () => boolean) {
  const { log, lines } = recordingLog()
  const store = new ChainStore(openDisk(temporary(t)), rig.genesis)
  const clock = { ...rig.clock(), synchronised }
  const onFatal = (error: unknown): void => void t.fail('failed', { error })
  const node: LedgerNode = new LedgerNode(
    {
      session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
      role: 'agent',
      name: 'agent',
      software: 'test',
      signer: carol,
    },
    {
      store,
      clock,
      random: Math.random,
      log,
      onUpdate: () => mining.refresh(),
      onTransaction: () => {},
      onRefused: () => {},
      onConnected: () => {},
      onDisconnected: () => mining.refresh(),
      onFatal,
    },
  )
  const mining = new Mining(
    { ...MINER_DEFAULTS, duty: 0.5 },
    { node, signer: carol, clock, random: Math.random, log, onFatal },
  )
  t.teardown(async () => {
    await mining.stop()
    await node.stop()
    store.close()
  })
  node.start()
  mining.start()
  const reasons = () => lines.filter(({ event }) => event === 'not mining').map(({ fields }) => fields.reason)
  return { node, mining, store, lines, reasons }
}

t.test(
  'it rests without a connection and mines once it is in sync; every block found is a valid one',
  async (t) => {
    const rig = await Rig.start(t)
    const running = await rig.validator()
    const { mining, node, lines } = await startMining(t, rig, () => true)
    mining.refresh()
    t.match(lines.find(({ event }) => event === 'not mining')?.fields, { reason: 'no connection' })
    await waitUntil(
      'a block of ours is at the validator',
      () => running.store.chain.tip.miner === carol.account,
      bound(9_000),
    )
    t.ok(lines.some(({ event }) => event === 'mining'))
    t.ok(lines.some(({ event }) => event === 'found a block'))
    t.ok(node.chain.tip.height >= running.store.chain.tip.height)
    t.strictSame(running.counts.refused, [])
    await rig.broker.broker.stop()
    await waitUntil('it rests again', () => lines.filter(({ event }) => event === 'not mining').length >= 2)
    t.equal(mining.stats().restarts, 0)
  },
)

t.test('a Pi does not mine until its time service has set the clock, and says what to do', async (t) => {
  const rig = await Rig.start(t)
  await rig.validator()
  const root = temporary(t)
  mkdirSync(join(root, 'device-tree'))
  mkdirSync(join(root, 'systemd/timesync'), { recursive: true })
  writeFileSync(join(root, 'device-tree/model'), 'Raspberry Pi Zero 2 W Rev 1.0\0')
  const { synchronised } = systemClock({ runRoot: root, procRoot: root, ask: async () => undefined })
  const { store, reasons, mining, node } = await startMining(t, rig, synchronised)
  await waitUntil('it is connected', () => node.session.connected)
  mining.refresh()
  t.equal(reasons().length, 1)
  t.match(reasons()[0], /^the clock is not synchronised: .*sudo timedatectl set-ntp true/)
  t.equal(store.chain.tip.height, 0)
  writeFileSync(join(root, 'systemd/timesync/synchronized'), '')
  await waitUntil('then it mines', () => store.chain.tip.height > 0)
  t.pass('mined')
})

t.test('on an enrolled network it rests until it is admitted, and says who has to do what', async (t) => {
  const activations = [1, 2, 3, 4, 5].map((type) => ({ type, height: 0 }))
  const rig = await Rig.start(t, { authorities: [bob.account], activations })
  const running = await rig.validator()
  const { store, reasons, mining, node } = await startMining(t, rig, () => true)
  await waitUntil('it is in sync', () => node.inSync, bound(9_000))
  mining.refresh()
  t.equal(
    reasons().at(-1),
    `not admitted: an authority of the network has to run pinledger admit ${carol.account}`,
  )
  await rig.mine([running], [rig.chain.sign(bob, { type: 'admission', member: carol.account })])
  await waitUntil('it mines', () => store.chain.tip.miner === carol.account, bound(9_000))
  t.ok(store.chain.tip.height > 1)
  t.strictSame(running.counts.refused, [])
})
