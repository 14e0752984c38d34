/**
 * The cipher of files that are sold: chunk by chunk, so that a file of any size needs the memory of one chunk.
 *
 * STREAM (Hoang, Reyhanitabar, Rogaway and Vizar 2015) over ChaCha20-Poly1305 (RFC 8439), in the form that the file format age has:
 * chunks of 65,536 bytes, each sealed under the file's key with the nonce `index 11 || last 1`, big-endian, `last` being 1 for the
 * last chunk and 0 for the others. So a chunk that is changed, moved, left out or added does not open, nor does a file that ends
 * early. One key seals one content and no other: a nonce must never meet two texts. Source: docs/PROTOCOL.md section 8.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { CHUNK_TAG_BYTES, FILE_CHUNK_BYTES } from '../schemas/file-message.js';
import { invariant } from '../schemas/result.js';
const CIPHER = 'chacha20-poly1305';
const OPTIONS = { authTagLength: CHUNK_TAG_BYTES };
/** A chunk of the ciphertext: the text's length and 16 bytes. */
export function sealChunk(key, place, text) {
    invariant(place.last ? text.length <= FILE_CHUNK_BYTES : text.length === FILE_CHUNK_BYTES, 'a whole chunk');
    const cipher = createCipheriv(CIPHER, key, nonceOf(place), OPTIONS);
    const sealed = new Uint8Array(text.length + CHUNK_TAG_BYTES);
    sealed.set(cipher.update(text));
    cipher.final();
    sealed.set(cipher.getAuthTag(), text.length);
    return sealed;
}
/** The text of a chunk; undefined when it is not the one that was sealed for this place under this key. */
export function openChunk(key, place, sealed) {
    const length = sealed.length - CHUNK_TAG_BYTES;
    if (length < 0 || length > FILE_CHUNK_BYTES || (!place.last && length !== FILE_CHUNK_BYTES))
        return undefined;
    const decipher = createDecipheriv(CIPHER, key, nonceOf(place), OPTIONS);
    decipher.setAuthTag(sealed.subarray(length));
    const text = decipher.update(sealed.subarray(0, length));
    try {
        decipher.final();
    }
    catch {
        // The tag does not fit: what `update` gave must not be seen.
        return undefined;
    }
    return text;
}
function nonceOf({ index, last }) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(index, 7);
    nonce[11] = last ? 1 : 0;
    return nonce;
}
//# sourceMappingURL=file-cipher.js.map