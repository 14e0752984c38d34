/**
 * The buyer's side of a channel, as a function: what the seller said decides what is recorded and answered.
 *
 * Invariants: reading k is paid once it is here, is the seller's, newer than the one before, and costs what was agreed; each number
 * once, in order, and to at most what was put in. Proofs only grow. Whatever else is asked for ends the purchase. So at most one price
 * is ever paid for nothing: that of a reading which is worth nothing, as no signature can tell. What is said may be
 * sent once what is recorded is durable, and not before. Source: docs/PROTOCOL.md section 15.
 */
import type { Network } from '../../ledger/network.ts'
import type { FastAccept } from '../../ledger/signature.ts'
import type { ChannelTalk, Delivery, Resume, StopCode } from '../../schemas/channel-message.ts'
import { encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { type ChannelProof, channelProof, type Sample } from '../../schemas/transaction.ts'
import { isDelivery } from './delivery.ts'
import type { ChannelRecord, Purchase } from './records.ts'

/** A purchase whose channel is on the ledger. */
export type OpenPurchase = Purchase & { readonly channel: Hash }

export interface PayerWorld {
  readonly network: Pick<Network, 'genesisHash' | 'hashing'>
  readonly accepts: FastAccept
  /** The proof that pays the first `index` readings, the same each time. */
  prove(index: number): ChannelProof
  /** The last reading that is wanted. */
  readonly last: number
  /** Seconds between two readings at least. */
  readonly every: number
}

export interface Bought {
  readonly records: readonly ChannelRecord[]
  /** To be sent once the records are durable. */
  readonly talk: readonly ChannelTalk[]
  /** A reading that is now paid. */
  readonly got?: Sample
  /** The purchase has ended with this. */
  readonly stopped?: string
}

const NOTHING: Bought = { records: [], talk: [] }

/** Readings that a purchase can pay in all. */
export const readingsIn = ({ deposit, price, steps }: Purchase): number =>
  steps > 0 ? steps : Math.floor(deposit / price)

const proofs = (purchase: Purchase, { prove }: PayerWorld): readonly ChannelProof[] =>
  purchase.index > 0 ? [prove(purchase.index)] : []

/** What the buyer says first in each conversation. */
export const resume = (purchase: Purchase, world: PayerWorld): Resume => ({
  type: 'resume',
  sensor: purchase.sensor,
  price: purchase.price,
  every: world.every,
  last: Math.min(world.last, readingsIn(purchase)),
  index: purchase.index,
  proof: proofs(purchase, world),
})

/** Why a reading is not paid for; undefined when it is what was ordered. */
export function whyRefused(
  { network, accepts }: Pick<PayerWorld, 'network' | 'accepts'>,
  purchase: OpenPurchase,
  delivery: Delivery,
): string | undefined {
  const { index, due, sample } = delivery
  if (delivery.channel !== purchase.channel) return 'channel: another one'
  if (due !== index * purchase.price) return `due: ${due}, agreed are ${index} times ${purchase.price}`
  if (sample.sensor !== purchase.sensor) return `sensor: ${sample.sensor} instead of ${purchase.sensor}`
  if (purchase.last !== undefined && sample.sequence <= purchase.last.sequence)
    return `sequence: ${sample.sequence} is not after ${purchase.last.sequence}`
  return isDelivery(network, accepts, delivery, purchase.seller) ? undefined : 'signature: not the seller'
}

export function onDelivery(world: PayerWorld, purchase: OpenPurchase, delivery: Delivery): Bought {
  const { number, index } = purchase
  if (purchase.stopped !== undefined || delivery.index < index) return NOTHING
  // Its payment was lost.
  if (delivery.index === index) return { records: [], talk: [paymentFor(world, index)] }
  if (delivery.index > index + 1)
    return stop(purchase, 'bad-index', `reading ${delivery.index} after ${index}`)
  if (delivery.index > Math.min(world.last, readingsIn(purchase)))
    return { records: [], talk: [{ type: 'stop', code: 'done', message: `no more than ${index} readings` }] }
  const fault = whyRefused(world, purchase, delivery)
  if (fault !== undefined) return stop(purchase, 'bad-reading', fault)
  const { sample } = delivery
  return {
    records: [{ type: 'paid', number, index: index + 1, sample: [sample] }],
    talk: [paymentFor(world, index + 1)],
    got: sample,
  }
}

/** The seller says where it stands: it may lack a payment, or know of one that this side has forgotten. */
export function onStanding(world: PayerWorld, purchase: OpenPurchase, { index, proof }: Resume): Bought {
  if (purchase.stopped !== undefined || index === purchase.index) return NOTHING
  if (index < purchase.index) return { records: [], talk: [paymentFor(world, purchase.index)] }
  const [theirs] = proof
  const isOurs = index <= readingsIn(purchase) && theirs !== undefined && isSame(theirs, world.prove(index))
  if (!isOurs)
    return stop(purchase, 'bad-proof', `${index} readings are paid, this side knows of ${purchase.index}`)
  return { records: [{ type: 'paid', number: purchase.number, index, sample: [] }], talk: [] }
}

const paymentFor = ({ prove }: PayerWorld, index: number): ChannelTalk => ({
  type: 'payment',
  index,
  proof: prove(index),
})

/** Words and Ed25519 signatures have one form, made by this side. */
const isSame = (one: ChannelProof, other: ChannelProof): boolean =>
  Buffer.compare(encode(channelProof, one), encode(channelProof, other)) === 0

function stop({ number }: Purchase, code: StopCode, message: string): Bought {
  return {
    records: [{ type: 'purchaseStopped', number, reason: code }],
    talk: [{ type: 'stop', code, message: message.slice(0, 160) }],
    stopped: `${code}: ${message}`,
  }
}
