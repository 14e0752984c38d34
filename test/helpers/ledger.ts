/** A network whose blocks take some 16 hashes, keys that anybody may know, and a chain kept in memory. */

import { COIN } from '../../ledger/amount.ts'
import { type Archive, Chain, type Update } from '../../ledger/chain.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { createNetwork, type Network } from '../../ledger/network.ts'
import { genesisFrom } from '../../ledger/preset.ts'
import { buildTemplate } from '../../ledger/template.ts'
import { type Sealed, sealCoinbase, signTransaction } from '../../ledger/transaction.ts'
import { createSigner, hashing, type Signer, signatures } from '../../node/signing.ts'
import { type Block, block as blockCodec, type Header, header as headerCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import { type Account, type Hash, toHex } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import type { Transaction, Unsigned } from '../../schemas/transaction.ts'

/** Genesis time of every test network: 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000

/** Signer number `index`; its secret is 32 bytes of that number. */
export const signer = (index: number): Signer => createSigner(new Uint8Array(32).fill(index))
export const [alice, bob, carol] = [signer(1), signer(2), signer(3)] as const

export function testGenesis(overrides: Partial<Genesis> = {}): Genesis {
  const genesis = genesisFrom('bench', {
    name: 'test',
    time: START_MS,
    firstWork: 256,
    allocations: [{ account: alice.account, amount: 1000 * COIN }],
  })
  return { ...genesis, target: targetFor(16), targetMax: targetFor(4), ...overrides }
}

export function testNetwork(overrides: Partial<Genesis> = {}): Network {
  const network = createNetwork(testGenesis(overrides), { hashing, signatures })
  invariant(network.ok, 'the test genesis is valid')
  return network.value
}

/** Finds a nonce (unless the block already has a good one) by trying. */
export function mine(network: Network, block: Block): Block {
  const bytes = encode(headerCodec, block.header)
  const view = new DataView(bytes.buffer)
  for (let nonce = 0; ; nonce++) {
    view.setUint32(111, nonce)
    if (BigInt(`0x${toHex(network.hashing.double(bytes))}`) <= block.header.target) {
      return { ...block, header: { ...block.header, nonce: bytes.slice(107) } }
    }
  }
}

export class MemoryArchive implements Archive {
  readonly blocks = new Map<Hash, Uint8Array>()
  readonly undo = new Map<Hash, Update['connected'][number]['changes']>()
  block(hash: Hash) {
    return this.blocks.get(hash) as Uint8Array
  }
  changes(hash: Hash) {
    return this.undo.get(hash) as Update['connected'][number]['changes']
  }
  store(update: Update): void {
    this.blocks.set(update.added.entry.hash, update.added.bytes)
    for (const { entry, changes } of update.connected) this.undo.set(entry.hash, changes)
  }
}

/** A chain with a clock of its own that ticks one interval a block. */
export class TestChain {
  readonly network: Network
  readonly archive = new MemoryArchive()
  readonly chain: Chain
  constructor(network = testNetwork()) {
    this.network = network
    this.chain = new Chain(network, this.archive)
  }

  get nowMs(): number {
    return this.chain.tip.time + this.network.genesis.interval
  }

  accept(block: Block) {
    const outcome = this.chain.accept(encode(blockCodec, block), this.nowMs)
    if (outcome.ok) this.archive.store(outcome.value)
    return outcome
  }

  /** A valid block on the tip, mined; `change` may spoil it before the nonce is found. */
  block(
    transactions: readonly Sealed[] = [],
    {
      miner = bob,
      header = {},
      coinbase = {},
    }: { miner?: Signer; header?: Partial<Header>; coinbase?: Partial<Block['coinbase']> } = {},
  ): Block {
    const { tip, state } = this.chain
    const template = buildTemplate(this.network, tip, state, transactions, miner, this.nowMs)
    return mine(this.network, remake(this.network, template, { header, coinbase }, miner))
  }

  /** Mines and accepts `count` blocks. */
  grow(count: number, transactions: readonly Sealed[] = [], miner = bob): void {
    for (let done = 0; done < count; done++) {
      const outcome = this.accept(this.block(done === 0 ? transactions : [], { miner }))
      invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    }
  }

  nonceOf(account: Account): number {
    return this.chain.state.account(account).nonce
  }

  transfer(
    from: Signer,
    to: Account,
    amount: number,
    overrides: Partial<Unsigned<Transaction>> = {},
  ): Sealed {
    const unsigned = {
      type: 'transfer',
      network: this.network.id,
      from: from.account,
      nonce: this.nonceOf(from.account),
      fee: 0,
      expiry: 1_000_000,
      to,
      amount,
      memo: '',
      ...overrides,
    } as Unsigned<Transaction>
    return signTransaction(this.network, unsigned, from.sign)
  }
}

/** Changes a block's coinbase and header and signs again, so that only the intended rule is broken. */
export function remake(
  network: Network,
  block: Block,
  { header = {}, coinbase = {} }: { header?: Partial<Header>; coinbase?: Partial<Block['coinbase']> },
  miner: Signer,
): Block {
  const draft = { ...block.coinbase, ...coinbase }
  const signature = coinbase.signature ?? miner.sign(sealCoinbase(network, draft).message)
  const signed = { ...draft, signature }
  return {
    ...block,
    coinbase: signed,
    header: { ...block.header, content: sealCoinbase(network, signed).content, ...header },
  }
}
