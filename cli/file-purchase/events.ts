/** What happens in a purchase, as it is told to the person who waits. */
import type { Account, Hash } from '../../schemas/hex.ts'

export type PurchaseEvent =
  /** The seller makes the file ready. */
  | { readonly event: 'preparing'; readonly percent: string }
  | {
      readonly event: 'quote'
      readonly name: string
      readonly seller: Account
      readonly bytes: number
      /** Smallest units. */
      readonly price: number
      readonly blocks: number
      readonly minutes: number
    }
  /** Bytes of the ciphertext. */
  | { readonly event: 'fetching'; readonly done: number; readonly of: number }
  /** All of it is there and has the hash that was quoted. */
  | { readonly event: 'fetched'; readonly sha256: Hash }
  | { readonly event: 'paying'; readonly transaction: Hash; readonly price: number }
  /** The payment is not in a block yet; what a validator said of it. */
  | { readonly event: 'unconfirmed'; readonly reason: string }
  /** Locked: the seller has until the deadline. */
  | {
      readonly event: 'locked'
      /** Block of the payment, and the deadline's. */
      readonly height: number
      readonly deadline: number
      readonly blocksLeft: number
      readonly secondsLeft: number
    }
  /** The deadline has passed. */
  | { readonly event: 'refunding'; readonly transaction: Hash }
  /** The coins are back, in a block that a reorganisation may still take away. */
  | { readonly event: 'returned'; readonly height: number; readonly blocksLeft: number }
  /** Something is in the way, and is tried again. */
  | { readonly event: 'trouble'; readonly reason: string }

/** How a purchase ended. */
export type Outcome =
  | { readonly status: 'bought'; readonly out: string }
  /** Nothing was paid. */
  | { readonly status: 'not-bought'; readonly reason: string }
  | { readonly status: 'refunded'; readonly reason: string }
  /** Paid, and neither file nor refund yet: to be gone on with. */
  | { readonly status: 'open'; readonly reason: string }
  /** Paid, and what came does not open: the seller has broken its word. */
  | { readonly status: 'spoilt'; readonly reason: string }
