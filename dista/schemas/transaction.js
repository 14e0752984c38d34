import { list, struct, union } from './compound.js';
import { account, bool, constant, fixed, freeText, hash, name, network, time, u16, u32, u64, } from './field.js';
import { decimal, unit } from './units.js';
/** Bytes of an Ed25519 signature (RFC 8032). */
export const SIGNATURE_BYTES = 64;
/** No transaction of any type is larger. */
export const TRANSACTION_BYTES_MAX = 1024;
/** UTF-8 bytes of a memo. */
export const MEMO_BYTES_MAX = 80;
const head = {
    /** First bytes of the genesis hash, so that a message for another network is named as such. */
    network,
    /** Who signs and pays. */
    from: account,
    /** Count of the sender's earlier transactions: 0, 1, 2, ... without gaps. */
    nonce: u64,
    /** Smallest units paid to the miner. */
    fee: u64,
    /** Last block height that may contain the transaction. */
    expiry: u32,
};
const signature = { signature: fixed(SIGNATURE_BYTES) };
/** What a sensor said once. Also the leaf of a batch, where it travels alone with its Merkle proof. */
export const sample = struct({
    sensor: name,
    /** The sensor's own count of its readings; grows by one, so that a gap shows. */
    sequence: u64,
    value: decimal,
    /** RFC 8428 unit symbol. */
    unit,
    /** Device clock, milliseconds. */
    time,
    /** Whether the device's clock was synchronised when it said so. */
    synchronised: bool,
});
/** An amount of 0 is allowed: it carries a memo, and to oneself it uses up a nonce (cancels). */
const transfer = struct({ ...head, to: account, amount: u64, memo: freeText(MEMO_BYTES_MAX), ...signature });
const reading = struct({ ...head, sample, ...signature });
/** A Merkle root over `count` samples of one sensor, which travel on the sensor's own topic with their proofs. */
const batch = struct({
    ...head,
    sensor: name,
    /** Sequence number of the first sample; the others follow without gaps. */
    sequence: u64,
    count: u16,
    unit,
    firstTime: time,
    lastTime: time,
    synchronised: bool,
    root: hash,
    ...signature,
});
/** An authority of an enrolled network gives an account the right to mine, from the next block on. */
const admission = struct({ ...head, member: account, ...signature });
/** An authority takes that right back. What the account mined until then stays. */
const revocation = struct({ ...head, member: account, ...signature });
/**
 * Puts coins into a channel, from which its payee is paid by claims that only the payer can make, and the payer gets back
 * what is left. The transaction's id is the channel's.
 */
const channelOpen = struct({
    ...head,
    /** The payee. */
    to: account,
    amount: u64,
    /** Blocks between the payer's wish to close and the close: how long the payee may be away. */
    delay: u32,
    /** Height from which anybody may close it; the largest: none. */
    until: u32,
    /** End of the payer's hash chain (PayWord): the word of 0 steps; 32 zero bytes: none. */
    anchor: hash,
    /** What one step of that chain pays, smallest units; 0 without one. */
    step: u64,
    memo: freeText(MEMO_BYTES_MAX),
    ...signature,
});
/** How much a payer has said that the payee may have in all, from the beginning of the channel. */
export const channelProof = union({
    /** The payer's signature over channel and amount. */
    signed: {
        number: 1,
        codec: struct({ payer: account, amount: u64, authorisation: fixed(SIGNATURE_BYTES) }),
    },
    /** A word of the payer's hash chain, which hashed `steps` times is the anchor. */
    word: { number: 2, codec: struct({ steps: u32, word: hash }) },
});
/** Pays the payee what a proof says beyond what it had. Anybody may send it, for a payee that is away. */
const channelClaim = struct({ ...head, channel: hash, proof: channelProof, ...signature });
/** Ends a channel, or the payer's wish to: then it ends `delay` blocks later. */
const channelClose = struct({ ...head, channel: hash, ...signature });
/** Pays whoever is named for a secret, if it comes before the deadline. The transaction's id is the lock's. */
const hashlock = struct({
    ...head,
    to: account,
    amount: u64,
    /** SHA-256 of the 32 bytes that open it. */
    lock: hash,
    /** The deadline has passed in a block that is at this height or above and whose median time is this time or later. */
    height: u32,
    time,
    memo: freeText(MEMO_BYTES_MAX),
    ...signature,
});
/** Opens a hashlock with its secret, which everybody then knows. Anybody may send it. */
const hashlockClaim = struct({ ...head, hashlock: hash, preimage: hash, ...signature });
/** Gives a hashlock's coins back after its deadline. Anybody may send it. */
const hashlockRefund = struct({ ...head, hashlock: hash, ...signature });
/** Accounts that an account shares its earnings with, at most. */
export const SHARES_MAX = 4;
/** From the next transaction on, shares what the sender earns with others; no shares: with nobody. */
const split = struct({
    ...head,
    shares: list(struct({ account, parts: u16 }), SHARES_MAX),
    ...signature,
});
/**
 * The registry of transaction types. Number 13 is reserved for checkpoints. A number without a codec is refused. Number 0
 * is the coinbase, which is not a free-standing transaction.
 */
const types = {
    transfer: { number: 1, codec: transfer },
    reading: { number: 2, codec: reading },
    batch: { number: 3, codec: batch },
    admission: { number: 4, codec: admission },
    revocation: { number: 5, codec: revocation },
    channelOpen: { number: 6, codec: channelOpen },
    channelClaim: { number: 7, codec: channelClaim },
    channelClose: { number: 8, codec: channelClose },
    hashlock: { number: 9, codec: hashlock },
    hashlockClaim: { number: 10, codec: hashlockClaim },
    hashlockRefund: { number: 11, codec: hashlockRefund },
    split: { number: 12, codec: split },
};
export const transaction = union(types);
/** The number of each type on the wire, as activations in the genesis name it. */
export const TYPE_NUMBERS = {
    transfer: types.transfer.number,
    reading: types.reading.number,
    batch: types.batch.number,
    admission: types.admission.number,
    revocation: types.revocation.number,
    channelOpen: types.channelOpen.number,
    channelClaim: types.channelClaim.number,
    channelClose: types.channelClose.number,
    hashlock: types.hashlock.number,
    hashlockClaim: types.hashlockClaim.number,
    hashlockRefund: types.hashlockRefund.number,
    split: types.split.number,
};
/**
 * The block's first entry: the miner pays itself, signs what the block contains and names the state after it.
 *
 * It is hashed like any transaction (type number 0) and its leaf hash is the header's `content`.
 */
export const coinbase = struct({
    type: constant(0),
    network,
    /** The miner: who is paid and who signs. */
    from: account,
    height: u32,
    parent: hash,
    /** At most the subsidy at this height plus the block's fees. */
    reward: u64,
    /** Newest slow tick known to the miner (ClockChain); all zero on networks without a slow hand. */
    tick: hash,
    /** Root over the leaves of the block's transactions, in order. */
    transactionsRoot: hash,
    /** Root of the state after this block. */
    stateRoot: hash,
    ...signature,
});
//# sourceMappingURL=transaction.js.map