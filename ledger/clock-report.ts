/**
 * How good a clock the hands are: pace, drift, the law between the hands, what goes wrong.
 *
 * A function of what a node has seen. Where a law has a width, alarms begin at three standard deviations of it, and where nothing came,
 * at a silence that honest luck has once in some hundred thousand times. Source: docs/CLOCKCHAIN.md.
 */
import type { Account } from '../schemas/hex.ts'
import type { Pace } from './difficulty.ts'
import { driftSd, paceOfCubic } from './drift.ts'
import { FUTURE_INTERVALS_MAX } from './header.ts'

/** A block or tick as a clock sees it; lowest first. */
export interface Beat {
  /** By its miner's clock, Unix milliseconds. */
  readonly time: number
  /** Expected hashes. */
  readonly work: number
}
export interface Block extends Beat {
  readonly miner: Account | undefined
}
export interface TickBeat extends Beat {
  /** Height of our ledger's block that it names; undefined when it names none of our chain. */
  readonly anchor: number | undefined
}

export interface Hand<B extends Beat> extends Pace {
  /** Unix milliseconds. */
  readonly start: number
  readonly height: number
  readonly beats: readonly B[]
  /** Since the newest beat came, by a clock that is never set; without it, what its time and ours say. */
  readonly silentMs?: number | undefined
}

export interface ClockFacts {
  readonly nowMs: number
  /** How long we have been there to hear a beat: a silence before that is not the hands'. */
  readonly listeningMs: number
  readonly fast: Hand<Block>
  readonly slow: (Hand<TickBeat> & { readonly ratio: number }) | undefined
  /** Blocks seen that are not on the best chain, and blocks seen in all. */
  readonly stale: { readonly blocks: number; readonly of: number }
  /** How far a miner's clock is ahead of ours, by when so many blocks came, milliseconds; behind: at least so far. */
  readonly clocks: ReadonlyMap<Account, { readonly aheadMs: number; readonly blocks: number }>
  /**
   * How far our own clock is ahead of more than half of so many other miners', who made more than half of the blocks;
   * undefined before any is known.
   */
  readonly own: { readonly aheadMs: number; readonly miners: number } | undefined
}

/** One hand. */
export interface HandReport {
  readonly height: number
  /** Mean time between the last `beats`, milliseconds, and what the rule steers to; the width is that of luck alone. */
  readonly meanMs: number | null
  readonly sdMs: number | null
  readonly beats: number
  readonly intervalMs: number
  /** Time that the hand shows (its start, and an interval for each beat) less the time of its newest beat; positive: fast. */
  readonly driftMs: number
  /** What of the drift the rule's own pace makes in so many beats, milliseconds. */
  readonly driftRuleMs: number
  /** Standard deviation of the drift about that at a constant hash rate: T sqrt(h / (2 ln 2)). */
  readonly driftSdMs: number
  /** Since the newest beat. */
  readonly silentMs: number
}

export interface ClockReport {
  readonly fast: HandReport
  readonly slow: HandReport | null
  /** Blocks per tick over the last `ticks`, what the law says, and the width of luck. */
  readonly ratio: {
    readonly mean: number
    readonly law: number
    readonly sd: number
    readonly ticks: number
  } | null
  readonly stale: { readonly blocks: number; readonly of: number }
  readonly miners: readonly {
    readonly account: Account
    readonly blocks: number
    readonly hashesPerSecond: number
    /** Of its clock, against the clock of who says so; null: not seen live. */
    readonly aheadMs: number | null
  }[]
  readonly ownAheadMs: number | null
  readonly alarms: readonly { readonly code: AlarmCode; readonly message: string }[]
}

export type AlarmCode = 'fast-hand-stopped' | 'slow-hand-stopped' | 'ratio' | 'own-clock' | 'clock'

/** Intervals without a beat: e^-12 of all gaps, one in 160,000. */
const SILENCE_INTERVALS = 12
/** Fewer ticks say nothing about a ratio. */
const RATIO_TICKS_MIN = 8
/** A clock is off when by more than this, milliseconds, or half an interval: a template is up to a second old, a block needs its way. */
const OFF_MS_MIN = 5_000

export function clockReport({ nowMs, listeningMs, fast, slow, stale, clocks, own }: ClockFacts): ClockReport {
  const alarms: ClockReport['alarms'][number][] = []
  const alarm = (code: AlarmCode, message: string) => alarms.push({ code, message })
  const fastReport = handReport(fast, nowMs)
  const slowReport = slow === undefined ? null : handReport(slow, nowMs)
  for (const [code, name, report] of [
    ['fast-hand-stopped', 'block', fastReport],
    ['slow-hand-stopped', 'tick of the slow hand', slowReport],
  ] as const)
    if (report !== null && Math.min(report.silentMs, listeningMs) > SILENCE_INTERVALS * report.intervalMs)
      alarm(
        code,
        `no ${name} for ${seconds(report.silentMs)}, ${Math.round(report.silentMs / report.intervalMs)} intervals: do its miners run, and do they reach the broker?`,
      )
  const ratio = slow === undefined ? null : ratioOf(slow)
  if (ratio !== null && Math.abs(ratio.mean - ratio.law) > 3 * ratio.sd)
    alarm(
      'ratio',
      `${ratio.mean.toFixed(1)} blocks per tick over ${ratio.ticks} ticks, where ${ratio.law} ± ${(3 * ratio.sd).toFixed(1)} is luck: one hand has gained or lost miners, or its target is still on its way`,
    )
  const offMs = Math.max(OFF_MS_MIN, fast.interval / 2)
  if (own !== undefined && Math.abs(own.aheadMs) > offMs)
    alarm(
      'own-clock',
      `this machine's clock is ${seconds(Math.abs(own.aheadMs))} ${own.aheadMs > 0 ? 'ahead of' : 'behind'} the blocks of ${own.miners === 1 ? 'the one other miner' : `most of ${own.miners} other miners`}: unless they are wrong, set it${own.aheadMs < -FUTURE_INTERVALS_MAX * fast.interval ? ', until then it takes no newer ones' : ''} (sudo timedatectl set-ntp true; pinledger doctor)`,
    )
  else
    for (const [miner, { aheadMs, blocks }] of clocks)
      if (Math.abs(aheadMs) > offMs)
        alarm(
          'clock',
          `the clock of ${miner} is ${aheadMs > 0 ? `${seconds(aheadMs)} ahead` : `at least ${seconds(-aheadMs)} behind`}, by its last ${blocks} blocks`,
        )
  return {
    fast: fastReport,
    slow: slowReport,
    ratio,
    stale,
    miners: minersOf(fast.beats, clocks),
    ownAheadMs: own?.aheadMs ?? null,
    alarms,
  }
}

function handReport(
  { interval, halfLife, start, height, beats, silentMs }: Hand<Beat>,
  nowMs: number,
): HandReport {
  const [first, last] = [beats[0], beats.at(-1)]
  const gaps = beats.length - 1
  const meanMs =
    first === undefined || last === undefined || gaps < 1 ? null : (last.time - first.time) / gaps
  const time = last?.time ?? start
  return {
    height,
    meanMs,
    sdMs: meanMs === null ? null : interval / Math.sqrt(gaps),
    beats: Math.max(0, gaps),
    intervalMs: interval,
    driftMs: height * interval - (time - start),
    driftRuleMs: -height * interval * paceOfCubic(interval, halfLife),
    driftSdMs: interval * driftSd(halfLife),
    silentMs: silentMs ?? Math.max(0, nowMs - time),
  }
}

/** The blocks between two ticks are geometric: mean R, variance R (R + 1). */
function ratioOf({ ratio, beats }: NonNullable<ClockFacts['slow']>): ClockReport['ratio'] {
  const named = beats.flatMap(({ anchor }, index) => (anchor === undefined ? [] : [{ anchor, index }]))
  const [first, last] = [named[0], named.at(-1)]
  if (first === undefined || last === undefined) return null
  const ticks = last.index - first.index
  if (ticks < RATIO_TICKS_MIN) return null
  return {
    mean: (last.anchor - first.anchor) / ticks,
    law: ratio,
    sd: Math.sqrt((ratio * (ratio + 1)) / ticks),
    ticks,
  }
}

function minersOf(beats: readonly Block[], clocks: ClockFacts['clocks']): ClockReport['miners'] {
  const [first, last] = [beats[0], beats.at(-1)]
  const elapsed = first === undefined || last === undefined ? 0 : (last.time - first.time) / 1000
  const found = new Map<Account, { blocks: number; work: number }>()
  // The first only says when the counting began.
  for (const { miner, work } of beats.slice(1)) {
    if (miner === undefined) continue
    const before = found.get(miner) ?? { blocks: 0, work: 0 }
    found.set(miner, { blocks: before.blocks + 1, work: before.work + work })
  }
  return [...found]
    .map(([account, { blocks, work }]) => ({
      account,
      blocks,
      hashesPerSecond: elapsed > 0 ? work / elapsed : 0,
      aheadMs: clocks.get(account)?.aheadMs ?? null,
    }))
    .sort((a, b) => b.hashesPerSecond - a.hashesPerSecond)
}

const seconds = (ms: number): string =>
  ms < 120_000 ? `${(ms / 1000).toFixed(0)} s` : `${(ms / 60_000).toFixed(0)} min`
