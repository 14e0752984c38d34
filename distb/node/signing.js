/**
 * Signing and fast verification with OpenSSL (`node:crypto`), and the self-test that every program runs first.
 *
 * The fast path only ever accepts (ledger/signature.ts); the self-test fails if this machine's OpenSSL accepts a
 * signature that ZIP-215 refuses, which would split the ledger.
 */
import { createPrivateKey, createPublicKey, hash as digest, sign, verify } from 'node:crypto';
import { Hashing } from '../ledger/hashing.js';
import { createSignatures, zip215 } from '../ledger/signature.js';
import { accountFromBytes, fromHex } from '../schemas/hex.js';
import { invariant } from '../schemas/result.js';
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: an Ed25519 public key in DER
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex'); // RFC 8410: a private key in DER
const KEYS_CACHED_MAX = 4096;
export const hashing = new Hashing((bytes) => digest('sha256', bytes, 'buffer'));
/** OpenSSL's verdict, with public keys parsed once. */
export function opensslAccept() {
    const keys = new Map();
    return (signature, message, account) => {
        let key = keys.get(account);
        if (key === undefined) {
            if (keys.size >= KEYS_CACHED_MAX)
                keys.clear();
            key = createPublicKey({
                key: Buffer.concat([SPKI_PREFIX, fromHex(account)]),
                format: 'der',
                type: 'spki',
            });
            keys.set(account, key);
        }
        return verify(null, message, key, signature);
    };
}
/** Signer from the 32-byte RFC 8032 secret key. */
export function createSigner(secret) {
    invariant(secret.length === 32, 'a secret key is 32 bytes');
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, secret]), format: 'der', type: 'pkcs8' });
    const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
    return {
        account: accountFromBytes(spki.subarray(SPKI_PREFIX.length)),
        sign: (message) => sign(null, message, key),
    };
}
export const signatures = createSignatures(opensslAccept());
/** Signatures with s = 0 and small-order points: valid under ZIP-215, and their spoilt twins. Source: ZIP 215 test vectors. */
const SELF_TEST = [
    { key: '01'.padEnd(64, '0'), r: '01'.padEnd(64, '0'), s: '00', valid: true },
    {
        key: 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        r: '00'.repeat(32),
        s: '00',
        valid: true,
    },
    {
        key: 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
        r: '01'.padEnd(64, '0'),
        s: '00',
        valid: true,
    },
    { key: '01'.padEnd(64, '0'), r: '01'.padEnd(64, '0'), s: '01', valid: false },
];
/** Throws when this machine's cryptography would disagree with the network's. */
export function selfTest(accept = opensslAccept()) {
    const message = new TextEncoder().encode('Zcash');
    for (const { key, r, s, valid } of SELF_TEST) {
        const signature = new Uint8Array([...fromHex(r), ...fromHex(s.padEnd(64, '0'))]);
        invariant(zip215(signature, message, fromHex(key)) === valid, `noble's ZIP-215 verdict on key ${key}`);
        let accepted = false;
        try {
            accepted = accept(signature, message, key);
        }
        catch {
            // Refusing is allowed; accepting what ZIP-215 refuses is not.
        }
        invariant(valid || !accepted, `the fast verifier accepts a signature that ZIP-215 refuses (key ${key})`);
    }
    // RFC 8032 section 7.1, test 1
    const signer = createSigner(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
    invariant(signer.account === 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'RFC 8032 key');
    const signature = signer.sign(new Uint8Array(0));
    invariant(signature[0] === 0xe5 && signature[63] === 0x0b, 'RFC 8032 signature');
    invariant(zip215(signature, new Uint8Array(0), fromHex(signer.account)), 'RFC 8032 verdict');
}
//# sourceMappingURL=signing.js.map