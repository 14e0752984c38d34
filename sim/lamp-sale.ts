/**
 * A lamp that a machine sells by time (edge-agent/sale): a payment is answered once, and what it is not on for comes back, but for the
 * refund's fee and less than a second's price.
 */
import { Running } from '../edge-agent/sale/running.ts'
import { Sale } from '../edge-agent/sale/sale.ts'
import { Shop } from '../edge-agent/sale/shop.ts'
import type { Desk, Trade } from '../edge-agent/trade.ts'
import { COIN } from '../ledger/amount.ts'
import type { Chain, Update } from '../ledger/chain.ts'
import { feeFloorFor, type Sealed } from '../ledger/transaction.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { parseSellerMemo, paymentName, type SellerMemo } from '../schemas/receipt-memo.ts'
import type { Transfer } from '../schemas/transaction.ts'

/** What a payment for the lamp says. */
export const LAMP_MEMO = 'on lamp'
/** Smallest units. Transfers are up to some 20 coins: some buy too little, some too much. */
const PER_SECOND = COIN / 4
const CONFIRMATIONS = 2
const TERMS = {
  ...{ perMinute: 60 * PER_SECOND, secondsMin: 10, secondsMax: 60 },
  ...{ confirmations: CONFIRMATIONS, lateSeconds: 600 },
}
/** Blocks on a payment by which it is answered, in good weather. */
const ANSWER_BLOCKS = 30

interface Payment {
  readonly tx: Transfer
  readonly id: Hash
  /** Heights of the blocks that have it, by their hashes. */
  readonly blocks: Map<Hash, number>
}

export class SimLampSale {
  readonly #onFault: (fault: string) => void
  /** By the names that answers have for them. */
  readonly #payments = new Map<string, Payment>()
  readonly #answered = new Set<string>()

  constructor(onFault: (fault: string) => void) {
    this.#onFault = onFault
  }

  /** Payments that were answered. */
  get answered(): number {
    return this.#answered.size
  }

  /** The seller's part of a process. */
  trade(desk: Desk): Trade {
    const running = new Running(desk.clock)
    const act: Desk['act'] = (drafts) => {
      const sealed = desk.act(drafts)
      this.#decided(sealed, desk.chain, running)
      return sealed
    }
    // Everything else is as it is at the desk at that moment.
    const own: Desk = Object.create(desk, { act: { value: act } })
    const shop = new Shop({ outputs: [{ name: 'lamp', sell: TERMS }], sensors: [] })
    return new Sale({ desk: own, shop, running, onSold: () => {} })
  }

  /** A machine's chain has moved. */
  updated({ connected }: Update, seller: Account): void {
    for (const { entry, transactions } of connected)
      for (const { transaction: tx, id } of transactions) {
        if (tx.type !== 'transfer' || tx.to !== seller || tx.memo !== LAMP_MEMO) continue
        const name = paymentName(id)
        const payment = this.#payments.get(name) ?? { tx, id, blocks: new Map() }
        this.#payments.set(name, payment)
        payment.blocks.set(entry.hash, entry.height)
      }
  }

  /** In the end, on the seller's chain: what is deep enough is answered. */
  check(chain: Chain): void {
    const fee = feeFloorFor(chain.network, 1)
    for (const [name, { tx, id, blocks }] of this.#payments) {
      const at = [...blocks].find(([hash, height]) => chain.at(height)?.hash === hash)
      if (at === undefined || chain.next.height - at[1] < ANSWER_BLOCKS || tx.amount <= fee) continue
      if (!this.#answered.has(name)) this.#onFault(`payment ${short(id)} for the lamp is not answered`)
    }
  }

  /** The seller has stored answers to a payment, the first of them before the lamp is on for it. */
  #decided(sealed: readonly Sealed[], chain: Chain, running: Running): void {
    const answers = sealed.flatMap(({ transaction: tx }) => {
      const memo = tx.type === 'transfer' ? parseSellerMemo(tx.memo) : undefined
      return memo === undefined || tx.type !== 'transfer' ? [] : [{ memo, amount: tx.amount }]
    })
    const [first] = answers
    if (first === undefined) return
    const name = first.memo.payment
    const payment = this.#payments.get(name)
    const back = answers.reduce((sum, { amount }) => sum + amount, 0)
    const fault =
      payment === undefined || this.#answered.has(name)
        ? 'is answered twice, or was not made'
        : faultOf(
            payment,
            answers.map(({ memo }) => memo),
            back,
            chain,
            running,
          )
    this.#answered.add(name)
    if (fault !== undefined) this.#onFault(`payment ${name} for the lamp ${fault}`)
  }
}

function faultOf(
  { tx, blocks }: Payment,
  memos: readonly SellerMemo[],
  back: number,
  chain: Chain,
  running: Running,
): string | undefined {
  const deep = [...blocks].some(
    ([hash, height]) => chain.at(height)?.hash === hash && chain.next.height - height >= CONFIRMATIONS,
  )
  if (!deep) return 'is answered before it is deep'
  const until = memos.map((memo) => (memo.type === 'sold' ? memo.until : 0)).find((time) => time > 0)
  const onMs = until === undefined ? 0 : until - running.now() - running.output('lamp').remainingMs
  const worth = (onMs / 1000) * PER_SECOND
  const kept = tx.amount - back
  const [least, most] = [worth - PER_SECOND, worth + PER_SECOND + feeFloorFor(chain.network, 1)]
  return kept > least && kept < most
    ? undefined
    : `of ${tx.amount} has ${back} back, and is on for ${onMs} ms, worth ${worth}`
}
