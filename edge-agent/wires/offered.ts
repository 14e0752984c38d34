/** What the seller's offer makes of a wire that pays for the time of an output or a paid topic: pure functions. */
import { formatCoins } from '../../ledger/amount.ts'
import type { OfferItem, OfferKind } from '../../schemas/offer.ts'
import type { ItemKind } from '../../schemas/receipt-memo.ts'
import { secondsFor } from '../sale/settlement.ts'
import type { Wire } from './wire.ts'

/** An offer of something by the minute. */
export type TimedItem = Extract<OfferItem, { readonly secondsMin: number }>

export const OFFERED_AS: Readonly<Record<ItemKind, Extract<OfferKind, TimedItem['type']>>> = {
  on: 'output',
  topic: 'topic',
}

/** Why a payment would only come back; undefined when it would not. */
export function underpayment(amount: number, { price, secondsMin }: TimedItem): string | undefined {
  const seconds = secondsFor(amount, price)
  if (seconds >= secondsMin) return undefined
  return `underpaid: ${formatCoins(amount)} buys ${seconds} s at the offered ${formatCoins(price)} a minute, and the seller sells ${secondsMin} s at least`
}

/** How what is paid and what it is to cover differ; undefined when they do not, or the amount depends on a reading. */
export function mismatch({ pay, to }: Wire, { price, secondsMax }: TimedItem): string | undefined {
  if (pay.kind !== 'amount' || to.kind !== 'item') return undefined
  const seconds = secondsFor(pay.amount, price)
  const stated = Math.round(to.minutes * 60)
  const paid = `${formatCoins(pay.amount)} buys ${seconds} s at the offered ${formatCoins(price)} a minute`
  if (seconds > secondsMax) return `${paid}; the seller sells ${secondsMax} s at most and gives the rest back`
  return seconds === stated
    ? undefined
    : `${paid}, ${seconds < stated ? 'fewer' : 'more'} than the ${stated} s that it says`
}
