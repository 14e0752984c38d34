/** Channels, hashlocks and splits on a test chain: transactions, payers' proofs and hash chains. */
import { claimMessage } from '../../ledger/channel.ts'
import type { Network } from '../../ledger/network.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { hashing, type Signer } from '../../node/signing.ts'
import { type Account, fromHex, type Hash, hashFromBytes, ZERO_HASH } from '../../schemas/hex.ts'
import type { ChannelProof } from '../../schemas/transaction.ts'
import type { TestChain } from './ledger.ts'

export const NEVER = 0xffffffff

/** 32 bytes of one number. */
export const bytes32 = (value: number): Hash => value.toString(16).padStart(2, '0').repeat(32) as Hash

/** A hash chain: the word of n steps at index n, the anchor at 0. */
export function wordsFrom(last: Hash, steps: number): readonly Hash[] {
  const words = [last]
  for (let step = 0; step < steps; step++)
    words.unshift(hashFromBytes(hashing.tagged('word', fromHex(words[0] as Hash))))
  return words
}

export const open = (
  chain: TestChain,
  payer: Signer,
  { account }: Signer,
  amount: number,
  fields: object = {},
): Sealed =>
  chain.sign(payer, {
    type: 'channelOpen',
    to: account,
    amount,
    delay: 4,
    until: NEVER,
    anchor: ZERO_HASH,
    step: 0,
    memo: '',
    ...fields,
  })

/** The payer's word for so much in all. */
export const signedFor = (
  network: Network,
  payer: Signer,
  channel: Hash,
  amount: number,
): Extract<ChannelProof, { type: 'signed' }> => ({
  type: 'signed',
  payer: payer.account,
  amount,
  authorisation: payer.sign(claimMessage(network, channel, amount)),
})

/** A word of a chain, which is the payer's word for so many steps. */
export const wordOf = (words: readonly Hash[], steps: number): Extract<ChannelProof, { type: 'word' }> => ({
  type: 'word',
  steps,
  word: words[steps] ?? ZERO_HASH,
})

export const claim = (
  chain: TestChain,
  by: Signer,
  channel: Hash,
  proof: ChannelProof,
  fields: object = {},
): Sealed => chain.sign(by, { type: 'channelClaim', channel, proof, ...fields })

export const close = (chain: TestChain, by: Signer, channel: Hash, fields: object = {}): Sealed =>
  chain.sign(by, { type: 'channelClose', channel, ...fields })

/** Coins for who tells `secret` below a height and before a median time. */
export const lock = (
  chain: TestChain,
  from: Signer,
  { account }: Signer,
  amount: number,
  secret: Hash,
  deadline: { readonly height: number; readonly time: number },
  fields: object = {},
): Sealed =>
  chain.sign(from, {
    type: 'hashlock',
    to: account,
    amount,
    lock: hashFromBytes(hashing.plain(fromHex(secret))),
    ...deadline,
    memo: '',
    ...fields,
  })

export const tell = (
  chain: TestChain,
  by: Signer,
  hashlock: Hash,
  preimage: Hash,
  fields: object = {},
): Sealed => chain.sign(by, { type: 'hashlockClaim', hashlock, preimage, ...fields })

export const refund = (chain: TestChain, by: Signer, hashlock: Hash, fields: object = {}): Sealed =>
  chain.sign(by, { type: 'hashlockRefund', hashlock, ...fields })

export const share = (
  chain: TestChain,
  from: Signer,
  shares: readonly (readonly [Account, number])[],
  fields: object = {},
): Sealed =>
  chain.sign(from, {
    type: 'split',
    shares: shares.map(([account, parts]) => ({ account, parts })),
    ...fields,
  })
