/**
 * Wires: when that sensor says something and the ledger has confirmed it, pay for it.
 *
 * A wire acts on confirmed readings only, each reading once, also after a restart (the outbox remembers), and stops
 * at its hourly limit or when the account has no more. The memo names the reading: its purpose and the first 16 hex digits of its id.
 */
import type { ConnectedBlock } from '../ledger/chain.ts'
import type { Account } from '../schemas/hex.ts'
import type { Draft } from './outbox.ts'

export interface Wire {
  readonly device: Account
  readonly sensor: string
  /** Smallest units for each reading, or for each reading of a batch. */
  readonly pay: number
  readonly to: Account
  /** What is bought. */
  readonly purpose: string
  /** Blocks on top of a reading's own, its own counted. */
  readonly confirmations: number
  readonly perHourMax: number
}

type Transfer = Extract<Draft, { type: 'transfer' }>

export interface Payment {
  readonly draft: Transfer
  /** Names what was bought and from whom, so that it is paid once. */
  readonly key: string
  readonly amount: number
}

/** Receiver and memo; the memo names purpose and reading, so no two purchases share it. */
export const purchase = ({ to, memo }: { readonly to: string; readonly memo: string }): string =>
  `${to} ${memo}`

const HOUR_MS = 3_600_000

export class Wires {
  readonly #wires: readonly Wire[]
  readonly #paidAtMs: number[][]

  constructor(wires: readonly Wire[]) {
    this.#wires = wires
    this.#paidAtMs = wires.map(() => [])
  }

  /** Deepest look-back that any wire needs, in blocks. */
  get confirmationsMax(): number {
    return this.#wires.reduce((most, { confirmations }) => Math.max(most, confirmations), 1)
  }

  /** Payments due for the readings of a block that now has `confirmations` blocks, its own counted. */
  due(
    { transactions }: Pick<ConnectedBlock, 'transactions'>,
    confirmations: number,
    isPaid: (key: string) => boolean,
    nowMs: number,
  ): Payment[] {
    const payments: Payment[] = []
    for (const [index, wire] of this.#wires.entries()) {
      if (wire.confirmations !== confirmations) continue
      const paidAtMs = (this.#paidAtMs[index] ?? []).filter((at) => nowMs - at < HOUR_MS)
      this.#paidAtMs[index] = paidAtMs
      for (const { id, transaction: tx } of transactions) {
        if ((tx.type !== 'reading' && tx.type !== 'batch') || tx.from !== wire.device) continue
        if ((tx.type === 'reading' ? tx.sample.sensor : tx.sensor) !== wire.sensor) continue
        if (paidAtMs.length >= wire.perHourMax) continue
        const amount = wire.pay * (tx.type === 'batch' ? tx.count : 1)
        if (!Number.isSafeInteger(amount)) continue
        const memo = `${wire.purpose} ${id.slice(0, 16)}`
        const draft = { type: 'transfer', to: wire.to, amount, memo } as const
        const key = purchase(draft)
        if (isPaid(key)) continue
        paidAtMs.push(nowMs)
        payments.push({ draft, key, amount })
      }
    }
    return payments
  }
}
