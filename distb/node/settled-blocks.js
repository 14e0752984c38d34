/**
 * Blocks of segments that lie below the window: found by reading a segment once, whose index is kept for a while.
 *
 * Most blocks of a height are in the segment that covers it; one that was connected again after a reorganisation may be in
 * one beside it.
 */
import { headerHash } from '../ledger/network.js';
import { openAppendLog } from './append-log.js';
import { WorldError } from './error.js';
import { RECORD, readBlockHead, recordName } from './records.js';
import { segmentName } from './segments.js';
import { hashing } from './signing.js';
/** Segments whose index is in memory: some 4,096 blocks each. */
const INDEXES_MAX = 3;
/** Segments looked into on either side. */
const REACH = 2;
export class SettledBlocks {
    #disk;
    #onNotice;
    /** The latest used last. */
    #indexes = new Map();
    #damaged = new Set();
    constructor(disk, onNotice) {
        this.#disk = disk;
        this.#onNotice = onNotice;
    }
    /** A block at a height, from segments with these bases, ascending; undefined when it is no longer there. */
    find(bases, height, hash) {
        const at = bases.findLastIndex((base) => base < height);
        if (at === -1)
            return undefined;
        const order = [0];
        for (let reach = 1; reach <= REACH; reach++)
            order.push(reach, -reach);
        for (const step of order) {
            const base = bases[at + step];
            const index = base === undefined ? undefined : this.#index(base);
            const position = index?.positions.get(hash);
            if (position !== undefined)
                return index?.log.read(position).bytes;
        }
        return undefined;
    }
    /** The segment is about to be removed. */
    forget(base) {
        this.#indexes.get(base)?.log.close();
        this.#indexes.delete(base);
    }
    close() {
        for (const base of [...this.#indexes.keys()])
            this.forget(base);
    }
    #index(base) {
        if (this.#damaged.has(base))
            return undefined;
        const index = this.#indexes.get(base) ?? this.#read(base);
        if (index === undefined)
            return undefined;
        this.#indexes.delete(base);
        this.#indexes.set(base, index);
        for (const oldest of this.#indexes.keys()) {
            if (this.#indexes.size <= INDEXES_MAX)
                break;
            this.forget(oldest);
        }
        return index;
    }
    #read(base) {
        const positions = new Map();
        try {
            const log = openAppendLog(this.#disk.open(segmentName(base)), {
                sealed: true,
                kindName: recordName,
                onRecord: (kind, bytes, position) => {
                    if (kind === RECORD.block)
                        positions.set(headerHash(hashing, readBlockHead(bytes).header), position);
                },
            });
            return { log, positions };
        }
        catch (error) {
            // Old blocks are for others: we go on without them, and say so.
            if (!(error instanceof WorldError))
                throw error;
            this.#damaged.add(base);
            this.#onNotice(`old blocks cannot be read: ${error.message}`);
            return undefined;
        }
    }
}
//# sourceMappingURL=settled-blocks.js.map