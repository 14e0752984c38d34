import { changes as changesCodec } from '../ledger/state.js';
import { header } from '../schemas/block.js';
import { decode, encode, Reader } from '../schemas/codec.js';
import { list, struct } from '../schemas/compound.js';
import { hash, u32 } from '../schemas/field.js';
import { coinbase } from '../schemas/transaction.js';
import { CHECKPOINT_RECORD } from './checkpoint-records.js';
import { WorldError } from './error.js';
export const RECORD = {
    genesis: 1,
    block: 2,
    changes: 3,
    tip: 4,
    base: 5,
    state: 6,
    headers: 7,
    ...CHECKPOINT_RECORD,
    accounts: 10,
};
const NAMES = new Map(Object.entries(RECORD).map(([name, kind]) => [kind, name]));
/** For messages: a record's kind in words. */
export const recordName = (kind) => NAMES.get(kind) ?? `kind ${kind}`;
/** Kinds that never begin a batch, but for the later ones of a reorganisation that is too large for one. */
export const continues = (kind) => kind === RECORD.changes || kind === RECORD.tip;
/** More than any record that this version writes. */
export const RECORD_BYTES_MAX = 16 << 20;
export const changesRecord = struct({ block: hash, changes: changesCodec });
/** What a block changed, from its record; throws WorldError `store-corrupt`. */
export function readChanges(block, bytes) {
    const decoded = decode(changesRecord, bytes, RECORD_BYTES_MAX);
    if (decoded.ok)
        return decoded.value.changes;
    const { field, message } = decoded.fault;
    throw new WorldError('store-corrupt', `the stored changes of block ${block}: ${field} ${message}`);
}
export const tipRecord = struct({
    /** Blocks taken off the old tip. */
    disconnected: u32,
    /** Blocks put on, lowest first; the last is the tip. */
    connected: list(hash, 0xffff),
});
const { type, network, from } = coinbase.fields;
/** As much of a coinbase as tells who mined the block. */
const coinbaseStart = struct({ type, network, from });
/** Header and miner of an encoded block. */
export function readBlockStart(bytes) {
    const reader = new Reader(bytes);
    return { header: header.read(reader), miner: coinbaseStart.read(reader).from };
}
/** Header and coinbase of an encoded block, without its transactions. */
export function readBlockHead(bytes) {
    const reader = new Reader(bytes);
    return { header: header.read(reader), coinbase: coinbase.read(reader) };
}
/** A reorganisation through hours of full blocks has more changes than one batch can hold. */
const UPDATE_BATCH_BYTES_MAX = 32 << 20;
/** Records in their order, in as few batches as the log takes. */
export function inBatches(records) {
    const batches = [];
    let room = 0;
    for (const record of records) {
        if (room < record.bytes.length) {
            batches.push([]);
            room = UPDATE_BATCH_BYTES_MAX;
        }
        batches.at(-1)?.push(record);
        room -= record.bytes.length;
    }
    return batches;
}
/** The batch that stores an update; `hasChanges` tells of which blocks the changes are stored already. */
export function updateRecords({ added, disconnected, connected, tip }, hasChanges) {
    const records = [];
    if (added !== undefined)
        records.push({ kind: RECORD.block, bytes: added.bytes, block: added.entry.hash });
    for (const { entry, changes } of connected) {
        if (hasChanges(entry.hash))
            continue;
        records.push({
            kind: RECORD.changes,
            bytes: encode(changesRecord, { block: entry.hash, changes }),
            block: entry.hash,
        });
    }
    if (connected.length > 0) {
        const moved = { disconnected: disconnected.length, connected: connected.map(({ entry }) => entry.hash) };
        records.push({ kind: RECORD.tip, bytes: encode(tipRecord, moved), block: tip.hash });
    }
    return records;
}
//# sourceMappingURL=records.js.map