/**
 * The keys of the files that an account sells: derived, never stored.
 *
 * From the account's secret follow a name for each content, which says nothing about it, and a key for each buyer, price and
 * content: so no key that one sale makes public opens another, no key meets two contents, and after a restart, or years later,
 * the key of a payment is there again. Source: docs/PROTOCOL.md section 8.
 */
import type { Network } from '../../ledger/network.ts'
import { accountSecret, deriveKey } from '../../node/sealed.ts'
import { hashing, type Signer } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { struct } from '../../schemas/compound.ts'
import { account, hash, u64 } from '../../schemas/field.ts'
import { type Account, fromHex, type Hash, hashFromBytes } from '../../schemas/hex.ts'
import type { LockKeys } from './lock-decision.ts'

const saleCodec = struct({ buyer: account, price: u64, file: hash })

export class FileKeys implements Pick<LockKeys, 'keyOf' | 'sha256'> {
  readonly #secret: Uint8Array
  readonly #genesis: Uint8Array

  constructor({ genesisHash }: Pick<Network, 'genesisHash'>, signer: Signer) {
    this.#secret = accountSecret(signer, 'file')
    this.#genesis = fromHex(genesisHash)
  }

  /** The name of a content, by its SHA-256. */
  fileOf(content: Uint8Array): Hash {
    return hashFromBytes(deriveKey(this.#secret, this.#genesis, 'file-name', content))
  }

  keyOf(sale: { readonly buyer: Account; readonly price: number; readonly file: Hash }): Uint8Array {
    return deriveKey(this.#secret, this.#genesis, 'file-key', encode(saleCodec, sale))
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return hashing.plain(bytes)
  }
}
