/**
 * Sealing: what only the holders of a key can read, and nobody else can have written or changed.
 *
 * ChaCha20-Poly1305 (RFC 8439) under keys that HKDF-SHA256 (RFC 5869) derives, both OpenSSL's. Layout: nonce 12, ciphertext as
 * long as the text, tag 16. Nonces are random: a key may seal some 2^32 messages before two are likely to be equal, so keys here
 * live for a minute or a conversation. Source: docs/PROTOCOL.md section 8.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { SEAL_BYTES } from '../schemas/sealed.js';
import { hashing } from './signing.js';
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'chacha20-poly1305';
const NOTHING = new Uint8Array(0);
/** Seals `text` for whoever has `key` (32 bytes); `context` is not sent, and the reader has to know it too. */
export function seal(key, text, context = NOTHING, random = randomBytes) {
    const nonce = random(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(context, { plaintextLength: text.length });
    const sealed = cipher.update(text);
    cipher.final();
    return new Uint8Array(Buffer.concat([nonce, sealed, cipher.getAuthTag()]));
}
/** The text; undefined when it was not sealed under this key and context, or changed since. */
export function open(key, sealed, context = NOTHING) {
    if (sealed.length < SEAL_BYTES)
        return undefined;
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
    });
    const body = sealed.subarray(NONCE_BYTES, -TAG_BYTES);
    decipher.setAAD(context, { plaintextLength: body.length });
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
    const text = decipher.update(body);
    try {
        decipher.final();
    }
    catch {
        return undefined;
    }
    return new Uint8Array(text);
}
/** A key of 32 bytes for one purpose, from a secret: HKDF-SHA256 with `salt`, and the parts of `info` one after the other. */
export function deriveKey(secret, salt, purpose, ...info) {
    const whole = Buffer.concat([Buffer.from(`pinledger/${purpose}`), ...info]);
    return new Uint8Array(hkdfSync('sha256', secret, salt, whole, KEY_BYTES));
}
/**
 * A secret of an account for one purpose, the same at each start: what it signs for nobody but itself. Whoever holds the account's
 * key, and nobody else, has it; Ed25519 signatures are deterministic (RFC 8032).
 */
export function accountSecret(signer, purpose) {
    const own = signer.sign(hashing.tagged('secret', Buffer.from(purpose)));
    return deriveKey(own, NOTHING, `secret/${purpose}`);
}
//# sourceMappingURL=sealed.js.map