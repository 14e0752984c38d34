/**
 * A broker in virtual time, with the faults of real ones and of the wires to them.
 *
 * It keeps what MQTT 3.1.1 promises where no fault is set: per publisher and topic the order of messages, retained
 * messages for those who subscribe, last wills. Faults: delay, loss, repetition and reordering on each way; partitions, in
 * which each side has the broker to itself (as brokers have that lose their bridge); restarts that forget what was retained.
 */
import type { SessionModules, SessionOptions } from '../node/session.ts'
import type { Rng } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import { SimSession } from './session.ts'

/** What the way between a client and the broker does to messages; probabilities are per message. */
export interface Weather {
  readonly delayMs: readonly [number, number]
  readonly loss: number
  readonly repeat: number
  /** Probability that a message overtakes those before it. */
  readonly reorder: number
}

export const FAIR: Weather = { delayMs: [5, 60], loss: 0, repeat: 0, reorder: 0 }

interface Retained {
  readonly payload: Uint8Array
  readonly atMs: number
}

/** Retained messages of a broker. */
const RETAINED_MAX = 10_000

export class SimBroker {
  readonly scheduler: Scheduler
  readonly random: Rng
  weather = FAIR
  /** The side of the partition that a client is on; all on 0 when there is none. */
  readonly #side = new Map<SimSession, number>()
  readonly #retained = new Map<number, Map<string, Retained>>([[0, new Map()]])
  readonly #routes = new Map<string, readonly SimSession[]>()
  readonly #sessions = new Set<SimSession>()
  #sideOf: (name: string) => number = () => 0
  #up = true
  messages = 0

  constructor(scheduler: Scheduler, random: Rng) {
    this.scheduler = scheduler
    this.random = random
  }

  /** A session of client `name`, which dies with `alive`. */
  open(name: string, options: SessionOptions, modules: SessionModules, isAlive: () => boolean): SimSession {
    return new SimSession(this, { name, options, modules, isAlive })
  }

  get up(): boolean {
    return this.#up
  }

  attach(session: SimSession): void {
    this.#sessions.add(session)
    this.#side.set(session, this.#sideOf(session.name))
    this.#routes.clear()
    for (const [topic, { payload }] of this.#retainedOf(session))
      if (session.takes(topic.split('/'))) this.#deliver(session, topic, payload, true)
  }

  /** The client is gone without a word: its will is published. */
  lose(session: SimSession): void {
    if (!this.#sessions.delete(session)) return
    this.#routes.clear()
    const { will } = session
    if (will !== undefined) this.publish(session, will.topic, will.payload, will.retain)
  }

  publish(from: SimSession, topic: string, payload: Uint8Array, retain: boolean): void {
    const side = this.#side.get(from) ?? 0
    if (retain) {
      const kept = this.#retained.get(side)
      if (payload.length === 0) kept?.delete(topic)
      else if (kept !== undefined && kept.size < RETAINED_MAX)
        kept.set(topic, { payload, atMs: this.scheduler.nowMs })
    }
    for (const session of this.#routesOf(topic))
      if (this.#side.get(session) === side) this.#deliver(session, topic, payload, false)
  }

  /** Each client on its side; sides that were apart come together again. */
  partition(sideOf: (name: string) => number): void {
    const before = new Map(
      [...this.#retained.values()].flatMap((kept) => [...kept].map(([topic, value]) => [topic, value])),
    )
    for (const kept of this.#retained.values())
      for (const [topic, value] of kept)
        if (value.atMs >= (before.get(topic)?.atMs ?? 0)) before.set(topic, value)
    this.#sideOf = sideOf
    this.#retained.clear()
    for (const session of this.#sessions) this.#side.set(session, sideOf(session.name))
    for (const side of new Set([0, ...this.#side.values()])) this.#retained.set(side, new Map(before))
  }

  /** All connections end; with `forget` what was retained is gone. */
  stop(forget: boolean): void {
    this.#up = false
    if (forget) for (const kept of this.#retained.values()) kept.clear()
    for (const session of [...this.#sessions]) {
      this.#sessions.delete(session)
      session.cut('the broker stopped')
    }
    this.#routes.clear()
  }

  start(): void {
    this.#up = true
  }

  routesChanged(): void {
    this.#routes.clear()
  }

  #retainedOf(session: SimSession): Map<string, Retained> {
    const side = this.#side.get(session) ?? 0
    const kept = this.#retained.get(side) ?? new Map<string, Retained>()
    this.#retained.set(side, kept)
    return kept
  }

  #routesOf(topic: string): readonly SimSession[] {
    let routes = this.#routes.get(topic)
    if (routes === undefined) {
      const levels = topic.split('/')
      routes = [...this.#sessions].filter((session) => session.takes(levels))
      if (this.#routes.size > 5_000) this.#routes.clear()
      this.#routes.set(topic, routes)
    }
    return routes
  }

  #deliver(session: SimSession, topic: string, payload: Uint8Array, retain: boolean): void {
    const { delayMs, loss, repeat, reorder } = this.weather
    const { random } = this
    if (loss > 0 && random.chance(loss)) return
    const copies = repeat > 0 && random.chance(repeat) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      const delay = random.between(delayMs[0], delayMs[1])
      const inOrder = !(reorder > 0 && random.chance(reorder))
      this.messages++
      session.deliver({ topic, payload, retain }, delay, inOrder)
    }
  }
}
