/**
 * The tree of a slow hand's ticks and its best chain: most cumulative work, the first seen on a tie.
 *
 * A window of ticks is in memory, with the branches that leave it there; of those below, settled, only the hashes are kept,
 * 32 bytes each. Invariants: every tick of the window but the base has its parent there; the base is on the best chain.
 * Source: docs/PROTOCOL.md section 14.
 */
import { fromHex, type Hash, hexOf } from '../schemas/hex.ts'
import { LOCATOR_MAX } from '../schemas/message.ts'
import { accept, type Result } from '../schemas/result.ts'
import type { Tick } from '../schemas/tick.ts'
import { type Fault, faulty } from './fault.ts'
import { checkAnchors, checkTick, decodeTick, type Hand } from './hand.ts'
import { headerHash, type Position, place, position0 } from './header.ts'

/** Ticks that can be undone. */
export const TICK_WINDOW = 1024

export interface TickEntry extends Position {
  /** Undefined for the base. */
  readonly parent: TickEntry | undefined
}

/** A tick that was added to the tree. */
export interface TickAdded {
  readonly entry: TickEntry
  readonly tick: Tick
  /** Ticks taken off the best chain, lowest first; undefined when the tick is on a branch. */
  readonly left: readonly Hash[] | undefined
  /** Ticks that came onto it, lowest first, the added one last; none when it is on a branch. */
  readonly joined: readonly Hash[]
}

export class SlowHand {
  readonly hand: Hand
  readonly #window: number
  readonly #entries = new Map<Hash, TickEntry>()
  /** The best chain's part in the window, the base first. */
  #best: TickEntry[]
  /** Hashes of the best chain below the base, from tick 0 up. */
  #settled = new Uint8Array(32 * 64)

  constructor(hand: Hand, window = TICK_WINDOW) {
    this.hand = hand
    this.#window = window
    const base = { ...position0(hand), parent: undefined }
    this.#entries.set(base.hash, base)
    this.#best = [base]
  }

  get #base(): TickEntry {
    return this.#best[0] as TickEntry
  }

  get tip(): TickEntry {
    return this.#best.at(-1) as TickEntry
  }

  /** A tick of the window. */
  entry(hash: Hash): TickEntry | undefined {
    return this.#entries.get(hash)
  }

  /** Hash of the best chain's tick at a height from 0 to the tip's. */
  hashAt(height: number): Hash {
    const entry = this.#best[height - this.#base.height]
    return entry?.hash ?? (hexOf(this.#settled, 32 * height, 32 * height + 32) as Hash)
  }

  /** Height of a tick of the best chain. */
  heightOf(hash: Hash): number | undefined {
    const entry = this.#entries.get(hash)
    if (entry !== undefined)
      return this.#best[entry.height - this.#base.height] === entry ? entry.height : undefined
    // Seldom, and a hundred thousand ticks take less than a millisecond: an index would take more memory than the hashes.
    const low = Number.parseInt(hash.slice(-8), 16)
    const view = new DataView(this.#settled.buffer)
    for (let height = this.#base.height - 1; height >= 0; height--)
      if (view.getUint32(32 * height + 28) === low && this.hashAt(height) === hash) return height
    return undefined
  }

  /** Hashes from the tip back, ever sparser, tick 0 last: where a peer's chain leaves ours. */
  locator(): Hash[] {
    const hashes: Hash[] = []
    let step = 1
    for (let height = this.tip.height; height > 0 && hashes.length < LOCATOR_MAX - 1; height -= step) {
      hashes.push(this.hashAt(height))
      if (hashes.length >= 10) step *= 2
    }
    return [...hashes, this.hand.block0Hash]
  }

  /** Height of the first locator entry that is on the best chain. */
  fork(locator: readonly Hash[]): number {
    for (const hash of locator) {
      const height = this.heightOf(hash)
      if (height !== undefined) return height
    }
    return 0
  }

  /** Checks a tick at local time `nowMs` and adds it to the tree; most work wins. */
  accept(bytes: Uint8Array, nowMs: number): Result<TickAdded, Fault> {
    const decoded = decodeTick(bytes)
    if (!decoded.ok) return decoded
    const { header } = decoded.value
    const parent = this.#entries.get(header.parent)
    if (parent === undefined) {
      const { hash, height } = this.#base
      return header.height <= height
        ? faulty('below-final', `height: ${header.height} is settled, up to tick ${height} ${hash}`)
        : faulty('unknown-parent', `parent: ${header.parent} is unknown here`)
    }
    const checked = checkTick(this.hand, header, parent, nowMs)
    if (!checked.ok) return checked
    if (this.#entries.has(checked.value.hash)) return faulty('known', `tick ${checked.value.hash} is known`)
    const anchored = checkAnchors(this.hand, decoded.value)
    if (!anchored.ok) return anchored
    return accept(this.#add(checked.value, parent, decoded.value))
  }

  /** Puts a stored tick back; ticks come in the order in which they were added. */
  restore(tick: Tick): TickAdded | undefined {
    const parent = this.#entries.get(tick.header.parent)
    // Only on a branch that was shorter when the window moved on.
    if (parent === undefined) return undefined
    const hash = headerHash(this.hand.hashing, tick.header)
    return this.#add(place(this.hand, hash, tick.header, parent), parent, tick)
  }

  #add(position: Position, parent: TickEntry, tick: Tick): TickAdded {
    const entry = { ...position, parent }
    this.#entries.set(entry.hash, entry)
    if (entry.work <= this.tip.work) return { entry, tick, left: undefined, joined: [] }
    const branch: TickEntry[] = []
    let fork: TickEntry = entry
    for (; this.#best[fork.height - this.#base.height] !== fork; fork = fork.parent as TickEntry)
      branch.push(fork)
    const left = this.#best.splice(fork.height - this.#base.height + 1).map(({ hash }) => hash)
    for (const each of branch.reverse()) this.#best.push(each)
    // Said now: once the window has moved on, the way down from the entry may end above the fork.
    const joined = branch.map(({ hash }) => hash)
    // Twice the window, so that it moves once in so many ticks.
    if (this.#best.length > 2 * this.#window) this.#settle()
    return { entry, tick, left, joined }
  }

  /** The window begins anew, so many ticks below the tip. */
  #settle(): void {
    const from = this.#base.height
    const base = this.#best[this.#best.length - 1 - this.#window] as TickEntry
    while (this.#settled.length < 32 * base.height) {
      const larger = new Uint8Array(2 * this.#settled.length)
      larger.set(this.#settled)
      this.#settled = larger
    }
    for (let height = from; height < base.height; height++)
      this.#settled.set(fromHex(this.hashAt(height)), 32 * height)
    const kept = new Set([base])
    // Parents come before their children.
    for (const entry of this.#entries.values())
      if (entry.parent !== undefined && kept.has(entry.parent)) kept.add(entry)
    for (const [hash, entry] of this.#entries) if (!kept.has(entry)) this.#entries.delete(hash)
    this.#best = this.#best.slice(base.height - from)
    // Whoever holds an entry must not hold the whole past with it.
    ;(base as { parent: TickEntry | undefined }).parent = undefined
  }
}
