/** A wire's name on disk: a hash of what it looks at and what it buys, so that what it remembers is never taken for another's. */
import { hashing } from '../../node/signing.js';
import { toHex } from '../../schemas/hex.js';
export const fingerprintOf = ({ source, condition, to }) => toHex(hashing.plain(new TextEncoder().encode(JSON.stringify([source, condition, to])))).slice(0, 32);
//# sourceMappingURL=fingerprint.js.map