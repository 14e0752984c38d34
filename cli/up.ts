/**
 * `pinledger up`: a whole network on this machine in one process tree: broker, two validators, three agents.
 *
 * The parts share nothing but MQTT; this process only starts, watches and stops them, and shows what happens.
 */

import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { PresetName } from '../ledger/preset.ts'
import { openDataDir } from '../node/data-dir.ts'
import { createLog, formatFor } from '../node/log.ts'
import { AGENTS, type BenchNetwork, openBenchNetwork, VALIDATORS } from './bench-network.ts'
import { Child } from './child.ts'
import { EXIT } from './exit.ts'
import { Guest } from './guest.ts'
import { type Event, Live } from './live.ts'
import { type Mirror, openReader, type Reader } from './reader.ts'
import { eventPrinter, WATCHED } from './watch.ts'

export interface UpOptions {
  readonly data: string
  readonly preset: PresetName
  /** Blocks per tick of the slow hand of a network that is founded now; 0: none. */
  readonly slowRatio: number
  readonly host: string
  readonly mqttPort: number
  readonly wsPort: number
  readonly httpPort: number
  readonly json: boolean
  /** Whether a guest buys now and then, to show how. */
  readonly guest: boolean
}

/** How long the validators may take to agree after the last block. */
const AGREE_MS = 600
/** A person who pressed Ctrl-C waits this long at most; what hangs then is killed, which costs nothing announced. */
const STOP_MS = 1_800

const tipMirror = z.object({ height: z.int(), hash: z.string(), stateRoot: z.string() })
type TipMirror = z.infer<typeof tipMirror>

export async function upCommand(options: UpOptions, program: string, signal: AbortSignal): Promise<number> {
  const data = resolve(options.data)
  const dir = openDataDir(data)
  const children: Child[] = []
  let reader: Reader | undefined
  const summary = new Summary()
  const print = eventPrinter(options.json)
  const say = (line: string): void => {
    if (!options.json) process.stdout.write(`${line}\n`)
  }
  const child = (name: string, args: () => readonly string[]): Child => {
    const started = new Child({
      name,
      program,
      args,
      logFile: join(data, 'logs', `${name}.log`),
      onProblem: (who, line) =>
        process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${who}: ${line}\n`),
    })
    children.push(started)
    return started
  }
  try {
    const network = await openBenchNetwork(data, options.preset, options.slowRatio)
    say(network.founded ? `founded network ${network.id} in ${data}` : `network ${network.id} from ${data}`)
    const url = await startBroker(options, network, child)
    // What happens while the parts start is shown after the greeting.
    let early: Event[] | undefined = []
    const live = new Live(
      (event) => {
        summary.event(event)
        if (early === undefined) print(event)
        else early.push(event)
      },
      new Map([
        [network.visitor, 'visitor'],
        [network.guest, 'guest'],
      ]),
    )
    const log = createLog({
      name: 'up',
      format: formatFor(process.stderr, options.json),
      level: 'warn',
      write: (line) => process.stderr.write(line),
      now: Date.now,
    })
    reader = openReader({ url: url.mqtt }, [...WATCHED, 'tip'], log, (mirror) => {
      summary.mirror(mirror)
      live.receive(mirror)
    })
    await reader.connected(10_000)
    const health = await startFollowers(options, network, url.mqtt, child)
    greet(say, { ...options, data }, url, health, network)
    for (const event of early) print(event)
    early = undefined
    const guest = options.guest
      ? new Guest(network, url.mqtt, program, dir.file('logs/guest.log'))
      : undefined
    guest?.start()
    await aborted(signal)
    guest?.stop()
    await stop(children, summary)
    summary.print(options.json)
    return EXIT.ok
  } finally {
    // The broker last: parts that lose it would complain after the reason of a failed start.
    const [broker, ...rest] = children
    await Promise.all([reader?.stop(), ...rest.map((each) => each.stop())])
    await broker?.stop()
    dir.close()
  }
}

interface Urls {
  readonly mqtt: string
  readonly ws: string
  readonly http: string
  readonly mqttPort: number
}

type Spawn = (name: string, args: () => readonly string[]) => Child

async function startBroker(options: UpOptions, network: BenchNetwork, child: Spawn): Promise<Urls> {
  let ports: { mqttPort: number; wsPort: number; httpPort: number } = options
  const validators = network.validators.flatMap((account) => ['--validator', account])
  const args = () => [
    'broker',
    '--host',
    options.host,
    '--mqtt-port',
    String(ports.mqttPort),
    '--ws-port',
    String(ports.wsPort),
    '--http-port',
    String(ports.httpPort),
    ...validators,
  ]
  const ready = await child('broker', args).start()
  // A broker that is started again has to be found where it was.
  ports = { mqttPort: Number(ready.mqttPort), wsPort: Number(ready.wsPort), httpPort: Number(ready.httpPort) }
  const host = options.host === '0.0.0.0' ? '127.0.0.1' : options.host
  return {
    mqtt: `mqtt://${host}:${ports.mqttPort}`,
    ws: `ws://${host}:${ports.wsPort}`,
    http: `http://${host}:${ports.httpPort}`,
    mqttPort: ports.mqttPort,
  }
}

/** Starts validators and agents at once; returns the validators' HTTP addresses. */
async function startFollowers(
  options: UpOptions,
  network: BenchNetwork,
  url: string,
  child: Spawn,
): Promise<string[]> {
  const validators = VALIDATORS.map((name) =>
    child(name, () => [
      'validator',
      '--name',
      name,
      '--data',
      join(options.data, name),
      '--genesis',
      network.genesisFile,
      '--broker',
      url,
      '--http-port',
      '0',
    ]).start(),
  )
  const agents = AGENTS.map((name, index) =>
    child(name, () => ['agent', '--config', network.agentConfigs[index] ?? '', '--broker', url]).start(),
  )
  // Together: when one fails, the others are stopped, and only the first failure tells why.
  const [ready] = await Promise.all([Promise.all(validators), Promise.all(agents)])
  return ready.map(({ httpPort }) => `http://127.0.0.1:${httpPort}`)
}

function greet(
  say: (line: string) => void,
  { data }: UpOptions,
  url: Urls,
  health: readonly string[],
  { id, visitorFile }: BenchNetwork,
): void {
  say(`  MQTT      ${url.mqtt}   (WebSocket ${url.ws})`)
  say(`            mosquitto_sub -p ${url.mqttPort} -v -t 'pinledger/${id}/#'`)
  say(
    `  metrics   ${url.http}/metrics (broker), ${health.map((each) => `${each}/metrics`).join(', ')} (validators)`,
  )
  say(`  data      ${data}   (agents' settings: agent-*.yaml, logs: logs/)`)
  say(`  your key  ${visitorFile}   (100 coins at the start: pinledger pay --key ${visitorFile} ...)`)
  say('  stop      Ctrl-C; the next start goes on from the same tip')
  say('')
}

/** Agents first, then, once the validators agree, those, then the broker. */
async function stop(children: readonly Child[], summary: Summary): Promise<void> {
  const [broker, ...rest] = children
  const validators = rest.slice(0, VALIDATORS.length)
  const late = setTimeout(() => {
    for (const each of children) each.kill()
  }, STOP_MS)
  await Promise.all(rest.slice(VALIDATORS.length).map((each) => each.stop()))
  for (const endMs = performance.now() + AGREE_MS; !summary.agree && performance.now() < endMs; )
    await sleep(20)
  await Promise.all(validators.map((each) => each.stop()))
  await broker?.stop()
  clearTimeout(late)
}

/** What happened while we watched. */
class Summary {
  readonly #tips = new Map<string, TipMirror>()
  readonly #blocks: Record<string, number> = {}
  readonly #readings: Record<string, number> = {}
  #payments = 0

  mirror({ kind, publisher, value }: Mirror): void {
    if (kind !== 'tip') return
    const parsed = tipMirror.safeParse(value)
    if (parsed.success) this.#tips.set(publisher, parsed.data)
  }

  event(event: Event): void {
    if (event.event === 'block') this.#blocks[event.miner] = (this.#blocks[event.miner] ?? 0) + 1
    if (event.event === 'reading')
      this.#readings[event.device] = (this.#readings[event.device] ?? 0) + event.count
    if (event.event === 'payment') this.#payments++
  }

  /** Whether all validators end on one tip and state root. */
  get agree(): boolean {
    const tips = [...this.#tips.values()]
    return (
      tips.length === VALIDATORS.length &&
      tips.every(({ hash, stateRoot }) => hash === tips[0]?.hash && stateRoot === tips[0]?.stateRoot)
    )
  }

  print(json: boolean): void {
    const tips = [...this.#tips.values()].map(({ height, hash, stateRoot }) => ({
      height,
      tip: hash,
      stateRoot,
    }))
    const facts = {
      blocks: this.#blocks,
      readings: this.#readings,
      payments: this.#payments,
      agree: this.agree,
      tips,
    }
    if (json) {
      process.stdout.write(`${JSON.stringify({ event: 'summary', ...facts })}\n`)
      return
    }
    const counts = (record: Record<string, number>): string =>
      Object.entries(record)
        .map(([name, count]) => `${name} ${count}`)
        .join(', ') || 'none'
    process.stdout.write(`
stopped at height ${tips[0]?.height ?? 0}, ${this.agree ? 'both validators on the same tip and state root' : 'the validators had not yet agreed'}
  blocks    ${counts(this.#blocks)}
  readings  ${counts(this.#readings)}
  payments  ${this.#payments}
`)
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
