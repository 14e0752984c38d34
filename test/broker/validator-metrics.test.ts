/** A real validator on a real broker, read through its metrics. */
import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Validator } from '../../broker/validator.ts'
import { createValidatorMetrics } from '../../broker/validator-metrics.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { openDisk } from '../../node/disk.ts'
import { alice, bob, carol, START_MS, signer, TestChain } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'
import { soldTopic } from '../helpers/receipts.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { waitUntil } from '../helpers/wait-until.ts'

t.test('metrics show the chain, the mempool, the disk and what happened since the start', async (t) => {
  const rig = await Rig.start(t)
  const path = join(temporary(t), 'chain.log')
  const store = new ChainStore(openDisk(dirname(path)), rig.genesis)
  const { registry, events } = createValidatorMetrics(
    () => validator,
    () => store.size,
  )
  const validator = new Validator(
    { session: { url: rig.url }, name: 'validator', software: 'test', signer: signer(201) },
    {
      store,
      clock: rig.clock(),
      random: Math.random,
      log: recordingLog().log,
      events,
      onFatal: (error) => t.fail('the validator failed', { error }),
    },
  )
  const { node } = validator
  t.teardown(async () => {
    await validator.stop()
    store.close()
  })
  const read = async (): Promise<Record<string, number>> => {
    const lines = (await registry.metrics()).split('\n').filter((line) => line.startsWith('pinledger_'))
    return Object.fromEntries(lines.map((line) => line.slice(10).split(' ')).map(([k, v]) => [k, Number(v)]))
  }

  t.match(await read(), {
    height: 0,
    final_height: 0,
    tip_time_seconds: START_MS / 1000,
    supply_units: 1000e8,
    mempool_transactions: 0,
    mempool_bytes: 0,
    store_bytes: statSync(path).size,
    grants: 0,
    grants_dropped: 0,
    connected: 0,
    blocks_total: 0,
    transactions_total: 0,
    readings_total: 0,
    blocks_disconnected_total: 0,
  })

  validator.start()
  await waitUntil('it is connected', () => node.session.connected)
  t.match(await read(), { connected: 1 })

  const receipt = soldTopic(rig.chain, alice, carol.account, { until: START_MS + 86_400_000, ahead: 1 })
  await rig.mine(
    [],
    [rig.chain.transfer(alice, bob.account, 5), receipt, rig.chain.reading(bob), rig.chain.batch(carol, 7)],
  )
  await waitUntil('it has the block', () => node.chain.tip.height === 1)
  const { tip } = rig.chain.chain
  t.match(await read(), {
    height: 1,
    tip_time_seconds: tip.time / 1000,
    supply_units: 1050e8,
    store_bytes: statSync(path).size,
    blocks_total: 1,
    transactions_total: 4,
    readings_total: 8,
    grants: 1,
  })

  const waiting = rig.chain.transfer(alice, bob.account, 5)
  const device = await rig.device(alice)
  await device.send('tx', waiting.bytes)
  await waitUntil('it waits', () => node.mempool.size === 1)
  t.match(await read(), { mempool_transactions: 1, mempool_bytes: waiting.bytes.length })

  await device.send('tx', new Uint8Array(3))
  await device.send('tx', new Uint8Array(3))
  await waitUntil(
    'both are refused',
    () => device.receipts.filter(({ status }) => status === 'refused').length === 2,
  )
  t.match(await read(), { 'refused_total{kind="tx",code="bad-encoding"}': 2 })

  const other = new TestChain(rig.chain.network)
  other.grow(2, [], carol)
  for (const height of [1, 2]) node.accept(other.archive.block(other.chain.at(height)?.hash ?? tip.hash))
  t.match(await read(), {
    height: 2,
    blocks_total: 3,
    blocks_disconnected_total: 1,
    transactions_total: 4,
    grants: 0,
  })
})
