/**
 * A sale of files for a hash between two machines: no coins without the key on the ledger, no key before the payment is deep and
 * its deadline far, and what is not sold is paid back.
 *
 * A key may be out and its coins go back nevertheless, where a reorganisation takes the payment away: what `confirmations` and the
 * margin are for.
 */
import { blocksAbove } from '../edge-agent/block-walk.ts'
import type { SettlingOptions } from '../edge-agent/files/settling.ts'
import { COIN } from '../ledger/amount.ts'
import type { Chain, ConnectedBlock, Update } from '../ledger/chain.ts'
import type { Sealed } from '../ledger/transaction.ts'
import { type Hash, short } from '../schemas/hex.ts'
import type { Hashlock, Transaction } from '../schemas/transaction.ts'
import type { FilePurchase } from './file-buyer.ts'

/** Smallest units for a file. */
export const FILE_PRICE = COIN / 10
/** Blocks; as minutes it is as many intervals. */
export const DEADLINE = { fair: 60, short: 12 } as const
/** What the seller wants: fewer of its deadline left, and it gives no key. */
const MARGIN_BLOCKS = 40
const CONFIRMATIONS = 2
/** Blocks after a deadline by which the coins are back, in good weather. */
const BACK_BLOCKS = 15
/** Purchases whose deadline is so far below the next one's are not looked at any more. */
const OLD_BLOCKS = 150

/** Heights of blocks, by their hashes. */
type Blocks = Map<Hash, number>

interface Seen {
  readonly tx: Hashlock
  readonly purchase: number
  /** Blocks with its claim, and with its refund, on whatever branch. */
  readonly claimed: Blocks
  readonly refunded: Blocks
  /** The seller's machine has sent the key. */
  isTold: boolean
  /** A reorganisation has taken the payment or its claim from the seller since, or brought it past the deadline. */
  isUndone: boolean
}

export class SimFileSale {
  readonly terms: SettlingOptions
  readonly #locks = new Map<Hash, Seen>()
  readonly #onFault: (side: 'seller' | 'buyer', fault: string) => void
  readonly #intervalMs: number
  #sold = 0

  constructor(intervalMs: number, onFault: (side: 'seller' | 'buyer', fault: string) => void) {
    this.#intervalMs = intervalMs
    this.#onFault = onFault
    const marginMinutes = (MARGIN_BLOCKS * intervalMs) / 60_000
    this.terms = {
      ...{ confirmations: CONFIRMATIONS, deadlineBlocks: DEADLINE.fair },
      ...{ marginBlocks: MARGIN_BLOCKS, marginMinutes },
    }
  }

  /** Keys that were given. */
  get sold(): number {
    return this.#sold
  }

  /** The buyer has signed a payment. */
  paid(id: Hash, tx: Hashlock, purchase: number): void {
    for (const [old, seen] of this.#locks)
      if (seen.tx.height < tx.height - OLD_BLOCKS) this.#locks.delete(old)
    const nowhere = { claimed: new Map(), refunded: new Map() }
    this.#locks.set(id, { tx, purchase, ...nowhere, isTold: false, isUndone: false })
  }

  /** The seller decides to give a key; `chain` is its own. */
  decided({ transaction: tx }: Sealed, chain: Chain): void {
    if (tx.type !== 'hashlockClaim') return
    const { hashlock: id } = tx
    const seen = this.#locks.get(id)
    if (seen === undefined || seen.isTold) return
    const { amount, height, time } = seen.tx
    const { next, tip, state } = chain
    const top = [...blocksAbove(chain, tip.height - CONFIRMATIONS + 1)].flatMap(
      ({ block }) => block.transactions,
    )
    const isDeep = state.hashlock(id) !== undefined && !top.some((sealed) => sealed.id === id)
    const isFar =
      height - next.height >= MARGIN_BLOCKS && time - next.medianTime >= MARGIN_BLOCKS * this.#intervalMs
    if (amount < FILE_PRICE || !isDeep || !isFar)
      this.#onFault(
        'seller',
        `gives a key for ${amount} smallest units, ${isDeep ? '' : 'not '}deep enough, deadline ${height} at ${next.height}`,
      )
  }

  /** The seller sends something. */
  sent({ transaction: tx }: Sealed): void {
    const seen = tx.type === 'hashlockClaim' ? this.#locks.get(tx.hashlock) : undefined
    if (seen === undefined || seen.isTold) return
    seen.isTold = true
    this.#sold++
  }

  /** A machine's chain has moved. */
  updated({ connected, disconnected, tip }: Update, isSeller: boolean): void {
    for (const block of connected) this.#note(block)
    if (!isSeller || disconnected.length === 0) return
    const gone = new Set(
      disconnected.flatMap(({ transactions }) =>
        transactions.map(({ transaction: tx, id }) => lockOf(tx, id)),
      ),
    )
    for (const [id, seen] of this.#locks)
      if (seen.isTold && (gone.has(id) || tip.height >= seen.tx.height)) seen.isUndone = true
  }

  /** In the end, on the chain of the buyer: everybody has what is theirs, and the buyer knows what it has. */
  check(chain: Chain, known: ReadonlyMap<Hash, FilePurchase>): void {
    const paid = new Set<number>()
    for (const [id, seen] of this.#locks) {
      const { purchase, claimed } = seen
      const isPaid = stands(chain, claimed)
      const key = known.get(id)?.key
      const fault = isPaid ? faultOfPaid(seen, key, paid) : this.#faultOfUnpaid(seen, id, key, chain)
      if (fault !== undefined) this.#onFault('buyer', `purchase ${purchase}, hashlock ${short(id)}: ${fault}`)
      if (isPaid) paid.add(purchase)
    }
  }

  #faultOfUnpaid(seen: Seen, id: Hash, key: Hash | undefined, chain: Chain): string | undefined {
    const { tx, refunded, isTold, isUndone } = seen
    const { next, state } = chain
    if (stands(chain, refunded))
      return isTold && !isUndone ? 'its key is out, its coins went back' : undefined
    const sinceBlocks = next.height - tx.height
    if (key !== undefined && !isUndone && sinceBlocks >= 0) return 'the buyer has the key, and has not paid'
    const isLate = sinceBlocks >= BACK_BLOCKS && next.medianTime - tx.time >= BACK_BLOCKS * this.#intervalMs
    return isLate && state.hashlock(id) !== undefined
      ? `its deadline was ${tx.height}, at ${next.height} it is not settled`
      : undefined
  }

  #note({ entry, transactions }: ConnectedBlock): void {
    for (const { transaction: tx, id } of transactions) {
      const lock = lockOf(tx, id)
      const seen = lock && this.#locks.get(lock)
      if (seen === undefined) continue
      if (tx.type === 'hashlockClaim') seen.claimed.set(entry.hash, entry.height)
      else if (tx.type === 'hashlockRefund') seen.refunded.set(entry.hash, entry.height)
    }
  }
}

/** The hashlock that a transaction is about. */
const lockOf = (tx: Transaction, id: Hash): Hash | undefined =>
  tx.type === 'hashlockClaim' || tx.type === 'hashlockRefund'
    ? tx.hashlock
    : tx.type === 'hashlock'
      ? id
      : undefined

function faultOfPaid(
  { tx, purchase }: Seen,
  key: Hash | undefined,
  paid: ReadonlySet<number>,
): string | undefined {
  if (tx.amount < FILE_PRICE) return 'it was sold for less than its price'
  if (paid.has(purchase)) return 'the same file is paid twice'
  return key === undefined ? 'it is paid, and the buyer has no key' : undefined
}

/** Whether one of the blocks is on the chain. */
const stands = (chain: Chain, blocks: Blocks): boolean =>
  [...blocks].some(([hash, height]) => chain.at(height)?.hash === hash)
