/**
 * Valid transactions that wait for a block, bounded in memory and per account, ordered by fee rate.
 *
 * An account's transactions form a queue without nonce gaps that its balance covers; those behind a gap are held apart.
 * A transaction counts with the lowest fee rate and the latest arrival of its queue up to it, because it cannot be mined
 * before those. Invariant: every queue begins at its account's nonce in the state of the last update, which is the one
 * that `add` is given. Local policy, not consensus. Source: docs/PROTOCOL.md section 9.
 */
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { addAmounts } from './amount.ts'
import { checkInContext, checkOnState, neededBy, signaturesOf, spendOf } from './apply.ts'
import type { Chain, ConnectedBlock } from './chain.ts'
import { type Fault, faulty } from './fault.ts'
import { GapBuffer, type Held } from './gap-buffer.ts'
import { MempoolIndex, type Waiting } from './mempool-index.ts'
import {
  MEMPOOL_DEFAULTS,
  type MempoolLimits,
  memoryOf,
  OVERHEAD_BYTES,
  replacementFee,
} from './mempool-limits.ts'
import type { Network } from './network.ts'
import { KIND, type State } from './state.ts'
import type { Sealed } from './transaction.ts'

/** A transaction that does not wait any more and is not confirmed, and why. */
export interface Dropped {
  readonly sealed: Sealed
  readonly fault: Fault
}

export interface Admission {
  /** Now in a queue: the one added, and those whose gap it closed. Empty when it is held behind a gap. */
  readonly entered: readonly Sealed[]
  readonly dropped: readonly Dropped[]
}

/** What a chain's update says of the blocks. */
export interface Moved {
  readonly disconnected: readonly Pick<ConnectedBlock, 'transactions' | 'changes'>[]
  readonly connected: readonly Pick<ConnectedBlock, 'transactions' | 'changes'>[]
}

interface Queue {
  readonly entries: Waiting[]
  /** Smallest units that all of them take from the account. */
  spend: number
}

/** What is put in. `entering`: it is new or was held, and not in a queue or in a block until now. */
interface Coming extends Held {
  readonly arrival: number
  readonly entering: boolean
}

/** The next block, and the state that it is made on: a chain's. */
type Place = Pick<Chain, 'state' | 'next'>

export class Mempool {
  readonly #network: Network
  readonly #limits: MempoolLimits
  /** Whose own transactions may pay less than the floor and come first: this node's miner. */
  readonly #miner: Account | undefined
  readonly #queues = new Map<Account, Queue>()
  readonly #index = new MempoolIndex()
  readonly #gaps: GapBuffer
  #arrivals = 0
  #returns = 0
  #height = 0

  constructor(network: Network, miner?: Account, limits: Partial<MempoolLimits> = {}) {
    this.#network = network
    this.#miner = miner
    this.#limits = { ...MEMPOOL_DEFAULTS, ...limits }
    this.#gaps = new GapBuffer(this.#limits)
  }

  /** Transactions in the queues. */
  get size(): number {
    return this.#index.size
  }

  /** Transactions that are held behind a gap. */
  get held(): number {
    return this.#gaps.size
  }

  /** Encoded bytes of what is in the queues. */
  get bytes(): number {
    return this.#index.bytes
  }

  /** Memory that the queues are counted with. */
  get memory(): number {
    return this.#index.memory
  }

  /** Whether a transaction waits here, in a queue or behind a gap. */
  has(id: Hash): boolean {
    return this.#index.has(id) || this.#gaps.has(id)
  }

  /** Nonce of the account's next transaction after those that wait. */
  nextNonce(state: State, account: Account): number {
    return state.account(account).nonce + (this.#queues.get(account)?.entries.length ?? 0)
  }

  /** Fee rate that a newcomer has to be above, smallest units per byte; undefined while there is room. */
  get entryRate(): number | undefined {
    const room = this.#limits.memoryBytesMax - this.#index.memory
    return room >= 2 * OVERHEAD_BYTES ? undefined : this.#index.worst?.rate
  }

  /** Best fee rate first, each account's transactions in nonce order. */
  ordered(): readonly Sealed[] {
    return this.#index.list()
  }

  /** Adds a transaction whose context-free rules hold, for the block after the tip. */
  add(sealed: Sealed, place: Place): Result<Admission, Fault> {
    if (this.has(sealed.id)) return faulty('known', `transaction ${sealed.id} is waiting already`)
    const dropped: Dropped[] = []
    const coming = { sealed, arrival: this.#arrivals++, since: place.next.height, entering: true }
    const placed = this.#place(coming, place, dropped)
    if (!placed.ok) return placed
    if (placed.value === 'held') return accept({ entered: [], dropped })
    const entered = [sealed, ...this.#promote(sealed.transaction.from, place, dropped)]
    return accept({ entered, dropped })
  }

  /**
   * Follows the chain to a new tip: drops what is confirmed, expired or no longer covered, and takes back in what a
   * reorganisation disconnected, which counts as having come first. Looks only at accounts that a block changed, whose
   * transactions expire, or with transactions that others or the time may have made impossible.
   */
  update(place: Place, { disconnected, connected }: Moved): Admission {
    const { height } = place.next
    const [entered, dropped]: [Sealed[], Dropped[]] = [[], []]
    const confirmed = new Set(connected.flatMap(({ transactions }) => transactions.map(({ id }) => id)))
    const touched = new Map<Account, Sealed[]>()
    for (const { transactions } of disconnected) {
      for (const sealed of transactions) {
        const { from } = sealed.transaction
        const returning = touched.get(from)
        if (returning === undefined) touched.set(from, [sealed])
        else returning.push(sealed)
      }
    }
    const touch = (account: Account): void => {
      if (!touched.has(account)) touched.set(account, [])
    }
    for (const { changes } of [...disconnected, ...connected]) {
      for (const { kind, key } of changes) {
        if (kind === KIND.account) touch(key as string as Account)
        for (const { transaction: tx } of this.#index.needing({ kind, key })) touch(tx.from)
      }
    }
    for (const { transaction: tx } of this.#index.timed) touch(tx.from)
    for (const { transaction: tx } of this.#index.expiring(this.#height, height)) touch(tx.from)
    // On a lower tip a transaction type may not be active yet.
    const back = height < this.#height
    if (back) for (const account of this.#queues.keys()) touch(account)
    this.#height = height
    for (const { sealed } of this.#gaps.expire(height))
      if (!confirmed.has(sealed.id)) dropped.push({ sealed, fault: tooLong(sealed) })
    // All out before the first goes in: what is confirmed must not take room, nor be evicted.
    const again: (readonly Coming[])[] = []
    for (const [account, returning] of touched) {
      const simple = !back && returning.length === 0 && this.#gaps.of(account).length === 0
      if (simple && this.#advance(account, confirmed, place, dropped)) continue
      again.push(this.#takeOut(account, returning, height))
    }
    for (const list of again) {
      for (const coming of list) {
        const { sealed } = coming
        if (confirmed.has(sealed.id)) continue
        const placed = this.#place(coming, place, dropped)
        if (!placed.ok) dropped.push({ sealed, fault: placed.fault })
        else if (placed.value === 'queued' && coming.entering) entered.push(sealed)
      }
    }
    return { entered: entered.filter(({ id }) => this.#index.has(id)), dropped }
  }

  /**
   * What most blocks do to an account with nothing held: its first transactions have left, the others are as good as before.
   * False, and nothing changed, where that is not so.
   */
  #advance(
    account: Account,
    confirmed: ReadonlySet<Hash>,
    { state, next: { height } }: Place,
    dropped: Dropped[],
  ): boolean {
    const queue = this.#queues.get(account)
    const first = queue?.entries[0]
    if (queue === undefined || first === undefined) return true
    const { nonce, balance } = state.account(account)
    const count = nonce - first.transaction.nonce
    if (count < 0) return false
    const gone = queue.entries.slice(0, count)
    const spend = queue.spend - (sumOf(0, gone) ?? 0)
    const isGood = ({ transaction: tx }: Waiting): boolean =>
      tx.expiry >= height && neededBy(tx) === undefined
    if (spend > balance || !queue.entries.every((waiting, at) => at < count || isGood(waiting))) return false
    for (const sealed of gone) {
      this.#index.delete(sealed)
      if (confirmed.has(sealed.id)) continue
      const message = `nonce: the account is at ${nonce}, got ${sealed.transaction.nonce}`
      dropped.push({ sealed, fault: { code: 'nonce-too-low', message } })
    }
    queue.entries.splice(0, count)
    queue.spend = spend
    if (queue.entries.length === 0) this.#queues.delete(account)
    else if (count > 0) this.#rankFrom(queue, 0)
    return true
  }

  /** Takes out all of an account, in nonce order together with what comes back of it. */
  #takeOut(account: Account, returning: readonly Sealed[], height: number): readonly Coming[] {
    const queued = this.#queues.get(account)?.entries ?? []
    const held = this.#gaps.take(account)
    this.#queues.delete(account)
    for (const waiting of queued) this.#index.delete(waiting)
    return [
      ...returning.map((sealed) => ({ sealed, arrival: --this.#returns, since: height, entering: false })),
      ...queued.map((sealed) => ({ sealed, arrival: sealed.arrival, since: height, entering: false })),
      ...held.map(({ sealed, since }) => ({ sealed, arrival: this.#arrivals++, since, entering: true })),
    ].sort((a, b) => a.sealed.transaction.nonce - b.sealed.transaction.nonce)
  }

  /** Moves what is held to the queue, as far as the nonces follow one another. */
  #promote(account: Account, place: Place, dropped: Dropped[]): readonly Sealed[] {
    const entered: Sealed[] = []
    for (const held of this.#gaps.of(account)) {
      const { sealed } = held
      if (sealed.transaction.nonce !== this.nextNonce(place.state, account)) break
      if ((this.#queues.get(account)?.entries.length ?? 0) >= this.#limits.accountMax) break
      this.#gaps.delete(held)
      const placed = this.#place({ ...held, arrival: this.#arrivals++, entering: true }, place, dropped)
      if (placed.ok) entered.push(sealed)
      else dropped.push({ sealed, fault: placed.fault })
    }
    return entered
  }

  /** Puts a transaction where its nonce belongs. On a fault nothing changes. */
  #place(
    { sealed, arrival, since, entering }: Coming,
    { state, next }: Place,
    dropped: Dropped[],
  ): Result<'queued' | 'held', Fault> {
    const { transaction: tx } = sealed
    const { height } = next
    const misplaced = checkInContext(this.#network, sealed, { height, miner: this.#miner ?? '' })
    if (misplaced !== undefined) return refuse(misplaced)
    const [signatures, room] = [signaturesOf(tx), this.#network.genesis.blockSignaturesMax - 1]
    if (signatures > room)
      return faulty(
        'too-many-signatures',
        `signatures: it counts ${signatures}, a block has room for ${room}`,
      )
    const { nonce, balance } = state.account(tx.from)
    const queue = this.#queues.get(tx.from) ?? { entries: [], spend: 0 }
    if (tx.nonce < nonce) return faulty('nonce-too-low', `nonce: the account is at ${nonce}, got ${tx.nonce}`)
    const end = nonce + queue.entries.length
    if (tx.nonce > end) return this.#hold({ sealed, since }, end, balance - queue.spend, dropped)
    const index = tx.nonce - nonce
    const { accountMax } = this.#limits
    // What blocks held comes back however much of it there is: of others only memory is the limit then.
    if (entering && index === queue.entries.length && index >= accountMax) {
      const message = `queue: ${index} transactions of this account wait, limit is ${accountMax}`
      return faulty('account-queue-full', message)
    }
    const spend = this.#spendWith(sealed, queue, index, balance)
    if (!spend.ok) return spend
    // After what costs little: a word of a hash chain is a thousand hashes.
    const impossible = checkOnState(this.#network, state, tx, next)
    if (impossible !== undefined) return refuse(impossible)
    const placed = this.#enqueue(sealed, arrival, queue, index, spend.value, dropped)
    return placed === undefined ? accept('queued') : refuse(placed)
  }

  /** What a queue takes from its account with a transaction appended or put at `index`, if it may be there. */
  #spendWith(sealed: Sealed, queue: Queue, index: number, balance: number): Result<number, Fault> {
    const { transaction: tx } = sealed
    const old = queue.entries[index]
    const needed =
      old === undefined ? 0 : replacementFee(this.#network, this.#limits.replacePercent, old, sealed)
    if (old !== undefined && tx.fee < needed) {
      const message = `fee: at least ${needed} to replace ${short(old.id)}, got ${tx.fee}`
      return faulty('fee-too-low-to-replace', message)
    }
    const spend = sumOf(queue.spend - (old === undefined ? 0 : (spendOf(old.transaction) ?? 0)), [sealed])
    return spend === undefined || spend > balance ? refuse(uncovered(balance, spend)) : accept(spend)
  }

  /** Appends to the queue, which then takes `spend`, or replaces the transaction at `index`. */
  #enqueue(
    sealed: Sealed,
    arrival: number,
    queue: Queue,
    index: number,
    spend: number,
    dropped: Dropped[],
  ): Fault | undefined {
    const { transaction: tx, bytes } = sealed
    const old = queue.entries[index]
    // A miner's own come first, or free transactions of strangers could fill the pool and keep a device unheard.
    const offered = tx.from === this.#miner ? Number.MAX_VALUE : tx.fee / bytes.length
    const before = queue.entries[index - 1]
    const rate = Math.min(before?.rate ?? offered, offered)
    const since = Math.max(before?.since ?? arrival, arrival)
    const more = memoryOf(sealed) - (old === undefined ? 0 : memoryOf(old))
    if (!this.#makeRoom(more, rate, tx.from, dropped)) {
      const message = `fee: the mempool is full, ${rate.toFixed(3)} per byte is too little`
      return { code: 'mempool-full', message }
    }
    if (old !== undefined) {
      this.#index.delete(old)
      const message = `replaced by ${sealed.id}, which pays ${tx.fee} instead of ${old.transaction.fee}`
      dropped.push({ sealed: old, fault: { code: 'replaced', message } })
    }
    this.#queues.set(tx.from, queue)
    queue.spend = spend
    const waiting = { ...sealed, offered, arrival, rate, since }
    queue.entries[index] = waiting
    this.#index.insert(waiting)
    this.#rankFrom(queue, index + 1)
    return undefined
  }

  /** Ranks the transactions of a queue from `index` on anew, up to the first whose rank stays. */
  #rankFrom({ entries }: Queue, index: number): void {
    let before = entries[index - 1]
    for (let at = index; at < entries.length; at++) {
      const entry = entries[at] as Waiting
      const rate = Math.min(before?.rate ?? entry.offered, entry.offered)
      const since = Math.max(before?.since ?? entry.arrival, entry.arrival)
      if (rate === entry.rate && since === entry.since) return
      before = { ...entry, rate, since }
      this.#index.delete(entry)
      this.#index.insert(before)
      entries[at] = before
    }
  }

  /** Holds a transaction apart; `uncommitted` is the balance that the queue leaves. */
  #hold(held: Held, next: number, uncommitted: number, dropped: Dropped[]): Result<'held', Fault> {
    const { from } = held.sealed.transaction
    const spend = sumOf(0, [...this.#gaps.of(from).map(({ sealed }) => sealed), held.sealed])
    if (spend === undefined || spend > uncommitted) return refuse(uncovered(uncommitted, spend))
    const put = this.#gaps.put(held, next)
    if (!put.ok) return put
    if (put.value !== undefined) {
      const message = 'nonce: an earlier one is missing, and better-paying ones had to be held'
      dropped.push({ sealed: put.value, fault: { code: 'nonce-gap', message } })
    }
    return accept('held')
  }

  /**
   * Evicts the cheapest of other accounts until `memory` fits, the newest of equals first; false, and nobody evicted,
   * when all that pay less than the newcomer are not enough.
   */
  #makeRoom(memory: number, rate: number, from: Account, dropped: Dropped[]): boolean {
    let missing = this.#index.memory + memory - this.#limits.memoryBytesMax
    if (missing <= 0) return true
    const evicted: Waiting[] = []
    for (const waiting of this.#index.worstFirst()) {
      if (waiting.rate >= rate || missing <= 0) break
      if (waiting.transaction.from === from) continue
      evicted.push(waiting)
      missing -= memoryOf(waiting)
    }
    if (missing > 0) return false
    for (const waiting of evicted) {
      const account = waiting.transaction.from
      const queue = this.#queues.get(account)
      // Rates fall along a queue, so the cheapest is the last of its account, and nothing depends on it.
      invariant(queue?.entries.pop() === waiting, 'the cheapest is the last of its queue')
      queue.spend -= spendOf(waiting.transaction) ?? 0
      if (queue.entries.length === 0) this.#queues.delete(account)
      this.#index.delete(waiting)
      const message = `fee: the mempool is full, ${waiting.rate.toFixed(3)} per byte is too little`
      dropped.push({ sealed: waiting, fault: { code: 'mempool-full', message } })
    }
    return true
  }
}

function tooLong({ transaction: tx }: Sealed): Fault {
  return { code: 'nonce-gap', message: `nonce: those before ${tx.nonce} did not come in time` }
}

function uncovered(balance: number, needs: number | undefined): Fault {
  const message = `amount: the account has ${balance}, its waiting transactions need ${needs ?? 'more than 2^53'}`
  return { code: 'insufficient-balance', message }
}

function sumOf(start: number, list: readonly Sealed[]): number | undefined {
  let sum: number | undefined = start
  for (const { transaction: tx } of list) {
    const spend = spendOf(tx)
    sum = sum === undefined || spend === undefined ? undefined : addAmounts(sum, spend)
  }
  return sum
}
