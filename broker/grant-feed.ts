/**
 * A validator's grants on their way to the broker: follows the chain and what waits for a block, looks back after a start, tells what
 * has changed.
 *
 * The look back goes from the tip down, a little at a time, so that the newest receipts are found at once and nobody waits for the
 * oldest; it ends where no receipt can run any more, or where blocks are no longer kept. Everything is said anew after each connect.
 */
import type { Chain, Update } from '../ledger/chain.ts'
import { headerHash } from '../ledger/header.ts'
import type { Dropped } from '../ledger/mempool.ts'
import type { Sealed } from '../ledger/transaction.ts'
import type { Log } from '../node/log.ts'
import { type Cancel, every, type Timers } from '../node/timers.ts'
import { BLOCK_BYTES_MAX, block as blockCodec } from '../schemas/block.ts'
import { decode } from '../schemas/codec.ts'
import { GRANT_MS_MAX, grant } from '../schemas/grant.ts'
import type { Account } from '../schemas/hex.ts'
import { mirror, topic } from '../schemas/topic.ts'
import { type Announcement, withMirror } from './announcer.ts'
import { GRANT_BOOK_LIMITS, GrantBook, type GrantBookLimits, type Pair } from './grant-book.ts'

/** A tenth of the time at most is spent on looking back. */
const LOOK_EVERY_MS = 100
const LOOK_MS = 10
/** Pairs that have nothing any more, and that a broker may still have something of: said again after a connect. */
const WITHDRAWN_MAX = 10_000
const RECEIPT = Buffer.from('sold ')
const NOTHING = new Uint8Array(0)

export interface GrantFeedModules {
  readonly chain: Chain
  /** The validator. */
  readonly account: Account
  /** Says something retained, made when its turn comes; nothing while there is no connection. */
  readonly retained: (name: string, make: () => readonly Announcement[]) => void
  readonly log: Log
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly timers: Timers
  /** The disk does not give back what it has, or a bug of ours. */
  readonly onFatal: (error: unknown) => void
  readonly limits?: GrantBookLimits
}

export class GrantFeed {
  readonly #modules: GrantFeedModules
  readonly #book: GrantBook
  readonly #withdrawn = new Map<string, Pair>()
  /** The next height to look at; 0: done. */
  #cursor = 0
  #stop: Cancel = () => {}

  constructor(modules: GrantFeedModules) {
    this.#modules = modules
    this.#book = new GrantBook(modules.limits ?? GRANT_BOOK_LIMITS)
  }

  /** Entries that run. */
  get size(): number {
    return this.#book.size
  }

  /** Receipts that found no room since the start. */
  get dropped(): number {
    return this.#book.dropped
  }

  /** Whether old blocks are still looked at. */
  get isLooking(): boolean {
    return this.#cursor > 0
  }

  start(): void {
    this.#cursor = this.#modules.chain.tip.height
    this.#look()
    if (!this.isLooking) return
    this.#stop = every(this.#modules.timers, LOOK_EVERY_MS, () => {
      try {
        this.#look()
      } catch (error) {
        this.#modules.onFatal(error)
      }
    })
  }

  stop(): void {
    this.#stop()
  }

  /** A transaction entered the mempool. Who bought a topic does not wait for a block: its time runs already. */
  onTransaction({ transaction }: Sealed): void {
    const { time } = this.#modules.chain.tip
    this.#book.heed(transaction, time, time)
    this.#tell()
  }

  /** `dropped`: what left the mempool, and is in no block. */
  onUpdate({ disconnected, connected, tip }: Update, dropped: readonly Dropped[]): void {
    // Before the blocks: they may have the same receipt, sent with another fee.
    for (const { sealed } of dropped) this.#book.takeBack(sealed.transaction)
    for (const { block } of disconnected) this.#book.disconnect(block)
    for (const { block } of connected) this.#book.connect(block, block.header.time)
    if (connected.length > 0) this.#book.expire(tip.time)
    this.#tell()
  }

  /** Everything, to a broker that may know nothing. */
  publishAll(): void {
    for (const pair of this.#withdrawn.values()) this.#publish(pair)
    for (const pair of this.#book.pairs) this.#publish(pair)
  }

  #tell(): void {
    for (const pair of this.#book.takeChanged()) {
      const key = `${pair.seller}/${pair.buyer}`
      this.#withdrawn.delete(key)
      if (this.#book.sensors(pair).length === 0) this.#withdraw(key, pair)
      this.#publish(pair)
    }
  }

  #withdraw(key: string, pair: Pair): void {
    this.#withdrawn.set(key, pair)
    if (this.#withdrawn.size <= WITHDRAWN_MAX) return
    for (const oldest of this.#withdrawn.keys()) {
      this.#withdrawn.delete(oldest)
      break
    }
  }

  #publish(pair: Pair): void {
    const { chain, account, retained } = this.#modules
    const { seller, buyer } = pair
    const name = topic(chain.network.id, 'grant', account, seller, buyer)
    retained(name, () => {
      const sensors = this.#book.sensors(pair)
      if (sensors.length > 0)
        return withMirror(name, grant, { seller, buyer, height: chain.tip.height, sensors })
      return [name, mirror(name)].map((gone) => ({ topic: gone, payload: NOTHING, qos: 1 as const }))
    })
  }

  /** Looks at older blocks for a while. */
  #look(): void {
    const { monotonic, chain } = this.#modules
    const untilMs = monotonic() + LOOK_MS
    while (this.#cursor > 0 && monotonic() < untilMs) this.#cursor = this.#lookAt(this.#cursor)
    this.#tell()
    if (this.isLooking) return
    this.#stop()
    this.#modules.log.debug('looked back for receipts', { grants: this.size, height: chain.tip.height })
  }

  /** Takes the receipts at a height; the next height to look at, 0 when there is none. */
  #lookAt(height: number): number {
    const { chain } = this.#modules
    // A reorganisation may have left a shorter chain.
    if (height > chain.tip.height) return chain.tip.height
    const header = chain.header(height)
    if (header.time < chain.tip.time - GRANT_MS_MAX) return 0
    const hash = chain.at(height)?.hash ?? headerHash(chain.network.hashing, header)
    const bytes = height > chain.base.height ? chain.archive.block(hash) : chain.archive.settled(height, hash)
    if (bytes === undefined) return 0
    // Most blocks have none: those are not decoded.
    if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(RECEIPT)) {
      const decoded = decode(blockCodec, bytes, BLOCK_BYTES_MAX)
      if (decoded.ok) this.#book.connect(decoded.value, chain.tip.time)
    }
    return height - 1
  }
}
