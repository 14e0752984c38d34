import { headerHash } from '../ledger/network.js';
import { KIND } from '../ledger/state.js';
import { HEADER_BYTES } from '../schemas/block.js';
import { decode, encode } from '../schemas/codec.js';
import { genesis as genesisCodec } from '../schemas/genesis.js';
import { hashFromBytes } from '../schemas/hex.js';
import { WorldError } from './error.js';
import { changesRecord, RECORD, RECORD_BYTES_MAX, readBlockHead, tipRecord, } from './records.js';
import { ACCOUNTS_MAX, BaseReader } from './segments.js';
export class Replay {
    #modules;
    #genesis;
    #segment = { name: '', height: 0 };
    #reader;
    #chain;
    #base;
    /** Of the segment that is being read. */
    #tips = [];
    #changes = new Map();
    #roots = new Map();
    /** The best chain above the base. */
    #best = [];
    #values = new Map();
    /** Changed above the base, the latest last. */
    #changed = new Set();
    #accounts = [];
    constructor(modules) {
        this.#modules = modules;
        this.#genesis = encode(genesisCodec, modules.network.genesis);
    }
    /** The records that follow are of this segment. */
    segment(name, height) {
        this.#segment = { name, height };
        this.#reader = new BaseReader(this.#modules.network);
    }
    /** Takes a record; the hash of its block, when it is one or the changes of one. Throws WorldError `store-corrupt`. */
    record(kind, bytes, position) {
        const at = `record at offset ${position}`;
        if (kind === RECORD.genesis) {
            if (Buffer.compare(bytes, this.#genesis) !== 0)
                throw this.#corrupt(`${at}: another genesis`);
        }
        else if (kind === RECORD.base || kind === RECORD.state || kind === RECORD.accounts) {
            // The state of a later segment follows from what was read before.
            const fault = kind === RECORD.state && this.#chain !== undefined ? undefined : this.#reader?.take(kind, bytes);
            if (fault !== undefined)
                throw this.#corrupt(`${at}: ${fault}`);
            if (kind === RECORD.base && this.#chain !== undefined)
                this.#checkJoint();
        }
        else if (kind === RECORD.certificate || kind === RECORD.vote) {
            const fault = this.#modules.checkpoints.replay(kind, bytes);
            if (fault !== undefined)
                throw this.#corrupt(`${at}: ${fault}`);
        }
        else if (kind === RECORD.block)
            return this.#block(bytes);
        else if (kind === RECORD.changes) {
            const { block, changes } = this.#decode(changesRecord, bytes, at);
            this.#changes.set(block, changes);
            return block;
        }
        else if (kind === RECORD.tip)
            this.#tips.push(this.#decode(tipRecord, bytes, at));
        else
            throw this.#corrupt(`record of unknown kind ${kind} at offset ${position}: written by a newer version?`);
        return undefined;
    }
    /** All records of a segment have been taken, and it can be read. */
    segmentEnd() {
        for (const tip of this.#tips)
            this.#tip(tip);
        this.#tips = [];
        this.#changes.clear();
    }
    /** The chain with its tip and state, once all segments are read, and the accounts that changed, the latest last. */
    finish() {
        const chain = this.#begin();
        const values = [...this.#values.values()];
        const tip = this.#best.at(-1);
        if (tip !== undefined) {
            const state = chain.state.with(values, 'after');
            if (state.root() !== this.#roots.get(tip)) {
                throw this.#corrupt(`the stored state's root is ${state.root()}, the tip ${tip} says ${this.#roots.get(tip)}; run pinledger verify`);
            }
            chain.restoreTip(tip, state);
        }
        const all = new Set(this.#accounts);
        for (const account of this.#changed) {
            all.delete(account);
            all.add(account);
        }
        return { chain, accounts: [...all].slice(-ACCOUNTS_MAX) };
    }
    #begin() {
        if (this.#chain !== undefined)
            return this.#chain;
        if (this.#segment.height > 0) {
            const read = this.#reader?.base(this.#modules.network);
            if (read?.ok !== true)
                throw this.#corrupt(`${read?.fault ?? 'it has no base'}; run pinledger repair`);
            this.#base = read.value;
            this.#accounts = this.#reader?.accounts ?? [];
        }
        this.#chain = this.#modules.open(this.#base);
        return this.#chain;
    }
    /** A later segment stands on the tip that the one before ended with. */
    #checkJoint() {
        const { network } = this.#modules;
        const header = this.#reader?.record?.header;
        const tip = this.#best.at(-1) ?? this.#base?.position.hash;
        if (header === undefined || headerHash(network.hashing, header) !== tip)
            throw this.#corrupt('it does not stand on the block that the segment before ends with; run pinledger repair');
    }
    #block(bytes) {
        const { network } = this.#modules;
        const chain = this.#begin();
        const { header, coinbase } = readBlockHead(bytes);
        const block = hashFromBytes(network.hashing.double(bytes.subarray(0, HEADER_BYTES)));
        if (chain.entry(header.parent) === undefined && chain.base.height > 0)
            return block;
        const restored = chain.restore(block, header, coinbase.from);
        if (!restored.ok)
            throw this.#corrupt(`block ${block}: ${restored.fault.message}`);
        this.#roots.set(block, coinbase.stateRoot);
        return block;
    }
    #tip({ disconnected, connected }) {
        const chain = this.#begin();
        for (let count = 0; count < disconnected; count++) {
            const block = this.#best.pop();
            if (block === undefined)
                throw this.#corrupt('a tip record disconnects more blocks than there are');
            for (const entry of this.#changesOf(block))
                this.#set({ ...entry, after: entry.before });
        }
        if (disconnected > 0)
            this.#modules.onUndone(chain.base.height + this.#best.length);
        for (const block of connected) {
            if (chain.entry(block) === undefined)
                throw this.#corrupt(`a tip record connects ${block}, which is not stored before it`);
            this.#best.push(block);
            for (const entry of this.#changesOf(block))
                this.#set(entry);
        }
    }
    #set(entry) {
        this.#values.set(`${entry.kind}${entry.key}`, entry);
        if (entry.kind !== KIND.account)
            return;
        const account = entry.key;
        this.#changed.delete(account);
        this.#changed.add(account);
    }
    #changesOf(block) {
        return this.#changes.get(block) ?? this.#modules.changes(block);
    }
    #decode(codec, bytes, at) {
        const decoded = decode(codec, bytes, RECORD_BYTES_MAX);
        if (decoded.ok)
            return decoded.value;
        throw this.#corrupt(`${at}: ${decoded.fault.field} ${decoded.fault.message}`);
    }
    #corrupt(what) {
        return new WorldError('store-corrupt', `${this.#segment.name}: ${what}`);
    }
}
//# sourceMappingURL=replay.js.map