/** A network whose blocks take some 16 hashes, keys that anybody may know, and a chain kept in memory. */

import { COIN } from '../../ledger/amount.ts'
import { transactionsRoot } from '../../ledger/block.ts'
import { type Archive, Chain, NOTHING_SETTLED, type Update } from '../../ledger/chain.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { createNetwork, type Network } from '../../ledger/network.ts'
import { genesisFrom } from '../../ledger/preset.ts'
import type { State } from '../../ledger/state.ts'
import { buildTemplate } from '../../ledger/template.ts'
import { type Sealed, sealCoinbase, signTransaction } from '../../ledger/transaction.ts'
import { createSigner, hashing, type Signer, signatures } from '../../node/signing.ts'
import { type Block, block as blockCodec, type Header, header as headerCodec } from '../../schemas/block.ts'
import { encode, Reader } from '../../schemas/codec.ts'
import { u64 } from '../../schemas/field.ts'
import type { Genesis } from '../../schemas/genesis.ts'
import { type Account, type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { invariant, type Result } from '../../schemas/result.ts'
import type { Batch, Transaction, Unsigned } from '../../schemas/transaction.ts'

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

/** Numbers from 0 to below 1 that a seed decides (mulberry32), so that a failure can be replayed. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The fault code of an outcome, 'ok' when it has none. */
export const codeOf = <F extends { code: string }>(outcome: Result<unknown, F>): F['code'] | 'ok' =>
  outcome.ok ? 'ok' : outcome.fault.code

/**
 * All balances, maturing rewards, and what is in channels and hashlocks, read from the entries' bytes: 16 are an account's, 40 a
 * reward's, 132 a channel's, 114 a hashlock's.
 */
export function coinsIn(state: State): number {
  let sum = 0
  for (const bytes of state.values()) {
    const at = (offset: number): number => u64.read(new Reader(bytes.subarray(offset)))
    if (bytes.length === 16 || bytes.length === 40) sum += at(bytes.length - 8)
    else if (bytes.length === 132) sum += at(64) - at(72)
    else if (bytes.length === 114) sum += at(64)
  }
  return sum
}

/** Finds a nonce by trying; with `meets` false one whose hash is above the target. */
export function mine(network: Network, block: Block, meets = true): Block {
  const bytes = encode(headerCodec, block.header)
  const view = new DataView(bytes.buffer)
  for (let nonce = 0; ; nonce++) {
    view.setUint32(111, nonce)
    if (BigInt(`0x${toHex(network.hashing.double(bytes))}`) <= block.header.target === meets) {
      return { ...block, header: { ...block.header, nonce: bytes.slice(107) } }
    }
  }
}

export class MemoryArchive implements Archive {
  readonly blocks = new Map<Hash, Uint8Array>()
  readonly undo = new Map<Hash, Update['connected'][number]['changes']>()
  readonly header = NOTHING_SETTLED.header
  readonly settled = NOTHING_SETTLED.settled
  readonly waypoint = NOTHING_SETTLED.waypoint
  readonly waypointHeight = NOTHING_SETTLED.waypointHeight
  block(hash: Hash) {
    return this.blocks.get(hash) as Uint8Array
  }
  changes(hash: Hash) {
    return this.undo.get(hash) as Update['connected'][number]['changes']
  }
  store(update: Update): void {
    if (update.added !== undefined) this.blocks.set(update.added.entry.hash, update.added.bytes)
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

  accept(block: Block, nowMs = this.nowMs) {
    return this.acceptBytes(encode(blockCodec, block), nowMs)
  }

  acceptBytes(bytes: Uint8Array, nowMs = this.nowMs) {
    const outcome = this.chain.accept(bytes, nowMs)
    if (outcome.ok) this.archive.store(outcome.value)
    return outcome
  }

  /** Accepts another chain's best blocks in order; the outcome of the last. */
  follow(other: TestChain) {
    let last: ReturnType<TestChain['accept']> | undefined
    for (let height = 1; height <= other.chain.tip.height; height++) {
      const hash = other.chain.at(height)?.hash as Hash
      if (this.chain.entry(hash) === undefined) last = this.acceptBytes(other.archive.block(hash))
    }
    return last
  }

  /**
   * A valid block on the tip, mined; `header` and `coinbase` may spoil it before the nonce is found, and `forced`
   * are transactions that are put in whatever the rules say.
   */
  block(
    transactions: readonly Sealed[] = [],
    {
      miner = bob,
      header = {},
      coinbase = {},
      forced,
    }: {
      miner?: Signer
      header?: Partial<Header>
      coinbase?: Partial<Block['coinbase']>
      forced?: readonly Sealed[]
    } = {},
  ): Block {
    const template = buildTemplate(this.network, this.chain, transactions, miner, this.nowMs)
    if (forced === undefined)
      return mine(this.network, remake(this.network, template, { header, coinbase }, miner))
    const filled = { ...template, transactions: forced.map(({ transaction }) => transaction) }
    const root = { transactionsRoot: transactionsRoot(this.network, forced), ...coinbase }
    return mine(this.network, remake(this.network, filled, { header, coinbase: root }, miner))
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
    return this.sign(from, { type: 'transfer', to, amount, memo: '', ...overrides })
  }

  reading(from: Signer, overrides: Partial<Unsigned<Transaction>> = {}): Sealed {
    const value = { mantissa: 215, exponent: -1 }
    const sample = { sensor: 'soil', sequence: 0, value, unit: 'Cel', time: START_MS, synchronised: true }
    return this.sign(from, { type: 'reading', sample, ...overrides })
  }

  batch(from: Signer, count: number, overrides: Partial<Unsigned<Batch>> = {}): Sealed {
    return this.sign(from, {
      type: 'batch',
      sensor: 'soil',
      sequence: 0,
      count,
      unit: 'Cel',
      firstTime: START_MS,
      lastTime: START_MS + 1000,
      synchronised: true,
      root: ZERO_HASH,
      ...overrides,
    })
  }

  /** Signs a transaction of this network with the sender's next nonce, unless `fields` say otherwise. */
  sign(from: Signer, fields: object): Sealed {
    const head = {
      network: this.network.id,
      from: from.account,
      nonce: this.nonceOf(from.account),
      fee: 0,
      expiry: 1_000_000,
    }
    return signTransaction(this.network, { ...head, ...fields } as Unsigned<Transaction>, from.sign)
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
