/**
 * Finds out what the wires have to pay for, block by block, each reading once.
 *
 * After a start the last blocks are looked at again, because a crash may have come between a block and its payments;
 * what the outbox knows, or what our chain shows as paid, is not paid again. Works only in sync: while catching up,
 * what we have paid already stands in blocks that are still to come.
 */
import { parseBlock, type SealedBlock } from '../ledger/block.ts'
import type { Chain, Entry, Update } from '../ledger/chain.ts'
import { feeFloorFor, type Sealed } from '../ledger/transaction.ts'
import type { Log } from '../node/log.ts'
import type { Account } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import type { Outbox } from './outbox.ts'
import { type Payment, purchase, type Wires } from './wires.ts'

/** Blocks looked through again after a start. */
const AGAIN_BLOCKS = 30
/** Blocks looked through in one go: a long way back must not stop everything else. */
const BLOCKS_MAX = 20
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
  /** Height up to which blocks have been looked at. */
  #height: number

  constructor(account: Account, modules: PurchasingModules) {
    this.#account = account
    this.#modules = modules
    this.#height = Math.max(modules.chain.base.height, modules.chain.tip.height - AGAIN_BLOCKS)
    // A payment stands above the height at which it became due.
    for (let height = this.#height + 1; height <= modules.chain.tip.height; height++) {
      const entry = modules.chain.at(height)
      invariant(entry !== undefined, `the chain has height ${height}`)
      this.#remember(this.#stored(entry).transactions)
    }
  }

  /** Follows the chain; call before `due`. */
  update({ disconnected, connected }: Update): void {
    for (const { transactions } of connected) this.#remember(transactions)
    const [lowest] = connected
    if (disconnected.length > 0 && lowest !== undefined)
      this.#height = Math.min(this.#height, lowest.entry.height - 1)
  }

  /** Payments for readings that have become as deep as their wires ask, as far as the coins go. */
  due(): Payment[] {
    const { chain, wires, outbox, nowMs } = this.#modules
    const payments: Payment[] = []
    const isPaid = (key: string): boolean => outbox.has(key) || this.#paid.has(key)
    const last = Math.min(chain.tip.height, this.#height + BLOCKS_MAX)
    while (this.#height < last) {
      this.#height++
      for (let confirmations = 1; confirmations <= wires.confirmationsMax; confirmations++) {
        const entry = chain.at(this.#height - confirmations + 1)
        if (entry === undefined || entry === chain.base) continue
        payments.push(...wires.due(this.#stored(entry), confirmations, isPaid, nowMs()))
      }
    }
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

  #stored({ hash }: Entry): SealedBlock {
    const { network, archive } = this.#modules.chain
    const block = parseBlock(network, archive.block(hash))
    invariant(block.ok, `stored block ${hash} parses`)
    return block.value
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
