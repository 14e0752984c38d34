/**
 * Catching up with a peer: headers first, and bodies only once the headers prove more work than ours, or lead to a certified block.
 *
 * Anybody may claim anything and answer slowly, so a few peers are asked at once, those who only sent a block with an
 * unknown parent never take the place of those who announce a tip, and a peer from whom nothing was gained is left alone, each
 * time for longer. Every block that is connected is on disk: whatever ends a catch-up, the next one goes on from there.
 * Passes over headers: `header-sync.ts`; bodies from several peers: `body-sync.ts`. Source: docs/PROTOCOL.md section 8.
 */
import type { Chain, Update } from '../ledger/chain.ts'
import type { Fault } from '../ledger/fault.ts'
import { headerHash } from '../ledger/header.ts'
import type { Checkpoint } from '../schemas/checkpoint.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { accept, type Result } from '../schemas/result.ts'
import { Bell } from './bell.ts'
import { BodySync } from './body-sync.ts'
import {
  type HeaderLimits,
  HeaderSync,
  type HeaderSyncModules,
  type Stretch,
  type Survey,
} from './header-sync.ts'
import type { Log } from './log.ts'
import type { Peers } from './peers.ts'
import { REQUESTS_DEFAULTS, type Requests } from './requests.ts'
import { Settled } from './settled.ts'
import { bar, type Progress, ProgressMeter } from './sync-progress.ts'
import { systemTimers, type Timers } from './timers.ts'
import { BucketPerKey } from './token-bucket.ts'

/** Why a peer is asked: it announces a better tip, or it published a block whose parent we lack. */
export type Cause = 'tip' | 'orphan'
/** Catch-ups at once, by cause. */
const AT_ONCE_MAX: Readonly<Record<Cause, number>> = { tip: 2, orphan: 4 }
/** A little slower than a peer answers: it drops what is beyond its limit without a word. */
const { perSecond, burst } = REQUESTS_DEFAULTS.perRequester
const PACE = { perSecond: perSecond - 1, burst: burst - 4 } as const
/** How long a peer is not asked again from whom nothing was gained: at first, and at most. */
const REST_MS = { first: 2_500, most: 60_000 } as const
const PEERS_RESTING_MAX = 1_000
/** A download that brings no block for so long is none. */
const STALLED_MS = 15_000
/** After one that brought nothing at all, so long the next ones count only once they have brought a block. */
const WITHHELD_MS = 120_000
const PROGRESS_EVERY_MS = 2_000

export interface SyncModules {
  readonly chain: Chain
  readonly requests: Pick<Requests, 'ask'>
  /** Who claims what: others with as much work help with the bodies. */
  readonly peers: Pick<Peers, 'claiming' | 'height'>
  readonly log: Log
  /** Wall clock, for block times. */
  readonly now: () => number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  readonly timers?: Timers
  readonly headerLimits?: HeaderLimits
  /** Whether a block is certified and not here: its chain is fetched whatever its work. */
  readonly wants?: (hash: Hash) => boolean
  /** Height of the highest such block, 0 without one. */
  readonly wantedHeight?: () => number
  /** The block that our chain lacks and without which no chain is followed, if there is one. */
  readonly trusted?: () => Checkpoint | undefined
  /** Checks, stores and announces one block. */
  readonly accept: (bytes: Uint8Array) => Result<Update, Fault>
}

/** One catch-up. */
interface Run {
  readonly peer: Account
  readonly meter: ProgressMeter
  shownMs: number
  downloading: boolean
  /** Whether its chain leads to a certified block or to the trusted one. */
  isVouched: boolean
  /** Blocks that are being fetched, and the one before them. */
  stretch: Stretch | undefined
  below: Hash | undefined
  /** Whether it has brought a block, and when the last one came, or the download began. */
  brought: boolean
  newsMs: number
}

export class Sync {
  readonly #modules: SyncModules
  readonly #timers: Timers
  readonly #settled: Settled
  readonly #resting = new Map<Account, { readonly untilMs: number; readonly restMs: number }>()
  readonly #asked: Readonly<Record<Cause, Set<Account>>> = { tip: new Set(), orphan: new Set() }
  readonly #pace = new BucketPerKey(PACE, PEERS_RESTING_MAX)
  readonly #runs = new Set<Run>()
  /** When each block was asked for, by any run: two that follow the same chain share the work. */
  readonly #blocksAsked = new Map<Hash, number>()
  /** Rung at the end, for all who wait. */
  readonly #bells = new Set<Bell>()
  #bodiesPerSecond: number | undefined
  #withheldUntilMs = 0
  #stopped = false

  constructor(modules: SyncModules) {
    this.#modules = modules
    this.#timers = modules.timers ?? systemTimers
    this.#settled = new Settled(modules.chain, this.#timers)
  }

  /**
   * True while bodies come whose headers have proved more work than ours. Whoever has one block can keep its body back, and
   * must not keep all from mining with it, under one name after the other.
   */
  get downloading(): boolean {
    return this.#coming.length > 0
  }

  /** Whether a chain comes that is not ours so far: what we have above the fork may have to go. */
  get hasRival(): boolean {
    return this.#coming.some((run) => !this.#isOurs(run))
  }

  /** Whether the chain that comes is the one that we are on, and leads to a certified block or to the trusted one. */
  get isVouched(): boolean {
    return this.#coming.some((run) => run.isVouched && this.#isOurs(run))
  }

  /** How far the catch-up is that is furthest; undefined when there is none. */
  get progress(): Progress | undefined {
    const runs = [...this.#runs]
    const run = runs.find(({ downloading }) => downloading) ?? runs[0]
    const progress = run?.meter.view(this.#modules.monotonic(), this.#bodiesPerSecond)
    return progress?.of === 0 ? undefined : progress
  }

  /** Whether `from` would ask this peer now. */
  mayAsk(peer: Account, cause: Cause): boolean {
    if (this.#stopped || this.#asked.tip.has(peer) || this.#asked.orphan.has(peer)) return false
    if (this.#asked[cause].size >= AT_ONCE_MAX[cause]) return false
    return !this.#isResting(peer)
  }

  stop(): void {
    this.#stopped = true
    for (const bell of this.#bells) bell.ring()
  }

  /** Catches up with `peer` if it may be asked. True when our chain has more work afterwards. */
  async from(peer: Account, cause: Cause): Promise<boolean> {
    const { chain, log, monotonic } = this.#modules
    if (!this.mayAsk(peer, cause)) return false
    const { work } = chain.tip
    const justified = chain.justified.height
    const nowMs = monotonic()
    const none = {
      downloading: false,
      isVouched: false,
      stretch: undefined,
      below: undefined,
      brought: false,
      newsMs: nowMs,
    }
    const run: Run = { peer, meter: new ProgressMeter(nowMs), shownMs: nowMs, ...none }
    this.#asked[cause].add(peer)
    this.#runs.add(run)
    try {
      const fault = await this.#catchUp(run)
      if (fault !== undefined) log.info('catching up failed', { peer: short(peer), reason: fault })
      if (fault !== undefined && run.downloading && !run.brought)
        this.#withheldUntilMs = monotonic() + WITHHELD_MS
      const gained = chain.tip.work > work || chain.justified.height > justified
      if (gained && fault === undefined) this.#resting.delete(peer)
      else this.#rest(peer)
      return gained
    } finally {
      this.#asked[cause].delete(peer)
      this.#runs.delete(run)
    }
  }

  /** Catch-ups whose bodies come. */
  get #coming(): readonly Run[] {
    const nowMs = this.#modules.monotonic()
    return [...this.#runs].filter(
      ({ downloading, brought, newsMs }) =>
        downloading && nowMs - newsMs <= STALLED_MS && (brought || nowMs >= this.#withheldUntilMs),
    )
  }

  /** Whether our best chain is that of a catch-up, as far as its blocks are here. */
  #isOurs({ stretch, below }: Run): boolean {
    const { chain } = this.#modules
    const { tip, network } = chain
    if (stretch === undefined) return false
    if (tip.height < stretch.height) return tip.hash === below
    const height = Math.min(tip.height, stretch.height + stretch.hashes.length - 1)
    return headerHash(network.hashing, chain.header(height)) === stretch.hashes[height - stretch.height]
  }

  #isResting(peer: Account): boolean {
    return (this.#resting.get(peer)?.untilMs ?? 0) > this.#modules.monotonic()
  }

  #rest(peer: Account): void {
    const last = this.#resting.get(peer)
    const restMs = last === undefined ? REST_MS.first : Math.min(2 * last.restMs, REST_MS.most)
    if (this.#resting.size >= PEERS_RESTING_MAX) this.#resting.clear()
    this.#resting.set(peer, { untilMs: this.#modules.monotonic() + restMs, restMs })
  }

  /** Undefined when done, else why not. */
  async #catchUp(run: Run): Promise<string | undefined> {
    const { chain, monotonic } = this.#modules
    const bell = new Bell(this.#timers)
    this.#bells.add(bell)
    try {
      const trusted = this.#modules.trusted?.()
      const headers = this.#headers(run, bell, trusted)
      const found = await headers.survey()
      if (!found.ok) return found.fault
      const survey = found.value
      if (this.#stopped || survey === undefined) return undefined
      if (survey.work <= chain.tip.work && !survey.wanted) return undefined
      if (survey.fork < chain.final.height) return this.#tooDeep(survey)
      run.downloading = true
      run.isVouched = survey.wanted || trusted !== undefined
      run.newsMs = monotonic()
      const claimed = survey.ended ? survey.height : (this.#modules.peers.height(run.peer) ?? 0)
      run.meter.begin('bodies', Math.max(survey.height, claimed) - survey.root, monotonic())
      return await this.#download(run, headers, survey, bell)
    } finally {
      this.#bells.delete(bell)
    }
  }

  #headers(run: Run, bell: Bell, trusted: Checkpoint | undefined): HeaderSync {
    const { chain, requests, peers, monotonic, now, wants, wantedHeight } = this.#modules
    const { peer, meter } = run
    let begun = false
    const modules: HeaderSyncModules = {
      chain,
      settled: this.#settled,
      now,
      wants: (hash) => wants?.(hash) === true,
      wantedHeight: wantedHeight?.() ?? 0,
      trusted,
      ask: async (locator, limit) => {
        await this.#turnOf(peer, bell)
        const answer = await requests.ask(peer, { type: 'getHeaders', locator, limit })
        return answer.ok ? accept(answer.value.headers) : answer
      },
      onHeaders: (count, height) => {
        const nowMs = monotonic()
        if (!begun) meter.begin('headers', (peers.height(peer) ?? height) - height + count, run.shownMs)
        begun = true
        meter.count(count, nowMs)
        this.#show(run, false)
      },
    }
    return new HeaderSync(modules, this.#modules.headerLimits)
  }

  /** Waits until the peer will answer one more question. */
  async #turnOf(peer: Account, bell: Bell): Promise<void> {
    while (!this.#stopped) {
      const waitMs = this.#pace.takeOrWaitMs(peer, this.#modules.monotonic())
      if (waitMs === 0) return
      await bell.wait(waitMs)
    }
  }

  async #download(run: Run, headers: HeaderSync, { work }: Survey, bell: Bell): Promise<string | undefined> {
    const bodies = this.#bodies(run, work, bell)
    // The next headers come while these bodies do.
    for (let next = headers.next(); ; ) {
      const stretch = await next
      if (!stretch.ok) return stretch.fault
      if (stretch.value === undefined || this.#stopped) break
      next = headers.next()
      run.below = run.stretch?.hashes.at(-1)
      run.stretch = stretch.value
      const fault = await bodies.fetch(stretch.value)
      if (fault !== undefined || this.#stopped) return fault
    }
    this.#show(run, true)
    return undefined
  }

  #bodies(run: Run, work: bigint, bell: Bell): BodySync {
    const { chain, requests, peers, monotonic, log } = this.#modules
    return new BodySync({
      chain,
      timers: this.#timers,
      monotonic,
      bell,
      asked: this.#blocksAsked,
      stopped: () => this.#stopped,
      peers: () => [
        run.peer,
        ...peers.claiming(work).filter((peer) => peer !== run.peer && !this.#isResting(peer)),
      ],
      takeOrWaitMs: (peer) => this.#pace.takeOrWaitMs(peer, monotonic()),
      ask: async (peer, height, hashes) => {
        const answer = await requests.ask(peer, { type: 'getBlocks', height, hashes })
        return answer.ok ? accept(answer.value.blocks) : answer
      },
      accept: this.#modules.accept,
      onConnected: (blocks, known) => {
        if (known) run.meter.skip(blocks)
        else {
          run.brought = true
          run.newsMs = monotonic()
          run.meter.count(blocks, run.newsMs)
        }
        this.#show(run, false)
      },
      onFailed: (peer, reason, stalled) => {
        log.debug('another peer is asked for blocks', { instead: short(peer), reason })
        if (stalled && peer !== run.peer) this.#rest(peer)
      },
    })
  }

  #tooDeep({ fork, height }: Survey): string {
    const { final } = this.#modules.chain
    this.#modules.log.warn('a chain with more work leaves ours where nothing can be undone any more', {
      fork,
      final: final.height,
      height,
      remedy:
        'compare with other nodes; if it is ours that is wrong, start anew from a snapshot or an empty data directory',
    })
    return `its chain leaves ours after block ${fork}, below block ${final.height}, which can no longer be undone`
  }

  /** Tells how far a run is, from time to time, and at its end. */
  #show(run: Run, ended: boolean): void {
    const { chain, log, monotonic } = this.#modules
    const nowMs = monotonic()
    if (!ended && nowMs - run.shownMs < PROGRESS_EVERY_MS) return
    run.shownMs = nowMs
    const progress = run.meter.view(nowMs, this.#bodiesPerSecond)
    const { phase, done, of, perSecond, secondsLeft } = progress
    if (phase === 'bodies' && perSecond > 0) this.#bodiesPerSecond = perSecond
    if (ended && done <= 1) return
    log.info('catching up', {
      from: short(run.peer),
      progress: bar(progress),
      [phase === 'bodies' ? 'blocks' : 'headers']: `${done}/${of}`,
      height: chain.tip.height,
      'per-second': perSecond.toFixed(0),
      'seconds-left': secondsLeft?.toFixed(0),
    })
  }
}
