/**
 * A checksummed append-only log of atomic batches: the base of the chain store and of an agent's outbox.
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
 * Invariants: a batch counts from its commit record on, and is in one write followed by one fdatasync. A file
 * that *ends* inside a record or a batch was torn while it was written, so nobody was told of that batch: it is
 * cut off. So is a last batch of which some sectors never reached the disk: what does not check is followed by no
 * other batch. Its bytes are set aside first, since damage to a whole last batch looks the same. The header has its own
 * checksum so that a flipped bit in a length or in a commit flag cannot make more of the file look like its end.
 * Whatever else does not check is damage to something that was promised, and is never cut off.
 * Source: docs/PROTOCOL.md section 10.
 */
import { accept, invariant, refuse } from '../schemas/result.js';
import { WorldError } from './error.js';
import { sha256Text } from './sha256.js';
export const PAYLOAD_BYTES_MAX = 16 * 2 ** 20;
/** A batch is assembled in memory, and held there while a log is read. */
export const BATCH_BYTES_MAX = 64 * 2 ** 20;
const MAGIC = Buffer.from('PINLOG', 'latin1');
const VERSION = 1;
const PREAMBLE = Buffer.from([...MAGIC, VERSION >> 8, VERSION & 0xff]);
const HEADER_BYTES = 16;
const HEADER_CHECKED_BYTES = 12;
const CHECKSUM_BYTES = 8;
const COMMIT = 1;
const SEQUENCE_MAX = 2 ** 48 - 1;
const READ_AHEAD_BYTES = 256 * 1024;
/**
 * Opens a log: checks every record from the first, hands the committed ones to `onRecord`, cuts off a torn tail.
 *
 * The log owns `file` from here on, also when this throws: WorldError `store-corrupt` for damage, `store-write`
 * when the file cannot be cut or begun.
 */
export function openAppendLog(file, options = {}) {
    try {
        return open(file, options);
    }
    catch (error) {
        file.close();
        throw error;
    }
}
function open(file, { onRecord, kindName = (kind) => `kind ${kind}`, continues, sealed = false }) {
    const corrupt = (fault) => new WorldError('store-corrupt', corruptMessage(file, fault, kindName));
    let size = file.size;
    let records = 0;
    let torn = 0;
    let cut;
    let closed = false;
    let broken;
    for (const outcome of audit(file, continues)) {
        if (outcome.ok) {
            records = outcome.value.record + 1;
            onRecord?.(outcome.value.kind, outcome.value.bytes, outcome.value.position);
        }
        else if (!outcome.fault.unfinished || sealed)
            throw corrupt(outcome.fault);
        else {
            size = outcome.fault.batch;
            torn = file.size - size;
            if (outcome.fault.code !== 'torn-tail')
                cut = describe(outcome.fault, kindName);
        }
    }
    if (cut !== undefined)
        file.setAside?.(file.read(size, torn), size);
    try {
        // Also when nothing is torn: a process killed between its write and its fdatasync leaves a whole batch that
        // is not yet durable, and from here on we build on it.
        if (!sealed)
            file.truncate(size);
        if (size === 0 && !sealed) {
            file.append(PREAMBLE);
            size = PREAMBLE.length;
        }
    }
    catch (error) {
        throw writeError(file, PREAMBLE.length, size, error);
    }
    return {
        get size() {
            return size;
        },
        get records() {
            return records;
        },
        torn,
        cut,
        append(entries) {
            invariant(!closed, 'append to a closed log');
            invariant(!sealed, 'append to a sealed log');
            if (broken !== undefined)
                throw new WorldError('store-write', broken.message, broken.cause);
            const { bytes, positions } = encodeBatch(entries, records, size);
            try {
                file.append(bytes);
            }
            catch (error) {
                broken = writeError(file, bytes.length, size, error);
                try {
                    file.truncate(size);
                }
                catch {
                    // The part that was written ends in the middle of a batch: the next open cuts it off.
                }
                throw broken;
            }
            size += bytes.length;
            records += entries.length;
            return positions;
        },
        read(position) {
            invariant(!closed, 'read from a closed log');
            invariant(Number.isInteger(position) && position >= PREAMBLE.length && position + HEADER_BYTES <= size, `position ${position} is not in the log`);
            const outcome = readRecord(directly(file), position, size, undefined);
            if (outcome.ok)
                return { kind: outcome.value.kind, bytes: outcome.value.bytes };
            throw corrupt(outcome.fault);
        },
        close() {
            if (closed)
                return;
            closed = true;
            file.close();
        },
    };
}
/**
 * Reads a log without changing it: every committed record in order, then, if the file is not whole, its first
 * fault. An unfinished batch yields no record. A file of 0 bytes is a log not yet begun and yields nothing.
 */
export function* audit(file, continues = () => false) {
    const end = file.size;
    const read = readAhead(file, end);
    const preamble = checkPreamble(read(0, Math.min(end, PREAMBLE.length)), end);
    if (preamble !== undefined)
        return yield refuse(preamble);
    let record = 0;
    let position = PREAMBLE.length;
    let start = { record, position };
    let batch = [];
    while (position < end) {
        const outcome = readRecord(read, position, end, record);
        if (!outcome.ok) {
            if (outcome.fault.code === 'torn-tail')
                break;
            const unfinished = isUnfinished(file, outcome.fault, start.position, end, continues);
            return yield refuse({ ...outcome.fault, batch: start.position, unfinished });
        }
        const { kind, bytes, commit, next } = outcome.value;
        if (next - start.position > BATCH_BYTES_MAX) {
            const message = `batch of more than ${BATCH_BYTES_MAX} bytes`;
            const fault = { record, position, kind, bytes: end - position, message };
            return yield refuse({ code: 'too-long', ...fault, batch: start.position, unfinished: false });
        }
        batch.push({ kind, bytes, record, position });
        record++;
        position = next;
        if (!commit)
            continue;
        for (const entry of batch)
            yield accept(entry);
        batch = [];
        start = { record, position };
    }
    if (start.position >= end)
        return;
    const message = 'file ends inside a batch that was being written';
    const kind = batch[0]?.kind;
    const fault = { ...start, kind, bytes: end - start.position, message };
    yield refuse({ code: 'torn-tail', ...fault, batch: start.position, unfinished: true });
}
/**
 * Whether no batch follows the record that does not check. Records of its own batch may: sectors reach a disk in any order.
 * Then its head has to say that it is not the last of its batch, or theirs that they are not the first.
 */
function isUnfinished(file, fault, batch, end, continues) {
    // A head that checks and says what this version never writes was not left by a power cut.
    if (fault.code !== 'bad-header' && fault.code !== 'bad-payload')
        return false;
    if (end - batch > BATCH_BYTES_MAX)
        return false;
    const view = asBuffer(file.read(fault.position, end - fault.position));
    const read = (offset, length) => view.subarray(offset - fault.position, offset - fault.position + length);
    const head = view.subarray(0, HEADER_BYTES);
    const from = fault.code === 'bad-payload' ? HEADER_BYTES + view.readUInt32BE(0) + CHECKSUM_BYTES : 1;
    // Another write came after a record that ended its batch, so that one was promised.
    if (fault.code === 'bad-payload' && head[5] === COMMIT && from < view.length)
        return false;
    let open = fault.code === 'bad-payload' && head[5] === 0;
    for (let at = from; at + HEADER_BYTES + CHECKSUM_BYTES <= view.length; at++) {
        // Most offsets fall here: a length, a flag and a sequence number that could be right are rare.
        if (view.readUInt32BE(at) > PAYLOAD_BYTES_MAX || view[at + 5] > COMMIT)
            continue;
        const number = view.readUIntBE(at + 6, 6);
        if (number <= fault.record || number > fault.record + view.length)
            continue;
        const outcome = readRecord(read, fault.position + at, end, number);
        if (!outcome.ok)
            continue;
        open ||= continues(outcome.value.kind);
        if (!open || (outcome.value.commit && outcome.value.next < end))
            return false;
        at = outcome.value.next - fault.position - 1;
    }
    return true;
}
/** The record at a position that `audit` gave, checked again. */
export function recordAt(file, position) {
    return readRecord(directly(file), position, file.size, undefined);
}
function checkPreamble(found, end) {
    const fault = { record: 0, position: 0, kind: undefined, bytes: end, batch: 0, unfinished: false };
    const expected = PREAMBLE.subarray(0, found.length);
    if (expected.equals(found)) {
        if (end === 0 || found.length === PREAMBLE.length)
            return undefined;
        return { code: 'torn-tail', ...fault, unfinished: true, message: 'file ends inside its first 8 bytes' };
    }
    if (found.length === PREAMBLE.length && MAGIC.equals(found.subarray(0, MAGIC.length))) {
        const version = Buffer.from(found).readUInt16BE(MAGIC.length);
        return { code: 'bad-version', ...fault, message: `expected format version ${VERSION}, got ${version}` };
    }
    const got = Buffer.from(found).toString('hex');
    return {
        code: 'bad-magic',
        ...fault,
        message: `expected first bytes ${expected.toString('hex')}, got ${got}`,
    };
}
/** Checks the record at `position` of a file of `end` bytes; `sequence` undefined takes any number. */
function readRecord(read, position, end, sequence) {
    let number = 0;
    const fault = (code, message, kind) => refuse({
        code,
        record: sequence ?? number,
        position,
        kind,
        bytes: end - position,
        batch: position,
        unfinished: false,
        message,
    });
    if (end - position < HEADER_BYTES)
        return fault('torn-tail', 'file ends inside a record header');
    const header = read(position, HEADER_BYTES);
    const length = header.readUInt32BE(0);
    const kind = header.readUInt8(4);
    const flags = header.readUInt8(5);
    number = header.readUIntBE(6, 6);
    if (!hasChecksum(header, HEADER_CHECKED_BYTES)) {
        return fault('bad-header', 'checksum of the record header does not match', kind);
    }
    // From here on the header is what some program wrote.
    if ((flags & ~COMMIT) !== 0)
        return fault('bad-flags', `expected flags 0 or 1, got ${flags}`, kind);
    if (sequence !== undefined && number !== sequence) {
        return fault('bad-sequence', `expected sequence number ${sequence}, got ${number}`, kind);
    }
    if (length > PAYLOAD_BYTES_MAX) {
        return fault('too-long', `expected at most ${PAYLOAD_BYTES_MAX} payload bytes, got ${length}`, kind);
    }
    const next = position + HEADER_BYTES + length + CHECKSUM_BYTES;
    if (next > end)
        return fault('torn-tail', 'file ends inside a record', kind);
    const checked = HEADER_BYTES + length;
    const whole = read(position, checked + CHECKSUM_BYTES);
    if (!hasChecksum(whole, checked)) {
        return fault('bad-payload', 'checksum of the payload does not match', kind);
    }
    const bytes = new Uint8Array(whole.buffer, whole.byteOffset + HEADER_BYTES, length);
    return accept({ kind, bytes, commit: (flags & COMMIT) !== 0, next });
}
function encodeBatch(entries, sequence, position) {
    invariant(entries.length > 0, 'a batch has at least one record');
    let total = 0;
    for (const { kind, bytes } of entries) {
        invariant(Number.isInteger(kind) && kind >= 0 && kind <= 255, `kind ${kind} is not 0 to 255`);
        invariant(bytes.length <= PAYLOAD_BYTES_MAX, `payload of ${bytes.length} bytes`);
        total += HEADER_BYTES + bytes.length + CHECKSUM_BYTES;
    }
    invariant(total <= BATCH_BYTES_MAX, `batch of ${total} bytes`);
    invariant(sequence + entries.length <= SEQUENCE_MAX, 'sequence numbers are used up');
    const batch = Buffer.allocUnsafe(total);
    const positions = [];
    let at = 0;
    for (const [index, { kind, bytes }] of entries.entries()) {
        positions.push(position + at);
        const header = batch.subarray(at, at + HEADER_BYTES);
        header.writeUInt32BE(bytes.length, 0);
        header.writeUInt8(kind, 4);
        header.writeUInt8(index === entries.length - 1 ? COMMIT : 0, 5);
        header.writeUIntBE(sequence + index, 6, 6);
        header.write(sha256Text(header.subarray(0, HEADER_CHECKED_BYTES)), HEADER_CHECKED_BYTES, 4, 'latin1');
        batch.set(bytes, at + HEADER_BYTES);
        const end = at + HEADER_BYTES + bytes.length;
        batch.write(sha256Text(batch.subarray(at, end)), end, CHECKSUM_BYTES, 'latin1');
        at += HEADER_BYTES + bytes.length + CHECKSUM_BYTES;
    }
    return { bytes: batch, positions };
}
const asBuffer = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);
const directly = (file) => (offset, length) => asBuffer(file.read(offset, length));
/** One read of the file for many small records. */
function readAhead(file, end) {
    let start = 0;
    let ahead = Buffer.alloc(0);
    return (offset, length) => {
        if (offset < start || offset + length > start + ahead.length) {
            start = offset;
            ahead = asBuffer(file.read(offset, Math.min(Math.max(length, READ_AHEAD_BYTES), end - offset)));
        }
        return ahead.subarray(offset - start, offset - start + length);
    };
}
/** Whether `bytes` end, after the first `checked`, with as much of the hash of those as there is room for. */
function hasChecksum(bytes, checked) {
    const digest = sha256Text(bytes.subarray(0, checked));
    for (let at = checked; at < bytes.length; at++)
        if (bytes[at] !== digest.charCodeAt(at - checked))
            return false;
    return true;
}
const describe = (fault, kindName) => `record ${fault.record}${fault.kind === undefined ? '' : ` (${kindName(fault.kind)})`}, offset ${fault.position}: ${fault.message} (${fault.code})`;
const corruptMessage = (file, fault, kindName) => `${file.path} is damaged at ${describe(fault, kindName)}. ` +
    'Nothing was changed. Restore the file from a backup, or run pinledger repair: ' +
    'what the network has confirmed is fetched anew. A disk that damages one file should be replaced';
function writeError(file, bytes, size, cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new WorldError('store-write', `cannot write ${bytes} bytes to ${file.path} (${why}). Nothing that was announced is lost: ` +
        `the first ${size} bytes are whole. Make sure that the disk works and has at least ${bytes} bytes free, then start again`, cause);
}
//# sourceMappingURL=append-log.js.map