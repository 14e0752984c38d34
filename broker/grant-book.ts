/**
 * What a validator reads from receipts: until when a buyer may read which paid topics of a seller.
 *
 * A receipt is a transfer of 0 from seller to buyer with the memo `sold <payment> topic <sensor> until <time>`. Its time runs from
 * when the seller signed it, so it counts as soon as it may go into a block. Of several for one topic the longest counts, so that
 * a seller cannot take back what it sold; blocks that are disconnected take theirs with them, until it waits for another block.
 * Invariants: each receipt is known by its seller's nonce, so one that is heard of twice, waiting and in a block, counts once;
 * `#entries` is the number of seller, buyer and sensor together; no receipt is heeded for longer than GRANT_MS_MAX after its
 * block, or after the tip with which it was first heard of. Pure: time is that of blocks.
 */
import type { Block } from '../schemas/block.ts'
import { GRANT_MS_MAX, GRANT_SENSORS_MAX, type Grant } from '../schemas/grant.ts'
import type { Account } from '../schemas/hex.ts'
import { parseSellerMemo } from '../schemas/receipt-memo.ts'
import type { Transaction } from '../schemas/transaction.ts'

export const GRANT_BOOK_LIMITS = {
  /** Seller, buyer and sensor together; what a broker of ours keeps for a validator has room for all of them. */
  entriesMax: 10_000,
  /** Of these, of one seller. */
  entriesPerSellerMax: 2_000,
  /** Receipts for one entry that a reorganisation can fall back on. */
  receiptsMax: 16,
} as const

export type GrantBookLimits = { readonly [K in keyof typeof GRANT_BOOK_LIMITS]: number }

export interface Pair {
  readonly seller: Account
  readonly buyer: Account
}

interface Page extends Pair {
  /** For each sensor its receipts: the seller's nonce, and until when. */
  readonly sensors: Map<string, Map<number, number>>
}

interface Receipt extends Pair {
  readonly sensor: string
  readonly nonce: number
  readonly until: number
}

export class GrantBook {
  readonly #limits: GrantBookLimits
  readonly #pages = new Map<string, Page>()
  readonly #perSeller = new Map<Account, number>()
  #changed = new Map<string, Pair>()
  #entries = 0
  /** No entry is over before. */
  #soonest = Number.POSITIVE_INFINITY
  /** Receipts that found no room. */
  dropped = 0

  constructor(limits: GrantBookLimits = GRANT_BOOK_LIMITS) {
    this.#limits = limits
  }

  /** Entries that run. */
  get size(): number {
    return this.#entries
  }

  /** Pairs that have entries. */
  get pairs(): readonly Pair[] {
    return [...this.#pages.values()]
  }

  /** Heeds the receipts of a block of the best chain, as far as they run at `nowMs`. */
  connect({ header, transactions }: Block, nowMs: number): void {
    for (const transaction of transactions) this.heed(transaction, header.time, nowMs)
  }

  /** Heeds a transaction, if it is a receipt that runs at `nowMs`, as one of `sinceMs`. */
  heed(transaction: Transaction, sinceMs: number, nowMs: number): void {
    const receipt = receiptOf(transaction, sinceMs)
    if (receipt !== undefined && receipt.until > nowMs) this.#add(receipt)
  }

  /** Takes the receipts of a block back. */
  disconnect({ transactions }: Block): void {
    for (const transaction of transactions) this.takeBack(transaction)
  }

  /** Takes a receipt back: no block has it, and it no longer waits for one. */
  takeBack(transaction: Transaction): void {
    const receipt = receiptOf(transaction, 0)
    if (receipt === undefined) return
    const { seller, buyer, sensor, nonce } = receipt
    const page = this.#pages.get(keyOf(receipt))
    const receipts = page?.sensors.get(sensor)
    if (page !== undefined && receipts?.delete(nonce) === true && receipts.size === 0)
      this.#drop(page, sensor)
    // Also when it is not in the book: we may have told of it before a restart.
    this.#changed.set(keyOf(receipt), { seller, buyer })
  }

  /** Forgets what is over at `nowMs`, the time of the tip. */
  expire(nowMs: number): void {
    if (nowMs < this.#soonest) return
    this.#soonest = Number.POSITIVE_INFINITY
    for (const [key, page] of this.#pages) {
      for (const [sensor, receipts] of page.sensors) {
        const until = longest(receipts)
        if (until > nowMs) this.#soonest = Math.min(this.#soonest, until)
        else {
          this.#changed.set(key, { seller: page.seller, buyer: page.buyer })
          this.#drop(page, sensor)
        }
      }
    }
  }

  /** What a buyer may read of a seller; nothing when the pair is not in the book. */
  sensors({ seller, buyer }: Pair): Grant['sensors'] {
    const page = this.#pages.get(keyOf({ seller, buyer }))
    if (page === undefined) return []
    return [...page.sensors].map(([sensor, receipts]) => ({ sensor, until: longest(receipts) }))
  }

  /** Pairs that have changed since this was asked last. */
  takeChanged(): readonly Pair[] {
    const changed = [...this.#changed.values()]
    if (changed.length > 0) this.#changed = new Map()
    return changed
  }

  #add(receipt: Receipt): void {
    const { seller, buyer, sensor, nonce, until } = receipt
    const key = keyOf(receipt)
    let receipts = this.#pages.get(key)?.sensors.get(sensor)
    if (receipts === undefined) {
      if ((this.#pages.get(key)?.sensors.size ?? 0) >= GRANT_SENSORS_MAX || !this.#makeRoom(seller)) {
        this.dropped++
        return
      }
      const page = this.#pages.get(key) ?? { seller, buyer, sensors: new Map() }
      receipts = new Map()
      page.sensors.set(sensor, receipts)
      this.#pages.set(key, page)
      this.#count(seller, 1)
    }
    receipts.set(nonce, until)
    if (receipts.size > this.#limits.receiptsMax) forgetShortest(receipts)
    this.#soonest = Math.min(this.#soonest, until)
    this.#changed.set(key, { seller, buyer })
  }

  /**
   * Whether a seller may have one more entry. When the book is full, the seller with the most gives one up, that which
   * is over first, for one that has far less: one who sells to thousands of accounts of its own keeps nobody else out.
   */
  #makeRoom(seller: Account): boolean {
    const own = this.#perSeller.get(seller) ?? 0
    if (own >= this.#limits.entriesPerSellerMax) return false
    if (this.#entries < this.#limits.entriesMax) return true
    let most: { readonly seller: Account; readonly count: number } | undefined
    for (const [each, count] of this.#perSeller)
      if (count > (most?.count ?? own + 1)) most = { seller: each, count }
    if (most === undefined) return false
    let first: { readonly page: Page; readonly sensor: string; readonly until: number } | undefined
    for (const page of this.#pages.values()) {
      if (page.seller !== most.seller) continue
      for (const [sensor, receipts] of page.sensors) {
        const until = longest(receipts)
        if (until < (first?.until ?? Number.POSITIVE_INFINITY)) first = { page, sensor, until }
      }
    }
    if (first === undefined) return false
    const { seller: loser, buyer } = first.page
    this.#changed.set(keyOf(first.page), { seller: loser, buyer })
    this.#drop(first.page, first.sensor)
    this.dropped++
    return true
  }

  #drop(page: Page, sensor: string): void {
    page.sensors.delete(sensor)
    if (page.sensors.size === 0) this.#pages.delete(keyOf(page))
    this.#count(page.seller, -1)
  }

  #count(seller: Account, by: 1 | -1): void {
    this.#entries += by
    const count = (this.#perSeller.get(seller) ?? 0) + by
    if (count === 0) this.#perSeller.delete(seller)
    else this.#perSeller.set(seller, count)
  }
}

const keyOf = ({ seller, buyer }: Pair): string => `${seller}/${buyer}`

function longest(receipts: ReadonlyMap<number, number>): number {
  let until = 0
  for (const each of receipts.values()) if (each > until) until = each
  return until
}

function forgetShortest(receipts: Map<number, number>): void {
  let shortest: readonly [nonce: number, until: number] | undefined
  for (const each of receipts) if (shortest === undefined || each[1] < shortest[1]) shortest = each
  if (shortest !== undefined) receipts.delete(shortest[0])
}

function receiptOf(transaction: Transaction, sinceMs: number): Receipt | undefined {
  if (transaction.type !== 'transfer' || transaction.amount !== 0) return undefined
  const { from: seller, to: buyer, nonce, memo } = transaction
  if (seller === buyer || !memo.startsWith('sold ')) return undefined
  const said = parseSellerMemo(memo)
  if (said?.type !== 'sold' || said.item.kind !== 'topic') return undefined
  return {
    seller,
    buyer,
    sensor: said.item.name,
    nonce,
    until: Math.min(said.until, sinceMs + GRANT_MS_MAX),
  }
}
