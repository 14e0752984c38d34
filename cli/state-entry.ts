/**
 * Asks a validator for an entry of the ledger's state: a channel, a hashlock, a split. What it says is not proven.
 *
 * Asking is publishing, so whoever has no key to log in with makes one for this and throws it away.
 */
import { randomBytes } from 'node:crypto'
import type { Network } from '../ledger/network.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import { createSigner } from '../node/signing.ts'
import { type Codec, decode } from '../schemas/codec.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { STATE_VALUE_BYTES_MAX } from '../schemas/proof.ts'
import { type Place, Sender, type Where } from './sender.ts'

export interface EntryAnswer<T> {
  readonly network: Network
  readonly validator: Account
  /** Of the validator's tip. */
  readonly height: number
  /** Undefined: there is none. */
  readonly value: T | undefined
}

export interface EntryQuestion<T> {
  /** Of the state, see KIND in ledger/state.ts. */
  readonly kind: number
  readonly key: Hash
  readonly codec: Codec<T>
}

/** Asks on a session of the caller's. Rejects with WorldError `broker-unreachable` when the validator does not answer. */
export async function askEntry<T>(
  sender: Sender,
  place: Place,
  { kind, key, codec }: EntryQuestion<T>,
): Promise<EntryAnswer<T>> {
  const { network, validator } = place
  const answer = await sender.requests(place).ask(validator, { type: 'getEntry', kind, key })
  const cannot = (why: string) =>
    new WorldError('broker-unreachable', `validator ${short(validator)}: ${why}`)
  if (!answer.ok) throw cannot(answer.fault.message)
  const { height, value: bytes } = answer.value
  if (bytes.length === 0) return { network, validator, height, value: undefined }
  const decoded = decode(codec, bytes, STATE_VALUE_BYTES_MAX)
  if (!decoded.ok) throw cannot(`its answer is no such entry: ${decoded.fault.message}`)
  return { network, validator, height, value: decoded.value }
}

/** Asks on a session of its own. */
export async function readEntry<T>(
  where: Where,
  network: string | undefined,
  question: EntryQuestion<T>,
  log: Log,
): Promise<EntryAnswer<T>> {
  const sender = new Sender(where, createSigner(randomBytes(32)), network, log)
  try {
    return await askEntry(sender, await sender.start(), question)
  } finally {
    await sender.stop()
  }
}
