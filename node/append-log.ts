/**
 * A checksummed append-only log of atomic batches: the base of the chain store and of an agent's outbox.
 *
 * Invariants: a batch counts from its commit record on, and is in one write followed by one fdatasync. A file
 * that *ends* inside a record or a batch was torn while it was written, so nobody was told of that batch: it is
 * cut off. So is a last batch of which some sectors never reached the disk: what does not check is followed by no
 * other batch. Its bytes are set aside first, since damage to a whole last batch looks the same; where something outside the
 * log stands on that batch (`unfounded`), it was promised, and this is damage. The header has its own
 * checksum so that a flipped bit in a length or in a commit flag cannot make more of the file look like its end.
 * Whatever else does not check is damage to something that was promised, and is never cut off.
 * Source: docs/PROTOCOL.md section 10.
 */
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { WorldError } from './error.ts'
import { Batches } from './log-batches.ts'
import {
  directly,
  encodeBatch,
  HEADER_BYTES,
  type LogEntry,
  type LogFault,
  type LogFile,
  type LogRecord,
  PREAMBLE,
  readRecord,
} from './log-record.ts'

export {
  BATCH_BYTES_MAX,
  type LogEntry,
  type LogFault,
  type LogFile,
  type LogRecord,
  PAYLOAD_BYTES_MAX,
} from './log-record.ts'

export interface AppendLogOptions {
  /** Called for every committed record, in order, while the log opens. `bytes` are there during the call. */
  readonly onRecord?: (kind: number, bytes: Uint8Array, position: number) => void
  /** Name of a record's kind in messages; `kind 3` by default. */
  readonly kindName?: (kind: number) => string
  /** Kinds that are never the first of a batch: where one follows what does not check, both are of one batch. */
  readonly continues?: (kind: number) => boolean
  /**
   * Asked before an unfinished end is cut off or an empty log begun: what something outside of the log needs that is not in
   * it, in words. This is damage then.
   */
  readonly unfounded?: () => string | undefined
  /** The log was finished before: whatever does not check in it is damage, and nothing is written. */
  readonly sealed?: boolean
}

export interface AppendLog {
  /** Bytes of the file that are committed. */
  readonly size: number
  /** Committed records. */
  readonly records: number
  /** Bytes of an unfinished batch that opening cut off; 0 after a clean stop. */
  readonly torn: number
  /** What did not check in it, when the file did not simply end there: a power cut, or damage to a whole last batch. */
  readonly cut: string | undefined
  /**
   * Writes one batch, all of it or nothing, and returns each record's position once it is durable.
   *
   * Throws WorldError `store-write` when the file cannot take it, and at every append after that: the log then
   * only reads. A batch whose append threw may or may not be there when the log is next opened, but never partly.
   */
  append(entries: readonly LogEntry[]): readonly number[]
  /** The record at a position that `append` or `onRecord` gave; throws WorldError `store-corrupt` when it no longer checks. */
  read(position: number): LogEntry
  close(): void
}

/**
 * Opens a log: checks every record from the first, hands the committed ones to `onRecord`, cuts off a torn tail.
 *
 * The log owns `file` from here on, also when this throws: WorldError `store-corrupt` for damage, `store-write`
 * when the file cannot be cut or begun.
 */
export function openAppendLog(file: LogFile, options: AppendLogOptions = {}): AppendLog {
  try {
    return open(file, options)
  } catch (error) {
    file.close()
    throw error
  }
}

function open(
  file: LogFile,
  {
    onRecord,
    kindName = (kind) => `kind ${kind}`,
    continues = () => false,
    unfounded = () => undefined,
    sealed = false,
  }: AppendLogOptions,
): AppendLog {
  const corrupt = (fault: LogFault) => new WorldError('store-corrupt', corruptMessage(file, fault, kindName))
  let size = file.size
  let records = 0
  let torn = 0
  let cut: string | undefined
  let closed = false
  let broken: WorldError | undefined

  const batches = new Batches(file, continues, true)
  while (batches.next()) {
    const { count, kinds, positions } = batches
    if (onRecord !== undefined)
      for (let index = 0; index < count; index++)
        onRecord(kinds[index] as number, batches.payload(index), positions[index] as number)
    records = batches.records + count
  }
  const { fault } = batches
  if (fault !== undefined && (!fault.unfinished || sealed)) throw corrupt(fault)
  const lacking = fault === undefined && records > 0 ? undefined : unfounded()
  if (lacking !== undefined) throw corrupt(lackingFault(fault, lacking, { record: records, position: size }))
  if (fault !== undefined) {
    size = fault.batch
    torn = file.size - size
    if (fault.code !== 'torn-tail') cut = describe(fault, kindName)
  }
  if (cut !== undefined) file.setAside?.(file.read(size, torn), size)
  try {
    // Also when nothing is torn: a process killed between its write and its fdatasync leaves a whole batch that
    // is not yet durable, and from here on we build on it.
    if (!sealed) file.truncate(size)
    if (size === 0 && !sealed) {
      file.append(PREAMBLE)
      size = PREAMBLE.length
    }
  } catch (error) {
    throw writeError(file, PREAMBLE.length, size, error)
  }

  return {
    get size() {
      return size
    },
    get records() {
      return records
    },
    torn,
    cut,
    append(entries) {
      invariant(!closed, 'append to a closed log')
      invariant(!sealed, 'append to a sealed log')
      if (broken !== undefined) throw new WorldError('store-write', broken.message, broken.cause)
      const { bytes, positions } = encodeBatch(entries, records, size)
      try {
        file.append(bytes)
      } catch (error) {
        broken = writeError(file, bytes.length, size, error)
        try {
          file.truncate(size)
        } catch {
          // The part that was written ends in the middle of a batch: the next open cuts it off.
        }
        throw broken
      }
      size += bytes.length
      records += entries.length
      return positions
    },
    read(position) {
      invariant(!closed, 'read from a closed log')
      invariant(
        Number.isInteger(position) && position >= PREAMBLE.length && position + HEADER_BYTES <= size,
        `position ${position} is not in the log`,
      )
      const outcome = readRecord(directly(file), position, size, undefined)
      if (outcome.ok) return { kind: outcome.value.kind, bytes: outcome.value.bytes }
      throw corrupt(outcome.fault)
    },
    close() {
      if (closed) return
      closed = true
      file.close()
    },
  }
}

/**
 * Reads a log without changing it: every committed record in order, then, if the file is not whole, its first
 * fault. An unfinished batch yields no record. A file of 0 bytes is a log not yet begun and yields nothing.
 */
export function* audit(
  file: LogFile,
  continues: (kind: number) => boolean = () => false,
): Generator<Result<LogRecord, LogFault>, void> {
  const batches = new Batches(file, continues, false)
  while (batches.next()) {
    const { count, kinds, positions, records } = batches
    for (let index = 0; index < count; index++)
      yield accept({
        kind: kinds[index] as number,
        bytes: batches.payload(index),
        record: records + index,
        position: positions[index] as number,
      })
  }
  if (batches.fault !== undefined) yield refuse(batches.fault)
}

/** The record at a position that `audit` gave, checked again. */
export function recordAt(file: LogFile, position: number): Result<LogEntry, LogFault> {
  return readRecord(directly(file), position, file.size, undefined)
}

/** The end of a log, as damage. */
function lackingFault(
  fault: LogFault | undefined,
  lacking: string,
  end: Pick<LogFault, 'record' | 'position'>,
): LogFault {
  if (fault !== undefined) return { ...fault, message: `${fault.message}, but ${lacking}`, unfinished: false }
  const place = { ...end, kind: undefined, bytes: 0, batch: end.position, unfinished: false }
  return { code: 'torn-tail', ...place, message: `there is no record, but ${lacking}` }
}

const describe = (fault: LogFault, kindName: (kind: number) => string): string =>
  `record ${fault.record}${fault.kind === undefined ? '' : ` (${kindName(fault.kind)})`}, offset ${fault.position}: ${fault.message} (${fault.code})`

const corruptMessage = (file: LogFile, fault: LogFault, kindName: (kind: number) => string): string =>
  `${file.path} is damaged at ${describe(fault, kindName)}. ` +
  'Nothing was changed. Restore the file from a backup, or run pinledger repair: ' +
  'what the network has confirmed is fetched anew. A disk that damages one file should be replaced'

function writeError(file: LogFile, bytes: number, size: number, cause: unknown): WorldError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WorldError(
    'store-write',
    `cannot write ${bytes} bytes to ${file.path} (${why}). Nothing that was announced is lost: ` +
      `the first ${size} bytes are whole. Make sure that the disk works and has at least ${bytes} bytes free, then start again`,
    cause,
  )
}
