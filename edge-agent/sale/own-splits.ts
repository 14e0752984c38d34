/**
 * What of a payment an account has kept itself: the ledger shares each one by the split that counts at its place in its block,
 * and the account may have changed that since.
 */
import type { SealedBlock } from '../../ledger/block.ts'
import type { Chain, Update } from '../../ledger/chain.ts'
import { keptOf } from '../../ledger/split.ts'
import { type Change, KIND, type Shares, splitEntry } from '../../ledger/state.ts'
import { decode } from '../../schemas/codec.ts'
import type { Account } from '../../schemas/hex.ts'
import { STATE_VALUE_BYTES_MAX } from '../../schemas/proof.ts'
import { blocksAbove } from '../block-walk.ts'

/** Where a transaction stands on the best chain. */
export interface Position {
  readonly height: number
  /** In its block, from 0. */
  readonly index: number
}

interface Changed extends Position {
  /** What counted up to there. */
  readonly before: Shares
}

export class OwnSplits {
  readonly #chain: Chain
  readonly #account: Account
  /** In the order of the chain; only the account itself makes them more. */
  #changed: Changed[] = []

  /** Knows what counted above `height`. */
  constructor(chain: Chain, account: Account, height: number) {
    this.#chain = chain
    this.#account = account
    for (const { entry, block } of blocksAbove(chain, height))
      this.#add(entry.height, block, () => chain.archive.changes(entry.hash))
  }

  /** Follows the chain. */
  update({ disconnected, connected }: Pick<Update, 'disconnected' | 'connected'>): void {
    const gone = Math.min(...disconnected.map(({ entry }) => entry.height))
    this.#changed = this.#changed.filter(({ height }) => height < gone && height > this.#chain.base.height)
    for (const block of connected) this.#add(block.entry.height, block, () => block.changes)
  }

  /** Smallest units of a payment to the account that others had no share of. */
  kept(amount: number, { height, index }: Position): number {
    const next = this.#changed.find((at) => at.height > height || (at.height === height && at.index > index))
    return keptOf(amount, next?.before ?? this.#chain.state.split(this.#account))
  }

  #add(
    height: number,
    { transactions }: Pick<SealedBlock, 'transactions'>,
    changes: () => readonly Change[],
  ) {
    const own = transactions.flatMap(({ transaction: tx }, index) =>
      tx.type === 'split' && tx.from === this.#account ? [{ index, shares: tx.shares }] : [],
    )
    const last = own.at(-1)
    if (last === undefined) return
    // A block that ends with the split that it began with has no change of it.
    let before = this.#before(changes()) ?? last.shares
    for (const { index, shares } of own) {
      this.#changed.push({ height, index, before })
      before = shares
    }
  }

  #before(changes: readonly Change[]): Shares | undefined {
    const change = changes.find(({ kind, key }) => kind === KIND.split && String(key) === this.#account)
    if (change === undefined) return undefined
    const decoded = decode(splitEntry, change.before, STATE_VALUE_BYTES_MAX)
    return decoded.ok ? decoded.value : []
  }
}
