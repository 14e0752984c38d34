/** An experiment's ticks, rounds and summaries as lines for people and as objects for machines. */
import type { ExperimentHand, Made } from '../edge-agent/experiment/hand.ts'
import { handGenesis } from '../schemas/genesis.ts'
import { toHex } from '../schemas/hex.ts'
import { expectedHashes, type Summary } from './clock-statistics.ts'

/** A hand and what the tables say of it. */
export interface Row {
  readonly hand: ExperimentHand
  readonly digits: number
}

/** What a tick is shown with beside itself. */
export interface TickFacts {
  readonly digits: number
  /** Label of the hand that it anchors, if any. */
  readonly other?: string
  /** Of an experiment in rounds. */
  readonly round?: number
  readonly waitedMs?: number
}

const HASH_DIGITS = 20
const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const rate = (hashesPerSecond: number): string => `${count(hashesPerSecond / 1000)} kH/s`
const perSecond = ({ hashes, ms }: Made): number => (hashes / Math.max(ms, 0.001)) * 1000

export class Table {
  readonly #labels: number
  readonly #round: boolean

  constructor(labels: readonly string[], round: boolean) {
    this.#labels = Math.max(4, ...labels.map((label) => label.length))
    this.#round = round
  }

  head(): string {
    const columns = [
      this.#round ? 'round' : '',
      'tick'.padStart(6),
      'hand'.padEnd(this.#labels),
      'hash'.padEnd(HASH_DIGITS),
      'hashes'.padStart(14),
      'time'.padStart(10),
      'rate'.padStart(12),
      'of mean'.padStart(8),
      this.#round ? 'waited'.padStart(10) : '',
      'after',
    ]
    return `${columns.filter((column) => column !== '').join('  ')}\n`
  }

  tick(made: Made, { digits, other, round, waitedMs }: TickFacts): string {
    const { hand, added, hashes, ms } = made
    const [anchor] = added.tick.anchors
    const columns = [
      round === undefined ? '' : String(round).padStart(5),
      String(added.entry.height).padStart(6),
      hand.label.padEnd(this.#labels),
      added.entry.hash.slice(0, HASH_DIGITS),
      count(hashes).padStart(14),
      time(ms).padStart(10),
      rate(perSecond(made)).padStart(12),
      (hashes / expectedHashes(digits)).toFixed(2).padStart(8),
      waitedMs === undefined ? '' : time(waitedMs).padStart(10),
      anchor === undefined || other === undefined ? '-' : `${other} ${anchor.height}`,
    ]
    return `${columns.filter((column) => column !== '').join('  ')}\n`
  }

  missed(round: number, label: string, timeoutMs: number): string {
    return `${String(round).padStart(5)}  ${'-'.padStart(6)}  ${label.padEnd(this.#labels)}  no tick within ${timeoutMs / 1000} s: the round was closed without it\n`
  }
}

const time = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 4 : 1)} s`

/** One line for a hand at the end. */
export function summaryLine(label: string, summary: Summary): string {
  const { ticks, mean, expected, band, inside, hashesPerSecond } = summary
  if (mean === undefined || band === undefined) return `${label}: no tick\n`
  const speed = hashesPerSecond === undefined ? '' : `; ${rate(hashesPerSecond)}`
  return `${label}: ${ticks} ${ticks === 1 ? 'tick' : 'ticks'}, ${count(mean)} hashes a tick; expected ${count(expected)}, and in 95 % of such runs ${count(band.low)} to ${count(band.high)}: ${inside ? 'within' : 'OUTSIDE'}${speed}\n`
}

export const handJson = ({ hand, digits }: Row) => ({
  type: 'hand',
  hand: hand.label,
  difficulty: digits,
  genesisHash: hand.slow.hand.genesisHash,
  genesis: handGenesis.toJson(hand.slow.hand.genesis),
})

export const tickJson = (made: Made, { digits, round, waitedMs }: TickFacts) => ({
  type: 'tick',
  ...(round === undefined ? {} : { round }),
  hand: made.hand.label,
  height: made.added.entry.height,
  hash: made.added.entry.hash,
  time: made.added.entry.time,
  hashes: made.hashes,
  ms: thousandths(made.ms),
  hashesPerSecond: Math.round(perSecond(made)),
  expected: expectedHashes(digits),
  ofMean: made.hashes / expectedHashes(digits),
  ...(waitedMs === undefined ? {} : { waitedMs: thousandths(waitedMs) }),
  anchors: made.added.tick.anchors,
  /** The tick itself: what all the rest can be checked from. */
  bytes: toHex(made.bytes),
})

export const missedJson = (round: number, label: string, timeoutMs: number) => ({
  type: 'missed',
  round,
  hand: label,
  timeoutMs,
})

export const summaryJson = (label: string, { band, ...summary }: Summary) => ({
  type: 'summary',
  hand: label,
  ...summary,
  low: band?.low,
  high: band?.high,
})

/** What two hands that run free come to. */
export const ratioLine = (found: number, expected: number): string =>
  `${found.toFixed(1)} fast ticks for one of the slow hand; ${count(expected)} where both hash alike\n`
export const ratioJson = (found: number, expected: number) => ({ type: 'ratio', found, expected })

const thousandths = (ms: number): number => Math.round(ms * 1000) / 1000
