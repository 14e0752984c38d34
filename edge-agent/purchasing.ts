/**
 * Finds out what the wires have to pay for, block by block, each reading once.
 *
 * After a start the last blocks are looked at again, because a crash may have come between a block and its payments;
 * what the outbox knows, or what our chain shows as paid, is not paid again. Works only in sync: while catching up,
 * what we have paid already stands in blocks that are still to come.
 */
import type { Chain, Update } from '../ledger/chain.ts'
import { feeFloorFor, type Sealed } from '../ledger/transaction.ts'
import type { Log } from '../node/log.ts'
import type { Account } from '../schemas/hex.ts'
import { BlockWalk, blocksAbove } from './block-walk.ts'
import type { Outbox } from './outbox.ts'
import { type Payment, purchase, type Wires } from './wires.ts'

/** Own payments remembered that stand in blocks but not in the outbox, so that a lost or older one does not pay again. */
const PAID_MAX = 10_000

export interface PurchasingModules {
  readonly chain: Chain
  readonly outbox: Outbox
  readonly wires: Wires
  readonly log: Log
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number
}

export class Purchasing {
  readonly #account: Account
  readonly #modules: PurchasingModules
  /** By receiver and memo. */
  readonly #paid = new Set<string>()
  readonly #walk: BlockWalk

  constructor(account: Account, modules: PurchasingModules) {
    this.#account = account
    this.#modules = modules
    this.#walk = new BlockWalk(modules.chain)
    // A payment stands above the height at which it became due.
    for (const { block } of blocksAbove(modules.chain, this.#walk.height)) this.#remember(block.transactions)
  }

  /** Follows the chain; call before `due`. */
  update(update: Update): void {
    for (const { transactions } of update.connected) this.#remember(transactions)
    this.#walk.update(update)
  }

  /** Payments for readings that have become as deep as their wires ask, as far as the coins go. */
  due(): Payment[] {
    const { wires, outbox, nowMs } = this.#modules
    const isPaid = (key: string): boolean => outbox.has(key) || this.#paid.has(key)
    const payments: Payment[] = []
    for (const { block, confirmations } of this.#walk.next(wires.confirmationsMax))
      payments.push(...wires.due(block, confirmations, isPaid, nowMs()))
    return this.#covered(payments)
  }

  /** Takes note of own payments that the outbox does not know. */
  #remember(transactions: readonly Sealed[]): void {
    for (const sealed of transactions) {
      const { transaction: tx } = sealed
      const own = tx.type === 'transfer' && tx.from === this.#account
      if (own && !this.#modules.outbox.knows(sealed)) this.#paid.add(purchase(tx))
    }
    for (const oldest of this.#paid) {
      if (this.#paid.size <= PAID_MAX) break
      this.#paid.delete(oldest)
    }
  }

  #covered(payments: readonly Payment[]): Payment[] {
    const { chain, outbox, log } = this.#modules
    let spendable = chain.state.account(this.#account).balance - outbox.committed
    const covered = payments.filter(({ amount }) => {
      const cost = amount + feeFloorFor(chain.network, 1)
      if (cost > spendable) return false
      spendable -= cost
      return true
    })
    if (covered.length < payments.length) {
      log.warn('not enough coins for all wires', { unpaid: payments.length - covered.length, spendable })
    }
    return covered
  }
}
