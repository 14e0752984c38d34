/**
 * A buyer's payment for a file: its deadline, and what becomes of it, by what the ledger was seen to say.
 *
 * A payment is void only when no block can contain it any more, a few blocks after its expiry, so that the same file is never paid
 * twice. The key counts wherever it is seen, since it proves itself.
 */
import type { Quote } from '../schemas/file-message.ts'
import type { Tip } from '../schemas/message.ts'
import type { Hashlock } from '../schemas/transaction.ts'
import type { Moment } from './hashlock.ts'

/** Blocks after which nobody expects a reorganisation: to bring a payment back after its expiry, or to take a refund away. */
export const SURE_BLOCKS = 6

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
  /** The coins are back, in a block that may still be taken away. */
  | { readonly step: 'returned'; readonly height: number; readonly blocksLeft: number }
  | { readonly step: 'refunded' }
  | { readonly step: 'void' }

export function settlementOf(
  { expiry, height, time }: Pick<Hashlock, 'expiry' | 'height' | 'time'>,
  { paidAt, refundedAt, next }: Seen,
): Settlement {
  if (refundedAt !== undefined) {
    const blocksLeft = refundedAt + SURE_BLOCKS - next.height
    return blocksLeft > 0 ? { step: 'returned', height: refundedAt, blocksLeft } : { step: 'refunded' }
  }
  if (paidAt === undefined) return next.height > expiry + SURE_BLOCKS ? { step: 'void' } : { step: 'send' }
  if (next.height >= height && next.medianTime >= time) return { step: 'refund' }
  return {
    step: 'wait',
    blocksLeft: Math.max(0, height - next.height),
    msLeft: Math.max(0, time - next.medianTime),
  }
}

/** The deadline of a hashlock that is signed now. */
export const deadlineOf = (
  { blocks, minutes }: Pick<Quote, 'blocks' | 'minutes'>,
  { height }: Pick<Tip, 'height'>,
  nowMs: number,
): { readonly height: number; readonly time: number } => ({
  height: height + 1 + blocks,
  time: nowMs + minutes * 60_000,
})

/** The last block that may contain the payment: later ones would leave the seller too little of the deadline. */
export const expiryOf = ({ blocks }: Pick<Quote, 'blocks'>, { height }: Pick<Tip, 'height'>): number =>
  height + Math.max(2, Math.min(60, Math.floor(blocks / 4)))
