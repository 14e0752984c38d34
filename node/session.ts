/**
 * A lasting session with a broker: connects, logs in, subscribes again, and comes back for ever with backoff.
 *
 * Invariants: every connection starts clean; all remembered filters are subscribed and the birth message is published
 * before `onConnected`; messages are handed on one at a time from a bounded queue; `publish` never keeps a message for
 * later, its callers have outboxes of their own. Source: MQTT 3.1.1, docs/PROTOCOL.md section 7.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MESSAGE_BYTES_MAX } from '../schemas/message.ts'
import { invariant } from '../schemas/result.ts'
import { type BackoffOptions, createBackoff, type Random } from './backoff.ts'
import { type Credentials, credentialsFor, refusalText } from './broker-login.ts'
import { type Connection, type Ending, openConnection, type Publication } from './connection.ts'
import { WorldError } from './error.ts'
import { Inbox, type InboxMessage } from './inbox.ts'
import type { Log } from './log.ts'
import type { Signer } from './signing.ts'
import { within } from './within.ts'

export const SESSION_DEFAULTS = {
  keepaliveSeconds: 30,
  connectTimeoutMs: 10_000,
  /** How long to wait for the broker's challenge. */
  loginTimeoutMs: 3_000,
  /** A PUBACK or SUBACK that takes longer ends the connection. */
  ackTimeoutMs: 30_000,
  backoff: { baseMs: 500, capMs: 60_000, stableMs: 60_000 },
  /** Messages that wait for `onMessage`. */
  inboxBytesMax: 8 * MESSAGE_BYTES_MAX,
} as const

const SUBSCRIPTIONS_MAX = 256
/** How long the last publication may take when stopping. */
const FAREWELL_TIMEOUT_MS = 1_000
/** How long the messages that have come may take when stopping. */
const HANDLER_TIMEOUT_MS = 500
const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:']

export interface SessionOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`, without user name and password. */
  readonly url: string
  /** Certificate authority (PEM) of a broker whose certificate the system does not know. */
  readonly ca?: string | undefined
  /** Whose session it is; without a signer it only reads. */
  readonly signer?: Signer | undefined
  /** Tells two sessions of one account apart: 1 to 32 of a-z, 0-9 and `-`. */
  readonly clientIdSuffix?: string | undefined
  /** For a broker of another make. Never logged. */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** What the broker publishes when we vanish. */
  readonly will?: Publication | undefined
  /** Published on each connection before `onConnected`. */
  readonly birth?: (() => Publication) | undefined
  /** Published by `stop` before DISCONNECT, which discards the will. */
  readonly farewell?: (() => Publication) | undefined
  readonly keepaliveSeconds?: number
  readonly connectTimeoutMs?: number
  readonly loginTimeoutMs?: number
  readonly ackTimeoutMs?: number
  readonly backoff?: BackoffOptions
  readonly inboxBytesMax?: number
}

export interface SessionModules {
  readonly log: Log
  readonly random: Random
  /** Monotonic, milliseconds. */
  readonly now: () => number
  /** The next message, once the one before has been dealt with. Must not wait for another message or for `stop`. */
  readonly onMessage: (message: InboxMessage) => Promise<void> | void
  readonly onConnected: () => void
  /** `reason` is for people. */
  readonly onDisconnected: (reason: string, retryInMs: number) => void
  /** So many messages of so many bytes came faster than `onMessage` took them, or were too large. */
  readonly onDropped: (messages: number, bytes: number) => void
  /** One of these callbacks threw: our own bug. The session goes on unless told to stop. */
  readonly onFault: (error: unknown) => void
}

export interface Session {
  /** Throws WorldError `config` when the options cannot work; else returns at once and connects in the background. */
  start(): void
  /** Says farewell, disconnects and ends; at most some 2 s. */
  stop(): Promise<void>
  /**
   * False when not connected, when the connection ended before the acknowledgement, or when too much is in flight:
   * ask again later. At most MESSAGE_BYTES_MAX bytes.
   */
  publish(
    topic: string,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): Promise<boolean>
  /** Subscribes (QoS 1) now and on each later connection. A refused filter is logged. At most 256 in all. */
  subscribe(filters: readonly string[]): void
  readonly connected: boolean
  /** Whether the broker is of our make, by its challenge: only such a one keeps paid topics from those who have not paid. */
  readonly challenged: boolean
}

export function createSession(options: SessionOptions, modules: SessionModules): Session {
  return new BrokerSession(options, modules)
}

class BrokerSession implements Session {
  readonly #options: SessionOptions & typeof SESSION_DEFAULTS
  readonly #modules: SessionModules
  readonly #inbox: Inbox
  readonly #filters = new Set<string>()
  readonly #stopping = new AbortController()
  #connection: Connection | undefined
  #ready = false
  #challenged = false
  /** The challenge for which our proof was refused. */
  #refusedChallenge: string | undefined
  #stopped = false
  #running: Promise<void> | undefined
  /** Connections in a row that the broker closed soon and without a word. */
  #shortLived = 0

  constructor(options: SessionOptions, modules: SessionModules) {
    this.#options = { ...SESSION_DEFAULTS, ...options } as SessionOptions & typeof SESSION_DEFAULTS
    this.#modules = modules
    this.#inbox = new Inbox(this.#options.inboxBytesMax, {
      handle: modules.onMessage,
      onDropped: modules.onDropped,
      onFault: modules.onFault,
    })
  }

  get connected(): boolean {
    return this.#ready
  }

  get challenged(): boolean {
    return this.#challenged
  }

  start(): void {
    invariant(this.#running === undefined, 'a session starts once')
    checkUrl(this.#options.url)
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    // What has come is dealt with while it can still be told; afterwards the ledger would hold what nobody heard of.
    await within(HANDLER_TIMEOUT_MS, this.#inbox.close())
    this.#inbox.forget()
    const connection = this.#connection
    const farewell = this.#ready ? this.#options.farewell : undefined
    if (connection !== undefined && farewell !== undefined) {
      const last = farewell()
      const published = connection.publish(last.topic, last.payload, { qos: 1, retain: last.retain })
      if (!(await within(FAREWELL_TIMEOUT_MS, published))) {
        this.#modules.log.warn('the broker did not take our farewell', { topic: last.topic })
      }
    }
    await connection?.end()
    this.#stopping.abort()
    await this.#running
  }

  async publish(
    topic: string,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): Promise<boolean> {
    if (!this.#ready || this.#connection === undefined) return false
    return this.#connection.publish(topic, payload, options)
  }

  subscribe(filters: readonly string[]): void {
    const added = filters.filter((filter) => !this.#filters.has(filter))
    for (const filter of added) this.#filters.add(filter)
    invariant(this.#filters.size <= SUBSCRIPTIONS_MAX, 'more filters than a session remembers')
    if (this.#connection !== undefined) void this.#subscribeNow(this.#connection, added)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const backoff = createBackoff(this.#options.backoff, this.#modules.random)
    while (!this.#stopped) {
      const { reason, upMs } = await this.#once()
      if (this.#stopped) return
      const retryInMs = backoff.next(upMs)
      this.#guarded(() => this.#modules.onDisconnected(reason, retryInMs))
      await sleep(retryInMs, undefined, { signal }).catch(() => {
        // Only the abort can end it early, and the loop looks at that itself.
      })
    }
  }

  /** One connection, from the login to its end. */
  async #once(): Promise<{ reason: string; upMs: number }> {
    const { signal } = this.#stopping
    const transport = {
      url: this.#options.url,
      ca: this.#options.ca,
      keepaliveSeconds: this.#options.keepaliveSeconds,
      connectTimeoutMs: this.#options.connectTimeoutMs,
      ackTimeoutMs: this.#options.ackTimeoutMs,
    }
    const guest = randomId(this.#modules.random)
    const login = await credentialsFor(this.#options, transport, guest, signal, this.#refusedChallenge)
    if (!login.ok) return { reason: login.fault.message, upMs: 0 }
    const credentials = login.value
    this.#challenged = credentials.challenge !== undefined
    if (this.#options.signer !== undefined && !this.#challenged) {
      this.#modules.log.debug('the broker has no challenge, logging in as to any other broker')
    }
    const opened = await openConnection(
      {
        ...transport,
        clientId: credentials.clientId,
        username: credentials.username,
        password: credentials.password,
        will: this.#options.will,
      },
      {
        onMessage: (topic, payload, retain) => this.#inbox.push({ topic, payload, retain }),
        onOversize: (bytes) => this.#inbox.drop(bytes),
        signal,
      },
    )
    if (!opened.ok) {
      const { fault } = opened
      if (fault.code === 'unreachable') return { reason: fault.message, upMs: 0 }
      this.#refusedChallenge = credentials.challenge
      return { reason: this.#refused(fault.returnCode, credentials), upMs: 0 }
    }
    this.#refusedChallenge = undefined
    const since = this.#modules.now()
    const ending = await this.#live(opened.value)
    const upMs = this.#modules.now() - since
    return { reason: this.#explain(ending, upMs), upMs }
  }

  async #live(connection: Connection): Promise<Ending> {
    this.#connection = connection
    const filters = [...this.#filters]
    let up = filters.length === 0 || (await this.#subscribeNow(connection, filters))
    const birth = this.#options.birth === undefined ? undefined : this.#guarded(this.#options.birth)
    if (up && birth !== undefined) {
      up = await connection.publish(birth.topic, birth.payload, { qos: 1, retain: birth.retain })
    }
    if (up) {
      this.#ready = true
      this.#guarded(() => this.#modules.onConnected())
    }
    const ending = await connection.closed
    this.#ready = false
    this.#connection = undefined
    return ending
  }

  /** False when the connection ended before the broker answered. */
  async #subscribeNow(connection: Connection, filters: readonly string[]): Promise<boolean> {
    const refused = await connection.subscribe(filters, 1)
    for (const filter of refused ?? []) {
      this.#modules.log.warn('the broker refused a subscription; check what this account may read', {
        filter,
      })
    }
    return refused !== undefined
  }

  #refused(returnCode: number, credentials: Credentials): string {
    const reason = refusalText(returnCode, credentials)
    this.#modules.log.warn('login refused', { returnCode, reason })
    return reason
  }

  /** MQTT 3.1.1 closes a session that another one took over without saying why; a pattern of it is all we see. */
  #explain({ byBroker, message }: Ending, upMs: number): string {
    this.#shortLived = byBroker && upMs < this.#options.backoff.stableMs ? this.#shortLived + 1 : 0
    if (this.#shortLived < 2) return message
    return `${message} again; another program may be logged in with the same account and client id, or this one did what the broker does not allow`
  }

  #guarded<T>(callback: () => T): T | undefined {
    try {
      return callback()
    } catch (error) {
      this.#modules.onFault(error)
      return undefined
    }
  }
}

function checkUrl(url: string): void {
  if (!URL.canParse(url)) {
    throw new WorldError(
      'config',
      `broker address "${url}" is not a URL; expected such as mqtt://192.168.1.10:1883`,
    )
  }
  const { protocol, username, password, host } = new URL(url)
  if (username !== '' || password !== '') {
    throw new WorldError(
      'config',
      `put the user name and password of broker ${host} into their own fields, not into the URL`,
    )
  }
  if (!PROTOCOLS.includes(protocol)) {
    throw new WorldError(
      'config',
      `broker address "${url}" starts with "${protocol}"; expected mqtt:, mqtts:, ws: or wss:`,
    )
  }
}

const randomId = (random: Random): string =>
  Array.from({ length: 16 }, () => Math.floor(random() * 16).toString(16)).join('')
