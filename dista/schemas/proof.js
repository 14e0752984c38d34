/**
 * What a device without a ledger is shown: a transaction in a block, an account in a state.
 *
 * Both begin with the block's header and its coinbase, which the header's `content` commits to and which carries
 * both roots. A reply with either is at most PROOF_BYTES_MAX bytes because every part has a limit here.
 * Source: docs/PROTOCOL.md sections 5 and 8.
 */
import { header } from './block.js';
import { list, struct } from './compound.js';
import { blob, fixed, hash, time, u16 } from './field.js';
import { coinbase } from './transaction.js';
/** No reply with a proof is larger. */
export const PROOF_BYTES_MAX = 2048;
/** Branches below which the state tree proves nothing: two paths so much alike take 2^64 hashes to find. */
export const STATE_DEPTH_MAX = 128;
/** Siblings with entries: in a tree of n entries some log2(n) + 2, unless somebody spends 2^45 hashes on one more. */
export const STATE_SIBLINGS_MAX = 45;
/** No entry of this version is larger: a split's, with all its shares, has 138 bytes. */
export const STATE_VALUE_BYTES_MAX = 144;
/** Levels of a Merkle tree over the most transactions that a block may have. */
export const MERKLE_PATH_MAX = 13;
/** Larger than any transaction type of this version. */
export const PROVEN_TRANSACTION_BYTES_MAX = 512;
/** Headers that follow the one of a proven transaction. */
export const FOLLOWING_MAX = 16;
/**
 * The way from the state's root to the place where a path ends. Its depth is one more than the last bit that is set: the
 * deepest sibling is never empty, since a lone entry is not pushed down.
 */
export const stateProof = struct({
    /** Bit d, counted from the most significant of the first byte: the sibling at depth d has entries. */
    siblingBits: fixed(STATE_DEPTH_MAX / 8),
    /** Roots of those siblings, from the top down. */
    siblings: list(hash, STATE_SIBLINGS_MAX),
    /** The entry at that place, the one asked for or another; none: the place is empty. */
    leaf: list(struct({ path: hash, value: blob(STATE_VALUE_BYTES_MAX) }), 1),
});
/** What of a header does not follow from its parent. */
export const compactHeader = struct({ content: hash, time, nonce: fixed(8) });
export const inclusionProof = struct({
    header,
    coinbase,
    /** The encoded transaction: its Merkle leaf is over all its bytes, its id is not. */
    transaction: blob(PROVEN_TRANSACTION_BYTES_MAX),
    index: u16,
    /** Transactions in the block. */
    count: u16,
    /** From the leaf up. */
    path: list(hash, MERKLE_PATH_MAX),
    /** The next headers on the best chain, lowest first. */
    following: list(compactHeader, FOLLOWING_MAX),
});
export const balanceProof = struct({ header, coinbase, state: stateProof });
//# sourceMappingURL=proof.js.map