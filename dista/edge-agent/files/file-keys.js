import { accountSecret, deriveKey } from '../../node/sealed.js';
import { hashing } from '../../node/signing.js';
import { encode } from '../../schemas/codec.js';
import { struct } from '../../schemas/compound.js';
import { account, hash, u64 } from '../../schemas/field.js';
import { fromHex, hashFromBytes } from '../../schemas/hex.js';
const saleCodec = struct({ buyer: account, price: u64, file: hash });
export class FileKeys {
    #secret;
    #genesis;
    constructor({ genesisHash }, signer) {
        this.#secret = accountSecret(signer, 'file');
        this.#genesis = fromHex(genesisHash);
    }
    /** The name of a content, by its SHA-256. */
    fileOf(content) {
        return hashFromBytes(deriveKey(this.#secret, this.#genesis, 'file-name', content));
    }
    keyOf(sale) {
        return deriveKey(this.#secret, this.#genesis, 'file-key', encode(saleCodec, sale));
    }
    sha256(bytes) {
        return hashing.plain(bytes);
    }
}
//# sourceMappingURL=file-keys.js.map