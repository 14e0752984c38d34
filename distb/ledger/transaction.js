/**
 * Transactions in the ledger: their hashes, and the rules that need no state.
 *
 * id = H(transaction, genesis hash || unsigned body); signed message = H(sign, genesis hash || unsigned body);
 * Merkle leaf = H(leaf, full bytes). Source: docs/PROTOCOL.md section 3.
 */
import { decode, encode } from '../schemas/codec.js';
import { fromHex, hashFromBytes, short, toHex } from '../schemas/hex.js';
import { accept, refuse } from '../schemas/result.js';
import { coinbase, SIGNATURE_BYTES, TRANSACTION_BYTES_MAX, transaction, } from '../schemas/transaction.js';
import { checkAuthorisation, checkOpen } from './channel.js';
import { faulty, fromDecode } from './fault.js';
import { checkHashlock } from './hashlock.js';
import { checkAuthority } from './membership.js';
import { checkSplit } from './split.js';
export function sealTransaction(network, value, bytes = encode(transaction, value)) {
    const { hashing } = network;
    const genesis = fromHex(network.genesisHash);
    const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
    return {
        transaction: value,
        bytes,
        id: hashFromBytes(hashing.tagged('transaction', genesis, body)),
        leaf: hashing.tagged('leaf', bytes),
        message: hashing.tagged('sign', genesis, body),
    };
}
export function signTransaction(network, unsigned, sign) {
    const draft = { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) };
    const { message } = sealTransaction(network, draft);
    return sealTransaction(network, { ...draft, signature: sign(message) });
}
/** What a coinbase's miner signs, and the leaf hash that its header commits to. */
export function sealCoinbase(network, value) {
    const bytes = encode(coinbase, value);
    const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES);
    return {
        message: network.hashing.tagged('sign', fromHex(network.genesisHash), body),
        content: hashFromBytes(network.hashing.tagged('leaf', bytes)),
    };
}
/** Least fee for a transaction of `bytes` bytes: `feeFloor` for each started 1000 bytes. */
export const feeFloorFor = (network, bytes) => network.genesis.feeFloor * Math.ceil(bytes / 1000);
/** Every rule that can be checked without the state or a height; the signature last, since it costs most. */
export function checkTransaction(network, sealed, verified) {
    const { transaction: tx } = sealed;
    if (tx.network !== network.id) {
        return faulty('wrong-network', `network: this is ${network.id}, the transaction is for ${tx.network}`);
    }
    if (tx.type === 'transfer') {
        if (!network.signatures.isAccount(tx.to))
            return faulty('bad-account', `to: ${short(tx.to)} is no Ed25519 account key`);
    }
    if (tx.type === 'batch') {
        if (tx.count < 1)
            return faulty('bad-batch', 'count: at least 1');
        if (tx.lastTime < tx.firstTime)
            return faulty('bad-batch', 'lastTime: not before firstTime');
        if (!Number.isSafeInteger(tx.sequence + tx.count))
            return faulty('bad-batch', 'sequence: too large');
    }
    if (tx.type === 'admission' || tx.type === 'revocation') {
        if (!network.signatures.isAccount(tx.member))
            return faulty('bad-account', `member: ${short(tx.member)} is no Ed25519 account key`);
        const fault = checkAuthority(network, tx);
        if (fault !== undefined)
            return refuse(fault);
    }
    const unfit = checkTrade(network, tx);
    if (unfit !== undefined)
        return refuse(unfit);
    const leaf = toHex(sealed.leaf);
    if (verified.has(leaf))
        return accept(sealed);
    if (!network.signatures.isAccount(tx.from)) {
        return faulty('bad-account', `from: ${short(tx.from)} is no Ed25519 account key`);
    }
    if (!network.signatures.verify(tx.signature, sealed.message, tx.from)) {
        return faulty('bad-signature', `signature: not ${short(tx.from)}'s over these bytes on network ${network.id}`);
    }
    if (tx.type === 'channelClaim') {
        const fault = checkAuthorisation(network, tx);
        if (fault !== undefined)
            return refuse(fault);
    }
    verified.add(leaf);
    return accept(sealed);
}
/** The fields of channels, hashlocks and splits. */
function checkTrade(network, tx) {
    if (tx.type === 'channelOpen')
        return checkOpen(network, tx);
    if (tx.type === 'hashlock')
        return checkHashlock(network, tx);
    return tx.type === 'split' ? checkSplit(network, tx) : undefined;
}
/** Decodes and checks what arrived from outside. */
export function parseTransaction(network, bytes, verified) {
    const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX);
    if (!decoded.ok)
        return refuse(fromDecode(decoded.fault));
    return checkTransaction(network, sealTransaction(network, decoded.value, bytes), verified);
}
/**
 * Full transactions whose signature was found valid, so that a block does not verify again what the mempool did.
 * Keyed by the full bytes' hash: a different signature over the same body is a different entry.
 */
export class SignatureCache {
    #leaves = new Set();
    #max;
    constructor(max = 20_000) {
        this.#max = max;
    }
    has(leaf) {
        return this.#leaves.has(leaf);
    }
    add(leaf) {
        if (this.#leaves.size >= this.#max) {
            for (const oldest of this.#leaves) {
                this.#leaves.delete(oldest);
                break;
            }
        }
        this.#leaves.add(leaf);
    }
}
//# sourceMappingURL=transaction.js.map