/** Where an experiment's ticks go: onto the screen, into logs, and into what is summed up at the end. */
import type { ExperimentHand, Made } from '../edge-agent/experiment/hand.ts'
import { invariant } from '../schemas/result.ts'
import type { HandLogs } from './clock-hand-logs.ts'
import { expectedHashes, summarise } from './clock-statistics.ts'
import {
  handJson,
  missedJson,
  type Row,
  ratioJson,
  ratioLine,
  summaryJson,
  summaryLine,
  Table,
  type TickFacts,
  tickJson,
} from './clock-table.ts'

/** `free`: the first hand is the slow one. */
export type Kind = 'alone' | 'rounds' | 'free'

export interface StageOptions {
  readonly kind: Kind
  readonly json: boolean
  readonly logs: HandLogs | undefined
}

export class Stage {
  readonly rows: readonly Row[]
  readonly #options: StageOptions
  readonly #table: Table
  readonly #sums: ReadonlyMap<ExperimentHand, { ticks: number; hashes: number; ms: number }>

  constructor(rows: readonly Row[], options: StageOptions) {
    this.rows = rows
    this.#options = options
    const labels = rows.map(({ hand }) => hand.label)
    this.#table = new Table(labels, options.kind === 'rounds')
    this.#sums = new Map(rows.map(({ hand }) => [hand, { ticks: 0, hashes: 0, ms: 0 }]))
    if (options.json)
      for (const row of rows)
        this.#say(
          () => handJson(row),
          () => '',
        )
    else process.stdout.write(this.#table.head())
  }

  /** `shown`: also to people. */
  tick(made: Made, facts: Omit<TickFacts, 'digits'>, shown = true): void {
    this.#options.logs?.add(made)
    const row = this.rows.find(({ hand }) => hand === made.hand)
    const sums = this.#sums.get(made.hand)
    invariant(row !== undefined && sums !== undefined, "a tick is of one of the experiment's hands")
    sums.ticks++
    sums.hashes += made.hashes
    sums.ms += made.ms
    const all = { ...facts, digits: row.digits }
    this.#say(
      () => tickJson(made, all),
      () => (shown ? this.#table.tick(made, all) : ''),
    )
  }

  missed(round: number, label: string, timeoutMs: number): void {
    this.#say(
      () => missedJson(round, label, timeoutMs),
      () => this.#table.missed(round, label, timeoutMs),
    )
  }

  /** What each hand comes to. */
  end(): void {
    for (const { hand, digits } of this.rows) {
      const sums = this.#sums.get(hand)
      invariant(sums !== undefined, 'each hand has sums')
      const summary = summarise({ digits, ...sums, unfinished: hand.unfinished })
      this.#say(
        () => summaryJson(hand.label, summary),
        () => summaryLine(hand.label, summary),
      )
    }
    const [slow, fast] = this.rows
    if (this.#options.kind !== 'free' || slow === undefined || fast === undefined) return
    const [slowTicks, fastTicks] = [slow, fast].map(({ hand }) => hand.slow.tip.height)
    if (!slowTicks || fastTicks === undefined) return
    const expected = expectedHashes(slow.digits) / expectedHashes(fast.digits)
    const found = fastTicks / slowTicks
    this.#say(
      () => ratioJson(found, expected),
      () => ratioLine(found, expected),
    )
  }

  #say(json: () => object, text: () => string): void {
    process.stdout.write(this.#options.json ? `${JSON.stringify(json())}\n` : text())
  }
}
