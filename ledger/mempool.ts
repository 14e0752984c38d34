/**
 * Valid transactions that wait for a block, bounded in bytes and per account, ordered by fee rate.
 *
 * An account's transactions form a queue without nonce gaps that its balance covers. A transaction counts with the
 * lowest fee rate of its queue up to it, because it cannot be mined before those. Local policy, not consensus.
 * Source: docs/PROTOCOL.md section 9.
 */
import type { Account, Hash } from '../schemas/hex.ts'
import { accept, invariant, type Result } from '../schemas/result.ts'
import { addAmounts } from './amount.ts'
import { checkInContext, spendOf } from './apply.ts'
import { type Fault, faulty } from './fault.ts'
import type { Network } from './network.ts'
import type { State } from './state.ts'
import type { Sealed } from './transaction.ts'

export interface MempoolLimits {
  readonly bytesMax: number
  /** Transactions that one account may have waiting. */
  readonly accountMax: number
}

export const MEMPOOL_DEFAULTS: MempoolLimits = { bytesMax: 4 << 20, accountMax: 64 }

interface Waiting extends Sealed {
  /** Smallest units per byte, the lowest of the queue up to here. */
  readonly rate: number
  /** Order of arrival; breaks ties, so that equal fees are served first come, first served. */
  readonly arrival: number
}

export class Mempool {
  readonly #network: Network
  readonly #limits: MempoolLimits
  /** Whose own transactions may pay less than the floor and come first: this node's miner. */
  readonly #miner: Account | undefined
  readonly #queues = new Map<Account, Waiting[]>()
  readonly #ids = new Set<Hash>()
  #bytes = 0
  #arrivals = 0

  constructor(network: Network, miner?: Account, limits = MEMPOOL_DEFAULTS) {
    this.#network = network
    this.#miner = miner
    this.#limits = limits
  }

  get size(): number {
    return this.#ids.size
  }

  get bytes(): number {
    return this.#bytes
  }

  has(id: Hash): boolean {
    return this.#ids.has(id)
  }

  /** Nonce of the account's next transaction after those that wait. */
  nextNonce(state: State, account: Account): number {
    return state.account(account).nonce + (this.#queues.get(account)?.length ?? 0)
  }

  /** Adds a transaction whose context-free rules hold, for a block at `height` on `state`. */
  add(sealed: Sealed, state: State, height: number): Result<Sealed, Fault> {
    const { transaction: tx, id, bytes } = sealed
    if (this.#ids.has(id)) return faulty('known', `transaction ${id} is waiting already`)
    const context = { height, miner: this.#miner ?? '' }
    const misplaced = checkInContext(this.#network, sealed, context)
    if (misplaced !== undefined) return { ok: false, fault: misplaced }
    const queue = this.#queues.get(tx.from) ?? []
    const entry = state.account(tx.from)
    if (tx.nonce < entry.nonce)
      return faulty('nonce-too-low', `nonce: the account is at ${entry.nonce}, got ${tx.nonce}`)
    const next = entry.nonce + queue.length
    if (tx.nonce < next)
      return faulty('nonce-taken', `nonce: another transaction with nonce ${tx.nonce} is waiting`)
    if (tx.nonce > next) return faulty('nonce-gap', `nonce: expected ${next}, got ${tx.nonce}`)
    if (queue.length >= this.#limits.accountMax) {
      return faulty(
        'account-queue-full',
        `queue: ${queue.length} transactions of this account wait, limit is ${this.#limits.accountMax}`,
      )
    }
    const needs = totalSpend([...queue, sealed])
    if (needs === undefined || needs > entry.balance) {
      return faulty(
        'insufficient-balance',
        `amount: the account has ${entry.balance}, its waiting transactions need ${needs ?? 'more than 2^53'}`,
      )
    }
    // A miner's own come first, or free transactions of strangers could fill the pool and keep a device unheard.
    const offered = tx.from === this.#miner ? Number.MAX_VALUE : tx.fee / bytes.length
    const rate = Math.min(queue.at(-1)?.rate ?? Number.MAX_VALUE, offered)
    if (!this.#makeRoom(bytes.length, rate, tx.from)) {
      return faulty('mempool-full', `fee: the mempool is full, ${rate.toFixed(3)} per byte is too little`)
    }
    this.#queues.set(tx.from, queue)
    queue.push({ ...sealed, rate, arrival: this.#arrivals++ })
    this.#ids.add(id)
    this.#bytes += bytes.length
    return accept(sealed)
  }

  /** Best fee rate first, each account's transactions in nonce order. */
  ordered(): readonly Sealed[] {
    return [...this.#queues.values()].flat().sort((a, b) => b.rate - a.rate || a.arrival - b.arrival)
  }

  /**
   * Follows the chain to a new tip: drops what is confirmed, expired or no longer covered, then takes back in
   * what a reorganisation disconnected. `height` is the next block's. Returns what was dropped without being confirmed.
   */
  update(state: State, height: number, disconnected: readonly Sealed[]): readonly Sealed[] {
    const waiting = [...this.#queues.values()].flat().sort((a, b) => a.arrival - b.arrival)
    this.#queues.clear()
    this.#ids.clear()
    this.#bytes = 0
    const kept: Sealed[] = []
    const dropped: Sealed[] = []
    // Blocks are disconnected from the tip back; by nonce, an account's transactions come in sequence again.
    const returning = disconnected.toSorted((a, b) => a.transaction.nonce - b.transaction.nonce)
    for (const sealed of [...returning, ...waiting]) {
      const added = this.add(sealed, state, height)
      if (added.ok) kept.push(sealed)
      else if (added.fault.code !== 'nonce-too-low' && added.fault.code !== 'known') dropped.push(sealed)
    }
    // A later one that pays better may have evicted one that was taken back before it.
    for (const sealed of kept) if (!this.#ids.has(sealed.id)) dropped.push(sealed)
    return dropped
  }

  /**
   * Evicts the cheapest until `bytes` fit, the newest of equals first; false, and nobody evicted, when all that pay
   * less than the newcomer are not enough.
   */
  #makeRoom(bytes: number, rate: number, from: Account): boolean {
    const { bytesMax } = this.#limits
    if (this.#bytes + bytes <= bytesMax) return true
    const others = [...this.#queues.values()].filter((queue) => queue[0]?.transaction.from !== from)
    let rest = this.#bytes
    for (const queue of others) {
      for (const waiting of queue) if (waiting.rate < rate) rest -= waiting.bytes.length
    }
    if (rest + bytes > bytesMax) return false
    while (this.#bytes + bytes > bytesMax) {
      // Rates fall along a queue, so the cheapest is the last of its account, and nothing depends on it.
      let cheapest: Waiting[] = []
      for (const queue of others) if (isCheaper(queue.at(-1), cheapest.at(-1))) cheapest = queue
      const evicted = cheapest.pop()
      invariant(evicted !== undefined, 'what is cheaper was counted before')
      this.#ids.delete(evicted.id)
      this.#bytes -= evicted.bytes.length
      if (cheapest.length === 0) this.#queues.delete(evicted.transaction.from)
    }
    return true
  }
}

function isCheaper(waiting: Waiting | undefined, than: Waiting | undefined): boolean {
  if (waiting === undefined || than === undefined) return waiting !== undefined
  return waiting.rate < than.rate || (waiting.rate === than.rate && waiting.arrival > than.arrival)
}

function totalSpend(queue: readonly Sealed[]): number | undefined {
  let sum: number | undefined = 0
  for (const { transaction: tx } of queue) {
    const spend = spendOf(tx)
    sum = sum === undefined || spend === undefined ? undefined : addAmounts(sum, spend)
  }
  return sum
}
