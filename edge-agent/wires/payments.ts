/**
 * What this agent has paid, by its own chain and outbox: what each purchase has cost, whether an occurrence is paid, and what
 * sellers answered.
 */
import type { Chain, Update } from '../../ledger/chain.ts'
import { feeFloorFor, type Sealed } from '../../ledger/transaction.ts'
import type { Account } from '../../schemas/hex.ts'
import { parseSellerMemo, paymentName, writePurchase, writeTime } from '../../schemas/receipt-memo.ts'
import type { Transfer } from '../../schemas/transaction.ts'
import { AGAIN_BLOCKS, blocksAbove } from '../block-walk.ts'
import type { Outbox } from '../outbox.ts'
import { Book, paidFor } from './book.ts'
import { DAY_MS, type Spent, Till } from './limits.ts'
import type { Identity } from './occurrence.ts'
import type { LedgerMemory } from './wires-log.ts'

/** Payments remembered that stand in blocks but not in the outbox, and names of payments that may be answered. */
const REMEMBERED_MAX = 10_000
/** Blocks read at most where the log does not say what a day has cost: more than a day of them at 10 s each. */
const SCANNED_MAX = 10_000

export interface PaymentsModules {
  readonly chain: Chain
  readonly outbox: Outbox
  readonly account: Account
}

export class Payments {
  readonly book: Book
  readonly #modules: PaymentsModules
  /** Receiver and memo of payments that the outbox does not know, so that a lost or older one does not pay again. */
  readonly #strange = new Set<string>()
  /** Purchases by the name that sellers have for a payment. */
  readonly #purchases = new Map<string, string>()
  readonly #answers = new Map<string, string>()

  constructor(modules: PaymentsModules, saved: LedgerMemory | undefined) {
    this.#modules = modules
    const { chain } = modules
    const known = saved !== undefined && chain.at(saved.height)?.hash === saved.block ? saved : undefined
    this.book = new Book(known?.pages, known?.height)
    // A payment stands above the height at which it became due.
    const again = chain.tip.height - AGAIN_BLOCKS
    const from = known?.height ?? dayBefore(chain)
    for (const { entry, block } of blocksAbove(chain, Math.min(from, again))) {
      const isAgain = entry.height > again
      this.#connect(entry.height, entry.time, block.transactions, isAgain)
    }
  }

  /** Follows the chain. */
  update({ disconnected, connected }: Pick<Update, 'disconnected' | 'connected'>): void {
    for (const { entry } of disconnected) this.book.disconnect(entry.height)
    for (const { entry, transactions } of connected)
      this.#connect(entry.height, entry.time, transactions, true)
  }

  isPaid({ key, alias }: Identity): boolean {
    const { outbox } = this.#modules
    return outbox.has(key) || (alias !== undefined && (outbox.has(alias) || this.#strange.has(alias)))
  }

  /** What may be spent now. */
  till(): Till {
    const { chain, outbox, account } = this.#modules
    const waiting = this.waiting()
    return new Till({
      since: (purchase, time) => this.book.since(purchase, time),
      waiting: (purchase) => waiting.get(purchase) ?? { payments: 0, amount: 0 },
      nowMs: chain.tip.time,
      spendable: chain.state.account(account).balance - outbox.committed,
      fee: feeFloorFor(chain.network, 1),
    })
  }

  /** What waits for a block, by purchase. */
  waiting(): ReadonlyMap<string, Spent> {
    const { outbox, account } = this.#modules
    const waiting = new Map<string, Spent>()
    for (const { transaction } of outbox.unconfirmed) {
      const paid = paidFor(account, transaction)
      if (paid === undefined) continue
      const { payments, amount } = waiting.get(paid.purchase) ?? { payments: 0, amount: 0 }
      waiting.set(paid.purchase, { payments: payments + 1, amount: amount + paid.amount })
    }
    return waiting
  }

  /** The last that a seller said of a purchase, in words. */
  answer(purchase: string): string | undefined {
    return this.#answers.get(purchase)
  }

  #connect(height: number, time: number, transactions: readonly Sealed[], isNew: boolean): void {
    const { account, outbox } = this.#modules
    const paid: { purchase: string; amount: number }[] = []
    for (const sealed of transactions) {
      const { id, transaction: tx } = sealed
      if (tx.type !== 'transfer') continue
      if (tx.to === account) this.#hear(tx)
      const payment = paidFor(account, tx)
      if (payment === undefined) continue
      paid.push(payment)
      remember(this.#purchases, paymentName(id), payment.purchase)
      if (isNew && !outbox.knows(sealed)) this.#strange.add(`${tx.to} ${tx.memo}`)
    }
    this.book.connect(height, time, paid)
    for (const oldest of this.#strange) {
      if (this.#strange.size <= REMEMBERED_MAX) break
      this.#strange.delete(oldest)
    }
  }

  #hear({ from, memo }: Transfer): void {
    const answer = parseSellerMemo(memo)
    const purchase = answer === undefined ? undefined : this.#purchases.get(answer.payment)
    // Anybody may write such a memo: only who was paid has something to answer.
    if (answer === undefined || purchase?.startsWith(`${from} `) !== true) return
    const words =
      answer.type === 'refund'
        ? `refunded: ${answer.code}`
        : `sold: ${writePurchase(answer.item)} until ${writeTime(answer.until)}`
    remember(this.#answers, purchase, words)
  }
}

function remember(map: Map<string, string>, key: string, value: string): void {
  map.delete(key)
  map.set(key, value)
  for (const oldest of map.keys()) {
    if (map.size <= REMEMBERED_MAX) break
    map.delete(oldest)
  }
}

/** The height at which the last day of the chain begins, as far as its blocks are at hand. */
function dayBefore(chain: Chain): number {
  const { tip, base } = chain
  const lowest = Math.max(base.height, tip.height - SCANNED_MAX)
  let height = tip.height
  while (height > lowest && (chain.at(height)?.time ?? 0) > tip.time - DAY_MS) height--
  return height
}
