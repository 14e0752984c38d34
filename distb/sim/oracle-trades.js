/**
 * Channels, hashlocks and splits of the naive ledger: a map of each, and what transactions may do with them.
 *
 * A fault by which coins would be had twice says so: "double spend".
 */
import { createHash } from 'node:crypto';
import { KIND } from '../ledger/state.js';
import { fromHex } from '../schemas/hex.js';
import { put } from './undo.js';
const NO_WORD = '0'.repeat(64);
/** Hashes from one claim to the next, at most. */
const STEPS_MAX = 1024;
export class Trades {
    #network;
    /** Adds to a balance. */
    #add;
    #channels = new Map();
    #locks = new Map();
    #splits = new Map();
    constructor(network, add) {
        this.#network = network;
        this.#add = add;
    }
    /** Coins that are in channels and hashlocks. */
    locked() {
        let sum = 0n;
        for (const { amount, paid } of this.#channels.values())
            sum += amount - paid;
        for (const { amount } of this.#locks.values())
            sum += amount;
        return sum;
    }
    /** An entry as the state has it, with plain numbers; undefined: none. */
    entry(kind, key) {
        if (kind === KIND.channel)
            return plain(this.#channels.get(key));
        if (kind === KIND.hashlock)
            return plain(this.#locks.get(key));
        return this.#splits.get(key) ?? [];
    }
    /** What a transaction whose sender has paid for it does, or what is wrong with it. */
    run(tx, id, place) {
        switch (tx.type) {
            case 'transfer':
                this.#earn(tx.to, BigInt(tx.amount), place.change);
                return undefined;
            case 'channelOpen':
                return this.#open(tx, id, place);
            case 'channelClaim':
                return this.#claim(tx, place);
            case 'channelClose':
                return this.#close(tx, place);
            case 'hashlock':
                return this.#lock(tx, id, place);
            case 'hashlockClaim':
            case 'hashlockRefund':
                return this.#settle(tx, place);
            case 'split':
                return this.#share(tx, place);
            default:
                return undefined;
        }
    }
    #earn(account, amount, change) {
        const parts = (this.#splits.get(account) ?? []).map((share) => ({
            to: share.account,
            part: (amount * BigInt(share.parts)) / 10000n,
        }));
        const given = parts.reduce((sum, { part }) => sum + part, 0n);
        for (const { to, part } of parts)
            this.#add(to, part, change);
        this.#add(account, amount - given, change);
    }
    #open(tx, id, { change }) {
        const { from, to, delay, until, anchor } = tx;
        if (tx.amount < 1 || delay < 1)
            return 'opens a channel of nothing, or that closes at once';
        if ((anchor === NO_WORD) !== (tx.step === 0))
            return 'has steps without words, or words without steps';
        const [amount, step] = [BigInt(tx.amount), BigInt(tx.step)];
        put(this.#channels, id, { from, to, amount, paid: 0n, delay, closing: until, word: anchor, steps: 0, step }, change);
        return undefined;
    }
    #claim({ channel: id, proof }, { change }) {
        const channel = this.#channels.get(id);
        if (channel === undefined)
            return 'claims on a channel that is closed: a double spend';
        const total = proof.type === 'signed' ? BigInt(proof.amount) : BigInt(proof.steps) * channel.step;
        if (total > channel.amount)
            return `claims ${total} of a channel into which ${channel.amount} was put: a double spend`;
        if (total <= channel.paid)
            return `claims ${total} after ${channel.paid}: a double spend`;
        if (proof.type === 'signed') {
            const { genesisHash, signatures } = this.#network;
            const amount = Buffer.alloc(8);
            amount.writeBigUInt64BE(total);
            const message = tagged('pinledger/claim', fromHex(genesisHash), fromHex(id), amount);
            if (proof.payer !== channel.from || !signatures.verify(proof.authorisation, message, channel.from))
                return 'claims what the payer did not sign';
            put(this.#channels, id, { ...channel, paid: total }, change);
        }
        else {
            const { word, steps } = proof;
            const more = steps - channel.steps;
            if (more < 1 || more > STEPS_MAX)
                return `claims ${more} steps at once`;
            let back = fromHex(word);
            for (let step = 0; step < more; step++)
                back = tagged('pinledger/word', back);
            if (Buffer.from(back).toString('hex') !== channel.word)
                return 'claims by a word of no chain';
            put(this.#channels, id, { ...channel, paid: total, word, steps }, change);
        }
        this.#earn(channel.to, total - channel.paid, change);
        return undefined;
    }
    #close({ channel: id, from }, { height, change }) {
        const channel = this.#channels.get(id);
        if (channel === undefined)
            return 'closes a channel that is closed: a double spend';
        if (from === channel.to || height >= channel.closing) {
            put(this.#channels, id, undefined, change);
            this.#add(channel.from, channel.amount - channel.paid, change);
            return undefined;
        }
        const closing = height + channel.delay;
        if (from !== channel.from || closing >= channel.closing)
            return 'closes a channel before its time';
        put(this.#channels, id, { ...channel, closing }, change);
        return undefined;
    }
    #lock(tx, id, { change }) {
        const { from, to, lock, height, time } = tx;
        if (tx.amount < 1)
            return 'locks nothing';
        put(this.#locks, id, { from, to, amount: BigInt(tx.amount), lock, height, time }, change);
        return undefined;
    }
    #settle(tx, place) {
        const { height, medianTime, change } = place;
        const lock = this.#locks.get(tx.hashlock);
        if (lock === undefined)
            return 'settles a hashlock that is not there any more: a double spend';
        const isPast = height >= lock.height && medianTime() >= lock.time;
        if (tx.type === 'hashlockRefund' && !isPast)
            return 'takes a hashlock back before its deadline';
        if (tx.type === 'hashlockClaim' && isPast)
            return 'opens a hashlock after its deadline';
        if (tx.type === 'hashlockClaim' && sha256(fromHex(tx.preimage)).toString('hex') !== lock.lock)
            return 'opens a hashlock with another secret';
        put(this.#locks, tx.hashlock, undefined, change);
        if (tx.type === 'hashlockClaim')
            this.#earn(lock.to, lock.amount, change);
        else
            this.#add(lock.from, lock.amount, change);
        return undefined;
    }
    #share({ from, shares }, { change }) {
        const accounts = new Set([from, ...shares.map(({ account }) => account)]);
        if (accounts.size !== shares.length + 1)
            return 'shares with one account twice';
        const parts = shares.reduce((sum, share) => sum + share.parts, 0);
        if (parts > 10_000 || shares.some((share) => share.parts < 1))
            return `shares ${parts} parts`;
        put(this.#splits, from, shares.length === 0 ? undefined : shares, change);
        return undefined;
    }
}
const plain = (entry) => entry &&
    Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value]));
const sha256 = (...parts) => {
    const digest = createHash('sha256');
    for (const part of parts)
        digest.update(part);
    return digest.digest();
};
/** BIP 340. */
const tagged = (tag, ...parts) => {
    const prefix = sha256(Buffer.from(tag));
    return sha256(prefix, prefix, ...parts);
};
//# sourceMappingURL=oracle-trades.js.map