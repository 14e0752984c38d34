/**
 * The chain on disk: segments of append-only logs, one atomic batch per accepted block, the state in memory.
 *
 * A batch is: the added block, the changes of blocks connected for the first time, the tip if it moved. What `save` has returned
 * from is on the disk. When a segment is large enough the next one begins with the whole state; when there are enough
 * behind the tip, the headers up to an old one go to `headers.log`, the window in memory begins there, and what lies below
 * may be deleted. Invariants: the window's base is the last header of `headers.log`, and its segment is there; a segment on which
 * the window may once begin stands on a block that was never undone. Source: docs/PROTOCOL.md section 10.
 */
import { type Archive, Chain, type Update } from '../ledger/chain.ts'
import { HEADER_GROUP, headerHash } from '../ledger/header.ts'
import { createNetwork, type Modules, type Network } from '../ledger/network.ts'
import { type Change, KIND } from '../ledger/state.ts'
import type { Header } from '../schemas/block.ts'
import { type Certificate, certificate as certificateCodec } from '../schemas/checkpoint.ts'
import { decode, encode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { type AppendLog, audit, openAppendLog } from './append-log.ts'
import { CheckpointRecords } from './checkpoint-records.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { groupOf, HEADERS_FILE, HeaderFile, type HeaderGroup } from './header-file.ts'
import {
  continues,
  inBatches,
  RECORD,
  readBlockHead,
  readChanges,
  recordName,
  updateRecords,
} from './records.ts'
import { Replay } from './replay.ts'
import { ACCOUNTS_MAX, baseBatches, removeDrafts, segmentHeights, segmentName, writeLog } from './segments.ts'
import { SettledBlocks } from './settled-blocks.ts'
import { hashing, signatures } from './signing.ts'

export interface StoreOptions extends Modules {
  /** Only looks, while another program may write. */
  readonly readOnly: boolean
  /** Blocks that stay in memory and can be undone. */
  readonly windowBlocks: number
  /** The same where signers make blocks final, or the budget wants it. */
  readonly windowBlocksMin: number
  /** A segment of so many bytes behind its state, or so many blocks, is followed by the next one. */
  readonly segmentBytes: number
  readonly segmentBlocks: number
  /** Old blocks are deleted when the ledger takes more than this. */
  readonly bytesMax: number
  /** Old blocks are deleted when they are so many milliseconds older than the tip. */
  readonly ageMsMax: number
  /** Whether blocks may leave the window for their depth alone; a node that has hardly listened to others says no. */
  readonly maySettle: () => boolean
  /** What whoever runs the program should know. */
  readonly onNotice: (message: string) => void
}

export const STORE_DEFAULTS: StoreOptions = {
  hashing,
  signatures,
  readOnly: false,
  windowBlocks: 16_384,
  windowBlocksMin: 1_024,
  segmentBytes: 4 << 20,
  segmentBlocks: 4_096,
  bytesMax: Number.POSITIVE_INFINITY,
  ageMsMax: Number.POSITIVE_INFINITY,
  maySettle: () => true,
  onNotice: () => {},
}

export function networkOf(genesis: Genesis, modules: Modules = { hashing, signatures }): Network {
  const network = createNetwork(genesis, modules)
  if (network.ok) return network.value
  const { field, message } = network.fault
  throw new WorldError('config', `genesis: ${field}: ${message}`)
}

/** The genesis that a ledger was founded with; undefined when there is none on the disk. Throws WorldError `store-corrupt`. */
export function storedGenesis(disk: Disk): Genesis | undefined {
  const newest = segmentHeights(disk).at(-1)
  if (newest === undefined) return undefined
  const name = segmentName(newest)
  const file = disk.open(name)
  try {
    for (const read of audit(file, continues)) {
      // A genesis cannot be fetched again: damage to it is never taken for an unfinished write.
      if (!read.ok && read.fault.code !== 'torn-tail')
        openAppendLog(disk.open(name), { sealed: true, kindName: recordName, continues })
      if (!read.ok || read.value.kind !== RECORD.genesis) return undefined
      const decoded = decode(genesisCodec, read.value.bytes, GENESIS_BYTES_MAX)
      return decoded.ok ? decoded.value : undefined
    }
    return undefined
  } finally {
    file.close()
  }
}

/** Whether a directory holds a ledger. */
export const hasLedger = (disk: Disk): boolean => segmentHeights(disk).length > 0

/** A segment of the window. */
interface Segment {
  /** Of the block on which it stands. */
  readonly height: number
  readonly log: AppendLog
  readonly blocks: Map<Hash, number>
  readonly changes: Map<Hash, number>
  /** The block on which it stands was undone since. */
  undone: boolean
}

export class ChainStore implements Archive {
  readonly chain: Chain
  readonly checkpoints = new CheckpointRecords(
    (kind, bytes) => void this.#current.log.append([{ kind, bytes }]),
  )
  /** As in the options, until somebody knows better. */
  maySettle: () => boolean
  readonly #disk: Disk
  readonly #options: StoreOptions
  readonly #headers: HeaderFile
  readonly #settled: SettledBlocks
  /** Of the window, the oldest first; the last one is written to. */
  #segments: Segment[] = []
  /** Below the window, the oldest first. */
  #old: { readonly height: number; readonly bytes: number }[] = []
  /** The latest changed last. */
  readonly #accounts: Set<Account>
  #noticed = false

  /** Opens a store, or founds it with `genesis` on an empty disk. Throws WorldError `store-corrupt`, `store-write`, `config`. */
  constructor(disk: Disk, genesis: Genesis | undefined, options: Partial<StoreOptions> = {}) {
    this.#disk = disk
    this.#options = { ...STORE_DEFAULTS, ...options }
    this.maySettle = this.#options.maySettle
    const stored = storedGenesis(disk)
    const network = this.#choose(stored, genesis)
    // An import of a snapshot that a crash ended: nothing stands on these headers.
    if (stored === undefined && disk.list().includes(HEADERS_FILE) && segmentHeights(disk).length === 0)
      disk.remove(HEADERS_FILE)
    this.#headers = new HeaderFile(disk, network)
    this.#settled = new SettledBlocks(disk, this.#options.onNotice)
    try {
      const { chain, accounts } = this.#load(network, stored === undefined)
      this.chain = chain
      this.#accounts = new Set(accounts)
      for (const cut of [this.#headers.cut, this.#current.log.cut])
        if (cut !== undefined) this.#options.onNotice(cutNotice(cut))
      // What a crash or other settings left to do.
      if (this.#options.readOnly) return
      // Not before: where the ledger is damaged, nothing is changed.
      removeDrafts(disk)
      this.#upkeep()
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Bytes of an unfinished last batch that a crash left behind and that were cut off. */
  get torn(): number {
    return this.#current.log.torn
  }

  /** Accounts that the stored chain has changed: the latest last, at most 1,000. */
  get accounts(): readonly Account[] {
    return [...this.#accounts]
  }

  /** Bytes on disk. */
  get size(): number {
    let bytes = this.#headers.size
    for (const old of this.#old) bytes += old.bytes
    for (const { log } of this.#segments) bytes += log.size
    return bytes
  }

  /** Height from which on every block is kept: the first one kept is the next. */
  get keptFrom(): number {
    return this.#old[0]?.height ?? this.#segments[0]?.height ?? 0
  }

  block(block: Hash): Uint8Array {
    return this.#read('blocks', block, RECORD.block)
  }

  changes(block: Hash): readonly Change[] {
    return readChanges(block, this.#read('changes', block, RECORD.changes))
  }

  header(height: number): Header {
    return this.#headers.header(height)
  }

  settled(height: number, hash: Hash): Uint8Array | undefined {
    // The hash is a peer's word: only for the right one is a segment read.
    if (headerHash(hashing, this.#headers.header(height)) !== hash) return undefined
    const bases = this.#old.map((old) => old.height)
    return this.#settled.find(bases, height, hash)
  }

  waypoint(height: number): Hash {
    return this.#headers.waypoint(height)
  }

  waypointHeight(hash: Hash): number | undefined {
    return this.#headers.waypointHeight(hash)
  }

  /**
   * Makes an update durable, with the certificate that caused it, both or neither. Throws WorldError `store-write`; nothing
   * of the update may be announced then.
   */
  save(update: Update, certificate?: Certificate): void {
    const { blocks, changes, log } = this.#current
    const records = updateRecords(update, (block) => this.#segments.some((each) => each.changes.has(block)))
    if (certificate !== undefined) {
      const bytes = encode(certificateCodec, certificate)
      records.unshift({ kind: RECORD.certificate, bytes, block: certificate.target.hash })
    }
    // The tip comes last: a crash between two batches leaves blocks and changes that nobody was told of.
    const positions = inBatches(records).flatMap((batch) => log.append(batch))
    if (certificate !== undefined) this.checkpoints.keep(certificate)
    for (const [index, { kind, block }] of records.entries()) {
      if (kind === RECORD.block) blocks.set(block, positions[index] as number)
      if (kind === RECORD.changes) changes.set(block, positions[index] as number)
    }
    const { connected, disconnected, tip } = update
    if (disconnected.length > 0) this.#markUndone(tip.height - connected.length)
    for (const { changes: made } of connected) for (const change of made) this.#touch(change)
    if (connected.length > 0 && tip.height % HEADER_GROUP === 0) this.#upkeep()
    else if (this.#old.length > 0 && this.size > this.#options.bytesMax) this.#prune()
  }

  close(): void {
    this.#headers.close()
    this.#settled.close()
    for (const { log } of this.#segments) log.close()
  }

  get #current(): Segment {
    const current = this.#segments.at(-1)
    invariant(current !== undefined, 'a store has a segment')
    return current
  }

  #choose(stored: Genesis | undefined, genesis: Genesis | undefined): Network {
    const modules: Modules = { hashing: this.#options.hashing, signatures: this.#options.signatures }
    if (stored === undefined) {
      if (genesis === undefined) throw new WorldError('config', 'the store is empty and no genesis was given')
      return networkOf(genesis, modules)
    }
    const network = networkOf(stored, modules)
    if (genesis === undefined || networkOf(genesis).genesisHash === network.genesisHash) return network
    throw new WorldError(
      'config',
      `this data directory belongs to network ${network.id} and not to the configured genesis; use another --data directory`,
    )
  }

  #load(network: Network, fresh: boolean): ReturnType<Replay['finish']> {
    const replay = new Replay({
      network,
      checkpoints: this.checkpoints,
      open: (base) => new Chain(network, this, base),
      block: (block) => this.block(block),
      changes: (block) => this.changes(block),
    })
    const heights = segmentHeights(this.#disk)
    if (heights.length === 0) heights.push(0)
    const window = heights.filter((height) => height >= this.#headers.height)
    if (window[0] !== this.#headers.height) {
      throw new WorldError(
        'store-corrupt',
        `the ledger is damaged: ${HEADERS_FILE} ends at height ${this.#headers.height}, but there is no ${segmentName(this.#headers.height)}. Nothing was changed. Restore what is missing from a backup, or run pinledger repair`,
      )
    }
    for (const height of window) this.#open(replay, height, height !== window.at(-1))
    if (fresh)
      this.#current.log.append([{ kind: RECORD.genesis, bytes: encode(genesisCodec, network.genesis) }])
    for (const height of heights) {
      if (height >= this.#headers.height) break
      const file = this.#disk.open(segmentName(height))
      this.#old.push({ height, bytes: file.size })
      file.close()
    }
    return replay.finish()
  }

  #open(replay: Replay, height: number, sealed: boolean): void {
    const name = segmentName(height)
    const [blocks, changes] = [new Map<Hash, number>(), new Map<Hash, number>()]
    replay.segment(name, height, !sealed)
    const log = openAppendLog(this.#disk.open(name), {
      sealed,
      continues,
      kindName: recordName,
      onRecord: (kind, bytes, position) => {
        const block = replay.record(kind, bytes, position)
        if (block !== undefined) (kind === RECORD.block ? blocks : changes).set(block, position)
      },
    })
    this.#segments.push({ height, log, blocks, changes, undone: false })
    this.#markUndone(replay.lowest)
  }

  #markUndone(height: number): void {
    for (const segment of this.#segments) if (segment.height > height) segment.undone = true
  }

  #touch({ kind, key }: Change): void {
    if (kind !== KIND.account) return
    const account = key as string as Account
    this.#accounts.delete(account)
    this.#accounts.add(account)
    if (this.#accounts.size <= ACCOUNTS_MAX) return
    for (const oldest of this.#accounts) {
      this.#accounts.delete(oldest)
      break
    }
  }

  #upkeep(): void {
    this.#roll()
    const { tip, final, network } = this.chain
    const { windowBlocks, windowBlocksMin, bytesMax } = this.#options
    const least = tip.height - windowBlocksMin
    const isFinal = network.genesis.checkpointSigners.length > 0
    const deep = this.maySettle() ? tip.height - windowBlocks : 0
    this.#settle(Math.max(deep, isFinal ? Math.min(final.height, least) : 0))
    this.#prune()
    // Only when no old blocks are left does the budget cost some of the window.
    if (this.size <= bytesMax) return
    this.#settle(least)
    this.#prune()
    this.#noticeSize()
  }

  /** Begins the next segment when the tip stands where one may begin and the current one is large enough. */
  #roll(): void {
    const { tip, network, state } = this.chain
    const { height, log, blocks } = this.#current
    const { segmentBytes, segmentBlocks } = this.#options
    if (tip.height % HEADER_GROUP !== 0 || tip.height <= height) return
    // Without the state that it begins with: a state of that size would else be written again each 256 blocks.
    const [start = log.size] = blocks.values()
    if (log.size - start < segmentBytes && blocks.size < segmentBlocks) return
    const head = readBlockHead(this.block(tip.hash))
    invariant(tip.parent !== undefined, 'the tip is above the base')
    const base = { ...head, parentTime: tip.parent.time, work: tip.work }
    const rest = { accounts: this.accounts, checkpoints: this.checkpoints.records() }
    const name = segmentName(tip.height)
    writeLog(this.#disk, name, baseBatches(network, base, state, rest))
    this.#segments.push({
      height: tip.height,
      log: openAppendLog(this.#disk.open(name), { continues, kindName: recordName }),
      blocks: new Map(),
      changes: new Map(),
      undone: false,
    })
  }

  /** Lets the window begin at the last segment up to a height that no reorganisation may still undo. */
  #settle(highest: number): void {
    const at = this.#segments.findLastIndex(({ height, undone }) => !undone && height <= highest)
    const base = this.#segments[at]
    if (base === undefined || base.height <= this.chain.base.height) return
    this.#headers.append(this.#groupsTo(base.height))
    this.chain.trim(base.height)
    for (const { height, log } of this.#segments.splice(0, at)) {
      this.#old.push({ height, bytes: log.size })
      log.close()
    }
  }

  #groupsTo(height: number): HeaderGroup[] {
    const { chain } = this
    const groups: HeaderGroup[] = []
    for (let first = this.#headers.height + 1; first < height; first += HEADER_GROUP) {
      const headers: Header[] = []
      for (let at = first; at < first + HEADER_GROUP; at++) headers.push(chain.header(at))
      const last = chain.at(first + HEADER_GROUP - 1)
      invariant(last !== undefined, 'the window has the header')
      groups.push(
        groupOf(chain.network, headers, { parentTime: chain.header(first - 1).time, work: last.work }),
      )
    }
    return groups
  }

  /** Deletes old segments, the oldest first, while they are too old or all together are too large. */
  #prune(): void {
    const { bytesMax, ageMsMax } = this.#options
    for (let old = this.#old[0]; old !== undefined; old = this.#old[0]) {
      const next = this.#old[1]?.height ?? this.chain.base.height
      const ageMs = this.chain.tip.time - this.#headers.header(next).time
      if (this.size <= bytesMax && ageMs <= ageMsMax) break
      this.#settled.forget(old.height)
      this.#disk.remove(segmentName(old.height))
      this.#old.shift()
    }
  }

  #noticeSize(): void {
    const { bytesMax, onNotice } = this.#options
    if (this.size <= bytesMax || this.#noticed) return
    this.#noticed = true
    onNotice(
      `the ledger takes ${this.size} bytes, more than the ${bytesMax} that it may: the last ${this.#options.windowBlocksMin} blocks always stay, and the state`,
    )
  }

  #read(of: 'blocks' | 'changes', block: Hash, kind: number): Uint8Array {
    for (let at = this.#segments.length - 1; at >= 0; at--) {
      const segment = this.#segments[at] as Segment
      const position = segment[of].get(block)
      if (position === undefined) continue
      const record = segment.log.read(position)
      invariant(record.kind === kind, `record at ${position} is of kind ${kind}`)
      return record.bytes
    }
    invariant(false, `block ${block} is stored`)
  }
}

const cutNotice = (what: string): string =>
  `the last write to the ledger was not whole: ${what}. It was cut off and kept beside the file; what the network has confirmed is fetched again`
