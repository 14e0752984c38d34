/**
 * An edge agent: reads sensors, signs what they say, mines, and pays for what it buys.
 *
 * A sample becomes a transaction in the outbox (durable) within a second, goes to the broker, and is sent again until
 * our own chain has it. Everything the agent does with money happens after a confirmation.
 */

import { parseBlock } from '../ledger/block.ts'
import type { Update } from '../ledger/chain.ts'
import { merklePath, merkleRoot } from '../ledger/merkle.ts'
import { feeFloorFor, type Sealed } from '../ledger/transaction.ts'
import type { ChainStore } from '../node/chain-store.ts'
import type { Clock } from '../node/clock.ts'
import { jsonBytes, LedgerNode, type LedgerNodeOptions } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import { hashing, type Signer } from '../node/signing.ts'
import { encode } from '../schemas/codec.ts'
import { hashFromBytes } from '../schemas/hex.ts'
import { batchedSample } from '../schemas/message.ts'
import { invariant } from '../schemas/result.ts'
import { mirror, topic } from '../schemas/topic.ts'
import { type Sample, sample as sampleCodec, transaction } from '../schemas/transaction.ts'
import { type Decimal, decimalNumber } from '../schemas/units.ts'
import type { Sensor } from './driver.ts'
import type { MinerOptions } from './miner.ts'
import { Mining } from './mining.ts'
import type { Draft, Outbox } from './outbox.ts'
import type { Payment, Wires } from './wires.ts'

/** Samples are signed and written to disk this often, all in one write. */
const FLUSH_MS = 1_000
/** Unconfirmed transactions are sent again this often. */
const RESEND_MS = 15_000
/** Transactions sent at once: what a validator lets one account have waiting. */
const SEND_MAX = 64
const REPORT_MS = 60_000
/** Blocks looked through again for wires after a start: what a crash may have come between. */
const PAY_AGAIN_BLOCKS = 30
/** Blocks looked through for wires in one go: a long way back must not stop everything else. */
const PAY_BLOCKS_MAX = 20
/** Own payments remembered that stand in blocks but not in the outbox, so that a lost or older one does not pay again. */
const PAID_MAX = 10_000

export interface AgentSensor {
  readonly name: string
  readonly driver: string
  readonly sensor: Sensor
  /** Samples in one transaction; 1: each on its own. */
  readonly batch: number
}

export interface AgentOptions extends Omit<LedgerNodeOptions, 'role'> {
  readonly signer: Signer
  readonly sensors: readonly AgentSensor[]
  readonly mining: MinerOptions
}

export interface AgentModules {
  readonly store: ChainStore
  readonly outbox: Outbox
  readonly wires: Wires
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
  /** Samples that are not signed yet, by sensor. */
  readonly #samples = new Map<string, Sample[]>()
  readonly #sequences = new Map<string, number>()
  /** Own payments on the ledger that the outbox does not know, by receiver and memo. */
  readonly #paid = new Set<string>()
  /** Height up to which blocks have been looked at for wires. */
  #paidHeight = 0
  #timers: NodeJS.Timeout[] = []

  constructor(options: AgentOptions, modules: AgentModules) {
    this.#options = options
    this.#modules = modules
    const { store, clock, random, log, onFatal } = modules
    this.node = new LedgerNode(
      { ...options, role: 'agent' },
      {
        store,
        clock,
        random,
        log,
        onUpdate: (update) => this.#onUpdate(update),
        onTransaction: () => {},
        onRefused: () => {},
        onConnected: () => this.#onConnected(),
        onDisconnected: () => this.#mining.refresh(),
        onFatal,
      },
    )
    this.#mining = new Mining(options.mining, {
      node: this.node,
      signer: options.signer,
      clock,
      random,
      log,
      onFatal,
    })
  }

  async start(): Promise<void> {
    this.#paidHeight = Math.max(0, this.node.chain.tip.height - PAY_AGAIN_BLOCKS)
    this.node.start()
    this.#mining.start()
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
          this.#pay()
        }),
        FLUSH_MS,
      ),
      setInterval(
        guarded(() => this.#send(this.#modules.outbox.pending(SEND_MAX))),
        RESEND_MS,
      ),
      setInterval(() => this.#report(), REPORT_MS),
    ]
    for (const entry of this.#options.sensors)
      await entry.sensor.start(({ value }) => this.#onSample(entry, value))
  }

  /** Runs every step and then throws the first error, such as that of a full disk. */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    const steps = [
      ...this.#options.sensors.map(
        ({ sensor }) =>
          () =>
            sensor.stop(),
      ),
      () => this.#flush(),
      () => this.#report(),
      () => this.#mining.stop(),
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

  #onSample({ name, sensor }: AgentSensor, value: Decimal): void {
    const { clock, outbox } = this.#modules
    const sequence = this.#sequences.get(name) ?? outbox.nextSequence(name)
    this.#sequences.set(name, sequence + 1)
    const sample: Sample = {
      sensor: name,
      sequence,
      value,
      unit: sensor.unit,
      time: Math.max(0, clock.now()),
      synchronised: clock.synchronised(),
    }
    const waiting = this.#samples.get(name) ?? []
    waiting.push(sample)
    this.#samples.set(name, waiting)
    // SenML (RFC 8428) for people, as it happens; the ledger has the last word.
    const live = [
      {
        bn: `urn:dev:pinledger:${this.#options.signer.account}:`,
        n: name,
        u: sample.unit,
        v: decimalNumber(value),
        t: sample.time / 1000,
      },
    ]
    void this.node.session.publish(mirror(this.#topic('reading', name)), jsonBytes(live), {
      qos: 0,
      retain: false,
    })
  }

  /** Signs what has gathered. */
  #flush(): void {
    const drafts: { draft: Draft; key: string }[] = []
    const batches: { samples: readonly Sample[]; leaves: readonly Uint8Array[]; index: number }[] = []
    for (const { name, batch } of this.#options.sensors) {
      const waiting = this.#samples.get(name) ?? []
      if (batch === 1) {
        for (const sample of waiting.splice(0)) drafts.push({ draft: { type: 'reading', sample }, key: '' })
      }
      while (batch > 1 && waiting.length >= batch) {
        const samples = waiting.splice(0, batch)
        const leaves = samples.map((sample) => hashing.tagged('sample', encode(sampleCodec, sample)))
        batches.push({ samples, leaves, index: drafts.length })
        drafts.push({ draft: batchDraft(samples, leaves), key: '' })
      }
    }
    if (drafts.length === 0) return
    const sealed = this.#modules.outbox.add(drafts)
    if (sealed.length < drafts.length)
      this.#modules.log.warn('the outbox is full, readings are lost', { lost: drafts.length - sealed.length })
    this.#send(sealed)
    for (const { samples, leaves, index } of batches) {
      const id = sealed[index]?.id
      if (id === undefined) continue
      for (const [at, sample] of samples.entries()) {
        const path = merklePath(hashing, leaves, at).map(hashFromBytes)
        const value = { transaction: id, index: at, count: samples.length, sample, path }
        const name = this.#topic('sample', sample.sensor)
        void this.node.session.publish(name, encode(batchedSample, value), { qos: 0, retain: false })
        void this.node.session.publish(mirror(name), jsonBytes(batchedSample.toJson(value)), {
          qos: 0,
          retain: false,
        })
      }
    }
  }

  /** Offers transactions to our own miner, and those that others may mine to the network. */
  #send(list: readonly Sealed[]): void {
    const { network } = this.node.chain
    for (const { id, bytes, transaction: tx } of list) {
      const added = this.node.add(bytes, this.#options.signer.account)
      // Our own mempool may hold an earlier signing of it, with a fee that nobody else takes.
      if (!added.ok && added.fault.code !== 'known' && added.fault.code !== 'nonce-taken') continue
      if (tx.fee < feeFloorFor(network, bytes.length)) continue
      void this.node.publish('tx', bytes, { id, ...(transaction.toJson(tx) as object) })
    }
  }

  #onUpdate(update: Update): void {
    this.#modules.outbox.update(update)
    if (update.connected.length === 0) return
    this.#follow(update)
    this.#pay()
    // After a long absence there are more than fit a mempool at once: the next ones follow as room comes free.
    this.#send(this.#modules.outbox.pending(SEND_MAX).filter(({ id }) => !this.node.mempool.has(id)))
    this.#mining.refresh()
  }

  #follow({ disconnected, connected }: Update): void {
    const { outbox } = this.#modules
    for (const sealed of connected.flatMap(({ transactions }) => transactions)) {
      const { transaction: tx } = sealed
      const own = tx.type === 'transfer' && tx.from === this.#options.signer.account
      if (own && !outbox.knows(sealed)) this.#paid.add(purchase(tx))
    }
    for (const oldest of this.#paid) {
      if (this.#paid.size <= PAID_MAX) break
      this.#paid.delete(oldest)
    }
    const [lowest] = connected
    if (disconnected.length > 0 && lowest !== undefined)
      this.#paidHeight = Math.min(this.#paidHeight, lowest.entry.height - 1)
  }

  /**
   * Pays for the readings that have become as deep as their wires ask. Only in sync: while catching up, what we have
   * paid already stands in blocks that are still to come.
   */
  #pay(): void {
    const { wires, outbox, clock, log } = this.#modules
    const { chain } = this.node
    if (!this.node.inSync || this.#paidHeight >= chain.tip.height) return
    const account = this.#options.signer.account
    const payments: Payment[] = []
    const isPaid = (key: string, draft: Payment['draft']) =>
      outbox.has(key) || this.#paid.has(purchase(draft))
    const last = Math.min(chain.tip.height, this.#paidHeight + PAY_BLOCKS_MAX)
    while (this.#paidHeight < last) {
      this.#paidHeight++
      for (let confirmations = 1; confirmations <= wires.confirmationsMax; confirmations++) {
        const entry = chain.at(this.#paidHeight - confirmations + 1)
        if (entry === undefined || entry.height === 0) continue
        const block = parseBlock(chain.network, chain.archive.block(entry.hash))
        invariant(block.ok, `stored block ${entry.hash} parses`)
        payments.push(...wires.due(block.value, confirmations, isPaid, clock.monotonic()))
      }
    }
    let spendable = chain.state.account(account).balance - outbox.committed
    const covered = payments.filter(({ amount }) => {
      const cost = amount + feeFloorFor(chain.network, 1)
      if (cost > spendable) return false
      spendable -= cost
      return true
    })
    if (covered.length < payments.length)
      log.warn('not enough coins for all wires', { unpaid: payments.length - covered.length, spendable })
    if (covered.length > 0) this.#send(outbox.add(covered))
  }

  #onConnected(): void {
    for (const { name, driver, sensor, batch } of this.#options.sensors) {
      const description = { sensor: name, driver, unit: sensor.unit, batch }
      void this.node.session.publish(mirror(this.#topic('sensor', name)), jsonBytes(description), {
        qos: 1,
        retain: true,
      })
    }
    this.#send(this.#modules.outbox.pending(SEND_MAX))
  }

  #report(): void {
    const { hashesPerSecond, interruptMsP50, interruptMsP95, interruptMsMax } = this.#mining.stats()
    const ms = (value: number | undefined) => value?.toFixed(1)
    this.#modules.log.info('report', {
      height: this.node.chain.tip.height,
      balance: this.node.chain.state.account(this.#options.signer.account).balance,
      waiting: this.#modules.outbox.waiting,
      'hashes-per-second': Math.round(hashesPerSecond),
      'interrupt-ms-p50': ms(interruptMsP50),
      'interrupt-ms-p95': ms(interruptMsP95),
      'interrupt-ms-max': ms(interruptMsMax),
    })
  }

  #topic(kind: 'reading' | 'sensor' | 'sample', name: string): string {
    return topic(this.node.chain.network.id, kind, this.#options.signer.account, name)
  }
}

/** Names what was bought and from whom; a wire's memo names the reading. */
const purchase = ({ to, memo }: { readonly to: string; readonly memo: string }): string => `${to} ${memo}`

function batchDraft(samples: readonly Sample[], leaves: readonly Uint8Array[]): Draft {
  const first = samples[0]
  const last = samples.at(-1)
  invariant(first !== undefined && last !== undefined, 'a batch has samples')
  return {
    type: 'batch',
    sensor: first.sensor,
    sequence: first.sequence,
    count: samples.length,
    unit: first.unit,
    firstTime: first.time,
    lastTime: Math.max(first.time, last.time),
    synchronised: samples.every(({ synchronised }) => synchronised),
    root: hashFromBytes(merkleRoot(hashing, leaves)),
  }
}
