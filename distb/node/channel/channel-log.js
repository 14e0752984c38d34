/**
 * The books of an account's channels on disk: one write for everything that has come together, and nothing is sent before it.
 *
 * Records count in memory at once and are durable with the next write; what may only happen then is given along. Writes
 * wait for as long as the last one took, so that a slow card gets few large ones. The log is rewritten with what still
 * counts whenever it has grown large. Invariant: after a write has failed nothing of what waits for it ever happens.
 */
import { decode, encode } from '../../schemas/codec.js';
import { openAppendLog } from '../append-log.js';
import { WorldError } from '../error.js';
import { Books, channelRecord, RECORD_BYTES_MAX } from './records.js';
export const CHANNEL_LOG = 'channels.log';
/** The log is rewritten when it is larger than this and than four times what still counts. */
const REWRITE_BYTES = 4 << 20;
const WAIT_MS = { min: 1, max: 20 };
/** Records in one batch; more are written at once. */
const WAITING_MAX = 4_096;
export class ChannelLog {
    books = new Books();
    #files;
    #modules;
    #rewriteBytes;
    #log;
    #rewriteAt;
    #waiting = [];
    #then = [];
    #cancel;
    #waitMs = WAIT_MS.min;
    #broken = false;
    constructor(files, modules) {
        this.#files = files;
        this.#modules = modules;
        this.#rewriteBytes = modules.rewriteBytes ?? REWRITE_BYTES;
        this.#rewriteAt = this.#rewriteBytes;
        this.#log = openAppendLog(files.open(), {
            kindName: (kind) => `channel record ${kind}`,
            onRecord: (_, bytes, position) => this.books.take(parseRecord(bytes, position)),
        });
    }
    /** Takes records into the books; `then` runs once they are durable, after what waited before it. */
    write(records, then = () => { }) {
        if (this.#broken)
            return;
        for (const record of records) {
            this.books.take(record);
            this.#waiting.push(toEntry(record));
        }
        this.#then.push(then);
        if (this.#waiting.length === 0)
            this.#run();
        else if (this.#waiting.length >= WAITING_MAX)
            this.flush();
        else
            this.#cancel ??= this.#modules.timers.after(this.#waitMs, () => this.flush());
    }
    /** Writes what waits, now. */
    flush() {
        this.#cancel?.();
        this.#cancel = undefined;
        if (this.#broken)
            return;
        try {
            if (this.#waiting.length > 0)
                this.#append();
        }
        catch (error) {
            this.#broken = true;
            this.#then = [];
            this.#modules.onFatal(error);
            return;
        }
        this.#run();
    }
    close() {
        this.flush();
        this.#log.close();
    }
    #append() {
        const startMs = this.#modules.nowMs();
        this.#log.append(this.#waiting);
        this.#waiting = [];
        if (this.#log.size > this.#rewriteAt)
            this.#rewrite();
        this.#waitMs = Math.min(WAIT_MS.max, Math.max(WAIT_MS.min, this.#modules.nowMs() - startMs));
    }
    #run() {
        const then = this.#then;
        this.#then = [];
        for (const each of then)
            each();
    }
    /** A crash at any point leaves the old log or the new one. */
    #rewrite() {
        const fresh = this.#files.fresh();
        const log = openAppendLog(fresh.file);
        const entries = [...this.books.records()].map(toEntry);
        if (entries.length > 0)
            log.append(entries);
        fresh.commit();
        this.#log.close();
        this.#log = log;
        this.#rewriteAt = Math.max(this.#rewriteBytes, 4 * log.size);
    }
}
const toEntry = (record) => {
    const bytes = encode(channelRecord, record);
    return { kind: bytes[0], bytes };
};
/** Throws WorldError `store-corrupt` for what this version did not write. */
export function parseRecord(bytes, position) {
    const record = decode(channelRecord, bytes, RECORD_BYTES_MAX);
    if (record.ok)
        return record.value;
    const what = `${CHANNEL_LOG}, record at offset ${position}: ${record.fault.field} ${record.fault.message}`;
    throw new WorldError('store-corrupt', `${what}; written by a newer version?`);
}
//# sourceMappingURL=channel-log.js.map