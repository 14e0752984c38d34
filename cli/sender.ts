/**
 * A session that is about to send a transaction: it learns from validators which network this is, how high it is, and
 * what they say of the sender's account, and hears the receipts.
 */
import { Hashing } from '../ledger/hashing.ts'
import { createNetwork, type Network } from '../ledger/network.ts'
import { WorldError } from '../node/error.ts'
import type { Log } from '../node/log.ts'
import { createRequests, type Requests } from '../node/requests.ts'
import { createSession, type Session, type SessionOptions } from '../node/session.ts'
import { type Signer, signatures } from '../node/signing.ts'
import { decode } from '../schemas/codec.ts'
import { GENESIS_BYTES_MAX, genesis as genesisCodec } from '../schemas/genesis.ts'
import type { Account } from '../schemas/hex.ts'
import { accountView, type Receipt, receipt, type Tip, tip } from '../schemas/message.ts'
import { type ParsedTopic, parseTopic } from '../schemas/topic.ts'
import { TRANSACTION_BYTES_MAX } from '../schemas/transaction.ts'

export type Where = Pick<SessionOptions, 'url' | 'ca' | 'username' | 'password'>

/** What has to be known before a transaction can be signed. */
export interface Place {
  readonly network: Network
  /** Who tells of the network. */
  readonly validator: Account
  readonly height: number
  readonly nonce: number
  /** Smallest units. */
  readonly balance: number
}

/** How long a validator may take to answer a question. */
const ANSWER_MS_MAX = 1_500
const CONNECT_MS_MAX = 10_000
const NETWORK_MS_MAX = 5_000
/** The account's own view may be missing: nobody has sent it a coin. */
const VIEW_MS_MAX = 1_000
const LOOK_MS = 20
/** Tips remembered: on a broker without access rules anybody may be any number of validators. */
const VALIDATORS_MAX = 64

/** Of this process. */
let sessions = 0

export class Sender {
  readonly session: Session
  readonly #where: Where
  readonly #signer: Signer
  /** Genesis hash, or its first 8 digits, that the network must have. */
  readonly #wanted: string | undefined
  readonly #log: Log
  #requests: Requests | undefined
  #network: Network | undefined
  #validator: Account | undefined
  #height: number | undefined
  #view: { readonly nonce: number; readonly balance: number } | undefined
  readonly #tips = new Map<Account, Tip>()
  readonly #onReceipt: ((value: Receipt) => void)[] = []
  #onMessage: (parsed: ParsedTopic, payload: Uint8Array, retain: boolean) => void = () => {}
  #reason = 'no answer'

  constructor(where: Where, signer: Signer, wanted: string | undefined, log: Log) {
    this.#where = where
    this.#signer = signer
    this.#wanted = wanted
    this.#log = log
    this.session = createSession(
      // A client id logs in once for each challenge of the broker.
      { ...where, signer, clientIdSuffix: `pay-${process.pid}-${++sessions}` },
      {
        log,
        random: Math.random,
        now: () => performance.now(),
        onMessage: ({ topic: name, payload, retain }) => {
          const parsed = parseTopic(name)
          if (parsed === undefined) return
          if (!parsed.json) this.#learn(parsed, payload)
          this.#onMessage(parsed, payload, retain)
        },
        onConnected: () => {},
        onDisconnected: (why) => {
          this.#reason = why
        },
        onDropped: () => {},
        onFault(error) {
          throw error
        },
      },
    )
  }

  /** The broker's. */
  get url(): string {
    return this.#where.url
  }

  /** Connects and learns where it is. Throws WorldError `broker-unreachable`. */
  async start(): Promise<Place> {
    const { url } = this.#where
    const network = this.#wanted?.slice(0, 8) ?? '+'
    this.session.subscribe([
      `pinledger/${network}/genesis/+`,
      `pinledger/${network}/tip/+`,
      `pinledger/${network}/account/+/${this.#signer.account}`,
      `pinledger/${network}/receipt/+/${this.#signer.account}`,
    ])
    this.session.start()
    if (!(await holds(() => this.session.connected, CONNECT_MS_MAX)))
      throw new WorldError('broker-unreachable', `cannot reach the broker at ${url}: ${this.#reason}`)
    await holds(() => this.#network !== undefined && this.#height !== undefined, NETWORK_MS_MAX)
    if (this.#network === undefined || this.#validator === undefined || this.#height === undefined) {
      const which = this.#wanted === undefined ? '' : ` ${this.#wanted}`
      throw new WorldError('broker-unreachable', `no validator at ${url} tells of a network${which}`)
    }
    await holds(() => this.#view !== undefined, VIEW_MS_MAX)
    const { nonce, balance } = this.#view ?? { nonce: 0, balance: 0 }
    return { network: this.#network, validator: this.#validator, height: this.#height, nonce, balance }
  }

  /** Questions to validators on this session. */
  requests({ network }: Place): Requests {
    this.#requests ??= createRequests(
      { network: network.id, self: this.#signer.account, timeoutMs: ANSWER_MS_MAX },
      {
        publish: this.session.publish.bind(this.session),
        log: this.#log,
        random: Math.random,
        now: () => performance.now(),
        onFault(error) {
          throw error
        },
      },
    )
    this.session.subscribe(this.#requests.filters)
    return this.#requests
  }

  /** From now on receipts of the sender's transactions go there too. */
  onReceipt(listener: (value: Receipt) => void): void {
    this.#onReceipt.push(listener)
  }

  /** From now on every message goes there too, mirrors included, of filters that were subscribed to beside the sender's own. */
  onMessage(listener: (parsed: ParsedTopic, payload: Uint8Array, retain: boolean) => void): void {
    this.#onMessage = listener
  }

  /** What validators say of their tips now. */
  get tips(): ReadonlyMap<Account, Tip> {
    return this.#tips
  }

  /** What they say of the account now. */
  get view(): { readonly nonce: number; readonly balance: number } {
    return this.#view ?? { nonce: 0, balance: 0 }
  }

  async stop(): Promise<void> {
    this.#requests?.stop()
    await this.session.stop()
  }

  /** Takes in what validators say; a genesis counts only if its bytes hash to the network's name. */
  #learn(parsed: ParsedTopic, payload: Uint8Array): void {
    const { kind, publisher, rest } = parsed
    if (kind === 'reply') this.#requests?.receive(parsed, payload)
    if (kind === 'genesis' && this.#network === undefined) {
      const decoded = decode(genesisCodec, payload, GENESIS_BYTES_MAX)
      const network = decoded.ok
        ? createNetwork(decoded.value, { hashing: new Hashing(), signatures })
        : undefined
      if (network?.ok !== true || network.value.id !== parsed.network) return
      if (this.#wanted !== undefined && !network.value.genesisHash.startsWith(this.#wanted)) return
      this.#network = network.value
      this.#validator = publisher
    }
    if (kind === 'tip') {
      const decoded = decode(tip, payload, TRANSACTION_BYTES_MAX)
      if (!decoded.ok) return
      this.#height = Math.max(this.#height ?? 0, decoded.value.height)
      if (this.#tips.size < VALIDATORS_MAX || this.#tips.has(publisher))
        this.#tips.set(publisher, decoded.value)
    }
    if (kind === 'account' && rest[0] === this.#signer.account) {
      const decoded = decode(accountView, payload, TRANSACTION_BYTES_MAX)
      if (decoded.ok && decoded.value.nonce >= (this.#view?.nonce ?? 0)) this.#view = decoded.value
    }
    if (kind === 'receipt' && rest[0] === this.#signer.account) {
      const decoded = decode(receipt, payload, TRANSACTION_BYTES_MAX)
      if (decoded.ok) for (const listener of this.#onReceipt) listener(decoded.value)
    }
  }
}

/** Whether the condition comes true in time. */
async function holds(condition: () => boolean, timeoutMs: number): Promise<boolean> {
  const endMs = performance.now() + timeoutMs
  while (!condition() && performance.now() <= endMs)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  return condition()
}
