/**
 * Settles what others pay for time: each payment that is as deep as its item asks gets a receipt, its coins back, or both, once.
 *
 * What is decided is in the outbox, durably and in one write, under a key that names the payment, before anything acts on it.
 * After a start the blocks are walked again from where everything was known to be in the outbox; what the outbox knows, or
 * what our own memos on the ledger say, is not settled again. Works only in sync: while catching up, our own answers are still to come.
 */
import type { Update } from '../../ledger/chain.ts'
import { feeFloorFor, type Sealed } from '../../ledger/transaction.ts'
import { short } from '../../schemas/hex.ts'
import {
  type Item,
  parsePurchase,
  parseSellerMemo,
  paymentName,
  type SellerMemo,
  writePurchase,
  writeSellerMemo,
  writeTime,
} from '../../schemas/receipt-memo.ts'
import type { Transfer } from '../../schemas/transaction.ts'
import { BlockWalk, blocksAbove } from '../block-walk.ts'
import type { Draft } from '../outbox.ts'
import type { Desk, Trade } from '../trade.ts'
import { OwnSplits } from './own-splits.ts'
import type { Running } from './running.ts'
import { settle } from './settlement.ts'
import type { Shop } from './shop.ts'

/** Own answers remembered that the outbox may have lost. */
const ANSWERED_MAX = 10_000
/** Settlements that wait for room in the outbox, where no more payments are looked at, and those that wait for coins. */
const WAITING_MAX = 1_000
/** How long a refund waits for coins, from when its payment was deep enough. */
const OWED_MS_MAX = 86_400_000

/** A payment that is to be settled. */
interface Open {
  readonly id: string
  readonly transfer: Transfer
  readonly item: Item
  /** What others had no share of, smallest units. */
  readonly kept: number
  /** Time of the block that made it as deep as its item asks. */
  readonly deepSince: number
}

/** What an answer cannot be stored for. */
type Lack = 'room' | 'coins'

interface Answer {
  readonly key: string
  readonly draft: Extract<Draft, { type: 'transfer' }>
}

export interface SaleModules {
  readonly desk: Desk
  readonly shop: Shop
  /** Told of every receipt. */
  readonly running: Running
  /** Something is sold for longer than before. */
  readonly onSold: () => void
}

export class Sale implements Trade {
  readonly #desk: Desk
  readonly #modules: SaleModules
  readonly #walk: BlockWalk
  /** By the names of payments that our memos on the ledger answer. */
  readonly #answered = new Set<string>()
  readonly #splits: OwnSplits
  /** By id, oldest first. */
  readonly #waiting = new Map<string, { readonly open: Open; readonly lack: Lack }>()
  #wasInSync = false

  constructor(modules: SaleModules) {
    const { desk, shop, running } = modules
    const { chain, outbox } = desk
    this.#desk = desk
    this.#modules = modules
    // From the first start on: one that is killed before it was ever in sync must find its way back to here.
    if (outbox.marked === undefined) outbox.mark(chain.tip.height)
    this.#walk = new BlockWalk(chain, outbox.marked)
    // The walk shows blocks that became deeper again, and so lie below where it is.
    this.#splits = new OwnSplits(chain, desk.signer.account, this.#walk.height - shop.confirmationsMax)
    running.tip(chain.tip.time)
    for (const { block } of blocksAbove(chain, this.#firstOf(shop.secondsMax)))
      this.#recall(block.transactions)
    this.#recall(outbox.transactions)
  }

  /** Whether what is sold is known: our own receipts are, and so is the time. */
  get isKnown(): boolean {
    return this.#wasInSync || this.#desk.clock.synchronised()
  }

  onUpdate(update: Update): void {
    this.#modules.running.tip(update.tip.time)
    for (const { transactions } of update.disconnected)
      for (const { id } of transactions) this.#waiting.delete(id)
    for (const { transactions } of update.connected) this.#recall(transactions)
    this.#splits.update(update)
    this.#walk.update(update)
    this.#settle()
  }

  tick(): void {
    this.#settle()
  }

  /** Height below which nothing counts any more: neither a receipt that may still run, nor an answer to what is looked at again. */
  #firstOf(secondsMax: number): number {
    const { chain } = this.#desk
    const fromMs = this.#modules.running.now() - secondsMax * 1000
    let height = chain.tip.height
    // Times of blocks grow with their height.
    while (height > chain.base.height && (chain.at(height)?.time ?? 0) >= fromMs) height--
    return Math.min(height, this.#walk.height)
  }

  #settle(): void {
    const { desk, shop } = this.#modules
    if (!desk.inSync) return
    this.#wasInSync = true
    for (const { open } of this.#waiting.values()) this.#take(open)
    this.#giveUp()
    if (this.#lacking('room').length >= WAITING_MAX) return
    for (const { block, entry, confirmations, top } of this.#walk.next(shop.confirmationsMax)) {
      for (const [index, { id, transaction: tx }] of block.transactions.entries()) {
        if (tx.type !== 'transfer' || tx.to !== desk.signer.account) continue
        const item = parsePurchase(tx.memo)
        if (item === undefined || shop.confirmations(item) !== confirmations) continue
        if (this.#isAnswered(id)) continue
        const kept = this.#splits.kept(tx.amount, { height: entry.height, index })
        this.#take({ id, transfer: tx, item, kept, deepSince: top.time })
      }
    }
    this.#giveUp()
    if (this.#waiting.size === 0) desk.outbox.mark(this.#walk.height)
  }

  #isAnswered(id: string): boolean {
    return this.#desk.outbox.has(keyOf(id)) || this.#answered.has(paymentName(id))
  }

  #lacking(lack: Lack): readonly Open[] {
    return [...this.#waiting.values()].filter((each) => each.lack === lack).map(({ open }) => open)
  }

  /** Answers a payment, or lets it wait. */
  #take(open: Open): void {
    const lack = this.#answer(open)
    if (lack === undefined) this.#waiting.delete(open.id)
    else this.#wait(open, lack)
  }

  /** Refunds that the account has never the coins for must not wait, and be tried each second, for ever. */
  #giveUp(): void {
    const { desk, running } = this.#modules
    const owed = this.#lacking('coins')
    const first = running.now() - OWED_MS_MAX
    for (const [index, { id, transfer, deepSince }] of owed.entries()) {
      if (index >= owed.length - WAITING_MAX && deepSince >= first) continue
      this.#waiting.delete(id)
      const facts = { payment: paymentName(id), buyer: short(transfer.from), amount: transfer.amount }
      desk.log.warn('gave up a refund: the coins for it never came', facts)
    }
  }

  /** Decides and stores that, in one step; what it lacks when it cannot be stored, and is to be decided anew. */
  #answer({ id, transfer: { from, amount }, item, kept, deepSince }: Open): Lack | undefined {
    const { desk, shop, running } = this.#modules
    const nowMs = running.now()
    const { until, refund } = settle({ amount, kept, ageMs: nowMs - deepSince }, shop.wanted(item), {
      nowMs,
      runningMs: running.of(item, from).remainingMs,
      refundFee: feeFloorFor(desk.chain.network, 1),
    })
    const payment = paymentName(id)
    const answers: Answer[] = []
    const add = (coins: number, memo: SellerMemo): void => {
      const draft = { type: 'transfer', to: from, amount: coins, memo: writeSellerMemo(memo) } as const
      answers.push({ draft, key: answers.length === 0 ? keyOf(id) : `${keyOf(id)} rest` })
    }
    if (until !== undefined) add(0, { type: 'sold', payment, item, until })
    if (refund !== undefined) add(refund.amount, { type: 'refund', payment, code: refund.code })
    const lack = this.#store(answers)
    if (lack !== undefined) return lack
    const facts = { item: writePurchase(item), buyer: short(from), payment }
    if (until !== undefined) {
      desk.log.info('sold', { ...facts, until: writeTime(until) })
      running.sell(item, from, until)
      this.#modules.onSold()
    }
    if (refund !== undefined)
      desk.log.info('gave coins back', { ...facts, why: refund.code, amount: refund.amount })
    return undefined
  }

  #store(answers: readonly Answer[]): Lack | undefined {
    const { chain, outbox, signer, act } = this.#desk
    if (answers.length === 0) return undefined
    if (outbox.room < answers.length) return 'room'
    const cost = answers.reduce((sum, { draft }) => sum + draft.amount, 0)
    const fees = answers.length * feeFloorFor(chain.network, 1)
    const spendable = chain.state.account(signer.account).balance - outbox.committed
    if (cost > 0 && cost + fees > spendable) return 'coins'
    act(answers)
    return undefined
  }

  #wait(open: Open, lack: Lack): void {
    if (this.#waiting.size === 0)
      this.#desk.log.warn('cannot answer a payment yet', {
        room: this.#desk.outbox.room,
        remedy: 'too few coins to give back what is due, or a full outbox; it is tried again each second',
      })
    this.#waiting.set(open.id, { open, lack })
  }

  /** Takes note of what our own memos say. */
  #recall(transactions: readonly Sealed[]): void {
    for (const { transaction: tx } of transactions) {
      if (tx.type !== 'transfer' || tx.from !== this.#desk.signer.account) continue
      const memo = parseSellerMemo(tx.memo)
      if (memo === undefined) continue
      this.#answered.add(memo.payment)
      if (memo.type === 'sold') this.#modules.running.restore(memo.item, tx.to, memo.until)
    }
    for (const oldest of this.#answered) {
      if (this.#answered.size <= ANSWERED_MAX) break
      this.#answered.delete(oldest)
    }
  }
}

const keyOf = (payment: string): string => `sale ${payment}`
