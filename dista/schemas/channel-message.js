import { list, struct, union } from './compound.js';
import { blob, choice, fixed, freeText, hash, name, u32, u64 } from './field.js';
import { channelProof, SIGNATURE_BYTES, sample } from './transaction.js';
/** Bytes of an X25519 public key. */
const PUBLIC_KEY_BYTES = 32;
/** First bytes of the hash of both public keys: which keys a sealed message is under. */
export const CONVERSATION_BYTES = 8;
/** The largest text that is sealed, a delivery, and what sealing adds. */
const SEALED_BYTES_MAX = 256 + 28;
/** No message here is larger. */
export const CHANNEL_MESSAGE_BYTES_MAX = 512;
const publicKey = fixed(PUBLIC_KEY_BYTES);
const signature = fixed(SIGNATURE_BYTES);
export const channelMessage = union({
    /** The buyer wants to talk, under a fresh key. Signed by the channel's payer. */
    hello: { number: 11, codec: struct({ channel: hash, publicKey, signature }) },
    /** The seller agrees to that key with a fresh one of its own. Signed by the channel's payee. */
    welcome: { number: 12, codec: struct({ channel: hash, hello: publicKey, publicKey, signature }) },
    sealed: {
        number: 13,
        codec: struct({ channel: hash, conversation: fixed(CONVERSATION_BYTES), box: blob(SEALED_BYTES_MAX) }),
    },
    /** The seller has forgotten the keys: please say hello. Worth nothing else, since anybody can say so. */
    knock: { number: 14, codec: struct({ channel: hash }) },
});
/** Why one side delivers or pays no further. */
export const stopCode = choice({
    /** The sensor is not sold by reading. */
    'not-for-sale': 1,
    /** The seller asks for more. */
    price: 2,
    /** The channel's delay is too short for the seller. */
    delay: 3,
    /** The channel is about to close, or has. */
    closing: 4,
    /** The channel's opening is not deep enough in the chain yet. */
    'not-confirmed': 5,
    /** The seller does not know where the ledger stands. */
    'not-current': 6,
    /** Too many channels. */
    full: 7,
    /** What is left in the channel does not pay another reading. */
    'used-up': 8,
    /** A payment that the ledger would refuse, or of another amount than was agreed. */
    'bad-proof': 9,
    /** A reading or payment out of turn. */
    'bad-index': 10,
    /** A reading that is not the seller's, not of the sensor, not newer than the last, or of another price. */
    'bad-reading': 11,
    /** The buyer has what it wanted. */
    done: 12,
});
/** What is inside `sealed`. */
export const channelTalk = union({
    /**
     * Where a side stands: how many readings are paid, and the proof of it. The buyer says it first, and with it what it
     * wants; the seller answers with the sensor, price and pace that it has understood.
     */
    resume: {
        number: 15,
        codec: struct({
            sensor: name,
            /** Smallest units for each reading. */
            price: u64,
            /** Seconds between two readings at least. */
            every: u32,
            /** The last reading that is wanted. */
            last: u32,
            index: u32,
            /** None when nothing is paid. */
            proof: list(channelProof, 1),
        }),
    },
    /** Reading number `index`, from 1; `due` is what the payee may have in all once it is paid. Signed by the payee. */
    delivery: { number: 16, codec: struct({ channel: hash, index: u32, due: u64, sample, signature }) },
    /** Reading number `index` is paid. */
    payment: { number: 17, codec: struct({ index: u32, proof: channelProof }) },
    stop: { number: 18, codec: struct({ code: stopCode, message: freeText(160) }) },
});
/** On `claim/<payee>/<channel>`, retained: the best proof that a payee has, so that anybody can claim for it. */
export const claimNotice = struct({ channel: hash, proof: channelProof });
export const CLAIM_NOTICE_BYTES_MAX = 32 + 1 + 32 + 8 + SIGNATURE_BYTES;
//# sourceMappingURL=channel-message.js.map