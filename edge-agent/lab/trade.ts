/**
 * An agent's laboratory: hears its owner's orders, takes part in one experiment at a time, and tells people where it stands.
 *
 * An order is on disk before it counts, and counts once. Source: docs/CLOCKCHAIN.md "The clock tower", docs/PROTOCOL.md section 16.
 */
import { WorldError } from '../../node/error.ts'
import { HandStore } from '../../node/hand-store.ts'
import { TokenBucket } from '../../node/token-bucket.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import { everyone, type ParsedTopic, topic } from '../../schemas/topic.ts'
import type { OpenSearch } from '../experiment/search.ts'
import type { Desk, Trade } from '../trade.ts'
import { Experiment, type Standing } from './experiment.ts'
import type { LabLog } from './lab-log.ts'
import { checkOrder, endsAt, handsOf, type OrderRefusal, readOrder, type SignedOrder } from './order.ts'

export interface LabOptions {
  /** Whose orders it takes. */
  readonly owner: Account
  /** For each experiment. */
  readonly open: OpenSearch
  readonly onFatal: (error: unknown) => void
}

export type LabWord = 'idle' | 'not-named' | 'running' | 'over' | 'stopped' | 'failed'

/** What `lab-state/<agent>` says. */
export interface LabState {
  readonly agent: Account
  readonly owner: Account
  readonly at: string
  readonly order: Hash | null
  readonly sequence: number
  readonly state: LabWord
  readonly hand: Standing['hand'] | null
  readonly round: number | null
  readonly tower: Account | null
  readonly term: number | null
  readonly ticks: number
  readonly refused: { readonly sequence: number | null; readonly reason: string } | null
}

const TELL_MS = 1_000
/** On a broker without access control anybody may speak under the owner's name: orders that are checked, and refusals that are told. */
const CHECKS = { perSecond: 20, burst: 200 } as const
const REFUSALS = { perSecond: 0.2, burst: 20 } as const
const HEARD = ['tower', 'lab-tick', 'lab-ask'] as const

export class LabTrade implements Trade {
  readonly filters: readonly string[]
  readonly #desk: Desk
  readonly #options: LabOptions
  readonly #log: LabLog
  readonly #otherFilters: readonly string[]
  #signed: SignedOrder | undefined
  #experiment: Experiment | undefined
  #word: LabWord = 'idle'
  #refused: LabState['refused'] = null
  #refusedBytes: Uint8Array | undefined
  readonly #checks: TokenBucket
  readonly #refusals: TokenBucket
  #told = ''
  #toldMs = Number.NEGATIVE_INFINITY
  /** Parts that end: a new one begins on disk only when the one before has let go. */
  #ending: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(desk: Desk, options: LabOptions, log: LabLog) {
    this.#desk = desk
    this.#options = options
    this.#log = log
    const { chain, signer, clock } = desk
    this.#checks = new TokenBucket(CHECKS, clock.monotonic())
    this.#refusals = new TokenBucket(REFUSALS, clock.monotonic())
    const { id } = chain.network
    this.#otherFilters = [
      everyone(id, 'tower'),
      everyone(id, 'lab-tick'),
      topic(id, 'lab-ask', '+', signer.account),
    ]
    const { order } = log
    if (order !== undefined && order.owner === options.owner) {
      const read = readOrder(chain.network, order.owner, order.bytes)
      if (read.ok) this.#signed = read.value
    }
    // What is retained of an experiment is heard once its order is known.
    const known = this.#signed === undefined ? [] : this.#otherFilters
    this.filters = [topic(id, 'lab', options.owner), ...known]
    if (this.#signed !== undefined) this.#follow(this.#signed)
  }

  onMessage(parsed: ParsedTopic, payload: Uint8Array): void {
    const { kind, publisher, json } = parsed
    // What comes while we stop is the broker's to keep: nothing is written any more.
    if (this.#stopped || json || payload.length === 0) return
    if (kind === 'lab' && publisher === this.#options.owner) this.#hearOrder(payload)
    else if (HEARD.some((each) => each === kind)) this.#experiment?.onMessage(parsed, payload)
  }

  onConnected(): void {
    this.#experiment?.onConnected()
    this.#told = ''
    this.#tell()
  }

  onDisconnected(): void {
    this.#experiment?.onDisconnected()
  }

  tick(): void {
    this.#experiment?.tick()
    this.#tell()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#leave()
    await this.#ending
    this.#log.close()
  }

  #hearOrder(payload: Uint8Array): void {
    const { chain, clock, log } = this.#desk
    // The broker has kept it.
    const known = [this.#signed?.bytes, this.#refusedBytes]
    if (known.some((bytes) => bytes !== undefined && Buffer.compare(payload, bytes) === 0)) return
    if (!this.#checks.take(clock.monotonic())) return
    const to = {
      owner: this.#options.owner,
      sequence: this.#signed?.order.sequence ?? 0,
      nowMs: this.#earliestMs,
      mayBeLate: !clock.synchronised(),
    }
    const checked = checkOrder(chain.network, to, payload)
    if (!checked.ok) {
      this.#refusedBytes = payload.slice()
      if (!this.#refusals.take(clock.monotonic())) return
      return void this.#refuse(checked.fault)
    }
    this.#log.setOrder({ owner: to.owner, bytes: checked.value.bytes })
    this.#refused = null
    this.#leave()
    this.#signed = checked.value
    const { plan, sequence } = checked.value.order
    log.info('the owner has given an order for the laboratory', { plan: plan.type, sequence })
    this.#follow(checked.value)
    this.#tell()
  }

  /** Milliseconds since 1970: it is not earlier. */
  get #earliestMs(): number {
    const { clock, chain } = this.#desk
    return clock.synchronised() ? clock.now() : chain.tip.time
  }

  #refuse({ sequence, reason }: OrderRefusal): void {
    this.#refused = { sequence: sequence ?? null, reason }
    this.#desk.log.warn('an order for the laboratory is refused', { reason })
    this.#tell()
  }

  /** Ends the part in an experiment. */
  #leave(): void {
    const experiment = this.#experiment
    this.#experiment = undefined
    if (experiment === undefined) return
    this.#ending = this.#ending.then(() => experiment.stop()).catch(this.#options.onFatal)
  }

  #follow(signed: SignedOrder): void {
    const { plan } = signed.order
    if (plan.type === 'stop') {
      this.#word = 'stopped'
      return
    }
    const self = plan.agents.findIndex(({ account }) => account === this.#desk.signer.account)
    if (self < 0 || this.#log.isOver(signed.hash)) {
      this.#word = self < 0 ? 'not-named' : 'over'
      return
    }
    this.#word = 'running'
    this.#ending = this.#ending
      .then(() => this.#begin(signed, self))
      .catch((error: unknown) => {
        // A damaged log of one experiment must not keep the agent from everything else.
        if (error instanceof WorldError && error.code === 'store-corrupt') this.#fail(signed, error)
        else this.#options.onFatal(error)
      })
  }

  #fail(signed: SignedOrder, { message }: WorldError): void {
    this.#desk.log.error('an experiment cannot go on', { reason: message })
    if (this.#signed !== signed) return
    this.#word = 'failed'
    this.#tell()
  }

  async #begin(signed: SignedOrder, self: number): Promise<void> {
    const { chain, signer, clock, log, tell, tellPeople } = this.#desk
    const { plan } = signed.order
    // Another order has come since.
    if (this.#stopped || this.#signed !== signed || plan.type !== 'start') return
    this.#log.prune(signed.hash)
    const hands = handsOf(signed.order, plan, signed.hash)
    const endsMs = endsAt(signed.order, plan)
    const stores: HandStore[] = []
    try {
      for (const hand of hands)
        stores.push(new HandStore(this.#log.hand(signed.hash, hand.genesis.name), hand))
    } catch (error) {
      for (const store of stores) store.close()
      throw error
    }
    const experiment = new Experiment(signed, plan, self, {
      ...{ network: chain.network, signer, clock, log, tell, tellPeople, stores },
      owner: this.#options.owner,
      open: this.#options.open,
      isPast: () => this.#earliestMs > endsMs,
      onFatal: this.#options.onFatal,
      onChange: () => this.#tell(),
      onEnd: (end) => {
        if (this.#signed !== signed) return
        this.#word = end
        if (end === 'over') this.#log.setOver(signed.hash)
        log.info('an experiment has ended', { order: signed.hash.slice(0, 16), end })
        this.#told = ''
        this.#tell()
      },
    })
    this.#experiment = experiment
    this.#desk.listen(this.#otherFilters)
    await experiment.start(this.#desk.connected)
  }

  #tell(): void {
    const { signer, clock, connected } = this.#desk
    if (!connected) return
    const standing = this.#experiment?.standing
    const state = {
      agent: signer.account,
      owner: this.#options.owner,
      order: this.#signed?.order.plan.type === 'start' ? this.#signed.hash : null,
      sequence: this.#signed?.order.sequence ?? 0,
      state: this.#word,
      hand: standing?.hand ?? null,
      round: standing?.round ?? null,
      tower: standing?.tower ?? null,
      term: standing?.term ?? null,
      ticks: standing?.ticks ?? 0,
      refused: this.#refused,
    }
    const text = JSON.stringify(state)
    const wordText = JSON.stringify([state.order, state.state, state.refused])
    const isUrgent = !this.#told.startsWith(wordText)
    if (wordText + text === this.#told) return
    if (!isUrgent && clock.monotonic() - this.#toldMs < TELL_MS) return
    this.#told = wordText + text
    this.#toldMs = clock.monotonic()
    const { agent, owner, ...rest } = state
    const told: LabState = { agent, owner, at: new Date(clock.now()).toISOString(), ...rest }
    void this.#desk.tellPeople('lab-state', [], told, true)
  }
}
