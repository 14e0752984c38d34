/**
 * One of the two brokers between which a carrier goes: its session there, and its part in the slow hand.
 *
 * It speaks under the hand's id alone and follows no ledger. Of this side's ledger it knows what the validators here say; what it
 * names here as the newest block is the other side's, and each block of a third ledger that is spoken of there. Invariant: such a
 * name goes over once, and never to where it was heard, so it ends in a ring, too.
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
import { encode } from '../schemas/codec.ts'
import type { Hash } from '../schemas/hex.ts'
import { handTip as handTipCodec } from '../schemas/message.ts'
import { ANCHORS_MAX, type Anchor } from '../schemas/tick.ts'
import { parseTopic, topic } from '../schemas/topic.ts'
import { Announcer, withMirror } from './announcer.ts'
import { CutOff } from './cut-off.ts'

/** Names that were heard or said last: as many as go over between two ticks, and more. */
const NAMES_MAX = 8 * ANCHORS_MAX

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
  /** A validator here speaks of a block of a third ledger. */
  readonly onName: (name: Anchor) => void
  readonly onFatal: (error: unknown) => void
}

export class CarrierSide {
  readonly session: Session
  readonly node: HandNode
  readonly #announcer: Announcer
  readonly #name: string
  readonly #onNewest: () => void
  readonly #onName: (name: Anchor) => void
  readonly #other: Hash
  /** Heard or said here. */
  readonly #names = new Set<string>()
  /** Of this side's ledger; block 0 until somebody says more. */
  #newest: Anchor

  constructor({ network, session }: Site, signer: Signer, modules: CarrierSideModules) {
    const { store, clock, random, other, onTaken, onTick, onFatal } = modules
    const log = addressed(modules.log, session.url)
    const { account: self } = signer
    this.#newest = { ledger: network.genesisHash, height: 0, block: network.block0Hash }
    this.#onNewest = modules.onNewest
    this.#onName = modules.onName
    this.#other = other.network.genesisHash
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
          this.#names.clear()
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
      onNewest: (newest, counts) => this.#hear(newest, counts),
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

  /** Says here that there is this block of a third ledger, unless that was heard or said here. */
  pass(name: Anchor): void {
    if (!this.session.connected || this.#names.has(keyOf(name))) return
    this.#remember(name)
    const payload = () => encode(handTipCodec, this.node.tipMessage(name))
    // What waits is the newest of each ledger. People find the names in ticks: without a mirror.
    this.#announcer.retained(name.ledger, () => [{ topic: this.#name, payload: payload(), qos: 1 }])
  }

  #receive(name: string, payload: Uint8Array, retain: boolean): void {
    const parsed = parseTopic(name)
    if (parsed?.network === this.node.slow.hand.id) this.node.receive(parsed, payload, retain)
  }

  #hear(newest: Anchor, counts: boolean): void {
    this.#remember(newest)
    if (!counts || newest.ledger === this.#other) return
    if (newest.ledger !== this.#newest.ledger) this.#onName(newest)
    else if (newest.block !== this.#newest.block) {
      this.#newest = newest
      this.#onNewest()
    }
  }

  #remember(name: Anchor): void {
    this.#names.add(keyOf(name))
    for (const oldest of this.#names) {
      if (this.#names.size <= NAMES_MAX) break
      this.#names.delete(oldest)
    }
  }
}

const keyOf = ({ ledger, block }: Anchor): string => ledger + block

/** A log whose lines say at which broker. */
function addressed(log: Log, broker: string): Log {
  const at =
    (level: keyof Log): Log['info'] =>
    (event, fields) =>
      log[level](event, { broker, ...fields })
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
