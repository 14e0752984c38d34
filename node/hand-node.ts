/**
 * A node's part in its slow hand: takes ticks from others and from its own miner, stores them, and fetches what it lacks.
 *
 * All of it happens under the hand's own id in the place of the network's, so that ledgers of several sites can share it and
 * whoever carries messages between their brokers needs to carry nothing else. Source: docs/PROTOCOL.md section 14.
 */
import { type Fault, fromDecode, verdictOf } from '../ledger/fault.ts'
import { decodeTick } from '../ledger/hand.ts'
import { headerHash } from '../ledger/header.ts'
import type { SlowHand, TickAdded } from '../ledger/slow-hand.ts'
import { decode } from '../schemas/codec.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import {
  type HandTip,
  handTip as handTipCodec,
  MESSAGE_BYTES_MAX,
  type Request,
  TICKS_MAX,
} from '../schemas/message.ts'
import { type Result, refuse } from '../schemas/result.ts'
import type { Anchor } from '../schemas/tick.ts'
import { type Tick, tick as tickCodec } from '../schemas/tick.ts'
import { everyone, mirror, type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Random } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { HandStore } from './hand-store.ts'
import { HandSync } from './hand-sync.ts'
import { jsonBytes } from './json-bytes.ts'
import type { Log } from './log.ts'
import { Muting } from './muting.ts'
import { Newest } from './newest.ts'
import { type Answer, createRequests, type Requests } from './requests.ts'
import type { Session } from './session.ts'
import type { Timers } from './timers.ts'

/** Ticks below the tip at which a tick that nobody asked for may still branch off. */
export const TICK_SIDE_DEPTH_MAX = 16
/** What a reply's own fields take, generously. */
const FRAMING_BYTES = 1024

/** The ledger of which a hand tip names the newest block: a chain, or what a carrier has heard of one. */
export interface NamedLedger {
  readonly network: { readonly genesisHash: Hash }
  readonly tip: { readonly height: number; readonly hash: Hash }
}

export interface HandNodeModules {
  readonly store: HandStore
  readonly chain: NamedLedger
  readonly self: Account
  readonly session: Session
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  /** The hand has a new tip, and it is on disk. */
  readonly onTick: () => void
  /** Somebody sent a tick that was new to us, on our best hand or on a branch; it is on disk. */
  readonly onTaken?: ((bytes: Uint8Array) => void) | undefined
  /** A validator spoke of a block, which counts now as the newest of its ledger or does not. */
  readonly onNewest?: ((newest: Anchor, counts: boolean) => void) | undefined
  readonly onFatal: (error: unknown) => void
}

export class HandNode {
  readonly slow: SlowHand
  readonly requests: Requests
  readonly #modules: HandNodeModules
  readonly #muting = new Muting()
  readonly #sync: HandSync
  readonly #newest: Newest

  constructor(modules: HandNodeModules) {
    const { store, self, session, log, random, clock, timers, onFatal } = modules
    this.#modules = modules
    this.slow = store.slow
    this.requests = createRequests(
      { network: this.slow.hand.id, self },
      {
        publish: session.publish.bind(session),
        log,
        random,
        now: clock.monotonic,
        timers,
        onFault: onFatal,
      },
    )
    this.requests.serve((question) => this.#answer(question))
    this.#sync = new HandSync({
      ...{ slow: this.slow, requests: this.requests, log, clock, random, timers, onFatal },
      adopt: (ticks) => this.#adopt(ticks),
    })
    const { interval } = this.slow.hand.genesis
    this.#newest = new Newest({ monotonic: () => clock.monotonic(), random, interval })
  }

  get filters(): readonly string[] {
    const { id } = this.slow.hand
    return [everyone(id, 'tick'), everyone(id, 'hand'), ...this.requests.filters]
  }

  start(): void {
    this.#sync.start()
  }

  stop(): void {
    this.#sync.stop()
    this.requests.stop()
  }

  /** Claims are only good for the connection on which they came. */
  onDisconnected(): void {
    this.#sync.clear()
    this.#newest.clear()
  }

  /** Whether nobody is known to have a better hand: the time to mine. */
  get inSync(): boolean {
    return this.#sync.inSync
  }

  /** Bytes of the best chain's tick at a height from 1 to the tip's. */
  tick(height: number): Uint8Array {
    return this.#modules.store.tick(height)
  }

  /** Hash of the newest tick, for a block to commit to. */
  get newest(): Hash {
    return this.slow.tip.hash
  }

  /** The newest block of a ledger by what validators say, until the next tick one of those that speak of it. */
  newestOf(ledger: Hash): Anchor | undefined {
    return this.#newest.of(ledger)
  }

  /** What a tick may say was there: our ledger's tip, and of each other ledger what validators say. */
  anchors(): Anchor[] {
    const { network, tip } = this.#modules.chain
    const own = network.genesisHash
    return [...this.#newest.others(own), { ledger: own, height: tip.height, block: tip.hash }]
  }

  /** What a validator says of its hand, and of our ledger unless of another. */
  tipMessage(newest?: Anchor): HandTip {
    const { height, hash, time, target, work } = this.slow.tip
    const { network, tip } = this.#modules.chain
    const own = { ledger: network.genesisHash, height: tip.height, block: tip.hash }
    return { height, hash, time, target, work, newest: newest ?? own }
  }

  /** Checks a tick, stores it and tells; also those of our own miner. */
  accept(bytes: Uint8Array): Result<TickAdded, Fault> {
    const { clock, store } = this.#modules
    const outcome = this.slow.accept(bytes, clock.now())
    if (outcome.ok) {
      store.save([outcome.value])
      const { left } = outcome.value
      if (left !== undefined) this.#tell(left.length)
    }
    return outcome
  }

  /** Sends a tick of ours, and its JSON mirror where people look. */
  async publish(bytes: Uint8Array): Promise<void> {
    const { session, self } = this.#modules
    const name = topic(this.slow.hand.id, 'tick', self)
    const sent = await session.publish(name, bytes, { qos: 1, retain: false })
    const decoded = decode(tickCodec, bytes, bytes.length)
    if (!sent || !decoded.ok) return
    const hash = headerHash(this.slow.hand.hashing, decoded.value.header)
    const text = jsonBytes({ hash, ...(tickCodec.toJson(decoded.value) as object) })
    // JSON takes some three times the room: what is too large for a message has no mirror.
    if (text.length <= MESSAGE_BYTES_MAX) await session.publish(mirror(name), text, { qos: 0, retain: false })
  }

  /** Takes a message under the hand's id. */
  receive(parsed: ParsedTopic, payload: Uint8Array, retain: boolean): void {
    const { clock, self } = this.#modules
    const { kind, publisher, json } = parsed
    if (json) return
    if (kind === 'request' || kind === 'reply') this.requests.receive(parsed, payload)
    else if (publisher === self || this.#muting.isMuted(publisher, clock.monotonic())) return
    else if (kind === 'hand') this.#receiveClaim(publisher, payload, retain)
    // An event that a broker kept is old news.
    else if (kind === 'tick' && !retain) this.#receiveTick(publisher, payload)
  }

  #receiveTick(publisher: Account, payload: Uint8Array): void {
    const decoded = decodeTick(payload)
    const outcome = decoded.ok ? (this.#tooDeep(decoded.value) ?? this.accept(payload)) : decoded
    if (outcome.ok) {
      this.#modules.onTaken?.(payload)
      return
    }
    const { code, message } = outcome.fault
    const broken = verdictOf(outcome.fault) === 'reject'
    if (decoded.ok && code === 'unknown-parent') this.#sync.lead(publisher, decoded.value.header.parent)
    // A tick was made on purpose: whatever is wrong with it broke a rule. What lacks its parent is fetched with it.
    if (code !== 'known' && code !== 'unknown-parent')
      this.#modules.log[broken ? 'warn' : 'debug']('refused a tick', {
        from: short(publisher),
        code,
        reason: message,
      })
    this.#mute(publisher, broken ? 'rejected' : 'ignored')
  }

  /** A branch that leaves our hand far below its tip can be made where ticks were cheap. */
  #tooDeep({ header: { height } }: Tick): Result<never, Fault> | undefined {
    const below = this.slow.tip.height + 1 - height
    if (below <= TICK_SIDE_DEPTH_MAX) return undefined
    const message = `height: ${below} ticks below, at most ${TICK_SIDE_DEPTH_MAX}`
    return refuse({ code: 'below-final', message })
  }

  #receiveClaim(publisher: Account, payload: Uint8Array, retain: boolean): void {
    const decoded = decode(handTipCodec, payload, MESSAGE_BYTES_MAX)
    if (!decoded.ok) {
      const { code, message } = fromDecode(decoded.fault)
      this.#modules.log.warn('refused a slow tip', { from: short(publisher), code, reason: message })
      this.#mute(publisher, 'rejected')
      return
    }
    const { newest } = decoded.value
    this.#sync.claim(publisher, decoded.value)
    const counts = this.#newest.hear(publisher, newest, retain)
    this.#modules.onNewest?.(newest, counts)
  }

  #mute(publisher: Account, why: 'rejected' | 'ignored'): void {
    if (this.#muting.count(publisher, why, this.#modules.clock.monotonic()))
      this.#modules.log.warn('not listening to a sender of ticks that keeps sending what is refused', {
        from: short(publisher),
      })
  }

  /** The tip has moved, and so many ticks were undone for it. */
  #tell(disconnected: number): void {
    const { log, onTick } = this.#modules
    const { height, hash } = this.slow.tip
    this.#newest.shuffle()
    if (disconnected > 0)
      log.warn('the slow hand went over to a chain with more work', { disconnected, height })
    log.info('tick', { height, hash: short(hash) })
    onTick()
  }

  /** Takes ticks that were checked, in one write. */
  #adopt(ticks: readonly Uint8Array[]): void {
    const { store, clock } = this.#modules
    const added: TickAdded[] = []
    const before = this.newest
    let disconnected = 0
    for (const bytes of ticks) {
      const outcome = this.slow.accept(bytes, clock.now())
      if (!outcome.ok) continue
      added.push(outcome.value)
      disconnected += outcome.value.left?.length ?? 0
    }
    store.save(added)
    if (this.newest !== before) this.#tell(disconnected)
  }

  #answer(question: Request): Answer | undefined {
    if (question.type !== 'getTicks') return undefined
    const { slow } = this
    const ticks: Uint8Array[] = []
    let room = MESSAGE_BYTES_MAX - FRAMING_BYTES
    for (let height = slow.fork(question.locator) + 1; height <= slow.tip.height; height++) {
      const bytes = this.#modules.store.tick(height)
      room -= bytes.length + 4
      if (room < 0 || ticks.length >= Math.min(question.limit, TICKS_MAX)) break
      ticks.push(bytes)
    }
    return { type: 'ticks', ticks }
  }
}
