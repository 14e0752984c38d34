/**
 * Header rules: proof of work, the target that the parent demands, height and time.
 *
 * Cheap checks come first; a header is checked before its body is looked at. Source: docs/PROTOCOL.md section 4.
 */

import { type Header, header } from '../schemas/block.ts'
import { encode } from '../schemas/codec.ts'
import { type Hash, hashFromBytes, toHex } from '../schemas/hex.ts'
import { accept, type Result } from '../schemas/result.ts'
import { nextTarget, type Pace, workOf } from './difficulty.ts'
import { type Fault, faulty } from './fault.ts'
import type { Hashing } from './hashing.ts'

/** How far a block's time may be ahead of the local clock, in intervals. */
export const FUTURE_INTERVALS_MAX = 9
/** Headers below a chain's window are kept, and found by hash, in groups of so many: 1 to 256, 257 to 512, ... */
export const HEADER_GROUP = 256

export const headerHash = (hashing: Hashing, value: Header): Hash =>
  hashFromBytes(hashing.double(encode(header, value)))

/** What headers are checked by: a network's, or those of a slow hand. */
export interface HeaderRules {
  readonly hashing: Hashing
  readonly genesis: Pace & { readonly target: bigint }
  readonly block0: Header
  readonly block0Hash: Hash
}

/** A header in its place: what its children need to know of it. */
export interface Position {
  readonly hash: Hash
  readonly height: number
  readonly time: number
  readonly target: bigint
  /** Target that the child must have. */
  readonly childTarget: bigint
  /** Work of the chain up to here, this block included. */
  readonly work: bigint
}

/** Block 0's place: its child has the same target. */
export const position0 = ({ block0, block0Hash, genesis }: HeaderRules): Position => ({
  hash: block0Hash,
  height: 0,
  time: block0.time,
  target: genesis.target,
  childTarget: genesis.target,
  work: 0n,
})

/** Checks a header as child of `parent`; `nowMs` is the local clock. */
export function checkHeader(
  network: HeaderRules,
  value: Header,
  parent: Position,
  nowMs: number,
  futureIntervals = FUTURE_INTERVALS_MAX,
): Result<Position, Fault> {
  const hash = network.hashing.double(encode(header, value))
  if (value.parent !== parent.hash)
    return faulty('unknown-parent', `parent: ${value.parent} is not ${parent.hash}`)
  if (value.height !== parent.height + 1)
    return faulty('bad-height', `height: expected ${parent.height + 1}, got ${value.height}`)
  if (value.target !== parent.childTarget) {
    return faulty('bad-target', `target: expected ${hex(parent.childTarget)}, got ${hex(value.target)}`)
  }
  const proof = BigInt(`0x${toHex(hash)}`)
  if (proof > value.target)
    return faulty('high-hash', `nonce: hash ${toHex(hash)} is above the target ${hex(value.target)}`)
  if (value.time <= parent.time)
    return faulty('time-too-old', `time: must be after the parent's ${parent.time}, got ${value.time}`)
  const latest = nowMs + futureIntervals * network.genesis.interval
  if (value.time > latest) {
    return faulty(
      'time-too-new',
      `time: ${value.time - nowMs} ms ahead of this clock, limit ${latest - nowMs}`,
    )
  }
  return accept(place(network, hashFromBytes(hash), value, parent))
}

/** The place of a header that is known to be valid. */
export function place(
  network: HeaderRules,
  hash: Hash,
  { height, time }: Pick<Header, 'height' | 'time'>,
  parent: Position,
): Position {
  // The header's own is the same number: one BigInt instead of two for each of millions of blocks.
  const target = parent.childTarget
  const childTarget = nextTarget(network.genesis, target, time - parent.time)
  return { hash, height, time, target, childTarget, work: parent.work + workOf(target) }
}

const hex = (target: bigint): string => target.toString(16).padStart(64, '0')
