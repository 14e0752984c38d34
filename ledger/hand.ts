/**
 * A slow hand: what its genesis makes of it, and the rules of a tick.
 *
 * A tick is judged by its own bytes and its parent's place alone. Whether its anchors are blocks of their ledgers is not
 * judged: no site knows the blocks of all others, and a wrong anchor proves nothing and spoils nothing.
 * Source: docs/PROTOCOL.md section 14.
 */
import type { Header } from '../schemas/block.ts'
import { decode, encode } from '../schemas/codec.ts'
import { type Genesis, type HandGenesis, handGenesis } from '../schemas/genesis.ts'
import { type Hash, hashFromBytes, type Network as Id, ZERO_HASH } from '../schemas/hex.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { type Anchor, anchor, TICK_BYTES_MAX, type Tick, tick } from '../schemas/tick.ts'
import { type Fault, faulty, fromDecode } from './fault.ts'
import type { Hashing } from './hashing.ts'
import { checkHeader, type HeaderRules, headerHash, type Position } from './header.ts'
import { merklePath, merkleRoot } from './merkle.ts'

/** How far a tick's time may be ahead of the local clock, in intervals of the hand. */
export const TICK_FUTURE_INTERVALS_MAX = 1

/** What its genesis can say: some 49 days. */
const INTERVAL_MS_MAX = 0xffffffff

/** A hand's block 0 is its tick 0. */
export interface Hand extends HeaderRules {
  readonly genesis: HandGenesis
  readonly genesisHash: Hash
  /** Its network in topics: the first 4 bytes of the genesis hash. */
  readonly id: Id
}

export function createHand(genesis: HandGenesis, hashing: Hashing): Hand {
  const genesisHash = hashFromBytes(hashing.tagged('hand', encode(handGenesis, genesis)))
  const block0: Header = {
    version: 1,
    height: 0,
    parent: genesisHash,
    content: ZERO_HASH,
    target: genesis.target,
    time: genesis.time,
    nonce: new Uint8Array(8),
  }
  const id = genesisHash.slice(0, 8) as Id
  return { hashing, genesis, genesisHash, id, block0, block0Hash: headerHash(hashing, block0) }
}

/** What is wrong with a genesis' slow hand. */
export function checkHand({
  version,
  slowRatio,
  interval,
  hand,
}: Genesis): { field: string; message: string } | undefined {
  if ((hand !== undefined) !== (version === 2))
    return { field: 'hand', message: `in version 2 and only there, this is version ${version}` }
  if (hand === undefined)
    return slowRatio === 0
      ? undefined
      : { field: 'slowRatio', message: `0 in version 1, which has no slow hand, got ${slowRatio}` }
  if (slowRatio < 2) return { field: 'slowRatio', message: `at least 2 blocks per tick, got ${slowRatio}` }
  if (slowRatio * interval > INTERVAL_MS_MAX)
    return {
      field: 'slowRatio',
      message: `a tick at least every ${INTERVAL_MS_MAX} ms, got ${slowRatio * interval}`,
    }
  if (hand.interval !== slowRatio * interval)
    return {
      field: 'hand.interval',
      message: `slowRatio times interval is ${slowRatio * interval} ms, got ${hand.interval}`,
    }
  if (hand.halfLife < 1) return { field: 'hand.halfLife', message: 'at least 1 tick' }
  if (hand.target < 1n || hand.target > hand.targetMax)
    return { field: 'hand.target', message: 'from 1 to targetMax' }
  return undefined
}

export const anchorLeaf = (hashing: Hashing, value: Anchor): Uint8Array =>
  hashing.tagged('anchor', encode(anchor, value))

const leavesOf = (hashing: Hashing, anchors: readonly Anchor[]) =>
  anchors.map((each) => anchorLeaf(hashing, each))

/** What a tick's header has as its content. */
export const anchorsRoot = (hashing: Hashing, anchors: readonly Anchor[]): Hash =>
  hashFromBytes(merkleRoot(hashing, leavesOf(hashing, anchors)))

/** Sibling hashes from an anchor's leaf up. */
export const anchorPath = (hashing: Hashing, anchors: readonly Anchor[], index: number): Hash[] =>
  merklePath(hashing, leavesOf(hashing, anchors), index).map(hashFromBytes)

/** A tick that is not checked yet. */
export function decodeTick(bytes: Uint8Array): Result<Tick, Fault> {
  const decoded = decode(tick, bytes, TICK_BYTES_MAX)
  return decoded.ok ? decoded : refuse(fromDecode(decoded.fault))
}

/** Checks the anchors' order, and that the header commits to them: after `checkTick`, so that they cost work only behind a proof of work. */
export function checkAnchors({ hashing }: Hand, { header, anchors }: Tick): Result<void, Fault> {
  for (const [index, { ledger }] of anchors.entries()) {
    const before = anchors[index - 1]
    if (before !== undefined && before.ledger >= ledger)
      return faulty('bad-anchors', `anchors.${index}: ascending by ledger and each once, got ${ledger}`)
  }
  const root = anchorsRoot(hashing, anchors)
  if (header.content !== root)
    return faulty('bad-content', `content: the anchors' root is ${root}, the header says ${header.content}`)
  return accept(undefined)
}

/** Checks a tick's header as child of `parent`; `nowMs` is the local clock. */
export const checkTick = (
  hand: Hand,
  header: Header,
  parent: Position,
  nowMs: number,
): Result<Position, Fault> => checkHeader(hand, header, parent, nowMs, TICK_FUTURE_INTERVALS_MAX)

/** The next tick on `tip`, but for its nonce. Anchors: each ledger once, in any order. */
export function tickTemplate(
  { hashing }: Hand,
  tip: Position,
  anchors: readonly Anchor[],
  nowMs: number,
): Tick {
  const sorted = [...anchors].sort((a, b) => (a.ledger < b.ledger ? -1 : 1))
  return {
    header: {
      version: 1,
      height: tip.height + 1,
      parent: tip.hash,
      content: anchorsRoot(hashing, sorted),
      target: tip.childTarget,
      time: Math.max(nowMs, tip.time + 1),
      nonce: new Uint8Array(8),
    },
    anchors: sorted,
  }
}
