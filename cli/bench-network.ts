/**
 * The network that `pinledger up` founds on its first start: keys, genesis and a configuration file for each agent,
 * all in one directory where a person can read and change them.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { agentConfig } from '../edge-agent/config.ts'
import { offeredQuantities } from '../edge-agent/drivers/host.ts'
import { thisMachine } from '../edge-agent/drivers.ts'
import { probeGpio } from '../edge-agent/gpio/access.ts'
import { measureHashRate } from '../edge-agent/mining/hash-rate.ts'
import { COIN } from '../ledger/amount.ts'
import { genesisFrom, PRESETS, type PresetName } from '../ledger/preset.ts'
import { hasLedger, networkOf } from '../node/chain-store.ts'
import { openDiskReadOnly } from '../node/disk.ts'
import { WorldError } from '../node/error.ts'
import { readGenesis, writeGenesis } from '../node/genesis-file.ts'
import { createKey, loadKey } from '../node/key-file.ts'
import { KEY_FILE } from '../node/runtime.ts'
import type { Account, Network } from '../schemas/hex.ts'
import { firstWorks } from './first-works.ts'

export const AGENTS = ['agent-1', 'agent-2', 'agent-3'] as const
/** The person's own purse: a key with coins that no program uses. */
const VISITOR_FILE = 'visitor.json'
/** Another one, with which `up` shows what can be bought. */
const GUEST_FILE = 'guest.json'
/** What the soil probe of the demonstration says, over and over. */
const SOIL_FILE = 'soil.yaml'
export const VALIDATORS = ['validator-1', 'validator-2'] as const

/** Share of a core for each agent's miner: three of them leave a two-core machine usable. */
const DUTY = 0.1
const ALLOCATION = 100 * COIN
/** The fastest of a few short rounds is what the machine can do when nothing else wants it. */
const MEASURE = { rounds: 4, ms: 120 } as const

export interface BenchNetwork {
  readonly id: Network
  readonly genesisHash: string
  readonly genesisFile: string
  readonly validators: readonly Account[]
  readonly agentConfigs: readonly string[]
  readonly agents: readonly Account[]
  readonly visitor: Account
  readonly visitorFile: string
  readonly guest: Account
  readonly guestFile: string
  /** True when it was founded just now. */
  readonly founded: boolean
}

/** Opens the network in `data` or founds one. Throws WorldError. */
export async function openBenchNetwork(
  data: string,
  preset: PresetName,
  slowRatio = 0,
): Promise<BenchNetwork> {
  const genesisFile = join(data, 'genesis.json')
  mkdirSync(join(data, 'logs'), { recursive: true, mode: 0o700 })
  const accountOf = (name: string): Account => {
    mkdirSync(join(data, name), { recursive: true, mode: 0o700 })
    return openKey(join(data, name, KEY_FILE))
  }
  const visitorFile = join(data, VISITOR_FILE)
  const visitor = openKey(visitorFile)
  const guestFile = join(data, GUEST_FILE)
  const guest = openKey(guestFile)
  const validators = VALIDATORS.map(accountOf)
  const agents = AGENTS.map(accountOf)
  const founded = !existsSync(genesisFile)
  if (founded) {
    const orphan = [...VALIDATORS, ...AGENTS].find((name) => hasLedger(openDiskReadOnly(join(data, name))))
    if (orphan !== undefined) {
      throw new WorldError(
        'config',
        `${genesisFile} is missing, but ${join(data, orphan)} holds a ledger: put the file back, or choose another --data directory for a new network`,
      )
    }
    const hashesPerSecond = Math.max(
      ...Array.from({ length: MEASURE.rounds }, () => measureHashRate(MEASURE.ms)),
    )
    const work = (hashesPerSecond * DUTY * AGENTS.length * PRESETS[preset].interval) / 1000
    const allocations = [...agents, visitor, guest].map((account) => ({ account, amount: ALLOCATION }))
    const choices = { name: preset, time: Date.now(), allocations, ...firstWorks(work, slowRatio) }
    writeGenesis(genesisFile, genesisFrom(preset, choices))
  }
  const agentConfigs = await Promise.all(
    AGENTS.map((name, index) => writeAgentConfig(data, name, index, agents)),
  )
  const { id, genesisHash } = networkOf(readGenesis(genesisFile))
  return {
    id,
    genesisHash,
    genesisFile,
    validators,
    agents,
    agentConfigs,
    visitor,
    visitorFile,
    guest,
    guestFile,
    founded,
  }
}

const openKey = (path: string): Account => (existsSync(path) ? loadKey(path) : createKey(path)).account

/** Writes an agent's configuration unless there is one, which is the user's to change. */
async function writeAgentConfig(
  data: string,
  name: string,
  index: number,
  agents: readonly Account[],
): Promise<string> {
  const path = join(data, `${name}.yaml`)
  if (existsSync(path)) return path
  const neighbour = (index + 1) % AGENTS.length
  const config = {
    name,
    broker: { url: 'mqtt://127.0.0.1:1883' },
    data: join(data, name),
    genesis: join(data, 'genesis.json'),
    mine: { threads: 1, duty: DUTY },
    sensors: [...(await sensorsFor(index)), ...(index === PROBE ? [soilProbe(data)] : [])],
    ...(index === LAMP ? { outputs: [lamp(data, name)] } : {}),
    ...(index === PUMP ? { buys: [purchase(agents[PROBE])] } : {}),
    wires: [
      {
        when: { device: agents[neighbour], sensor: (await sensorsFor(neighbour))[0]?.name },
        pay: '0.01',
        for: `a reading of ${AGENTS[neighbour]}`,
      },
    ],
  }
  agentConfig.parse(config)
  const head = `# ${name} of the network that pinledger up made here; change it and start again.\n# pinledger up overrides broker.url with its own broker's address.\n`
  writeFileSync(path, head + stringify(config), { mode: 0o600 })
  return path
}

/** Which agent has the lamp that obeys who pays, the soil probe, and the pump that buys its readings. */
const [LAMP, PROBE, PUMP] = [0, 1, 2]

const lamp = (data: string, agent: string) => ({
  name: 'lamp',
  // A relay has a pin here; a file can be looked at anywhere.
  file: join(data, agent, 'lamp'),
  when: { paid: true },
  sell: { perMinute: '3', secondsMin: 5, secondsMax: 600, terms: 'a file that says 1' },
})

function soilProbe(data: string) {
  const file = join(data, SOIL_FILE)
  const value = (step: number): string => (32 + 4 * Math.sin((step / 30) * Math.PI)).toFixed(1)
  const steps = Array.from({ length: 60 }, (_, step) => ({ after: 2, value: value(step) }))
  if (!existsSync(file)) writeFileSync(file, stringify({ repeat: true, steps }), { mode: 0o600 })
  const sell = { perMinute: '0.6', perReading: '0.001', freeEverySeconds: 20, secondsMin: 5, place: 'bed 1' }
  return { name: 'soil', driver: 'script', file, unit: '%RH', sell }
}

const purchase = (from: Account | undefined) => ({
  from,
  sensor: 'soil',
  perReadingMax: '0.001',
  deposit: '1',
})

/** What each agent reads: a share of the machine's own quantities, and on a Raspberry Pi one GPIO input. */
async function sensorsFor(index: number): Promise<{ name: string; [field: string]: unknown }[]> {
  const offered = await offeredQuantities(thisMachine(() => {}))
  const mine = offered.filter((_, at) => at % AGENTS.length === index).slice(0, 2)
  const sensors: { name: string; [field: string]: unknown }[] = mine.map((quantity) => ({
    name: quantity,
    driver: 'host',
    quantity,
    intervalSeconds: 4,
  }))
  if (index === 0 && (await probeGpio()).chosen !== undefined)
    sensors.push({ name: 'gpio17', driver: 'gpio', pin: 17, mode: 'level', intervalSeconds: 10 })
  return sensors
}
