/** The network of a simulation: real rules with blocks that cost some sixty hashes, so that each is really mined. */
import { COIN } from '../ledger/amount.ts'
import { targetFor } from '../ledger/difficulty.ts'
import { genesisFrom, PRESETS } from '../ledger/preset.ts'
import type { Genesis } from '../schemas/genesis.ts'
import type { Account } from '../schemas/hex.ts'

/** Hashes of a block in the mean when the simulation begins. */
export const BLOCK_HASHES = 64
/** Blocks per tick of the slow hand: some forty ticks in half an hour. A tick costs as many hashes as a block. */
export const SLOW_RATIO = 4
/** True time at the beginning: 2026-01-01T00:00:00Z. */
export const START_MS = 1_767_225_600_000

const NAMED = { name: 'sim', time: START_MS, firstWork: BLOCK_HASHES }

export interface SimRules {
  readonly intervalMs: number
  readonly holders: readonly Account[]
  /** Whose checkpoints count; none without. */
  readonly signers: readonly Account[]
  /** Who admits miners; everybody mines without. */
  readonly authorities: readonly Account[]
  readonly slowHand: boolean
}

export function simGenesis({ intervalMs, holders, signers, authorities, slowHand }: SimRules): Genesis {
  const { activations } = genesisFrom('field', { ...NAMED, allocations: [], authorities })
  const targets = { target: targetFor(BLOCK_HASHES), targetMax: targetFor(2) }
  const { name, time } = NAMED
  const { halfLife } = PRESETS.field
  const hand = { name, time, halfLife, interval: SLOW_RATIO * intervalMs, ...targets }
  return {
    ...PRESETS.field,
    ...NAMED,
    ...(slowHand ? { version: 2, slowRatio: SLOW_RATIO, hand } : {}),
    activations,
    authorities,
    interval: intervalMs,
    ...targets,
    // Halvings and maturing rewards within half an hour.
    halvingInterval: 100,
    maturity: 10,
    checkpointSigners: signers,
    checkpointThreshold: Math.floor((2 * signers.length) / 3) + (signers.length > 0 ? 1 : 0),
    allocations: holders.map((account) => ({ account, amount: 1_000 * COIN })),
  }
}
