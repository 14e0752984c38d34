/**
 * Catching up with a peer: headers first, and bodies only once the headers prove more work than ours.
 *
 * Headers are checked (link, target, proof of work, time) before a body is asked for; bodies come in order, so that
 * each has its parent. Anybody may claim anything and answer slowly, so a few peers are asked at once, those who only
 * sent a block with an unknown parent never take the place of those who announce a tip, and a peer from whom nothing
 * was gained is left alone, each time for longer. Source: docs/PROTOCOL.md section 8.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chain, Update } from '../ledger/chain.ts'
import type { Fault } from '../ledger/fault.ts'
import { checkHeader, type Position } from '../ledger/header.ts'
import { HEADER_BYTES } from '../schemas/block.ts'
import { type Account, type Hash, hashFromBytes, short } from '../schemas/hex.ts'
import { BLOCKS_MAX, HEADERS_MAX } from '../schemas/message.ts'
import type { Result } from '../schemas/result.ts'
import type { Log } from './log.ts'
import { REQUESTS_DEFAULTS, type Requests } from './requests.ts'
import { BucketPerKey } from './token-bucket.ts'

/** Why a peer is asked: it announces a better tip, or it published a block whose parent we lack. */
export type Cause = 'tip' | 'orphan'
/** Catch-ups at once, by cause. */
const AT_ONCE_MAX: Readonly<Record<Cause, number>> = { tip: 2, orphan: 4 }
/** A little slower than a peer answers: it drops what is beyond its limit without a word. */
const { perSecond, burst } = REQUESTS_DEFAULTS.perRequester
const PACE = { perSecond: perSecond - 1, burst: burst - 4 } as const
const PACE_STEP_MS = 50
/** Headers looked at in one catch-up; the next one goes on from there. */
const HEADERS_PER_RUN_MAX = 100_000
/** How long a peer is not asked again from whom nothing was gained: at first, and at most. */
const REST_MS = { first: 2_500, most: 60_000 } as const
const PEERS_RESTING_MAX = 1_000
const PROGRESS_EVERY_MS = 2_000

export interface SyncModules {
  readonly chain: Chain
  readonly requests: Requests
  readonly log: Log
  /** Wall clock, for block times. */
  readonly now: () => number
  /** Milliseconds that never jump. */
  readonly monotonic: () => number
  /** Checks, stores and announces one block. */
  readonly accept: (bytes: Uint8Array) => Result<Update, Fault>
}

export class Sync {
  readonly #modules: SyncModules
  readonly #resting = new Map<Account, { readonly untilMs: number; readonly restMs: number }>()
  readonly #asked: Readonly<Record<Cause, Set<Account>>> = { tip: new Set(), orphan: new Set() }
  readonly #pace = new BucketPerKey(PACE, PEERS_RESTING_MAX)
  #downloading = 0
  #stopped = false

  constructor(modules: SyncModules) {
    this.#modules = modules
  }

  /** True while bodies are fetched whose headers have proved more work than ours. */
  get downloading(): boolean {
    return this.#downloading > 0
  }

  /** Whether `from` would ask this peer now. */
  mayAsk(peer: Account, cause: Cause): boolean {
    if (this.#stopped || this.#asked.tip.has(peer) || this.#asked.orphan.has(peer)) return false
    if (this.#asked[cause].size >= AT_ONCE_MAX[cause]) return false
    return (this.#resting.get(peer)?.untilMs ?? 0) <= this.#modules.monotonic()
  }

  stop(): void {
    this.#stopped = true
  }

  /** Catches up with `peer` if it may be asked. True when our chain has more work afterwards. */
  async from(peer: Account, cause: Cause): Promise<boolean> {
    const { chain, log } = this.#modules
    if (!this.mayAsk(peer, cause)) return false
    const { work } = chain.tip
    this.#asked[cause].add(peer)
    try {
      const fault = await this.#catchUp(peer)
      if (fault !== undefined) log.info('catching up failed', { peer: short(peer), reason: fault })
      const gained = chain.tip.work > work
      if (gained && fault === undefined) this.#resting.delete(peer)
      else this.#rest(peer)
      return gained
    } finally {
      this.#asked[cause].delete(peer)
    }
  }

  #rest(peer: Account): void {
    const last = this.#resting.get(peer)
    const restMs = last === undefined ? REST_MS.first : Math.min(2 * last.restMs, REST_MS.most)
    if (this.#resting.size >= PEERS_RESTING_MAX) this.#resting.clear()
    this.#resting.set(peer, { untilMs: this.#modules.monotonic() + restMs, restMs })
  }

  /** Undefined when done, else why not. */
  async #catchUp(peer: Account): Promise<string | undefined> {
    const wanted = await this.#headers(peer)
    if (typeof wanted === 'string') return wanted
    if (wanted.length === 0) return undefined
    this.#downloading++
    try {
      return await this.#bodies(peer, wanted)
    } finally {
      this.#downloading--
    }
  }

  /** Waits until the peer will answer one more question. */
  async #turnOf(peer: Account): Promise<void> {
    while (!this.#stopped && !this.#pace.take(peer, this.#modules.monotonic())) await sleep(PACE_STEP_MS)
  }

  /** Hashes of the blocks that the peer's better chain has and ours has not. */
  async #headers(peer: Account): Promise<readonly Hash[] | string> {
    const { chain, requests, now } = this.#modules
    const wanted: Hash[] = []
    let last: Position | undefined
    let locator = chain.locator()
    while (wanted.length < HEADERS_PER_RUN_MAX) {
      await this.#turnOf(peer)
      const answer = await requests.ask(peer, { type: 'getHeaders', locator, limit: HEADERS_MAX })
      if (!answer.ok) return answer.fault.message
      const { headers } = answer.value
      let early = false
      for (const header of headers) {
        const parent: Position | undefined = last ?? chain.entry(header.parent)
        if (parent === undefined) return `a header on ${short(header.parent)}, which we do not have`
        const checked = checkHeader(chain.network, header, parent, now())
        if (!checked.ok) {
          // Only time can mend it. A header that does not follow the last one, above all one sent again, never ends.
          if (checked.fault.code === 'time-too-new') {
            early = true
            break
          }
          return `a bad header: ${checked.fault.code} ${checked.fault.message}`
        }
        last = checked.value
        if (chain.isInvalid(last.hash)) return 'its chain has a block that broke a rule'
        if (chain.entry(last.hash) === undefined) wanted.push(last.hash)
      }
      if (early || headers.length < HEADERS_MAX || last === undefined) break
      locator = [last.hash]
    }
    if (last === undefined || last.work <= chain.tip.work) return []
    return wanted
  }

  async #bodies(peer: Account, wanted: readonly Hash[]): Promise<string | undefined> {
    const { chain, requests, log, monotonic: now } = this.#modules
    const startedMs = now()
    let shownMs = startedMs
    for (let done = 0; done < wanted.length; ) {
      if (this.#stopped) return undefined
      // Meanwhile it came from somebody else.
      if (chain.entry(wanted[done] as Hash) !== undefined) {
        done++
        continue
      }
      const hashes = wanted.slice(done, done + BLOCKS_MAX)
      await this.#turnOf(peer)
      const answer = await requests.ask(peer, { type: 'getBlocks', hashes })
      if (!answer.ok) return answer.fault.message
      if (answer.value.blocks.length === 0) return `it has no body for ${short(hashes[0] as Hash)}`
      for (const bytes of answer.value.blocks.slice(0, hashes.length)) {
        // A full block takes long to check: keep-alives and other messages come in between.
        await turn()
        if (this.#stopped) return undefined
        const hash = hashFromBytes(chain.network.hashing.double(bytes.subarray(0, HEADER_BYTES)))
        if (hash !== wanted[done]) return 'another block than the one asked for'
        const outcome = this.#modules.accept(bytes)
        if (!outcome.ok && outcome.fault.code !== 'known')
          return `${outcome.fault.code} ${outcome.fault.message}`
        done++
      }
      if (now() - shownMs >= PROGRESS_EVERY_MS || (done === wanted.length && done > 1)) {
        shownMs = now()
        const perSecond = (done / Math.max(1, shownMs - startedMs)) * 1000
        log.info('catching up', {
          from: short(peer),
          blocks: `${done}/${wanted.length}`,
          height: chain.tip.height,
          'per-second': perSecond.toFixed(0),
          'seconds-left': ((wanted.length - done) / Math.max(perSecond, 0.1)).toFixed(0),
        })
      }
    }
    return undefined
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
