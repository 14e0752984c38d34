/**
 * Watches the hands of a network's clock as blocks and ticks come: whose wall clock is off, ours included.
 *
 * A miner writes its own time into a block within a second of finding it, so the time at which the block comes here, less that time, is the
 * difference of two clocks and a short way. Only blocks count that came live: a catch-up says nothing. A machine that is far behind can
 * take none of them, so those count, too, that are too new for it, if they have a proof of work. Time is never taken from others, this
 * only tells a person. Source: docs/CLOCKCHAIN.md.
 */
import { checkBody, parseBlock } from '../ledger/block.ts'
import type { Update } from '../ledger/chain.ts'
import { type ClockReport, clockReport } from '../ledger/clock-report.ts'
import { workOf } from '../ledger/difficulty.ts'
import { FUTURE_INTERVALS_MAX, headerHash } from '../ledger/header.ts'
import { mayMine } from '../ledger/membership.ts'
import { clocksOf, type HeardBlock } from '../ledger/miner-clocks.ts'
import { HEADER_BYTES, header as headerCodec } from '../schemas/block.ts'
import { decode, Reader } from '../schemas/codec.ts'
import type { Account, Hash } from '../schemas/hex.ts'
import { tick as tickCodec } from '../schemas/tick.ts'
import type { Clock } from './clock.ts'
import type { LedgerNode } from './ledger-node.ts'
import type { Log } from './log.ts'

/** How often to look, milliseconds. */
export const CLOCK_CHECK_MS = 10_000
/** Blocks and ticks that the report is about. */
const BLOCKS = 256
const TICKS = 64
/** Blocks of others that are remembered for whose clock is off. */
const HEARD_MAX = 1024
/** Blocks or ticks at once, above which they do not come live. */
const LIVE_MAX = 3
/** A block that is too new for us may be so many times as easy as the next on our tip: hash rates differ, and an hour passes. */
const EASIER_MAX = 4n
/**
 * Of blocks that are too new one counts in so many intervals: with what somebody has made in advance nobody outnumbers those
 * who mine now, whose blocks we can take unless we are behind.
 */
const TOO_NEW_INTERVALS = 2
/** Our own clock was set, or this machine slept, when it moved by more than this against the monotonic one. */
const SET_MS = 1_000

export interface ClockWatchModules {
  readonly node: LedgerNode
  readonly self: Account
  readonly clock: Clock
  readonly log: Log
}

export class ClockWatch {
  readonly #modules: ClockWatchModules
  /** The newest last. */
  #heard: HeardBlock[] = []
  /** Blocks that were too new when they came: when we can take them they no longer say how far we are behind. */
  readonly #tooNew = new Set<Hash>()
  #nextTooNewMs = Number.NEGATIVE_INFINITY
  #stale = 0
  #seen = 0
  #told = new Set<string>()
  /** Since when there is a connection, by the monotonic clock, like all that follows. */
  #listeningSinceMs: number | undefined
  /** When the newest block and tick came; undefined: not live. */
  #blockMs: number | undefined
  #tickMs: number | undefined
  #tickHeight: number
  /** Wall clock less monotonic clock. */
  #offsetMs: number

  constructor(modules: ClockWatchModules) {
    const { node, clock } = modules
    this.#modules = modules
    this.#tickHeight = node.hand?.slow.tip.height ?? 0
    this.#offsetMs = clock.now() - clock.monotonic()
  }

  onUpdate({ added, connected }: Update): void {
    if (added === undefined) return
    this.#seen++
    if (connected.length === 0) this.#stale++
    const { clock, node, self } = this.#modules
    const { miner, time, height, hash, parent } = added.entry
    const live =
      node.progress === undefined && connected.length <= LIVE_MAX && height >= node.chain.tip.height
    if (connected.length > 0) this.#blockMs = live ? clock.monotonic() : undefined
    if (miner === undefined || miner === self || !live || this.#tooNew.has(hash)) return
    this.#hear({ miner, aheadMs: time - clock.now(), isOwnTime: time !== (parent?.time ?? 0) + 1 })
  }

  /** A block came that cannot be judged yet: it is too new, or its parent has not come. */
  onHeld(bytes: Uint8Array): void {
    const { clock, node, self } = this.#modules
    const { network, state, tip, verified } = node.chain
    const decoded = decode(headerCodec, bytes.subarray(0, HEADER_BYTES), HEADER_BYTES)
    if (!decoded.ok) return
    const { time, target } = decoded.value
    const { interval } = network.genesis
    const aheadMs = time - clock.now()
    if (aheadMs <= FUTURE_INTERVALS_MAX * interval || target > tip.childTarget * EASIER_MAX) return
    const hash = headerHash(network.hashing, decoded.value)
    if (BigInt(`0x${hash}`) > target || this.#tooNew.has(hash)) return
    const parsed = parseBlock(network, bytes)
    // Another body under the same header: the right one may still come.
    if (!parsed.ok) return
    remember(this.#tooNew, hash)
    const { from: miner } = parsed.value.block.coinbase
    if (miner === self || !mayMine(network, state, miner)) return
    // Nobody's hand stands still while such blocks come.
    this.#blockMs = clock.monotonic()
    if (clock.monotonic() < this.#nextTooNewMs || !checkBody(network, parsed.value, verified).ok) return
    this.#nextTooNewMs = clock.monotonic() + TOO_NEW_INTERVALS * interval
    this.#hear({ miner, aheadMs, isOwnTime: true })
  }

  /** The slow hand has a new tip. */
  onTick(): void {
    const { clock, node } = this.#modules
    const height = node.hand?.slow.tip.height ?? 0
    this.#tickMs = Math.abs(height - this.#tickHeight) <= LIVE_MAX ? clock.monotonic() : undefined
    this.#tickHeight = height
  }

  #hear(block: HeardBlock): void {
    this.#forgetIfSet()
    this.#heard.push(block)
    if (this.#heard.length > HEARD_MAX) this.#heard.shift()
  }

  /** What was heard by a clock that has been set since is about that clock. */
  #forgetIfSet(): void {
    const { clock } = this.#modules
    const offsetMs = clock.now() - clock.monotonic()
    if (Math.abs(offsetMs - this.#offsetMs) > SET_MS) this.#heard = []
    this.#offsetMs = offsetMs
  }

  /** Says each alarm in the log when it begins. Call it every CLOCK_CHECK_MS. */
  check(): ClockReport {
    const { log, node, clock } = this.#modules
    this.#forgetIfSet()
    this.#listeningSinceMs = node.session.connected
      ? (this.#listeningSinceMs ?? clock.monotonic())
      : undefined
    const report = this.report()
    // Without a connection, or while catching up, the hands seem to stand still; who is far behind catches up all the time.
    const isFollowing = node.session.connected && node.progress === undefined
    const alarms = report.alarms.filter(({ code }) => isFollowing || code === 'own-clock')
    for (const { code, message } of alarms)
      if (!this.#told.has(code)) log.warn('clock', { code, reason: message })
    for (const code of this.#told)
      if (!alarms.some((each) => each.code === code)) log.info('clock', { code, reason: 'right again' })
    this.#told = new Set(alarms.map(({ code }) => code))
    return report
  }

  report(): ClockReport {
    const { node, clock } = this.#modules
    const { chain, hand } = node
    const { genesis } = chain.network
    const slow = hand?.slow
    return clockReport({
      nowMs: clock.now(),
      listeningMs: clock.monotonic() - (this.#listeningSinceMs ?? clock.monotonic()),
      fast: {
        ...genesis,
        start: genesis.time,
        height: chain.tip.height,
        beats: this.#blocks(),
        silentMs: this.#since(this.#blockMs),
      },
      slow: slow && {
        ...slow.hand.genesis,
        start: slow.hand.genesis.time,
        ratio: genesis.slowRatio,
        height: slow.tip.height,
        beats: this.#ticks(),
        silentMs: this.#since(this.#tickMs),
      },
      stale: { blocks: this.#stale, of: this.#seen },
      ...clocksOf(this.#heard),
    })
  }

  #since(ms: number | undefined): number | undefined {
    return ms === undefined ? undefined : this.#modules.clock.monotonic() - ms
  }

  #blocks() {
    const { chain } = this.#modules.node
    const beats = []
    for (
      let height = Math.max(chain.base.height, chain.tip.height - BLOCKS);
      height <= chain.tip.height;
      height++
    ) {
      const entry = chain.at(height)
      // Block 0 was made by nobody, and long before the first miner began.
      if (entry !== undefined && height > 0)
        beats.push({ time: entry.time, work: Number(workOf(entry.target)), miner: entry.miner })
    }
    return beats
  }

  #ticks() {
    const { chain, hand } = this.#modules.node
    if (hand === undefined) return []
    const { slow } = hand
    const beats = []
    for (let height = Math.max(1, slow.tip.height - TICKS); height <= slow.tip.height; height++) {
      const { header, anchors } = tickCodec.read(new Reader(hand.tick(height)))
      const own = anchors.find(({ ledger }) => ledger === chain.network.genesisHash)
      const anchor = own !== undefined && chain.at(own.height)?.hash === own.block ? own.height : undefined
      beats.push({ time: header.time, work: Number(workOf(header.target)), anchor })
    }
    return beats
  }
}

function remember(hashes: Set<Hash>, hash: Hash): void {
  hashes.add(hash)
  for (const oldest of hashes) {
    if (hashes.size <= HEARD_MAX) break
    hashes.delete(oldest)
  }
}
