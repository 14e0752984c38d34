/**
 * Snapshots: a ledger without its history. All headers, and the state after a block that lies deep enough.
 *
 * A file is one append-only log: genesis, header groups from height 1 on, then what a segment has behind its genesis. Making one
 * only reads. Taking one checks whatever can be without the blocks: every header's proof of work, target and time, that the
 * base is the last of them, that its coinbase is the header's and the state's root the coinbase's, and that certificates are the
 * signers' and name blocks of these headers. What that leaves to trust: that no chain with more work exists, and that whoever
 * mined on the base had checked what came before.
 * Source: docs/PROTOCOL.md section 10.
 */
import { workOf } from '../ledger/difficulty.ts'
import { HEADER_GROUP, headerHash, type Position, position0 } from '../ledger/header.ts'
import type { Network } from '../ledger/network.ts'
import type { Header } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Hash } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { audit, type LogEntry, type LogFile, type LogRecord, openAppendLog } from './append-log.ts'
import { type ChainStore, hasLedger, networkOf } from './chain-store.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { checkGroup } from './header-check.ts'
import { decodeGroup, expandGroup, groupOf, HEADERS_FILE, headersRecord } from './header-file.ts'
import { keptCertificateFault } from './kept-certificate.ts'
import { RECORD, RECORD_BYTES_MAX, readBlockHead } from './records.ts'
import { BaseReader, baseBatches, DRAFT, segmentName } from './segments.ts'

/** Blocks that have to stand above the base of a snapshot, where no signers make blocks final. */
export const SNAPSHOT_DEPTH = 100
/** Groups that are written at once. */
const GROUPS_AT_ONCE = 16
/** The one that justified the highest block and the one that made the highest final. */
const CERTIFICATES_MAX = 2

export interface Snapshot {
  readonly network: string
  readonly height: number
  readonly hash: Hash
  readonly stateRoot: Hash
  readonly work: bigint
}

/**
 * Height for a snapshot of a store: the one asked for, or the highest there may be. Throws WorldError `usage` when it is no multiple
 * of HEADER_GROUP, too close to the tip, or below the window.
 */
export function snapshotHeight({ chain }: ChainStore, asked?: number): number {
  const signed = chain.network.genesis.checkpointSigners.length > 0
  const highest = signed ? chain.final.height : chain.tip.height - SNAPSHOT_DEPTH
  const best = Math.floor(highest / HEADER_GROUP) * HEADER_GROUP
  const lowest = Math.max(HEADER_GROUP, chain.base.height)
  if (best < lowest) {
    const why = signed ? 'be final' : `have ${SNAPSHOT_DEPTH} blocks above it`
    throw new WorldError(
      'usage',
      `no snapshot yet: block ${lowest} has to ${why}, the tip is at ${chain.tip.height}`,
    )
  }
  if (asked === undefined) return best
  if (asked % HEADER_GROUP === 0 && asked >= lowest && asked <= best) return asked
  throw new WorldError(
    'usage',
    `--height: expected a multiple of ${HEADER_GROUP} from ${lowest} to ${best}, got ${asked}`,
  )
}

/** Writes a snapshot of a block of the window to an empty file, durably. */
export function writeSnapshot(store: ChainStore, height: number, file: LogFile): Snapshot {
  const { chain } = store
  const { network } = chain
  const entry = chain.at(height)
  invariant(entry !== undefined, 'the block is in the window')
  let { state } = chain
  for (let above = chain.tip; above !== entry; ) {
    state = state.with(store.changes(above.hash), 'before')
    invariant(above.parent !== undefined, 'the block is below the tip')
    above = above.parent
  }
  const bytes = entry.parent === undefined ? store.settled(height, entry.hash) : store.block(entry.hash)
  if (bytes === undefined)
    throw new WorldError('usage', `block ${height} is not kept: ask for another --height`)
  const log = openAppendLog(file)
  log.append([{ kind: RECORD.genesis, bytes: encode(genesisCodec, network.genesis) }])
  let work = 0n
  for (let first = 1; first < height; first += HEADER_GROUP) {
    const headers: Header[] = []
    for (let at = first; at < first + HEADER_GROUP; at++) headers.push(chain.header(at))
    work = headers.reduce((sum, { target }) => sum + workOf(target), work)
    const group = groupOf(network, headers, { parentTime: chain.header(first - 1).time, work })
    log.append([{ kind: RECORD.headers, bytes: encode(headersRecord, group) }])
  }
  invariant(work === entry.work, 'the work of the headers is that of the chain')
  const base = { ...readBlockHead(bytes), parentTime: chain.header(height - 1).time, work }
  const checkpoints = store.checkpoints.certificatesUpTo(height)
  const batches = baseBatches(network, base, state, { accounts: store.accounts, checkpoints })
  for (const batch of batches) log.append(batch.filter(({ kind }) => kind !== RECORD.genesis))
  log.close()
  return { network: network.id, height, hash: entry.hash, stateRoot: state.root(), work }
}

export interface ImportOptions {
  /** The network that it must be of. */
  readonly genesis: Genesis | undefined
  /** The block that it must be of. */
  readonly hash: Hash | undefined
  readonly nowMs: number
}

/**
 * Checks a snapshot and writes it to a disk without a ledger, all or nothing; yields heights for a progress line. Throws
 * WorldError `usage` with the reason why it is refused.
 */
export function* readSnapshot(
  file: LogFile,
  disk: Disk,
  options: ImportOptions,
): Generator<number, Snapshot> {
  if (hasLedger(disk))
    throw new WorldError('usage', 'there is a ledger already: choose an empty --data directory')
  disk.remove(HEADERS_FILE)
  disk.remove(`${HEADERS_FILE}${DRAFT}`)
  const taken = new Import(file.path, disk, options)
  try {
    for (const read of audit(file)) {
      if (!read.ok) taken.refuse(`record ${read.fault.record}: ${read.fault.message} (${read.fault.code})`)
      else if (taken.take(read.value)) yield taken.height
    }
    return taken.finish()
  } finally {
    taken.close()
  }
}

class Import {
  readonly #path: string
  readonly #disk: Disk
  readonly #options: ImportOptions
  readonly #headers
  #network: Network | undefined
  #position: Position | undefined
  #reader: BaseReader | undefined
  #groups: LogEntry[] = []
  /** Where the groups stand that were written. */
  readonly #positions: number[] = []
  readonly #rest: LogEntry[] = []

  constructor(path: string, disk: Disk, options: ImportOptions) {
    this.#path = path
    this.#disk = disk
    this.#options = options
    this.#headers = openAppendLog(disk.open(`${HEADERS_FILE}${DRAFT}`))
  }

  get height(): number {
    return this.#position?.height ?? 0
  }

  refuse(why: string): never {
    throw new WorldError('usage', `snapshot ${this.#path} is refused: ${why}`)
  }

  /** Takes a record; true when some headers more were checked. */
  take({ kind, bytes, record }: LogRecord): boolean {
    if (record === 0) {
      this.#begin(kind, bytes)
      return false
    }
    const network = this.#network as Network
    if (kind === RECORD.headers && this.#reader === undefined) {
      const group = decode(headersRecord, bytes, RECORD_BYTES_MAX)
      if (!group.ok) this.refuse(`headers: ${group.fault.field} ${group.fault.message}`)
      const checked = checkGroup(network, this.#position as Position, group.value, this.#options.nowMs)
      if (!checked.ok) this.refuse(checked.fault)
      this.#position = checked.value
      this.#groups.push({ kind, bytes })
      if (this.#groups.length < GROUPS_AT_ONCE) return false
      this.#flush()
      return true
    }
    if (kind === RECORD.certificate) this.#checkCertificate(network, bytes)
    this.#rest.push({ kind, bytes })
    if (kind === RECORD.certificate) return false
    this.#reader ??= new BaseReader(network)
    if (kind !== RECORD.base && kind !== RECORD.accounts && kind !== RECORD.state)
      this.refuse(`a record of kind ${kind} has no place in a snapshot`)
    const fault = this.#reader.take(kind, bytes)
    if (fault !== undefined) this.refuse(fault)
    return false
  }

  finish(): Snapshot {
    const [network, position] = [this.#network, this.#position]
    if (network === undefined || position === undefined) return this.refuse('it is empty')
    const base = this.#reader?.base(network)
    if (base?.ok !== true) return this.refuse(base?.fault ?? 'it has no state')
    const { hash, work, childTarget, height } = base.value.position
    if (hash !== position.hash || work !== position.work || childTarget !== position.childTarget)
      this.refuse(`its state is of block ${hash}, its headers end with ${position.hash}`)
    if (this.#options.hash !== undefined && this.#options.hash !== hash)
      this.refuse(`it is of block ${hash} at height ${height}, not of ${this.#options.hash}`)
    this.#flush()
    this.#headers.close()
    const name = segmentName(height)
    this.#disk.remove(`${name}${DRAFT}`)
    const log = openAppendLog(this.#disk.open(`${name}${DRAFT}`))
    const state = this.#rest.findIndex(({ kind }) => kind === RECORD.state)
    const genesis = { kind: RECORD.genesis, bytes: encode(genesisCodec, network.genesis) }
    log.append([genesis, ...this.#rest.slice(0, state)])
    for (const entry of this.#rest.slice(state)) log.append([entry])
    log.close()
    // The segment comes last: without it there is no ledger, and headers alone are removed.
    this.#disk.rename(`${HEADERS_FILE}${DRAFT}`, HEADERS_FILE)
    this.#disk.rename(`${name}${DRAFT}`, name)
    return { network: network.id, height, hash, stateRoot: base.value.state.root(), work }
  }

  close(): void {
    this.#headers.close()
  }

  #begin(kind: number, bytes: Uint8Array): undefined {
    const genesis = kind === RECORD.genesis ? decode(genesisCodec, bytes, GENESIS_BYTES_MAX) : undefined
    if (genesis?.ok !== true) return this.refuse('it does not begin with a genesis')
    const network = networkOf(genesis.value)
    const { genesis: expected } = this.#options
    if (expected !== undefined && networkOf(expected).genesisHash !== network.genesisHash)
      this.refuse(`it is of network ${network.id}, not of ${networkOf(expected).id}`)
    this.#network = network
    this.#position = position0(network)
    this.#headers.append([{ kind, bytes }])
  }

  /** Certificates stand between accounts and state. */
  #checkCertificate(network: Network, bytes: Uint8Array): void {
    const before = this.#rest.slice(-CERTIFICATES_MAX).map(({ kind }) => kind)
    if (!before.includes(RECORD.accounts) || before.includes(RECORD.state))
      this.refuse('a certificate has no place there')
    this.#flush()
    const below = { height: this.height, hashAt: (height: number) => this.#hashAt(network, height) }
    const fault = keptCertificateFault(network, bytes, below)
    if (fault !== undefined) this.refuse(fault)
  }

  #hashAt(network: Network, height: number): Hash {
    if (height === 0) return network.block0Hash
    const index = Math.floor((height - 1) / HEADER_GROUP)
    const group = decodeGroup(this.#headers.read(this.#positions[index] as number).bytes)
    return headerHash(network.hashing, expandGroup(network, group)[(height - 1) % HEADER_GROUP] as Header)
  }

  #flush(): void {
    if (this.#groups.length > 0) this.#positions.push(...this.#headers.append(this.#groups))
    this.#groups = []
  }
}
