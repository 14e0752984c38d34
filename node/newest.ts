/**
 * What is said of the newest blocks of ledgers that share a hand, for ticks to name.
 *
 * Nobody here can check it, so a height counts for nothing, or the highest lie would stay. With each tick those who speak are put in
 * another random order, and of a ledger counts the last word of the first that speaks of it: who lies about ledgers, or makes
 * some up, has its share of the ticks and no more, and none once it is silent. Invariant: nobody holds more words than a tick has
 * anchors, and all together no more than `WORDS_MAX`. Source: docs/PROTOCOL.md section 14.
 */
import type { Account, Hash } from '../schemas/hex.ts'
import { ANCHORS_MAX, type Anchor } from '../schemas/tick.ts'
import type { Random } from './backoff.ts'
import { TokenBucket } from './token-bucket.ts'

/** Intervals of the hand for which a word is good: who lives speaks at each tick. */
const WORD_INTERVALS = 4
/** Of all that speak; each has some 300 bytes. */
const WORDS_MAX = 4 * ANCHORS_MAX
/** Of one that speaks, on each ledger that a tick can name, in an interval of the hand: validators have some five to say. */
const WORDS_PER_INTERVAL = 8

const NEWCOMER = 1
const KEPT = 2 ** 40

interface Speaker {
  /** The lowest is first: below 1, then newcomers as they came, then of whom the broker has kept a word. */
  rank: number
  readonly bucket: TokenBucket
  /** By ledger, the word said last at the end. */
  readonly words: Map<Hash, { readonly anchor: Anchor; readonly untilMs: number }>
}

export interface NewestModules {
  /** Milliseconds. */
  readonly monotonic: () => number
  readonly random: Random
  /** Of the hand, in milliseconds. */
  readonly interval: number
}

export class Newest {
  readonly #modules: NewestModules
  readonly #speakers = new Map<Account, Speaker>()
  #words = 0
  #newcomers = 0

  constructor(modules: NewestModules) {
    this.#modules = modules
  }

  /** Takes a word, which may be one that a broker kept; whether it is the one of its ledger that counts now. */
  hear(publisher: Account, anchor: Anchor, isKept = false): boolean {
    const nowMs = this.#modules.monotonic()
    const speaker = this.#speaker(publisher, nowMs)
    if (!isKept && speaker.rank >= KEPT) speaker.rank = NEWCOMER + this.#newcomers++
    if (!speaker.bucket.take(nowMs)) return false
    const { words } = speaker
    this.#words -= words.delete(anchor.ledger) ? 1 : 0
    words.set(anchor.ledger, { anchor, untilMs: nowMs + WORD_INTERVALS * this.#modules.interval })
    this.#words++
    if (words.size > ANCHORS_MAX) this.#dropOldest(speaker)
    if (this.#words > WORDS_MAX) this.#dropOldest(this.#longest())
    return this.of(anchor.ledger) === anchor
  }

  /** The block of a ledger that counts now. */
  of(ledger: Hash): Anchor | undefined {
    const nowMs = this.#modules.monotonic()
    let first: { readonly rank: number; readonly anchor: Anchor } | undefined
    for (const { rank, words } of this.#speakers.values()) {
      const word = words.get(ledger)
      if (word !== undefined && word.untilMs > nowMs && rank < (first?.rank ?? Number.POSITIVE_INFINITY))
        first = { rank, anchor: word.anchor }
    }
    return first?.anchor
  }

  /** Those of all ledgers but one, at most as many as a tick holds beside that one. */
  others(own: Hash): Anchor[] {
    const nowMs = this.#modules.monotonic()
    const anchors = new Map<Hash, Anchor>()
    for (const { words } of [...this.#speakers.values()].sort((a, b) => a.rank - b.rank))
      for (const [ledger, { anchor, untilMs }] of words) {
        if (anchors.size === ANCHORS_MAX - 1) return [...anchors.values()]
        if (ledger !== own && untilMs > nowMs && !anchors.has(ledger)) anchors.set(ledger, anchor)
      }
    return [...anchors.values()]
  }

  /** The hand has a new tip: another order. */
  shuffle(): void {
    for (const speaker of this.#speakers.values())
      if (speaker.rank < KEPT) speaker.rank = this.#modules.random()
  }

  clear(): void {
    this.#speakers.clear()
    this.#words = 0
  }

  #speaker(publisher: Account, nowMs: number): Speaker {
    const known = this.#speakers.get(publisher)
    if (known !== undefined) return known
    const { interval } = this.#modules
    const perSecond = (WORDS_PER_INTERVAL * ANCHORS_MAX * 1000) / interval
    const bucket = new TokenBucket({ perSecond, burst: ANCHORS_MAX }, nowMs)
    // Behind others until the next tick: who has just come may have blocks to catch up with. Last of all until it speaks: it may be gone.
    const speaker: Speaker = { rank: KEPT + this.#newcomers++, bucket, words: new Map() }
    this.#speakers.set(publisher, speaker)
    return speaker
  }

  /** Who has most words. */
  #longest(): Speaker {
    return [...this.#speakers.values()].reduce((a, b) => (b.words.size > a.words.size ? b : a))
  }

  #dropOldest({ words }: Speaker): void {
    for (const oldest of words.keys()) {
      words.delete(oldest)
      this.#words--
      break
    }
    if (words.size > 0) return
    for (const [publisher, speaker] of this.#speakers)
      if (speaker.words === words) this.#speakers.delete(publisher)
  }
}
