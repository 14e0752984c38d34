/**
 * Paid topics on brokers that cannot be trusted to keep them: what is sealed on `paid/`, and the messages on `key/` by which payers
 * get the keys.
 *
 * A seller has one key for each sensor and epoch of some seconds, and gives those of a minute at once. Source: docs/PROTOCOL.md section 8.
 */
import type { Infer } from './codec.ts'
import { list, struct, union } from './compound.ts'
import { account, blob, choice, constant, fixed, name, u32 } from './field.ts'
import { SIGNATURE_BYTES, sample } from './transaction.ts'

/**
 * How long a key is good for, milliseconds. Keys are given for whole epochs: who buys a time can read less than one epoch before
 * it, from what was recorded, and less than one after it.
 */
export const EPOCH_MS = 5_000
/** Keys that a seller gives at once, of this epoch and of those that follow and are paid for: a payer asks once a minute. */
export const EPOCH_KEYS_MAX = 13
const PUBLIC_KEY_BYTES = 32
/** What sealing adds to a text: nonce and tag. */
export const SEAL_BYTES = 12 + 16

/** Which epoch a time is in. */
export const epochAt = (ms: number): number => Math.floor(ms / EPOCH_MS)

/** A reading as its seller sells it by time: the signature is over everything before it. */
export const soldReading = struct({
  /** How it is sold: 1, on a topic. Other numbers belong to other sales, so that none is taken for another. */
  sale: constant(1),
  sample,
  signature: fixed(SIGNATURE_BYTES),
})
export type SoldReading = Infer<typeof soldReading>
/** Bytes of the largest. */
const SOLD_READING_BYTES_MAX = 138

/** On `paid/`, binary: a reading, sealed under the key of its epoch. */
export const paidMessage = struct({ epoch: u32, sealed: blob(SOLD_READING_BYTES_MAX + SEAL_BYTES) })
export type PaidMessage = Infer<typeof paidMessage>
export const PAID_MESSAGE_BYTES_MAX = 4 + 4 + SOLD_READING_BYTES_MAX + SEAL_BYTES

/** Inside the box of `keys`: no more than what was paid for. */
export const epochKeys = struct({
  keys: list(struct({ epoch: u32, key: fixed(32) }), EPOCH_KEYS_MAX),
})
export type EpochKeys = Infer<typeof epochKeys>
const BOX_BYTES_MAX = 32 + 2 + EPOCH_KEYS_MAX * 36 + SEAL_BYTES

const head = { seller: account, buyer: account, sensor: name, publicKey: fixed(PUBLIC_KEY_BYTES) }
const signature = { signature: fixed(SIGNATURE_BYTES) }

/** On `key/`. Each is signed over everything before its signature, by the account on whose topic it comes. */
export const keyMessage = union({
  /** A buyer asks for what it has paid for, with a public key that it uses for this once. */
  ask: { number: 1, codec: struct({ ...head, ...signature }) },
  /** The seller's answer, boxed for that public key. */
  keys: { number: 2, codec: struct({ ...head, box: blob(BOX_BYTES_MAX), ...signature }) },
  /** Or why there is none. */
  denied: {
    number: 3,
    codec: struct({ ...head, code: choice({ 'not-paid': 1, 'not-for-sale': 2 }), ...signature }),
  },
})
export type KeyMessage = Infer<typeof keyMessage>
export const KEY_MESSAGE_BYTES_MAX = 1 + 32 + 32 + 33 + 32 + 4 + BOX_BYTES_MAX + SIGNATURE_BYTES
