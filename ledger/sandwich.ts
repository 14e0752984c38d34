/**
 * When something happened, checked with nothing but the genesis: between which two ticks of the slow hand.
 *
 * The ticks are followed from the hand's beginning, so that they have their full work, and the way from one tick through the
 * ledger to the other is followed hash by hash. What it shows: the event's bytes were there before the later tick, in a block that was
 * made after the earlier one; they may be older than their block. What it does not show: that the block is on the ledger's
 * best chain, for which that chain is needed, and the ticks on the best hand, for which a tick is needed that the checker knows
 * and that is not below the later one. Source: docs/PROTOCOL.md section 14.
 */
import type { Header } from '../schemas/block.ts'
import { decode, encode, Reader } from '../schemas/codec.ts'
import { fromHex, type Hash, ZERO_HASH } from '../schemas/hex.ts'
import { COMPACT_BYTES, compactTick, MOMENT_BYTES_MAX, type Moment, moment } from '../schemas/moment.ts'
import type { CompactHeader } from '../schemas/proof.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { type Coinbase, sample as sampleCodec, type Transaction } from '../schemas/transaction.ts'
import { type Fault, type FaultCode, fromDecode } from './fault.ts'
import { anchorLeaf, checkTick } from './hand.ts'
import { checkHeader, headerHash, type Position, position0 } from './header.ts'
import { checkMerklePath } from './merkle.ts'
import type { Network } from './network.ts'
import { parseTransaction, SignatureCache, sealCoinbase } from './transaction.ts'

/** `bad-proof`: the parts do not belong together. */
export interface MomentFault {
  readonly code: FaultCode | 'bad-proof'
  readonly message: string
}

/** One side of a sandwich. */
export interface TickFact {
  readonly height: number
  readonly hash: Hash
  /** What its miner said, Unix milliseconds. */
  readonly time: number
}

export interface Sandwich {
  readonly id: Hash
  readonly transaction: Transaction
  readonly sample: Moment['sample'][number] | undefined
  /** Height, hash and time of its block. */
  readonly block: number
  readonly blockHash: Hash
  readonly blockTime: number
  readonly after: TickFact
  readonly before: TickFact
  /** Expected hashes from the earlier tick to the later, of the slow hand alone. */
  readonly work: bigint
  /** The same above the later tick, up to `last`: what it takes to put other ticks in its place. */
  readonly workAbove: bigint
  /** The same from the hand's beginning to `last`: what it takes to make another such hand in private. */
  readonly handWork: bigint
  /** The last tick of the proof. */
  readonly last: TickFact
  /** Hash of the slow hand's genesis. */
  readonly hand: Hash
  /** All its ticks from height 1 to `last`, as in the proof. */
  readonly ticks: Uint8Array
}

const bad = (message: string) => refuse<MomentFault>({ code: 'bad-proof', message })
const at = (where: string, { code, message }: Fault) =>
  refuse<MomentFault>({ code, message: `${where}: ${message}` })

/**
 * Checks a proof's bytes. Whoever has time and hashes can make a slow hand that nobody else has, or go on alone from any tick of the one that
 * all have; `known` is a tick of the hand that is meant, and has to be the later one of the two or above it.
 */
export function checkMoment(
  network: Network,
  bytes: Uint8Array,
  known?: Hash,
): Result<Sandwich, MomentFault> {
  const { hand } = network
  if (hand === undefined) return bad('this network has no slow hand')
  const decoded = decode(moment, bytes, MOMENT_BYTES_MAX)
  if (!decoded.ok) return refuse(fromDecode(decoded.fault))
  const proof = decoded.value
  if (proof.ledger !== network.genesisHash)
    return bad(`ledger: the proof is of network ${proof.ledger}, this genesis is ${network.genesisHash}`)
  const event = checkEvent(network, proof)
  if (!event.ok) return event
  const ticks = followTicks(network, proof, known)
  if (!ticks.ok) return ticks
  const { after, before, content, ...work } = ticks.value
  const { rootCoinbase, anchorIndex, anchorCount, anchorPath } = proof
  if (rootCoinbase.tick !== after.hash)
    return bad(
      `after: block ${rootCoinbase.height} names tick ${rootCoinbase.tick}, tick ${after.height} is ${after.hash}`,
    )
  const { id, transaction, last, place } = event.value
  const leaf = anchorLeaf(network.hashing, {
    ledger: network.genesisHash,
    height: last.height,
    block: last.hash,
  })
  const path = anchorPath.map(fromHex)
  if (!checkMerklePath(network.hashing, fromHex(content), leaf, anchorIndex, anchorCount, path))
    return bad(`anchor: tick ${before.height} does not name block ${last.height} ${last.hash}`)
  const [sample] = proof.sample
  const block = { block: place.height, blockHash: place.hash, blockTime: place.time }
  const facts = { id, transaction, sample, ...block }
  return accept({ ...facts, after, before, ...work, hand: hand.genesisHash, ticks: proof.ticks })
}

interface Event {
  readonly id: Hash
  readonly transaction: Transaction
  /** The event's block, and the one that is anchored. */
  readonly place: Position
  readonly last: Position
}

/** The way through the ledger: the transaction in its block, and the blocks from the root to the one that is anchored. */
function checkEvent(network: Network, proof: Moment): Result<Event, MomentFault> {
  const way = followBlocks(network, proof)
  if (!way.ok) return way
  const { root, rootCoinbase, headers, block } = proof
  const place = way.value[block]
  const last = way.value.at(-1)
  if (place === undefined || last === undefined)
    return bad(`block: number ${block} of ${headers.length} above the root`)
  if (proof.coinbase.length !== (block === 0 ? 0 : 1))
    return bad('coinbase: that of the block, none if it is the root')
  const coinbase = proof.coinbase[0] ?? rootCoinbase
  if (!isCoinbaseOf(network, rootCoinbase, root)) return bad("rootCoinbase: not the root's")
  const above = headers[block - 1]
  if (above !== undefined) {
    const parent = way.value[block - 1]?.hash ?? root.parent
    if (!isCoinbaseOf(network, coinbase, { content: above.content, height: place.height, parent }))
      return bad(`coinbase: not that of block ${place.height}`)
  }
  const sealed = parseTransaction(network, proof.transaction, new SignatureCache(1))
  if (!sealed.ok) return at('transaction', sealed.fault)
  const { id, leaf, transaction } = sealed.value
  const { index, count, path } = proof
  if (
    !checkMerklePath(
      network.hashing,
      fromHex(coinbase.transactionsRoot),
      leaf,
      index,
      count,
      path.map(fromHex),
    )
  )
    return bad(`path: does not lead from the transaction to block ${place.height}`)
  const [sample] = proof.sample
  const fault = sample && checkSample(network, transaction, id, sample)
  return fault === undefined ? accept({ id, transaction, place, last }) : bad(fault)
}

/** A coinbase that does not name its block's place could stand in two blocks, and makes none of them valid. */
const isCoinbaseOf = (
  network: Network,
  value: Coinbase,
  { content, height, parent }: Pick<Header, 'content' | 'height' | 'parent'>,
): boolean =>
  content === sealCoinbase(network, value).content &&
  value.network === network.id &&
  value.height === height &&
  value.parent === parent

/**
 * The root and the blocks above it. Its own target is all that a block without its whole past can be held to; the easiest of the
 * network keeps it from being free.
 */
function followBlocks(network: Network, { below, root, headers }: Moment): Result<Position[], MomentFault> {
  const { hashing, genesis } = network
  if (root.target > genesis.targetMax) return bad('root: its target is easier than the network allows')
  const { height, time, target } = below
  const parent = {
    hash: headerHash(hashing, below),
    height,
    time,
    target,
    childTarget: root.target,
    work: 0n,
  }
  let last = checkHeader(network, root, parent, Number.POSITIVE_INFINITY)
  if (!last.ok) return at('root', last.fault)
  const places = [last.value]
  for (const [index, compact] of headers.entries()) {
    last = checkHeader(network, expand(compact, last.value), last.value, Number.POSITIVE_INFINITY)
    if (!last.ok) return at(`headers.${index}`, last.fault)
    places.push(last.value)
  }
  return accept(places)
}

function checkSample(
  { hashing }: Network,
  tx: Transaction,
  id: Hash,
  { transaction, index, count, sample, path }: Moment['sample'][number],
): string | undefined {
  if (tx.type !== 'batch' || transaction !== id || count !== tx.count)
    return 'sample: not one of this transaction'
  const leaf = hashing.tagged('sample', encode(sampleCodec, sample))
  return checkMerklePath(hashing, fromHex(tx.root), leaf, index, count, path.map(fromHex))
    ? undefined
    : 'sample: its path does not lead to the batch'
}

const expand = ({ content, time, nonce }: CompactHeader, { hash, height, childTarget }: Position) =>
  ({ version: 1, height: height + 1, parent: hash, content, target: childTarget, time, nonce }) as const

interface Ticks {
  readonly after: TickFact
  readonly before: TickFact
  /** Merkle root of the anchors of tick `before`. */
  readonly content: Hash
  readonly work: bigint
  readonly workAbove: bigint
  readonly handWork: bigint
  readonly last: TickFact
}

/** All ticks from the beginning of the hand, also those above the one with the anchor. */
function followTicks(
  { hand }: Network,
  { ticks, after, before }: Moment,
  known: Hash | undefined,
): Result<Ticks, MomentFault> {
  const count = ticks.length / COMPACT_BYTES
  if (hand === undefined || !Number.isInteger(count) || count < 1) return bad(`ticks: ${ticks.length} bytes`)
  if (before > count) return bad(`before: tick ${before} of ${count}`)
  if (after >= before) return bad(`after: tick ${after} is not before tick ${before}`)
  const reader = new Reader(ticks)
  let place = position0(hand)
  let [from, to, content, knownHeight] = [place, place, ZERO_HASH, -1]
  for (let height = 1; height <= count; height++) {
    const compact = compactTick.read(reader)
    const checked = checkTick(hand, expand(compact, place), place, Number.POSITIVE_INFINITY)
    if (!checked.ok) return at(`ticks.${height}`, checked.fault)
    place = checked.value
    if (height === after) from = place
    if (height === before) [to, content] = [place, compact.content]
    if (place.hash === known) knownHeight = height
  }
  if (known !== undefined && knownHeight < before)
    return bad(
      knownHeight < 0
        ? `ticks: tick ${known} is not among the ${count}: this is another hand, or ends below it`
        : `ticks: tick ${known} is tick ${knownHeight}, and anybody may go on from there: tick ${before} or a later one has to be known`,
    )
  const fact = ({ height, hash, time }: Position): TickFact => ({ height, hash, time })
  return accept({
    after: fact(from),
    before: fact(to),
    content,
    work: to.work - from.work,
    workAbove: place.work - to.work,
    handWork: place.work,
    last: fact(place),
  })
}
