/**
 * History: what a node that began from a snapshot fetches and checks afterwards, block by block from the genesis.
 *
 * In `history` below the data directory, a second store that keeps little. Its blocks are those that the headers of the snapshot
 * name, from peers that still have them, one question a second. When it arrives at the snapshot's block, executed all
 * the way, the state that was taken on trust is proved, and `history-checked.json` says so. A block of that chain
 * that breaks a rule means that the snapshot is worthless. After a restart it goes on where it was.
 * Source: docs/OPERATIONS.md.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Chain } from '../ledger/chain.ts'
import { headerHash } from '../ledger/header.ts'
import { HEADER_BYTES } from '../schemas/block.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { hashFromBytes, short } from '../schemas/hex.ts'
import { ChainStore } from './chain-store.ts'
import { createFileDurably, openDisk } from './disk.ts'
import { WorldError } from './error.ts'
import type { Log } from './log.ts'
import type { Requests } from './requests.ts'
import { every, systemTimers, type Timers } from './timers.ts'

export const HISTORY_FOLDER = 'history'
const CHECKED_FILE = 'history-checked.json'
/** What the second store keeps on the disk while it works. */
const STORE = { windowBlocks: 1_024, windowBlocksMin: 1_024, bytesMax: 32 << 20 }
const ASK_EVERY_MS = 1_000
/** Blocks in a question. */
const BLOCKS_ASKED = 64
const TOLD_EVERY_MS = 30_000

/** Whoever founds a data directory from a snapshot says that its history is still to be checked. */
export const expectHistory = (directory: string): void =>
  void mkdirSync(join(directory, HISTORY_FOLDER), { recursive: true, mode: 0o700 })

export interface HistoryModules {
  readonly requests: Pick<Requests, 'ask'>
  /** Who may have old blocks. */
  readonly peers: () => readonly Account[]
  readonly log: Log
  readonly monotonic: () => number
  readonly timers?: Timers
  /** The snapshot's chain breaks a rule, the disk fails, or a bug of ours. */
  readonly onFatal: (error: unknown) => void
}

export class History {
  readonly #directory: string
  readonly #main: Chain
  readonly #modules: HistoryModules
  #store: ChainStore | undefined
  #stop = (): void => {}
  #asking = false
  #turn = 0
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(directory: string, main: Chain, modules: HistoryModules) {
    this.#directory = directory
    this.#main = main
    this.#modules = modules
  }

  /** Begins, or goes on, if there is a history to check. */
  start(): void {
    const folder = join(this.#directory, HISTORY_FOLDER)
    if (!existsSync(folder)) return
    this.#store = new ChainStore(openDisk(folder), this.#main.network.genesis, STORE)
    this.#stop = every(this.#modules.timers ?? systemTimers, ASK_EVERY_MS, () => {
      if (!this.#asking) void this.#step().catch(this.#modules.onFatal)
    })
  }

  stop(): void {
    this.#stop()
    this.#store?.close()
    this.#store = undefined
  }

  async #step(): Promise<void> {
    const store = this.#store
    const target = this.#main.base.height
    if (store === undefined) return
    const { height } = store.chain.tip
    // The snapshot's own height is below the base once the window has moved on; what is checked beyond it does no harm.
    if (height >= target) return this.#finish(store)
    this.#tell(height, target)
    const peers = this.#modules.peers()
    const peer = peers[this.#turn++ % Math.max(1, peers.length)]
    if (peer === undefined) return
    const hashes: Hash[] = []
    const { network } = this.#main
    for (let at = height + 1; at <= target && hashes.length < BLOCKS_ASKED; at++)
      hashes.push(headerHash(network.hashing, this.#main.header(at)))
    this.#asking = true
    try {
      const answer = await this.#modules.requests.ask(peer, { type: 'getBlocks', height: height + 1, hashes })
      // Stopped meanwhile, or the peer no longer has what is so old: another one is asked next.
      if (this.#store === undefined || !answer.ok) return
      for (const [index, bytes] of answer.value.blocks.entries())
        if (!this.#take(store, bytes, hashes[index])) return
    } finally {
      this.#asking = false
    }
  }

  /** False when the peer sent another block than the one asked for. */
  #take(store: ChainStore, bytes: Uint8Array, wanted: Hash | undefined): boolean {
    const { network } = this.#main
    const hash = hashFromBytes(network.hashing.double(bytes.subarray(0, HEADER_BYTES)))
    if (hash !== wanted) return false
    // Its time was judged when the snapshot's headers were.
    const outcome = store.chain.accept(bytes, Number.MAX_SAFE_INTEGER)
    if (outcome.ok) {
      store.save(outcome.value)
      return true
    }
    const { code, message } = outcome.fault
    // A body that is not the header's says something about the peer only.
    if (!store.chain.isInvalid(hash)) return false
    throw new WorldError(
      'store-corrupt',
      `the history of the snapshot breaks a rule at block ${short(hash)}: ${code}: ${message}. ` +
        `Do not trust this ledger: move ${this.#directory} away, and start anew from the genesis or from another snapshot`,
    )
  }

  #tell(height: number, target: number): void {
    const nowMs = this.#modules.monotonic()
    if (nowMs - this.#toldMs < TOLD_EVERY_MS) return
    this.#toldMs = nowMs
    this.#modules.log.info('checking the history below the snapshot', { height, of: target })
  }

  #finish(store: ChainStore): void {
    const { tip, state } = store.chain
    const expected = headerHash(this.#main.network.hashing, this.#main.header(tip.height))
    // Headers link up to the snapshot, so this cannot be another block; the state was compared with every coinbase.
    const checked = { height: tip.height, hash: tip.hash, stateRoot: state.root() }
    if (tip.hash !== expected)
      throw new WorldError('store-corrupt', `the history ends on ${tip.hash}, expected ${expected}`)
    this.stop()
    if (!existsSync(join(this.#directory, CHECKED_FILE)))
      createFileDurably(join(this.#directory, CHECKED_FILE), Buffer.from(`${JSON.stringify(checked)}\n`))
    rmSync(join(this.#directory, HISTORY_FOLDER), { recursive: true })
    this.#modules.log.info('the history below the snapshot is valid', checked)
  }
}
