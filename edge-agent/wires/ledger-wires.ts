/**
 * Wires on other devices' sensors: walks our chain and says what has become due, each reading once.
 *
 * What wires remember is kept by height, so that a reorganisation takes it back to where the branches part. On a start the
 * walk begins where the log's memory ends; what lies more than `AGAIN_BLOCKS` below the tip, or more than a day back, is only
 * remembered and not paid. Without such memory it begins that much below the tip which it finds once in sync: a new agent does
 * not pay for what was before it. Works only in sync: while catching up, what was paid stands in blocks that are still to come.
 */
import type { Chain, Update } from '../../ledger/chain.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import type { Hash } from '../../schemas/hex.ts'
import { AGAIN_BLOCKS, BlockWalk } from '../block-walk.ts'
import { type Act, act, type Surroundings } from './act.ts'
import { freshMemory, type Memory } from './condition.ts'
import { fingerprintOf } from './fingerprint.ts'
import { DAY_MS } from './limits.ts'
import { readingFor } from './occurrence.ts'
import type { Wire } from './wire.ts'

type Memories = ReadonlyMap<string, Memory>

/** Heights whose memory is kept: more than a reorganisation takes back, or the log asks for. */
const HEIGHTS_KEPT = 256
const NOTHING: Memories = new Map()

/** What a wire did. */
export interface Deed extends Act {
  readonly wire: Wire
}

export interface Saved {
  readonly height: number
  readonly block: Hash
  readonly memories: Memories
}

export class LedgerWires {
  readonly #chain: Chain
  #wires: readonly (readonly [string, Wire])[] = []
  #depthMax = 0
  #walk: BlockWalk | undefined
  /** Up to here nothing is paid any more. */
  #past = 0
  /** Up to here these wires were not set. */
  #since = 0
  /** By height, ascending: after what that height made deep. */
  readonly #memories = new Map<number, Memories>()
  #memory: Memories = NOTHING

  constructor(chain: Chain, wires: readonly Wire[], since: number, saved: Saved | undefined) {
    this.#chain = chain
    this.set(wires, since)
    if (saved === undefined || chain.at(saved.height)?.hash !== saved.block) return
    this.#past = chain.tip.height - AGAIN_BLOCKS
    this.#walk = new BlockWalk(chain, Math.min(chain.tip.height, saved.height + AGAIN_BLOCKS))
    this.#memory = saved.memories
    this.#memories.set(this.#walk.height, saved.memories)
  }

  /** Other wires from a height on; those that say the same as before go on with what they remember. */
  set(wires: readonly Wire[], since: number): void {
    this.#since = since
    this.#wires = wires
      .filter(({ source }) => source.kind === 'ledger')
      .map((wire) => [fingerprintOf(wire), wire] as const)
    this.#depthMax = this.#wires.reduce(
      (most, [, { source }]) => (source.kind === 'ledger' ? Math.max(most, source.confirmations) : most),
      0,
    )
  }

  /** Follows the chain; call before `due`. */
  update(update: Pick<Update, 'disconnected' | 'connected'>): void {
    const walk = this.#walk
    if (walk === undefined) return
    const before = walk.height
    walk.update(update)
    if (walk.height === before) return
    // What changed is new to us, however deep.
    this.#past = Math.min(this.#past, walk.height)
    for (const height of [...this.#memories.keys()]) if (height > walk.height) this.#memories.delete(height)
    this.#memory = [...this.#memories.values()].at(-1) ?? NOTHING
  }

  /** Whether there are heights left to look at. */
  get behind(): boolean {
    return this.#walk === undefined || this.#walk.height < this.#chain.tip.height
  }

  /** What readings that have become deep enough come to; some heights in one go. To be taken to its end. */
  *due(surroundings: (wire: Wire) => Surroundings): Generator<Deed> {
    const { tip } = this.#chain
    this.#walk ??= new BlockWalk(this.#chain)
    let height = this.#walk.height
    for (const { block, confirmations, top } of this.#walk.next(this.#depthMax)) {
      if (top.height !== height) this.#keep(height)
      height = top.height
      const isPast = height <= Math.max(this.#past, this.#since) || top.time < tip.time - DAY_MS
      for (const [name, wire] of this.#wires) {
        if (wire.source.kind !== 'ledger' || wire.source.confirmations !== confirmations) continue
        yield* this.#look(name, wire, block.transactions, surroundings(wire), isPast)
      }
    }
    this.#keep(this.#walk.height)
  }

  /** What was remembered at the highest known height that is `depth` below what was looked at. */
  settled(depth: number): Saved | undefined {
    const deepest = (this.#walk?.height ?? 0) - depth
    const height = [...this.#memories.keys()].findLast((kept) => kept <= deepest) ?? -1
    const entry = this.#chain.at(height)
    const memories = this.#memories.get(height)
    return entry === undefined || memories === undefined ? undefined : { height, block: entry.hash, memories }
  }

  *#look(
    name: string,
    wire: Wire,
    transactions: readonly Sealed[],
    surroundings: Surroundings,
    isPast: boolean,
  ): Generator<Deed> {
    for (const { id, transaction: tx } of transactions) {
      const reading = readingFor(wire, id, tx)
      if (reading === undefined) continue
      const { isPaid } = surroundings
      const before = this.#memory.get(name) ?? freshMemory(0)
      const done = act(wire, before, reading, isPast ? { isPaid, obstacle: () => PAST } : surroundings)
      if (done.memory !== before) this.#memory = new Map(this.#memory).set(name, done.memory)
      if (!isPast) yield { wire, ...done }
    }
  }

  #keep(height: number): void {
    this.#memories.set(height, this.#memory)
    for (const oldest of this.#memories.keys()) {
      if (this.#memories.size <= HEIGHTS_KEPT) break
      this.#memories.delete(oldest)
    }
  }
}

const PAST = 'it is too long ago'
