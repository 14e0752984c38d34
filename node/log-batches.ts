/**
 * Reads the batches of an append-only log one after the other, each record checked, ahead of who asks for them.
 *
 * A start reads all of its ledger this way. So nothing is made for a record but what its checksums need, and only when they
 * do not match are the parts looked at one by one, to say which of them is at fault.
 */
import { invariant } from '../schemas/result.ts'
import {
  asBuffer,
  BATCH_BYTES_MAX,
  CHECKSUM_BYTES,
  COMMIT,
  directly,
  HEADER_BYTES,
  HEADER_CHECKED_BYTES,
  hasChecksum,
  type LogFault,
  type LogFile,
  MAGIC,
  PAYLOAD_BYTES_MAX,
  PREAMBLE,
  readRecord,
  type Source,
  VERSION,
} from './log-record.ts'

const READ_AHEAD_BYTES = 256 * 1024

export class Batches {
  /** Records of the batch that was read last. */
  count = 0
  /** Of each of them: its kind and where it begins. What stands behind them is of other batches. */
  readonly kinds: number[] = []
  readonly positions: number[] = []
  /** Records of the file before this batch. */
  records = 0
  /** What does not check, once there is no further batch. */
  fault: LogFault | undefined
  readonly #lengths: number[] = []
  readonly #file: LogFile
  readonly #continues: (kind: number) => boolean
  readonly #transient: boolean
  readonly #end: number
  #next = PREAMBLE.length
  /** The file's bytes from `#start` on, `#filled` of them. */
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #filled = 0

  /**
   * When `transient`, a payload is there until the next batch is read: memory that is new each time costs a start half as
   * much again. And then the payload's checksum, which is over the header and the header's own, speaks for that one.
   */
  constructor(file: LogFile, continues: (kind: number) => boolean, transient: boolean) {
    this.#file = file
    this.#continues = continues
    this.#transient = transient
    this.#end = file.size
    this.fault = checkPreamble(file.read(0, Math.min(this.#end, PREAMBLE.length)), this.#end)
  }

  /** Goes to the next batch; false at the end of the file, and at its first fault. */
  next(): boolean {
    if (this.fault !== undefined) return false
    this.records += this.count
    this.count = 0
    const batch = this.#next
    for (;;) {
      const position = this.#next
      const record = this.records + this.count
      if (position >= this.#end) {
        if (position > batch) this.fault = this.#torn(batch)
        return false
      }
      const length = this.#check(position, batch, record)
      if (length < 0) {
        this.fault = this.#explain(position, batch, record)
        return false
      }
      const header = position - this.#start
      const kind = this.#bytes[header + 4] as number
      this.#next = position + HEADER_BYTES + length + CHECKSUM_BYTES
      if (this.#next - batch > BATCH_BYTES_MAX) {
        const message = `batch of more than ${BATCH_BYTES_MAX} bytes`
        const fault = { record, position, kind, bytes: this.#end - position, message }
        this.fault = { code: 'too-long', ...fault, batch, unfinished: false }
        return false
      }
      this.kinds[this.count] = kind
      this.positions[this.count] = position
      this.#lengths[this.count++] = length
      if (this.#bytes[header + 5] === COMMIT) return true
    }
  }

  /** Of a record of the batch. */
  payload(index: number): Uint8Array {
    const start = (this.positions[index] as number) - this.#start + HEADER_BYTES
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#lengths[index] as number)
  }

  /** Length of the payload of a whole record; negative when there is none. */
  #check(position: number, batch: number, record: number): number {
    if (this.#end - position < HEADER_BYTES) return -1
    this.#need(position, HEADER_BYTES, batch)
    let header = position - this.#start
    const length = this.#bytes.readUInt32BE(header)
    const checked = HEADER_BYTES + length
    if (length > PAYLOAD_BYTES_MAX || position + checked + CHECKSUM_BYTES > this.#end) return -1
    if ((this.#bytes[header + 5] as number) > COMMIT || this.#bytes.readUIntBE(header + 6, 6) !== record)
      return -1
    this.#need(position, checked + CHECKSUM_BYTES, batch)
    header = position - this.#start
    if (!hasChecksum(this.#bytes, header, checked, checked + CHECKSUM_BYTES)) return -1
    if (!this.#transient && !hasChecksum(this.#bytes, header, HEADER_CHECKED_BYTES, HEADER_BYTES)) return -1
    return length
  }

  /** Reads so many bytes from `position` if they are not there, and what follows them; what is there from `batch` on stays. */
  #need(position: number, length: number, batch: number): void {
    if (position + length <= this.#start + this.#filled) return
    const kept = Math.max(0, this.#start + this.#filled - batch)
    const old = this.#bytes.subarray(this.#filled - kept, this.#filled)
    const least = Math.max(position + length - batch, READ_AHEAD_BYTES)
    // A batch that does not fit would otherwise be copied again for each of its records.
    const size = least > this.#bytes.length ? Math.max(least, 2 * kept) : this.#bytes.length
    const bytes = this.#transient && size === this.#bytes.length ? this.#bytes : Buffer.allocUnsafeSlow(size)
    bytes.set(old)
    const rest = bytes.subarray(kept, Math.min(size, this.#end - batch))
    const read = this.#file.read(batch + kept, rest.length, rest)
    if (read !== rest) rest.set(read)
    this.#bytes = bytes
    this.#start = batch
    this.#filled = kept + rest.length
  }

  /** Why there is no whole record. */
  #explain(position: number, batch: number, record: number): LogFault {
    const outcome = readRecord(directly(this.#file), position, this.#end, record)
    invariant(!outcome.ok, `record ${record} checks in parts, and not as a whole`)
    if (outcome.fault.code === 'torn-tail') return this.#torn(batch)
    const unfinished = isUnfinished(this.#file, outcome.fault, batch, this.#end, this.#continues)
    return { ...outcome.fault, batch, unfinished }
  }

  #torn(batch: number): LogFault {
    const message = 'file ends inside a batch that was being written'
    const place = {
      record: this.records,
      position: batch,
      kind: this.count > 0 ? this.kinds[0] : undefined,
      bytes: this.#end - batch,
    }
    return { code: 'torn-tail', ...place, batch, unfinished: true, message }
  }
}

/**
 * Whether no batch follows the record that does not check. Records of its own batch may: sectors reach a disk in any order.
 * Then its head has to say that it is not the last of its batch, or theirs that they are not the first.
 */
function isUnfinished(
  file: LogFile,
  fault: LogFault,
  batch: number,
  end: number,
  continues: (kind: number) => boolean,
): boolean {
  // A head that checks and says what this version never writes was not left by a power cut.
  if (fault.code !== 'bad-header' && fault.code !== 'bad-payload') return false
  if (end - batch > BATCH_BYTES_MAX) return false
  const view = asBuffer(file.read(fault.position, end - fault.position))
  const source: Source = { bytes: view, at: (offset) => offset - fault.position }
  const head = view.subarray(0, HEADER_BYTES)
  const from = fault.code === 'bad-payload' ? HEADER_BYTES + view.readUInt32BE(0) + CHECKSUM_BYTES : 1
  // Another write came after a record that ended its batch, so that one was promised.
  if (fault.code === 'bad-payload' && head[5] === COMMIT && from < view.length) return false
  let open = fault.code === 'bad-payload' && head[5] === 0
  for (let at = from; at + HEADER_BYTES + CHECKSUM_BYTES <= view.length; at++) {
    // Most offsets fall here: a length, a flag and a sequence number that could be right are rare.
    if (view.readUInt32BE(at) > PAYLOAD_BYTES_MAX || (view[at + 5] as number) > COMMIT) continue
    const number = view.readUIntBE(at + 6, 6)
    if (number <= fault.record || number > fault.record + view.length) continue
    const outcome = readRecord(source, fault.position + at, end, number)
    if (!outcome.ok) continue
    open ||= continues(outcome.value.kind)
    if (!open || (outcome.value.commit && outcome.value.next < end)) return false
    at = outcome.value.next - fault.position - 1
  }
  return true
}

function checkPreamble(found: Uint8Array, end: number): LogFault | undefined {
  const fault = { record: 0, position: 0, kind: undefined, bytes: end, batch: 0, unfinished: false }
  const expected = PREAMBLE.subarray(0, found.length)
  if (expected.equals(found)) {
    if (end === 0 || found.length === PREAMBLE.length) return undefined
    return { code: 'torn-tail', ...fault, unfinished: true, message: 'file ends inside its first 8 bytes' }
  }
  if (found.length === PREAMBLE.length && MAGIC.equals(found.subarray(0, MAGIC.length))) {
    const version = Buffer.from(found).readUInt16BE(MAGIC.length)
    return { code: 'bad-version', ...fault, message: `expected format version ${VERSION}, got ${version}` }
  }
  const got = Buffer.from(found).toString('hex')
  return {
    code: 'bad-magic',
    ...fault,
    message: `expected first bytes ${expected.toString('hex')}, got ${got}`,
  }
}
