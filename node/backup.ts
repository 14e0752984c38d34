/**
 * Copies of a data directory's logs, also while a program writes to them, and the way back.
 *
 * Of each log the copy has what is committed. Order matters: `headers.log` comes before the segments, since those that it needs are kept for
 * longer than a copy takes, and those after them are copied later. An agent's logs are copied in such an order that the copy is what a crash
 * could have left: what it writes first is copied last. A payment is in the outbox before `wires.log` remembers it; the number of a channel
 * is in `channels.log` before its opening is in the outbox. The slow hand's `hand.log` may lack the newest ticks, which others
 * have. Experiments (`lab/`) are left out: a hand of one cannot go on from a copy, since others have its later ticks. A copy is checked: every record, and that the ledger opens.
 */
import { audit, type LogFile } from './append-log.ts'
import { ChainStore, hasLedger, storedGenesis } from './chain-store.ts'
import { CHANNEL_LOG } from './channel/channel-log.ts'
import type { Disk } from './disk.ts'
import { WorldError } from './error.ts'
import { HAND_FILE } from './hand-store.ts'
import { HEADERS_FILE } from './header-file.ts'
import { continues } from './records.ts'
import { segmentHeights, segmentName } from './segments.ts'

export const OUTBOX_FILE = 'outbox.log'
export const WIRES_FILE = 'wires.log'
/** What an agent writes beside its ledger. */
const AGENT_FILES = [WIRES_FILE, OUTBOX_FILE, CHANNEL_LOG]
/** Logs without a ledger's records. */
const OTHER_FILES = [...AGENT_FILES, HAND_FILE]
const CHUNK_BYTES = 4 << 20

export interface Backup {
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
  /** Height of the ledger in the copy; undefined when there is none. */
  readonly height: number | undefined
}

/** Copies all logs to an empty disk. Throws WorldError `usage`, `store-corrupt` or `store-write`. */
export function copyLogs(from: Disk, to: Disk): Backup {
  const taken = to.list()[0]
  if (taken !== undefined)
    throw new WorldError('usage', `the target is not empty (${taken}): choose another directory`)
  const present = new Set(from.list())
  const ledger = [HEADERS_FILE, ...segmentHeights(from).map(segmentName)]
  const names = [WIRES_FILE, ...ledger, HAND_FILE, OUTBOX_FILE, CHANNEL_LOG]
  const files: Backup['files'][number][] = []
  for (const name of names) {
    if (!present.has(name)) continue
    const bytes = copyLog(from, to, name)
    if (bytes !== undefined) files.push({ name, bytes })
  }
  if (files.length === 0) throw new WorldError('usage', 'there is nothing to copy: no ledger and no outbox')
  return { files, height: check(to) }
}

/** Bytes of the copy; undefined when the file was deleted meanwhile. */
function copyLog(from: Disk, to: Disk, name: string): number | undefined {
  let source: LogFile
  try {
    source = from.open(name)
  } catch (error) {
    // An old segment that went for room, or was in the copy of headers.log only: `check` finds what is missing.
    if (error instanceof WorldError && error.code === 'usage') return undefined
    throw error
  }
  try {
    const end = committedEnd(source, name)
    const target = to.open(name)
    try {
      for (let at = 0; at < end; at += CHUNK_BYTES)
        target.append(source.read(at, Math.min(CHUNK_BYTES, end - at)))
    } catch (error) {
      throw error instanceof WorldError
        ? error
        : new WorldError('store-write', `cannot copy ${name} (${end} bytes): ${String(error)}`, error)
    } finally {
      target.close()
    }
    return end
  } finally {
    source.close()
  }
}

/** Where the last whole batch ends. */
function committedEnd(file: LogFile, name: string): number {
  const { size } = file
  for (const read of audit(file, OTHER_FILES.includes(name) ? undefined : continues)) {
    if (read.ok) continue
    if (read.fault.unfinished) return read.fault.batch
    const remedy = OTHER_FILES.includes(name)
      ? `stop the ${name === HAND_FILE ? 'program' : 'agent'} and run pinledger repair`
      : 'run pinledger verify'
    throw new WorldError(
      'store-corrupt',
      `${file.path} is damaged (record ${read.fault.record}: ${read.fault.message}): a copy would be no backup; ${remedy}`,
    )
  }
  return size
}

function check(disk: Disk): number | undefined {
  const present = disk.list()
  for (const name of OTHER_FILES) {
    if (!present.includes(name)) continue
    const file = disk.open(name)
    committedEnd(file, name)
    file.close()
  }
  if (!hasLedger(disk)) return undefined
  const store = new ChainStore(disk, storedGenesis(disk), { readOnly: true })
  const { height } = store.chain.tip
  store.close()
  return height
}
