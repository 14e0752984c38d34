/**
 * Hashes of the ledger: BIP-340-style tagged SHA-256 for everything but the header, double SHA-256 for the header.
 *
 * `tagged(tag, m) = SHA256(SHA256(tag) || SHA256(tag) || m)`. A tag belongs to one kind of message, so that no two kinds can share a hash.
 * Source: BIP 340 "Tagged hashes", docs/PROTOCOL.md section 2.
 */
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'

/** SHA-256 of `bytes`, 32 bytes. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

export const TAGS = {
  genesis: 'pinledger/genesis',
  /** Unsigned body: transaction id. */
  transaction: 'pinledger/transaction',
  /** What a signature of a transaction or coinbase is over. */
  sign: 'pinledger/sign',
  /** Full bytes of a transaction: Merkle leaf. */
  leaf: 'pinledger/leaf',
  /** Inner Merkle node. */
  node: 'pinledger/node',
  /** Leaf count and top node: Merkle root. */
  root: 'pinledger/root',
  /** A sample as the leaf of a batch. */
  sample: 'pinledger/sample',
  stateKey: 'pinledger/state-key',
  stateLeaf: 'pinledger/state-leaf',
  stateNode: 'pinledger/state-node',
  login: 'pinledger/login',
  /** A link between checkpoints: what a vote's signature is over. */
  checkpoint: 'pinledger/checkpoint',
  /** Channel and amount: what a payer signs for its payee. */
  claim: 'pinledger/claim',
  /** A word of a payer's hash chain: the word of one step less. */
  word: 'pinledger/word',
  /** What an account sells. */
  offer: 'pinledger/offer',
  /** A reading as it is sold, with its place in the sale. */
  delivery: 'pinledger/delivery',
  /** A key that is asked for, or given. */
  key: 'pinledger/key',
  /** Wires that an owner gives to an agent. */
  wiring: 'pinledger/wiring',
  /** An experiment that an owner orders: its hash, and what its signature is over. */
  lab: 'pinledger/lab',
  /** What the tower of an experiment says. */
  tower: 'pinledger/tower',
  /** Ticks of an agent's hand in an experiment. */
  labTick: 'pinledger/lab-tick',
  /** What is asked and answered about a file that is sold. */
  file: 'pinledger/file',
  /** A slow hand's genesis: its hash. */
  hand: 'pinledger/hand',
  /** A block that a tick says was there. */
  anchor: 'pinledger/anchor',
  /** What an account signs for nobody but itself: the signature is a secret of its own. */
  secret: 'pinledger/secret',
} as const
export type Tag = keyof typeof TAGS

/** Where a message is put together: memory of its own for each takes as long as its hash. */
const MESSAGE = new Uint8Array(1024)

/** The hash functions of the ledger over one SHA-256 implementation, which the shell may choose. */
export class Hashing {
  readonly #sha256: Sha256
  readonly #prefixes = new Map<Tag, Uint8Array>()

  constructor(sha256: Sha256 = nobleSha256) {
    this.#sha256 = sha256
    for (const tag of Object.keys(TAGS) as Tag[]) {
      const digest = sha256(new TextEncoder().encode(TAGS[tag]))
      const prefix = new Uint8Array(64)
      prefix.set(digest)
      prefix.set(digest, 32)
      this.#prefixes.set(tag, prefix)
    }
  }

  /** Tagged hash of the parts one after the other, 32 bytes. */
  tagged(tag: Tag, ...parts: readonly Uint8Array[]): Uint8Array {
    let size = 64
    for (const part of parts) size += part.length
    const message = size <= MESSAGE.length ? MESSAGE.subarray(0, size) : new Uint8Array(size)
    message.set(this.#prefixes.get(tag) as Uint8Array)
    let offset = 64
    for (const part of parts) {
      message.set(part, offset)
      offset += part.length
    }
    return this.#sha256(message)
  }

  /** SHA256(bytes), of what others have hashed: a hashlock's secret. */
  plain(bytes: Uint8Array): Uint8Array {
    return this.#sha256(bytes)
  }

  /** SHA256(SHA256(bytes)): the proof-of-work hash of a header. */
  double(bytes: Uint8Array): Uint8Array {
    return this.#sha256(this.#sha256(bytes))
  }
}
