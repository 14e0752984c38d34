/**
 * Retarget rules, each a pure function from the ticks so far to the next tick's target.
 *
 * Ours and the absolute one are the ledger's own integers; the others follow what they cite. Windows hold the first target until
 * they are full. No rule goes below the ledger's easiest target.
 */
import { asert, nextTarget, targetFor } from '../../ledger/difficulty.ts'

export interface Tick {
  readonly target: bigint
  /** Expected hashes for the target. */
  readonly hashes: number
  /** Since the tick before, whole milliseconds from 1 on. */
  readonly solveMs: number
  /** Since the beginning. */
  readonly atMs: number
}

export interface Rule {
  readonly name: RuleName
  readonly first: bigint
  /** `ticks`: all so far, at least one, oldest first. */
  readonly next: (ticks: readonly Tick[]) => bigint
}

export interface RuleOptions {
  /** T, milliseconds. */
  readonly intervalMs: number
  /** Ticks after which a deviation of T each has doubled the target. */
  readonly halfLife: number
  /** Hashes that a tick should take at the beginning. */
  readonly firstHashes: number
}

export const RULE_NAMES = [
  'fixed-hex',
  'hex-step',
  'window-x2',
  'window-mean',
  'lwma',
  'asert-absolute',
  'asert-clamped',
] as const
export type RuleName = (typeof RULE_NAMES)[number]

/** Hashes for the easiest target: two hex digits, as in every preset. */
export const HASHES_MIN = 256
/** Ticks that averaging rules look back: a day of ten minutes, as cw-144 does. */
const WINDOW = 144
/** Ticks between two decisions of window-x2. */
const BATCH = 10
/** Longest solve time that LWMA counts, intervals. */
const LWMA_SOLVE_MAX = 6

const targetMax = targetFor(HASHES_MIN)
const bounded = (hashes: number): bigint => targetFor(Math.max(HASHES_MIN, hashes))
/** A digit is one leading zero of the hash in hex. */
const digitsOf = (hashes: number): number => Math.round(Math.log2(hashes) / 4)
const ofDigits = (digits: number): bigint => bounded(16 ** Math.max(2, digits))

export function createRules({ intervalMs: T, halfLife, firstHashes }: RuleOptions): readonly Rule[] {
  const first = bounded(firstHashes)
  const firstDigits = digitsOf(firstHashes)
  const rules: Record<RuleName, Omit<Rule, 'name'>> = {
    /** The whole number of hex digits that is nearest at the beginning, for ever. */
    'fixed-hex': { first: ofDigits(firstDigits), next: () => ofDigits(firstDigits) },

    /** One hex digit more after a tick of at most T, else one less (as teaching chains do, such as cryptochain). */
    'hex-step': {
      first: ofDigits(firstDigits),
      next(ticks) {
        const { hashes, solveMs } = last(ticks)
        return ofDigits(digitsOf(hashes) + (solveMs > T ? -1 : 1))
      },
    },

    /** Every ten ticks: twice as hard when they took less than half their time, half when more than twice (naivecoin). */
    'window-x2': {
      first,
      next(ticks) {
        const { target, hashes } = last(ticks)
        if (ticks.length % BATCH !== 0) return target
        const pace = timeOf(ticks, BATCH) / (BATCH * T)
        return pace < 0.5 ? bounded(hashes * 2) : pace > 2 ? bounded(hashes / 2) : target
      },
    },

    /** Work of the last 144 ticks over their time, which counts as half to twice what it should be (cw-144 of Bitcoin Cash, 2017). */
    'window-mean': {
      first,
      next(ticks) {
        if (ticks.length < WINDOW) return first
        const time = Math.min(2 * WINDOW * T, Math.max((WINDOW * T) / 2, timeOf(ticks, WINDOW)))
        let work = 0
        for (let at = ticks.length - WINDOW; at < ticks.length; at++) work += ticks[at]?.hashes ?? 0
        return bounded((work / time) * T)
      },
    },

    /**
     * LWMA-1 over 144 ticks: mean target times the mean solve time, in which a tick weighs the more the newer it is.
     * Source: zawy12, difficulty-algorithms issue 3.
     */
    lwma: {
      first,
      next(ticks) {
        if (ticks.length < WINDOW) return first
        let [targets, weighted] = [0, 0]
        for (let weight = 1; weight <= WINDOW; weight++) {
          const tick = ticks[ticks.length - WINDOW + weight - 1]
          if (tick === undefined) continue
          // Targets as shares of the easiest, which floating point holds well.
          targets += 1 / tick.hashes
          weighted += weight * Math.min(LWMA_SOLVE_MAX * T, tick.solveMs)
        }
        const pace = weighted / ((WINDOW * (WINDOW + 1) * T) / 2)
        return bounded(WINDOW / (targets * pace))
      },
    },

    /** aserti3-2d (Bitcoin Cash, 2020): by how far the chain is from its schedule since the first tick. */
    'asert-absolute': {
      first,
      next(ticks) {
        const deviationMs = last(ticks).atMs - ticks.length * T
        return asert(first, BigInt(deviationMs), BigInt(halfLife * T), targetMax)
      },
    },

    /** Ours: by the last solve time alone, which counts as 20 T at most. docs/PROTOCOL.md section 4. */
    'asert-clamped': {
      first,
      next(ticks) {
        const { target, solveMs } = last(ticks)
        return nextTarget({ interval: T, halfLife, targetMax }, target, solveMs)
      },
    },
  }
  return RULE_NAMES.map((name) => ({ name, ...rules[name] }))
}

function last(ticks: readonly Tick[]): Tick {
  const tick = ticks[ticks.length - 1]
  if (tick === undefined) throw new RangeError('a rule is asked after the first tick')
  return tick
}

/** Milliseconds that the last `count` ticks took. */
const timeOf = (ticks: readonly Tick[], count: number): number =>
  last(ticks).atMs - (ticks[ticks.length - 1 - count]?.atMs ?? 0)
