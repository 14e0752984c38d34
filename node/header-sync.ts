/**
 * A peer's headers, in two passes: nothing is kept of a chain before it has shown more work than ours.
 *
 * The first pass checks every header (link, height, target, proof of work, time) and keeps a running position and, of each
 * reply, the hash and height of the last header: a commitment, some 200 bytes for 768 headers, so at most 0.3 MB for the
 * million headers at which it ends. The second pass asks for the same headers again and takes only those that lead to the
 * commitments. What fits one reply needs no second pass. Replies end on multiples of HEADER_GROUP, because those
 * are the old blocks that a peer finds by their hash. Source: docs/PROTOCOL.md section 8; the idea is Bitcoin Core's headers presync.
 */
import type { Chain } from '../ledger/chain.ts'
import { checkHeader, HEADER_GROUP, headerHash, type Position } from '../ledger/header.ts'
import type { Header } from '../schemas/block.ts'
import type { Checkpoint } from '../schemas/checkpoint.ts'
import { type Hash, short } from '../schemas/hex.ts'
import { HEADERS_MAX } from '../schemas/message.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import type { AskFault } from './requests.ts'
import type { Settled } from './settled.ts'

/** Headers of one request after the first, which brings the peer and us to a multiple of the group. */
const BATCH = Math.floor(HEADERS_MAX / HEADER_GROUP) * HEADER_GROUP

export const HEADER_SYNC_DEFAULTS = {
  /** Headers after which the first pass is content with more work than ours; the next catch-up goes on from there. */
  perRunMax: 100_000,
  /** Headers after which a chain that has not more work than ours is given up. */
  seenMax: 1_000_000,
} as const
export type HeaderLimits = { readonly [K in keyof typeof HEADER_SYNC_DEFAULTS]: number }

/** Blocks one after the other; the first is at `height`. */
export interface Stretch {
  readonly height: number
  readonly hashes: readonly Hash[]
}

/** What the first pass found. */
export interface Survey {
  /** Work of the peer's chain, as far as it was looked at. */
  readonly work: bigint
  /** Height of its last header that was looked at. */
  readonly height: number
  /** False when the peer has more headers. */
  readonly ended: boolean
  /** Height of the block that the first header builds on. */
  readonly root: number
  /** Height of the last block that it has in common with our best chain; at least the final block's for a branch of the tree. */
  readonly fork: number
  /** Whether a wanted block is on it. */
  readonly wanted: boolean
}

export interface HeaderSyncModules {
  readonly chain: Chain
  readonly settled: Settled
  /** Wall clock, for block times. */
  readonly now: () => number
  /** Whether signers agreed on a block that is not here. */
  readonly wants?: (hash: Hash) => boolean
  /** Height of the highest such block: until there, the first pass goes on, whatever it has seen. */
  readonly wantedHeight?: number
  /** A block that our chain lacks and without which no chain is followed. */
  readonly trusted?: Checkpoint | undefined
  readonly ask: (locator: readonly Hash[], limit: number) => Promise<Result<readonly Header[], AskFault>>
  /** So many headers were looked at, and the last is at this height. */
  readonly onHeaders: (headers: number, height: number) => void
}

export class HeaderSync {
  readonly #modules: HeaderSyncModules
  readonly #limits: HeaderLimits
  readonly #locator: readonly Hash[]
  readonly #commitments: Pick<Position, 'hash' | 'height'>[] = []
  /** What everything that was looked at builds on. */
  #root: Position | undefined
  #last: Position | undefined
  #fork: number | undefined
  /** True once the peer's chain has left ours. */
  #left = false
  #wanted = false
  /** While work is counted from one of our settled blocks, and not from block 0. */
  #relative = false
  /** The headers of a single reply, which need no second pass. */
  #single: Stretch | undefined
  #fetched = 0

  constructor(modules: HeaderSyncModules, limits: HeaderLimits = HEADER_SYNC_DEFAULTS) {
    this.#modules = modules
    this.#limits = limits
    this.#locator = modules.chain.locator()
  }

  /** The first pass. Undefined when the peer has nothing to show. */
  async survey(): Promise<Result<Survey | undefined, string>> {
    const { chain, ask, onHeaders } = this.#modules
    const { perRunMax, seenMax } = this.#limits
    const { trusted, wantedHeight = 0 } = this.#modules
    const least = Math.max(wantedHeight, trusted?.height ?? 0)
    let ended = false
    for (let seen = 0, limit = HEADERS_MAX, locator = this.#locator; ; limit = BATCH) {
      const answer = await ask(locator, limit)
      if (!answer.ok) return refuse(answer.fault.message)
      const headers = answer.value
      if (headers.length > limit) return refuse(`${headers.length} headers instead of at most ${limit}`)
      const looked = this.#look(headers)
      if (!looked.ok) return looked
      const full = headers.length === limit && !looked.value.early
      const { hashes } = looked.value
      if (seen === 0 && !full && hashes.length > 0)
        this.#single = { height: (this.#last?.height ?? 0) - hashes.length + 1, hashes }
      if (full) this.#last = looked.value.aligned
      if (this.#last === undefined) return accept(undefined)
      if (hashes.length > 0) this.#commitments.push({ hash: this.#last.hash, height: this.#last.height })
      seen += hashes.length
      onHeaders(hashes.length, this.#last.height)
      const enough = seen >= seenMax || (seen >= perRunMax && this.#last.work > chain.tip.work)
      ended = !full
      if (ended || (enough && this.#last.height >= least)) break
      locator = [this.#last.hash]
    }
    const [root, { work, height }] = [this.#root, this.#last]
    invariant(root !== undefined, 'what was looked at builds on something')
    if (trusted !== undefined && (root.height >= trusted.height || height < trusted.height))
      return refuse(`its chain does not lead to the trusted block at height ${trusted.height}`)
    const below = this.#relative ? await this.#modules.settled.work(root.height) : 0n
    return accept({
      work: work + below,
      height,
      ended,
      root: root.height,
      wanted: this.#wanted,
      fork: this.#fork ?? height,
    })
  }

  /** The second pass: the next blocks, lowest first; undefined after the last. */
  async next(): Promise<Result<Stretch | undefined, string>> {
    const { chain, ask } = this.#modules
    const commitment = this.#commitments[this.#fetched]
    const before = this.#fetched === 0 ? this.#root : this.#commitments[this.#fetched - 1]
    if (commitment === undefined || before === undefined) return accept(undefined)
    this.#fetched++
    if (this.#single !== undefined) return accept(this.#single)
    const answer = await ask(
      this.#fetched === 1 ? this.#locator : [before.hash],
      commitment.height - before.height,
    )
    if (!answer.ok) return refuse(answer.fault.message)
    const hashes: Hash[] = []
    let { hash } = before
    for (const header of answer.value) {
      if (header.parent !== hash) break
      hash = headerHash(chain.network.hashing, header)
      hashes.push(hash)
    }
    // Each header names its parent's hash: whoever ends on the same one sent the same headers.
    if (hash !== commitment.hash) return refuse('its headers are not those of the first pass')
    return accept({ height: before.height + 1, hashes })
  }

  /** Checks headers as followers of the last ones. */
  #look(
    headers: readonly Header[],
  ): Result<{ hashes: readonly Hash[]; early: boolean; aligned: Position | undefined }, string> {
    const { chain, now } = this.#modules
    const hashes: Hash[] = []
    let aligned: Position | undefined
    for (const header of headers) {
      const parent = this.#last ?? this.#parentOf(header)
      if (parent === undefined) return refuse(`a header on ${short(header.parent)}, which we do not have`)
      const checked = checkHeader(chain.network, header, parent, now())
      if (!checked.ok) {
        // Only time can mend it. A header that does not follow the last one, above all one sent again, never ends.
        if (checked.fault.code === 'time-too-new') return accept({ hashes, early: true, aligned })
        return refuse(`a bad header: ${checked.fault.code} ${checked.fault.message}`)
      }
      if (chain.isInvalid(checked.value.hash)) return refuse('its chain has a block that broke a rule')
      if (this.#root === undefined) this.#begin(parent)
      this.#last = this.#inPlace(checked.value)
      hashes.push(this.#last.hash)
      if (this.#isOther(this.#last))
        return refuse(`its block at height ${this.#last.height} is not the trusted one`)
      this.#wanted ||= this.#modules.wants?.(this.#last.hash) ?? false
      if (this.#last.height % HEADER_GROUP === 0) aligned = this.#last
    }
    return accept({ hashes, early: false, aligned })
  }

  #isOther({ height, hash }: Position): boolean {
    const { trusted } = this.#modules
    return height === trusted?.height && hash !== trusted.hash
  }

  #begin(parent: Position): void {
    const { chain } = this.#modules
    this.#root = parent
    const entry = chain.entry(parent.hash)
    this.#relative = entry === undefined
    this.#left = entry !== undefined && !chain.isBest(entry)
    // A side branch of the window leaves our chain in the window.
    this.#fork = this.#left ? undefined : parent.height
  }

  /** Our block of the window instead of a position that was only counted, and where the two chains part. */
  #inPlace(position: Position): Position {
    const { chain } = this.#modules
    if (this.#left) return position
    const { hash, height } = position
    const ours =
      height >= chain.base.height
        ? chain.at(height)?.hash
        : headerHash(chain.network.hashing, chain.header(height))
    if (hash !== ours) this.#left = true
    else this.#fork = height
    if (!this.#relative || hash !== chain.base.hash) return position
    this.#relative = false
    return chain.base
  }

  /** Where a first header belongs: in the window, or on one of our settled blocks. */
  #parentOf({ parent, height }: Header): Position | undefined {
    const { chain, settled } = this.#modules
    const entry = chain.entry(parent)
    if (entry !== undefined) return entry
    if (height < 1 || height > chain.base.height) return undefined
    const position = settled.position(height - 1)
    return position.hash === parent ? position : undefined
  }
}
