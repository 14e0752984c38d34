/**
 * Rounds of an experiment, as one of its agents sees them: who is the tower, which round it is, and what this agent has to do.
 *
 * A pure machine: it is told what came and what time it is, and says what to say. Invariants: a term is followed by a worse one
 * never; whoever is cut off is no tower; a tower begins a round at least every time-out, so one that does not is silent, however
 * often it speaks. Nothing here says that a tick is valid. Source: docs/CLOCKCHAIN.md "The clock tower", docs/PROTOCOL.md section 16.
 */
import { TokenBucket } from '../../node/token-bucket.ts'
import type { LabTip } from '../../schemas/lab-message.ts'

/** After connecting, for what the broker has kept to come in. */
export const SETTLE_MS = 2_000
/** Time-outs without a new round after which the first agent takes over; each further one waits for one more. */
export const SILENT_TIMEOUTS = 3
/** A tower says again what it has said, for whoever did not hear it. */
const REPEAT_MS = { min: 1_000, max: 10_000 } as const
const TERM_MAX = 0xffffffff
/** By how much a term may be above the one before, and how often there is one: else a lie takes the last term that there is. */
const TERM_STEP_MAX = 1 << 16
/** At once: what the broker has kept of each agent, in any order. */
const TERMS = { perSecond: 1, burst: 32 } as const

/** After which rounds are over, however many are left. */
export const lastsMsMax = (rounds: number, timeoutMs: number, agents: number): number =>
  (2 * rounds + SILENT_TIMEOUTS + agents) * timeoutMs

/** What a tower says. */
export interface Said {
  readonly term: number
  readonly round: number
  readonly leftMs: number
  readonly tips: readonly LabTip[]
}

export interface RoundsOptions {
  readonly agents: number
  /** This one's place in the order; -1: it only listens. */
  readonly self: number
  readonly rounds: number
  readonly timeoutMs: number
  /** Where each hand ends, as far as this agent knows. */
  readonly tips: () => readonly LabTip[]
  /** Whether a round is over before its time-out; left out, once each hand has a tick that is newer than when it began. */
  readonly isWhole?: () => boolean
}

interface Followed extends Omit<Said, 'leftMs'> {
  readonly from: number
}

/** `unfinished`: too many rounds and towers were lost for it to end. */
export type Outcome = 'complete' | 'unfinished'

export class Rounds {
  readonly #options: RoundsOptions
  readonly #startedMs: number
  #connectedMs: number | undefined
  /** When a round began, a better tower spoke, or this agent came back. */
  #heardMs: number
  #followed: Followed | undefined
  readonly #terms: TokenBucket
  /** Height of the own hand when the round began. */
  #beganAt = 0
  #isTower = false
  #deadlineMs = 0
  #saidMs = Number.NEGATIVE_INFINITY
  #outcome: Outcome | undefined

  constructor(options: RoundsOptions, nowMs: number) {
    this.#options = options
    this.#startedMs = nowMs
    this.#heardMs = nowMs
    this.#terms = new TokenBucket(TERMS, nowMs)
  }

  get isTower(): boolean {
    return this.#isTower
  }

  /** What counts, and who said it. */
  get followed(): Followed | undefined {
    return this.#followed
  }

  get outcome(): Outcome | undefined {
    return this.#outcome
  }

  /** Whether this agent has to search a tick now: none of its own is newer than what the round began with. */
  get mustMine(): boolean {
    const { rounds } = this.#options
    if (this.#followed === undefined || this.#outcome !== undefined) return false
    return this.#followed.round <= rounds && this.#height <= this.#beganAt
  }

  /** Of the own hand. */
  get #height(): number {
    return this.#options.tips()[this.#options.self]?.height ?? 0
  }

  connected(nowMs: number): void {
    this.#connectedMs = nowMs
    this.#heardMs = nowMs
  }

  /** Rounds that nobody hears are none: it is the tower no longer. */
  disconnected(): void {
    this.#connectedMs = undefined
    this.#isTower = false
  }

  /** Takes what agent `from` has said as tower; false when it does not count. */
  hear(from: number, { term, round, tips }: Said, nowMs: number): boolean {
    const { agents, self, rounds } = this.#options
    if (from < 0 || from >= agents || tips.length !== agents) return false
    if (term < 1 || round < 1 || round > rounds + 1) return false
    // Its own words, back from the broker.
    if (from === self && this.#isTower) return false
    const before = this.#followed
    const isSame = before?.from === from && before.term === term
    if (before !== undefined) {
      if (isSame && round === before.round) return true
      if (isSame ? round < before.round : !isBetter({ term, from }, before)) {
        // Who is worse shall hear of it.
        if (!isSame && this.#isTower) this.#saidMs = Number.NEGATIVE_INFINITY
        return false
      }
    }
    const known = before?.term ?? 0
    if (term > known + TERM_STEP_MAX || (term > known && !this.#terms.take(nowMs))) return false
    this.#follow({ from, term, round, tips })
    this.#isTower = false
    this.#heardMs = nowMs
    if (round > rounds) this.#outcome = 'complete'
    return true
  }

  #isSettled(nowMs: number): boolean {
    const sinceMs = this.#connectedMs
    return sinceMs !== undefined && nowMs - sinceMs >= Math.min(SETTLE_MS, this.#options.timeoutMs)
  }

  /** Who says that we have more ticks than there are makes us mine one, not all of them. */
  #follow(followed: Followed): void {
    this.#followed = followed
    this.#beganAt = Math.min(followed.tips[this.#options.self]?.height ?? 0, this.#height)
  }

  /** What has to be said now, as the tower; to be called after each event, and once a second at least. */
  step(nowMs: number): Said | undefined {
    if (this.#outcome !== undefined || this.#connectedMs === undefined) return undefined
    const { agents, rounds, timeoutMs } = this.#options
    if (nowMs - this.#startedMs > lastsMsMax(rounds, timeoutMs, agents)) {
      this.#outcome = 'unfinished'
      this.#isTower = false
      return undefined
    }
    if (!this.#isSettled(nowMs)) return undefined
    if (!this.#isTower) return this.#takeOver(nowMs)
    const { followed } = this
    if (followed === undefined) return undefined
    const tips = this.#options.tips()
    const isNewer = ({ height }: LabTip, index: number) => (tips[index]?.height ?? 0) > height
    const isWhole = this.#options.isWhole?.() ?? followed.tips.every(isNewer)
    if (isWhole || nowMs >= this.#deadlineMs)
      return this.#begin(followed.term, followed.round + 1, tips, nowMs)
    const repeatMs = Math.min(REPEAT_MS.max, Math.max(REPEAT_MS.min, timeoutMs / 3))
    return nowMs - this.#saidMs >= repeatMs ? this.#say(followed, nowMs) : undefined
  }

  #takeOver(nowMs: number): Said | undefined {
    const { self, timeoutMs, tips } = this.#options
    const { followed } = this
    const term = followed?.term ?? 0
    if (term >= TERM_MAX) return undefined
    // The tower was this agent, before it was cut off or started anew, and nobody has taken over.
    if (followed?.from === self) return this.#begin(term + 1, followed.round, followed.tips, nowMs)
    if (followed === undefined && self === 0) return this.#begin(1, 1, tips(), nowMs)
    if (nowMs - this.#heardMs < (SILENT_TIMEOUTS + self) * timeoutMs) return undefined
    return this.#begin(term + 1, (followed?.round ?? 0) + 1, tips(), nowMs)
  }

  #begin(term: number, round: number, tips: readonly LabTip[], nowMs: number): Said {
    const { self, rounds, timeoutMs } = this.#options
    this.#isTower = true
    this.#heardMs = nowMs
    this.#deadlineMs = nowMs + timeoutMs
    const begun = { from: self, term, round, tips }
    this.#follow(begun)
    if (round > rounds) this.#outcome = 'complete'
    return this.#say(begun, nowMs)
  }

  #say({ term, round, tips }: Followed, nowMs: number): Said {
    this.#saidMs = nowMs
    return { term, round, tips, leftMs: Math.max(0, Math.round(this.#deadlineMs - nowMs)) }
  }
}

const isBetter = (
  one: { readonly term: number; readonly from: number },
  other: { readonly term: number; readonly from: number },
): boolean => one.term > other.term || (one.term === other.term && one.from < other.from)
