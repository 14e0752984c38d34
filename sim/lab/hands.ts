/**
 * Two hands on one hash rate: blocks and ticks as two races without memory, each with its own target by the ledger's own rule.
 *
 * A seed decides the luck. Times are whole milliseconds and grow on each hand, as the rules want.
 */
import { nextTarget, type Pace, workOf } from '../../ledger/difficulty.ts'
import { Rng } from '../random.ts'
import { RateWalk, type Trace } from './trace.ts'

export interface HandsOptions {
  readonly seed: number
  /** T, milliseconds. */
  readonly intervalMs: number
  /** R: blocks per tick. */
  readonly ratio: number
  /** Undefined: the targets stay what they are. */
  readonly halfLife: number | undefined
  /** Hashes per second of each hand. */
  readonly fast: Trace
  readonly slow: Trace
  /** Hashes of the first block and the first tick. */
  readonly fastWork: number
  readonly slowWork: number
  readonly seconds: number
}

/** Milliseconds at which blocks and ticks were found, ascending. */
export interface Hands {
  readonly blocks: readonly number[]
  readonly ticks: readonly number[]
}

/** Easier than any target here: what the smallest machine finds in no time. */
const TARGET_MAX = (1n << 256n) / 16n

export function runHands({
  seed,
  intervalMs,
  ratio,
  halfLife,
  fast,
  slow,
  fastWork,
  slowWork,
  seconds,
}: HandsOptions): Hands {
  const random = new Rng(`hands ${seed}`)
  const hand = (name: string, trace: Trace, work: number, interval: number) =>
    runHand(
      random.fork(name),
      trace,
      halfLife === undefined ? undefined : { halfLife, targetMax: TARGET_MAX, interval },
      work,
      seconds,
    )
  return {
    blocks: hand('fast', fast, fastWork, intervalMs),
    ticks: hand('slow', slow, slowWork, ratio * intervalMs),
  }
}

function runHand(random: Rng, trace: Trace, pace: Pace | undefined, work: number, seconds: number): number[] {
  const walk = new RateWalk(trace)
  const found: number[] = []
  let target = (1n << 256n) / BigInt(Math.round(work)) - 1n
  for (let atMs = 0; ; ) {
    const doneMs = walk.done(atMs / 1000, random.exponential(Number(workOf(target)))) * 1000
    const nextMs = Math.max(atMs + 1, Math.round(doneMs))
    if (!(nextMs <= seconds * 1000)) return found
    found.push(nextMs)
    if (pace !== undefined) target = nextTarget(pace, target, nextMs - atMs)
    atMs = nextMs
  }
}

/** Blocks between one tick and the next, for each tick but the first. */
export function blocksPerTick({ blocks, ticks }: Hands): number[] {
  const counts: number[] = []
  let at = 0
  let before = 0
  for (const [index, tick] of ticks.entries()) {
    while (at < blocks.length && (blocks[at] as number) <= tick) at++
    if (index > 0) counts.push(at - before)
    before = at
  }
  return counts
}

/**
 * Chi-squared of counts against the geometric law of mean `mean` on 0, 1, 2, ...: P(k) = p (1 - p)^k, p = 1 / (1 + mean).
 * Cells of about equal chance; their number less one is the degrees of freedom.
 */
export function chiSquaredGeometric(counts: readonly number[], mean: number, cells: number): number {
  const q = mean / (1 + mean)
  // The last k of each cell but the last, whose probability comes to (cell + 1) / cells.
  const ends = Array.from({ length: cells - 1 }, (_, cell) =>
    Math.max(0, Math.ceil(Math.log(1 - (cell + 1) / cells) / Math.log(q)) - 1),
  ).filter((end, index, all) => end !== all[index - 1])
  const above = (k: number): number => q ** (k + 1)
  let chi = 0
  for (let cell = 0; cell <= ends.length; cell++) {
    const low = cell === 0 ? -1 : (ends[cell - 1] as number)
    const high = ends[cell] ?? Number.POSITIVE_INFINITY
    const chance = above(low) - (high === Number.POSITIVE_INFINITY ? 0 : above(high))
    const seen = counts.filter((count) => count > low && count <= high).length
    const expected = counts.length * chance
    chi += (seen - expected) ** 2 / expected
  }
  return chi
}
