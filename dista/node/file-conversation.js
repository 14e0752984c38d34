/**
 * What buyer and seller of a file send each other once there is a quote: requests for chunks, and chunks, sealed for the two.
 *
 * The ciphertext is sealed once more on its way, since its key stands on the ledger for everybody in the end: who has recorded the
 * exchange must not be able to open what he recorded. Source: docs/PROTOCOL.md section 8.
 */
import { encode } from '../schemas/codec.js';
import { struct } from '../schemas/compound.js';
import { account, hash, u16, u32 } from '../schemas/field.js';
import { fileMessage } from '../schemas/file-message.js';
import { conversationKeys } from './key-agreement.js';
import { open, seal } from './sealed.js';
/** What the keys are bound to, so that they are good for one sale on one network. */
const contextCodec = struct({ genesis: hash, seller: account, buyer: account, lock: hash });
const askedCodec = struct({ first: u32, count: u16 });
const placeCodec = struct({ index: u32 });
const NOTHING = new Uint8Array(0);
export class FileConversation {
    #keys;
    #lock;
    constructor(keys, lock) {
        this.#keys = keys;
        this.#lock = lock;
    }
    /** Undefined when the other's key is none (of small order). */
    static between(own, theirs, sale) {
        const context = encode(contextCodec, { ...sale, genesis: sale.genesis });
        const keys = conversationKeys(own, theirs, context);
        return keys && new FileConversation(keys, sale.lock);
    }
    /** The buyer's message that asks for chunks. */
    request(first, count) {
        const sealed = seal(this.#keys.send, NOTHING, encode(askedCodec, { first, count }));
        return encode(fileMessage, { type: 'chunkRequest', lock: this.#lock, first, count, seal: sealed });
    }
    /** Whether the buyer has said so. */
    isRequest({ lock, first, count, seal: sealed }) {
        if (lock !== this.#lock)
            return false;
        return open(this.#keys.receive, sealed, encode(askedCodec, { first, count })) !== undefined;
    }
    /** The seller's message with a chunk of the ciphertext. */
    chunk(index, bytes) {
        const sealed = seal(this.#keys.send, bytes, encode(placeCodec, { index }));
        return encode(fileMessage, { type: 'chunk', lock: this.#lock, index, sealed });
    }
    /** The chunk of the ciphertext in a message; undefined when the seller has not sent it. */
    chunkIn({ lock, index, sealed }) {
        return lock === this.#lock ? open(this.#keys.receive, sealed, encode(placeCodec, { index })) : undefined;
    }
}
//# sourceMappingURL=file-conversation.js.map