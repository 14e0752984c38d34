/**
 * Many sites, each with a fast hand of its own, that share one slow hand: what do ticks name, from what distance in time on are two
 * events ordered, and what has to be said for it?
 *
 * Sites are joined by carriers, around one of them or in a ring. Validators speak as broker/validator.ts does, a carrier passes
 * each name on once, and what a miner remembers of that is node/newest.ts itself. A name says here until when its ledger's blocks are
 * in it, in milliseconds in the place of the height. Blocks and ticks come at random moments of a constant rate, since a difficulty rule
 * only keeps that rate; of two ticks on one parent the one that is built on stays.
 */
import { Newest } from '../../node/newest.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { Rng } from '../random.ts'

export interface SitesOptions {
  readonly seed: number
  readonly sites: number
  readonly joined: 'around-one' | 'ring'
  /** Mean time between blocks of a site. */
  readonly blockSeconds: number
  /** Blocks for each tick. */
  readonly ratio: number
  /** What a carrier and its lines take, for a tick as for a name. */
  readonly hopSeconds: number
  readonly ticks: number
  /** Pairs of events that are looked at. */
  readonly pairs: number
}

export interface SitesFigures {
  /** Ledgers that a tick names, in the mean. */
  readonly named: number
  /** Share of the ticks that lost. */
  readonly lost: number
  /** Names that a site's validator has spoken in an interval of the hand, in the mean, and how many of them were new. */
  readonly said: number
  readonly passed: number
  /** The distances in seconds at which half of all pairs, and 95 of 100, are in order, by the slow hand alone. */
  readonly half: number
  readonly most: number
}

/** Bins of distances. */
const BINS = 64
/** Distances that are looked at, in intervals of the hand. */
const DISTANCE_INTERVALS = 8

interface Tick {
  readonly at: number
  readonly site: number
  readonly height: number
  readonly parent: Tick | undefined
  /** Until when the blocks of each site are before it; nothing where it names none. */
  readonly named: Map<number, number>
}

/** What validators of a site have said: the moments, in seconds. */
interface Words {
  readonly at: number[]
  said: number
  passed: number
}

export class Sites {
  readonly #options: SitesOptions
  readonly #random: Rng
  readonly #ledgers: Hash[]
  readonly #words: readonly Words[]
  readonly #ticks: Tick[] = []

  constructor(options: SitesOptions) {
    this.#options = options
    this.#random = new Rng(`sites ${options.seed}`)
    this.#ledgers = Array.from({ length: options.sites }, (_, site) => hex(site))
    const found: { readonly at: number; readonly site: number }[] = []
    for (let at = 0; found.length < options.ticks; ) {
      at += this.#random.exponential(this.tickSeconds)
      found.push({ at, site: this.#random.whole(0, options.sites - 1) })
    }
    this.#words = this.#ledgers.map((_, site) => this.#wordsOf(site, found))
    for (const { at, site } of found) this.#ticks.push(this.#tick(at, site))
  }

  get tickSeconds(): number {
    return this.#options.blockSeconds * this.#options.ratio
  }

  figures(): SitesFigures {
    const best = this.#best()
    const { length } = this.#ticks
    const intervals = (this.#ticks.at(-1)?.at ?? 0) / this.tickSeconds
    const mean = (count: (words: Words) => number): number =>
      this.#words.reduce((sum, words) => sum + count(words), 0) / this.#words.length / intervals
    return {
      named: this.#ticks.reduce((sum, { named }) => sum + named.size, 0) / length,
      lost: 1 - best.length / length,
      said: mean(({ said }) => said),
      passed: mean(({ passed }) => passed),
      ...this.#order(best),
    }
  }

  /** How long what one site says is on its way to another. */
  #delay(from: number, to: number): number {
    return this.#hops(from, to) * this.#options.hopSeconds
  }

  #hops(from: number, to: number): number {
    if (from === to) return 0
    if (this.#options.joined === 'around-one') return from === 0 || to === 0 ? 1 : 2
    const apart = Math.abs(from - to)
    return Math.min(apart, this.#options.sites - apart)
  }

  /** At each fourth part of a tick's blocks, and at each tick that comes. */
  #wordsOf(site: number, found: readonly { readonly at: number; readonly site: number }[]): Words {
    const { blockSeconds, ratio } = this.#options
    const heard = found.map((tick) => tick.at + this.#delay(tick.site, site)).sort((a, b) => a - b)
    const words: Words = { at: [], said: 0, passed: 0 }
    const speak = (at: number, isNew: boolean): void => {
      words.said++
      if (!isNew) return
      words.passed++
      words.at.push(at)
    }
    let next = 0
    let unsaid = false
    const last = heard.at(-1) as number
    for (let at = 0, height = 1; next < heard.length && at < last; height++) {
      at += this.#random.exponential(blockSeconds)
      for (; next < heard.length && (heard[next] as number) < at; next++) {
        speak(heard[next] as number, unsaid)
        unsaid = false
      }
      unsaid = height % Math.ceil(ratio / 4) !== 0
      if (!unsaid) speak(at, true)
    }
    return words
  }

  #tick(at: number, site: number): Tick {
    const parent = this.#tipAt(at, site)
    return { at, site, parent, height: (parent?.height ?? 0) + 1, named: this.#namesAt(at, site) }
  }

  /** The best hand that a site knows: the highest tick, of several the one that came first. */
  #tipAt(moment: number, site: number): Tick | undefined {
    let tip: { readonly tick: Tick; readonly heard: number } | undefined
    const last = this.#lastBefore(moment)
    for (let index = last; index >= 0; index--) {
      const tick = this.#ticks[index] as Tick
      // What is so far back has been built on.
      if (tip !== undefined && tick.height < tip.tick.height - 8) break
      const heard = tick.at + this.#delay(tick.site, site)
      if (heard > moment) continue
      const { height = 0 } = tip?.tick ?? {}
      if (tick.height > height || (tick.height === height && heard < (tip?.heard ?? 0))) tip = { tick, heard }
    }
    return tip?.tick
  }

  #lastBefore(moment: number): number {
    let [low, high] = [0, this.#ticks.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#ticks[middle] as Tick).at <= moment) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** What a miner of the site would put into a tick: its own blocks, and what its carriers have told its validators. */
  #namesAt(at: number, site: number): Map<number, number> {
    const newest = new Newest({
      monotonic: () => at * 1000,
      random: () => this.#random.next(),
      interval: this.tickSeconds * 1000,
    })
    for (const [from, { at: words }] of this.#words.entries()) {
      const word = from === site ? undefined : lastUntil(words, at - this.#delay(from, site))
      if (word === undefined) continue
      const anchor = { ledger: hex(from), height: Math.floor(word * 1000), block: hex(from) }
      newest.hear(hex(this.#carrier(from, site)) as string as Account, anchor)
    }
    const named = new Map([[site, at]])
    for (const { ledger, height } of newest.others(hex(site)))
      named.set(Number.parseInt(ledger, 16), height / 1000)
    return named
  }

  /** Of those at a site, the one over which another site's names come, by the site to which it goes. */
  #carrier(from: number, site: number): number {
    const { sites, joined } = this.#options
    if (joined === 'around-one') return site === 0 ? from : 0
    return (from - site + sites) % sites <= sites / 2 ? (site + 1) % sites : (site - 1 + sites) % sites
  }

  /** The ticks that stay, from the first on. */
  #best(): readonly Tick[] {
    const best: Tick[] = []
    let tick: Tick | undefined = this.#ticks.reduce((a, b) => (b.height > a.height ? b : a))
    for (; tick !== undefined; tick = tick.parent) best.push(tick)
    return best.reverse()
  }

  #order(best: readonly Tick[]): { readonly half: number; readonly most: number } {
    const { pairs, sites } = this.#options
    const end = this.#ticks.at(-1)?.at ?? 0
    const reach = DISTANCE_INTERVALS * this.tickSeconds
    const bins = Array.from({ length: BINS }, () => ({ all: 0, ordered: 0 }))
    for (let pair = 0; pair < pairs; pair++) {
      const distance = this.#random.between(0, reach)
      const at = this.#random.between(reach, end - 2 * reach)
      const [first, second] = [at, at + distance].map((moment) => ({
        site: this.#random.whole(0, sites - 1),
        moment,
      })) as [Event, Event]
      const bin = bins[Math.floor((distance / reach) * BINS)] as { all: number; ordered: number }
      invariant(this.#before(best, second) > this.#after(best, first), 'no order is wrong')
      bin.all++
      bin.ordered += this.#before(best, first) <= this.#after(best, second) ? 1 : 0
    }
    return { half: distanceAt(bins, 0.5, reach), most: distanceAt(bins, 0.95, reach) }
  }

  /** Height of the tick that a block of this moment names; where that tick lost, of the last one before it that did not. */
  #after(best: readonly Tick[], { site, moment }: Event): number {
    let tick = this.#tipAt(moment, site)
    while (tick !== undefined && best[tick.height - 1] !== tick) tick = tick.parent
    return tick?.height ?? 0
  }

  /** Height of the first tick that names a block of this moment or a later one. */
  #before(best: readonly Tick[], { site, moment }: Event): number {
    for (let index = this.#after(best, { site, moment }); index < best.length; index++)
      if (((best[index] as Tick).named.get(site) ?? 0) >= moment) return index + 1
    return Number.POSITIVE_INFINITY
  }
}

interface Event {
  readonly site: number
  /** At which a block was found. */
  readonly moment: number
}

const hex = (index: number): Hash => index.toString(16).padStart(64, '0') as Hash

/** The last that is not later. */
function lastUntil(sorted: readonly number[], moment: number): number | undefined {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) <= moment) low = middle + 1
    else high = middle
  }
  return sorted[low - 1]
}

/** Where the share of pairs in order crosses this one for good, between the middles of two bins. */
function distanceAt(
  bins: readonly { readonly all: number; readonly ordered: number }[],
  share: number,
  reach: number,
): number {
  const shares = bins.map(({ all, ordered }) => ordered / all)
  const last = shares.findLastIndex((each) => each < share)
  const [below = 0, above] = [shares[last], shares[last + 1]]
  if (above === undefined) return Number.POSITIVE_INFINITY
  return ((last + 0.5 + (share - below) / (above - below)) * reach) / BINS
}
