/**
 * Many sites, each with a fast hand of its own, that share one slow hand: from what distance in time on are two events ordered?
 *
 * An event here is a block of some site. It names the newest tick that its miner knew; the first tick whose miner knew it, or a later block of
 * that site, comes after it. Two are ordered when the tick that follows one is not above the tick that the other names. Ticks come at random
 * moments of a constant rate, since a difficulty rule only keeps that rate.
 */
import { invariant } from '../../schemas/result.ts'
import { Rng } from '../random.ts'

export interface SitesOptions {
  readonly seed: number
  readonly sites: number
  /** Mean time between ticks. */
  readonly tickSeconds: number
  /** How late a miner hears of another site's newest block, and of a tick. */
  readonly delaySeconds: number
  /** Pairs of events that are looked at. */
  readonly pairs: number
}

/** So many that their luck evens out. */
const TICKS = 2_048

interface Sandwich {
  /** The tick that the event's block names, and the first that names the block: numbers. */
  readonly after: number
  readonly before: number
}

/** The distances in seconds at which half of all pairs, and 95 of 100, are in order, by the slow hand alone. Never in the wrong one. */
export function order(options: SitesOptions): { readonly half: number; readonly most: number } {
  const { seed, tickSeconds, pairs } = options
  const random = new Rng(`sites ${seed}`)
  const ticks = ticksOf(random, options, TICKS * tickSeconds)
  const gaps: { distance: number; ordered: boolean }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const distance = random.between(0, 8 * tickSeconds)
    const at = random.between(8, TICKS - 64) * tickSeconds
    const [first, second] = [at, at + distance].map((moment) => sandwich(random, options, ticks, moment))
    if (first === undefined || second === undefined) continue
    invariant(second.before > first.after, 'no order is wrong')
    gaps.push({ distance, ordered: first.before <= second.after })
  }
  return { half: distanceAt(gaps, 0.5), most: distanceAt(gaps, 0.95) }
}

interface Tick {
  readonly at: number
  readonly site: number
}

function ticksOf(random: Rng, { sites, tickSeconds }: SitesOptions, until: number): Tick[] {
  const ticks: Tick[] = []
  for (let at = 0; at < until; ) {
    at += random.exponential(tickSeconds)
    ticks.push({ at, site: random.whole(0, sites - 1) })
  }
  return ticks
}

/** What the hands say of a block that a random site makes at a moment. */
function sandwich(
  random: Rng,
  { sites, delaySeconds }: SitesOptions,
  ticks: readonly Tick[],
  block: number,
): Sandwich | undefined {
  const site = random.whole(0, sites - 1)
  const heard = (tick: Tick): number => tick.at + (tick.site === site ? 0 : delaySeconds)
  // A template is made anew when a tick comes: the block was found on one that knew all ticks until then.
  const after = ticks.findLastIndex((tick) => heard(tick) <= block)
  const before = ticks.findIndex((tick) => tick.at > block + (tick.site === site ? 0 : delaySeconds))
  return after < 0 || before < 0 ? undefined : { after, before }
}

/** The distance above which at least this share of the pairs nearby are in order. */
function distanceAt(gaps: readonly { distance: number; ordered: boolean }[], share: number): number {
  const sorted = [...gaps].sort((a, b) => a.distance - b.distance)
  const near = Math.max(50, Math.round(sorted.length / 40))
  let ordered = 0
  for (const [index, gap] of sorted.entries()) {
    ordered += gap.ordered ? 1 : 0
    if (index < near) continue
    ordered -= sorted[index - near]?.ordered ? 1 : 0
    if (ordered / near >= share) return sorted[Math.round(index - near / 2)]?.distance ?? gap.distance
  }
  return Number.POSITIVE_INFINITY
}
