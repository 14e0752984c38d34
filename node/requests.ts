/**
 * Questions and answers between nodes: `request/<from>/<to>` and `reply/<from>/<to>`.
 *
 * A question carries an id; its reply repeats it and must come from whom was asked, under that one's own name. Anybody
 * may ask anything at any rate, so answering is limited per requester, in all, and in how much runs at once. What
 * does not decode is logged and forgotten. Source: docs/PROTOCOL.md section 8.
 */
import { decode, encode } from '../schemas/codec.ts'
import { type Account, type Network, short } from '../schemas/hex.ts'
import { MESSAGE_BYTES_MAX, type Reply, type Request, reply, request } from '../schemas/message.ts'
import { accept, type Result, refuse } from '../schemas/result.ts'
import { type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Random } from './backoff.ts'
import type { Log } from './log.ts'
import { systemTimers, type Timers } from './timers.ts'
import { BucketPerKey, type RateLimit, TokenBucket } from './token-bucket.ts'

/** No request is larger: 128 hashes, or 64 locator entries, and their head. */
export const REQUEST_BYTES_MAX = 8192

export const REQUESTS_DEFAULTS = {
  /** How long to wait for a reply. */
  timeoutMs: 10_000,
  outstandingMax: 32,
  /** Answers that run at once. */
  answeringMax: 4,
  /**
   * Who catches up asks once for 768 headers and six times for 128 blocks: 10 a second are 1,100 blocks a second from one
   * peer, some of what a small computer checks.
   */
  perRequester: { perSecond: 10, burst: 40 },
  /** For all requesters together, because on an open broker a name costs nothing. */
  overall: { perSecond: 50, burst: 100 },
  requestersMax: 1024,
} as const

/** Replies of those who were not asked that are decoded, of all together. */
const UNASKED = { perSecond: 10, burst: 100 } as const

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never
export type Question = WithoutId<Request>
export type Answer = WithoutId<Reply>

const ANSWERS = {
  getHeaders: 'headers',
  getBlocks: 'blocks',
  getAccount: 'account',
  getInclusion: 'inclusion',
  getBalance: 'balance',
  getFees: 'fees',
  getEntry: 'entry',
  getTicks: 'ticks',
} as const
/** The kind of reply that a question has. */
export type ReplyTo<Q extends Question> = Extract<Reply, { type: (typeof ANSWERS)[Q['type']] }>

export interface AskFault {
  /** `busy`: too many questions are open. `not-sent`: no connection. `bad-reply`: an answer to another question. */
  readonly code: 'busy' | 'not-sent' | 'timeout' | 'bad-reply' | 'stopped'
  readonly message: string
}

/** Answers a question, or undefined to stay silent (unknown account, not in sync). May take its time. */
export type Answerer = (question: Request, from: Account) => Promise<Answer | undefined> | Answer | undefined

export interface RequestsOptions {
  readonly network: Network
  /** Who asks and answers. */
  readonly self: Account
  readonly timeoutMs?: number
  readonly outstandingMax?: number
  readonly answeringMax?: number
  readonly perRequester?: RateLimit
  readonly overall?: RateLimit
  readonly requestersMax?: number
}

export interface RequestsModules {
  readonly publish: (
    topic: string,
    payload: Uint8Array,
    options: { readonly qos: 0 | 1; readonly retain: boolean },
  ) => Promise<boolean>
  readonly log: Log
  readonly random: Random
  /** Monotonic, milliseconds. */
  readonly now: () => number
  readonly timers?: Timers
  /** An answerer threw: our own bug. */
  readonly onFault: (error: unknown) => void
}

export interface Requests {
  /** What to subscribe to before asking or answering. */
  readonly filters: readonly string[]
  /**
   * Asks `peer` and waits for its reply. Never wait for it inside `onMessage`: the reply comes the same way, and the
   * next message is handed on only after `onMessage` has ended.
   */
  ask<const Q extends Question>(peer: Account, question: Q): Promise<Result<ReplyTo<Q>, AskFault>>
  /** From now on questions are answered. */
  serve(answerer: Answerer): void
  /** Takes a message whose topic is of kind `request` or `reply`. Returns at once. */
  receive(parsed: ParsedTopic, payload: Uint8Array): void
  /** Refuses what is open and what comes. */
  stop(): void
}

interface Outstanding {
  readonly peer: Account
  readonly expected: Reply['type']
  readonly settle: (result: Result<Reply, AskFault>) => void
}

const U32 = 2 ** 32

export function createRequests(options: RequestsOptions, modules: RequestsModules): Requests {
  return new NodeRequests(options, modules)
}

class NodeRequests implements Requests {
  readonly filters: readonly string[]
  readonly #options: RequestsOptions & typeof REQUESTS_DEFAULTS
  readonly #modules: RequestsModules
  readonly #outstanding = new Map<number, Outstanding>()
  readonly #perRequester: BucketPerKey
  readonly #overall: TokenBucket
  readonly #unasked: TokenBucket
  #nextId: number
  #answerer: Answerer | undefined
  #answering = 0
  #stopped = false

  constructor(options: RequestsOptions, modules: RequestsModules) {
    this.#options = { ...REQUESTS_DEFAULTS, ...options } as RequestsOptions & typeof REQUESTS_DEFAULTS
    this.#modules = modules
    this.filters = [
      topic(options.network, 'request', '+', options.self),
      topic(options.network, 'reply', '+', options.self),
    ]
    this.#perRequester = new BucketPerKey(this.#options.perRequester, this.#options.requestersMax)
    this.#overall = new TokenBucket(this.#options.overall, modules.now())
    this.#unasked = new TokenBucket(UNASKED, modules.now())
    // A random start, so that replies to an earlier run of ours are not taken for this one's.
    this.#nextId = Math.floor(modules.random() * U32)
  }

  async ask<const Q extends Question>(peer: Account, question: Q): Promise<Result<ReplyTo<Q>, AskFault>> {
    const { network, self, timeoutMs, outstandingMax } = this.#options
    const { timers = systemTimers } = this.#modules
    if (this.#stopped) return refuse({ code: 'stopped', message: 'this node is stopping' })
    if (this.#outstanding.size >= outstandingMax) {
      return refuse({ code: 'busy', message: `${outstandingMax} questions are open already` })
    }
    const id = this.#freshId()
    const payload = encode(request, { ...question, id } as Request)
    const result = new Promise<Result<Reply, AskFault>>((resolve) => {
      const settle = (value: Result<Reply, AskFault>): void => {
        cancel()
        this.#outstanding.delete(id)
        resolve(value)
      }
      const cancel = timers.after(timeoutMs, () =>
        settle(refuse({ code: 'timeout', message: `no reply from ${short(peer)} within ${timeoutMs} ms` })),
      )
      this.#outstanding.set(id, { peer, expected: ANSWERS[question.type], settle })
    })
    const sent = await this.#modules.publish(topic(network, 'request', self, peer), payload, {
      qos: 1,
      retain: false,
    })
    if (!sent) {
      this.#outstanding
        .get(id)
        ?.settle(refuse({ code: 'not-sent', message: 'not connected, or too much is in flight' }))
    }
    // `receive` lets only the expected type through.
    return (await result) as Result<ReplyTo<Q>, AskFault>
  }

  serve(answerer: Answerer): void {
    this.#answerer = answerer
  }

  receive(parsed: ParsedTopic, payload: Uint8Array): void {
    if (this.#stopped || parsed.network !== this.#options.network || parsed.rest[0] !== this.#options.self)
      return
    if (parsed.json) return
    if (parsed.kind === 'reply') this.#receiveReply(parsed.publisher, payload)
    else if (parsed.kind === 'request') this.#receiveRequest(parsed.publisher, payload)
  }

  stop(): void {
    this.#stopped = true
    for (const { settle } of [...this.#outstanding.values()]) {
      settle(refuse({ code: 'stopped', message: 'this node is stopping' }))
    }
  }

  #freshId(): number {
    do this.#nextId = (this.#nextId + 1) % U32
    while (this.#outstanding.has(this.#nextId))
    return this.#nextId
  }

  #receiveReply(from: Account, payload: Uint8Array): void {
    const { log } = this.#modules
    // Anybody may send replies of any size at any rate; who was not asked gets a look and a line in the log now and then.
    const asked = [...this.#outstanding.values()].some(({ peer }) => peer === from)
    if (!asked && !this.#unasked.take(this.#modules.now())) return
    const decoded = decode(reply, payload, MESSAGE_BYTES_MAX)
    if (!decoded.ok) {
      const { code, field, message } = decoded.fault
      log.warn('refused a reply', { from: short(from), code, field, message })
      return
    }
    const open = this.#outstanding.get(decoded.value.id)
    if (open === undefined || open.peer !== from) {
      log.debug('a reply that nobody asked for, or too late', { from: short(from), id: decoded.value.id })
      return
    }
    if (decoded.value.type === open.expected) {
      open.settle(accept(decoded.value))
      return
    }
    const message = `expected ${open.expected} from ${short(from)}, got ${decoded.value.type}`
    log.warn('refused a reply', { from: short(from), code: 'bad-reply', message })
    open.settle(refuse({ code: 'bad-reply', message }))
  }

  #receiveRequest(from: Account, payload: Uint8Array): void {
    const { log, now } = this.#modules
    const answerer = this.#answerer
    if (answerer === undefined) return
    const nowMs = now()
    // The requester's own limit first: one that is over it must not use up what is there for all.
    if (!this.#perRequester.take(from, nowMs) || !this.#overall.take(nowMs)) {
      log.debug('refused a request', { from: short(from), code: 'rate-limit' })
      return
    }
    const decoded = decode(request, payload, REQUEST_BYTES_MAX)
    if (!decoded.ok) {
      const { code, field, message } = decoded.fault
      log.warn('refused a request', { from: short(from), code, field, message })
      return
    }
    if (this.#answering >= this.#options.answeringMax) {
      log.debug('refused a request', { from: short(from), code: 'busy' })
      return
    }
    void this.#answer(answerer, decoded.value, from)
  }

  async #answer(answerer: Answerer, question: Request, from: Account): Promise<void> {
    const { publish, log, onFault } = this.#modules
    this.#answering++
    try {
      const answer = await answerer(question, from)
      if (answer === undefined) return
      const payload = encode(reply, { ...answer, id: question.id } as Reply)
      const { network, self } = this.#options
      const sent = await publish(topic(network, 'reply', self, from), payload, { qos: 1, retain: false })
      if (!sent) log.debug('a reply was not sent', { to: short(from), type: answer.type })
    } catch (error) {
      onFault(error)
    } finally {
      this.#answering--
    }
  }
}
