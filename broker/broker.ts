/**
 * The built-in broker: Aedes with every bound set, behind the gate, with logins and access control.
 *
 * The broker is untrusted transport: it may delay or lose, it cannot forge. PUBACK says that it has a message, not
 * that anybody keeps it; only a validator's receipt does. Speaks MQTT 3.1.1 (and 3.1).
 */
import { randomBytes } from 'node:crypto'
import { Aedes } from 'aedes'
import type { Signatures } from '../ledger/signature.ts'
import type { Log } from '../node/log.ts'
import { signatures as realSignatures } from '../node/signing.ts'
import type { Account } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { CHALLENGE_TOPIC } from '../schemas/topic.ts'
import { LEVELS_MAX } from './filter.ts'
import { Gate } from './gate.ts'
import { Hooks } from './hooks.ts'
import { LIMITS, type Limits } from './limits.ts'
import { Login } from './login.ts'
import { PaidGrants } from './paid-grants.ts'
import { Readers } from './readers.ts'
import { createRefusals } from './refusals.ts'
import { RetainedMessages } from './retained.ts'
import { Sessions } from './sessions.ts'
import { Withheld } from './withheld.ts'

/** How often the broker looks whether a challenge or a session is over, milliseconds. */
const TICK_MS = 1000

export interface BrokerOptions {
  /** Address to listen on: `127.0.0.1` for this machine only, `0.0.0.0` or `::` for the network. */
  readonly host: string
  /** 0: any free one. */
  readonly mqttPort: number
  readonly wsPort: number
  /** Accounts that may publish what is the validators'. */
  readonly validators: readonly Account[]
  readonly limits?: Partial<Limits>
}

export interface BrokerModules {
  readonly log: Log
  /** Milliseconds; only differences count. */
  readonly now?: () => number
  /** Milliseconds since 1970. */
  readonly clock?: () => number
  readonly random?: (bytes: number) => Uint8Array
  readonly signatures?: Pick<Signatures, 'verify' | 'isAccount'>
}

/** Counts since start, and what there is now. */
export interface BrokerStats {
  readonly connections: number
  readonly clients: number
  /** Accepted from clients since start, and their payload bytes. */
  readonly messages: number
  readonly bytes: number
  readonly refused: ReadonlyMap<string, number>
  /** Messages that a client's filter asked for and that were not for it, by reason. */
  readonly withheld: ReadonlyMap<string, number>
  /** Buyers, each for each paid topic that it may read. */
  readonly grants: number
  readonly retained: number
  readonly retainedBytes: number
  readonly sessions: number
  /** Waiting in persistent sessions, and for clients that do not read yet. */
  readonly queuedBytes: number
  readonly backlogBytes: number
}

export interface Broker {
  /** Real ports; throws WorldError `port-in-use` or `config`. */
  start(): Promise<{ mqttPort: number; wsPort: number }>
  stop(): Promise<void>
  stats(): BrokerStats
}

export function createBroker(options: BrokerOptions, modules: BrokerModules): Broker {
  const { log, now = () => performance.now(), clock = Date.now } = modules
  const { random = randomBytes, signatures = realSignatures } = modules
  const limits: Limits = { ...LIMITS, ...options.limits }
  const validators = new Set(options.validators)
  const refusals = createRefusals(log, now)
  const retained = new RetainedMessages(limits, validators)
  const login = new Login(limits, { signatures, random, now })
  const granted = (client: object, filter: string): boolean => hooks.granted(client, filter)
  const grants = new PaidGrants(limits, clock)
  const readers = new Readers(grants)
  const withheld = new Withheld(log, now)
  const isOpen = (topic: string): boolean => readers.isOpen(topic)
  const sessions = new Sessions(limits, { retained, now, granted, isOpen })
  const hooks = new Hooks({
    ...{ limits, validators, login, retained, sessions, refusals, log, now },
    ...{ grants, readers, withheld },
  })
  const gate = new Gate(
    { ...options, limits },
    { refusals, handle: (connection) => running().handle(connection) },
  )
  let aedes: Aedes | undefined
  let ticker: NodeJS.Timeout | undefined
  let messages = 0
  let bytes = 0

  const running = (): Aedes => {
    invariant(aedes !== undefined, 'the gate opens after the broker runs')
    return aedes
  }

  const tick = () => {
    sessions.expire()
    grants.expire()
    withheld.tell()
    const challenge = login.renew()
    if (challenge === undefined) return
    const payload = Buffer.from(challenge)
    const packet = {
      cmd: 'publish',
      topic: CHALLENGE_TOPIC,
      payload,
      qos: 0,
      retain: true,
      dup: false,
    } as const
    running().publish(packet, (error) => {
      if (error) log.error('challenge not published', { error: error.message })
    })
  }

  return {
    async start() {
      invariant(aedes === undefined, 'a broker starts once')
      aedes = new Aedes({ ...aedesOptions(limits), ...hooks.options(), persistence: sessions })
      hooks.watch(aedes)
      aedes.on('publish', (packet, client) => {
        if (client === null) return
        messages += 1
        bytes += packet.payload.length
      })
      await aedes.listen()
      tick()
      ticker = setInterval(tick, TICK_MS)
      return gate.start()
    },
    async stop() {
      clearInterval(ticker)
      const broker = aedes
      if (broker !== undefined) await new Promise<void>((resolve) => broker.close(resolve))
      await gate.stop()
    },
    stats: () => ({
      connections: gate.connections,
      clients: hooks.clients,
      messages,
      bytes,
      refused: refusals.counts,
      withheld: withheld.counts,
      grants: grants.size,
      retained: retained.count,
      retainedBytes: retained.bytes,
      sessions: sessions.count,
      queuedBytes: sessions.queueBytes,
      backlogBytes: gate.budget.outgoing,
    }),
  }
}

/** Aedes' options with what each closes. */
const aedesOptions = (limits: Limits) => ({
  // With a bound on messages at work one stalled subscriber stalls everybody, and its queue recurses until the
  // stack overflows; our connections never make it wait, so there is nothing to bound.
  concurrency: 0,
  connectTimeout: limits.connectMsMax,
  drainTimeout: limits.drainMsMax,
  keepaliveLimit: limits.keepaliveSecondsMax,
  maxInflightInbound: limits.inflightMax,
  maxTopicLevels: LEVELS_MAX,
})
