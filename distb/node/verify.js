/**
 * Re-validates a stored chain from the stored bytes alone: every rule of every block, and that the stored changes and
 * tips are the ones that follow. Reads only; stops at the first fault.
 *
 * With all blocks kept it starts at the genesis. Where old ones were deleted, every header from the genesis on is checked
 * (proof of work, difficulty, times), and every block from the oldest state that is kept, which the header above commits to.
 */
import { Chain, HEADER_GROUP, NOTHING_SETTLED } from '../ledger/chain.js';
import { justify } from '../ledger/checkpoint.js';
import { Finality, finalises } from '../ledger/finality.js';
import { MEDIAN_BLOCKS } from '../ledger/hashlock.js';
import { position0 } from '../ledger/header.js';
import { createNetwork } from '../ledger/network.js';
import { CERTIFICATE_BYTES_MAX, certificate as certificateCodec, VOTE_BYTES, vote as voteCodec, } from '../schemas/checkpoint.js';
import { decode } from '../schemas/codec.js';
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.js';
import { invariant } from '../schemas/result.js';
import { audit, recordAt } from './append-log.js';
import { checkGroup } from './header-check.js';
import { expandGroup, HEADERS_FILE, headersRecord } from './header-file.js';
import { changesRecord, continues, RECORD, RECORD_BYTES_MAX, readBlockHead, recordName, updateRecords, } from './records.js';
import { BaseReader, FIRST_SEGMENT, segmentHeights, segmentName } from './segments.js';
import { hashing, signatures } from './signing.js';
/** No record of a tip can undo so many blocks: what is deeper need not stay in memory. */
const DEPTH_MAX = 1 << 16;
/** Checks one log by itself, as the first of a ledger. */
export const verifyStore = (file) => verifyLedger({
    list: () => [FIRST_SEGMENT],
    open: () => {
        const refuse = () => invariant(false, 'verify writes nothing');
        const read = (offset, length) => file.read(offset, length);
        return { path: file.path, size: file.size, read, append: refuse, truncate: refuse, close: () => { } };
    },
    rename: () => invariant(false, 'verify changes no names'),
    remove: () => invariant(false, 'verify removes nothing'),
});
/**
 * Yields the height now and then, for a progress line, and returns the outcome. The files stay open until then. What lies more
 * than `depthMax` blocks deep is left behind.
 */
export function* verifyLedger(disk, depthMax = DEPTH_MAX) {
    const run = new Run(disk, depthMax);
    try {
        return yield* run.steps();
    }
    finally {
        run.archive.close();
    }
}
class Run {
    archive = new Segments();
    #disk;
    #depthMax;
    #chain;
    #network;
    #heights = [];
    #headers;
    #headerFault;
    #waypoints = new Map();
    /** What has to follow from the last block or certificate. */
    #expected = [];
    constructor(disk, depthMax) {
        this.#disk = disk;
        this.#depthMax = depthMax;
    }
    *steps() {
        const heights = segmentHeights(this.#disk);
        this.#heights = heights;
        for (const height of heights) {
            const name = segmentName(height);
            const where = heights.length > 1 ? `${name}: ` : '';
            const file = this.#disk.open(name);
            this.archive.begin(file);
            const segment = { height, last: height === heights.at(-1), head: undefined, isUndone: false };
            for (const read of audit(file, continues)) {
                if (!read.ok) {
                    const { code, record, message, bytes, kind } = read.fault;
                    if (code === 'torn-tail' &&
                        segment.last &&
                        this.#chain !== undefined &&
                        this.#expected.length === 0)
                        return this.#outcome({ ok: true, torn: bytes });
                    return this.#outcome({
                        ok: false,
                        fault: `${where}record ${record} (${recordName(kind ?? -1)}): ${code}: ${message}`,
                    });
                }
                const { value } = read;
                if (segment.isUndone)
                    continue;
                const fault = yield* this.#record(segment, value);
                if (fault === undefined)
                    continue;
                const at = `record ${value.record} (${recordName(value.kind)}) at offset ${value.position}`;
                return this.#outcome({ ok: false, fault: `${where}${at}: ${fault}` });
            }
            const [missing] = this.#expected;
            if (missing !== undefined)
                return this.#outcome({
                    ok: false,
                    fault: `${where}the ${recordName(missing.kind)} of the last block is missing`,
                });
            if (segment.head !== undefined)
                return this.#outcome({ ok: false, fault: `${where}the state that it begins with is not whole` });
        }
        if (this.#chain === undefined)
            return this.#outcome({ ok: false, fault: 'the store has no genesis' });
        const fault = this.#checkSettled(this.#chain);
        return this.#outcome(fault === undefined ? { ok: true } : { ok: false, fault });
    }
    /** What is wrong with a record, if anything. */
    *#record(segment, value) {
        const { kind, bytes } = value;
        if (value.record === 0) {
            const opened = this.#openGenesis(value);
            if (typeof opened === 'string')
                return opened;
            if (segment.height === 0) {
                if (this.#chain !== undefined)
                    return 'it follows from no block';
                this.#chain = new Chain(opened, this.archive);
            }
            else {
                segment.head = new BaseReader(opened);
                if (this.#headers === undefined)
                    yield* this.#readHeaders(opened);
            }
            return undefined;
        }
        if (segment.head !== undefined)
            return this.#head(segment, segment.head, value);
        const chain = this.#chain;
        if (chain === undefined)
            return 'a store begins with its genesis';
        if (kind === RECORD.block && this.#expected.length === 0) {
            const added = addBlock(chain, this.archive, bytes, value.position);
            if (typeof added === 'string')
                return added;
            this.#expected = added;
            if (chain.tip.height % 100 === 0)
                yield chain.tip.height;
            return undefined;
        }
        if (kind === RECORD.certificate && this.#expected.length === 0) {
            const moved = certify(chain, this.archive, bytes);
            if (typeof moved === 'string')
                return moved;
            this.#expected = moved;
            return undefined;
        }
        if (kind === RECORD.vote && this.#expected.length === 0) {
            const vote = decode(voteCodec, bytes, VOTE_BYTES);
            return vote.ok ? undefined : `vote: ${vote.fault.field} ${vote.fault.message}`;
        }
        const next = this.#expected.shift();
        if (next === undefined)
            return 'it follows from no block';
        if (next.kind !== kind || Buffer.compare(next.bytes, bytes) !== 0)
            return `it is not the ${recordName(next.kind)} that follows from block ${next.block}`;
        if (kind === RECORD.changes)
            this.archive.addChanges(next.block, value.position);
        return undefined;
    }
    /** A record of those that a later segment begins with; the last one settles whether it may stand here. */
    #head(segment, head, { kind, bytes }) {
        if (kind === RECORD.certificate || kind === RECORD.vote)
            return undefined;
        if (kind !== RECORD.base && kind !== RECORD.accounts && kind !== RECORD.state)
            return 'the state that the segment begins with is not whole';
        const fault = head.take(kind, bytes);
        if (fault !== undefined)
            return fault;
        if (!head.complete)
            return undefined;
        segment.head = undefined;
        const read = head.base(this.#network);
        if (!read.ok)
            return read.fault;
        return this.#stand(read.value, segment);
    }
    #stand(base, segment) {
        const { position, state } = base;
        const { height } = segment;
        if (position.height !== height)
            return `its base has height ${position.height}`;
        const chain = this.#chain;
        if (chain === undefined) {
            const expected = this.#waypoints.get(height);
            if (expected === undefined)
                return `${HEADERS_FILE} has no header at height ${height}`;
            if (expected.hash !== position.hash && !segment.last) {
                segment.isUndone = true;
                return undefined;
            }
            if (expected.hash !== position.hash ||
                expected.work !== position.work ||
                expected.childTarget !== position.childTarget)
                return `its base is not the block that ${HEADERS_FILE} has at height ${height}`;
            this.#chain = new Chain(this.#network, this.archive, base);
            return undefined;
        }
        const { tip } = chain;
        if (position.hash !== tip.hash || position.work !== tip.work || position.childTarget !== tip.childTarget)
            return 'it does not stand on the block that the segment before ends with';
        if (state.root() !== chain.state.root())
            return 'its state is not that of the block on which it stands';
        this.archive.forget(chain, this.#depthMax);
        return undefined;
    }
    /** Checks all headers of `headers.log`, from the genesis on. */
    *#readHeaders(network) {
        let position = position0(network);
        this.#headers = position;
        if (!this.#disk.list().includes(HEADERS_FILE))
            return;
        const file = this.#disk.open(HEADERS_FILE);
        try {
            for (const read of audit(file)) {
                // What stands on a header that does not check finds none.
                if (!read.ok)
                    return;
                if (read.value.kind !== RECORD.headers)
                    continue;
                const group = decode(headersRecord, read.value.bytes, RECORD_BYTES_MAX);
                const checked = group.ok ? checkGroup(network, position, group.value) : undefined;
                if (checked?.ok !== true) {
                    this.#headerFault = checked?.fault ?? 'a group of headers does not decode';
                    return;
                }
                position = checked.value;
                this.#headers = position;
                this.#waypoints.set(position.height, position);
                if (group.ok && this.#heights.includes(position.height))
                    this.archive.keepHeaders(expandGroup(network, group.value));
                if (position.height % (16 * HEADER_GROUP) === 0)
                    yield position.height;
            }
        }
        finally {
            file.close();
        }
    }
    /** The headers of what is settled are those of the chain. */
    #checkSettled(chain) {
        if (this.#headerFault !== undefined)
            return `${HEADERS_FILE}: ${this.#headerFault}`;
        const last = this.#headers;
        if (last === undefined || last.height < chain.base.height || last.height === 0)
            return undefined;
        return chain.at(last.height)?.hash === last.hash
            ? undefined
            : `${HEADERS_FILE}: the header at height ${last.height} is not on the chain`;
    }
    #openGenesis({ kind, bytes }) {
        if (kind !== RECORD.genesis)
            return 'a store begins with its genesis';
        const genesis = decode(genesisCodec, bytes, GENESIS_BYTES_MAX);
        if (!genesis.ok)
            return `genesis: ${genesis.fault.field} ${genesis.fault.message}`;
        const network = createNetwork(genesis.value, { hashing, signatures });
        if (!network.ok)
            return `genesis: ${network.fault.field}: ${network.fault.message}`;
        if (this.#network !== undefined && this.#network.genesisHash !== network.value.genesisHash)
            return 'it is of another network';
        this.#network ??= network.value;
        return this.#network;
    }
    #outcome(extra) {
        const chain = this.#chain;
        const { supply, transactions, readings } = chain?.state.totals() ?? {
            supply: 0,
            transactions: 0,
            readings: 0,
        };
        const [height, tip] = [chain?.tip.height ?? 0, chain?.tip.hash ?? ''];
        const stateRoot = chain?.state.root() ?? '';
        const from = this.#heights[0] ?? 0;
        return {
            height,
            tip,
            stateRoot,
            transactions,
            readings,
            supply,
            ...(from > 0 && { from }),
            ...extra,
        };
    }
}
/** The records that must follow the block, without itself, or what is wrong with it. */
function addBlock(chain, archive, bytes, position) {
    // Its own time stands in for the clock: a stored block was once accepted, when it was not in the future.
    const outcome = chain.accept(bytes, readBlockHead(bytes).header.time);
    if (!outcome.ok)
        return `${outcome.fault.code}: ${outcome.fault.message}`;
    const records = updateRecords(outcome.value, (block) => archive.has(block));
    archive.add(outcome.value.added.entry.hash, position);
    return records.slice(1);
}
/** The records that must follow a certificate, or what is wrong with it. */
function certify(chain, archive, bytes) {
    const certificate = decode(certificateCodec, bytes, CERTIFICATE_BYTES_MAX);
    if (!certificate.ok)
        return `certificate: ${certificate.fault.field} ${certificate.fault.message}`;
    const { source, target } = certificate.value;
    const finality = new Finality(chain.network);
    // A window's base is settled, but that makes no checkpoint final.
    finality.settle(chain.final === chain.base ? 0 : chain.final.height);
    const checked = finality.check(certificate.value);
    if (!checked.ok)
        return `${checked.fault.code}: ${checked.fault.message}`;
    const entry = chain.entry(target.hash);
    if (entry === undefined && target.height <= chain.base.height)
        return [];
    if (entry === undefined)
        return `bad-checkpoint: its target ${target.hash} is not stored before it`;
    const moved = justify(chain, certificate.value, entry);
    if (!moved.ok)
        return `${moved.fault.code}: ${moved.fault.message}`;
    const records = moved.value === undefined ? [] : updateRecords(moved.value, (block) => archive.has(block));
    if (finalises(certificate.value))
        chain.finalise(source.hash);
    return records;
}
/** The bodies and changes, where they stand in the files. */
class Segments {
    #segments = [];
    /** The last ones up to each base on which the window may begin: the blocks above it need their times. */
    #headers = new Map();
    settled = NOTHING_SETTLED.settled;
    waypoint = NOTHING_SETTLED.waypoint;
    waypointHeight = NOTHING_SETTLED.waypointHeight;
    /** What is added from now on stands in this file. */
    begin(file) {
        this.#segments.push({ file, blocks: new Map(), changes: new Map(), end: 0 });
    }
    block(hash) {
        return this.#read('blocks', hash);
    }
    changes(hash) {
        const decoded = decode(changesRecord, this.#read('changes', hash), RECORD_BYTES_MAX);
        invariant(decoded.ok, `the changes of ${hash} were compared`);
        return decoded.value.changes;
    }
    header(height) {
        return this.#headers.get(height) ?? NOTHING_SETTLED.header(height);
    }
    /** `headers` end with that of a base. */
    keepHeaders(headers) {
        for (const header of headers.slice(-MEDIAN_BLOCKS))
            this.#headers.set(header.height, header);
    }
    has(hash) {
        return this.#segments.some(({ changes }) => changes.has(hash));
    }
    add(hash, position) {
        this.#segments.at(-1)?.blocks.set(hash, position);
    }
    addChanges(hash, position) {
        this.#segments.at(-1)?.changes.set(hash, position);
    }
    /** Leaves behind what is so deep below the tip that nothing can undo it. */
    forget(chain, depth) {
        const before = this.#segments.at(-2);
        if (before !== undefined)
            before.end = chain.tip.height;
        for (let oldest = this.#segments[0]; oldest !== undefined; oldest = this.#segments[0]) {
            if (oldest.end === 0 || oldest.end > chain.tip.height - depth)
                return;
            // The segment's end was the tip then; only if it still is on the chain does the rest build on it.
            if (oldest.end > chain.base.height) {
                const { end } = oldest;
                const below = Array.from({ length: MEDIAN_BLOCKS }, (_, back) => end - back).filter((at) => at > 0);
                this.keepHeaders(below.reverse().map((height) => chain.header(height)));
                chain.trim(end);
            }
            oldest.file.close();
            this.#segments.shift();
        }
    }
    close() {
        for (const { file } of this.#segments)
            file.close();
    }
    #read(of, hash) {
        for (const segment of this.#segments) {
            const position = segment[of].get(hash);
            if (position === undefined)
                continue;
            const read = recordAt(segment.file, position);
            invariant(read.ok, `the record at ${position} was checked`);
            return read.value.bytes;
        }
        invariant(false, `${hash} was stored`);
    }
}
//# sourceMappingURL=verify.js.map