/**
 * Makes a damaged ledger one that opens: keeps what is whole, moves the rest aside, deletes nothing.
 *
 * Segments stand on each other, so what comes after a damaged one goes with it; below the window, what came before it.
 * `headers.log` follows from the blocks and is written anew when they reach back to the genesis. Where neither helps, all of the
 * ledger goes aside. The last vote of a signer stays in any case. All of it is tried in memory first.
 */
import { HEADER_GROUP } from '../ledger/header.ts'
import { VOTE_BYTES, type Vote, vote as voteCodec } from '../schemas/checkpoint.ts'
import { decode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis as genesisCodec } from '../schemas/genesis.ts'
import { audit, type LogFile, type LogRecord } from './append-log.ts'
import { ChainStore, storedGenesis } from './chain-store.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { HEADERS_FILE } from './header-file.ts'
import { continues, RECORD } from './records.ts'
import { removeDrafts, segmentHeights, segmentName } from './segments.ts'

export interface Repair {
  /** What was done, in words. */
  readonly steps: readonly string[]
  /** Height of the chain that is left; undefined when nothing is. */
  readonly height: number | undefined
}

type Aside = (name: string, why: string) => void

/** Throws WorldError when it cannot be done, with the reason, and has moved nothing then. `at` names what is moved aside. */
export function repair(disk: Disk, at: string): Repair {
  try {
    mend(rehearsal(disk), at, true)
  } catch (error) {
    if (!(error instanceof WorldError)) throw error
    const message = `this cannot be repaired, and nothing was moved: ${error.message}`
    throw new WorldError(error.code, message, error)
  }
  const { steps, height, found } = mend(disk, at, false)
  const { genesis, vote } = found
  if (vote === undefined || genesis === undefined) return { steps, height }
  const store = new ChainStore(disk, genesis)
  try {
    if ((store.checkpoints.vote?.target.height ?? -1) >= vote.target.height) return { steps, height }
    store.checkpoints.saveVote(vote)
  } finally {
    store.close()
  }
  const kept = `the last vote of this signer (height ${vote.target.height}) was put into ${segmentName(segmentHeights(disk).at(-1) ?? 0)}: it stays bound by it`
  return { steps: [...steps, kept], height: height ?? 0 }
}

/** What no peer has, from any segment, as far as they can be read. */
interface Found {
  genesis?: Genesis
  /** The one for the highest block. */
  vote?: Vote
}

function mend(disk: Disk, at: string, readOnly: boolean): Repair & { readonly found: Found } {
  const steps: string[] = []
  const aside: Aside = (name, why) => {
    disk.rename(name, `${name}.damaged-${at}`)
    steps.push(`${name} was moved to ${name}.damaged-${at}: ${why}`)
  }
  removeDrafts(disk)
  if (disk.list().includes(HEADERS_FILE)) {
    const fault = faultOf(disk, HEADERS_FILE, true)
    if (fault !== undefined) aside(HEADERS_FILE, fault)
  }
  const found = moveDamaged(disk, aside, steps)
  const opened = reopened(disk, aside, readOnly)
  if (typeof opened === 'string') {
    // The headers first: a start would remove them when they are left alone.
    if (disk.list().includes(HEADERS_FILE)) aside(HEADERS_FILE, opened)
    for (const height of segmentHeights(disk)) aside(segmentName(height), opened)
    return { steps, height: undefined, found }
  }
  if (opened.base > 0 && steps.length > 0) steps.push(`the window begins at height ${opened.base}`)
  return { steps, height: opened.tip, found }
}

/** Moves damaged segments aside, and those that are worth nothing without them; what was found in all of them. */
function moveDamaged(disk: Disk, aside: Aside, steps: string[]): Found {
  const settled = settledHeight(disk)
  const heights = segmentHeights(disk)
  const found: Found = {}
  const faults = heights.map((height, index) =>
    faultOf(disk, segmentName(height), index === heights.length - 1, (record) => remember(found, record)),
  )
  for (const [index, height] of heights.entries()) {
    const name = segmentName(height)
    const fault = faults[index]
    if (fault === undefined) continue
    aside(name, fault)
    const next = heights[index + 1]
    if (next !== undefined && next <= settled) {
      for (const older of heights.slice(0, index))
        if (disk.list().includes(segmentName(older))) aside(segmentName(older), `it ends where ${name} began`)
      steps.push(`blocks up to height ${next} are no longer kept, as if they had been deleted for room`)
      continue
    }
    for (const later of heights.slice(index + 1)) aside(segmentName(later), `it stands on ${name}`)
    steps.push(`blocks above height ${height} are fetched again from peers`)
    break
  }
  return found
}

function remember(found: Found, { kind, bytes }: LogRecord): void {
  if (kind === RECORD.genesis) {
    const genesis = decode(genesisCodec, bytes, GENESIS_BYTES_MAX)
    if (genesis.ok) found.genesis = genesis.value
  } else if (kind === RECORD.vote) {
    const vote = decode(voteCodec, bytes, VOTE_BYTES)
    if (vote.ok && vote.value.target.height >= (found.vote?.target.height ?? 0)) found.vote = vote.value
  }
}

/** Height up to which headers are kept, and only the state and what comes after it is needed to go on. */
function settledHeight(disk: Disk): number {
  if (!disk.list().includes(HEADERS_FILE)) return 0
  const file = disk.open(HEADERS_FILE)
  try {
    let groups = 0
    for (const read of audit(file)) if (read.ok && read.value.kind === RECORD.headers) groups++
    return groups * HEADER_GROUP
  } finally {
    file.close()
  }
}

/** Opens the ledger, without the headers when those do not fit and follow from the blocks; else why nothing of it can be used. */
function reopened(disk: Disk, aside: Aside, readOnly: boolean): { tip: number; base: number } | string {
  for (;;) {
    const heights = segmentHeights(disk)
    const last = heights.at(-1)
    if (last === undefined) return 'no blocks are left'
    const settled = settledHeight(disk)
    let why = `the headers that are whole end at height ${settled}, and there is no ${segmentName(settled)} to go on from`
    if (heights.includes(settled)) {
      try {
        const store = new ChainStore(disk, storedGenesis(disk), { readOnly })
        const { tip, base } = store.chain
        store.close()
        return { tip: tip.height, base: base.height }
      } catch (error) {
        if (!(error instanceof WorldError) || error.code !== 'store-corrupt') throw error
        why = error.message
      }
    }
    if (disk.list().includes(HEADERS_FILE) && heights[0] === 0)
      aside(HEADERS_FILE, `${why}; it is written again from the blocks`)
    else if (last === settled || !heights.includes(settled)) return why
    else aside(segmentName(last), why)
  }
}

/** The files of a disk under the names that they would get; nothing is written. */
function rehearsal(disk: Disk): Disk {
  const names = new Map(disk.list().map((name) => [name, name]))
  const unwritten = (file: LogFile): LogFile => {
    let { size } = file
    const { path, read, close } = file
    return {
      ...{ path, read, close },
      get size() {
        return size
      },
      truncate: (to) => {
        size = to
      },
      append: () => {},
    }
  }
  return {
    list: () => [...names.keys()],
    open: (name) => unwritten(disk.open(names.get(name) ?? name)),
    rename: (from, to) => {
      names.set(to, names.get(from) ?? from)
      names.delete(from)
    },
    remove: (name) => void names.delete(name),
  }
}

/** What is wrong with a log, if a start would not mend it; `onRecord` gets what comes before that. */
function faultOf(
  disk: Disk,
  name: string,
  last: boolean,
  onRecord: (record: LogRecord) => void = () => {},
): string | undefined {
  const file = disk.open(name)
  try {
    for (const read of audit(file, continues)) {
      if (read.ok) onRecord(read.value)
      if (read.ok || (read.fault.unfinished && last)) continue
      return `record ${read.fault.record} at offset ${read.fault.position}: ${read.fault.message} (${read.fault.code})`
    }
    return undefined
  } finally {
    file.close()
  }
}
