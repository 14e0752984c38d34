/**
 * Who claims a better slow hand, and fetching it: a claim costs nothing, so it is believed until its maker has been asked.
 *
 * Only validators claim. What agents have found while none of them was there shows by ticks on ticks that we lack: who sends
 * such a one is asked, too, but nobody rests for it. Any device can send one, so those who claim have half of all questions.
 *
 * A branch that leaves our hand below its tip is kept in memory, within a bound, until it has shown more work. Source:
 * docs/PROTOCOL.md section 14.
 */
import { checkAnchors, checkTick, decodeTick, TICK_FUTURE_INTERVALS_MAX } from '../ledger/hand.ts'
import type { Position } from '../ledger/header.ts'
import type { SlowHand } from '../ledger/slow-hand.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { type HandTip, TICKS_MAX } from '../schemas/message.ts'
import type { Random } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import type { Requests } from './requests.ts'
import { type Cancel, every, type Timers } from './timers.ts'

/** Ticks of a branch that are held until it has more work than ours. */
export const TICKS_HELD_MAX = 16_384
/** A tick may have 70 kB, and a branch that begins far below is made of cheap ones. */
const HELD_BYTES_MAX = 16 << 20
/** One peer is asked at a time: it is left for others when it has shown no more work than ours for so long. */
const GAIN_MS_MAX = 120_000
/** How long a tick may be on its way before a claim of more work makes us ask for it. */
const PATIENCE_MS = 500
/** How long who could not back a claim is not asked again. */
const DOUBT_MS = 60_000
/** How long claims alone do not keep us from mining after one that its maker could not back; longer than it is left alone. */
const DISBELIEF_MS = 120_000
/** Whose claims of work are remembered; names are cheap. */
const PEERS_MAX = 64

export interface HandSyncModules {
  readonly slow: SlowHand
  readonly requests: Requests
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  /** Takes ticks that were checked and lead to more work than ours. */
  readonly adopt: (ticks: readonly Uint8Array[]) => void
  readonly onFatal: (error: unknown) => void
}

/** Why a peer is not asked for so long. */
interface Doubt {
  readonly reason: string
  readonly ms: number
}
const doubt = (reason: string): Doubt => ({ reason, ms: DOUBT_MS })

export class HandSync {
  readonly #modules: HandSyncModules
  readonly #claims = new Map<Account, HandTip>()
  /** Who sent a tick on one that we lack, and that one. */
  readonly #leads = new Map<Account, Hash>()
  readonly #doubted = new Map<Account, number>()
  #started = false
  /** Undefined while there is nothing to look for. */
  #stopLooking: Cancel | undefined
  /** Undefined while nobody is asked. */
  #asking: 'claim' | 'lead' | undefined
  /** What is fetched has had more work than ours. */
  #gaining = false
  #disbeliefUntilMs = 0

  constructor(modules: HandSyncModules) {
    this.#modules = modules
  }

  start(): void {
    this.#started = true
    this.#look()
  }

  stop(): void {
    this.#started = false
    this.#rest()
  }

  claim(publisher: Account, tip: HandTip): void {
    setLatest(this.#claims, publisher, tip)
    if (tip.work > this.#modules.slow.tip.work) this.#look()
  }

  /** Somebody sent a tick whose parent we lack. */
  lead(publisher: Account, parent: Hash): void {
    setLatest(this.#leads, publisher, parent)
    this.#look()
  }

  /** Forgets what was claimed. */
  clear(): void {
    this.#claims.clear()
    this.#leads.clear()
  }

  /** Whether nobody is known to have a better hand: the time to mine. */
  get inSync(): boolean {
    if (this.#gaining) return false
    // Claims cost nothing: after an empty one, only ticks that prove their work keep us from mining.
    if (this.#modules.clock.monotonic() < this.#disbeliefUntilMs) return true
    return this.#asking !== 'claim' && this.#better().length === 0
  }

  /** Who claims more work than ours, and is worth asking. */
  #better(): Account[] {
    const { work: own } = this.#modules.slow.tip
    return this.#askable([...this.#claims].filter(([, { work }]) => work > own).map(([peer]) => peer))
  }

  #askable(peers: readonly Account[]): Account[] {
    const nowMs = this.#modules.clock.monotonic()
    return peers.filter((peer) => (this.#doubted.get(peer) ?? 0) <= nowMs)
  }

  /** Looks every so often from now on, until there is nothing to look for. */
  #look(): void {
    if (!this.#started || this.#stopLooking !== undefined) return
    this.#stopLooking = every(this.#modules.timers, PATIENCE_MS, () => {
      const { slow } = this.#modules
      for (const [peer, parent] of this.#leads) if (slow.entry(parent) !== undefined) this.#leads.delete(peer)
      const { work: own } = slow.tip
      if (this.#leads.size > 0 || [...this.#claims.values()].some(({ work }) => work > own)) this.#catchUp()
      else this.#rest()
    })
  }

  #rest(): void {
    this.#stopLooking?.()
    this.#stopLooking = undefined
  }

  #catchUp(): void {
    if (this.#asking !== undefined) return
    const { random } = this.#modules
    const claiming = this.#better()
    const leading = this.#askable([...this.#leads.keys()])
    const peers = leading.length === 0 || (claiming.length > 0 && random() < 0.5) ? claiming : leading
    // Anyone of them: who claims most would always be a liar, and honest peers never asked.
    const peer = peers[Math.floor(random() * peers.length)]
    if (peer === undefined) return
    const claims = claiming.includes(peer)
    this.#asking = claims ? 'claim' : 'lead'
    this.#leads.delete(peer)
    this.#fetch(peer)
      .then((doubt) => {
        if (doubt === undefined) return
        this.#modules.log.info('cannot fetch ticks', { from: short(peer), reason: doubt.reason })
        this.#doubt(peer, doubt.ms, claims)
      })
      .catch(this.#modules.onFatal)
      .finally(() => {
        this.#asking = undefined
        this.#gaining = false
      })
  }

  #doubt(peer: Account, ms: number, claims: boolean): void {
    if (this.#doubted.size >= PEERS_MAX) this.#doubted.clear()
    const nowMs = this.#modules.clock.monotonic()
    this.#doubted.set(peer, nowMs + ms)
    if (claims) this.#disbeliefUntilMs = nowMs + DISBELIEF_MS
  }

  /** Asks for what follows our hand until the peer has no more; what went wrong, if its claim was not backed. */
  async #fetch(peer: Account): Promise<Doubt | undefined> {
    const { slow, requests, clock } = this.#modules
    let locator = slow.locator()
    let last: Position | undefined
    let held: Uint8Array[] = []
    let heldBytes = 0
    let gainedMs = clock.monotonic()
    for (;;) {
      const answer = await requests.ask(peer, { type: 'getTicks', locator, limit: TICKS_MAX })
      if (!answer.ok) return doubt(answer.fault.message)
      const { length } = held
      for (const bytes of answer.value.ticks) {
        const decoded = decodeTick(bytes)
        if (!decoded.ok) return doubt(decoded.fault.message)
        const { header } = decoded.value
        const parent = last ?? slow.entry(header.parent)
        if (parent === undefined) return doubt('its ticks leave ours below what can be undone')
        const nowMs = clock.now()
        const checked = checkTick(slow.hand, header, parent, nowMs)
        // Only time can mend it, and an honest peer's clock may be a little ahead of ours.
        if (!checked.ok && checked.fault.code === 'time-too-new') {
          this.#adoptIfBetter(last, held)
          const earlyMs = header.time - nowMs - TICK_FUTURE_INTERVALS_MAX * slow.hand.genesis.interval
          return { reason: checked.fault.message, ms: Math.min(earlyMs, DOUBT_MS) }
        }
        if (!checked.ok) return doubt(checked.fault.message)
        const anchored = checkAnchors(slow.hand, decoded.value)
        if (!anchored.ok) return doubt(anchored.fault.message)
        last = checked.value
        held.push(bytes)
        heldBytes += bytes.length
      }
      if (last === undefined) return doubt('it has none that we lack')
      const isDone = held.length === length
      if (this.#adoptIfBetter(last, held)) {
        held = []
        heldBytes = 0
        gainedMs = clock.monotonic()
      } else if (held.length > TICKS_HELD_MAX || heldBytes > HELD_BYTES_MAX)
        return doubt(`${held.length} ticks without more work than ours`)
      else if (clock.monotonic() - gainedMs > GAIN_MS_MAX)
        return doubt(`no more work than ours in ${GAIN_MS_MAX / 1000} s`)
      if (isDone)
        return slow.heightOf(last.hash) === undefined ? doubt('less work than it claims') : undefined
      locator = [last.hash]
    }
  }

  /** Takes ticks that were checked, in one write, if they lead to more work than ours. */
  #adoptIfBetter(last: Position | undefined, ticks: readonly Uint8Array[]): boolean {
    if (last === undefined || last.work <= this.#modules.slow.tip.work) return false
    this.#gaining = true
    this.#modules.adopt(ticks)
    return true
  }
}

/** Sets it as the newest of at most PEERS_MAX. */
function setLatest<T>(map: Map<Account, T>, peer: Account, value: T): void {
  map.delete(peer)
  map.set(peer, value)
  for (const oldest of map.keys()) {
    if (map.size <= PEERS_MAX) break
    map.delete(oldest)
  }
}
