/**
 * A sale of readings through channels between two machines, and its loss bounds: the seller is never more than one reading
 * ahead of what it can prove, the ledger never pays for a reading that the buyer has not got.
 */
import { COIN } from '../ledger/amount.ts'
import { ChannelLog } from '../node/channel/channel-log.ts'
import type { Purchase } from '../node/channel/records.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import type { Sample, Transaction } from '../schemas/transaction.ts'
import type { SimDisk } from './disk.ts'
import { CHANNEL_LOG, logOn, type SimEdgeOptions } from './edge.ts'

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
  readonly #everyMs: number
  #readings = 0

  /** The sensor says something every `everyMs`. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs
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
    return { sells: new Map([[SENSOR, terms]]), everyMs: this.#everyMs, buys: [], onReading: () => {} }
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

  #take(purchase: Purchase, sample: Sample): void {
    const channel = purchase.channel as Hash
    // After a restart the last one comes again.
    const index = purchase.last === sample ? purchase.index : purchase.index + 1
    if (index > (this.#got.get(channel) ?? 0)) {
      this.#got.set(channel, index)
      this.#readings++
    }
  }
}
