import { headerHash } from '../ledger/network.js';
import { KIND } from '../ledger/state.js';
import { HEADER_BYTES } from '../schemas/block.js';
import { decode, encode } from '../schemas/codec.js';
import { genesis as genesisCodec } from '../schemas/genesis.js';
import { hashFromBytes } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
import { WorldError } from './error.js';
import { RECORD, RECORD_BYTES_MAX, readBlockHead, readBlockStart, readChanges, tipRecord } from './records.js';
import { ACCOUNTS_MAX, BaseReader } from './segments.js';
/** A record of changes begins with their block. */
const HASH_BYTES = 32;
export class Replay {
    #modules;
    #genesis;
    #oldest;
    #newest;
    #chain;
    /** The best chain above the base. */
    #best = [];
    /** Changes in the newest segment, by their blocks: those that the state is built with, but for some after a reorganisation. */
    #changes = new Map();
    #lowest = Number.POSITIVE_INFINITY;
    constructor(modules) {
        this.#modules = modules;
        this.#genesis = encode(genesisCodec, modules.network.genesis);
    }
    /** The records that follow are of this segment. */
    segment(name, height) {
        this.#newest = { name, height, reader: new BaseReader(this.#modules.network), state: [] };
        this.#oldest ??= this.#newest;
        this.#changes.clear();
        this.#lowest = Number.POSITIVE_INFINITY;
    }
    /** Height down to which the best chain was undone by the records of this segment; infinite when it was not. */
    get lowest() {
        return this.#lowest;
    }
    /** Takes a record; the hash of its block, when it is one or the changes of one. Throws WorldError `store-corrupt`. */
    record(kind, bytes, position) {
        const at = `record at offset ${position}`;
        if (kind === RECORD.genesis) {
            if (Buffer.compare(bytes, this.#genesis) !== 0)
                throw this.#corrupt(`${at}: another genesis`);
        }
        else if (kind === RECORD.base || kind === RECORD.accounts) {
            this.#take(this.#head, kind, bytes, at);
            if (kind === RECORD.base && this.#chain !== undefined)
                this.#checkJoint();
        }
        else if (kind === RECORD.state)
            this.#head.state.push(bytes);
        else if (kind === RECORD.certificate || kind === RECORD.vote) {
            const fault = this.#modules.checkpoints.replay(kind, bytes);
            if (fault !== undefined)
                throw this.#corrupt(`${at}: ${fault}`);
        }
        else if (kind === RECORD.block)
            return this.#block(bytes);
        else if (kind === RECORD.changes) {
            const block = hashFromBytes(bytes.subarray(0, HASH_BYTES));
            this.#changes.set(block, bytes);
            return block;
        }
        else if (kind === RECORD.tip)
            this.#tip(bytes, at);
        else
            throw this.#corrupt(`record of unknown kind ${kind} at offset ${position}: written by a newer version?`);
        return undefined;
    }
    /** The chain with its tip and state, once all segments can be read, and the accounts that changed, the latest last. */
    finish() {
        const chain = this.#begin();
        const { state: start, height, accounts } = this.#start(chain);
        const values = new Map();
        const changed = new Set(accounts);
        for (const block of this.#best.slice(height - chain.base.height)) {
            for (const change of this.#changesOf(block)) {
                values.set(`${change.kind}${change.key}`, change);
                if (change.kind !== KIND.account)
                    continue;
                const account = change.key;
                changed.delete(account);
                changed.add(account);
            }
        }
        const state = start.with([...values.values()], 'after');
        const tip = this.#best.at(-1);
        if (tip !== undefined) {
            const { stateRoot } = readBlockHead(this.#modules.block(tip)).coinbase;
            if (state.root() !== stateRoot)
                throw this.#corrupt(`the stored state's root is ${state.root()}, the tip ${tip} says ${stateRoot}; run pinledger verify`);
        }
        chain.restoreTip(tip ?? chain.base.hash, state);
        return { chain, accounts: [...changed].slice(-ACCOUNTS_MAX) };
    }
    get #head() {
        invariant(this.#newest !== undefined, 'a segment is read');
        return this.#newest;
    }
    #begin() {
        if (this.#chain !== undefined)
            return this.#chain;
        const { network, open } = this.#modules;
        let base;
        if (this.#head.height > 0) {
            const block = this.#head.reader.block(network);
            if (!block.ok)
                throw this.#corrupt(`${block.fault}; run pinledger repair`);
            // Its state only counts if the tip's is built on it.
            base = { ...block.value, state: network.state0 };
        }
        this.#chain = open(base);
        return this.#chain;
    }
    /** A state from which the best chain's changes lead to that of its tip. */
    #start(chain) {
        const { network } = this.#modules;
        for (const head of [this.#head, this.#oldest]) {
            const { reader, height } = head;
            if (height === 0)
                break;
            const block = reader.block(network);
            const best = height === chain.base.height ? chain.base.hash : this.#best[height - chain.base.height - 1];
            if (block.ok && block.value.position.hash !== best)
                continue;
            for (const bytes of head.state)
                this.#take(head, RECORD.state, bytes, 'its state');
            const read = reader.base(network);
            if (!read.ok)
                throw this.#corrupt(`${read.fault}; run pinledger repair`, head);
            return { state: read.value.state, height, accounts: reader.accounts };
        }
        return { state: network.state0, height: 0, accounts: [] };
    }
    #changesOf(block) {
        const bytes = this.#changes.get(block);
        return bytes === undefined ? this.#modules.changes(block) : readChanges(block, bytes);
    }
    #take(head, kind, bytes, at) {
        const fault = head.reader.take(kind, bytes);
        if (fault !== undefined)
            throw this.#corrupt(`${at}: ${fault}`, head);
    }
    /** A later segment stands on the tip that the one before ended with. */
    #checkJoint() {
        const { network } = this.#modules;
        const header = this.#head.reader.record?.header;
        const tip = this.#best.at(-1) ?? this.#chain?.base.hash;
        if (header === undefined || headerHash(network.hashing, header) !== tip)
            throw this.#corrupt('it does not stand on the block that the segment before ends with; run pinledger repair');
    }
    #block(bytes) {
        const { network } = this.#modules;
        const chain = this.#begin();
        const { header, miner } = readBlockStart(bytes);
        const block = hashFromBytes(network.hashing.double(bytes.subarray(0, HEADER_BYTES)));
        if (chain.entry(header.parent) === undefined && chain.base.height > 0)
            return block;
        const restored = chain.restore(block, header, miner);
        if (!restored.ok)
            throw this.#corrupt(`block ${block}: ${restored.fault.message}`);
        return block;
    }
    #tip(bytes, at) {
        const chain = this.#begin();
        const moved = decode(tipRecord, bytes, RECORD_BYTES_MAX);
        if (!moved.ok)
            throw this.#corrupt(`${at}: ${moved.fault.field} ${moved.fault.message}`);
        const { disconnected, connected } = moved.value;
        if (disconnected > this.#best.length)
            throw this.#corrupt('a tip record disconnects more blocks than there are');
        this.#best.length -= disconnected;
        if (disconnected > 0)
            this.#lowest = Math.min(this.#lowest, chain.base.height + this.#best.length);
        for (const block of connected) {
            if (chain.entry(block) === undefined)
                throw this.#corrupt(`a tip record connects ${block}, which is not stored before it`);
            this.#best.push(block);
        }
    }
    #corrupt(what, { name } = this.#head) {
        return new WorldError('store-corrupt', `${name}: ${what}`);
    }
}
//# sourceMappingURL=replay.js.map