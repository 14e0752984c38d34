/**
 * A ledger and its slow hand in memory, grown side by side, and proofs of when something happened put together by hand, so that
 * a forger has every part of them to choose.
 */
import { anchorPath, type Hand } from '../../ledger/hand.ts'
import { merklePath, merkleRoot } from '../../ledger/merkle.ts'
import { type Sealed, sealTransaction } from '../../ledger/transaction.ts'
import { ChainStore, type StoreOptions } from '../../node/chain-store.ts'
import type { Disk } from '../../node/disk.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { hashing } from '../../node/signing.ts'
import { type Block, block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, hashFromBytes } from '../../schemas/hex.ts'
import type { BatchedSample } from '../../schemas/message.ts'
import { COMPACT_BYTES, compactTick, type Moment, moment } from '../../schemas/moment.ts'
import { invariant } from '../../schemas/result.ts'
import { type Anchor, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { type Sample, sample as sampleCodec } from '../../schemas/transaction.ts'
import { handedGenesis, TestHand } from './hand.ts'
import { alice, bob, START_MS, TestChain, testNetwork } from './ledger.ts'
import { MemoryDisk } from './memory-disk.ts'

export const network = testNetwork(handedGenesis())
export const hand = network.hand as Hand

/** Other ledgers' tips, so that ours is one of several anchors. */
export const OTHERS: readonly Anchor[] = [0, 255].map((byte) => ({
  ledger: byte.toString(16).padStart(2, '0').repeat(32) as Hash,
  height: 9,
  block: 'cd'.repeat(32) as Hash,
}))

export const sorted = (anchors: readonly Anchor[]): Anchor[] =>
  [...anchors].sort((a, b) => (a.ledger < b.ledger ? -1 : 1))

export class MomentLab {
  readonly chain = new TestChain(network)
  readonly hands = new TestHand(hand)
  readonly blocks: Block[] = []
  readonly ticks: Tick[] = []

  /** Mines a block that names the hand's tip, or another tick. */
  block(transactions: readonly Sealed[] = [], tick: Hash = this.hands.slow.tip.hash): Block {
    const block = this.chain.block(transactions, { coinbase: { tick } })
    const outcome = this.chain.accept(block)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    this.blocks.push(block)
    return block
  }

  anchorOf(height: number): Anchor {
    const block = this.chain.chain.at(height)?.hash
    invariant(block !== undefined, 'there is such a block')
    return { ledger: network.genesisHash, height, block }
  }

  /** Mines a tick that names the block at a height, the ledger's tip when left out, and `others`. */
  tick(height = this.chain.chain.tip.height, others: readonly Anchor[] = OTHERS): Tick {
    return this.tickOf([...others, this.anchorOf(height)])
  }

  tickOf(anchors: readonly Anchor[]): Tick {
    const tick = this.hands.tick(sorted(anchors))
    const outcome = this.hands.accept(tick)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    this.ticks.push(tick)
    return tick
  }

  /** All of a proof: event `index` of the block at `height`, from the root at `root` to the tick at `before`, with the ticks up to `last`. */
  proof({ height, index = 0, root, before, last = before, sample = [] }: Choice): Moment {
    const at = (each: number): Block => this.blocks[each - 1] as Block
    const { header, coinbase } = at(root)
    const event = at(height)
    const sealed = event.transactions.map((each) => sealTransaction(network, each))
    const leaves = sealed.map(({ leaf }) => leaf)
    const { anchors } = this.ticks[before - 1] as Tick
    const anchorIndex = anchors.findIndex(({ ledger }) => ledger === network.genesisHash)
    const top = anchors[anchorIndex]?.height ?? 0
    return {
      version: 1,
      ledger: network.genesisHash,
      after: this.hands.slow.heightOf(coinbase.tick) ?? 0,
      before,
      below: root === 1 ? network.block0 : at(root - 1).header,
      root: header,
      rootCoinbase: coinbase,
      headers: this.blocks.slice(root, top).map((each) => each.header),
      block: height - root,
      coinbase: height === root ? [] : [event.coinbase],
      transaction: sealed[index]?.bytes ?? new Uint8Array(0),
      index,
      count: leaves.length,
      path: merklePath(hashing, leaves, index).map(hashFromBytes),
      sample,
      anchorIndex,
      anchorCount: anchors.length,
      anchorPath: anchorPath(hashing, anchors, anchorIndex),
      ticks: compact(this.ticks.slice(0, last)),
    }
  }
}

interface Choice {
  readonly height: number
  readonly index?: number
  readonly root: number
  readonly before: number
  /** Where its ticks end. */
  readonly last?: number
  readonly sample?: readonly BatchedSample[]
}

export const compact = (ticks: readonly Tick[]): Uint8Array =>
  Buffer.concat(ticks.map(({ header }) => encode(compactTick, header)))

/** The first `count` of the ticks in a proof. */
export const first = ({ ticks }: Moment, count: number): Uint8Array =>
  ticks.subarray(0, COMPACT_BYTES * count)

export const bytesOf = (value: Moment): Uint8Array => Uint8Array.from(encode(moment, value))

/** Samples of a batch and what proves one of them. */
export function batchOf(chain: TestChain, count: number): { sealed: Sealed; samples: BatchedSample[] } {
  const samples = Array.from(
    { length: count },
    (_, index): Sample => ({
      ...{ sensor: 'soil', sequence: index, value: { mantissa: 200 + index, exponent: -1 } },
      ...{ unit: 'Cel', time: START_MS + index, synchronised: true },
    }),
  )
  const leaves = samples.map((each) => hashing.tagged('sample', encode(sampleCodec, each)))
  const sealed = chain.batch(bob, count, { root: hashFromBytes(merkleRoot(hashing, leaves)) })
  return {
    sealed,
    samples: samples.map((sample, index) => ({
      ...{ transaction: sealed.id, index, count, sample },
      path: merklePath(hashing, leaves, index).map(hashFromBytes),
    })),
  }
}

/** Six blocks and four ticks: each block names the tick that was newest; the ticks name the blocks 1, 3, 4 and 6. */
export function smallLab() {
  const lab = new MomentLab()
  const { chain } = lab
  const paid = chain.transfer(alice, bob.account, 5)
  lab.block([paid])
  lab.tick()
  const batch = batchOf(chain, 5)
  const read = chain.reading(alice)
  lab.block([batch.sealed, read])
  lab.block()
  lab.tick()
  lab.block([chain.transfer(alice, bob.account, 7)])
  const later = chain.transfer(alice, bob.account, 8)
  lab.block([later])
  lab.tick(4)
  lab.block()
  lab.tick()
  return { lab, paid, batch, read, later }
}

/** The lab's blocks and ticks on a disk, in the order in which they were made. */
export function storeLab(
  lab: MomentLab,
  disk: Disk = new MemoryDisk(),
  options: Partial<StoreOptions> = {},
): { store: ChainStore; hands: HandStore } {
  const store = new ChainStore(disk, network.genesis, options)
  for (const block of lab.blocks) {
    const outcome = store.chain.accept(encode(blockCodec, block), Number.MAX_SAFE_INTEGER)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    store.save(outcome.value)
  }
  const hands = new HandStore(disk.open(HAND_FILE), hand)
  for (const tick of lab.ticks) {
    const outcome = hands.slow.accept(encode(tickCodec, tick), Number.MAX_SAFE_INTEGER)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    hands.save([outcome.value])
  }
  return { store, hands }
}
