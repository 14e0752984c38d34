/** The mempool's limits, what a transaction is counted with, and what replaces one. Source: docs/PROTOCOL.md section 9. */
import type { GapLimits } from './gap-buffer.ts'
import type { Network } from './network.ts'
import { feeFloorFor, type Sealed } from './transaction.ts'

export interface MempoolLimits extends GapLimits {
  /** Memory of all queues, as `memoryOf` estimates it. */
  readonly memoryBytesMax: number
  /** Transactions that one account may have waiting. */
  readonly accountMax: number
  /** How much more a transaction has to pay than the one that it replaces. */
  readonly replacePercent: number
}

export const MEMPOOL_DEFAULTS: MempoolLimits = {
  memoryBytesMax: 32 << 20,
  accountMax: 64,
  replacePercent: 10,
  gapMax: 64,
  heldAccountMax: 8,
  heldMax: 256,
  heldBlocksMax: 10,
}

/** What a waiting transaction takes besides its bytes: objects, hex texts, hashes, index entries. Measured on Node 20. */
export const OVERHEAD_BYTES = 2048

/** Memory that a waiting transaction is counted with. */
export const memoryOf = ({ bytes }: Pick<Sealed, 'bytes'>): number => bytes.length + OVERHEAD_BYTES

/**
 * Least fee with which `sealed` replaces `old`: `percent` more, the floor for its own way through the network, and not
 * less per byte.
 */
export function replacementFee(network: Network, percent: number, old: Sealed, sealed: Sealed): number {
  const { fee } = old.transaction
  const step = Math.max(1, Math.ceil((fee * percent) / 100), feeFloorFor(network, sealed.bytes.length))
  return Math.max(fee + step, Math.ceil((fee * sealed.bytes.length) / old.bytes.length))
}
