import { createSigner, signatures } from '../node/signing.js';
const signers = new Map();
/** Signer number `index`; its secret is nobody's. */
export function simSigner(index) {
    const known = signers.get(index);
    if (known !== undefined)
        return known;
    const secret = new Uint8Array(32);
    new DataView(secret.buffer).setUint32(0, index + 1);
    const signer = createSigner(secret);
    signers.set(index, signer);
    return signer;
}
/** Verdicts remembered. */
const VERDICTS_MAX = 50_000;
/** Whether a signature is valid depends on nothing but its bytes, so twenty nodes may share the answer. */
export function sharedSignatures() {
    const verdicts = new Map();
    return {
        ...signatures,
        verify(signature, message, account) {
            const key = `${Buffer.from(message).toString('latin1')}${Buffer.from(signature).toString('latin1')}${account}`;
            let verdict = verdicts.get(key);
            if (verdict === undefined) {
                if (verdicts.size >= VERDICTS_MAX)
                    verdicts.clear();
                verdict = signatures.verify(signature, message, account);
                verdicts.set(key, verdict);
            }
            return verdict;
        },
    };
}
//# sourceMappingURL=identities.js.map