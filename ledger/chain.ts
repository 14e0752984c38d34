/**
 * The block tree and its best chain: most cumulative work, the first seen on a tie, behind what is justified.
 *
 * Only a window is in memory: the best chain from `base` up, and the side branches that leave it there. What lies below
 * is settled; its headers are the archive's. Invariants: every block of the window but the base has a stored body and its
 * parent in the window; the best chain's state root is the one in the tip's coinbase; the base is at or below the final
 * block, that at or below the justified one, and all three are on the best chain; a block is remembered as invalid
 * only for a fault of the body that its header commits to. Bodies and undo data are read through `Archive`; what `accept`
 * and `justify` return must be stored before anybody is told. Source: docs/PROTOCOL.md section 5.
 */

import { HEADER_BYTES, type Header, header as headerCodec } from '../schemas/block.ts'
import { decode } from '../schemas/codec.ts'
import { type Account, fromHex, type Hash, toHex } from '../schemas/hex.ts'
import { LOCATOR_MAX } from '../schemas/message.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { checkBody, connectBlock, parseBlock, type SealedBlock } from './block.ts'
import { type Fault, faulty, fromDecode, verdictOf } from './fault.ts'
import { type Moment, medianHeight } from './hashlock.ts'
import { checkHeader, HEADER_GROUP, type Position, place, position0 } from './header.ts'
import { mayMineBelow, notAdmitted } from './membership.ts'
import type { Network } from './network.ts'
import { type Change, KIND, type State } from './state.ts'
import { SignatureCache } from './transaction.ts'

/** Where the shell keeps what the tree refers to. */
export interface Archive {
  /** A block of the window. */
  block(hash: Hash): Uint8Array
  /** Changes of a block of the window that has been connected. */
  changes(hash: Hash): readonly Change[]
  /** Header of the best chain at a height from 1 to the base's. */
  header(height: number): Header
  /** A block of the best chain at a height from 1 to the base's; undefined when it is no longer kept. */
  settled(height: number, hash: Hash): Uint8Array | undefined
  /** Hash of the best chain at a multiple of HEADER_GROUP, above 0 and at most the base's height. */
  waypoint(height: number): Hash
  /** Height of a waypoint, by its hash. */
  waypointHeight(hash: Hash): number | undefined
}

/** The part of an archive that a chain does not need while its window begins at block 0. */
export const NOTHING_SETTLED: Omit<Archive, 'block' | 'changes'> = {
  header: nothing,
  settled: () => undefined,
  waypoint: nothing,
  waypointHeight: () => undefined,
}

function nothing(height: number): never {
  throw new Error(`height ${height} is not settled`)
}

/** Where the window begins. */
export interface Base {
  readonly position: Position
  /** Undefined for block 0, which nobody mined. */
  readonly miner: Account | undefined
  readonly state: State
}

/** A block of the tree. */
export interface Entry extends Position {
  /** Undefined for the base. */
  readonly parent: Entry | undefined
  readonly miner: Account | undefined
}

/** As text a nonce takes a tenth of the memory that eight bytes of their own do. */
interface Seal {
  readonly content: Hash
  /** 16 hex digits. */
  readonly nonce: string
}

/** What of a stored block is kept in memory. */
export interface Stored extends Seal {
  readonly hash: Hash
  readonly parent: Hash
  readonly height: number
  readonly time: number
  readonly miner: Account
}

/** What a header says beside its place: kept, because whoever asks for a thousand headers must not cost a thousand reads. */
interface Kept extends Entry {
  readonly seal: Seal | undefined
  /** False once it has turned out that the block admits and revokes nobody. */
  movesMembers?: boolean
}

export interface ConnectedBlock extends SealedBlock {
  readonly entry: Entry
  readonly changes: readonly Change[]
}

export interface Added {
  readonly entry: Entry
  readonly bytes: Uint8Array
}

/** What happened to the best chain, in the order in which it happened. */
export interface Update {
  /** The block that was added to the tree, with or without a new tip; undefined when signers moved the tip. */
  readonly added: Added | undefined
  readonly disconnected: readonly ConnectedBlock[]
  readonly connected: readonly ConnectedBlock[]
  readonly tip: Entry
}

/** What happened because of a block. */
export interface Accepted extends Update {
  readonly added: Added
}

type Move = Pick<Update, 'connected' | 'disconnected'>

const INVALID_REMEMBERED_MAX = 1000

export class Chain {
  readonly network: Network
  readonly verified = new SignatureCache()
  readonly archive: Archive
  /** Parents come before their children. */
  readonly #entries = new Map<Hash, Kept>()
  /** Hashes of the best chain, the base's first. */
  #best: Hash[]
  readonly #invalid = new Set<Hash>()
  /** One string for each miner: years of blocks name the same few. */
  readonly #miners = new Map<Account, Account>()
  #base: Entry
  #tip: Entry
  #state: State
  #justified: Entry
  #final: Entry

  constructor(network: Network, archive: Archive, base?: Base) {
    this.network = network
    this.archive = archive
    const place0 = base?.position ?? position0(network)
    const entry = kept(place0, undefined, base?.miner, undefined)
    this.#entries.set(entry.hash, entry)
    this.#best = [entry.hash]
    this.#base = entry
    this.#tip = entry
    this.#justified = entry
    this.#final = entry
    this.#state = base?.state ?? network.state0
  }

  get tip(): Entry {
    return this.#tip
  }

  get state(): State {
    return this.#state
  }

  /** Where the next block on the tip will stand. */
  get next(): Moment {
    return { height: this.#tip.height + 1, medianTime: this.#medianTimeAbove(this.#tip) }
  }

  /** The lowest block that is in memory; nothing at or below it is ever undone. */
  get base(): Entry {
    return this.#base
  }

  /** The highest block that enough signers voted for: no chain without it is followed. */
  get justified(): Entry {
    return this.#justified
  }

  /** The highest block that can no longer be undone by anybody; the base on networks without signers. */
  get final(): Entry {
    return this.#final
  }

  /** A block of the window. */
  entry(hash: Hash): Entry | undefined {
    return this.#entries.get(hash)
  }

  /** The best chain's block at a height of the window. */
  at(height: number): Entry | undefined {
    const hash = this.#best[height - this.#base.height]
    return hash === undefined ? undefined : this.#entries.get(hash)
  }

  isBest(entry: Entry): boolean {
    return this.#best[entry.height - this.#base.height] === entry.hash
  }

  isInvalid(hash: Hash): boolean {
    return this.#invalid.has(hash)
  }

  /** Header of the best chain at a height from 0 to the tip's. */
  header(height: number): Header {
    if (height === 0) return this.network.block0
    if (height <= this.#base.height) return this.archive.header(height)
    const hash = this.#best[height - this.#base.height]
    const entry = hash === undefined ? undefined : this.#entries.get(hash)
    invariant(entry?.parent !== undefined && entry.seal !== undefined, `a block is at height ${height}`)
    const { parent, target, time, seal } = entry
    const nonce = fromHex(seal.nonce)
    return { version: 1, height, parent: parent.hash, content: seal.content, target, time, nonce }
  }

  /**
   * Hashes from the tip back, ever sparser, block 0 last: where a peer's chain leaves ours. Below the first thousand only
   * multiples of HEADER_GROUP, because that is all that a peer knows of its old blocks by hash.
   */
  locator(): Hash[] {
    const hashes: Hash[] = []
    let step = 1
    for (let height = this.#tip.height; height > 0 && hashes.length < LOCATOR_MAX - 1; height -= step) {
      if (this.#tip.height - height > 1000) height -= height % HEADER_GROUP
      if (height <= this.#base.height) height -= height % HEADER_GROUP
      if (height === 0) break
      hashes.push(this.at(height)?.hash ?? this.archive.waypoint(height))
      if (hashes.length >= 10) step *= 2
    }
    hashes.push(this.network.block0Hash)
    return hashes
  }

  /** Headers of the best chain after the first locator entry that is on it. */
  headersAfter(locator: readonly Hash[], limit: number): Header[] {
    const from = locator.map((hash) => this.#heightOf(hash)).find((height) => height !== undefined) ?? 0
    const headers: Header[] = []
    for (let height = from + 1; height <= this.#tip.height && headers.length < limit; height++)
      headers.push(this.header(height))
    return headers
  }

  /** Height of a block of the best chain, below the window only of waypoints. */
  #heightOf(hash: Hash): number | undefined {
    const entry = this.#entries.get(hash)
    if (entry !== undefined) return this.isBest(entry) ? entry.height : undefined
    return hash === this.network.block0Hash ? 0 : this.archive.waypointHeight(hash)
  }

  /** Puts a stored block back into the tree; blocks come in the order in which they were added. */
  restore(stored: Stored): Result<Entry, Fault> {
    const { hash, content, nonce } = stored
    const parent = this.#entries.get(stored.parent)
    if (parent === undefined)
      return faulty('unknown-parent', `parent: ${stored.parent} is not stored before ${hash}`)
    const placed = place(this.network, hash, stored, parent)
    const entry = kept(placed, parent, this.#same(stored.miner), { content, nonce })
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
  accept(bytes: Uint8Array, nowMs: number): Result<Accepted, Fault> {
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
    // All that is left in the tree below the final block is the best chain itself.
    if (parent.height < this.#final.height)
      return faulty('below-final', `parent: height ${parent.height} is final up to ${this.#final.height}`)
    const parsed = parseBlock(this.network, bytes)
    if (!parsed.ok) return parsed
    const miner = parsed.value.block.coinbase.from
    // Who may not mine would otherwise have blocks stored that are judged only when they outweigh the tip.
    if (this.isBest(parent) && !mayMineBelow(this.network, this.#state, miner, this.#changesAbove(parent)))
      return this.#refuse(hash, notAdmitted(miner))
    const checked = checkBody(this.network, parsed.value, this.verified)
    if (!checked.ok) return this.#refuse(hash, checked.fault)
    const entry = kept(placed.value, parent, this.#same(miner), sealOf(header))
    const added = { entry, bytes }
    if (entry.work <= this.#tip.work || !this.#isOnJustified(entry)) {
      this.#entries.set(hash, entry)
      return accept({ added, disconnected: [], connected: [], tip: this.#tip })
    }
    const moved = this.#moveTo(entry, parsed.value)
    if (!moved.ok) return moved
    this.#entries.set(hash, entry)
    return accept({ added, ...moved.value, tip: this.#tip })
  }

  /**
   * From now on only chains with this block are followed; the tip may move, also to less work. Undefined when the block is
   * not in the tree, or nothing has to move; a fault when its chain turns out to be invalid, or leaves the final block.
   */
  justify(hash: Hash): Result<Update | undefined, Fault> {
    const entry = this.#entries.get(hash)
    if (entry === undefined || entry.height <= this.#justified.height) return accept(undefined)
    if (this.isBest(entry)) {
      this.#justified = entry
      return accept(undefined)
    }
    if (this.#forkOf(entry).height < this.#final.height)
      return faulty('below-final', `${hash} is not on the chain that is final up to ${this.#final.height}`)
    const leaves = this.#descendants(entry).sort((a, b) => Number(b.work > a.work) - Number(b.work < a.work))
    let fault: Fault | undefined
    for (const leaf of leaves) {
      // An invalid block takes its children out of the tree.
      if (!this.#entries.has(leaf.hash)) continue
      const moved = this.#moveTo(leaf)
      if (moved.ok) {
        this.#justified = entry
        return accept({ added: undefined, ...moved.value, tip: this.#tip })
      }
      fault = moved.fault
    }
    invariant(fault !== undefined, 'a block descends from itself')
    return refuse(fault)
  }

  /** Makes a block of the best chain final: what does not build on it leaves the tree, and nothing else is taken. */
  finalise(hash: Hash): void {
    const entry = this.#entries.get(hash)
    if (entry === undefined || entry.height <= this.#final.height) return
    invariant(this.isBest(entry), 'what becomes final is on the best chain')
    if (this.#justified.height < entry.height) this.#justified = entry
    this.#final = entry
    // Most of the time there is no branch that could leave.
    if (this.#entries.size === this.#best.length) return
    const kept = new Set(this.#descendants(entry))
    for (const other of this.#entries.values())
      if (!kept.has(other) && !(other.height < entry.height && this.isBest(other)))
        this.#entries.delete(other.hash)
  }

  /** Lets the window begin at a height of the best chain, whose headers up to there the archive now has. */
  trim(height: number): void {
    const base = this.at(height)
    invariant(base !== undefined, `the best chain has a block at height ${height}`)
    const kept = new Set(this.#descendants(base))
    for (const [hash, entry] of this.#entries) if (!kept.has(entry)) this.#entries.delete(hash)
    this.#best = this.#best.slice(height - this.#base.height)
    // The only place where an entry changes: whoever holds one must not hold the whole past with it.
    ;(base as { parent: Entry | undefined }).parent = undefined
    this.#base = base
    if (this.#final.height < height) this.#final = base
    if (this.#justified.height < height) this.#justified = base
  }

  /** A block and all that build on it, parents first. */
  #descendants(root: Entry): Entry[] {
    const found = new Set([root])
    for (const entry of this.#entries.values())
      if (entry.parent !== undefined && found.has(entry.parent)) found.add(entry)
    return [...found]
  }

  /** The highest block of the best chain that a block is or builds on. */
  #forkOf(entry: Entry): Entry {
    let fork = entry
    while (!this.isBest(fork)) fork = fork.parent as Entry
    return fork
  }

  #isOnJustified(entry: Entry): boolean {
    return entry.parent === this.#tip || this.#forkOf(entry).height >= this.#justified.height
  }

  /** Changes of the best chain's blocks above one of them, the tip's first; of those that may have changed who is a member. */
  *#changesAbove(below: Entry): Generator<readonly Change[]> {
    for (let at = this.#tip as Kept; at !== below; at = at.parent as Kept) {
      // Each is read once, or everybody could have a hundred blocks read for one cheap block of his own.
      if (at.movesMembers === false) continue
      const changes = this.archive.changes(at.hash)
      at.movesMembers = changes.some(({ kind }) => kind === KIND.member)
      yield changes
    }
  }

  /** Takes blocks back to the fork and connects the branch up to `entry`; on a fault nothing changes. */
  #moveTo(entry: Entry, sealed?: SealedBlock): Result<Move, Fault> {
    const branch: Entry[] = []
    let fork: Entry = entry
    while (!this.isBest(fork)) {
      branch.push(fork)
      fork = fork.parent as Entry
    }
    branch.reverse()
    let state = this.#state
    const disconnected: ConnectedBlock[] = []
    for (let old = this.#tip; old !== fork; old = old.parent as Entry) {
      const changes = this.archive.changes(old.hash)
      disconnected.push({ ...this.#stored(old), entry: old, changes })
      state = state.with(changes, 'before')
    }
    const connected: ConnectedBlock[] = []
    for (const next of branch) {
      const body = next === entry && sealed !== undefined ? sealed : this.#stored(next)
      const outcome = connectBlock(this.network, state, body, this.#medianTimeAbove(next.parent as Entry))
      if (!outcome.ok) {
        if (this.#entries.has(next.hash)) this.#forget(next)
        return this.#refuse(entry.hash, outcome.fault)
      }
      state = outcome.value.state
      connected.push({ ...body, entry: next, changes: outcome.value.changes })
    }
    this.#setTip(entry, state)
    return accept({ disconnected, connected })
  }

  /** Median time of the chain up to `entry`, which decides deadlines in the block above it. */
  #medianTimeAbove(entry: Entry): number {
    const wanted = medianHeight(entry.height + 1)
    let at = entry
    while (at.height > wanted && at.parent !== undefined) at = at.parent
    return at.height === wanted ? at.time : this.header(wanted).time
  }

  #stored(entry: Entry): SealedBlock {
    const parsed = parseBlock(this.network, this.archive.block(entry.hash))
    invariant(parsed.ok, `stored block ${entry.hash} parses`)
    return parsed.value
  }

  #setTip(tip: Entry, state: State): void {
    this.#tip = tip
    this.#state = state
    let index = tip.height - this.#base.height
    for (let at: Entry | undefined = tip; at !== undefined && this.#best[index] !== at.hash; at = at.parent) {
      this.#best[index] = at.hash
      index--
    }
    this.#best.length = tip.height - this.#base.height + 1
  }

  /** A side block that turned out to be invalid leaves the tree, and its children with it. */
  #forget(bad: Entry): void {
    for (const { hash } of this.#descendants(bad)) {
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

/** Field by field: a spread costs as much as all else of a block that a start puts back. */
const kept = (
  { hash, height, time, target, childTarget, work }: Position,
  parent: Entry | undefined,
  miner: Account | undefined,
  seal: Seal | undefined,
): Kept => ({ hash, height, time, target, childTarget, work, parent, miner, seal })

const sealOf = ({ content, nonce }: Header): Seal => ({ content, nonce: toHex(nonce) })
