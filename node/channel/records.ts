/**
 * What must not be forgotten of channels, as records of a log, and what they come to.
 *
 * A *sale* is the payee's side and known by its channel; a *purchase* the payer's and known by a number that is never used again,
 * since it is there before its channel is. Both change by records alone, so what is in memory is what the log says.
 * Source: docs/PROTOCOL.md section 15.
 */
import type { Infer } from '../../schemas/codec.ts'
import { list, struct, union } from '../../schemas/compound.ts'
import { account, freeText, hash, name, u32, u64 } from '../../schemas/field.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type ChannelProof, channelProof, type Sample, sample } from '../../schemas/transaction.ts'

export const RECORD_BYTES_MAX = 512
const reason = freeText(40)

export const channelRecord = union({
  /** A sale begins. */
  agreed: { number: 1, codec: struct({ channel: hash, buyer: account, sensor: name, price: u64 }) },
  /** This is reading number `index`, whatever happens: it may be on its way. */
  delivered: { number: 2, codec: struct({ channel: hash, index: u32, sample }) },
  /** Readings up to `index` are paid. */
  proven: { number: 3, codec: struct({ channel: hash, index: u32, proof: channelProof }) },
  /** Nothing more is delivered in this sale. */
  saleStopped: { number: 4, codec: struct({ channel: hash, reason }) },
  /** The channel is gone for good. */
  saleEnded: { number: 5, codec: struct({ channel: hash }) },
  /** A channel is about to be opened; `steps` of its hash chain, 0: paid by signatures. `height`: of our chain. */
  planned: {
    number: 6,
    codec: struct({
      number: u64,
      seller: account,
      sensor: name,
      price: u64,
      deposit: u64,
      delay: u32,
      until: u32,
      steps: u32,
      height: u32,
    }),
  },
  /** It is on the ledger. */
  opened: { number: 7, codec: struct({ number: u64, channel: hash }) },
  /** Reading number `index` is ours, and its payment may be on its way. No sample: the payee knew of a payment that we had forgotten. */
  paid: { number: 8, codec: struct({ number: u64, index: u32, sample: list(sample, 1) }) },
  /** Nothing more is paid; the coins that are left are wanted back. */
  purchaseStopped: { number: 9, codec: struct({ number: u64, reason }) },
  purchaseEnded: { number: 10, codec: struct({ number: u64 }) },
  /** The last reading that was delivered had this sequence number. Only in a log that was rewritten. */
  sequence: { number: 11, codec: struct({ channel: hash, sequence: u64 }) },
})
export type ChannelRecord = Infer<typeof channelRecord>

export interface Sale {
  readonly channel: Hash
  readonly buyer: Account
  readonly sensor: string
  /** Smallest units for each reading. */
  readonly price: number
  /** Readings that `proof` pays. */
  readonly index: number
  readonly proof: ChannelProof | undefined
  /** Reading number `index + 1`, once it may be on its way: it is that one until it is paid. */
  readonly pending: Sample | undefined
  /** The sensor's number of the last reading that was delivered: after a crash it may count anew from below. */
  readonly sequence: number | undefined
  readonly stopped: string | undefined
}

export interface Purchase {
  readonly number: number
  readonly seller: Account
  readonly sensor: string
  readonly price: number
  readonly deposit: number
  readonly delay: number
  readonly until: number
  readonly steps: number
  readonly height: number
  readonly channel: Hash | undefined
  /** Readings that are paid, and the last of them. */
  readonly index: number
  readonly last: Sample | undefined
  readonly stopped: string | undefined
}

/** Memo of a purchase's opening: what is bought, and by which of the buyer's purchases. */
export const openMemo = (sensor: string, number: number): string =>
  `readings ${sensor} ${number.toString(16)}`

export class Books {
  readonly #sales = new Map<Hash, Sale>()
  readonly #purchases = new Map<number, Purchase>()

  get sales(): ReadonlyMap<Hash, Sale> {
    return this.#sales
  }

  get purchases(): ReadonlyMap<number, Purchase> {
    return this.#purchases
  }

  /** The purchase whose channel this is. */
  purchaseOf(channel: Hash): Purchase | undefined {
    for (const purchase of this.#purchases.values()) if (purchase.channel === channel) return purchase
    return undefined
  }

  take(record: ChannelRecord): void {
    switch (record.type) {
      case 'agreed': {
        const { type: _, ...terms } = record
        invariant(!this.#sales.has(record.channel), 'a sale begins once')
        const none = { proof: undefined, pending: undefined, sequence: undefined, stopped: undefined }
        this.#sales.set(record.channel, { ...terms, index: 0, ...none })
        return
      }
      case 'delivered': {
        const sale = this.#sale(record.channel)
        // The payee's loss bound: at most one reading is out that is not paid.
        invariant(sale.pending === undefined && record.index === sale.index + 1, 'one reading at a time')
        this.#sales.set(sale.channel, { ...sale, pending: record.sample, sequence: record.sample.sequence })
        return
      }
      case 'proven': {
        const sale = this.#sale(record.channel)
        invariant(record.index > sale.index, 'what is paid only grows')
        const { index, proof } = record
        this.#sales.set(sale.channel, { ...sale, index, proof, pending: undefined })
        return
      }
      case 'sequence':
        this.#sales.set(record.channel, { ...this.#sale(record.channel), sequence: record.sequence })
        return
      case 'saleStopped':
        this.#sales.set(record.channel, { ...this.#sale(record.channel), stopped: record.reason })
        return
      case 'saleEnded':
        this.#sales.delete(record.channel)
        return
      case 'planned': {
        const { type: _, ...plan } = record
        invariant(!this.#purchases.has(record.number), 'a number is used once')
        const nothing = { channel: undefined, index: 0, last: undefined, stopped: undefined }
        this.#purchases.set(record.number, { ...plan, ...nothing })
        return
      }
      case 'opened':
        this.#purchases.set(record.number, { ...this.#purchase(record.number), channel: record.channel })
        return
      case 'paid': {
        const purchase = this.#purchase(record.number)
        const { index } = record
        invariant(index > purchase.index, 'each reading is paid once')
        // The payer's loss bound: a price is paid for a reading that is here, never in advance.
        invariant(record.sample.length === 0 || index === purchase.index + 1, 'one reading at a time')
        invariant(index * purchase.price <= purchase.deposit, 'no more is paid than was put in')
        const last = record.sample[0] ?? purchase.last
        this.#purchases.set(purchase.number, { ...purchase, index, last })
        return
      }
      case 'purchaseStopped':
        this.#purchases.set(record.number, { ...this.#purchase(record.number), stopped: record.reason })
        return
      case 'purchaseEnded':
        this.#purchases.delete(record.number)
    }
  }

  /** Records that come to the same, and no more than that. */
  *records(): Generator<ChannelRecord> {
    for (const sale of this.#sales.values()) {
      const { channel, buyer, sensor, price, index, proof, pending, sequence, stopped } = sale
      yield { type: 'agreed', channel, buyer, sensor, price }
      if (proof !== undefined) yield { type: 'proven', channel, index, proof }
      if (pending !== undefined) yield { type: 'delivered', channel, index: index + 1, sample: pending }
      else if (sequence !== undefined) yield { type: 'sequence', channel, sequence }
      if (stopped !== undefined) yield { type: 'saleStopped', channel, reason: stopped }
    }
    for (const { channel, index, last, stopped, ...plan } of this.#purchases.values()) {
      const { number } = plan
      yield { type: 'planned', ...plan }
      if (channel !== undefined) yield { type: 'opened', number, channel }
      // In two, since the count may have jumped to where the last reading is.
      if (last === undefined) {
        if (index > 0) yield { type: 'paid', number, index, sample: [] }
      } else {
        if (index > 1) yield { type: 'paid', number, index: index - 1, sample: [] }
        yield { type: 'paid', number, index, sample: [last] }
      }
      if (stopped !== undefined) yield { type: 'purchaseStopped', number, reason: stopped }
    }
  }

  #sale(channel: Hash): Sale {
    const sale = this.#sales.get(channel)
    invariant(sale !== undefined, `channel ${channel} is sold on`)
    return sale
  }

  #purchase(number: number): Purchase {
    const purchase = this.#purchases.get(number)
    invariant(purchase !== undefined, `purchase ${number} is known`)
    return purchase
  }
}
