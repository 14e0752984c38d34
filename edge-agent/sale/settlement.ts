/**
 * What a payment for time gets: a receipt, coins back, both, or nothing. A function of the payment, the item's terms, and what
 * is running; the rule is stated for people in docs/TRADE.md.
 *
 * Time is sold in whole seconds, and what is worth less than a second stays with the seller. It adds to what still runs. The
 * refund costs its fee, so that what does not cover that is kept: nobody can make a seller pay fees by paying it. Nor does a
 * seller give back what others had as their shares: who has a share could drain it by payments that come back.
 */
import type { RefundCode } from '../../schemas/receipt-memo.ts'

/** On which an output or a topic is sold. */
export interface Terms {
  /** Smallest units, 1 or more. */
  readonly perMinute: number
  /** Least time that a payment has to buy. */
  readonly secondsMin: number
  /** How far ahead of now time can be bought. */
  readonly secondsMax: number
  /** Blocks before it is settled, the payment's own counted. */
  readonly confirmations: number
  /** A payment that has been so deep for longer than this comes too late. */
  readonly lateSeconds: number
}

/** What the payment names: terms, or why there are none. */
export type Wanted = Terms | Extract<RefundCode, 'unknown-item' | 'not-for-sale'>

export interface Payment {
  /** Smallest units. */
  readonly amount: number
  /** What of it stayed with the seller when the ledger shared it, smallest units. */
  readonly kept: number
  /** Age of the block that made it as deep as the terms ask. */
  readonly ageMs: number
}

export interface Moment {
  /** Wall clock. */
  readonly nowMs: number
  /** What still runs of this item, 0 or more: of a topic for this buyer, of an output for whoever bought it. */
  readonly runningMs: number
  /** Smallest units that a refund costs. */
  readonly refundFee: number
}

export interface Settlement {
  /** Until when it is sold, milliseconds since 1970 and whole seconds. */
  readonly until: number | undefined
  /** `amount` is without the fee, 1 or more. */
  readonly refund: { readonly code: RefundCode; readonly amount: number } | undefined
}

const SECOND_MS = 1_000
const MINUTE_SECONDS = 60

export function settle(
  payment: Payment,
  wanted: Wanted,
  { nowMs, runningMs, refundFee }: Moment,
): Settlement {
  const refund = (code: RefundCode, due: number): Settlement['refund'] => {
    const amount = keptPart(payment, due)
    return amount > refundFee ? { code, amount: amount - refundFee } : undefined
  }
  const allBack = (code: RefundCode): Settlement => ({
    until: undefined,
    refund: refund(code, payment.amount),
  })

  if (typeof wanted === 'string') return allBack(wanted)
  const { perMinute, secondsMin, secondsMax, lateSeconds } = wanted
  if (payment.ageMs > lateSeconds * SECOND_MS) return allBack('late')
  const seconds = secondsFor(payment.amount, perMinute)
  if (seconds < secondsMin) return allBack('underpaid')
  const room = Math.max(0, secondsMax - Math.ceil(runningMs / SECOND_MS))
  if (room === 0) return allBack('overpaid')
  const sold = Math.min(seconds, room)
  const rest = seconds > room ? payment.amount - priceOf(sold, perMinute) : 0
  // Rounded up, so that nobody gets less than was paid for.
  const until = Math.ceil((nowMs + runningMs) / SECOND_MS + sold) * SECOND_MS
  return { until, refund: refund('overpaid', rest) }
}

/** Of what is due the same part that the seller kept of all, so that its part of the price stays with it. */
const keptPart = ({ amount, kept }: Payment, due: number): number =>
  kept === amount ? due : Number((BigInt(due) * BigInt(kept)) / BigInt(amount))

/** Whole seconds that an amount buys. Amounts times seconds can leave the exact range of numbers. */
export const secondsFor = (amount: number, perMinute: number): number =>
  Number((BigInt(amount) * BigInt(MINUTE_SECONDS)) / BigInt(perMinute))

/** The least amount that buys so many whole seconds. */
export const priceOf = (seconds: number, perMinute: number): number =>
  Number((BigInt(seconds) * BigInt(perMinute) + BigInt(MINUTE_SECONDS - 1)) / BigInt(MINUTE_SECONDS))
