/**
 * One MQTT connection, from CONNECT to its end; the only file that knows mqtt.js.
 *
 * mqtt.js would reconnect without jitter, queue without bound and send again on its own: all of that is off, and every
 * connection is a new client, so that nothing of one outlives it. Received frames are bounded before they are buffered.
 * What is in flight is bounded, and settles `false` when the connection ends. Source: MQTT 3.1.1.
 */
import { createRequire } from 'node:module'
import type { IClientOptions, MqttClient } from 'mqtt'
import { MESSAGE_BYTES_MAX } from '../schemas/message.ts'
import { accept, invariant, type Result, refuse } from '../schemas/result.ts'
import { FrameMeter } from './frame-meter.ts'

/** Required and not imported: an import of its CommonJS reads each of its files a second time for their exports. */
const mqtt: typeof import('mqtt') = createRequire(import.meta.url)('mqtt')

/** Frames above this end the connection; smaller ones with a payload above MESSAGE_BYTES_MAX are dropped. */
const FRAME_BYTES_MAX = 16 * MESSAGE_BYTES_MAX
const IN_FLIGHT_MAX = 256
const IN_FLIGHT_BYTES_MAX = 8 * MESSAGE_BYTES_MAX
/** DISCONNECT has this long to leave before the socket is cut. */
const END_TIMEOUT_MS = 250

export interface Publication {
  readonly topic: string
  readonly payload: Uint8Array
  readonly retain: boolean
}

export interface ConnectionOptions {
  /** `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string
  /** Certificate authority (PEM) of a broker whose certificate the system does not know. */
  readonly ca?: string | undefined
  readonly clientId: string
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly will?: Publication | undefined
  readonly keepaliveSeconds: number
  readonly connectTimeoutMs: number
  /** A PUBACK or SUBACK that takes longer ends the connection. */
  readonly ackTimeoutMs: number
}

export interface ConnectionModules {
  /** Called inside the socket's event: queue, do not act. The payload is the receiver's own copy. */
  readonly onMessage: (topic: string, payload: Uint8Array, retain: boolean) => void
  /** A payload above MESSAGE_BYTES_MAX came and was dropped. */
  readonly onOversize: (bytes: number) => void
  /** Cuts the connection. */
  readonly signal: AbortSignal
}

/** Why no connection came about. `returnCode` is the CONNACK's. */
export type ConnectFault =
  | { readonly code: 'refused'; readonly returnCode: number; readonly message: string }
  | { readonly code: 'unreachable'; readonly message: string }

/** How a connection ended: the broker closed it without a word, or something failed. */
export interface Ending {
  readonly byBroker: boolean
  readonly message: string
}

export interface Connection {
  /** Resolves once, when the connection has ended. */
  readonly closed: Promise<Ending>
  /**
   * True when the broker has acknowledged (QoS 1) or the socket has taken it (QoS 0); false when the connection ended
   * before, or too much is in flight.
   */
  publish(
    topic: string,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ): Promise<boolean>
  /** Resolves to the filters that the broker refused, or undefined when the connection ended before the SUBACK. */
  subscribe(filters: readonly string[], qos: 0 | 1): Promise<readonly string[] | undefined>
  /** Sends DISCONNECT and closes. */
  end(): Promise<void>
}

/** Connects and waits for the CONNACK. */
export async function openConnection(
  options: ConnectionOptions,
  modules: ConnectionModules,
): Promise<Result<Connection, ConnectFault>> {
  const client = mqtt.connect(options.url, clientOptions(options))
  let ending: Ending | undefined
  let returnCode = 0
  const cut = (message: string): void => {
    ending ??= { byBroker: false, message }
    client.stream.destroy()
  }
  const closed = new Promise<Ending>((resolve) => {
    client.once('close', () =>
      resolve(ending ?? { byBroker: true, message: 'the broker closed the connection' }),
    )
  })
  const onAbort = (): void => cut('stopped')
  modules.signal.addEventListener('abort', onAbort)
  const connected = new Promise<boolean>((resolve) => {
    client.once('connect', () => resolve(true))
    void closed.then(() => {
      modules.signal.removeEventListener('abort', onAbort)
      resolve(false)
    })
  })
  const onError = (error: Error): void => {
    if ('code' in error && typeof error.code === 'number') returnCode = error.code
    cut(describe(error))
  }
  client.on('error', onError)
  // mqtt.js swallows stream errors without a code, such as those of a WebSocket.
  client.stream.on('error', onError)
  const meter = new FrameMeter(FRAME_BYTES_MAX)
  client.stream.on('data', (chunk: Uint8Array) => {
    if (meter.exceeds(chunk)) cut(`the broker sent a message above ${FRAME_BYTES_MAX} bytes`)
  })
  client.on('message', (topic, payload, packet) => {
    if (payload.length > MESSAGE_BYTES_MAX) modules.onOversize(payload.length)
    // A copy, because mqtt.js hands out windows into larger buffers, and `Buffer.slice` does not copy as codecs expect.
    else modules.onMessage(topic, new Uint8Array(payload), packet.retain)
  })
  if (modules.signal.aborted) onAbort()
  if (await connected) return accept(connectionOf(client, closed, cut, options))
  const { message } = await closed
  return refuse(returnCode > 0 ? { code: 'refused', returnCode, message } : { code: 'unreachable', message })
}

function connectionOf(
  client: MqttClient,
  closed: Promise<Ending>,
  cut: (message: string) => void,
  options: ConnectionOptions,
): Connection {
  const pending = new Set<() => void>()
  let pendingBytes = 0
  let over = false
  void closed.then(() => {
    over = true
    for (const lose of [...pending]) lose()
  })
  /** Runs `begin`, which answers through `done`; answers `lost` when the connection ends first. */
  const inFlight = <T>(bytes: number, lost: T, begin: (done: (value: T) => void) => void): Promise<T> =>
    new Promise((resolve) => {
      const settle = (value: T): void => {
        if (!pending.delete(lose)) return
        clearTimeout(timer)
        pendingBytes -= bytes
        resolve(value)
      }
      const lose = (): void => settle(lost)
      const timer = setTimeout(
        () => cut(`the broker did not acknowledge within ${options.ackTimeoutMs / 1000} s`),
        options.ackTimeoutMs,
      )
      pending.add(lose)
      pendingBytes += bytes
      begin(settle)
    })
  return {
    closed,
    async publish(topic, payload, { qos, retain }) {
      invariant(payload.length <= MESSAGE_BYTES_MAX, `a message of ${payload.length} bytes, above the limit`)
      if (over || !client.connected || client.disconnecting) return false
      if (pending.size >= IN_FLIGHT_MAX || pendingBytes + payload.length > IN_FLIGHT_BYTES_MAX) return false
      const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
      return inFlight(payload.length, false, (done) => {
        client.publish(topic, bytes, { qos, retain }, (error) => done(!error))
      })
    },
    async subscribe(filters, qos) {
      if (filters.length === 0) return []
      if (over || !client.connected || client.disconnecting) return undefined
      return inFlight<readonly string[] | undefined>(0, undefined, (done) => {
        client.subscribe([...filters], { qos }, (_error, _asked, packet) => {
          const granted = packet?.granted ?? []
          done(filters.filter((_, index) => Number(granted[index] ?? 0x80) >= 0x80))
        })
      })
    },
    async end() {
      // mqtt.js would wait for ever for what the broker does not acknowledge, and send no DISCONNECT.
      for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id))
      const timer = setTimeout(() => cut('stopped'), END_TIMEOUT_MS)
      client.end()
      await closed
      clearTimeout(timer)
    },
  }
}

function clientOptions(options: ConnectionOptions): IClientOptions {
  const { will } = options
  return {
    clientId: options.clientId,
    clean: true,
    protocolVersion: 4,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    keepalive: options.keepaliveSeconds,
    connectTimeout: options.connectTimeoutMs,
    timerVariant: 'native',
    wsOptions: { maxPayload: FRAME_BYTES_MAX },
    // Its own log would show the password.
    log: () => {},
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.username === undefined ? {} : { username: options.username }),
    ...(options.password === undefined ? {} : { password: options.password }),
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload), qos: 1 as const } }),
  }
}

function describe(error: Error): string {
  const inner = (error as { event?: { message?: unknown } }).event?.message
  if (typeof inner === 'string' && inner !== '') return inner
  // Several addresses failed: an AggregateError has no message of its own.
  if (error instanceof AggregateError) return error.errors.map((cause: Error) => cause.message).join('; ')
  return error.message
}
