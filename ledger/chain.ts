/**
 * The block tree and its best chain: most cumulative work, the first seen on a tie.
 *
 * Invariants: every block in the tree has a stored body and its parent in the tree; the best chain's state root is
 * the one in the tip's coinbase; a block is remembered as invalid only for a fault of the body that its header
 * commits to. Bodies and undo data are read through `Archive`; what `accept` returns must be stored before anybody
 * is told. Source: docs/PROTOCOL.md section 5.
 */

import { HEADER_BYTES, type Header, header as headerCodec } from '../schemas/block.ts'
import { decode, Reader } from '../schemas/codec.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { checkBody, connectBlock, parseBlock, type SealedBlock } from './block.ts'
import { type Fault, faulty, fromDecode, verdictOf } from './fault.ts'
import { checkHeader, type Position, place, position0 } from './header.ts'
import type { Network } from './network.ts'
import type { Change, State } from './state.ts'
import { SignatureCache } from './transaction.ts'

/** Where the shell keeps what the tree refers to. Both are asked only for blocks that were handed to the shell. */
export interface Archive {
  block(hash: Hash): Uint8Array
  changes(hash: Hash): readonly Change[]
}

/** A block of the tree. */
export interface Entry extends Position {
  readonly parent: Entry | undefined
  /** Undefined for block 0, which nobody mined. */
  readonly miner: Account | undefined
}

export interface ConnectedBlock extends SealedBlock {
  readonly entry: Entry
  readonly changes: readonly Change[]
}

/** What happened to the best chain, in the order in which it happened. */
export interface Update {
  /** The block that was added to the tree, with or without a new tip. */
  readonly added: { readonly entry: Entry; readonly bytes: Uint8Array }
  readonly disconnected: readonly ConnectedBlock[]
  readonly connected: readonly ConnectedBlock[]
  readonly tip: Entry
}

const INVALID_REMEMBERED_MAX = 1000

export class Chain {
  readonly network: Network
  readonly verified = new SignatureCache()
  readonly archive: Archive
  readonly #entries = new Map<Hash, Entry>()
  /** Hashes of the best chain by height. */
  readonly #best: Hash[]
  readonly #invalid = new Set<Hash>()
  /** One string for each miner: years of blocks name the same few. */
  readonly #miners = new Map<Account, Account>()
  #tip: Entry
  #state: State

  constructor(network: Network, archive: Archive) {
    this.network = network
    this.archive = archive
    const entry0: Entry = { ...position0(network), parent: undefined, miner: undefined }
    this.#entries.set(entry0.hash, entry0)
    this.#best = [entry0.hash]
    this.#tip = entry0
    this.#state = network.state0
  }

  get tip(): Entry {
    return this.#tip
  }

  get state(): State {
    return this.#state
  }

  entry(hash: Hash): Entry | undefined {
    return this.#entries.get(hash)
  }

  /** The best chain's block at a height. */
  at(height: number): Entry | undefined {
    const hash = this.#best[height]
    return hash === undefined ? undefined : this.#entries.get(hash)
  }

  isBest(entry: Entry): boolean {
    return this.#best[entry.height] === entry.hash
  }

  isInvalid(hash: Hash): boolean {
    return this.#invalid.has(hash)
  }

  /** Hashes from the tip back, ever sparser, block 0 last: where a peer's chain leaves ours. */
  locator(): Hash[] {
    const hashes: Hash[] = []
    let step = 1
    for (let height = this.#tip.height; height > 0; height -= step) {
      hashes.push(this.#best[height] as Hash)
      if (hashes.length >= 10) step *= 2
    }
    hashes.push(this.#best[0] as Hash)
    return hashes
  }

  /** Headers of the best chain after the first locator entry that is on it. */
  headersAfter(locator: readonly Hash[], limit: number): Header[] {
    const known = locator
      .map((hash) => this.#entries.get(hash))
      .find((entry) => entry !== undefined && this.isBest(entry))
    const headers: Header[] = []
    for (
      let height = (known?.height ?? 0) + 1;
      height <= this.#tip.height && headers.length < limit;
      height++
    ) {
      headers.push(headerCodec.read(new Reader(this.archive.block(this.#best[height] as Hash))))
    }
    return headers
  }

  /** Puts a stored block back into the tree; blocks come in the order in which they were added. */
  restore(hash: Hash, header: Header, miner: Account): Result<Entry, Fault> {
    const parent = this.#entries.get(header.parent)
    if (parent === undefined)
      return faulty('unknown-parent', `parent: ${header.parent} is not stored before ${hash}`)
    const entry: Entry = { ...place(this.network, hash, header, parent), parent, miner: this.#same(miner) }
    this.#entries.set(hash, entry)
    return accept(entry)
  }

  /** Sets tip and state after a restore. */
  restoreTip(hash: Hash, state: State): void {
    const tip = this.#entries.get(hash)
    invariant(tip !== undefined, 'the stored tip is in the tree')
    this.#setTip(tip, state)
  }

  /** Checks a block of the network at local time `nowMs` and adds it to the tree; most work wins. */
  accept(bytes: Uint8Array, nowMs: number): Result<Update, Fault> {
    // The header alone decides first: a body costs work only behind a proof of work.
    const decoded = decode(headerCodec, bytes.subarray(0, HEADER_BYTES), HEADER_BYTES)
    if (!decoded.ok) return refuse(fromDecode(decoded.fault))
    const header = decoded.value
    const parent = this.#entries.get(header.parent)
    if (parent === undefined) {
      if (this.#invalid.has(header.parent))
        return faulty('invalid-parent', `parent: ${header.parent} broke a rule`)
      return faulty('unknown-parent', `parent: ${header.parent} is unknown here`)
    }
    const placed = checkHeader(this.network, header, parent, nowMs)
    if (!placed.ok) return placed
    const { hash } = placed.value
    if (this.#entries.has(hash)) return faulty('known', `block ${hash} is known`)
    if (this.#invalid.has(hash)) return faulty('known', `block ${hash} broke a rule before`)
    const parsed = parseBlock(this.network, bytes)
    if (!parsed.ok) return parsed
    const checked = checkBody(this.network, parsed.value, this.verified)
    if (!checked.ok) return this.#refuse(hash, checked.fault)
    const entry: Entry = { ...placed.value, parent, miner: this.#same(parsed.value.block.coinbase.from) }
    const added = { entry, bytes }
    if (entry.work <= this.#tip.work) {
      this.#entries.set(hash, entry)
      return accept({ added, disconnected: [], connected: [], tip: this.#tip })
    }
    const moved = this.#moveTo(entry, parsed.value)
    if (!moved.ok) return moved
    return accept({ added, ...moved.value, tip: this.#tip })
  }

  /** Takes blocks back to the fork and connects the branch up to `entry`; on a fault nothing changes. */
  #moveTo(entry: Entry, sealed: SealedBlock): Result<Pick<Update, 'connected' | 'disconnected'>, Fault> {
    const branch: Entry[] = []
    let fork: Entry = entry
    while (!this.isBest(fork)) {
      branch.unshift(fork)
      fork = fork.parent as Entry
    }
    let state = this.#state
    const disconnected: ConnectedBlock[] = []
    for (let old = this.#tip; old !== fork; old = old.parent as Entry) {
      const changes = this.archive.changes(old.hash)
      disconnected.push({ ...this.#stored(old), entry: old, changes })
      state = state.with(changes, 'before')
    }
    const connected: ConnectedBlock[] = []
    for (const next of branch) {
      const body = next === entry ? sealed : this.#stored(next)
      const outcome = connectBlock(this.network, state, body)
      if (!outcome.ok) {
        if (next !== entry) this.#forget(next)
        return this.#refuse(entry.hash, outcome.fault)
      }
      state = outcome.value.state
      connected.push({ ...body, entry: next, changes: outcome.value.changes })
    }
    this.#entries.set(entry.hash, entry)
    this.#setTip(entry, state)
    return accept({ disconnected, connected })
  }

  #stored(entry: Entry): SealedBlock {
    const parsed = parseBlock(this.network, this.archive.block(entry.hash))
    invariant(parsed.ok, `stored block ${entry.hash} parses`)
    return parsed.value
  }

  #setTip(tip: Entry, state: State): void {
    this.#tip = tip
    this.#state = state
    let height = tip.height
    for (
      let at: Entry | undefined = tip;
      at !== undefined && this.#best[height] !== at.hash;
      at = at.parent
    ) {
      this.#best[height] = at.hash
      height--
    }
    this.#best.length = tip.height + 1
  }

  /** A side block that turned out to be invalid leaves the tree, and its children with it. */
  #forget(bad: Entry): void {
    this.#remember(bad.hash)
    const gone = new Set<Hash>([bad.hash])
    for (const [hash, entry] of this.#entries) {
      if (
        entry.height < bad.height ||
        !(gone.has(hash) || (entry.parent !== undefined && gone.has(entry.parent.hash)))
      )
        continue
      gone.add(hash)
      this.#remember(hash)
      this.#entries.delete(hash)
    }
  }

  #same(miner: Account): Account {
    const known = this.#miners.get(miner)
    if (known === undefined) this.#miners.set(miner, miner)
    return known ?? miner
  }

  #refuse(hash: Hash, fault: Fault): Result<never, Fault> {
    if (verdictOf(fault) !== 'hold') this.#remember(hash)
    return refuse(fault)
  }

  #remember(hash: Hash): void {
    if (this.#invalid.size >= INVALID_REMEMBERED_MAX) {
      for (const oldest of this.#invalid) {
        this.#invalid.delete(oldest)
        break
      }
    }
    this.#invalid.add(hash)
  }
}
