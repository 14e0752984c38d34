/**
 * The ledger's state: accounts, rewards that are still maturing, and the totals.
 *
 * An entry has a kind (u8), a 32-byte key and canonical bytes. Its path in the tree is
 * `H(state-key, kind || key)`. Kinds: 0 account (key: the account), 1 reward (key: height, zero-padded on the
 * left), 2 totals (key: zero), 3 member (key: the account), 4 channel and 5 hashlock (key: id of the transaction that made
 * it), 6 split (key: the account). Number 7 is reserved for checkpoints.
 * Invariants: an account that has sent stays for ever (else its nonce would restart and old transactions replay);
 * an entry equal to the default is absent; balances, rewards, hashlocks and what is left in channels add up to
 * `totals.supply`.
 * Source: docs/PROTOCOL.md section 5.
 */
import { decode, encode, Reader } from '../schemas/codec.js';
import { list, struct } from '../schemas/compound.js';
import { account, blob, hash, time, u8, u16, u32, u64 } from '../schemas/field.js';
import { fromHex, hashFromBytes, ZERO_HASH } from '../schemas/hex.js';
import { STATE_VALUE_BYTES_MAX } from '../schemas/proof.js';
import { SHARES_MAX } from '../schemas/transaction.js';
import { checkTreeProof, treeEntries, treeGet, treeProof, treeRoot, treeSet, } from './state-tree.js';
const accountEntry = struct({
    /** Transactions sent so far. */
    nonce: u64,
    /** Spendable smallest units. */
    balance: u64,
});
const rewardEntry = struct({ account, amount: u64 });
const totalsEntry = struct({
    /** Smallest units in existence. */
    supply: u64,
    /** Transactions since genesis, coinbases not counted. */
    transactions: u64,
    /** Readings among them, a batch counting as its samples. */
    readings: u64,
});
/** Names its account although the key does: the tree keeps paths only, and people ask who the members are. */
const memberEntry = struct({
    account,
    /** Height of the block that admitted it. */
    since: u32,
});
export const channelEntry = struct({
    /** The payer. */
    from: account,
    /** The payee. */
    to: account,
    /** What was put in, and how much of it the payee has had. */
    amount: u64,
    paid: u64,
    delay: u32,
    /** Height from which anybody may close it. */
    closing: u32,
    /** The last word of the payer's hash chain that was claimed, and how many steps it is from the anchor. */
    word: hash,
    steps: u32,
    step: u64,
});
export const hashlockEntry = struct({
    from: account,
    to: account,
    amount: u64,
    lock: hash,
    height: u32,
    time,
});
export const splitEntry = list(struct({ account, parts: u16 }), SHARES_MAX);
export const KIND = {
    account: 0,
    reward: 1,
    totals: 2,
    member: 3,
    channel: 4,
    hashlock: 5,
    split: 6,
};
/** One entry of the state before and after a block; empty bytes: no entry. */
export const change = struct({ kind: u8, key: hash, before: blob(1024), after: blob(1024) });
/** The changes of one block, ordered by kind and key: what undoes it and what redoes it. */
export const changes = list(change, 0xffff);
const NO_ACCOUNT = { nonce: 0, balance: 0 };
const NO_TOTALS = { supply: 0, transactions: 0, readings: 0 };
const ABSENT = new Uint8Array(0);
const MEMBER_BYTES = 36;
const rewardKey = (height) => height.toString(16).padStart(64, '0');
/** An immutable state. */
export class State {
    #hashing;
    #tree;
    constructor(hashing, tree) {
        this.#hashing = hashing;
        this.#tree = tree;
    }
    /** Entry bytes, undefined when there is none. */
    get(kind, key) {
        return treeGet(this.#tree, this.#path(kind, key));
    }
    account(account) {
        return read(accountEntry, this.get(KIND.account, account)) ?? NO_ACCOUNT;
    }
    totals() {
        return read(totalsEntry, this.get(KIND.totals, ZERO_HASH)) ?? NO_TOTALS;
    }
    member(account) {
        return read(memberEntry, this.get(KIND.member, account));
    }
    channel(id) {
        return read(channelEntry, this.get(KIND.channel, id));
    }
    hashlock(id) {
        return read(hashlockEntry, this.get(KIND.hashlock, id));
    }
    split(account) {
        return read(splitEntry, this.get(KIND.split, account)) ?? [];
    }
    /** Every member, in the tree's order. Looks at the whole state: for people who ask, not for every block. */
    *members() {
        for (const value of this.values()) {
            if (value.length !== MEMBER_BYTES)
                continue;
            const entry = memberEntry.read(new Reader(value));
            // Another kind of entry may have as many bytes; only a member's are also found under its key.
            if (this.get(KIND.member, entry.account) === value)
                yield entry;
        }
    }
    /** Sum of an account's rewards that mature after `height`. */
    maturing(account, height, maturity) {
        let sum = 0;
        for (let at = Math.max(1, height - maturity + 1); at <= height; at++) {
            const reward = read(rewardEntry, this.get(KIND.reward, rewardKey(at)));
            if (reward?.account === account)
                sum += reward.amount;
        }
        return sum;
    }
    /** The state with a block's changes made (`after`) or taken back (`before`). */
    with(list, side) {
        let tree = this.#tree;
        for (const entry of list) {
            const value = entry[side];
            tree = treeSet(tree, this.#path(entry.kind, entry.key), value.length === 0 ? undefined : value);
        }
        return new State(this.#hashing, tree);
    }
    root() {
        return hashFromBytes(treeRoot(this.#hashing, this.#tree));
    }
    /** Every entry by its path, in the tree's order. */
    *entries() {
        for (const { path, value } of treeEntries(this.#tree))
            yield { path, value };
    }
    /** The state with entries put where they were in another, as its `entries` gave them. */
    withEntries(entries) {
        let tree = this.#tree;
        for (const { path, value } of entries)
            tree = treeSet(tree, path, value);
        return new State(this.#hashing, tree);
    }
    /** Every entry's bytes in the tree's order. */
    *values() {
        for (const { value } of treeEntries(this.#tree))
            yield value;
    }
    /** Shows an account's entry, or that it has none, to who knows the root; undefined when the proof would be too large. */
    accountProof(account) {
        return treeProof(this.#hashing, this.#tree, this.#path(KIND.account, account));
    }
    #path(kind, key) {
        return pathOf(this.#hashing, kind, key);
    }
}
/** The same few accounts come in block after block. */
const paths = new WeakMap();
const PATHS_MAX = 8_192;
function pathOf(hashing, kind, key) {
    const known = paths.get(hashing) ?? new Map();
    paths.set(hashing, known);
    const name = `${kind}${key}`;
    let path = known.get(name);
    if (path === undefined) {
        path = hashing.tagged('stateKey', Uint8Array.of(kind), fromHex(key));
        if (known.size >= PATHS_MAX)
            known.clear();
        known.set(name, path);
    }
    return path;
}
/** What a proof shows of an account in the state with `root`; undefined when it shows nothing. */
export function provenAccount(hashing, root, account, proof) {
    const path = pathOf(hashing, KIND.account, account);
    const proven = checkTreeProof(hashing, fromHex(root), path, proof);
    if (proven?.value === undefined)
        return proven && NO_ACCOUNT;
    // Whoever executed the block had the tree right; whoever only sees its root cannot know.
    const entry = decode(accountEntry, proven.value, STATE_VALUE_BYTES_MAX);
    return entry.ok ? entry.value : undefined;
}
/** A state under construction: one block's changes over the state before it. */
export class StateView {
    #base;
    #changes = new Map();
    constructor(base) {
        this.#base = base;
    }
    account(account) {
        return read(accountEntry, this.#get(KIND.account, account)) ?? NO_ACCOUNT;
    }
    setAccount(account, entry) {
        const absent = entry.nonce === 0 && entry.balance === 0;
        this.#set(KIND.account, account, absent ? ABSENT : encode(accountEntry, entry));
    }
    reward(height) {
        return read(rewardEntry, this.#get(KIND.reward, rewardKey(height)));
    }
    setReward(height, entry) {
        this.#set(KIND.reward, rewardKey(height), entry === undefined ? ABSENT : encode(rewardEntry, entry));
    }
    member(account) {
        return read(memberEntry, this.#get(KIND.member, account));
    }
    /** `since`: height of the admitting block; undefined: no member. */
    setMember(account, since) {
        const after = since === undefined ? ABSENT : encode(memberEntry, { account, since });
        this.#set(KIND.member, account, after);
    }
    channel(id) {
        return read(channelEntry, this.#get(KIND.channel, id));
    }
    setChannel(id, entry) {
        this.#set(KIND.channel, id, entry === undefined ? ABSENT : encode(channelEntry, entry));
    }
    hashlock(id) {
        return read(hashlockEntry, this.#get(KIND.hashlock, id));
    }
    setHashlock(id, entry) {
        this.#set(KIND.hashlock, id, entry === undefined ? ABSENT : encode(hashlockEntry, entry));
    }
    split(account) {
        return read(splitEntry, this.#get(KIND.split, account)) ?? [];
    }
    setSplit(account, shares) {
        this.#set(KIND.split, account, shares.length === 0 ? ABSENT : encode(splitEntry, shares));
    }
    totals() {
        return read(totalsEntry, this.#get(KIND.totals, ZERO_HASH)) ?? NO_TOTALS;
    }
    setTotals(entry) {
        this.#set(KIND.totals, ZERO_HASH, encode(totalsEntry, entry));
    }
    /** What changed, in canonical order. */
    changes() {
        return [...this.#changes.values()]
            .filter(({ before, after }) => before.length !== after.length || before.some((byte, at) => byte !== after[at]))
            .sort((a, b) => a.kind - b.kind || (a.key < b.key ? -1 : 1));
    }
    #get(kind, key) {
        const changed = this.#changes.get(`${kind}${key}`);
        if (changed === undefined)
            return this.#base.get(kind, key);
        return changed.after.length === 0 ? undefined : changed.after;
    }
    #set(kind, key, after) {
        const changed = this.#changes.get(`${kind}${key}`);
        if (changed === undefined)
            this.#changes.set(`${kind}${key}`, { kind, key, before: this.#base.get(kind, key) ?? ABSENT, after });
        else
            changed.after = after;
    }
}
const read = (codec, bytes) => bytes === undefined ? undefined : codec.read(new Reader(bytes));
//# sourceMappingURL=state.js.map