/**
 * What a validator has to say, on its way to the broker: in order, never more at once than a connection takes.
 *
 * A connection refuses what is beyond its bounds, so a full block or a long catch-up would lose its last words, the
 * tip among them. Retained messages wait by name and are made when their turn comes, so that the newest is sent and
 * a hundred changes while waiting cost one message; a binary message and its mirror come from one value. Events wait
 * up to a bound. What there is much of, and can wait, is said when nothing else is to be said. Without a connection nothing waits: after the next one everything retained is said anew.
 */
import { jsonBytes } from '../node/json-bytes.ts'
import { type Codec, encode } from '../schemas/codec.ts'
import { mirror } from '../schemas/topic.ts'

export interface Announcement {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1
}

/** A binary message and its mirror. */
export const withMirror = <T>(name: string, codec: Codec<T>, value: T) =>
  [
    { topic: name, payload: encode(codec, value), qos: 1 },
    { topic: mirror(name), payload: jsonBytes(codec.toJson(value)), qos: 1 },
  ] as const

export interface AnnouncerModules {
  readonly publish: (
    topic: string,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ) => Promise<boolean>
  /** Whether there is somebody to tell, and something that may be told. */
  readonly connected: () => boolean
  /** Events that found no room. */
  readonly onDropped: (events: number) => void
  readonly onFault: (error: unknown) => void
}

/** Jobs on their way at once, each of one or two messages: half of what a connection takes, answers need room too. */
const AT_ONCE_MAX = 64
const EVENTS_MAX = 4_096
/** How long to wait when the connection has no room. */
const RETRY_MS = 50

interface Job {
  readonly retain: boolean
  /** Waits for everything else. */
  readonly patient: boolean
  readonly make: () => readonly Announcement[]
}

export class Announcer {
  readonly #modules: AnnouncerModules
  readonly #waiting = new Map<string, Job>()
  readonly #patient = new Map<string, Job>()
  #events = 0
  #number = 0
  #dropped = 0
  #running = 0
  #retry: NodeJS.Timeout | undefined

  constructor(modules: AnnouncerModules) {
    this.#modules = modules
  }

  /** Says once what `make` gives when its turn comes; what waits under the same name already keeps its place. */
  retained(name: string, make: Job['make']): void {
    if (!this.#modules.connected()) return
    this.#waiting.set(name, { retain: true, patient: false, make })
    this.#pump()
  }

  /** As `retained`, when nothing else waits. */
  patient(name: string, make: Job['make']): void {
    if (!this.#modules.connected()) return
    this.#patient.set(name, { retain: true, patient: true, make })
    this.#pump()
  }

  /** Says something that happened. */
  event(...messages: readonly Announcement[]): void {
    if (!this.#modules.connected()) return
    if (this.#events >= EVENTS_MAX) {
      this.#dropped++
      return
    }
    this.#events++
    this.#waiting.set(`event ${this.#number++}`, { retain: false, patient: false, make: () => messages })
    this.#pump()
  }

  /** Forgets what waits: the connection is gone. */
  clear(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#waiting.clear()
    this.#patient.clear()
    this.#events = 0
  }

  #pump(): void {
    if (this.#retry !== undefined || !this.#modules.connected()) return
    for (const waiting of [this.#waiting, this.#patient]) {
      for (const [name, job] of waiting) {
        if (this.#running >= AT_ONCE_MAX) return
        waiting.delete(name)
        if (!job.retain) this.#events--
        this.#running++
        this.#send(name, job).catch(this.#modules.onFault)
      }
    }
    if (this.#dropped === 0) return
    this.#modules.onDropped(this.#dropped)
    this.#dropped = 0
  }

  async #send(name: string, job: Job): Promise<void> {
    const { publish, connected } = this.#modules
    let sent: readonly boolean[]
    try {
      const messages = job.make()
      sent = await Promise.all(
        messages.map(({ topic, payload, qos }) => publish(topic, payload, { qos, retain: job.retain })),
      )
    } finally {
      this.#running--
    }
    if (!connected()) this.clear()
    else if (!sent.every(Boolean)) {
      const waiting = job.patient ? this.#patient : this.#waiting
      if (!waiting.has(name)) {
        waiting.set(name, job)
        if (!job.retain) this.#events++
      }
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        this.#pump()
      }, RETRY_MS).unref()
    }
    this.#pump()
  }
}
