/**
 * What simulated devices have agreed on off the ledger: who pays whom by which channel, and the secrets of hashlocks.
 *
 * All devices know the deals of all, as if each word, signature and secret that is handed on had arrived.
 */
import { claimMessage } from '../ledger/channel.ts'
import type { Network } from '../ledger/network.ts'
import type { Signer } from '../node/signing.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import type { ChannelProof, Transaction, Unsigned } from '../schemas/transaction.ts'
import type { Rng } from './random.ts'

export type Head = Pick<Transaction, 'network' | 'from' | 'nonce' | 'fee' | 'expiry'>

/** A transaction that a device would like to send, without its head. */
export interface Wish {
  fill(head: Head): Unsigned<Transaction>
  /** The deal that it makes, once its id is known. */
  made?(id: Hash): void
}

export interface Channel {
  readonly id: Hash
  readonly payer: Signer
  readonly to: Account
  /** The word of n steps at index n; empty without a hash chain. */
  readonly words: readonly Hash[]
}

export interface Lock {
  readonly id: Hash
  readonly from: Account
  readonly to: Account
  readonly secret: Hash
}

/** Older deals are forgotten, closed or not. */
const DEALS_MAX = 48

export class Deals {
  readonly channels: Channel[] = []
  readonly locks: Lock[] = []

  addChannel(channel: Channel): void {
    this.channels.push(channel)
    if (this.channels.length > DEALS_MAX) this.channels.shift()
  }

  addLock(lock: Lock): void {
    this.locks.push(lock)
    if (this.locks.length > DEALS_MAX) this.locks.shift()
  }
}

/** A device that trades, or abuses what others have at stake. */
export interface Party {
  readonly signer: Signer
  readonly random: Rng
  readonly deals: Deals
  readonly others: () => readonly Account[]
}

/** The proof that `payer`, by the signature of `signer`, lets the payee of a channel have `amount` in all. */
export const signedProof = (
  network: Network,
  channel: Hash,
  amount: number,
  signer: Signer,
  payer: Account = signer.account,
): ChannelProof => ({
  type: 'signed',
  payer,
  amount,
  authorisation: signer.sign(claimMessage(network, channel, amount)),
})
