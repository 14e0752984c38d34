/** A network on this machine, and the virtual machine whose agents report to it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import type { Test } from 'tap'
import { stringify } from 'yaml'
import { targetFor } from '../../../ledger/difficulty.ts'
import { parseTopic } from '../../../schemas/topic.ts'
import { kill, type Program, parsed, pinledger, temporary } from '../../helpers/processes.ts'
import { foundQuickNetwork } from '../../helpers/quick-network.ts'
import { prepare } from './agent.ts'
import { HOST, made, startVm, type Vm } from './vm.ts'

/** With one miner at a tenth of a core; emulated agents have to check all blocks. */
const NETWORK = { interval: 2_000, target: targetFor(100_000) }

export interface Lab {
  readonly vm: Vm
  /** The broker, as the virtual machine reaches it. */
  readonly broker: { readonly url: string }
  /** Key of an account for the virtual machine: `agent-2` or `agent-3`. */
  keyFile(account: string): string
  /** What a sensor said, as the validator confirmed it on the ledger, in that order. */
  confirmed(sensor: string): readonly number[]
  /** Lets blocks come, or not: those that come while an emulated agent starts, it has to check afterwards. */
  mine(on: boolean): void
  /** Kills the broker. */
  stopBroker(): Promise<void>
  /** Starts it again, in its old place. */
  startBroker(): Promise<void>
}

export async function startLab(t: Test): Promise<Lab> {
  // It takes as long as all the rest, most of it waiting.
  const [tools, vm, network] = await Promise.all([made(t, 'trixie-tools.sh'), startVm(t), startNetwork(t)])
  await prepare(vm, network.genesisFile, tools)
  return { vm, ...network }
}

async function startNetwork(t: Test): Promise<Omit<Lab, 'vm'> & { readonly genesisFile: string }> {
  const data = temporary(t)
  const { genesisFile, validators } = foundQuickNetwork(data, NETWORK)
  const validator = validators[0] ?? ''
  let broker: Program | undefined
  async function startBroker(mqttPort: number): Promise<number> {
    const ports = ['--mqtt-port', `${mqttPort}`, '--ws-port', '0', '--http-port', '0']
    broker = pinledger(t, ['broker', '--host', '127.0.0.1', '--validator', validator, ...ports, '--json'])
    const listening = await broker.line('the broker listens', (line) => parsed(line)?.event === 'listening')
    return Number(parsed(listening)?.mqtt)
  }
  const port = await startBroker(0)
  const url = `mqtt://127.0.0.1:${port}`
  const network = ['--genesis', genesisFile, '--broker', url, '--json']
  pinledger(t, ['validator', '--name', 'validator', '--data', join(data, 'validator-1'), ...network])
  const miner = { name: 'miner', broker: { url }, data: join(data, 'agent-1'), mine: { duty: 0.1 } }
  writeFileSync(join(data, 'agent-1.yaml'), stringify(miner))
  const mining = pinledger(t, ['agent', '--config', join(data, 'agent-1.yaml'), ...network])
  const mine = (on: boolean): void => kill(mining.pid, on ? 'SIGCONT' : 'SIGSTOP')
  await mining.line('the miner is connected', (line) => parsed(line)?.event === 'connected')
  mine(false)

  const readings = new Map<string, number[]>()
  const client = await connectAsync(url, { reconnectPeriod: 100 })
  t.teardown(() => client.endAsync(true))
  client.on('message', (name, payload) => {
    const { kind, publisher } = parseTopic(name) ?? {}
    if (kind !== 'confirmed' || publisher !== validator) return
    for (const { type, sample } of (JSON.parse(String(payload)) as Confirmed).transactions) {
      if (type !== 'reading') continue
      readings.set(sample.sensor, [...(readings.get(sample.sensor) ?? []), Number(sample.value)])
    }
  })
  await client.subscribeAsync('pinledger/+/confirmed/+/json', { qos: 1 })
  return {
    genesisFile,
    broker: { url: `mqtt://${HOST}:${port}` },
    keyFile: (account) => join(data, account, 'key.json'),
    confirmed: (sensor) => readings.get(sensor) ?? [],
    mine,
    async stopBroker() {
      broker?.child.kill('SIGKILL')
      await broker?.ended
    },
    async startBroker() {
      await startBroker(port)
    },
  }
}

/** A confirmed block, of which we look at the readings. */
interface Confirmed {
  readonly transactions: readonly {
    readonly type: string
    readonly sample: { readonly sensor: string; readonly value: string }
  }[]
}
