/**
 * SHA-256 (FIPS 180-4) by OpenSSL.
 *
 * It comes as text, a character for each byte: a digest in a Buffer of its own is memory outside the heap, which takes
 * several times as long to make, and the collector's time afterwards. `node dist/bench/sha256.js` has both.
 */
import { hash } from 'node:crypto';
/** 32 characters, each a byte of the digest of `bytes`. */
export const sha256Text = (bytes) => hash('sha256', bytes, 'binary');
/** 32 bytes. */
export function sha256(bytes) {
    const text = sha256Text(bytes);
    const digest = new Uint8Array(32);
    for (let at = 0; at < 32; at++)
        digest[at] = text.charCodeAt(at);
    return digest;
}
//# sourceMappingURL=sha256.js.map