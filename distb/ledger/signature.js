/**
 * Ed25519 under the ZIP-215 rules, which decide every signature in exactly one way on every machine.
 *
 * A fast verifier may be stricter than ZIP-215 (OpenSSL is), so only its accept counts: a reject or an exception
 * asks noble. Account keys must be canonical points that are not of small order, which ZIP-215 alone allows.
 * Source: ZIP 215, RFC 8032 section 5.1, docs/PROTOCOL.md section 3.
 */
import { hashes, Point, verify } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import { fromHex } from '../schemas/hex.js';
hashes.sha512 = sha512;
const ACCOUNTS_CACHED_MAX = 4096;
export function createSignatures(fastAccept) {
    const known = new Map();
    return {
        verify(signature, message, account) {
            if (signature.length !== 64)
                return false;
            try {
                if (fastAccept?.(signature, message, account))
                    return true;
            }
            catch {
                // A stricter verifier may refuse the key itself; noble decides.
            }
            return zip215(signature, message, fromHex(account));
        },
        isAccount(account) {
            const cached = known.get(account);
            if (cached !== undefined)
                return cached;
            const result = isAccountKey(fromHex(account));
            if (known.size >= ACCOUNTS_CACHED_MAX)
                known.clear();
            known.set(account, result);
            return result;
        },
    };
}
/** The consensus rule itself, by noble. */
export function zip215(signature, message, key) {
    try {
        return verify(signature, message, key, { zip215: true });
    }
    catch {
        return false;
    }
}
function isAccountKey(key) {
    try {
        return !Point.fromBytes(key, false).isSmallOrder();
    }
    catch {
        return false;
    }
}
//# sourceMappingURL=signature.js.map