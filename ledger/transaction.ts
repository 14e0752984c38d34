/**
 * Transactions in the ledger: their hashes, and the rules that need no state.
 *
 * id = H(transaction, genesis hash || unsigned body); signed message = H(sign, genesis hash || unsigned body);
 * Merkle leaf = H(leaf, full bytes). Source: docs/PROTOCOL.md section 3.
 */
import { decode, encode } from '../schemas/codec.ts'
import { fromHex, type Hash, hashFromBytes, short, toHex } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import {
  type Coinbase,
  coinbase,
  SIGNATURE_BYTES,
  TRANSACTION_BYTES_MAX,
  type Transaction,
  transaction,
  type Unsigned,
} from '../schemas/transaction.ts'
import { checkAuthorisation, checkOpen } from './channel.ts'
import { type Fault, faulty, fromDecode } from './fault.ts'
import { checkHashlock } from './hashlock.ts'
import { checkAuthority } from './membership.ts'
import type { Network } from './network.ts'
import { checkSplit } from './split.ts'

/** A transaction with everything that is computed from its bytes once. */
export interface Sealed {
  readonly transaction: Transaction
  readonly bytes: Uint8Array
  readonly id: Hash
  /** Merkle leaf hash; names the full bytes, signature included. */
  readonly leaf: Uint8Array
  /** The 32 bytes that the sender signs. */
  readonly message: Uint8Array
}

/** Signs 32 bytes with the key of the transaction's `from`. */
export type Sign = (message: Uint8Array) => Uint8Array

export function sealTransaction(
  network: Network,
  value: Transaction,
  bytes = encode(transaction, value),
): Sealed {
  const { hashing } = network
  const genesis = fromHex(network.genesisHash)
  const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES)
  return {
    transaction: value,
    bytes,
    id: hashFromBytes(hashing.tagged('transaction', genesis, body)),
    leaf: hashing.tagged('leaf', bytes),
    message: hashing.tagged('sign', genesis, body),
  }
}

export function signTransaction(network: Network, unsigned: Unsigned<Transaction>, sign: Sign): Sealed {
  const draft = { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) } as Transaction
  const { message } = sealTransaction(network, draft)
  return sealTransaction(network, { ...draft, signature: sign(message) } as Transaction)
}

/** What a coinbase's miner signs, and the leaf hash that its header commits to. */
export function sealCoinbase(network: Network, value: Coinbase): { message: Uint8Array; content: Hash } {
  const bytes = encode(coinbase, value)
  const body = bytes.subarray(0, bytes.length - SIGNATURE_BYTES)
  return {
    message: network.hashing.tagged('sign', fromHex(network.genesisHash), body),
    content: hashFromBytes(network.hashing.tagged('leaf', bytes)),
  }
}

/** Least fee for a transaction of `bytes` bytes: `feeFloor` for each started 1000 bytes. */
export const feeFloorFor = (network: Network, bytes: number): number =>
  network.genesis.feeFloor * Math.ceil(bytes / 1000)

/** Every rule that can be checked without the state or a height; the signature last, since it costs most. */
export function checkTransaction(
  network: Network,
  sealed: Sealed,
  verified: SignatureCache,
): Result<Sealed, Fault> {
  const { transaction: tx } = sealed
  if (tx.network !== network.id) {
    return faulty('wrong-network', `network: this is ${network.id}, the transaction is for ${tx.network}`)
  }
  if (tx.type === 'transfer') {
    if (!network.signatures.isAccount(tx.to))
      return faulty('bad-account', `to: ${short(tx.to)} is no Ed25519 account key`)
  }
  if (tx.type === 'batch') {
    if (tx.count < 1) return faulty('bad-batch', 'count: at least 1')
    if (tx.lastTime < tx.firstTime) return faulty('bad-batch', 'lastTime: not before firstTime')
    if (!Number.isSafeInteger(tx.sequence + tx.count)) return faulty('bad-batch', 'sequence: too large')
  }
  if (tx.type === 'admission' || tx.type === 'revocation') {
    if (!network.signatures.isAccount(tx.member))
      return faulty('bad-account', `member: ${short(tx.member)} is no Ed25519 account key`)
    const fault = checkAuthority(network, tx)
    if (fault !== undefined) return refuse(fault)
  }
  const unfit = checkTrade(network, tx)
  if (unfit !== undefined) return refuse(unfit)
  const leaf = toHex(sealed.leaf)
  if (verified.has(leaf)) return accept(sealed)
  if (!network.signatures.isAccount(tx.from)) {
    return faulty('bad-account', `from: ${short(tx.from)} is no Ed25519 account key`)
  }
  if (!network.signatures.verify(tx.signature, sealed.message, tx.from)) {
    return faulty(
      'bad-signature',
      `signature: not ${short(tx.from)}'s over these bytes on network ${network.id}`,
    )
  }
  if (tx.type === 'channelClaim') {
    const fault = checkAuthorisation(network, tx)
    if (fault !== undefined) return refuse(fault)
  }
  verified.add(leaf)
  return accept(sealed)
}

/** The fields of channels, hashlocks and splits. */
function checkTrade(network: Network, tx: Transaction): Fault | undefined {
  if (tx.type === 'channelOpen') return checkOpen(network, tx)
  if (tx.type === 'hashlock') return checkHashlock(network, tx)
  return tx.type === 'split' ? checkSplit(network, tx) : undefined
}

/** Decodes and checks what arrived from outside. */
export function parseTransaction(
  network: Network,
  bytes: Uint8Array,
  verified: SignatureCache,
): Result<Sealed, Fault> {
  const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX)
  if (!decoded.ok) return refuse(fromDecode(decoded.fault))
  return checkTransaction(network, sealTransaction(network, decoded.value, bytes), verified)
}

/**
 * Full transactions whose signature was found valid, so that a block does not verify again what the mempool did.
 * Keyed by the full bytes' hash: a different signature over the same body is a different entry.
 */
export class SignatureCache {
  readonly #leaves = new Set<string>()
  readonly #max: number
  constructor(max = 20_000) {
    this.#max = max
  }
  has(leaf: string): boolean {
    return this.#leaves.has(leaf)
  }
  add(leaf: string): void {
    if (this.#leaves.size >= this.#max) {
      for (const oldest of this.#leaves) {
        this.#leaves.delete(oldest)
        break
      }
    }
    this.#leaves.add(leaf)
  }
}
