/**
 * X25519 (RFC 7748): keys that two who only know each other's public keys share, and boxes for one of them.
 *
 * A box is the maker's fresh public key 32, then what is sealed under the key that both share. Who made it is not in it: whoever needs
 * to know has the message around it signed. Source: docs/PROTOCOL.md section 8.
 */
import { createPrivateKey, createPublicKey, diffieHellman, randomBytes } from 'node:crypto';
import { invariant } from '../schemas/result.js';
import { deriveKey, KEY_BYTES, open, seal } from './sealed.js';
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex'); // RFC 8410: an X25519 public key in DER
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex'); // RFC 8410: a private key in DER
export function createKeyPair(random = randomBytes) {
    return keyPairOf(random(KEY_BYTES));
}
/** The pair of a secret of 32 bytes. */
export function keyPairOf(secret) {
    invariant(secret.length === KEY_BYTES, 'an X25519 secret is 32 bytes');
    const privateKey = createPrivateKey({
        key: Buffer.concat([PKCS8_PREFIX, secret]),
        format: 'der',
        type: 'pkcs8',
    });
    const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
    return {
        publicKey: new Uint8Array(spki.subarray(SPKI_PREFIX.length)),
        agree(theirs) {
            if (theirs.length !== KEY_BYTES)
                return undefined;
            const key = Buffer.concat([SPKI_PREFIX, theirs]);
            try {
                const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
                return new Uint8Array(diffieHellman({ privateKey, publicKey }));
            }
            catch {
                // OpenSSL refuses the all-zero result (RFC 7748 section 6.1).
                return undefined;
            }
        },
    };
}
/** Both sides derive the same two keys from `context`, which says what they talk about; undefined for a key of small order. */
export function conversationKeys(own, theirs, context) {
    const shared = own.agree(theirs);
    if (shared === undefined)
        return undefined;
    const direction = (from, to) => deriveKey(shared, Buffer.concat([from, to]), 'conversation', context);
    return { send: direction(own.publicKey, theirs), receive: direction(theirs, own.publicKey) };
}
/** Seals `text` for the holder of a public key; undefined for a key of small order. */
export function sealFor(publicKey, text, context, random = randomBytes) {
    const fresh = createKeyPair(random);
    const keys = conversationKeys(fresh, publicKey, context);
    if (keys === undefined)
        return undefined;
    return new Uint8Array(Buffer.concat([fresh.publicKey, seal(keys.send, text, undefined, random)]));
}
/** The text of a box that was made for this pair in this context; undefined otherwise. */
export function openBox(pair, box, context) {
    const keys = conversationKeys(pair, box.subarray(0, KEY_BYTES), context);
    return keys === undefined ? undefined : open(keys.receive, box.subarray(KEY_BYTES));
}
//# sourceMappingURL=key-agreement.js.map