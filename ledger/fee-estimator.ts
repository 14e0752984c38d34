/**
 * What a transaction has to pay to be in one of the next blocks, learnt from which ones the last blocks left no room for.
 *
 * A block that is not full takes everything: its entry rate is 0. That of a full block is the lowest fee rate in it,
 * of the transactions that waited here before (others a miner may have made up) and are not its miner's own (which
 * pay no floor). Within k blocks a rate suffices if one of them has an entry rate not above it; the estimate is
 * what would have sufficed from 85 % of the recent starts. Blocks older than the window do not count, and a
 * disconnected one is forgotten. Pure and bounded; an opinion, not consensus. Source: docs/PROTOCOL.md section 9.
 */
import type { Hash } from '../schemas/hex.ts'
import { TRANSACTION_BYTES_MAX } from '../schemas/transaction.ts'
import { signaturesOf } from './apply.ts'
import type { SealedBlock } from './block.ts'
import type { Network } from './network.ts'

/** Blocks that an estimate looks back on: ten for each that may pass, within bounds. */
const LOOK_BACK = { factor: 10, blocksMin: 20, blocksMax: 120 } as const
/** Blocks remembered: after a reorganisation of half of them, the largest window is still full. */
export const REMEMBERED_MAX = 2 * LOOK_BACK.blocksMax
/** Share of the starts from which the estimate would have sufficed. */
const SUFFICES_PERCENT = 85
/** Within how many blocks the named estimates are. */
export const HORIZONS = { next: 1, soon: 6, later: 30 } as const

/** Smallest units for 1000 bytes, in proportion. The network's floor, for each started 1000, has to be paid in any case. */
export interface Fees {
  /** What enters the mempool. */
  readonly floor: number
  readonly next: number
  readonly soon: number
  readonly later: number
}

export class FeeEstimator {
  readonly #network: Network
  /** Entry rates of the last blocks, smallest units per byte; undefined for a full one that tells nothing. */
  readonly #rates: (number | undefined)[] = []

  constructor(network: Network) {
    this.#network = network
  }

  /** Blocks remembered. */
  get size(): number {
    return this.#rates.length
  }

  /** Follows the chain, before the mempool does; `waited` says whether a transaction is in the mempool. */
  update(
    blocks: { readonly disconnected: readonly unknown[]; readonly connected: readonly SealedBlock[] },
    waited: (id: Hash) => boolean,
  ): void {
    this.#rates.length = Math.max(0, this.#rates.length - blocks.disconnected.length)
    for (const block of blocks.connected) this.#rates.push(this.#entryRate(block, waited))
    if (this.#rates.length > REMEMBERED_MAX) this.#rates.splice(0, this.#rates.length - REMEMBERED_MAX)
  }

  /** `full`: the rate per byte that a newcomer to the mempool has to be above, if it is full. */
  fees(full: number | undefined): Fees {
    const floor = Math.max(this.#network.genesis.feeFloor, above(full ?? 0))
    const within = (blocks: number): number => Math.max(floor, above(this.rate(blocks)))
    const { next, soon, later } = HORIZONS
    return { floor, next: within(next), soon: within(soon), later: within(later) }
  }

  /** Fee rate that most likely is in one of the next `blocks`, smallest units per byte; 0 where anything is. */
  rate(blocks: number): number {
    const { factor, blocksMin, blocksMax } = LOOK_BACK
    const window = Math.min(blocksMax, Math.max(blocksMin, factor * blocks))
    const known = this.#rates.slice(-window).filter((rate) => rate !== undefined)
    const starts = Math.max(1, known.length - blocks + 1)
    const sufficed = Array.from({ length: starts }, (_, at) => Math.min(...known.slice(at, at + blocks)))
    sufficed.sort((a, b) => a - b)
    return known.length === 0 ? 0 : (sufficed[Math.ceil((starts * SUFFICES_PERCENT) / 100) - 1] ?? 0)
  }

  #entryRate({ block, bytes, transactions }: SealedBlock, waited: (id: Hash) => boolean): number | undefined {
    const { blockBytesMax, blockSignaturesMax } = this.#network.genesis
    const signatures = transactions.reduce((sum, { transaction: tx }) => sum + signaturesOf(tx), 1)
    const room = bytes.length + TRANSACTION_BYTES_MAX <= blockBytesMax && signatures < blockSignaturesMax
    if (room) return 0
    const rates = transactions
      .filter(({ id, transaction: tx }) => tx.from !== block.coinbase.from && waited(id))
      .map((sealed) => sealed.transaction.fee / sealed.bytes.length)
    return rates.length === 0 ? undefined : Math.min(...rates)
  }
}

/** The least whole number of units for 1000 bytes that pays more than a rate per byte; 0 for none. */
const above = (rate: number): number =>
  rate === 0 ? 0 : Math.min(Number.MAX_SAFE_INTEGER, Math.floor(rate * 1000) + 1)
