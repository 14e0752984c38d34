/**
 * What an agent's wires remember on disk, `wires.log` in the data directory.
 *
 * Records, the last of each sort counts: 1 wiring, what its owner has set, with its sequence number, which also a reset keeps, so that no old
 * message is taken again; 2 ledger, what the wires knew and had paid at a settled block of our chain; 3 own, what one
 * wire remembers of this agent's samples. The log is rewritten with what counts once it has grown large.
 */
import { openAppendLog } from '../../node/append-log.js';
import { decode, encode } from '../../schemas/codec.js';
import { list, struct } from '../../schemas/compound.js';
import { account, blob, bool, choice, freeText, hash, time, u32, u64 } from '../../schemas/field.js';
import { invariant } from '../../schemas/result.js';
import { decimal } from '../../schemas/units.js';
import { WIRING_TEXT_BYTES_MAX } from '../../schemas/wiring.js';
import { BUCKETS_MAX, PAGES_MAX } from './book.js';
/** Wires of an agent. */
export const WIRES_MAX = 64;
const RECORD = { wiring: 1, ledger: 2, own: 3 };
const RECORD_BYTES_MAX = 16 << 20;
const REWRITE_BYTES = 1 << 20;
const memory = struct({
    side: choice({ unknown: 0, before: 1, through: 2 }),
    base: list(decimal, 1),
    count: u64,
    epoch: time,
});
/** Wires are named by a hash of all that they say. */
const fingerprint = freeText(32);
const ownRecord = struct({ wire: fingerprint, memory });
const spent = { payments: u64, amount: u64 };
const ledgerRecord = struct({
    height: u32,
    block: hash,
    memories: list(ownRecord, WIRES_MAX),
    pages: list(struct({
        purchase: freeText(160),
        before: struct(spent),
        buckets: list(struct({ height: u32, time, ...spent }), BUCKETS_MAX),
    }), PAGES_MAX),
});
const wiringRecord = struct({
    owner: account,
    sequence: u64,
    /** False after a reset: then the configuration's wires count. */
    active: bool,
    text: blob(WIRING_TEXT_BYTES_MAX),
    /** Of the tip when they were set: what was before is not theirs to pay. */
    height: u32,
});
export class WiresLog {
    #files;
    #log;
    #wiring;
    #ledger;
    #own = new Map();
    constructor(files) {
        this.#files = files;
        this.#log = openAppendLog(files.open(), { onRecord: (kind, bytes) => this.#replay(kind, bytes) });
    }
    /** What an owner has set last. */
    get wiring() {
        return this.#wiring;
    }
    get ledger() {
        return this.#ledger;
    }
    own(wire) {
        return this.#own.get(wire);
    }
    setWiring(wiring) {
        this.#wiring = wiring;
        this.#append([wiringEntry(wiring)]);
    }
    setLedger(ledger) {
        this.#ledger = ledger;
        this.#append([ledgerEntry(ledger)]);
    }
    /** Keeps what wires remember of samples. */
    setOwn(memories) {
        if (memories.size === 0)
            return;
        for (const [wire, memory] of memories)
            this.#own.set(wire, memory);
        this.#append([...memories].map(ownEntry));
    }
    /** Forgets what is of none of these wires; durable with the next rewrite. */
    keepOwn(wires) {
        for (const wire of [...this.#own.keys()])
            if (!wires.has(wire))
                this.#own.delete(wire);
    }
    close() {
        this.#log.close();
    }
    /** Of what is in memory already: a rewrite keeps it. */
    #append(entries) {
        this.#log.append(entries);
        if (this.#log.size > REWRITE_BYTES)
            this.#rewrite();
    }
    /** A crash at any point leaves the old log or the new one. */
    #rewrite() {
        const fresh = this.#files.fresh();
        const log = openAppendLog(fresh.file);
        const entries = [
            ...(this.#wiring === undefined ? [] : [wiringEntry(this.#wiring)]),
            ...(this.#ledger === undefined ? [] : [ledgerEntry(this.#ledger)]),
            ...[...this.#own].map(ownEntry),
        ];
        if (entries.length > 0)
            log.append(entries);
        fresh.commit();
        this.#log.close();
        this.#log = log;
    }
    #replay(kind, bytes) {
        if (kind === RECORD.wiring) {
            const wiring = decode(wiringRecord, bytes, RECORD_BYTES_MAX);
            invariant(wiring.ok, 'a wiring record decodes');
            this.#wiring = wiring.value;
        }
        else if (kind === RECORD.ledger) {
            const ledger = decode(ledgerRecord, bytes, RECORD_BYTES_MAX);
            invariant(ledger.ok, 'a ledger record decodes');
            const memories = new Map(ledger.value.memories.map(({ wire, memory }) => [wire, fromDisk(memory)]));
            this.#ledger = { ...ledger.value, memories };
        }
        else if (kind === RECORD.own) {
            const own = decode(ownRecord, bytes, RECORD_BYTES_MAX);
            invariant(own.ok, 'an own record decodes');
            this.#own.set(own.value.wire, fromDisk(own.value.memory));
        }
    }
}
const toDisk = ({ base, ...rest }) => ({ ...rest, base: base === undefined ? [] : [base] });
const fromDisk = ({ base, ...rest }) => ({ ...rest, base: base[0] });
const wiringEntry = (wiring) => ({
    kind: RECORD.wiring,
    bytes: encode(wiringRecord, wiring),
});
const ledgerEntry = ({ memories, ...ledger }) => ({
    kind: RECORD.ledger,
    bytes: encode(ledgerRecord, {
        ...ledger,
        memories: [...memories].map(([wire, each]) => ({ wire, memory: toDisk(each) })),
    }),
});
const ownEntry = ([wire, each]) => ({
    kind: RECORD.own,
    bytes: encode(ownRecord, { wire, memory: toDisk(each) }),
});
//# sourceMappingURL=wires-log.js.map