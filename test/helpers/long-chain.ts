/**
 * A chain of some hundred blocks, made once for a test file, that stores are told of.
 *
 * Right above each height where a segment or a snapshot may begin stand claims and refunds of hashlocks that are valid with
 * exactly one median time: who takes the times below a base for others than they are refuses these blocks.
 */
import type { Update } from '../../ledger/chain.ts'
import { medianHeight } from '../../ledger/hashlock.ts'
import { HEADER_GROUP } from '../../ledger/header.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { ChainStore, type StoreOptions } from '../../node/chain-store.ts'
import type { Disk } from '../../node/disk.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, START_MS, TestChain, testGenesis, testNetwork } from './ledger.ts'
import { bytes32, lock, refund, tell as tellSecret } from './trade.ts'

/** Small segments and a small window, so that few blocks make several. */
export const SMALL: Partial<StoreOptions> = {
  segmentBlocks: 256,
  windowBlocks: 256,
  windowBlocksMin: 256,
}

export interface LongChain {
  readonly test: TestChain
  readonly genesis: Genesis
  /** In the order in which they came, with two reorganisations. */
  readonly blocks: readonly Uint8Array[]
}

/** Blocks above a base whose median time lies below it. */
const NEAR = 6
/** Blocks below a base where the locks are made, on no branch of their own. */
const BEFORE = 20

/** The transactions of Alice's for a height; `made` are the locks for heights to come. */
function trades(chain: TestChain, height: number, made: Map<number, { back: Hash; told: Hash }>): Sealed[] {
  const nonce = chain.nonceOf(alice.account)
  const base = Math.round(height / HEADER_GROUP) * HEADER_GROUP
  const due = base > 0 && height <= base + NEAR ? made.get(height) : undefined
  if (due !== undefined)
    return [
      refund(chain, alice, due.back, { nonce }),
      tellSecret(chain, alice, due.told, bytes32(height % 100), { nonce: nonce + 1 }),
    ]
  if (base === 0 || height !== base - BEFORE) return []
  return Array.from({ length: NEAR }, (_, index) => {
    const at = base + index + 1
    const time = START_MS + chain.network.genesis.interval * medianHeight(at)
    const secret = bytes32(at % 100)
    const [back, told] = [0, 1].map((later) =>
      lock(
        chain,
        alice,
        bob,
        3,
        secret,
        { height: 0, time: time + later },
        { nonce: nonce + 2 * index + later },
      ),
    ) as [Sealed, Sealed]
    made.set(at, { back: back.id, told: told.id })
    return [back, told]
  }).flat()
}

/** A branch is taken back at height 200 and, over the first place where a segment begins, at 257. */
export function longChain(count: number, overrides: Partial<Genesis> = {}): LongChain {
  const genesis = testGenesis(overrides)
  const network = testNetwork(overrides)
  const test = new TestChain(network)
  const blocks: Uint8Array[] = []
  const made = new Map<number, { back: Hash; told: Hash }>()
  const grow = (chain: TestChain, until: number, miner = bob): void => {
    while (chain.chain.tip.height < until) {
      const { height } = chain.chain.tip
      const list = trades(chain, height + 1, made)
      const nonce = chain.nonceOf(alice.account) + list.length
      if (height % 5 === 0) list.push(chain.transfer(alice, carol.account, height + 1, { nonce }))
      const block = chain.block(list, { miner })
      invariant(block.transactions.length === list.length, 'every transaction is in the block')
      const outcome = chain.accept(block)
      invariant(outcome.ok, 'the block is valid')
      blocks.push(outcome.value.added.bytes)
    }
  }
  const rival = (from: number, until: number): TestChain => {
    const other = new TestChain(network)
    for (let height = 1; height <= from; height++)
      other.acceptBytes(test.archive.block(test.chain.at(height)?.hash as Hash))
    grow(other, until, carol)
    return other
  }
  grow(test, 200)
  test.follow(rival(190, 203))
  grow(test, 258)
  test.follow(rival(250, 260))
  grow(test, count)
  return { test, genesis, blocks }
}

/** Tells a store of blocks; the first update that fails throws. */
export function tell(
  store: ChainStore,
  blocks: readonly Uint8Array[],
  nowMs = Number.MAX_SAFE_INTEGER,
): Update[] {
  return blocks.map((bytes) => {
    const outcome = store.chain.accept(bytes, nowMs)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    store.save(outcome.value)
    return outcome.value
  })
}

export function storeOf(
  disk: Disk,
  { genesis, blocks }: Pick<LongChain, 'genesis' | 'blocks'>,
  options: Partial<StoreOptions> = SMALL,
): ChainStore {
  const store = new ChainStore(disk, genesis, options)
  tell(store, blocks)
  return store
}
