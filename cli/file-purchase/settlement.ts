/**
 * What becomes of a payment: a pure rule over what the ledger was seen to say.
 *
 * A payment is void only when no block can contain it any more, a few blocks after its expiry, so that the same file is never paid
 * twice. The key counts wherever it is seen, since it proves itself.
 */
import type { Moment } from '../../ledger/hashlock.ts'
import type { Hashlock } from '../../schemas/transaction.ts'

/** Blocks after a payment's expiry until nobody expects a reorganisation to bring it back. */
export const VOID_BLOCKS = 6

export interface Seen {
  /** Height of the block with the payment. */
  readonly paidAt: number | undefined
  /** And of the one that gave the coins back. */
  readonly refundedAt: number | undefined
  /** Where the next block will stand; every block below was looked through. */
  readonly next: Moment
}

export type Settlement =
  /** Not in a block yet: send it again. */
  | { readonly step: 'send' }
  /** The seller has until then. */
  | { readonly step: 'wait'; readonly blocksLeft: number; readonly msLeft: number }
  /** Its deadline has passed: the coins can be had back. */
  | { readonly step: 'refund' }
  | { readonly step: 'refunded' }
  | { readonly step: 'void' }

export function settlementOf(
  { expiry, height, time }: Pick<Hashlock, 'expiry' | 'height' | 'time'>,
  { paidAt, refundedAt, next }: Seen,
): Settlement {
  if (refundedAt !== undefined) return { step: 'refunded' }
  if (paidAt === undefined) return next.height > expiry + VOID_BLOCKS ? { step: 'void' } : { step: 'send' }
  if (next.height >= height && next.medianTime >= time) return { step: 'refund' }
  return {
    step: 'wait',
    blocksLeft: Math.max(0, height - next.height),
    msLeft: Math.max(0, time - next.medianTime),
  }
}
