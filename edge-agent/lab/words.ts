/** Messages of an experiment: signed by who says them, so that no broker has to be believed. */

import type { Tag } from '../../ledger/hashing.ts'
import type { Network } from '../../ledger/network.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { type Account, fromHex, type Hash, hexOf } from '../../schemas/hex.ts'
import {
  LAB_TICKS_BYTES_MAX,
  LAB_TICKS_MAX,
  LAB_TOWER_BYTES_MAX,
  type LabTicks,
  type LabTower,
  labTicks,
  labTower,
} from '../../schemas/lab-message.ts'
import { accept, type Result, refuse } from '../../schemas/result.ts'
import { SIGNATURE_BYTES } from '../../schemas/transaction.ts'

export type Keys = Pick<Network, 'genesisHash' | 'hashing' | 'signatures'>
type Sign = (message: Uint8Array) => Uint8Array
type Body<T> = Omit<T, 'signature'>
type SaidTick = LabTicks['ticks'][number]

/** Each message begins with it. */
const ORDER_BYTES = 32

/** What is signed. */
export const messageOf = ({ hashing, genesisHash }: Keys, tag: Tag, bytes: Uint8Array): Uint8Array =>
  hashing.tagged(tag, fromHex(genesisHash), bytes.subarray(0, -SIGNATURE_BYTES))

function sealed<T>(codec: Codec<T>, tag: Tag, network: Keys, body: Body<T>, sign: Sign): Uint8Array {
  const bytes = encode(codec, { ...body, signature: new Uint8Array(SIGNATURE_BYTES) } as T)
  bytes.set(sign(messageOf(network, tag, bytes)), bytes.length - SIGNATURE_BYTES)
  return bytes
}

/** `ignored`: of another experiment, or of none. `rejected`: no such message, or not of that account. */
export type Unopened = 'ignored' | 'rejected'

/** Whose words of which experiment are looked at. */
export interface From {
  readonly network: Keys
  readonly order: Hash
  readonly by: Account
}

function opened<T extends { readonly signature: Uint8Array }>(
  codec: Codec<T>,
  tag: Tag,
  { network, order, by }: From,
  bytes: Uint8Array,
  bytesMax: number,
): Result<T, Unopened> {
  // First: a signature costs a thousand times as much.
  if (bytes.length < ORDER_BYTES || hexOf(bytes, 0, ORDER_BYTES) !== order) return refuse('ignored')
  const decoded = decode(codec, bytes, bytesMax)
  if (!decoded.ok) return refuse('rejected')
  const signed = network.signatures.verify(decoded.value.signature, messageOf(network, tag, bytes), by)
  return signed ? accept(decoded.value) : refuse('rejected')
}

export const towerBytes = (network: Keys, body: Body<LabTower>, sign: Sign): Uint8Array =>
  sealed(labTower, 'tower', network, body, sign)
export const openTower = (from: From, bytes: Uint8Array): Result<LabTower, Unopened> =>
  opened(labTower, 'tower', from, bytes, LAB_TOWER_BYTES_MAX)
export const ticksBytes = (network: Keys, body: Body<LabTicks>, sign: Sign): Uint8Array =>
  sealed(labTicks, 'labTick', network, body, sign)
export const openTicks = (from: From, bytes: Uint8Array): Result<LabTicks, Unopened> =>
  opened(labTicks, 'labTick', from, bytes, LAB_TICKS_BYTES_MAX)

/** Order, count, signature. */
const FRAME_BYTES = ORDER_BYTES + 2 + SIGNATURE_BYTES

/** How many of the ticks, of so many bytes each, go into one message. */
export function fitting(sizes: readonly number[]): number {
  let count = 0
  for (let bytes = FRAME_BYTES; count < Math.min(sizes.length, LAB_TICKS_MAX); count++) {
    bytes += (sizes[count] ?? 0) + 16
    if (bytes > LAB_TICKS_BYTES_MAX) break
  }
  return count
}
export type { SaidTick }
