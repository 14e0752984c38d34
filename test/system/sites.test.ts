/**
 * Two sites with Debian's mosquitto each, a bridge between them that carries the slow hand alone, and real validators and agents:
 * one hand whose ticks name blocks of both ledgers, and an event of each site of which it is known which came first.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import { targetFor } from '../../ledger/difficulty.ts'
import { createHand } from '../../ledger/hand.ts'
import { networkOf } from '../../node/chain-store.ts'
import { hashing } from '../../node/signing.ts'
import type { HandGenesis } from '../../schemas/genesis.ts'
import type { Hash } from '../../schemas/hex.ts'
import { parseTopic } from '../../schemas/topic.ts'
import { installed, leftOut, startMosquitto } from '../helpers/mosquitto.ts'
import { pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const mosquitto = installed('mosquitto')
const RATIO = 4
const BLOCK_MS = 1_000
/** A tenth of a core at each site, most of it for the blocks. */
const DUTY = 0.1
const FIRST_BLOCK = 8_000
const FIRST_TICK = 20_000
const ENOUGH_MS = 60_000

interface Anchor {
  readonly ledger: Hash
  readonly height: number
}
interface Tick {
  readonly height: number
  readonly anchors: readonly Anchor[]
}
interface Event {
  readonly height: number
  readonly transaction: Hash
}

/** What one site's broker says. */
interface Heard {
  readonly ticks: Tick[]
  readonly events: Event[]
  /** Hash of the newest tick, by validator; also those across the bridge. */
  readonly hands: Map<string, { readonly height: number; readonly hash: Hash }>
  readonly networks: Set<string>
}

class Site {
  readonly data: string
  readonly genesisFile: string
  readonly url: string
  readonly ledger: Hash
  readonly heard: Heard = { ticks: [], events: [], hands: new Map(), networks: new Set() }

  constructor(data: string, name: string, hand: HandGenesis, url: string) {
    this.data = join(data, name)
    this.url = url
    mkdirSync(this.data)
    const { genesis, genesisFile } = foundQuickNetwork(this.data, {
      ...{ name, version: 2, slowRatio: RATIO, hand, target: targetFor(FIRST_BLOCK) },
    })
    this.genesisFile = genesisFile
    this.ledger = networkOf(genesis).genesisHash
  }

  async start(t: Test): Promise<void> {
    const client = await connectAsync(this.url)
    t.teardown(() => client.endAsync(true))
    client.on('message', (name, payload) => this.#hear(name, String(payload)))
    await client.subscribeAsync('pinledger/#', { qos: 1 })
    const where = ['--genesis', this.genesisFile, '--broker', this.url, '--json']
    pinledger(t, ['validator', '--name', 'validator-1', '--data', join(this.data, 'validator-1'), ...where])
    const config = join(this.data, 'agent.yaml')
    const steps = join(this.data, 'steps.yaml')
    const values = [1, 2].map((value) => ({ after: 1, value }))
    writeFileSync(steps, stringify({ steps: values, repeat: true }))
    const sensors = [{ name: 'steps', driver: 'script', file: steps, unit: 'count' }]
    const agent = { name: 'agent-1', broker: { url: this.url }, data: join(this.data, 'agent-1') }
    writeFileSync(config, stringify({ ...agent, mine: { duty: DUTY }, sensors }))
    pinledger(t, ['agent', '--config', config, ...where])
  }

  #hear(name: string, text: string): void {
    const topic = parseTopic(name)
    if (topic === undefined) return
    this.heard.networks.add(topic.network)
    // An empty one takes what was retained away.
    if (!topic.json || text === '') return
    const value = JSON.parse(text) as { header: Tick } & Tick & { hash: Hash; transactions: { id: Hash }[] }
    if (topic.kind === 'tick') this.heard.ticks.push({ height: value.header.height, anchors: value.anchors })
    if (topic.kind === 'hand') this.heard.hands.set(topic.publisher, value)
    if (topic.kind === 'confirmed')
      for (const { id } of value.transactions)
        this.heard.events.push({ height: value.height, transaction: id })
  }

  /** The first event of a block that comes some blocks from now, so that its miner knows what is known now. */
  async nextEvent(): Promise<Event> {
    const from = (this.heard.events.at(-1)?.height ?? 0) + 2
    const next = (): Event | undefined => this.heard.events.find(({ height }) => height > from)
    await waitUntil('the next event is confirmed', () => next() !== undefined, ENOUGH_MS)
    return next() as Event
  }

  /** Height of the first tick that was heard here and names a block of `ledger` from a height on. */
  anchoredIn(ledger: Hash, from: number): number | undefined {
    return this.heard.ticks.find(({ anchors }) =>
      anchors.some((anchor) => anchor.ledger === ledger && anchor.height >= from),
    )?.height
  }
}

/** Both validators say at both brokers that they have one hand, with so many ticks or more. */
const agree = (sites: readonly Site[], height: number): boolean => {
  const hands = sites.flatMap(({ heard }) => [...heard.hands.values()])
  return (
    hands.length === 2 * sites.length &&
    new Set(hands.map(({ hash }) => hash)).size === 1 &&
    (hands[0]?.height ?? 0) >= height
  )
}

async function joined(t: Test, program: string): Promise<void> {
  const data = temporary(t)
  const genesis: HandGenesis = {
    ...{ name: 'shared', time: Date.now(), interval: RATIO * BLOCK_MS, halfLife: 64 },
    ...{ target: targetFor(FIRST_TICK), targetMax: targetFor(1_000) },
  }
  const { id } = createHand(genesis, hashing)
  const first = await startMosquitto(t, program)
  // As in docs/CLOCKCHAIN.md, section Several sites.
  const second = await startMosquitto(t, program, [
    'connection barn',
    `address 127.0.0.1:${new URL(first.url).port}`,
    `topic pinledger/${id}/# both 1`,
    'try_private true',
    'cleansession false',
    'notifications false',
  ])
  const home = new Site(data, 'home', genesis, first.url)
  const barn = new Site(data, 'barn', genesis, second.url)
  const both = [home, barn]
  for (const site of both) await site.start(t)
  const namesBoth = ({ heard }: Site): boolean => heard.ticks.some(({ anchors }) => anchors.length === 2)
  await waitUntil('ticks name blocks of both ledgers', () => both.every(namesBoth), ENOUGH_MS)
  t.pass('at both sites')

  const early = await home.nextEvent()
  const between = () => barn.anchoredIn(home.ledger, early.height) ?? Number.POSITIVE_INFINITY
  await waitUntil('a tick between, which both sites have', () => agree(both, between()), ENOUGH_MS)
  const late = await barn.nextEvent()
  const last = () => home.anchoredIn(barn.ledger, late.height) ?? Number.POSITIVE_INFINITY
  await waitUntil('a tick after both', () => agree(both, last()), ENOUGH_MS)

  const [door, gate] = [join(data, 'door.moment'), join(data, 'gate.moment')]
  for (const [site, event, out] of [
    [home, early, door],
    [barn, late, gate],
  ] as const) {
    const { code, err } = await run(t, [
      ...['clock', 'when', event.transaction, '--height', String(event.height), '--out', out],
      ...['--data', join(site.data, 'validator-1')],
    ])
    t.equal(code, 0, err)
  }
  const named = both.flatMap(({ genesisFile }) => ['--genesis', genesisFile])
  const { code, out, err } = await run(t, ['clock', 'order', door, gate, ...named])
  t.equal(code, 0, out + err)
  t.match(out, `${door} came first: `)

  for (const site of both)
    t.strictSame(
      [...site.heard.networks].sort(),
      [id, site.ledger.slice(0, 8)].sort(),
      'nothing but the hand has crossed the bridge',
    )
}

t.test(
  'two brokers bridged for one slow hand alone: one hand, and events of both sites are ordered',
  async (t) => {
    if (mosquitto === undefined) leftOut(t, 'mosquitto')
    else await joined(t, mosquitto)
  },
)
