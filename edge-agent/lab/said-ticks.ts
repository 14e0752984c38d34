/**
 * What an agent says of its own hand: each tick once it is made, and again to whoever lacks it.
 *
 * A tick is on disk before anybody hears of it, so that a hand has no two ticks of one height. Source: docs/PROTOCOL.md section 16.
 */
import type { Network } from '../../ledger/network.ts'
import type { HandStore } from '../../node/hand-store.ts'
import { decode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { LAB_TICKS_MAX } from '../../schemas/lab-message.ts'
import { invariant } from '../../schemas/result.ts'
import { TICK_BYTES_MAX, type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import type { Made } from '../experiment/hand.ts'
import type { Desk } from '../trade.ts'
import { type Asker, Asks } from './asks.ts'
import { fitting, type SaidTick, ticksBytes } from './words.ts'

/** Ticks of hands that run free are sent together. */
const SEND_MS = 100

export interface SaidTicksModules extends Pick<Desk, 'signer' | 'clock' | 'tell'> {
  readonly network: Network
  readonly order: Hash
  /** The own hand. */
  readonly store: HandStore
  /** Whether each tick is said at once. */
  readonly isPrompt: boolean
  /** A tick was made: there may be something to do. */
  readonly turn: () => void
  /** More ticks have been said. */
  readonly onChange: () => void
  readonly onFatal: (error: unknown) => void
}

export class SaidTicks {
  readonly #modules: SaidTicksModules
  readonly #store: HandStore
  readonly #asks = new Asks()
  readonly #claims = new Map<number, Omit<SaidTick, 'tick'>>()
  #unsent: Made[] = []
  #timer: NodeJS.Timeout | undefined
  #sentMs = Number.NEGATIVE_INFINITY
  #stopped = false

  constructor(modules: SaidTicksModules) {
    this.#modules = modules
    this.#store = modules.store
  }

  /** Made, and neither on disk nor said. */
  get unsent(): number {
    return this.#unsent.length
  }

  /** One that is on disk. */
  tick(height: number): Tick {
    const decoded = decode(tickCodec, this.#store.tick(height), TICK_BYTES_MAX)
    invariant(decoded.ok, 'a stored tick decodes')
    return decoded.value
  }

  /** Ticks above `above` are lacking somewhere. */
  ask(asker: Asker, above: number): void {
    this.#asks.ask(asker, above)
  }

  onConnected(): void {
    // What went out just before the connection broke may not have come in.
    const { height } = this.#store.slow.tip
    if (height > 0) this.#asks.ask('self', height - 1)
  }

  /** Says again what somebody lacks, if anybody does. */
  answer(): void {
    const above = this.#asks.next()
    if (above !== undefined) this.#asks.answered(above, this.#sayAgain(above))
  }

  add(made: Made): void {
    this.#unsent.push(made)
    if (this.#stopped) return
    const waitMs = SEND_MS - (this.#modules.clock.monotonic() - this.#sentMs)
    const guarded = () => {
      this.#timer = undefined
      try {
        this.send()
        this.#modules.turn()
      } catch (error) {
        this.#modules.onFatal(error)
      }
    }
    if (this.#modules.isPrompt || waitMs <= 0) guarded()
    else {
      this.#timer ??= setTimeout(guarded, waitMs)
      this.#modules.turn()
    }
  }

  /** What is added from now on waits for `send`. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  /** Durable first, then said. */
  send(): void {
    const made = this.#unsent.splice(0)
    if (made.length === 0) return
    this.#sentMs = this.#modules.clock.monotonic()
    this.#store.save(made.map(({ added }) => added))
    const ticks = made.map(({ added, hashes, ms }): SaidTick => {
      const claim = { hashes, microseconds: Math.round(ms * 1000) }
      this.#claims.set(added.entry.height, claim)
      this.#claims.delete(added.entry.height - LAB_TICKS_MAX)
      return { tick: added.tick, ...claim }
    })
    this.say(ticks)
    this.#modules.onChange()
  }

  /** In as many messages as it takes; one without ticks says that the agent is there. */
  say(ticks: readonly SaidTick[]): void {
    const { network, order, signer, tell } = this.#modules
    let rest = ticks
    do {
      const count = fitting(sizes(rest))
      const body = { order, ticks: rest.slice(0, count) }
      void tell(
        'lab-tick',
        [],
        ticksBytes(network, body, (message) => signer.sign(message)),
      )
      rest = rest.slice(count)
    } while (rest.length > 0)
  }

  /** Height of the last tick that was said. */
  #sayAgain(above: number): number {
    // What has not been said yet is said of itself, and is not on disk.
    const last = Math.min(this.#store.slow.tip.height - this.#unsent.length, above + LAB_TICKS_MAX)
    const ticks: SaidTick[] = []
    for (let height = above + 1; height <= last; height++)
      ticks.push({ tick: this.tick(height), ...(this.#claims.get(height) ?? { hashes: 0, microseconds: 0 }) })
    const count = fitting(sizes(ticks))
    if (count > 0) this.say(ticks.slice(0, count))
    return above + count
  }
}

const sizes = (ticks: readonly SaidTick[]): number[] => ticks.map(({ tick }) => tickCodec.size(tick))
