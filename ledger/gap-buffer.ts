/**
 * Transactions that came before an earlier one of their account, held apart for a few blocks until the gap closes.
 *
 * They are not in the mempool's queues, are not mined and not answered for. Bounded per account, in all, and in time
 * counted in blocks; a transaction has at most 1024 bytes, so the count bounds the memory too.
 * Source: docs/PROTOCOL.md section 9.
 */
import type { Account, Hash } from '../schemas/hex.ts'
import { accept, type Result } from '../schemas/result.ts'
import { type Fault, faulty } from './fault.ts'
import type { Sealed } from './transaction.ts'

export interface GapLimits {
  /** How far above the account's next nonce a transaction may be. */
  readonly gapMax: number
  /** Transactions of one account that are held. */
  readonly heldAccountMax: number
  /** Transactions of all accounts that are held. */
  readonly heldMax: number
  /** Blocks for which one is held. */
  readonly heldBlocksMax: number
}

export interface Held {
  readonly sealed: Sealed
  /** Height of the next block when it came. */
  readonly since: number
}

const rateOf = ({ sealed: { transaction: tx, bytes } }: Held): number => tx.fee / bytes.length

export class GapBuffer {
  readonly #limits: GapLimits
  /** By nonce, ascending. */
  readonly #accounts = new Map<Account, readonly Held[]>()
  readonly #ids = new Set<Hash>()

  constructor(limits: GapLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#ids.size
  }

  has(id: Hash): boolean {
    return this.#ids.has(id)
  }

  of(account: Account): readonly Held[] {
    return this.#accounts.get(account) ?? []
  }

  /** Holds a transaction until `next` and those after it have come; answers with the one that had to make room, if any. */
  put(held: Held, next: number): Result<Sealed | undefined, Fault> {
    const { gapMax, heldAccountMax, heldMax } = this.#limits
    const { from, nonce } = held.sealed.transaction
    if (nonce - next > gapMax)
      return faulty('nonce-gap', `nonce: expected ${next}, at most ${gapMax} more are held, got ${nonce}`)
    const own = this.of(from)
    // To change one's mind about what cannot be mined yet would cost nothing, so it is not possible.
    if (own.some(({ sealed }) => sealed.transaction.nonce === nonce))
      return faulty('nonce-gap', `nonce: expected ${next}, and another with nonce ${nonce} is held`)
    if (own.length >= heldAccountMax) {
      return faulty('nonce-gap', `nonce: expected ${next}, got ${nonce}, and ${own.length} are held already`)
    }
    let evicted: Held | undefined
    if (this.size >= heldMax) {
      for (const each of this.#all())
        if (evicted === undefined || rateOf(each) <= rateOf(evicted)) evicted = each
      if (evicted === undefined || rateOf(evicted) >= rateOf(held))
        return faulty(
          'nonce-gap',
          `nonce: expected ${next}, got ${nonce}, and ${heldMax} better ones are held`,
        )
      this.delete(evicted)
    }
    const sorted = [...this.of(from), held]
    sorted.sort((a, b) => a.sealed.transaction.nonce - b.sealed.transaction.nonce)
    this.#accounts.set(from, sorted)
    this.#ids.add(held.sealed.id)
    return accept(evicted?.sealed)
  }

  delete(held: Held): void {
    const { from } = held.sealed.transaction
    const rest = this.of(from).filter((each) => each !== held)
    this.#ids.delete(held.sealed.id)
    if (rest.length === 0) this.#accounts.delete(from)
    else this.#accounts.set(from, rest)
  }

  /** Takes out all of an account. */
  take(account: Account): readonly Held[] {
    const own = this.of(account)
    this.#accounts.delete(account)
    for (const { sealed } of own) this.#ids.delete(sealed.id)
    return own
  }

  /** Takes out what was held too long when the next block has this height. */
  expire(height: number): readonly Held[] {
    const late = [...this.#all()].filter(({ since }) => height - since > this.#limits.heldBlocksMax)
    for (const held of late) this.delete(held)
    return late
  }

  *#all(): Generator<Held> {
    for (const own of this.#accounts.values()) yield* own
  }
}
