import { struct, union } from './compound.js';
import { account, blob, choice, fixed, freeText, hash, name, time, u8, u16, u32, u64 } from './field.js';
import { SEAL_BYTES } from './sealed.js';
import { SIGNATURE_BYTES } from './transaction.js';
/** Bytes of the file in every chunk but the last. */
export const FILE_CHUNK_BYTES = 65_536;
/** What the cipher adds to each. */
export const CHUNK_TAG_BYTES = 16;
/** Bytes of a file: 16,384 chunks. */
export const FILE_BYTES_MAX = 1 << 30;
/** Chunks asked for at once. */
export const CHUNKS_ASKED_MAX = 64;
export const REFUSAL_TEXT_BYTES_MAX = 200;
const PUBLIC_KEY_BYTES = 32;
/** Chunks of a file; one without bytes has one, too. */
export const chunksOf = (size) => Math.max(1, Math.ceil(size / FILE_CHUNK_BYTES));
/** Bytes of its ciphertext. */
export const ciphertextBytes = (size) => size + CHUNK_TAG_BYTES * chunksOf(size);
/** `publicKey`: X25519, the buyer's, made for this conversation. */
const head = { seller: account, buyer: account, name, publicKey: fixed(PUBLIC_KEY_BYTES) };
const signature = { signature: fixed(SIGNATURE_BYTES) };
/** What a seller promises: terms of a hashlock that it opens. All but the terms is its word alone. */
const quote = struct({
    ...head,
    /** X25519, the seller's. */
    sellerKey: fixed(PUBLIC_KEY_BYTES),
    /** Names the content to its seller; to others it says nothing. Stands in the memo of the payment. */
    file: hash,
    /** Bytes of the file, and how many chunks that makes. */
    size: u64,
    chunks: u32,
    /** SHA-256 of the ciphertext. */
    ciphertext: hash,
    /** Smallest units. */
    price: u64,
    /** SHA-256 of the key of 32 bytes. */
    lock: hash,
    /** How far ahead the hashlock's deadline has to be when it is signed. */
    blocks: u32,
    minutes: u16,
    /** How deep it has to be before the seller opens it: blocks, its own counted. */
    confirmations: u8,
    /** How long the quote is good for, by the seller's clock. */
    until: time,
    ...signature,
});
export const REFUSAL_CODES = {
    /** No such file, or the network has no hashlocks. */
    'not-for-sale': 1,
    /** The file is still being written, or was changed since: ask for a new quote. */
    changing: 2,
    /** Encrypting it takes a while: ask again. */
    preparing: 3,
    /** Too many ask: ask again later. */
    busy: 4,
    /** The buyer's account has less than the price. */
    uncovered: 5,
    /** Asks for chunks of what was not quoted since the seller's start: ask for a quote first. */
    unquoted: 6,
};
export const fileMessage = union({
    /** The buyer asks what a file costs. */
    quoteRequest: { number: 1, codec: struct({ ...head, ...signature }) },
    quote: { number: 2, codec: quote },
    /** Asks for `count` chunks of the ciphertext from `first` on. `seal`: an empty text, sealed over the rest. */
    chunkRequest: {
        number: 3,
        codec: struct({ lock: hash, first: u32, count: u16, seal: fixed(SEAL_BYTES) }),
    },
    /** A chunk of the ciphertext, sealed for the buyer. */
    chunk: {
        number: 4,
        codec: struct({ lock: hash, index: u32, sealed: blob(FILE_CHUNK_BYTES + CHUNK_TAG_BYTES + SEAL_BYTES) }),
    },
    /** Instead of a quote (`about` is the buyer's public key) or of chunks (the lock). */
    refusal: {
        number: 5,
        codec: struct({
            seller: account,
            buyer: account,
            about: hash,
            code: choice(REFUSAL_CODES),
            message: freeText(REFUSAL_TEXT_BYTES_MAX),
            ...signature,
        }),
    },
});
/** A chunk's is the largest message. */
export const FILE_MESSAGE_BYTES_MAX = 1 + 32 + 4 + 4 + FILE_CHUNK_BYTES + CHUNK_TAG_BYTES + SEAL_BYTES;
/** What a payment's memo says: which file the lock is for. */
export const fileMemo = (file) => `file ${file}`;
/** The file that a memo names; undefined: it pays for something else. */
export const fileInMemo = (memo) => {
    const [, file] = /^file ([0-9a-f]{64})$/.exec(memo) ?? [];
    return file;
};
//# sourceMappingURL=file-message.js.map