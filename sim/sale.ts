/**
 * A sale of readings through channels between two machines, and its loss bounds: no more readings have left the seller's machine
 * than its books on the disk prove, and one; the ledger never pays for a reading that the buyer has not got.
 */
import { COIN } from '../ledger/amount.ts'
import type { Network } from '../ledger/network.ts'
import { audit } from '../node/append-log.ts'
import { ChannelLog, parseRecord } from '../node/channel/channel-log.ts'
import type { Purchase } from '../node/channel/records.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import type { Sample, Transaction } from '../schemas/transaction.ts'
import type { SimDisk } from './disk.ts'
import { CHANNEL_LOG, logOn, type SimEdgeOptions } from './edge.ts'
import { Wiretap } from './wiretap.ts'

const SENSOR = 'soil'
/** Smallest units for a reading. */
const PRICE = COIN / 100
/** Readings that a channel pays: few, so that one run has many. */
const READINGS = 6
/** Readings that the seller leaves unclaimed. */
const UNCLAIMED = 2
/** Blocks. */
const DELAY = { least: 20, is: 30 } as const

export class SimSale {
  /** The highest number of a reading that the buyer has got, by channel. */
  readonly #got = new Map<Hash, number>()
  /** The sensor's numbers of the readings that have left the seller's machine, by channel. */
  readonly #told = new Map<Hash, Set<number>>()
  /** Readings that the seller's disk was seen to prove, by channel. */
  #proven: ReadonlyMap<Hash, number> = new Map()
  readonly #tap: Wiretap
  readonly #everyMs: number
  readonly #onFault: (fault: string) => void
  #readings = 0

  /** The sensor says something every `everyMs`; `onFault`: the seller has given away more than it may. */
  constructor(network: Network, everyMs: number, onFault: (fault: string) => void) {
    this.#tap = new Wiretap(network)
    this.#everyMs = everyMs
    this.#onFault = onFault
  }

  /** Readings that were paid and came. */
  get readings(): number {
    return this.#readings
  }

  get seller(): SimEdgeOptions {
    const terms = {
      perReading: PRICE,
      confirmations: 2,
      delayMin: DELAY.least,
      claimAbove: UNCLAIMED * PRICE,
    }
    return {
      ...{ sells: new Map([[SENSOR, terms]]), everyMs: this.#everyMs, buys: [], onReading: () => {} },
      onDrawn: (bytes) => this.#tap.drew(bytes),
      onTold: (payload, disk) => this.#tell(payload, disk),
    }
  }

  buyer(from: Account, mode: 'payword' | 'signed'): SimEdgeOptions {
    const buy = {
      from,
      sensor: SENSOR,
      priceMax: PRICE,
      deposit: READINGS * PRICE,
      mode,
      delay: DELAY.is,
      lifetime: undefined,
      every: 0,
      silentMs: 3_600_000,
    }
    const onReading = (purchase: Purchase, sample: Sample): void => this.#take(purchase, sample)
    return { sells: new Map(), everyMs: this.#everyMs, buys: [buy], onReading }
  }

  /** What is wrong with a transaction that stands in a block. */
  faultOf(tx: Transaction): string | undefined {
    if (tx.type !== 'channelClaim') return undefined
    const got = this.#got.get(tx.channel)
    if (got === undefined) return undefined
    const { proof } = tx
    const readings = proof.type === 'word' ? proof.steps : proof.amount / PRICE
    return readings <= got
      ? undefined
      : `channel ${short(tx.channel)} pays ${readings} readings, the buyer has got ${got}`
  }

  /** What is wrong with the books on the disk of either; `stands`: whether the ledger has a channel, as its machine knows it. */
  faultOn(side: 'seller' | 'buyer', disk: SimDisk, stands: (channel: Hash) => boolean): string | undefined {
    const never = { after: () => () => {}, turn: async () => {} }
    const log = new ChannelLog(logOn(disk, CHANNEL_LOG), { timers: never, nowMs: () => 0, onFatal: () => {} })
    log.close()
    const { sales } = log.books
    for (const [channel, got] of this.#got) {
      const book = side === 'seller' ? sales.get(channel) : log.books.purchaseOf(channel)
      if (book === undefined ? !stands(channel) : book.index >= (side === 'seller' ? got - 1 : got)) continue
      const known = book === undefined ? 'nothing of it' : `${book.index} of them`
      return `of channel ${short(channel)} the buyer has got ${got} readings, the ${side}'s books have ${known}`
    }
    return undefined
  }

  /** The seller says something. What a disk has proven once it goes on proving, or `faultOn` finds out. */
  #tell(payload: Uint8Array, disk: SimDisk): void {
    const { channel, talk } = this.#tap.hear('seller', payload) ?? {}
    if (channel === undefined || talk?.type !== 'delivery') return
    const { sample } = talk
    const told = this.#told.get(channel) ?? new Set()
    this.#told.set(channel, told.add(sample.sequence))
    if (told.size > (this.#proven.get(channel) ?? 0) + 1) this.#proven = provenOn(disk)
    const proven = this.#proven.get(channel) ?? 0
    if (told.size > proven + 1)
      this.#onFault(
        `${told.size} readings of channel ${short(channel)} have left, the seller's disk proves ${proven}`,
      )
  }

  #take(purchase: Purchase, sample: Sample): void {
    const channel = purchase.channel as Hash
    if (this.#told.get(channel)?.has(sample.sequence) !== true)
      this.#onFault(`a reading of channel ${short(channel)} came that nobody has seen leave`)
    // After a restart the last one comes again.
    const index = purchase.last === sample ? purchase.index : purchase.index + 1
    if (index > (this.#got.get(channel) ?? 0)) {
      this.#got.set(channel, index)
      this.#readings++
    }
  }
}

/** Readings that the books on a disk prove now, by channel. */
function provenOn(disk: SimDisk): ReadonlyMap<Hash, number> {
  const proven = new Map<Hash, number>()
  for (const each of audit(disk.open(CHANNEL_LOG))) {
    // What was being written when the power failed, or the disk was full.
    if (!each.ok) break
    const record = parseRecord(each.value.bytes, each.value.position)
    if (record.type === 'proven') proven.set(record.channel, record.index)
  }
  return proven
}
