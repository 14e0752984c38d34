/**
 * Re-validates a stored chain from the stored bytes alone: every rule of every block, and that the stored changes and
 * tips are the ones that follow. Reads only; stops at the first fault.
 *
 * With all blocks kept it starts at the genesis. Where old ones were deleted, every header from the genesis on is checked
 * (proof of work, difficulty, times), and every block from the oldest state that is kept, which the header above commits to.
 */
import { type Archive, type Base, Chain, NOTHING_SETTLED } from '../ledger/chain.ts'
import { justify } from '../ledger/checkpoint.ts'
import { Finality, finalises } from '../ledger/finality.ts'
import { MEDIAN_BLOCKS } from '../ledger/hashlock.ts'
import { HEADER_GROUP, headerHash, type Position, position0 } from '../ledger/header.ts'
import { createNetwork, type Network } from '../ledger/network.ts'
import type { Change } from '../ledger/state.ts'
import type { Header } from '../schemas/block.ts'
import {
  CERTIFICATE_BYTES_MAX,
  certificate as certificateCodec,
  VOTE_BYTES,
  vote as voteCodec,
} from '../schemas/checkpoint.ts'
import { decode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.ts'
import { type Hash, toHex } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { audit, type LogFile, type LogRecord, recordAt } from './append-log.ts'
import type { Disk } from './disk.ts'
import { checkGroup } from './header-check.ts'
import { decodeGroup, expandGroup, HEADERS_FILE, headersRecord } from './header-file.ts'
import { keptCertificateFault } from './kept-certificate.ts'
import {
  changesRecord,
  continues,
  RECORD,
  RECORD_BYTES_MAX,
  readBlockHead,
  recordName,
  updateRecords,
} from './records.ts'
import { BaseReader, FIRST_SEGMENT, segmentHeights, segmentName } from './segments.ts'
import { hashing, signatures } from './signing.ts'

/** No record of a tip can undo so many blocks: what is deeper need not stay in memory. */
const DEPTH_MAX = 1 << 16

export interface Verification {
  readonly height: number
  readonly tip: string
  readonly stateRoot: string
  readonly transactions: number
  readonly readings: number
  readonly supply: number
  /** Height up to which old blocks were deleted, and only their headers were checked; absent when all are there. */
  readonly from?: number
  readonly ok: boolean
  /** The first fault: which record and what is wrong. */
  readonly fault?: string
  /** Bytes of an unfinished last write, which is no fault: the next start cuts it off. */
  readonly torn?: number
}

/** Checks one log by itself, as the first of a ledger. */
export const verifyStore = (file: LogFile): Generator<number, Verification> =>
  verifyLedger({
    list: () => [FIRST_SEGMENT],
    open: () => {
      const refuse = () => invariant(false, 'verify writes nothing')
      const read: LogFile['read'] = (offset, length) => file.read(offset, length)
      return { path: file.path, size: file.size, read, append: refuse, truncate: refuse, close: () => {} }
    },
    rename: () => invariant(false, 'verify changes no names'),
    remove: () => invariant(false, 'verify removes nothing'),
  })

/**
 * Yields the height now and then, for a progress line, and returns the outcome. The files stay open until then. What lies more
 * than `depthMax` blocks deep is left behind.
 */
export function* verifyLedger(disk: Disk, depthMax = DEPTH_MAX): Generator<number, Verification> {
  const run = new Run(disk, depthMax)
  try {
    return yield* run.steps()
  } finally {
    run.archive.close()
  }
}

/** The segment that is being read. */
interface Segment {
  readonly height: number
  readonly last: boolean
  /** Collects what it begins with. */
  head: BaseReader | undefined
  /** The block on which the oldest one stands was taken back later: the ledger begins with the next. */
  isUndone: boolean
}

type Expected = ReturnType<typeof updateRecords>

class Run {
  readonly archive = new Segments()
  readonly #disk: Disk
  readonly #depthMax: number
  #chain: Chain | undefined
  #network: Network | undefined
  #heights: readonly number[] = []
  #headers: Position | undefined
  #headerFault: string | undefined
  readonly #waypoints = new Map<number, Position>()
  /** Where the groups of `headers.log` stand. */
  readonly #groups: number[] = []
  /** Those that were applied, as hexadecimal digits: what a later segment repeats is one of them. */
  readonly #certificates = new Set<string>()
  /** What has to follow from the last block or certificate. */
  #expected: Expected = []

  constructor(disk: Disk, depthMax: number) {
    this.#disk = disk
    this.#depthMax = depthMax
  }

  *steps(): Generator<number, Verification> {
    const heights = segmentHeights(this.#disk)
    this.#heights = heights
    for (const height of heights) {
      const name = segmentName(height)
      const where = heights.length > 1 ? `${name}: ` : ''
      const file = this.#disk.open(name)
      this.archive.begin(file)
      const segment: Segment = { height, last: height === heights.at(-1), head: undefined, isUndone: false }
      for (const read of audit(file, continues)) {
        if (!read.ok) {
          const { code, record, message, bytes, kind } = read.fault
          if (
            code === 'torn-tail' &&
            segment.last &&
            this.#chain !== undefined &&
            this.#expected.length === 0
          )
            return this.#outcome({ ok: true, torn: bytes })
          return this.#outcome({
            ok: false,
            fault: `${where}record ${record} (${recordName(kind ?? -1)}): ${code}: ${message}`,
          })
        }
        const { value } = read
        if (segment.isUndone) continue
        const fault = yield* this.#record(segment, value)
        if (fault === undefined) continue
        const at = `record ${value.record} (${recordName(value.kind)}) at offset ${value.position}`
        return this.#outcome({ ok: false, fault: `${where}${at}: ${fault}` })
      }
      const [missing] = this.#expected
      if (missing !== undefined)
        return this.#outcome({
          ok: false,
          fault: `${where}the ${recordName(missing.kind)} of the last block is missing`,
        })
      if (segment.head !== undefined)
        return this.#outcome({ ok: false, fault: `${where}the state that it begins with is not whole` })
    }
    if (this.#chain === undefined) return this.#outcome({ ok: false, fault: 'the store has no genesis' })
    const fault = this.#checkSettled(this.#chain)
    return this.#outcome(fault === undefined ? { ok: true } : { ok: false, fault })
  }

  /** What is wrong with a record, if anything. */
  *#record(segment: Segment, value: LogRecord): Generator<number, string | undefined> {
    const { kind, bytes } = value
    if (value.record === 0) {
      const opened = this.#openGenesis(value)
      if (typeof opened === 'string') return opened
      if (segment.height === 0) {
        if (this.#chain !== undefined) return 'it follows from no block'
        this.#chain = new Chain(opened, this.archive)
      } else {
        segment.head = new BaseReader(opened)
        if (this.#headers === undefined) yield* this.#readHeaders(opened)
      }
      return undefined
    }
    if (segment.head !== undefined) return this.#head(segment, segment.head, value)
    const chain = this.#chain
    if (chain === undefined) return 'a store begins with its genesis'
    if (kind === RECORD.block && this.#expected.length === 0) {
      const added = addBlock(chain, this.archive, bytes, value.position)
      if (typeof added === 'string') return added
      this.#expected = added
      if (chain.tip.height % 100 === 0) yield chain.tip.height
      return undefined
    }
    if (kind === RECORD.certificate && this.#expected.length === 0) {
      const moved = certify(chain, this.archive, bytes)
      if (typeof moved === 'string') return moved
      this.#certificates.add(toHex(bytes))
      this.#expected = moved
      return undefined
    }
    if (kind === RECORD.vote && this.#expected.length === 0) {
      const vote = decode(voteCodec, bytes, VOTE_BYTES)
      return vote.ok ? undefined : `vote: ${vote.fault.field} ${vote.fault.message}`
    }
    const next = this.#expected.shift()
    if (next === undefined) return 'it follows from no block'
    if (next.kind !== kind || Buffer.compare(next.bytes, bytes) !== 0)
      return `it is not the ${recordName(next.kind)} that follows from block ${next.block}`
    if (kind === RECORD.changes) this.archive.addChanges(next.block, value.position)
    return undefined
  }

  /** A record of those that a later segment begins with; the last one settles whether it may stand here. */
  #head(segment: Segment, head: BaseReader, { kind, bytes }: LogRecord): string | undefined {
    if (kind === RECORD.certificate) return this.#keptCertificate(segment, bytes)
    if (kind === RECORD.vote) return undefined
    if (kind !== RECORD.base && kind !== RECORD.accounts && kind !== RECORD.state)
      return 'the state that the segment begins with is not whole'
    const fault = head.take(kind, bytes)
    if (fault !== undefined) return fault
    if (!head.complete) return undefined
    segment.head = undefined
    const read = head.base(this.#network as Network)
    if (!read.ok) return read.fault
    return this.#stand(read.value, segment)
  }

  #stand(base: Base, segment: Segment): string | undefined {
    const { position, state } = base
    const { height } = segment
    if (position.height !== height) return `its base has height ${position.height}`
    const chain = this.#chain
    if (chain === undefined) {
      const expected = this.#waypoints.get(height)
      if (expected === undefined) return `${HEADERS_FILE} has no header at height ${height}`
      if (expected.hash !== position.hash && !segment.last) {
        segment.isUndone = true
        return undefined
      }
      if (
        expected.hash !== position.hash ||
        expected.work !== position.work ||
        expected.childTarget !== position.childTarget
      )
        return `its base is not the block that ${HEADERS_FILE} has at height ${height}`
      this.#chain = new Chain(this.#network as Network, this.archive, base)
      return undefined
    }
    const { tip } = chain
    if (position.hash !== tip.hash || position.work !== tip.work || position.childTarget !== tip.childTarget)
      return 'it does not stand on the block that the segment before ends with'
    if (state.root() !== chain.state.root()) return 'its state is not that of the block on which it stands'
    this.archive.forget(chain, this.#depthMax)
    return undefined
  }

  /** Checks all headers of `headers.log`, from the genesis on. */
  *#readHeaders(network: Network): Generator<number, void> {
    let position = position0(network)
    this.#headers = position
    if (!this.#disk.list().includes(HEADERS_FILE)) return
    const file = this.#disk.open(HEADERS_FILE)
    try {
      for (const read of audit(file)) {
        // What stands on a header that does not check finds none.
        if (!read.ok) return
        if (read.value.kind !== RECORD.headers) continue
        const group = decode(headersRecord, read.value.bytes, RECORD_BYTES_MAX)
        const checked = group.ok ? checkGroup(network, position, group.value) : undefined
        if (checked?.ok !== true) {
          this.#headerFault = checked?.fault ?? 'a group of headers does not decode'
          return
        }
        position = checked.value
        this.#headers = position
        this.#waypoints.set(position.height, position)
        this.#groups.push(read.value.position)
        if (group.ok && this.#heights.includes(position.height))
          this.archive.keepHeaders(expandGroup(network, group.value))
        if (position.height % (16 * HEADER_GROUP) === 0) yield position.height
      }
    } finally {
      file.close()
    }
  }

  /** A certificate before a state: applied in the segment before, or, where that is gone, of blocks that are among the headers. */
  #keptCertificate({ height }: Segment, bytes: Uint8Array): string | undefined {
    if (this.#chain !== undefined)
      return this.#certificates.has(toHex(bytes)) ? undefined : 'certificate: it was never applied'
    const network = this.#network as Network
    const most = Math.min(height, this.#groups.length * HEADER_GROUP)
    const fault = keptCertificateFault(network, bytes, {
      height: most,
      hashAt: (at) => this.#hashAt(network, at),
    })
    if (fault === undefined) this.#certificates.add(toHex(bytes))
    return fault
  }

  /** Of a header that `headers.log` has; of block 0 without it. */
  #hashAt(network: Network, height: number): Hash {
    if (height === 0) return network.block0Hash
    const file = this.#disk.open(HEADERS_FILE)
    try {
      const read = recordAt(file, this.#groups[Math.floor((height - 1) / HEADER_GROUP)] as number)
      invariant(read.ok, 'the group was checked')
      const headers = expandGroup(network, decodeGroup(read.value.bytes))
      return headerHash(network.hashing, headers[(height - 1) % HEADER_GROUP] as Header)
    } finally {
      file.close()
    }
  }

  /** The headers of what is settled are those of the chain. */
  #checkSettled(chain: Chain): string | undefined {
    if (this.#headerFault !== undefined) return `${HEADERS_FILE}: ${this.#headerFault}`
    const last = this.#headers
    if (last === undefined || last.height < chain.base.height || last.height === 0) return undefined
    return chain.at(last.height)?.hash === last.hash
      ? undefined
      : `${HEADERS_FILE}: the header at height ${last.height} is not on the chain`
  }

  #openGenesis({ kind, bytes }: LogRecord): Network | string {
    if (kind !== RECORD.genesis) return 'a store begins with its genesis'
    const genesis = decode(genesisCodec, bytes, GENESIS_BYTES_MAX)
    if (!genesis.ok) return `genesis: ${genesis.fault.field} ${genesis.fault.message}`
    const network = createNetwork(genesis.value, { hashing, signatures })
    if (!network.ok) return `genesis: ${network.fault.field}: ${network.fault.message}`
    if (this.#network !== undefined && this.#network.genesisHash !== network.value.genesisHash)
      return 'it is of another network'
    this.#network ??= network.value
    return this.#network
  }

  #outcome(extra: Pick<Verification, 'ok' | 'fault' | 'torn'>): Verification {
    const chain = this.#chain
    const { supply, transactions, readings } = chain?.state.totals() ?? {
      supply: 0,
      transactions: 0,
      readings: 0,
    }
    const [height, tip] = [chain?.tip.height ?? 0, chain?.tip.hash ?? '']
    const stateRoot = chain?.state.root() ?? ''
    const from = this.#heights[0] ?? 0
    return {
      height,
      tip,
      stateRoot,
      transactions,
      readings,
      supply,
      ...(from > 0 && { from }),
      ...extra,
    }
  }
}

/** The records that must follow the block, without itself, or what is wrong with it. */
function addBlock(
  chain: Chain,
  archive: Segments,
  bytes: Uint8Array,
  position: number,
): ReturnType<typeof updateRecords> | string {
  // Its own time stands in for the clock: a stored block was once accepted, when it was not in the future.
  const outcome = chain.accept(bytes, readBlockHead(bytes).header.time)
  if (!outcome.ok) return `${outcome.fault.code}: ${outcome.fault.message}`
  const records = updateRecords(outcome.value, (block) => archive.has(block))
  archive.add(outcome.value.added.entry.hash, position)
  return records.slice(1)
}

/** The records that must follow a certificate, or what is wrong with it. */
function certify(
  chain: Chain,
  archive: Segments,
  bytes: Uint8Array,
): ReturnType<typeof updateRecords> | string {
  const certificate = decode(certificateCodec, bytes, CERTIFICATE_BYTES_MAX)
  if (!certificate.ok) return `certificate: ${certificate.fault.field} ${certificate.fault.message}`
  const { source, target } = certificate.value
  const finality = new Finality(chain.network)
  // A window's base is settled, but that makes no checkpoint final.
  finality.settle(chain.final === chain.base ? 0 : chain.final.height)
  const checked = finality.check(certificate.value)
  if (!checked.ok) return `${checked.fault.code}: ${checked.fault.message}`
  const entry = chain.entry(target.hash)
  if (entry === undefined && target.height <= chain.base.height) return []
  if (entry === undefined) return `bad-checkpoint: its target ${target.hash} is not stored before it`
  const moved = justify(chain, certificate.value, entry)
  if (!moved.ok) return `${moved.fault.code}: ${moved.fault.message}`
  const records = moved.value === undefined ? [] : updateRecords(moved.value, (block) => archive.has(block))
  if (finalises(certificate.value)) chain.finalise(source.hash)
  return records
}

/** The bodies and changes, where they stand in the files. */
class Segments implements Archive {
  readonly #segments: {
    readonly file: LogFile
    readonly blocks: Map<Hash, number>
    readonly changes: Map<Hash, number>
    /** Height of the tip when it ended. */
    end: number
  }[] = []
  /** The last ones up to each base on which the window may begin: the blocks above it need their times. */
  readonly #headers = new Map<number, Header>()
  readonly settled = NOTHING_SETTLED.settled
  readonly waypoint = NOTHING_SETTLED.waypoint
  readonly waypointHeight = NOTHING_SETTLED.waypointHeight

  /** What is added from now on stands in this file. */
  begin(file: LogFile): void {
    this.#segments.push({ file, blocks: new Map(), changes: new Map(), end: 0 })
  }

  block(hash: Hash): Uint8Array {
    return this.#read('blocks', hash)
  }

  changes(hash: Hash): readonly Change[] {
    const decoded = decode(changesRecord, this.#read('changes', hash), RECORD_BYTES_MAX)
    invariant(decoded.ok, `the changes of ${hash} were compared`)
    return decoded.value.changes
  }

  header(height: number): Header {
    return this.#headers.get(height) ?? NOTHING_SETTLED.header(height)
  }

  /** `headers` end with that of a base. */
  keepHeaders(headers: readonly Header[]): void {
    for (const header of headers.slice(-MEDIAN_BLOCKS)) this.#headers.set(header.height, header)
  }

  has(hash: Hash): boolean {
    return this.#segments.some(({ changes }) => changes.has(hash))
  }

  add(hash: Hash, position: number): void {
    this.#segments.at(-1)?.blocks.set(hash, position)
  }

  addChanges(hash: Hash, position: number): void {
    this.#segments.at(-1)?.changes.set(hash, position)
  }

  /** Leaves behind what is so deep below the tip that nothing can undo it. */
  forget(chain: Chain, depth: number): void {
    const before = this.#segments.at(-2)
    if (before !== undefined) before.end = chain.tip.height
    for (let oldest = this.#segments[0]; oldest !== undefined; oldest = this.#segments[0]) {
      if (oldest.end === 0 || oldest.end > chain.tip.height - depth) return
      // The segment's end was the tip then; only if it still is on the chain does the rest build on it.
      if (oldest.end > chain.base.height) {
        const { end } = oldest
        const below = Array.from({ length: MEDIAN_BLOCKS }, (_, back) => end - back).filter((at) => at > 0)
        this.keepHeaders(below.reverse().map((height) => chain.header(height)))
        chain.trim(end)
      }
      oldest.file.close()
      this.#segments.shift()
    }
  }

  close(): void {
    for (const { file } of this.#segments) file.close()
  }

  #read(of: 'blocks' | 'changes', hash: Hash): Uint8Array {
    for (const segment of this.#segments) {
      const position = segment[of].get(hash)
      if (position === undefined) continue
      const read = recordAt(segment.file, position)
      invariant(read.ok, `the record at ${position} was checked`)
      return read.value.bytes
    }
    invariant(false, `${hash} was stored`)
  }
}
