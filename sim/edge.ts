/**
 * What an edge agent does in a simulated machine besides following the ledger: the real outbox, catalogue and channels, with
 * their logs on the machine's disk, what gives the keys of files, and what sells a lamp's time. It lives as long as the machine's process.
 */
import { Catalogue } from '../edge-agent/catalogue.ts'
import type { Buy } from '../edge-agent/channel/buying.ts'
import { channels } from '../edge-agent/channel/channels.ts'
import type { SellingTerms } from '../edge-agent/channel/selling.ts'
import { FileKeys } from '../edge-agent/files/file-keys.ts'
import { Settling } from '../edge-agent/files/settling.ts'
import { Outbox } from '../edge-agent/outbox.ts'
import type { Desk, Trade } from '../edge-agent/trade.ts'
import type { Update } from '../ledger/chain.ts'
import type { Sealed } from '../ledger/transaction.ts'
import type { ReplaceableFile } from '../node/channel/channel-log.ts'
import type { Purchase } from '../node/channel/records.ts'
import type { LedgerNode } from '../node/ledger-node.ts'
import type { Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { every, type Timers } from '../node/timers.ts'
import type { OfferItem } from '../schemas/offer.ts'
import { type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Sample } from '../schemas/transaction.ts'
import type { SimClock } from './clock.ts'
import type { SimDisk } from './disk.ts'
import { FILE_PRICE, type SimFileSale } from './file-sale.ts'
import type { SimLampSale } from './lamp-sale.ts'
import type { Rng } from './random.ts'

export const CHANNEL_LOG = 'channels.log'
const OUTBOX_LOG = 'outbox.log'
const TICK_MS = 2_000
/** What waits is offered again this often. */
const RESEND_MS = 15_000
const SEND_MAX = 64

export interface SimEdgeOptions {
  readonly sells: ReadonlyMap<string, SellingTerms>
  /** Each of its sensors says something so often, milliseconds. */
  readonly everyMs: number
  readonly buys: readonly Buy[]
  /** It sells files. */
  readonly files?: SimFileSale | undefined
  /** And a lamp's time. */
  readonly lamp?: SimLampSale | undefined
  /** A reading is paid and here. */
  readonly onReading: (purchase: Purchase, sample: Sample) => void
  /** It drew random bytes for its channels. */
  readonly onDrawn?: (bytes: Uint8Array) => void
  /** A message about a channel leaves the machine whose disk this is. */
  readonly onTold?: (payload: Uint8Array, disk: SimDisk) => void
}

/** The machine that it is a part of. */
export interface SimEdgeMachine {
  readonly ledger: LedgerNode
  readonly signer: Signer
  readonly disk: SimDisk
  readonly clock: SimClock
  readonly timers: Timers
  readonly log: Log
  readonly random: Rng
  /** Of a sensor's readings, also after a restart. */
  readonly nextSequence: () => number
}

/** What a machine does besides following the ledger; it lives as long as its process. */
export interface SimPart {
  receive(parsed: ParsedTopic, payload: Uint8Array, retain: boolean): void
  connected(): void
  updated(update: Update): void
  /** A transaction waits for a block. */
  heard?(sealed: Sealed): void
}

/** A log that is rewritten, as node/replaceable-log.ts has it. */
export const logOn = (disk: SimDisk, name: string): ReplaceableFile => ({
  open: () => disk.open(name),
  fresh() {
    disk.remove(`${name}.new`)
    return { file: disk.open(`${name}.new`), commit: () => disk.rename(`${name}.new`, name) }
  },
})

export class SimEdge implements SimPart {
  readonly #machine: SimEdgeMachine
  readonly #outbox: Outbox
  readonly #trades: readonly Trade[]
  readonly #files: SimFileSale | undefined

  constructor(options: SimEdgeOptions, machine: SimEdgeMachine) {
    this.#machine = machine
    const { ledger, signer, disk, timers, random, clock, log } = machine
    const { chain } = ledger
    this.#outbox = new Outbox(logOn(disk, OUTBOX_LOG), chain, signer)
    const { sells, buys, files, lamp, onReading, onDrawn, onTold } = options
    this.#files = files
    const publish: Desk['tell'] = (kind, levels, payload, retain = false) => {
      if (kind === 'channel' && ledger.session.connected) onTold?.(payload, disk)
      const name = topic(chain.network.id, kind, signer.account, ...levels)
      return ledger.session.publish(name, payload, { qos: 1, retain })
    }
    const desk: Desk = {
      chain,
      signer,
      outbox: this.#outbox,
      clock,
      log,
      random: () => random.next(),
      get inSync() {
        return ledger.inSync
      },
      get connected() {
        return ledger.session.connected
      },
      isGuarded: false,
      listen: (filters) => ledger.session.subscribe(filters),
      act: (drafts) => {
        const sealed = this.#outbox.add(drafts)
        for (const each of sealed) files?.decided(each, chain)
        this.#send(sealed)
        return sealed
      },
      tell: publish,
      // Nobody in a simulation reads what is for people.
      tellPeople: async () => true,
    }
    const modules = {
      files: logOn(disk, CHANNEL_LOG),
      timers,
      randomBytes: (length: number) => {
        const bytes = random.bytes(length)
        onDrawn?.(bytes)
        return bytes
      },
      onReading,
    }
    this.#trades = [
      new Catalogue(desk, 'sim', () => [...sells].map(([name, terms]) => itemOf(name, terms))),
      channels({ sells, buys }, modules)(desk),
      ...(files === undefined ? [] : [settling(desk, files)]),
      ...(lamp === undefined ? [] : [lamp.trade(desk)]),
    ]
    ledger.session.subscribe(this.#trades.flatMap(({ filters = [] }) => filters))
    every(timers, TICK_MS, () => {
      for (const trade of this.#trades) trade.tick?.()
    })
    every(timers, RESEND_MS, () => this.#sendPending())
    for (const sensor of sells.keys()) every(timers, options.everyMs, () => this.#sample(sensor))
  }

  receive(parsed: ParsedTopic, payload: Uint8Array, retain: boolean): void {
    for (const trade of this.#trades) trade.onMessage?.(parsed, payload, retain)
  }

  connected(): void {
    this.#sendPending()
    for (const trade of this.#trades) trade.onConnected?.()
  }

  updated(update: Update): void {
    this.#outbox.update(update)
    if (update.connected.length === 0) return
    for (const trade of this.#trades) trade.onUpdate?.(update)
    this.#sendPending()
  }

  #sample(sensor: string): void {
    const { clock, nextSequence } = this.#machine
    const sequence = nextSequence()
    const value = { mantissa: sequence % 1_000, exponent: -1 }
    const [time, synchronised] = [clock.now(), clock.synchronised()]
    for (const trade of this.#trades)
      trade.onSample?.({ sensor, unit: '%', time, synchronised, sequence, value })
  }

  #sendPending(): void {
    this.#send(this.#outbox.pending(SEND_MAX))
  }

  #send(list: readonly Sealed[]): void {
    const { ledger, signer } = this.#machine
    const name = topic(ledger.chain.network.id, 'tx', signer.account)
    for (const sealed of list) {
      const { bytes } = sealed
      const added = ledger.add(bytes, signer.account)
      if (!added.ok && added.fault.code !== 'known') continue
      this.#files?.sent(sealed)
      void ledger.session.publish(name, bytes, { qos: 1, retain: false })
    }
  }
}

/** The part of an agent's file shop that gives keys for payments. */
function settling(desk: Desk, { terms }: SimFileSale): Trade {
  const keys = new FileKeys(desk.chain.network, desk.signer)
  const shop = new Settling(terms, desk, {
    keyOf: (sale) => keys.keyOf(sale),
    sha256: (bytes) => keys.sha256(bytes),
    prices: [FILE_PRICE],
  })
  return { onUpdate: (update) => shop.update(update), tick: () => shop.settle() }
}

const itemOf = (name: string, { perReading, confirmations }: SellingTerms): OfferItem => ({
  ...{ type: 'readings', name, price: perReading, confirmations, place: '', terms: '' },
  ...{ unit: '%', everyMs: 0, count: 0 },
})
