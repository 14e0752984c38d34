/**
 * One of the two brokers between which a carrier goes: its session there, and its part in the slow hand.
 *
 * It speaks under the hand's id alone and follows no ledger. Of this side's ledger it knows what the validators here say; what it
 * names here as the newest block is the other side's.
 */
import type { Network } from '../ledger/network.ts'
import type { Random } from '../node/backoff.ts'
import type { Clock } from '../node/clock.ts'
import { HandNode } from '../node/hand-node.ts'
import type { HandStore } from '../node/hand-store.ts'
import type { Log } from '../node/log.ts'
import { createSession, type Session, type SessionOptions } from '../node/session.ts'
import type { Signer } from '../node/signing.ts'
import { systemTimers } from '../node/timers.ts'
import { handTip as handTipCodec } from '../schemas/message.ts'
import type { Anchor } from '../schemas/tick.ts'
import { parseTopic, topic } from '../schemas/topic.ts'
import { Announcer, withMirror } from './announcer.ts'
import { CutOff } from './cut-off.ts'

export interface Site {
  readonly network: Network
  readonly session: Pick<SessionOptions, 'url' | 'ca' | 'username' | 'password' | 'backoff'>
}

export interface CarrierSideModules {
  readonly store: HandStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** What the other side knows of its ledger. */
  readonly other: { readonly network: Network; readonly newest: () => Anchor }
  /** A tick came here that was new to us. */
  readonly onTaken: (bytes: Uint8Array) => void
  /** The hand has a new tip. */
  readonly onTick: () => void
  /** A validator here speaks of another newest block of this side's ledger. */
  readonly onNewest: () => void
  readonly onFatal: (error: unknown) => void
}

export class CarrierSide {
  readonly session: Session
  readonly node: HandNode
  readonly #announcer: Announcer
  readonly #name: string
  readonly #onNewest: () => void
  /** Of this side's ledger; block 0 until somebody says more. */
  #newest: Anchor

  constructor({ network, session }: Site, signer: Signer, modules: CarrierSideModules) {
    const { store, clock, random, other, onTaken, onTick, onNewest, onFatal } = modules
    const log = addressed(modules.log, session.url)
    const { account: self } = signer
    this.#newest = { ledger: network.genesisHash, height: 0, block: network.block0Hash }
    this.#onNewest = onNewest
    this.#name = topic(store.slow.hand.id, 'hand', self)
    const cutOff = new CutOff(self, { log, monotonic: clock.monotonic })
    this.session = createSession(
      { ...session, signer },
      {
        log,
        random,
        now: clock.monotonic,
        onMessage: ({ topic: name, payload, retain }) => this.#receive(name, payload, retain),
        onConnected: () => {
          log.info('connected')
          cutOff.onConnected()
          this.announce()
        },
        onDisconnected: (reason, retryInMs) => {
          log.warn('no connection to the broker', { reason, 'retry-seconds': (retryInMs / 1000).toFixed(1) })
          this.node.onDisconnected()
          this.#announcer.clear()
          cutOff.onDisconnected()
        },
        onDropped: (messages, bytes) =>
          log.warn('messages came faster than they could be checked', { dropped: messages, bytes }),
        onFault: onFatal,
      },
    )
    this.#announcer = new Announcer({
      publish: this.session.publish.bind(this.session),
      connected: () => this.session.connected,
      onDropped: (events) => log.warn('more to say than the broker takes', { dropped: events }),
      onFault: onFatal,
    })
    const chain = {
      network: other.network,
      get tip() {
        const { height, block } = other.newest()
        return { height, hash: block }
      },
    }
    const { session: own } = this
    this.node = new HandNode({
      ...{ store, chain, self, session: own, log, clock, random, timers: systemTimers },
      ...{ onTick, onTaken, onFatal },
    })
  }

  /** Throws WorldError `config` when the broker's address cannot be one. */
  start(): void {
    this.session.subscribe(this.node.filters)
    this.session.start()
    this.node.start()
  }

  async stop(): Promise<void> {
    this.node.stop()
    await this.session.stop()
    this.#announcer.clear()
  }

  /** The newest block of this side's ledger, as the validators here say. */
  get newest(): Anchor {
    return this.#newest
  }

  /** Says here where our hand ends. */
  announce(): void {
    this.#announcer.retained(this.#name, () => withMirror(this.#name, handTipCodec, this.node.tipMessage()))
  }

  #receive(name: string, payload: Uint8Array, retain: boolean): void {
    const parsed = parseTopic(name)
    if (parsed === undefined || parsed.network !== this.node.slow.hand.id) return
    this.node.receive(parsed, payload, retain)
    const newest = parsed.kind === 'hand' ? this.node.newestOf(this.#newest.ledger) : undefined
    if (newest === undefined || newest.block === this.#newest.block) return
    this.#newest = newest
    this.#onNewest()
  }
}

/** A log whose lines say at which broker. */
function addressed(log: Log, broker: string): Log {
  const at =
    (level: keyof Log): Log['info'] =>
    (event, fields) =>
      log[level](event, { broker, ...fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
