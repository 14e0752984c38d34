/** A client's session with the simulated broker, in place of node/session.ts: connects, comes back, hands messages on. */
import type { InboxMessage } from '../node/inbox.ts'
import type { Session, SessionModules, SessionOptions } from '../node/session.ts'
import type { SimBroker } from './broker.ts'

/** Waits before it connects (again), milliseconds. */
const CONNECT_MS = [200, 3_000] as const

export interface SimSessionModules {
  readonly name: string
  readonly options: SessionOptions
  readonly modules: SessionModules
  /** False once the process that the session belongs to has died. */
  readonly isAlive: () => boolean
}

export class SimSession implements Session {
  readonly name: string
  readonly #broker: SimBroker
  readonly #given: SimSessionModules
  readonly #filters = new Map<string, readonly string[]>()
  #connected = false
  #stopped = false
  #lastMs = 0

  constructor(broker: SimBroker, given: SimSessionModules) {
    this.name = given.name
    this.#broker = broker
    this.#given = given
  }

  get connected(): boolean {
    return this.#connected && this.#given.isAlive()
  }

  readonly challenged = false

  get will(): SessionOptions['will'] {
    return this.#given.options.will
  }

  start(): void {
    this.#connectSoon()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.drop()
  }

  /** Takes the session off the broker, as when its process dies. */
  drop(): void {
    this.#connected = false
    this.#broker.lose(this)
  }

  /** The connection ends. */
  cut(reason: string): void {
    if (!this.#connected) return
    this.#connected = false
    this.#given.modules.onDisconnected(reason, CONNECT_MS[1])
    this.#connectSoon()
  }

  subscribe(filters: readonly string[]): void {
    for (const filter of filters) this.#filters.set(filter, filter.split('/'))
    this.#broker.routesChanged()
  }

  async publish(
    topic: string,
    payload: Uint8Array,
    { retain }: { readonly retain: boolean },
  ): Promise<boolean> {
    this.#broker.scheduler.settle()
    if (!this.connected) return false
    // Nobody in a simulation reads what is for people, but who is there.
    if (!topic.endsWith('/json') || topic.includes('/status/'))
      this.#broker.publish(this, topic, payload, retain)
    return true
  }

  /** Whether one of its filters matches a topic, given by its levels; the nodes' filters have no `#`. */
  takes(levels: readonly string[]): boolean {
    for (const filter of this.#filters.values())
      if (
        filter.length === levels.length &&
        filter.every((wanted, at) => wanted === '+' || wanted === levels[at])
      )
        return true
    return false
  }

  deliver(message: InboxMessage, delayMs: number, inOrder: boolean): void {
    const { scheduler } = this.#broker
    const dueMs = scheduler.nowMs + delayMs
    const atMs = inOrder ? Math.max(dueMs, this.#lastMs) : dueMs
    if (inOrder) this.#lastMs = atMs
    scheduler.at(atMs, () => {
      if (!this.connected) return
      if (message.topic.includes('/re')) scheduler.settle()
      try {
        void this.#given.modules.onMessage(message)
      } catch (error) {
        this.#given.modules.onFault(error)
      }
    })
  }

  #connectSoon(): void {
    const { scheduler, random } = this.#broker
    scheduler.after(random.between(...CONNECT_MS), () => {
      if (this.#stopped || this.#connected || !this.#given.isAlive()) return
      if (!this.#broker.up) {
        this.#connectSoon()
        return
      }
      scheduler.settle()
      this.#connected = true
      this.#lastMs = scheduler.nowMs
      this.#broker.attach(this)
      const birth = this.#given.options.birth?.()
      if (birth !== undefined) void this.publish(birth.topic, birth.payload, { retain: birth.retain })
      try {
        this.#given.modules.onConnected()
      } catch (error) {
        this.#given.modules.onFault(error)
      }
    })
  }
}
