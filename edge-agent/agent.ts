/**
 * An edge agent: reads sensors, signs what they say, mines, pays for what it buys, and switches outputs.
 *
 * A sample becomes a transaction in the outbox (durable) within a second, goes to the broker, and is sent again until
 * our own chain has it. Everything the agent does with money happens after a confirmation.
 */
import type { Update } from '../ledger/chain.ts'
import { feeFloorFor, type Sealed } from '../ledger/transaction.ts'
import type { ChainStore } from '../node/chain-store.ts'
import type { Clock } from '../node/clock.ts'
import { CLOCK_CHECK_MS, ClockWatch } from '../node/clock-watch.ts'
import type { HandStore } from '../node/hand-store.ts'
import { jsonBytes } from '../node/json-bytes.ts'
import { LedgerNode, type LedgerNodeOptions } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import type { Checkpoint } from '../schemas/checkpoint.ts'
import { encode } from '../schemas/codec.ts'
import { batchedSample } from '../schemas/message.ts'
import { type Kind, mirror, topic } from '../schemas/topic.ts'
import { transaction } from '../schemas/transaction.ts'
import { type Decimal, decimalNumber } from '../schemas/units.ts'
import { HandMining } from './hand-mining.ts'
import type { MinerOptions } from './miner.ts'
import { Mining } from './mining.ts'
import type { Outbox } from './outbox.ts'
import type { OutputState, Outputs } from './outputs/outputs.ts'
import { type AgentSensor, Sampling, withProofs } from './sampling.ts'
import { senml } from './senml.ts'
import type { Desk, Trade } from './trade.ts'

/** Samples are signed and written to disk this often, all in one write. */
const FLUSH_MS = 1_000
/** Unconfirmed transactions are sent again this often. */
const RESEND_MS = 15_000
/** Transactions sent at once: what a validator lets one account have waiting. */
const SEND_MAX = 64
const REPORT_MS = 60_000
/** An empty retained message takes the one before off the broker. */
const NOTHING = new Uint8Array(0)

export interface AgentOptions extends Omit<LedgerNodeOptions, 'role'> {
  readonly signer: Signer
  readonly sensors: readonly AgentSensor[]
  /** `slowShare`: of the hashing, for the slow hand; 0 to 1. */
  readonly mining: MinerOptions & { readonly slowShare?: number }
}

export interface AgentModules {
  readonly store: ChainStore
  /** A block without which no chain is followed, if one is known. */
  readonly trusted?: Checkpoint | undefined
  readonly hand?: HandStore | undefined
  readonly outbox: Outbox
  readonly outputs: Outputs
  /** What sells and buys; each is made with the agent's desk. */
  readonly trades?: readonly ((desk: Desk) => Trade)[]
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly onFatal: (error: unknown) => void
}

export class Agent {
  readonly node: LedgerNode
  readonly #options: AgentOptions
  readonly #modules: AgentModules
  readonly #mining: Mining
  readonly #handMining: HandMining | undefined
  readonly #watch: ClockWatch
  readonly #sampling: Sampling
  readonly #trades: readonly Trade[]
  #timers: NodeJS.Timeout[] = []

  constructor(options: AgentOptions, modules: AgentModules) {
    this.#options = options
    this.#modules = modules
    const { store, outbox, clock, random, log, onFatal } = modules
    this.#sampling = new Sampling(options.sensors, outbox, clock)
    const desk = this.#desk()
    this.#trades = (modules.trades ?? []).map((make) => make(desk))
    this.node = new LedgerNode(
      { ...options, role: 'agent' },
      {
        store,
        trusted: modules.trusted,
        hand: modules.hand,
        clock,
        random,
        log,
        others: {
          filters: [...new Set(this.#trades.flatMap(({ filters = [] }) => filters))],
          receive: (topic, payload, retain) => {
            for (const trade of this.#trades) trade.onMessage?.(topic, payload, retain)
          },
        },
        onUpdate: (update) => this.#onUpdate(update),
        onHeld: (bytes) => this.#watch.onHeld(bytes),
        onTick: () => {
          this.#watch.onTick()
          this.#handMining?.refresh()
          this.#mining.refresh()
        },
        onTransaction: () => {},
        onRefused: () => {},
        onConnected: () => this.#onConnected(),
        onDisconnected: () => {
          this.#mining.refresh()
          this.#handMining?.refresh()
          this.#modules.outputs.refresh()
          for (const trade of this.#trades) trade.onDisconnected?.()
        },
        onFatal,
      },
    )
    this.#watch = new ClockWatch({ node: this.node, self: options.signer.account, clock, log })
    const { duty, slowShare = 0 } = options.mining
    const { hand, session } = this.node
    const slow = hand === undefined ? 0 : duty * slowShare
    this.#mining = new Mining(
      { ...options.mining, duty: duty - slow },
      { node: this.node, signer: options.signer, clock, random, log, onFatal },
    )
    this.#handMining =
      hand &&
      new HandMining({ ...options.mining, duty: slow }, { hand, session, clock, random, log, onFatal })
  }

  async start(): Promise<void> {
    this.node.start()
    this.#mining.start()
    this.#handMining?.start()
    this.#modules.outputs.start(
      () => ({ isConnected: this.node.session.connected, isMining: this.#mining.isMining }),
      (state) => this.#publishOutput(state),
    )
    const guarded = (task: () => void) => () => {
      try {
        task()
      } catch (error) {
        this.#modules.onFatal(error)
      }
    }
    this.#timers = [
      setInterval(
        guarded(() => {
          this.#flush()
          for (const trade of this.#trades) trade.tick?.()
        }),
        FLUSH_MS,
      ),
      setInterval(
        guarded(() => this.#send(this.#modules.outbox.pending(SEND_MAX))),
        RESEND_MS,
      ),
      setInterval(() => this.#report(), REPORT_MS),
      setInterval(
        guarded(() => this.#watch.check()),
        CLOCK_CHECK_MS,
      ),
    ]
    for (const entry of this.#options.sensors)
      await entry.sensor.start(({ value }) => this.#onSample(entry, value))
  }

  /** Runs every step and then throws the first error, such as that of a full disk. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    const steps = [
      // First, and while the broker can still be told.
      () => this.#modules.outputs.stop(),
      ...this.#options.sensors.map(
        ({ sensor }) =>
          () =>
            sensor.stop(),
      ),
      () => this.#flush(),
      ...this.#trades.map((trade) => () => trade.stop?.()),
      () => this.#report(),
      () => this.#mining.stop(),
      () => this.#handMining?.stop(),
      () => this.node.stop(),
      () => this.#modules.outbox.close(),
    ]
    const errors: unknown[] = []
    for (const step of steps) {
      try {
        await step()
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  #onSample(entry: AgentSensor, value: Decimal): void {
    const { sample, free } = this.#sampling.take(entry, value)
    this.#modules.outputs.reading(entry.name, decimalNumber(value))
    for (const trade of this.#trades) trade.onSample?.(sample)
    if (free === undefined) return
    // For people, as it happens; the ledger has the last word.
    const live = senml(this.#options.signer.account, free)
    this.#tell(mirror(this.#topic('reading', entry.name)), jsonBytes(live))
  }

  /** Signs what has gathered. */
  #flush(): void {
    const gathered = this.#sampling.gather()
    if (gathered.length === 0) return
    const sealed = this.#modules.outbox.add(gathered.map(({ draft }) => ({ draft, key: '' })))
    const lost = gathered.length - sealed.length
    if (lost > 0) this.#modules.log.warn('the outbox is full, readings are lost', { lost })
    this.#send(sealed)
    for (const [index, { id }] of sealed.entries()) {
      for (const value of withProofs(id, gathered[index]?.samples ?? [])) {
        const name = this.#topic('sample', value.sample.sensor)
        this.#tell(name, encode(batchedSample, value))
        this.#tell(mirror(name), jsonBytes(batchedSample.toJson(value)))
      }
    }
  }

  #tell(name: string, payload: Uint8Array): void {
    void this.node.session.publish(name, payload, { qos: 0, retain: false })
  }

  /** Offers transactions to our own miner, and those that others may mine to the network. */
  #send(list: readonly Sealed[]): void {
    const { network } = this.node.chain
    for (const { id, bytes, transaction: tx } of list) {
      const added = this.node.add(bytes, this.#options.signer.account)
      // Our own mempool may hold an earlier signing of it, with a fee that nobody else takes.
      if (!added.ok && added.fault.code !== 'known' && added.fault.code !== 'fee-too-low-to-replace') continue
      if (tx.fee < feeFloorFor(network, bytes.length)) continue
      void this.node.publish('tx', bytes, { id, ...(transaction.toJson(tx) as object) })
    }
  }

  #onUpdate(update: Update): void {
    this.#watch.onUpdate(update)
    const { outbox, log } = this.#modules
    const before = outbox.overtaken
    outbox.update(update)
    if (before === 0 && outbox.overtaken > 0) {
      const remedy = 'give each device a key of its own; what waits is signed again under a new number'
      log.warn('another program signs with our key', { transactions: outbox.overtaken, remedy })
    }
    if (update.connected.length === 0) return
    for (const trade of this.#trades) trade.onUpdate?.(update)
    // After a long absence there are more than fit a mempool at once: the next ones follow as room comes free.
    this.#send(this.#modules.outbox.pending(SEND_MAX).filter(({ id }) => !this.node.mempool.has(id)))
    this.#mining.refresh()
  }

  #onConnected(): void {
    for (const { name, driver, sensor, batch } of this.#options.sensors) {
      const description = { sensor: name, driver, unit: sensor.unit, batch }
      void this.node.session.publish(mirror(this.#topic('sensor', name)), jsonBytes(description), {
        qos: 1,
        retain: true,
      })
    }
    this.#modules.outputs.refresh()
    for (const state of this.#modules.outputs.states) this.#publishOutput(state)
    this.#send(this.#modules.outbox.pending(SEND_MAX))
    for (const trade of this.#trades) trade.onConnected?.()
  }

  /** What a trade may do; it asks for the node only when it acts. */
  #desk(): Desk {
    const { store, outbox, clock, log, random } = this.#modules
    const { signer } = this.#options
    const nameOf = (kind: Kind, levels: readonly string[]) =>
      topic(store.chain.network.id, kind, signer.account, ...levels)
    const publish = (name: string, payload: Uint8Array, retain = false) =>
      this.node.session.publish(name, payload, { qos: 1, retain })
    const agent = this
    return {
      chain: store.chain,
      signer,
      outbox,
      clock,
      log,
      random,
      get inSync() {
        return agent.node.inSync
      },
      get connected() {
        return agent.node.session.connected
      },
      get isGuarded() {
        return agent.node.session.challenged
      },
      listen: (filters) => agent.node.session.subscribe(filters),
      act: (drafts) => {
        const sealed = outbox.add(drafts)
        this.#send(sealed)
        return sealed
      },
      tell: (kind, levels, payload, retain) => publish(nameOf(kind, levels), payload, retain),
      tellPeople: (kind, levels, value, retain) =>
        publish(mirror(nameOf(kind, levels)), value === undefined ? NOTHING : jsonBytes(value), retain),
    }
  }

  #publishOutput(state: OutputState): void {
    void this.node.session.publish(mirror(this.#topic('output', state.name)), jsonBytes(state), {
      qos: 1,
      retain: true,
    })
  }

  #report(): void {
    const { hashesPerSecond, interruptMsP50, interruptMsP95, interruptMsMax } = this.#mining.stats()
    const ms = (value: number | undefined) => value?.toFixed(1)
    this.#modules.log.info('report', {
      height: this.node.chain.tip.height,
      balance: this.node.chain.state.account(this.#options.signer.account).balance,
      waiting: this.#modules.outbox.waiting,
      'hashes-per-second': Math.round(hashesPerSecond),
      ...this.#reportOfHand(),
      'interrupt-ms-p50': ms(interruptMsP50),
      'interrupt-ms-p95': ms(interruptMsP95),
      'interrupt-ms-max': ms(interruptMsMax),
    })
  }

  #reportOfHand(): Record<string, number> {
    const { hand } = this.node
    const stats = this.#handMining?.stats()
    if (hand === undefined || stats === undefined) return {}
    return {
      tick: hand.slow.tip.height,
      'slow-hashes-per-second': Math.round(stats.hashesPerSecond),
    }
  }

  #topic(kind: 'reading' | 'sensor' | 'sample' | 'output', name: string): string {
    return topic(this.node.chain.network.id, kind, this.#options.signer.account, name)
  }
}
