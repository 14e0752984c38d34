/**
 * The hashlocks for us that stand open on our chain.
 *
 * The state knows them by hash only, so blocks are looked through: a window of the latest after a start, some in one go, and then
 * each new one. A lock that was claimed or given back, or whose block was undone, is forgotten; if it comes back it is seen again.
 */
import type { SealedBlock } from '../../ledger/block.ts'
import type { Chain, Update } from '../../ledger/chain.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import type { Hashlock } from '../../schemas/transaction.ts'
import { AGAIN_BLOCKS, BlockWalk } from '../block-walk.ts'

/** With so many open locks no more blocks are looked at; each has coins in it, so that many are not made for fun. */
const LOCKS_MAX = 10_000

export interface SeenLock {
  readonly id: Hash
  readonly lock: Hashlock
  /** Of the block that has it. */
  readonly height: number
}

export class LockWatch {
  readonly #chain: Chain
  readonly #account: Account
  readonly #seen = new Map<Hash, SeenLock>()
  readonly #walk: BlockWalk

  /** `back`: how far below the tip an open lock can matter, in blocks. */
  constructor(chain: Chain, account: Account, back: number) {
    this.#chain = chain
    this.#account = account
    this.#walk = new BlockWalk(chain, chain.tip.height - back + AGAIN_BLOCKS)
  }

  /** Follows the chain; call before `look`. */
  update(update: Pick<Update, 'disconnected' | 'connected'>): void {
    this.#walk.update(update)
    const [lowest] = update.connected
    if (update.disconnected.length === 0 || lowest === undefined) return
    for (const [id, { height }] of this.#seen) if (height >= lowest.entry.height) this.#seen.delete(id)
  }

  /** Looks on, some blocks at a time; a block that makes the locks too many is the last. */
  look(): void {
    if (this.#seen.size >= LOCKS_MAX) return
    for (const { block, entry } of this.#walk.next(1)) {
      this.#take(block, entry.height)
      if (this.#seen.size >= LOCKS_MAX) return
    }
  }

  /** Those that are open, oldest first. */
  open(): readonly SeenLock[] {
    const { state } = this.#chain
    for (const id of this.#seen.keys()) if (state.hashlock(id) === undefined) this.#seen.delete(id)
    return [...this.#seen.values()]
  }

  /** A lock that nothing will ever be done about. */
  forget(id: Hash): void {
    this.#seen.delete(id)
  }

  #take({ transactions }: SealedBlock, height: number): void {
    const { state } = this.#chain
    for (const { id, transaction: lock } of transactions) {
      if (lock.type !== 'hashlock' || lock.to !== this.#account) continue
      if (state.hashlock(id) !== undefined) this.#seen.set(id, { id, lock, height })
    }
  }
}
