/**
 * Watches the hands of a network's clock as blocks and ticks come: whose wall clock is off, ours included.
 *
 * A miner writes its own time into a block within a second of finding it, so the time at which the block comes here, less that time, is the
 * difference of two clocks and a short way. Only blocks count that came live: a catch-up says nothing. Time is never taken from others, this
 * only tells a person. Source: docs/CLOCKCHAIN.md.
 */
import type { Update } from '../ledger/chain.ts'
import { type ClockReport, clockReport } from '../ledger/clock-report.ts'
import { workOf } from '../ledger/difficulty.ts'
import { Reader } from '../schemas/codec.ts'
import type { Account } from '../schemas/hex.ts'
import { tick as tickCodec } from '../schemas/tick.ts'
import type { Clock } from './clock.ts'
import type { LedgerNode } from './ledger-node.ts'
import type { Log } from './log.ts'

/** How often to look, milliseconds. */
export const CLOCK_CHECK_MS = 10_000
/** Blocks and ticks that the report is about. */
const BLOCKS = 256
const TICKS = 64
/** Differences kept of each miner, and miners; names are cheap. */
const DIFFERENCES = 11
const MINERS_MAX = 64
/** Other miners, or blocks of the only one, before we doubt our own clock. */
const OWN_MIN = 3
/** Blocks at once, above which they do not come live. */
const LIVE_MAX = 3

export interface ClockWatchModules {
  readonly node: LedgerNode
  readonly self: Account
  readonly clock: Clock
  readonly log: Log
}

export class ClockWatch {
  readonly #modules: ClockWatchModules
  /** How far each miner's clock was ahead of ours, milliseconds, the newest last. */
  readonly #ahead = new Map<Account, number[]>()
  #stale = 0
  #seen = 0
  #told = new Set<string>()
  /** Since when there is a connection, by the monotonic clock. */
  #listeningSinceMs: number | undefined

  constructor(modules: ClockWatchModules) {
    this.#modules = modules
  }

  onUpdate({ added, connected }: Update): void {
    if (added === undefined) return
    this.#seen++
    if (connected.length === 0) this.#stale++
    const { clock, node, self } = this.#modules
    const { miner, time, height } = added.entry
    const live =
      node.progress === undefined && connected.length <= LIVE_MAX && height >= node.chain.tip.height
    if (miner === undefined || miner === self || !live) return
    const before = this.#ahead.get(miner) ?? []
    this.#ahead.delete(miner)
    this.#ahead.set(miner, [...before, time - clock.now()].slice(-DIFFERENCES))
    for (const oldest of this.#ahead.keys()) {
      if (this.#ahead.size <= MINERS_MAX) break
      this.#ahead.delete(oldest)
    }
  }

  /** Says each alarm in the log when it begins. Call it every CLOCK_CHECK_MS. */
  check(): ClockReport {
    const { log, node, clock } = this.#modules
    this.#listeningSinceMs = node.session.connected
      ? (this.#listeningSinceMs ?? clock.monotonic())
      : undefined
    const report = this.report()
    // Without a connection, or while catching up, the hands seem to stand still.
    const alarms = node.session.connected && node.progress === undefined ? report.alarms : []
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
    const clocks = new Map<Account, { aheadMs: number; blocks: number }>()
    for (const [miner, ahead] of this.#ahead)
      if (ahead.length >= OWN_MIN) clocks.set(miner, { aheadMs: median(ahead), blocks: ahead.length })
    const all = [...clocks.values()].map(({ aheadMs }) => aheadMs)
    const slow = hand?.slow
    return clockReport({
      nowMs: clock.now(),
      listeningMs: clock.monotonic() - (this.#listeningSinceMs ?? clock.monotonic()),
      fast: { ...genesis, start: genesis.time, height: chain.tip.height, beats: this.#blocks() },
      slow: slow && {
        ...slow.hand.genesis,
        start: slow.hand.genesis.time,
        ratio: genesis.slowRatio,
        height: slow.tip.height,
        beats: this.#ticks(),
      },
      stale: { blocks: this.#stale, of: this.#seen },
      clocks,
      own: all.length === 0 ? undefined : { aheadMs: -median(all), miners: all.length },
    })
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

/** The middle one; of two in the middle the one nearer to zero, so that half of the others alone put nobody in the wrong. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low = 0, high = 0] = [
    sorted[Math.ceil(sorted.length / 2) - 1],
    sorted[Math.floor(sorted.length / 2)],
  ]
  return Math.abs(low) < Math.abs(high) ? low : high
}
