/** One rule on one trace: ticks with exponential solve times that a seed decides. */
import { workOf } from '../../ledger/difficulty.ts'
import { Rng } from '../random.ts'
import type { Rule, Tick } from './rules.ts'
import { RateWalk, type Trace } from './trace.ts'

export interface RunOptions {
  readonly seed: number
  readonly trace: Trace
  /** Until when, seconds of the trace. */
  readonly seconds: number
  readonly ticksMax?: number
  /** Told now and then how much is done, 0 to 1. */
  readonly onProgress?: ((share: number) => void) | undefined
}

export interface Run {
  readonly rule: Rule
  readonly ticks: readonly Tick[]
  readonly seconds: number
  /** It ended at `ticksMax` before its time was over. */
  readonly isCut: boolean
}

/** Some 100 MB of ticks; a storm of an absolute schedule, or a fixed difficulty under a large miner, could go on for ever. */
export const TICKS_MAX = 500_000
const PROGRESS_TICKS = 1024

/** Each rule draws the same numbers from a seed, so that all have the same luck. */
export function run(rule: Rule, { seed, trace, seconds, ticksMax = TICKS_MAX, onProgress }: RunOptions): Run {
  const random = new Rng(`clock lab ${seed}`)
  const walk = new RateWalk(trace)
  const ticks: Tick[] = []
  const endMs = seconds * 1000
  let target = rule.first
  let atMs = 0
  while (ticks.length < ticksMax) {
    const hashes = Number(workOf(target))
    const foundMs = walk.done(atMs / 1000, random.exponential(hashes)) * 1000
    // Times are whole milliseconds and grow, as the ledger's rules want.
    const nextMs = Math.max(atMs + 1, Math.round(foundMs))
    if (nextMs > endMs) return { rule, ticks, seconds, isCut: false }
    ticks.push({ target, hashes, solveMs: nextMs - atMs, atMs: nextMs })
    atMs = nextMs
    target = rule.next(ticks)
    if (ticks.length % PROGRESS_TICKS === 0) onProgress?.(atMs / endMs)
  }
  return { rule, ticks, seconds: atMs / 1000, isCut: true }
}
