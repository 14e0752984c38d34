/**
 * What Aedes calls persistence, in memory and bounded: persistent sessions, their queues, QoS 2 packet ids, retained
 * messages.
 *
 * Aedes' own memory persistence has no bounds: it queues for sessions whose client never returns, keeps an entry for
 * every client id that ever acknowledged a message, and stores filters that it has just refused. Invariants here: a
 * session exists only after `open`; a filter is stored only when granted; a queue over its bound takes nothing new
 * (such messages are delivered live only); `#queueBytes` is the sum over all queues. Wills are the live client's and
 * are not stored. Source: the abstract persistence that aedes 1.2 calls.
 */
import { Readable } from 'node:stream'
import type { Account } from '../schemas/hex.ts'
import { matches } from './filter.ts'
import type { Limits } from './limits.ts'
import type { RetainedMessages, StoredPacket } from './retained.ts'

interface Subscription {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly rh?: number
  readonly rap?: boolean
  readonly nl?: boolean
}
interface ClientRef {
  readonly id: string
}
interface Session {
  readonly account: Account
  readonly filters: Map<string, Subscription>
  queue: StoredPacket[]
  bytes: number
  /** Milliseconds when its client left; undefined while it is there. */
  leftAt: number | undefined
}
interface Recipient {
  readonly clientId: string
  readonly topic: string
  readonly qos: 0 | 1 | 2
}

const MATCHES_CACHED_MAX = 4096
const OVERHEAD_BYTES = 256

export interface SessionModules {
  readonly retained: RetainedMessages
  readonly now: () => number
  /** Whether this client was granted this filter. */
  readonly granted: (client: object, filter: string) => boolean
  /** Whether everybody gets what is published on a topic: what only some get is live, and waits for nobody. */
  readonly isOpen: (topic: string) => boolean
}

export class Sessions {
  readonly #limits: Limits
  readonly #modules: SessionModules
  readonly #sessions = new Map<string, Session>()
  readonly #inflight = new Map<string, Set<number>>()
  readonly #recipients = new Map<string, readonly Recipient[]>()
  #queueBytes = 0

  constructor(limits: Limits, modules: SessionModules) {
    this.#limits = limits
    this.#modules = modules
  }

  get count(): number {
    return this.#sessions.size
  }
  get queueBytes(): number {
    return this.#queueBytes
  }

  /** Whether this account may have a persistent session under this client id. */
  mayOpen(clientId: string, account: string): boolean {
    if (this.#sessions.has(clientId)) return true
    let own = 0
    for (const session of this.#sessions.values()) if (session.account === account) own += 1
    return own < this.#limits.sessionsPerAccountMax && this.#sessions.size < this.#limits.sessionsMax
  }

  /** A client that wants a persistent session has logged in; it is not there before `arrive`. */
  open(clientId: string, account: Account): void {
    if (this.#sessions.has(clientId)) return
    const leftAt = this.#modules.now()
    this.#sessions.set(clientId, { account, filters: new Map(), queue: [], bytes: 0, leftAt })
  }

  arrive(clientId: string): void {
    const session = this.#sessions.get(clientId)
    if (session !== undefined) session.leftAt = undefined
  }

  /** Its client has gone: the session waits for it `sessionMsMax`. */
  leave(clientId: string): void {
    const session = this.#sessions.get(clientId)
    if (session !== undefined) session.leftAt = this.#modules.now()
  }

  /** Ends the sessions whose clients have not come back in time. */
  expire(): void {
    const before = this.#modules.now() - this.#limits.sessionMsMax
    for (const [id, { leftAt }] of this.#sessions) if (leftAt !== undefined && leftAt <= before) this.#end(id)
  }

  #end(id: string): void {
    this.#queueBytes -= this.#sessions.get(id)?.bytes ?? 0
    this.#sessions.delete(id)
    this.#inflight.delete(id)
    this.#recipients.clear()
  }

  // From here on: what Aedes calls.

  async setup(): Promise<void> {}
  async destroy(): Promise<void> {}

  storeRetained(packet: StoredPacket): Promise<void> {
    return atOnce(() => this.#modules.retained.store(packet))
  }
  createRetainedStreamCombi(filters: readonly string[]): Readable {
    const { retained } = this.#modules
    return Readable.from(
      (function* () {
        for (const filter of filters) yield* retained.matching(filter)
      })(),
    )
  }

  async addSubscriptions(client: ClientRef, subscriptions: readonly Subscription[]): Promise<void> {
    const session = this.#sessions.get(client.id)
    if (session === undefined) return
    for (const subscription of subscriptions) {
      if (!this.#modules.granted(client, subscription.topic)) continue
      session.filters.set(subscription.topic, { ...subscription })
    }
    this.#recipients.clear()
  }
  async removeSubscriptions(client: ClientRef, filters: readonly string[]): Promise<void> {
    for (const filter of filters) this.#sessions.get(client.id)?.filters.delete(filter)
    this.#recipients.clear()
  }
  async subscriptionsByClient(client: ClientRef): Promise<Subscription[]> {
    return [...(this.#sessions.get(client.id)?.filters.values() ?? [])]
  }
  async cleanSubscriptions(client: ClientRef): Promise<void> {
    if (this.#sessions.has(client.id)) this.#end(client.id)
  }
  async countOffline(): Promise<{ subsCount: number; clientsCount: number }> {
    let subsCount = 0
    for (const { filters } of this.#sessions.values()) subsCount += filters.size
    return { subsCount, clientsCount: this.#sessions.size }
  }

  /** Sessions that want a topic with QoS above 0, each once with its highest. */
  subscriptionsByTopic(topic: string): Promise<readonly Recipient[]> {
    return atOnce(() => this.#recipientsOf(topic))
  }
  #recipientsOf(topic: string): readonly Recipient[] {
    const known = this.#recipients.get(topic)
    if (known !== undefined) return known
    const found: Recipient[] = []
    for (const [clientId, { filters }] of this.#modules.isOpen(topic) ? this.#sessions : []) {
      let best: Recipient | undefined
      for (const [filter, { qos }] of filters)
        if (qos > (best?.qos ?? 0) && matches(filter, topic)) best = { clientId, topic: filter, qos }
      if (best !== undefined) found.push(best)
    }
    if (this.#recipients.size >= MATCHES_CACHED_MAX) this.#recipients.clear()
    this.#recipients.set(topic, found)
    return found
  }

  async outgoingEnqueue(recipient: { readonly clientId: string }, packet: StoredPacket): Promise<void> {
    this.#enqueue(recipient.clientId, packet, packet.qos)
  }
  outgoingEnqueueCombi(recipients: readonly Recipient[], packet: StoredPacket): Promise<void> {
    return atOnce(() => {
      for (const { clientId, qos } of recipients)
        this.#enqueue(clientId, packet, Math.min(qos, packet.qos) as 0 | 1 | 2)
    })
  }
  #enqueue(clientId: string, packet: StoredPacket, qos: 0 | 1 | 2): void {
    const session = this.#sessions.get(clientId)
    const bytes = sizeOf(packet)
    if (session === undefined || session.queue.length >= this.#limits.queueMessagesMax) return
    if (session.bytes + bytes > this.#limits.queueBytesMax) return
    if (this.#queueBytes + bytes > this.#limits.queueTotalBytesMax) return
    // A copy: the parser's payload is a view that keeps its whole network buffer alive. Queued is not retained.
    const payload = Buffer.from(packet.payload)
    session.queue.push({ ...packet, payload, qos, retain: false, messageId: undefined })
    this.#resize(session, bytes)
  }
  #resize(session: Session, bytes: number): void {
    session.bytes += bytes
    this.#queueBytes += bytes
  }

  /** Gives a queued message its packet id, or replaces it by its PUBREL. One that found no room goes out live only. */
  async outgoingUpdate(client: ClientRef, packet: StoredPacket): Promise<void> {
    const session = this.#sessions.get(client.id)
    if (session === undefined) return
    for (const [index, queued] of session.queue.entries()) {
      const same = packet.cmd !== 'pubrel' && queued.brokerId === packet.brokerId
      if (same && queued.brokerCounter === packet.brokerCounter) {
        queued.messageId = packet.messageId
        return
      }
      if (packet.cmd !== 'pubrel' || queued.messageId !== packet.messageId) continue
      const released = { ...queued, cmd: 'pubrel', payload: Buffer.alloc(0) }
      session.queue[index] = released
      this.#resize(session, sizeOf(released) - sizeOf(queued))
      return
    }
  }
  async outgoingClearMessageId(client: ClientRef, packet: StoredPacket): Promise<StoredPacket | undefined> {
    const session = this.#sessions.get(client.id)
    const index = session?.queue.findIndex((queued) => queued.messageId === packet.messageId) ?? -1
    if (session === undefined || index < 0 || packet.messageId === undefined) return undefined
    const [done] = session.queue.splice(index, 1)
    if (done !== undefined) this.#resize(session, -sizeOf(done))
    return done
  }
  outgoingStream(client: ClientRef): Readable {
    return Readable.from([...(this.#sessions.get(client.id)?.queue ?? [])])
  }

  // QoS 2 towards us: only the packet ids matter, the message itself has gone on.

  async incomingStorePacket(client: ClientRef, packet: StoredPacket): Promise<void> {
    const ids = this.#inflight.get(client.id) ?? new Set()
    if (packet.messageId !== undefined) ids.add(packet.messageId)
    this.#inflight.set(client.id, ids)
  }
  async incomingGetPacket(client: ClientRef, packet: StoredPacket): Promise<StoredPacket> {
    if (packet.messageId !== undefined && this.#inflight.get(client.id)?.has(packet.messageId)) return packet
    throw new Error('no such packet') // how Aedes is told so
  }
  async incomingDelPacket(client: ClientRef, packet: StoredPacket): Promise<void> {
    const ids = this.#inflight.get(client.id)
    if (packet.messageId !== undefined) ids?.delete(packet.messageId)
    if (ids?.size === 0) this.#inflight.delete(client.id)
  }
  async cleanIncoming(client: ClientRef): Promise<void> {
    this.#inflight.delete(client.id)
  }

  async putWill(): Promise<void> {}
  async getWill(): Promise<undefined> {}
  async delWill(): Promise<undefined> {}
  streamWill(): Readable {
    return Readable.from([])
  }
}

const sizeOf = (packet: StoredPacket): number => packet.topic.length + packet.payload.length + OVERHEAD_BYTES

/**
 * What is done when it returns, for Aedes, which only calls `then`. A promise would call back a turn later: between a device's
 * messages a retained one, or one with QoS, would be overtaken by the next, and Aedes takes for a duplicate, and drops, whatever
 * has a lower number than one that a client was sent before.
 */
function atOnce<T>(work: () => T): Promise<T> {
  const settled = {
    // biome-ignore lint/suspicious/noThenProperty: Aedes calls `then` itself, and a real promise would answer a turn too late
    then: (resolve: (value: T) => unknown, reject: (error: unknown) => unknown): void => {
      let value: T
      try {
        value = work()
      } catch (error) {
        return void reject(error)
      }
      resolve(value)
    },
  }
  return settled as unknown as Promise<T>
}
