/**
 * A network inside one test: a real broker, validators with stores on disk, and devices that send what the test wants.
 *
 * Time stands still but for blocks: every validator's clock is one interval after the honest chain's tip.
 */
import { dirname } from 'node:path'
import type { MqttClient } from 'mqtt'
import type { Test } from 'tap'
import { Validator } from '../../broker/validator.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { ChainStore } from '../../node/chain-store.ts'
import type { Clock } from '../../node/clock.ts'
import { openDisk } from '../../node/disk.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import type { Fields, Level, Log } from '../../node/log.ts'
import type { Signer } from '../../node/signing.ts'
import { type Block, block as blockCodec } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import { type Receipt, receipt } from '../../schemas/message.ts'
import { invariant } from '../../schemas/result.ts'
import { type Kind, parseTopic, topic } from '../../schemas/topic.ts'
import { HOST, login, type RunningBroker, type StartOptions, startBroker } from '../broker/running-broker.ts'
import { alice, bob, signer, TestChain, testGenesis, testNetwork } from './ledger.ts'
import { temporary } from './processes.ts'
import { waitUntil } from './wait-until.ts'

export interface LogLine {
  readonly level: Level
  readonly event: string
  readonly fields: Fields
}

/** A log that remembers. */
export function recordingLog(): { readonly log: Log; readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const at =
    (level: Level) =>
    (event: string, fields: Fields = {}) =>
      void lines.push({ level, event, fields })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

export interface RunningValidator {
  readonly validator: Validator
  readonly store: ChainStore
  /** On networks with a slow hand. */
  readonly hand: HandStore | undefined
  readonly lines: readonly LogLine[]
  readonly path: string
  readonly signer: Signer
  /** What its events reported. */
  readonly counts: { connected: number; disconnected: number; refused: string[] }
  stop(): Promise<void>
}

export interface Device {
  readonly signer: Signer
  readonly client: MqttClient
  readonly receipts: readonly Receipt[]
  send(
    kind: Kind,
    payload: Uint8Array,
    options?: { readonly levels?: readonly string[]; readonly retain?: boolean; readonly qos?: 0 | 1 },
  ): Promise<void>
}

export class Rig {
  readonly t: Test
  readonly broker: RunningBroker
  /** The honest miner's own view. */
  readonly chain: TestChain
  readonly genesis: Genesis
  #miner: Device | undefined
  #logins = 0

  private constructor(t: Test, broker: RunningBroker, genesis: Genesis) {
    this.t = t
    this.broker = broker
    this.genesis = genesis
    this.chain = new TestChain(testNetwork(genesis))
  }

  static async start(
    t: Test,
    genesis: Partial<Genesis> = {},
    broker: Pick<StartOptions, 'limits' | 'modules'> = {},
  ): Promise<Rig> {
    const validators = [201, 202, 203].map((index) => signer(index).account)
    return new Rig(t, await startBroker(t, { validators, ...broker }), testGenesis(genesis))
  }

  get url(): string {
    return `mqtt://${HOST}:${this.broker.mqttPort}`
  }

  clock(): Clock {
    return { now: () => this.chain.nowMs, monotonic: () => performance.now(), synchronised: () => true }
  }

  /** Starts validator `index` (1 to 3) and waits until it is connected. */
  async validator(index = 1, path = `${temporary(this.t)}/chain.log`): Promise<RunningValidator> {
    const { t } = this
    const self = signer(200 + index)
    const { log, lines } = recordingLog()
    const disk = openDisk(dirname(path))
    const store = new ChainStore(disk, this.genesis)
    const { hand: slow } = store.chain.network
    const hand = slow && new HandStore(disk.open(HAND_FILE), slow)
    const counts: RunningValidator['counts'] = { connected: 0, disconnected: 0, refused: [] }
    const validator = new Validator(
      {
        session: { url: this.url, backoff: { baseMs: 20, capMs: 100, stableMs: 1_000 } },
        name: `validator ${index}`,
        software: 'test',
        signer: self,
      },
      {
        store,
        hand,
        clock: this.clock(),
        random: Math.random,
        log,
        events: {
          connected: (blocks) => {
            counts.connected += blocks
          },
          disconnected: (blocks) => {
            counts.disconnected += blocks
          },
          refused: (_kind, code) => void counts.refused.push(code),
        },
        onFatal: (error) => t.fail(`validator ${index} failed`, { error }),
      },
    )
    let stopped = false
    const stop = async (): Promise<void> => {
      if (stopped) return
      stopped = true
      await validator.stop()
      hand?.close()
      store.close()
    }
    t.teardown(stop)
    validator.start()
    await waitUntil('the validator is connected', () => validator.node.session.connected)
    return { validator, store, hand, lines, path, signer: self, counts, stop }
  }

  /** A device that is logged in and hears its receipts. */
  async device(of: Signer): Promise<Device> {
    // Each login has a client id of its own: the broker takes a proof once.
    const client = await login(this.t, this.broker, of, { suffix: `-${this.#logins++}` })
    const receipts: Receipt[] = []
    client.on('message', (name, payload) => {
      const decoded = parseTopic(name)?.json === false ? decode(receipt, payload, 4096) : undefined
      if (decoded?.ok) receipts.push(decoded.value)
    })
    await client.subscribeAsync(topic(this.chain.network.id, 'receipt', '+', of.account), { qos: 1 })
    return {
      signer: of,
      client,
      receipts,
      send: async (kind, payload, { levels = [], retain = false, qos = 0 } = {}) => {
        const name = topic(this.chain.network.id, kind, of.account, ...levels)
        await client.publishAsync(name, Buffer.from(payload), { qos, retain })
      },
    }
  }

  /** Mines a block on the honest chain, publishes it as bob, and waits until these validators have it as their tip. */
  async mine(
    validators: readonly RunningValidator[],
    transactions: readonly Sealed[] = [],
    coinbase: Partial<Block['coinbase']> = {},
  ): Promise<Block> {
    const block = this.chain.block(transactions, { miner: bob, coinbase })
    const outcome = this.chain.accept(block)
    invariant(outcome.ok, 'an honest block is valid')
    this.#miner ??= await this.device(bob)
    await this.#miner.send('block', encode(blockCodec, block), { qos: 1 })
    await waitUntil('the validators have the block', () => validators.every((each) => this.agrees(each)))
    return block
  }

  agrees({ validator }: RunningValidator): boolean {
    const { tip, state } = validator.node.chain
    return tip.hash === this.chain.chain.tip.hash && state.root() === this.chain.chain.state.root()
  }
}

export { alice, bob }
