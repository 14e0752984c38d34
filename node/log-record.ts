/**
 * The bytes of an append-only log: its first 8, and a record.
 *
 * File (integers big-endian):
 *
 *     offset  bytes  what
 *          0      6  "PINLOG"
 *          6      2  format version, 1
 *          8      *  records, one after the other
 *
 * Record:
 *
 *          0      4  n, payload length, at most 16 MiB
 *          4      1  kind, the user's own number
 *          5      1  flags: bit 0 = last record of its batch (commit); all others 0
 *          6      6  sequence number: 0 for the file's first record, then one more each
 *         12      4  first 4 bytes of SHA-256(bytes 0 to 11)
 *         16      n  payload
 *     16 + n      8  first 8 bytes of SHA-256(bytes 0 to 15 + n)
 *
 * The header has its own checksum so that a flipped bit in a length or in a commit flag cannot make more of the file look
 * like its end. Source: docs/PROTOCOL.md section 10.
 */
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { sha256Text } from './sha256.ts'

/** What the log needs of a file; node/disk.ts has the real one. Every call may throw. */
export interface LogFile {
  /** For messages only. */
  readonly path: string
  /** Bytes. */
  readonly size: number
  /** Exactly `length` bytes from `offset`, in `into` if it is given and the file can; throws when they are not there. */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array
  /** Writes all of `bytes` at the end and makes them durable before it returns. */
  append(bytes: Uint8Array): void
  /** Cuts the file to `size` bytes and makes all that stays durable before it returns. */
  truncate(size: number): void
  /** Keeps a copy of bytes that are about to be cut off, under a name of its own; they may hold what somebody wants back. */
  setAside?(bytes: Uint8Array, offset: number): void
  close(): void
}

export interface LogEntry {
  /** 0 to 255. */
  readonly kind: number
  /** At most `PAYLOAD_BYTES_MAX`. */
  readonly bytes: Uint8Array
}

export interface LogRecord extends LogEntry {
  /** Number of the record in its file, from 0. */
  readonly record: number
  /** Offset of the record in its file, in bytes: what `read` takes. */
  readonly position: number
}

/** Why a file is not a whole log. `torn-tail` is what a crash leaves; every other code is damage. */
export interface LogFault {
  readonly code:
    | 'torn-tail'
    | 'bad-magic'
    | 'bad-version'
    | 'bad-header'
    | 'bad-flags'
    | 'bad-sequence'
    | 'too-long'
    | 'bad-payload'
  /** The record that does not check; for a torn tail, the first record that is cut off. */
  readonly record: number
  readonly position: number
  /** As written in the file, which a bad header may misstate; undefined when there is none to read. */
  readonly kind: number | undefined
  /** Bytes from `position` to the end of the file. */
  readonly bytes: number
  /** Where the batch begins that this record is in. */
  readonly batch: number
  /** Nothing but this batch is lost with it: it may be a write that a power cut left in pieces. */
  readonly unfinished: boolean
  readonly message: string
}

export const PAYLOAD_BYTES_MAX = 16 * 2 ** 20
/** A batch is assembled in memory, and held there while a log is read. */
export const BATCH_BYTES_MAX = 64 * 2 ** 20

export const MAGIC = Buffer.from('PINLOG', 'latin1')
export const VERSION = 1
export const PREAMBLE = Buffer.from([...MAGIC, VERSION >> 8, VERSION & 0xff])
export const HEADER_BYTES = 16
export const HEADER_CHECKED_BYTES = 12
export const CHECKSUM_BYTES = 8
export const COMMIT = 1
const SEQUENCE_MAX = 2 ** 48 - 1

/** Parts of a file in memory. */
export interface Source {
  /** What was read last; it never changes. */
  readonly bytes: Buffer
  /** Where in `bytes` those are that begin at `offset` in the file, after reading them if need be. */
  at(offset: number, length: number): number
}

interface Parsed extends LogEntry {
  readonly commit: boolean
  readonly next: number
}

/** Checks the record at `position` of a file of `end` bytes; `sequence` undefined takes any number. */
export function readRecord(
  source: Source,
  position: number,
  end: number,
  sequence: number | undefined,
): Result<Parsed, LogFault> {
  let number = 0
  const fault = (code: LogFault['code'], message: string, kind?: number) =>
    refuse({
      code,
      record: sequence ?? number,
      position,
      kind,
      bytes: end - position,
      batch: position,
      unfinished: false,
      message,
    })
  if (end - position < HEADER_BYTES) return fault('torn-tail', 'file ends inside a record header')
  const header = source.at(position, HEADER_BYTES)
  const length = source.bytes.readUInt32BE(header)
  const kind = source.bytes.readUInt8(header + 4)
  const flags = source.bytes.readUInt8(header + 5)
  number = source.bytes.readUIntBE(header + 6, 6)
  if (!hasChecksum(source.bytes, header, HEADER_CHECKED_BYTES, HEADER_BYTES)) {
    return fault('bad-header', 'checksum of the record header does not match', kind)
  }
  // From here on the header is what some program wrote.
  if ((flags & ~COMMIT) !== 0) return fault('bad-flags', `expected flags 0 or 1, got ${flags}`, kind)
  if (sequence !== undefined && number !== sequence) {
    return fault('bad-sequence', `expected sequence number ${sequence}, got ${number}`, kind)
  }
  if (length > PAYLOAD_BYTES_MAX) {
    return fault('too-long', `expected at most ${PAYLOAD_BYTES_MAX} payload bytes, got ${length}`, kind)
  }
  const next = position + HEADER_BYTES + length + CHECKSUM_BYTES
  if (next > end) return fault('torn-tail', 'file ends inside a record', kind)
  const checked = HEADER_BYTES + length
  const start = source.at(position, checked + CHECKSUM_BYTES)
  const { buffer, byteOffset } = source.bytes
  if (!hasChecksum(source.bytes, start, checked, checked + CHECKSUM_BYTES)) {
    return fault('bad-payload', 'checksum of the payload does not match', kind)
  }
  const bytes = new Uint8Array(buffer, byteOffset + start + HEADER_BYTES, length)
  return accept({ kind, bytes, commit: (flags & COMMIT) !== 0, next })
}

/** A batch as it is written after `position`, and where each of its records will be. */
export function encodeBatch(entries: readonly LogEntry[], sequence: number, position: number) {
  invariant(entries.length > 0, 'a batch has at least one record')
  let total = 0
  for (const { kind, bytes } of entries) {
    invariant(Number.isInteger(kind) && kind >= 0 && kind <= 255, `kind ${kind} is not 0 to 255`)
    invariant(bytes.length <= PAYLOAD_BYTES_MAX, `payload of ${bytes.length} bytes`)
    total += HEADER_BYTES + bytes.length + CHECKSUM_BYTES
  }
  invariant(total <= BATCH_BYTES_MAX, `batch of ${total} bytes`)
  invariant(sequence + entries.length <= SEQUENCE_MAX, 'sequence numbers are used up')

  const batch = Buffer.allocUnsafe(total)
  const positions: number[] = []
  let at = 0
  for (const [index, { kind, bytes }] of entries.entries()) {
    positions.push(position + at)
    const header = batch.subarray(at, at + HEADER_BYTES)
    header.writeUInt32BE(bytes.length, 0)
    header.writeUInt8(kind, 4)
    header.writeUInt8(index === entries.length - 1 ? COMMIT : 0, 5)
    header.writeUIntBE(sequence + index, 6, 6)
    header.write(sha256Text(header.subarray(0, HEADER_CHECKED_BYTES)), HEADER_CHECKED_BYTES, 4, 'latin1')
    batch.set(bytes, at + HEADER_BYTES)
    const end = at + HEADER_BYTES + bytes.length
    batch.write(sha256Text(batch.subarray(at, end)), end, CHECKSUM_BYTES, 'latin1')
    at += HEADER_BYTES + bytes.length + CHECKSUM_BYTES
  }
  return { bytes: batch, positions }
}

export const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength)

/** One read for each part. */
export function directly(file: LogFile): Source {
  let bytes: Buffer = Buffer.alloc(0)
  return {
    get bytes() {
      return bytes
    },
    at(offset, length) {
      bytes = asBuffer(file.read(offset, length))
      return 0
    },
  }
}

/** Whether the `checked` bytes from `start` are followed, up to `length`, by as much of their hash as there is room for. */
export function hasChecksum(bytes: Buffer, start: number, checked: number, length: number): boolean {
  const digest = sha256Text(bytes.subarray(start, start + checked))
  for (let at = checked; at < length; at++)
    if (bytes[start + at] !== digest.charCodeAt(at - checked)) return false
  return true
}
