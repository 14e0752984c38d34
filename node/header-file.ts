/**
 * `headers.log`: the headers of the best chain that are settled, in groups, for whoever asks for old ones.
 *
 * An append-only log: the genesis, then one record for each HEADER_GROUP headers from height 1 on. A header that follows
 * another needs only content, time and nonce; parent, height and target follow by the rules. Invariants: a group never
 * changes, since what is settled is not undone; the last header is the base on which the window begins, whose segment is
 * there before the header is and stays. So an end that no segment begins at was damaged, and not torn by a crash. In memory is only where
 * each group stands and the hash of its last header. Source: docs/PROTOCOL.md section 10.
 */
import { nextTarget } from '../ledger/difficulty.ts'
import { HEADER_GROUP, headerHash } from '../ledger/header.ts'
import type { Network } from '../ledger/network.ts'
import { HEADER_BYTES, type Header, header as headerCodec } from '../schemas/block.ts'
import { decode, encode, type Infer, Reader } from '../schemas/codec.ts'
import { list, struct } from '../schemas/compound.ts'
import { hash, time, u256 } from '../schemas/field.ts'
import { genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Hash } from '../schemas/hex.ts'
import { compactHeader } from '../schemas/proof.ts'
import { invariant } from '../schemas/result.ts'
import { type AppendLog, openAppendLog } from './append-log.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { RECORD, recordName } from './records.ts'
import { segmentHeights, segmentName } from './segments.ts'

export const HEADERS_FILE = 'headers.log'
/** Header, the others' 46 bytes behind a count, time, hash and work. */
const GROUP_BYTES = HEADER_BYTES + 2 + 46 * (HEADER_GROUP - 1) + 6 + 32 + 32
/** Groups in one batch: some 3 MB. */
const BATCH_GROUPS = 256

export const headersRecord = struct({
  first: headerCodec,
  rest: list(compactHeader, HEADER_GROUP - 1),
  /** Time of the header before the first. */
  parentTime: time,
  /** Hash of the last header. */
  last: hash,
  /** Work of the chain up to the last header. */
  work: u256,
})
export type HeaderGroup = Infer<typeof headersRecord>

/** A group from its headers; `parentTime` is the time of the block before, `work` that of the chain up to the last. */
export function groupOf(
  network: Network,
  headers: readonly Header[],
  { parentTime, work }: Pick<HeaderGroup, 'parentTime' | 'work'>,
): HeaderGroup {
  const [first, ...rest] = headers
  invariant(first !== undefined && headers.length === HEADER_GROUP, `a group has ${HEADER_GROUP} headers`)
  const last = headerHash(network.hashing, headers.at(-1) ?? first)
  return {
    first,
    rest: rest.map(({ content, time, nonce }) => ({ content, time, nonce })),
    parentTime,
    last,
    work,
  }
}

/** The headers of a group, whole again. */
export function expandGroup(network: Network, { first, rest, parentTime }: HeaderGroup): readonly Header[] {
  const headers: Header[] = [first]
  let before = parentTime
  let previous = first
  for (const { content, time, nonce } of rest) {
    const header: Header = {
      version: 1,
      height: previous.height + 1,
      parent: headerHash(network.hashing, previous),
      content,
      target: nextTarget(network.genesis, previous.target, previous.time - before),
      time,
      nonce,
    }
    headers.push(header)
    before = previous.time
    previous = header
  }
  return headers
}

export function decodeGroup(bytes: Uint8Array): HeaderGroup {
  const decoded = decode(headersRecord, bytes, GROUP_BYTES)
  if (decoded.ok) return decoded.value
  throw new WorldError(
    'store-corrupt',
    `${HEADERS_FILE}: ${decoded.fault.field} ${decoded.fault.message}; run pinledger repair`,
  )
}

/** What is in memory of a group: height of its first header, hash of its last. */
interface Ends {
  readonly height: number
  readonly last: Hash
}

/** Without the headers between: a start reads thousands of groups. */
function endsOf(bytes: Uint8Array): Ends {
  if (bytes.length !== GROUP_BYTES) {
    const message = `expected a group of ${GROUP_BYTES} bytes, got ${bytes.length}; run pinledger repair`
    throw new WorldError('store-corrupt', `${HEADERS_FILE}: ${message}`)
  }
  const { height } = headerCodec.read(new Reader(bytes))
  return { height, last: hash.read(new Reader(bytes.subarray(GROUP_BYTES - 64))) }
}

export class HeaderFile {
  readonly #disk: Disk
  readonly #network: Network
  readonly #positions: number[] = []
  readonly #waypoints: Hash[] = []
  readonly #heights = new Map<Hash, number>()
  #log: AppendLog | undefined
  #expanded: { readonly index: number; readonly headers: readonly Header[] } | undefined

  /** Opens the file if there is one; it is made when the first group comes. Throws WorldError `store-corrupt`. */
  constructor(disk: Disk, network: Network) {
    this.#disk = disk
    this.#network = network
    if (disk.list().includes(HEADERS_FILE)) this.#open()
  }

  /** Height of the last header. */
  get height(): number {
    return this.#positions.length * HEADER_GROUP
  }

  /** Bytes on disk. */
  get size(): number {
    return this.#log?.size ?? 0
  }

  /** What did not check at the end and was cut off. */
  get cut(): string | undefined {
    return this.#log?.cut
  }

  /** At a height from 1 to the last. */
  header(height: number): Header {
    const index = Math.floor((height - 1) / HEADER_GROUP)
    if (this.#expanded?.index !== index)
      this.#expanded = { index, headers: expandGroup(this.#network, this.group(index)) }
    const header = this.#expanded.headers[(height - 1) % HEADER_GROUP]
    invariant(header?.height === height, `${HEADERS_FILE} has height ${height}`)
    return header
  }

  /** Group number `index`, from 0. */
  group(index: number): HeaderGroup {
    const position = this.#positions[index]
    invariant(position !== undefined && this.#log !== undefined, `${HEADERS_FILE} has group ${index}`)
    return decodeGroup(this.#log.read(position).bytes)
  }

  waypoint(height: number): Hash {
    const hash = this.#waypoints[height / HEADER_GROUP - 1]
    invariant(hash !== undefined, `${HEADERS_FILE} has height ${height}`)
    return hash
  }

  waypointHeight(hash: Hash): number | undefined {
    return this.#heights.get(hash)
  }

  /** Durable when it returns; all groups of up to 65,536 blocks or none. Throws WorldError `store-write`. */
  append(groups: readonly HeaderGroup[]): void {
    for (let at = 0; at < groups.length; at += BATCH_GROUPS) {
      const log = this.#log ?? this.#open()
      const some = groups.slice(at, at + BATCH_GROUPS)
      const positions = log.append(
        some.map((group) => ({ kind: RECORD.headers, bytes: encode(headersRecord, group) })),
      )
      for (const [index, { first, last }] of some.entries())
        this.#add({ height: first.height, last }, positions[index] as number)
    }
  }

  close(): void {
    this.#log?.close()
  }

  #open(): AppendLog {
    const genesis = encode(genesisCodec, this.#network.genesis)
    const log = openAppendLog(this.#disk.open(HEADERS_FILE), {
      kindName: recordName,
      unfounded: () =>
        segmentHeights(this.#disk).includes(this.height)
          ? undefined
          : `what is whole ends at height ${this.height}, and there is no ${segmentName(this.height)} to go on from`,
      onRecord: (kind, bytes, position) => {
        if (kind === RECORD.headers) this.#add(endsOf(bytes), position)
        else if (kind !== RECORD.genesis || Buffer.compare(bytes, genesis) !== 0)
          throw new WorldError(
            'store-corrupt',
            `${HEADERS_FILE}: a ${recordName(kind)} at offset ${position}`,
          )
      },
    })
    if (log.records === 0) log.append([{ kind: RECORD.genesis, bytes: genesis }])
    this.#log = log
    return log
  }

  #add({ height, last }: Ends, position: number): void {
    if (height !== this.height + 1)
      throw new WorldError(
        'store-corrupt',
        `${HEADERS_FILE}: height ${height} stands after ${this.height}; run pinledger repair`,
      )
    this.#positions.push(position)
    this.#waypoints.push(last)
    this.#heights.set(last, this.height)
  }
}
