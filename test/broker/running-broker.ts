/**
 * A real broker on free ports for one test, with the lines it logged, and raw and ordinary clients to talk to it.
 */
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import type { Test } from 'tap'
import { type Broker, type BrokerModules, createBroker } from '../../broker/broker.ts'
import type { Limits } from '../../broker/limits.ts'
import type { Fields, Log } from '../../node/log.ts'
import { createSigner, hashing, type Signer } from '../../node/signing.ts'
import { type Account, type Network, toHex } from '../../schemas/hex.ts'
import { loginMessage } from '../../schemas/login.ts'
import { CHALLENGE_TOPIC } from '../../schemas/topic.ts'
import { waitUntil } from '../helpers/wait-until.ts'

export const NETWORK = '0badcafe' as Network
export const HOST = '127.0.0.1'

export const signerOf = (seed: number): Signer => createSigner(new Uint8Array(32).fill(seed))

export interface Line {
  readonly event: string
  readonly fields: Fields
}

export interface RunningBroker {
  readonly broker: Broker
  readonly mqttPort: number
  readonly wsPort: number
  readonly lines: readonly Line[]
  /** Whether a refusal with this reason was logged. */
  refused(reason: string): boolean
}

export interface StartOptions {
  readonly validators?: readonly Account[]
  readonly limits?: Partial<Limits>
  readonly modules?: Partial<BrokerModules>
}

export async function startBroker(t: Test, options: StartOptions = {}): Promise<RunningBroker> {
  const lines: Line[] = []
  const write = (event: string, fields: Fields = {}) => void lines.push({ event, fields })
  const log: Log = { debug: write, info: write, warn: write, error: write }
  const broker = createBroker(
    { host: HOST, mqttPort: 0, wsPort: 0, validators: [], ...options },
    { log, ...options.modules },
  )
  const ports = await broker.start()
  t.teardown(() => broker.stop())
  return {
    broker,
    ...ports,
    lines,
    refused: (reason) => lines.some(({ event, fields }) => event === 'refused' && fields.reason === reason),
  }
}

/** An ordinary client; ended with the test. Throws when the broker refuses it. */
export async function join(
  t: Test,
  { mqttPort }: { readonly mqttPort: number },
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://${HOST}:${mqttPort}`, { reconnectPeriod: 0, ...options }, false)
  client.on('error', () => {}) // the broker's refusals are what we test
  t.teardown(() => client.endAsync(true))
  return client
}

/** The current challenge, as any client reads it. */
export async function challengeOf(t: Test, broker: { readonly mqttPort: number }): Promise<string> {
  const client = await join(t, broker)
  const message = next(client, 'message')
  await client.subscribeAsync(CHALLENGE_TOPIC)
  const payload = await message
  await client.endAsync()
  return String(payload)
}

/** User name, password and client id with which a signer proves its account. */
export function loginOptions(signer: Signer, challenge: string, suffix = '') {
  const clientId = signer.account + suffix
  const signature = signer.sign(hashing.tagged('login', loginMessage(challenge, clientId)))
  return { clientId, username: signer.account as string, password: toHex(signature) }
}

/** A client that is logged in as `signer`. */
export async function login(
  t: Test,
  broker: { readonly mqttPort: number },
  signer: Signer,
  options: IClientOptions & { readonly suffix?: string } = {},
): Promise<MqttClient> {
  const { suffix, ...rest } = options
  const credentials = loginOptions(signer, await challengeOf(t, broker), suffix)
  return join(t, broker, { ...credentials, ...rest })
}

/** The challenge that follows `before`: a client id logs in once with each. The broker needs `challengeUsedMs: 0`. */
export async function challengeAfter(
  t: Test,
  broker: { readonly mqttPort: number },
  before: string,
): Promise<string> {
  for (;;) {
    const challenge = await challengeOf(t, broker)
    if (challenge !== before) return challenge
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** As `login`, for a client id that was there before. */
export async function loginAgain(
  t: Test,
  broker: { readonly mqttPort: number },
  signer: Signer,
  options: IClientOptions & { readonly suffix?: string } = {},
): Promise<MqttClient> {
  const { suffix, ...rest } = options
  const challenge = await challengeAfter(t, broker, await challengeOf(t, broker))
  return join(t, broker, { ...loginOptions(signer, challenge, suffix), ...rest })
}

/** A socket that says exactly what the test wants and hears packets. */
export interface RawClient {
  readonly socket: Socket
  readonly packets: readonly Packet[]
  send(...packets: (Packet | Uint8Array)[]): void
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<unknown>
}

export async function raw(
  t: Test,
  broker: { readonly mqttPort: number },
  localAddress = HOST,
): Promise<RawClient> {
  const socket = connectSocket({ port: broker.mqttPort, host: HOST, localAddress })
  socket.on('error', () => {}) // a reset is one way of being refused
  t.teardown(() => socket.destroy())
  const packets: Packet[] = []
  const parse = parser()
  parse.on('packet', (packet) => packets.push(packet))
  parse.on('error', () => {}) // an MQTT 5 answer, which the test looks at itself
  socket.on('data', (chunk) => parse.parse(chunk))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await once(socket, 'connect')
  return {
    socket,
    packets,
    closed,
    send(...parts) {
      for (const part of parts) socket.write(part instanceof Uint8Array ? part : generate(part))
    },
  }
}

export const CONNECT: IConnectPacket = {
  cmd: 'connect',
  clientId: 'somebody',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  keepalive: 60,
}

/** Resolves with an ordinary client's next `event`. */
export const next = (client: MqttClient, event: 'close' | 'message'): Promise<unknown> =>
  new Promise((resolve) => client.once(event, (...facts: unknown[]) => resolve(facts[1])))

/** Passes once `check` holds; throws when it does not in time. */
export async function until(t: Test, what: string, check: () => boolean): Promise<void> {
  await waitUntil(what, check)
  t.pass(what)
}

/** The CONNECT of a signer that proves its account, for a raw client. */
export function connectAs(signer: Signer, challenge: string): IConnectPacket {
  const { password, ...rest } = loginOptions(signer, challenge)
  return { ...CONNECT, ...rest, password: Buffer.from(password) }
}
