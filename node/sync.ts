/**
 * Catching up with a peer: headers first, and bodies only once the headers prove more work than ours.
 *
 * One catch-up runs at a time. Headers are checked (link, target, proof of work, time) before a body is asked for;
 * bodies come in order, so that each has its parent. A peer that fails is left alone for a while.
 * Source: docs/PROTOCOL.md section 8.
 */
import type { Chain, Update } from '../ledger/chain.ts'
import type { Fault } from '../ledger/fault.ts'
import { verdictOf } from '../ledger/fault.ts'
import { checkHeader, type Position } from '../ledger/header.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { HEADERS_MAX } from '../schemas/message.ts'
import type { Result } from '../schemas/result.ts'
import type { Log } from './log.ts'
import type { Requests } from './requests.ts'

/** Bodies asked for at once. */
const BLOCKS_PER_REQUEST = 32
/** Headers looked at in one catch-up; the next one goes on from there. */
const HEADERS_PER_RUN_MAX = 100_000
/** How long a peer that failed is not asked again. */
const PEER_REST_MS = 5_000
const PEERS_RESTING_MAX = 1_000
const PROGRESS_EVERY_MS = 2_000

export interface SyncModules {
  readonly chain: Chain
  readonly requests: Requests
  readonly log: Log
  readonly now: () => number
  /** Checks, stores and announces one block. */
  readonly accept: (bytes: Uint8Array) => Result<Update, Fault>
}

export class Sync {
  readonly #modules: SyncModules
  readonly #resting = new Map<Account, number>()
  #running = false
  #stopped = false

  constructor(modules: SyncModules) {
    this.#modules = modules
  }

  get running(): boolean {
    return this.#running
  }

  stop(): void {
    this.#stopped = true
  }

  /** Catches up with `peer` unless a catch-up runs or the peer has just failed. True when it ended well. */
  async from(peer: Account): Promise<boolean> {
    const { log, now } = this.#modules
    if (this.#running || this.#stopped || (this.#resting.get(peer) ?? 0) > now()) return false
    this.#running = true
    try {
      const fault = await this.#catchUp(peer)
      if (fault === undefined) return true
      log.info('catching up failed', { peer: short(peer), reason: fault })
      if (this.#resting.size >= PEERS_RESTING_MAX) this.#resting.clear()
      this.#resting.set(peer, now() + PEER_REST_MS)
      return false
    } finally {
      this.#running = false
    }
  }

  /** Undefined when done, else why not. */
  async #catchUp(peer: Account): Promise<string | undefined> {
    const wanted = await this.#headers(peer)
    if (typeof wanted === 'string') return wanted
    return this.#bodies(peer, wanted)
  }

  /** Hashes of the blocks that the peer's better chain has and ours has not. */
  async #headers(peer: Account): Promise<readonly Hash[] | string> {
    const { chain, requests, now } = this.#modules
    const wanted: Hash[] = []
    let last: Position | undefined
    let locator = chain.locator()
    while (wanted.length < HEADERS_PER_RUN_MAX) {
      const answer = await requests.ask(peer, { type: 'getHeaders', locator, limit: HEADERS_MAX })
      if (!answer.ok) return answer.fault.message
      const { headers } = answer.value
      for (const header of headers) {
        const parent: Position | undefined = last ?? chain.entry(header.parent)
        if (parent === undefined) return `a header on ${short(header.parent)}, which we do not have`
        const checked = checkHeader(chain.network, header, parent, now())
        if (!checked.ok) {
          if (verdictOf(checked.fault) === 'hold') break
          return `a bad header: ${checked.fault.code} ${checked.fault.message}`
        }
        last = checked.value
        if (chain.isInvalid(last.hash)) return 'its chain has a block that broke a rule'
        if (chain.entry(last.hash) === undefined) wanted.push(last.hash)
      }
      if (headers.length < HEADERS_MAX || last === undefined) break
      locator = [last.hash]
    }
    if (last === undefined || last.work <= chain.tip.work) return []
    return wanted
  }

  async #bodies(peer: Account, wanted: readonly Hash[]): Promise<string | undefined> {
    const { chain, requests, log, now } = this.#modules
    const startedMs = now()
    let shownMs = startedMs
    for (let done = 0; done < wanted.length; ) {
      if (this.#stopped) return undefined
      const hashes = wanted.slice(done, done + BLOCKS_PER_REQUEST)
      const answer = await requests.ask(peer, { type: 'getBlocks', hashes })
      if (!answer.ok) return answer.fault.message
      if (answer.value.blocks.length === 0) return `it has no body for ${short(hashes[0] as Hash)}`
      for (const bytes of answer.value.blocks.slice(0, hashes.length)) {
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
