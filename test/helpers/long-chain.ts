/** A chain of some hundred blocks, made once for a test file, that stores are told of. */
import type { Update } from '../../ledger/chain.ts'
import { ChainStore, type StoreOptions } from '../../node/chain-store.ts'
import type { Disk } from '../../node/disk.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import type { Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, TestChain, testGenesis, testNetwork } from './ledger.ts'

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

/** A branch is taken back at height 200 and, over the first place where a segment begins, at 257. */
export function longChain(count: number, overrides: Partial<Genesis> = {}): LongChain {
  const genesis = testGenesis(overrides)
  const network = testNetwork(overrides)
  const test = new TestChain(network)
  const blocks: Uint8Array[] = []
  const grow = (chain: TestChain, until: number, miner = bob): void => {
    while (chain.chain.tip.height < until) {
      const { height } = chain.chain.tip
      const pays = height % 5 === 0 ? [chain.transfer(alice, carol.account, height + 1)] : []
      const outcome = chain.accept(chain.block(pays, { miner }))
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
export function tell(store: ChainStore, blocks: readonly Uint8Array[]): Update[] {
  return blocks.map((bytes) => {
    const outcome = store.chain.accept(bytes, Number.MAX_SAFE_INTEGER)
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
