/**
 * Makes a damaged ledger one that opens: keeps what is whole, moves the rest aside, deletes nothing.
 *
 * Segments stand on each other, so what comes after a damaged one goes with it; below the window, what came before it.
 * `headers.log` follows from the blocks and is written anew when they reach back to the genesis.
 */
import { HEADER_GROUP } from '../ledger/chain.js';
import { audit } from './append-log.js';
import { ChainStore, storedGenesis } from './chain-store.js';
import { WorldError } from './error.js';
import { HEADERS_FILE } from './header-file.js';
import { continues, RECORD } from './records.js';
import { removeDrafts, segmentHeights, segmentName } from './segments.js';
/** Throws WorldError when what is left does not open either, with the reason. `at` names what is moved aside. */
export function repair(disk, at) {
    const steps = [];
    const aside = (name, why) => {
        disk.rename(name, `${name}.damaged-${at}`);
        steps.push(`${name} was moved to ${name}.damaged-${at}: ${why}`);
    };
    removeDrafts(disk);
    if (disk.list().includes(HEADERS_FILE)) {
        const fault = faultOf(disk, HEADERS_FILE, true);
        if (fault !== undefined)
            aside(HEADERS_FILE, fault);
    }
    const settled = settledHeight(disk);
    const heights = segmentHeights(disk);
    for (const [index, height] of heights.entries()) {
        const name = segmentName(height);
        const fault = faultOf(disk, name, index === heights.length - 1);
        if (fault === undefined)
            continue;
        aside(name, fault);
        const next = heights[index + 1];
        if (next !== undefined && next <= settled) {
            for (const older of heights.slice(0, index))
                aside(segmentName(older), `it ends where ${name} began`);
            steps.push(`blocks up to height ${next} are no longer kept, as if they had been deleted for room`);
            continue;
        }
        for (const later of heights.slice(index + 1))
            aside(segmentName(later), `it stands on ${name}`);
        steps.push(`blocks above height ${height} are fetched again from peers`);
        break;
    }
    const left = segmentHeights(disk);
    if (left.length === 0) {
        if (disk.list().includes(HEADERS_FILE))
            aside(HEADERS_FILE, 'no blocks are left');
        return { steps, height: undefined };
    }
    return { steps, height: reopened(disk, aside, steps) };
}
/** Height up to which headers are kept, and only the state and what comes after it is needed to go on. */
function settledHeight(disk) {
    if (!disk.list().includes(HEADERS_FILE))
        return 0;
    const file = disk.open(HEADERS_FILE);
    try {
        let groups = 0;
        for (const read of audit(file))
            if (read.ok && read.value.kind === RECORD.headers)
                groups++;
        return groups * HEADER_GROUP;
    }
    finally {
        file.close();
    }
}
/** Opens the ledger, without the headers when those do not fit; the height of its tip. */
function reopened(disk, aside, steps) {
    for (;;) {
        try {
            const store = new ChainStore(disk, storedGenesis(disk));
            const { tip, base } = store.chain;
            store.close();
            if (base.height > 0 && steps.length > 0)
                steps.push(`the window begins at height ${base.height}`);
            return tip.height;
        }
        catch (error) {
            if (!(error instanceof WorldError) || error.code !== 'store-corrupt')
                throw error;
            const [oldest = 0] = segmentHeights(disk);
            const last = segmentHeights(disk).at(-1);
            if (disk.list().includes(HEADERS_FILE) && oldest === 0) {
                aside(HEADERS_FILE, `${error.message}; it is written again from the blocks`);
                continue;
            }
            if (last === undefined || last === oldest || last % HEADER_GROUP !== 0)
                throw lost(error);
            aside(segmentName(last), error.message);
        }
    }
}
const lost = (error) => new WorldError('store-corrupt', `this cannot be repaired: ${error.message}. Restore a backup, import a snapshot into an empty directory, or start there anew; key.json and outbox.log stay yours`, error);
/** What is wrong with a log, if a start would not mend it. */
function faultOf(disk, name, last) {
    const file = disk.open(name);
    try {
        for (const read of audit(file, continues)) {
            if (read.ok || (read.fault.unfinished && last))
                continue;
            return `record ${read.fault.record} at offset ${read.fault.position}: ${read.fault.message} (${read.fault.code})`;
        }
        return undefined;
    }
    finally {
        file.close();
    }
}
//# sourceMappingURL=repair.js.map