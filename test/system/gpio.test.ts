/**
 * Real GPIO: the built agent in a virtual machine whose kernel simulates the lines of a Pi's header, on both ways to the lines, and a
 * network on this machine that it reports to.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { targetFor } from '../../ledger/difficulty.ts'
import { parseTopic } from '../../schemas/topic.ts'
import { pinledger, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { prepare, startAgent } from './gpio-vm/agent.ts'
import { makeChips, PI_4 } from './gpio-vm/lines.ts'
import { HOST, startVm, type Vm } from './gpio-vm/vm.ts'
import { startBroker } from './lab.ts'

/** One miner, at a tenth of a core, finds a block a second. */
const FIRST_WORK = 100_000

interface Lab {
  readonly vm: Vm
  /** The broker, as the virtual machine reaches it. */
  readonly broker: { readonly url: string }
  readonly keyFiles: readonly string[]
  /** Values of a sensor on the ledger, in their order. */
  confirmed(sensor: string): readonly number[]
}

async function startLab(t: Test): Promise<Lab> {
  const data = temporary(t)
  const starting = startVm(t)
  const { genesisFile, validators } = foundQuickNetwork(data, {
    interval: 2_000,
    target: targetFor(FIRST_WORK),
  })
  const { url, mqttPort } = await startBroker(t, validators)
  const network = ['--genesis', genesisFile, '--broker', url, '--json']
  pinledger(t, ['validator', '--name', 'validator-1', '--data', join(data, 'validator-1'), ...network])
  const miner = { name: 'miner', broker: { url }, data: join(data, 'agent-1'), mine: { duty: 0.1 } }
  writeFileSync(join(data, 'agent-1.yaml'), stringify(miner))
  pinledger(t, ['agent', '--config', join(data, 'agent-1.yaml'), ...network])

  const readings = new Map<string, number[]>()
  const client = await connectAsync(url, { reconnectPeriod: 100 })
  t.teardown(() => client.endAsync(true))
  client.on('message', (name, payload) => {
    if (parseTopic(name)?.kind !== 'confirmed') return
    const { transactions } = JSON.parse(String(payload)) as Confirmed
    for (const { type, sample } of transactions) {
      if (type !== 'reading') continue
      readings.set(sample.sensor, [...(readings.get(sample.sensor) ?? []), Number(sample.value)])
    }
  })
  await client.subscribeAsync('pinledger/+/confirmed/+/json', { qos: 1 })
  const vm = await starting
  await prepare(vm, genesisFile)
  return {
    vm,
    broker: { url: `mqtt://${HOST}:${mqttPort}` },
    keyFiles: ['agent-2', 'agent-3'].map((name) => join(data, name, 'key.json')),
    confirmed: (sensor) => readings.get(sensor) ?? [],
  }
}

interface Confirmed {
  readonly transactions: readonly {
    readonly type: string
    readonly sample: { readonly sensor: string; readonly value: string }
  }[]
}

t.test('lines of a Pi 4', async (t) => {
  const lab = await startLab(t)
  const { vm } = lab
  const lines = await makeChips(vm, 'pi-4', PI_4)
  const [key = ''] = lab.keyFiles
  await startAgent(t, vm, key, {
    name: 'pi',
    broker: lab.broker,
    sensors: [{ name: 'button', driver: 'gpio', pin: 17 }],
  })
  await vm.until('x', 'sleep 2')
  await lines.drive(17, 1)
  await waitUntil('button', () => lab.confirmed('button').includes(1), 10_000)
})
