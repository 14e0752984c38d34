/**
 * A node's part in its slow hand: takes ticks from others and from its own miner, stores them, and fetches what it lacks.
 *
 * All of it happens under the hand's own id in the place of the network's, so that ledgers of several sites can share it and
 * whoever carries messages between their brokers needs to carry nothing else. A branch that leaves our hand below its tip is
 * kept in memory, within a bound, until it has shown more work. Source: docs/PROTOCOL.md section 14.
 */
import { type Fault, fromDecode, verdictOf } from '../ledger/fault.ts'
import { checkTick, parseTick } from '../ledger/hand.ts'
import { headerHash, type Position } from '../ledger/header.ts'
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
import { tick as tickCodec } from '../schemas/tick.ts'
import { everyone, mirror, type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Random } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { HandStore } from './hand-store.ts'
import { jsonBytes } from './json-bytes.ts'
import type { Log } from './log.ts'
import { Muting } from './muting.ts'
import { type Answer, createRequests, type Requests } from './requests.ts'
import type { Session } from './session.ts'
import { type Cancel, every, type Timers } from './timers.ts'

/** Ticks below the tip at which a tick that nobody asked for may still branch off. */
export const TICK_SIDE_DEPTH_MAX = 16
/** Ticks of a branch that are held until it has more work than ours. */
export const TICKS_HELD_MAX = 16_384
/** The same in bytes: ticks of a thousand ledgers are large. */
const HELD_BYTES_MAX = 64 << 20
/** How long a tick may be on its way before a claim of more work makes us ask for it. */
const PATIENCE_MS = 500
/** How long who could not back a claim is not asked again. */
const DOUBT_MS = 60_000
/** How long claims alone do not keep us from mining after one that its maker could not back; longer than it is left alone. */
const DISBELIEF_MS = 120_000
/** Whose claims are remembered; names are cheap. */
const PEERS_MAX = 64
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
  readonly onFatal: (error: unknown) => void
}

export class HandNode {
  readonly slow: SlowHand
  readonly requests: Requests
  readonly #modules: HandNodeModules
  readonly #muting = new Muting()
  readonly #claims = new Map<Account, HandTip>()
  readonly #doubted = new Map<Account, number>()
  #stopLooking: Cancel = () => {}
  #fetching = false
  /** What is fetched has had more work than ours. */
  #gaining = false
  #disbeliefUntilMs = 0

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
  }

  get filters(): readonly string[] {
    const { id } = this.slow.hand
    return [everyone(id, 'tick'), everyone(id, 'hand'), ...this.requests.filters]
  }

  start(): void {
    this.#stopLooking = every(this.#modules.timers, PATIENCE_MS, () => this.#catchUp())
  }

  stop(): void {
    this.#stopLooking()
    this.requests.stop()
  }

  /** Claims are only good for the connection on which they came. */
  onDisconnected(): void {
    this.#claims.clear()
  }

  /** Whether nobody is known to have a better hand: the time to mine. */
  get inSync(): boolean {
    if (this.#gaining) return false
    // Claims cost nothing: after an empty one, only ticks that prove their work keep us from mining.
    if (this.#modules.clock.monotonic() < this.#disbeliefUntilMs) return true
    return !this.#fetching && this.#better().length === 0
  }

  /** Bytes of the best chain's tick at a height from 1 to the tip's. */
  tick(height: number): Uint8Array {
    return this.#modules.store.tick(height)
  }

  /** Hash of the newest tick, for a block to commit to. */
  get newest(): Hash {
    return this.slow.tip.hash
  }

  /** The highest block of a ledger that a validator speaks of. */
  newestOf(ledger: Hash): Anchor | undefined {
    let best: Anchor | undefined
    for (const { newest } of this.#claims.values())
      if (newest.ledger === ledger && newest.height > (best?.height ?? -1)) best = newest
    return best
  }

  /** What a tick may say was there: our ledger's tip, and of each other ledger the highest block that a validator speaks of. */
  anchors(): Anchor[] {
    const { chain } = this.#modules
    const own = chain.network.genesisHash
    const anchors = new Map<Hash, Anchor>()
    for (const { newest } of this.#claims.values())
      if ((anchors.get(newest.ledger)?.height ?? -1) < newest.height) anchors.set(newest.ledger, newest)
    const { height, hash } = chain.tip
    return [...anchors.set(own, { ledger: own, height, block: hash }).values()]
  }

  /** What a validator says of its hand. */
  tipMessage(): HandTip {
    const { height, hash, time, target, work } = this.slow.tip
    const { network, tip } = this.#modules.chain
    const newest = { ledger: network.genesisHash, height: tip.height, block: tip.hash }
    return { height, hash, time, target, work, newest }
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
    else if (kind === 'hand') this.#receiveClaim(publisher, payload)
    // An event that a broker kept is old news.
    else if (kind === 'tick' && !retain) this.#receiveTick(publisher, payload)
  }

  #receiveTick(publisher: Account, payload: Uint8Array): void {
    const outcome = this.#tooDeep(payload) ?? this.accept(payload)
    if (outcome.ok) {
      this.#modules.onTaken?.(payload)
      return
    }
    const { code, message } = outcome.fault
    const broken = verdictOf(outcome.fault) === 'reject'
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
  #tooDeep(payload: Uint8Array): Result<never, Fault> | undefined {
    const parsed = parseTick(this.slow.hand, payload)
    if (!parsed.ok) return parsed
    const below = this.slow.tip.height + 1 - parsed.value.header.height
    if (below <= TICK_SIDE_DEPTH_MAX) return undefined
    const message = `height: ${below} ticks below, at most ${TICK_SIDE_DEPTH_MAX}`
    return refuse({ code: 'below-final', message })
  }

  #receiveClaim(publisher: Account, payload: Uint8Array): void {
    const decoded = decode(handTipCodec, payload, MESSAGE_BYTES_MAX)
    if (!decoded.ok) {
      const { code, message } = fromDecode(decoded.fault)
      this.#modules.log.warn('refused a slow tip', { from: short(publisher), code, reason: message })
      this.#mute(publisher, 'rejected')
      return
    }
    this.#claims.delete(publisher)
    this.#claims.set(publisher, decoded.value)
    for (const silent of this.#claims.keys()) {
      if (this.#claims.size <= PEERS_MAX) break
      this.#claims.delete(silent)
    }
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
    if (disconnected > 0)
      log.warn('the slow hand went over to a chain with more work', { disconnected, height })
    log.info('tick', { height, hash: short(hash) })
    onTick()
  }

  /** Who claims more work than ours, and is worth asking. */
  #better(): Account[] {
    const nowMs = this.#modules.clock.monotonic()
    const { work: own } = this.slow.tip
    return [...this.#claims]
      .filter(([peer, { work }]) => work > own && (this.#doubted.get(peer) ?? 0) <= nowMs)
      .map(([peer]) => peer)
  }

  #catchUp(): void {
    const peers = this.#better()
    // Anyone of them: who claims most would always be a liar, and honest peers never asked.
    const peer = peers[Math.floor(this.#modules.random() * peers.length)]
    if (peer === undefined || this.#fetching) return
    this.#fetching = true
    this.#fetch(peer)
      .then((fault) => {
        if (fault === undefined) return
        this.#modules.log.info('cannot fetch ticks', { from: short(peer), reason: fault })
        this.#doubt(peer)
      })
      .catch(this.#modules.onFatal)
      .finally(() => {
        this.#fetching = false
        this.#gaining = false
      })
  }

  #doubt(peer: Account): void {
    if (this.#doubted.size >= PEERS_MAX) this.#doubted.clear()
    const nowMs = this.#modules.clock.monotonic()
    this.#doubted.set(peer, nowMs + DOUBT_MS)
    this.#disbeliefUntilMs = nowMs + DISBELIEF_MS
  }

  /** Asks for what follows our hand until the peer has no more; what went wrong, if its claim was not backed. */
  async #fetch(peer: Account): Promise<string | undefined> {
    const { slow } = this
    let locator = slow.locator()
    let last: Position | undefined
    let held: Uint8Array[] = []
    let heldBytes = 0
    for (;;) {
      const answer = await this.requests.ask(peer, { type: 'getTicks', locator, limit: TICKS_MAX })
      if (!answer.ok) return answer.fault.message
      const { length } = held
      for (const bytes of answer.value.ticks) {
        const parsed = parseTick(slow.hand, bytes)
        if (!parsed.ok) return parsed.fault.message
        const { header } = parsed.value
        const parent = last ?? slow.entry(header.parent)
        if (parent === undefined) return 'its ticks leave ours below what can be undone'
        const checked = checkTick(slow.hand, header, parent, this.#modules.clock.now())
        // Only time can mend it.
        if (!checked.ok && checked.fault.code === 'time-too-new') break
        if (!checked.ok) return checked.fault.message
        last = checked.value
        held.push(bytes)
        heldBytes += bytes.length
      }
      if (last === undefined) return 'it has none that we lack'
      const isDone = held.length === length
      this.#gaining ||= last.work > slow.tip.work
      if (last.work > slow.tip.work) {
        this.#adopt(held)
        held = []
        heldBytes = 0
      } else if (held.length > TICKS_HELD_MAX || heldBytes > HELD_BYTES_MAX)
        return `${held.length} ticks without more work than ours`
      // What came meanwhile from others stands on it.
      if (isDone) return slow.heightOf(last.hash) !== undefined ? undefined : 'less work than it claims'
      locator = [last.hash]
    }
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
