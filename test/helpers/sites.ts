/** Two sites for a test: a broker, a validator and a miner each, two ledgers, and one slow hand that both have. */
import type { MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { Carrier } from '../../broker/carrier.ts'
import { openDisk } from '../../node/disk.ts'
import type { HandNode } from '../../node/hand-node.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import type { Signer } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { everyone, parseTopic, topic } from '../../schemas/topic.ts'
import { handedGenesis, mineTick } from './hand.ts'
import { START_MS, signer } from './ledger.ts'
import { temporary } from './processes.ts'
import { type LogLine, Rig, type RunningValidator, recordingLog } from './rig.ts'
import { waitUntil } from './wait-until.ts'

/** Between ticks; less than an interval of the hand, so that clocks which stand still at first are not behind. */
const TICK_MS = 100
/** A validator of both brokers. */
export const CARRIER = signer(203)

export class TestSite {
  readonly rig: Rig
  readonly validator: RunningValidator
  readonly hand: HandNode
  readonly #client: MqttClient
  readonly #senders = new Map<Hash, string[]>()

  private constructor(rig: Rig, validator: RunningValidator, client: MqttClient) {
    this.rig = rig
    this.validator = validator
    this.#client = client
    const { hand } = validator.validator.node
    invariant(hand !== undefined, 'the network has a slow hand')
    this.hand = hand
  }

  static async start(t: Test, name: string): Promise<TestSite> {
    const rig = await Rig.start(t, handedGenesis({ name }))
    const validator = await rig.validator(1)
    const { client } = await rig.device(signer(20))
    const site = new TestSite(rig, validator, client)
    client.on('message', (name, payload) => {
      const parsed = parseTopic(name)
      if (parsed?.kind !== 'tick' || parsed.json) return
      const key = payload.toString('hex') as Hash
      site.#senders.set(key, [...(site.#senders.get(key) ?? []), parsed.publisher])
    })
    await client.subscribeAsync(everyone(site.id, 'tick'), { qos: 1 })
    return site
  }

  get id() {
    return this.hand.slow.hand.id
  }

  get ledger(): Hash {
    return this.rig.chain.network.genesisHash
  }

  /** A block that names the newest tick, taken by the validator. */
  async block(transactions: Parameters<Rig['mine']>[1] = []): Promise<void> {
    await this.rig.mine([this.validator], transactions, { tick: this.hand.newest })
  }

  /** A tick with what is known here, sent by this site's miner and taken by its validator. */
  async tick(overrides: { readonly aside?: boolean; readonly timeMs?: number } = {}): Promise<Tick> {
    const { slow } = this.hand
    const parent = overrides.aside === true ? slow.tip.parent : slow.tip
    invariant(parent !== undefined, 'the tip has a parent')
    const anchors = [...this.hand.anchors()].sort((a, b) => (a.ledger < b.ledger ? -1 : 1))
    const time = parent.time + (overrides.timeMs ?? TICK_MS)
    const mined = mineTick(slow.hand, parent, anchors, { time })
    const bytes = Buffer.from(encode(tickCodec, mined))
    await this.#client.publishAsync(topic(this.id, 'tick', signer(20).account), bytes, { qos: 1 })
    if (overrides.aside !== true)
      await waitUntil('the validator has the tick', () => slow.tip.height === mined.header.height)
    return mined
  }

  /** Under whose names a tick came over this site's broker. */
  sendersOf(tick: Tick): readonly string[] {
    return this.#senders.get(Buffer.from(encode(tickCodec, tick)).toString('hex') as Hash) ?? []
  }

  get newest(): Hash {
    return this.hand.newest
  }
}

export interface RunningCarrier {
  readonly carrier: Carrier
  readonly store: HandStore
  readonly lines: readonly LogLine[]
  stop(): Promise<void>
}

/** Starts a carrier and waits until both brokers have it. */
export async function startCarrier(
  t: Test,
  [here, there]: readonly [TestSite, TestSite],
  directory = temporary(t),
  as: Signer = CARRIER,
): Promise<RunningCarrier> {
  const { log, lines } = recordingLog()
  const { hand } = here.rig.chain.network
  invariant(hand !== undefined, 'the network has a slow hand')
  const store = new HandStore(openDisk(directory).open(HAND_FILE), hand)
  const site = ({ rig }: TestSite) => ({
    network: rig.chain.network,
    session: { url: rig.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
  })
  const carrier = new Carrier(as, [site(here), site(there)], {
    store,
    clock: {
      now: () => START_MS + 3_600_000,
      monotonic: () => performance.now(),
      synchronised: () => true,
    },
    random: Math.random,
    log,
    onFatal: (error) => t.fail('the carrier failed', { error }),
  })
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await carrier.stop()
    store.close()
  }
  t.teardown(stop)
  carrier.start()
  await waitUntil(
    'both brokers know the carrier',
    () => carrier.here.session.connected && carrier.there.session.connected,
  )
  return { carrier, store, lines, stop }
}
