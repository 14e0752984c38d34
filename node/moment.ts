/**
 * Proofs of when something happened, put together from a ledger and a slow hand on disk, also while a program writes there.
 *
 * Of the blocks at and below the event's the one is taken that names the highest tick, of the ticks after that the first which names
 * a block at or above the event's: the closest pair that the two hands have.
 */
import { parseBlock } from '../ledger/block.ts'
import { anchorPath } from '../ledger/hand.ts'
import { headerHash } from '../ledger/header.ts'
import { merklePath } from '../ledger/merkle.ts'
import { encode, Reader } from '../schemas/codec.ts'
import { type Hash, hashFromBytes } from '../schemas/hex.ts'
import type { BatchedSample } from '../schemas/message.ts'
import {
  COMPACT_BYTES,
  compactTick,
  MOMENT_HEADERS_MAX,
  MOMENT_TICKS_MAX,
  type Moment,
  moment,
} from '../schemas/moment.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { tick as tickCodec } from '../schemas/tick.ts'
import type { ChainStore } from './chain-store.ts'
import type { HandStore } from './hand-store.ts'
import { readBlockHead } from './records.ts'

/** Blocks below the event's that are looked at for a higher tick: a miner may have known less, or a tick that has lost since. */
const BELOW_MAX = 256

/** What is asked for. */
export interface Asked {
  readonly height: number
  readonly transaction: Hash
  readonly sample?: BatchedSample | undefined
}

/** The proof's bytes, or in words why there is none (yet). */
export function buildMoment(store: ChainStore, hand: HandStore, asked: Asked): Result<Uint8Array, string> {
  const { chain } = store
  const { network } = chain
  const { slow } = hand
  const bytes = blockAt(store, asked.height)
  if (bytes === undefined) return refuse(`block ${asked.height} is not kept here`)
  const parsed = parseBlock(network, bytes)
  invariant(parsed.ok, 'a stored block parses')
  const { block, transactions } = parsed.value
  const index = transactions.findIndex(({ id }) => id === asked.transaction)
  const found = transactions[index]
  if (found === undefined)
    return refuse(`block ${asked.height} does not hold transaction ${asked.transaction}`)
  const from = closestBelow(store, hand, asked.height)
  if (from === undefined) return refuse(`no block at or below ${asked.height} names a tick of the slow hand`)
  const to = firstAbove(store, hand, asked.height, from.tick)
  if (to === undefined)
    return refuse(`no tick names block ${asked.height} or a later one yet: wait for the next tick`)
  if (to.block - from.height > MOMENT_HEADERS_MAX)
    return refuse(
      `block ${to.block} is the first that a tick names, more than ${MOMENT_HEADERS_MAX} blocks above`,
    )
  if (to.tick > MOMENT_TICKS_MAX)
    return refuse(`tick ${to.tick} names it, a proof has room for the first ${MOMENT_TICKS_MAX}`)
  const root = blockAt(store, from.height)
  invariant(root !== undefined, 'it was read just now')
  const { header, coinbase } = readBlockHead(root)
  const leaves = transactions.map(({ leaf }) => leaf)
  const value: Moment = {
    version: 1,
    ledger: network.genesisHash,
    after: from.tick,
    before: to.tick,
    below: chain.header(from.height - 1),
    root: header,
    rootCoinbase: coinbase,
    headers: Array.from({ length: to.block - from.height }, (_, at) => chain.header(from.height + 1 + at)),
    block: asked.height - from.height,
    coinbase: asked.height === from.height ? [] : [block.coinbase],
    transaction: found.bytes,
    index,
    count: leaves.length,
    path: merklePath(network.hashing, leaves, index).map(hashFromBytes),
    sample: asked.sample === undefined ? [] : [asked.sample],
    ...to.anchor,
    // All of them: the more work lies on top, and the likelier somebody else has kept one of them.
    ticks: compactTicks(hand, Math.min(slow.tip.height, MOMENT_TICKS_MAX)),
  }
  return accept(encode(moment, value))
}

function blockAt(store: ChainStore, height: number): Uint8Array | undefined {
  const { chain } = store
  if (height < 1 || height > chain.tip.height) return undefined
  const entry = height > chain.base.height ? chain.at(height) : undefined
  if (entry !== undefined) return store.block(entry.hash)
  return store.settled(height, hashAt(store, height))
}

const hashAt = ({ chain }: ChainStore, height: number): Hash =>
  chain.at(height)?.hash ?? headerHash(chain.network.hashing, chain.header(height))

/** The block at or a little below `height` that names the highest tick. */
function closestBelow(
  store: ChainStore,
  { slow }: HandStore,
  height: number,
): { height: number; tick: number } | undefined {
  let best: { height: number; tick: number } | undefined
  for (let at = height; at >= Math.max(1, height - BELOW_MAX); at--) {
    const bytes = blockAt(store, at)
    const tick = bytes && slow.heightOf(readBlockHead(bytes).coinbase.tick)
    if (tick !== undefined && tick > (best?.tick ?? -1)) best = { height: at, tick }
  }
  return best
}

/** The first tick above `tick` that names a block of our chain from `height` on. */
function firstAbove(store: ChainStore, hand: HandStore, height: number, tick: number) {
  const { chain } = store
  const { genesisHash, hashing } = chain.network
  for (let at = tick + 1; at <= hand.slow.tip.height; at++) {
    const { anchors } = tickCodec.read(new Reader(hand.tick(at)))
    const index = anchors.findIndex(({ ledger }) => ledger === genesisHash)
    const anchor = anchors[index]
    if (anchor === undefined || anchor.height < height || anchor.height > chain.tip.height) continue
    if (hashAt(store, anchor.height) !== anchor.block) continue
    const path = anchorPath(hashing, anchors, index)
    return {
      tick: at,
      block: anchor.height,
      anchor: { anchorIndex: index, anchorCount: anchors.length, anchorPath: path },
    }
  }
  return undefined
}

function compactTicks(hand: HandStore, count: number): Uint8Array {
  const bytes = new Uint8Array(COMPACT_BYTES * count)
  for (let height = 1; height <= count; height++) {
    const { header } = tickCodec.read(new Reader(hand.tick(height)))
    bytes.set(encode(compactTick, header), COMPACT_BYTES * (height - 1))
  }
  return bytes
}

/** Height of the block with a transaction, from the tip down; undefined when no block that is kept has it. */
export function findTransaction(
  store: ChainStore,
  id: Hash,
  onBlock: (height: number) => void,
): number | undefined {
  const { network, tip } = store.chain
  for (let height = tip.height; height > Math.max(0, store.keptFrom); height--) {
    onBlock(height)
    const bytes = blockAt(store, height)
    const parsed = bytes && parseBlock(network, bytes)
    if (parsed?.ok && parsed.value.transactions.some((each) => each.id === id)) return height
  }
  return undefined
}
