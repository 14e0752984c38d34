/**
 * A ledger that grows by valid blocks as fast as they can be built, on a disk in memory that counts what is written to it.
 *
 * The store is the real one, as are blocks and state. Signatures are 64 zero bytes that everybody accepts, and every
 * fourth hash is low enough: neither changes how much is written. Counted is what `Disk` and `LogFile` are told to do, and
 * the fsyncs that node/disk.ts makes of it.
 */
import { genesisFrom } from '../ledger/preset.js';
import { buildTemplate } from '../ledger/template.js';
import { signTransaction } from '../ledger/transaction.js';
import { ChainStore } from '../node/chain-store.js';
import { HEADERS_FILE } from '../node/header-file.js';
import { RECORD } from '../node/records.js';
import { DRAFT } from '../node/segments.js';
import { hashing } from '../node/signing.js';
import { block as blockCodec, HEADER_NONCE_OFFSET, header as headerCodec } from '../schemas/block.js';
import { encode } from '../schemas/codec.js';
import { toHex } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
const EASY = (1n << 254n) - 1n;
/** Of each record: its head and its checksum, see node/append-log.ts. */
const FRAME_BYTES = 24;
const PREAMBLE_BYTES = 8;
/** What a file system writes at least, for a byte as for all of them. */
export const PAGE_BYTES = 4096;
export const OUTBOX = 'outbox.log';
const NOTHING = {
    block: 0,
    changes: 0,
    tip: 0,
    framing: 0,
    segmentStart: 0,
    headers: 0,
    outbox: 0,
    written: 0,
    pages: 0,
    writes: 0,
    fdatasyncs: 0,
    directorySyncs: 0,
    removed: 0,
};
export class CountingDisk {
    #files = new Map();
    #counts = { ...NOTHING };
    /** What was done since the last call. */
    take() {
        const counts = this.#counts;
        this.#counts = { ...NOTHING };
        return counts;
    }
    list() {
        return [...this.#files.keys()];
    }
    open(name) {
        const file = this.#files.get(name) ?? { bytes: new Uint8Array(0), size: 0 };
        this.#files.set(name, file);
        this.#counts.directorySyncs++;
        return {
            path: name,
            get size() {
                return file.size;
            },
            read(offset, length) {
                invariant(offset + length <= file.size, `${name} has ${offset + length} bytes`);
                return file.bytes.slice(offset, offset + length);
            },
            append: (more) => {
                this.#count(name, file.size, more);
                const size = file.size + more.length;
                if (size > file.bytes.length) {
                    const larger = new Uint8Array(Math.max(size, Math.min(2 * size, size + (8 << 20))));
                    larger.set(file.bytes.subarray(0, file.size));
                    file.bytes = larger;
                }
                file.bytes.set(more, file.size);
                file.size = size;
            },
            truncate: (size) => {
                this.#counts.fdatasyncs++;
                file.size = size;
            },
            close: () => { },
        };
    }
    rename(from, to) {
        const file = this.#files.get(from);
        invariant(file !== undefined, `there is a ${from}`);
        this.#files.delete(from);
        this.#files.set(to, file);
        this.#counts.directorySyncs++;
    }
    remove(name) {
        // The fsync comes also when there is nothing to remove.
        this.#counts.directorySyncs++;
        if (this.#files.delete(name))
            this.#counts.removed++;
    }
    #count(name, offset, bytes) {
        const counts = this.#counts;
        counts.writes++;
        counts.fdatasyncs++;
        counts.written += bytes.length;
        const first = Math.floor(offset / PAGE_BYTES);
        counts.pages += (Math.ceil((offset + bytes.length) / PAGE_BYTES) - first) * PAGE_BYTES;
        if (name.startsWith(OUTBOX))
            counts.outbox += bytes.length;
        else if (name === HEADERS_FILE)
            counts.headers += bytes.length;
        else if (name.endsWith(DRAFT))
            counts.segmentStart += bytes.length;
        else
            this.#countRecords(bytes, offset === 0 ? PREAMBLE_BYTES : 0);
    }
    #countRecords(bytes, from) {
        const counts = this.#counts;
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        counts.framing += from;
        for (let at = from; at < bytes.length;) {
            const length = view.getUint32(at);
            const kind = view.getUint8(at + 4);
            counts.framing += FRAME_BYTES;
            if (kind === RECORD.block)
                counts.block += length;
            else if (kind === RECORD.changes)
                counts.changes += length;
            else if (kind === RECORD.tip)
                counts.tip += length;
            else
                counts.segmentStart += length;
            at += FRAME_BYTES + length;
        }
    }
}
/** Account number `index`; nobody knows its secret, or whether it is a key at all. */
export const accountNumber = (index) => index.toString(16).padStart(64, '0');
export const unsigned = (index) => ({
    account: accountNumber(index),
    sign: () => new Uint8Array(64),
});
export class Growth {
    disk = new CountingDisk();
    store;
    #nonces = new Map();
    /** A network of the preset `field` (T = 10 s) on which `accounts` accounts own 10 coins each. */
    constructor(accounts, options) {
        const allocations = Array.from({ length: accounts }, (_, index) => ({
            account: accountNumber(index + 1),
            amount: 1_000_000_000,
        }));
        const genesis = genesisFrom('field', {
            name: 'bench',
            time: 1_767_225_600_000,
            firstWork: 256,
            allocations,
        });
        const signatures = { verify: () => true, isAccount: () => true };
        this.store = new ChainStore(this.disk, { ...genesis, target: EASY, targetMax: EASY }, { ...options, hashing, signatures });
    }
    /** The next transaction of account `index`, with the floor's fee. */
    next(index, body) {
        const { network, tip } = this.store.chain;
        const nonce = this.#nonces.get(index) ?? 0;
        this.#nonces.set(index, nonce + 1);
        const head = {
            network: network.id,
            from: accountNumber(index),
            nonce,
            fee: network.genesis.feeFloor,
            expiry: tip.height + 10,
        };
        return signTransaction(network, { ...body, ...head }, unsigned(index).sign);
    }
    /** Mines, accepts and stores a block; its size in bytes. `transactions` all have to be valid and to fit. */
    grow(transactions, miner = 1) {
        const { chain } = this.store;
        const nowMs = chain.tip.time + chain.network.genesis.interval;
        const block = buildTemplate(chain.network, chain, transactions, unsigned(miner), nowMs);
        invariant(block.transactions.length === transactions.length, 'every transaction is in the block');
        const bytes = encode(blockCodec, block);
        const header = encode(headerCodec, block.header);
        const view = new DataView(header.buffer);
        for (let nonce = 0; BigInt(`0x${toHex(hashing.double(header))}`) > block.header.target; nonce++)
            view.setUint32(HEADER_NONCE_OFFSET + 4, nonce);
        bytes.set(header);
        const outcome = chain.accept(bytes, nowMs);
        invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message);
        this.store.save(outcome.value);
        return { bytes: bytes.length, update: outcome.value };
    }
}
//# sourceMappingURL=growth.js.map