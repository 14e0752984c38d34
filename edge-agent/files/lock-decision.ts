/**
 * Whether a hashlock on our ledger is opened: a pure rule, and all that stands between the key and who has not paid.
 *
 * A key follows from buyer, price and file alone, so a lock that fits the key of its own amount was quoted by us for that
 * amount, whatever the files are by now; nobody else can make one. Once the key is out it cannot be taken back, so the claim
 * has to get into a block long before the deadline: both of its parts must be ahead by the margin. Source: docs/PROTOCOL.md section 8.
 */
import type { Moment } from '../../ledger/hashlock.ts'
import { fileInMemo } from '../../schemas/file-message.ts'
import { type Account, type Hash, hashFromBytes, short } from '../../schemas/hex.ts'
import type { Hashlock } from '../../schemas/transaction.ts'

export interface LockTerms {
  /** Who sells. */
  readonly account: Account
  readonly confirmations: number
  /** What must be left of the deadline. */
  readonly marginBlocks: number
  readonly marginMs: number
}

/** The seller's secrets, as far as the rule needs them. */
export interface LockKeys {
  keyOf(sale: { readonly buyer: Account; readonly price: number; readonly file: Hash }): Uint8Array
  /** What files cost now. */
  readonly prices: Iterable<number>
  sha256(bytes: Uint8Array): Uint8Array
}

export interface Now {
  /** Where the next block will stand. */
  readonly next: Moment
  /** Milliseconds by our clock; 0 when it is not to be trusted. */
  readonly nowMs: number
}

export type LockVerdict =
  | { readonly act: 'reveal'; readonly preimage: Hash }
  /** It may be opened later. */
  | { readonly act: 'wait' }
  | { readonly act: 'refuse'; readonly code: LockRefusal; readonly message: string }
export type LockRefusal = 'foreign' | 'no-file' | 'unknown-lock' | 'underpaid' | 'too-late'

/** `depth`: blocks from the lock's to the tip, both counted. */
export function decideLock(
  lock: Hashlock,
  depth: number,
  terms: LockTerms,
  { next, nowMs }: Now,
  keys: LockKeys,
): LockVerdict {
  if (lock.to !== terms.account) return no('foreign', `to: ${short(lock.to)} is paid, not we`)
  if (fileInMemo(lock.memo) === undefined) return no('no-file', 'memo: names no file')
  const key = fittingKey(lock, keys)
  if (key === undefined) return no('unknown-lock', 'lock: of no file that we quoted to this buyer')
  if (lock.amount < key.price)
    return no('underpaid', `amount: ${lock.amount}, the file costs ${key.price} smallest units`)
  const blocks = lock.height - next.height
  if (blocks < terms.marginBlocks)
    return no('too-late', `height: ${blocks} blocks are left, at least ${terms.marginBlocks} have to be`)
  const leftMs = lock.time - Math.max(next.medianTime, nowMs)
  if (leftMs < terms.marginMs)
    return no('too-late', `time: ${leftMs} ms are left, at least ${terms.marginMs} have to be`)
  if (depth < terms.confirmations) return { act: 'wait' }
  return { act: 'reveal', preimage: hashFromBytes(key.bytes) }
}

/** Our key that opens the lock, and the price for which we made it: what is paid, or else one of those that we ask. */
export function fittingKey(
  { from, amount, lock, memo }: Hashlock,
  { keyOf, prices, sha256 }: LockKeys,
): { readonly bytes: Uint8Array; readonly price: number } | undefined {
  const file = fileInMemo(memo)
  if (file === undefined) return undefined
  for (const price of new Set([amount, ...prices])) {
    const bytes = keyOf({ buyer: from, price, file })
    if (hashFromBytes(sha256(bytes)) === lock) return { bytes, price }
  }
  return undefined
}

const no = (code: LockRefusal, message: string): LockVerdict => ({ act: 'refuse', code, message })
