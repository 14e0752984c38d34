/**
 * Presets: complete sets of consensus parameters, to which a network adds its time, first target and allocations.
 *
 * `bench` shows everything within a minute; `field` is for devices that run for years; `bitcoin` has the numbers
 * of Bitcoin. Parameters are not configuration: their hash is in every signature.
 */
import type { Genesis, HandGenesis } from '../schemas/genesis.ts'
import type { Account } from '../schemas/hex.ts'
import { type TransactionType, TYPE_NUMBERS } from '../schemas/transaction.ts'
import { COIN } from './amount.ts'
import { targetFor } from './difficulty.ts'

type Parameters = Omit<Genesis, 'name' | 'time' | 'target' | 'allocations'>

const fromStart = (...types: readonly TransactionType[]) =>
  types.map((type) => ({ type: TYPE_NUMBERS[type], height: 0 }))

/** What every network has. Written out: a type that is added to the registry must not change networks that exist. */
const ALWAYS = [
  ...fromStart('transfer', 'reading', 'batch'),
  ...fromStart('channelOpen', 'channelClaim', 'channelClose'),
  ...fromStart('hashlock', 'hashlockClaim', 'hashlockRefund', 'split'),
]
const ENROLLED = fromStart('admission', 'revocation')

const everywhere = {
  version: 1,
  halfLife: 64,
  /** Two hex digits at least: a single Pi Zero finds that in milliseconds, and no fork is free. */
  targetMax: targetFor(256),
  slowRatio: 0,
  authorities: [],
  checkpointSigners: [],
  checkpointThreshold: 0,
  activations: ALWAYS,
} as const

/**
 * `blockSignaturesMax` keeps a block of signatures that only the slow path can judge below a quarter of the
 * interval on a Raspberry Pi 4 (about 4 ms each).
 */
export const PRESETS = {
  bench: {
    ...everywhere,
    interval: 4_000,
    subsidy: 50 * COIN,
    halvingInterval: 210_000,
    feeFloor: 0,
    maturity: 5,
    blockBytesMax: 64 << 10,
    blockSignaturesMax: 250,
  },
  field: {
    ...everywhere,
    interval: 10_000,
    subsidy: 5 * COIN,
    halvingInterval: 3_153_600,
    feeFloor: 1_000,
    maturity: 60,
    blockBytesMax: 160 << 10,
    blockSignaturesMax: 625,
  },
  bitcoin: {
    ...everywhere,
    interval: 600_000,
    subsidy: 50 * COIN,
    halvingInterval: 210_000,
    feeFloor: 1_000,
    maturity: 100,
    blockBytesMax: 1_000_000,
    blockSignaturesMax: 8_000,
  },
} as const satisfies Record<string, Parameters>

export type PresetName = keyof typeof PRESETS

export interface GenesisChoices {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** Expected hashes for the first block. */
  readonly firstWork: number
  readonly allocations: readonly { readonly account: Account; readonly amount: number }[]
  /** Who may admit and revoke miners; none: an open network. */
  readonly authorities?: readonly Account[]
  /** A slow hand: blocks per tick, and the expected hashes for its first tick, or the hand of another network. */
  readonly slow?: { readonly ratio: number; readonly hand: { readonly firstWork: number } | HandGenesis }
}

export function genesisFrom(
  preset: PresetName,
  { name, time, firstWork, allocations, authorities = [], slow }: GenesisChoices,
): Genesis {
  const parameters = PRESETS[preset]
  const { interval, halfLife, targetMax } = parameters
  const firstTarget = (hashes: number): bigint => {
    const wanted = targetFor(hashes)
    return wanted > targetMax ? targetMax : wanted
  }
  const types = authorities.length === 0 ? parameters.activations : [...ALWAYS, ...ENROLLED]
  const activations = [...types].sort((a, b) => a.type - b.type)
  const target = firstTarget(firstWork)
  const genesis = { ...parameters, name, time, target, allocations, authorities, activations }
  if (slow === undefined) return genesis
  const { ratio, hand } = slow
  const own = 'firstWork' in hand && {
    name,
    time,
    interval: ratio * interval,
    halfLife,
    target: firstTarget(hand.firstWork),
    targetMax,
  }
  return { ...genesis, version: 2, slowRatio: ratio, hand: own || (hand as HandGenesis) }
}
