/**
 * An agent buys readings over channels: the thin shell around node/channel/payer.ts.
 *
 * For each thing that its configuration buys it opens a channel, says hello, pays reading by reading, opens the next channel before one
 * is used up, and calls back what is left. Invariant: nothing leaves before the log has it.
 */

import { formatCoins } from '../../ledger/amount.ts'
import type { Update } from '../../ledger/chain.ts'
import { feeFloorFor } from '../../ledger/transaction.ts'
import type { ChannelLog } from '../../node/channel/channel-log.ts'
import {
  BuyerEnd,
  type ConversationModules,
  type SealedMessage,
  type Welcome,
} from '../../node/channel/conversation.ts'
import {
  type Bought,
  type OpenPurchase,
  onDelivery,
  onStanding,
  type PayerWorld,
  resume,
} from '../../node/channel/payer.ts'
import { chainSeed, signedProof, wordProof } from '../../node/channel/proof.ts'
import { openMemo, type Purchase } from '../../node/channel/records.ts'
import { buildWordChain, type WordChain } from '../../node/channel/words.ts'
import type { Timers } from '../../node/timers.ts'
import type { ChannelTalk, StopCode } from '../../schemas/channel-message.ts'
import { type Account, type Hash, short, ZERO_HASH } from '../../schemas/hex.ts'
import type { Sample } from '../../schemas/transaction.ts'
import { decimalNumber } from '../../schemas/units.ts'
import type { Offers } from '../offers.ts'
import { type Draft, SETTLED_DEPTH } from '../outbox.ts'
import type { Desk } from '../trade.ts'
import type { Opening, Openings } from './openings.ts'
import { closeStep, current, isUnsettled, sizeOf, wantsNew, whyClose } from './purchasing-plan.ts'

/** One thing that is bought. Amounts in smallest units. */
export interface Buy {
  readonly from: Account
  readonly sensor: string
  /** For a reading, at most; what the seller offers is paid. */
  readonly priceMax: number
  /** Of each channel, at most. */
  readonly deposit: number
  /** Words of a hash chain, or signatures. */
  readonly mode: 'payword' | 'signed'
  readonly delay: number
  /** Blocks after which anybody may close a channel; undefined: never. */
  readonly lifetime: number | undefined
  /** Seconds between two readings at least. */
  readonly every: number
  /** The coins are called back when the seller has been silent for so long. */
  readonly silentMs: number
}

/** Hellos until there is an answer, and when nothing has come for long. */
const HELLO_MS = { min: 3_000, max: 60_000, idle: 60_000, knock: 1_000 } as const
/** A channel after one that went wrong is opened so much later, and ever later. */
const OPEN_MS = { min: 60_000, max: 86_400_000 } as const
/** So long after a seller has come its offer should be there, too. */
const OFFER_MS = 5_000
/** Blocks after which an opening that is not on the ledger is given up, and forgotten: what it was signed for has expired. */
const GIVEN_UP_BLOCKS = 200
const FORGOTTEN_BLOCKS = 2_500
const REPORT_MS = 60_000
const NEVER = 0xffffffff
const OPEN_BYTES = 350
/** A seller that says so may deliver later; with everything else the coins are wanted back. */
const PASSING: readonly StopCode[] = ['not-confirmed', 'not-current', 'full', 'done', 'used-up']
/** ... and with these it will within some blocks. */
const SOON: readonly StopCode[] = ['not-confirmed', 'not-current']

interface Line {
  readonly end: BuyerEnd
  /** Whether the seller has said something under the keys that were agreed last, and will say more by itself. */
  isHeard: boolean
  helloMs: number
  waitMs: number
  heardMs: number
}

interface State {
  readonly buy: Buy
  isOnline: boolean
  /** Since when. */
  onlineMs: number
  nextOpenMs: number
  openWaitMs: number
  isBuilding: boolean
  /** Why no channel is opened, as the log has it. */
  obstacle: string | undefined
  /** Of the last minute, for the log. */
  count: number
  spent: number
  last: Sample | undefined
}

export interface BuyingModules {
  readonly desk: Desk
  readonly log: ChannelLog
  readonly openings: Openings
  readonly offers: Offers
  readonly conversation: ConversationModules
  readonly timers: Timers
  readonly buys: readonly Buy[]
  /** A reading is paid and here. The last one comes again after a restart, since nobody knows whether it was seen. */
  readonly onReading?: ((purchase: Purchase, sample: Sample) => void) | undefined
  /** Something failed where nobody waits for it: the program has to end. */
  readonly onFatal: (error: unknown) => void
}

export class Buying {
  readonly #modules: BuyingModules
  readonly #states: readonly State[]
  readonly #lines = new Map<number, Line>()
  readonly #chains = new Map<number, WordChain>()
  readonly #building = new Set<number>()
  readonly #goneHeights = new Map<number, number>()
  #reportMs: number
  #stopped = false

  constructor(modules: BuyingModules) {
    this.#modules = modules
    this.#reportMs = modules.desk.clock.monotonic()
    this.#states = modules.buys.map((buy) => ({
      buy,
      isOnline: false,
      onlineMs: 0,
      nextOpenMs: 0,
      openWaitMs: OPEN_MS.min,
      isBuilding: false,
      obstacle: undefined,
      count: 0,
      spent: 0,
      last: undefined,
    }))
    for (const opening of modules.openings.own()) this.#opened(opening)
    for (const purchase of this.#purchases) {
      if (purchase.last !== undefined) modules.onReading?.(purchase, purchase.last)
      const buy = this.#stateOf(purchase)?.buy
      if (buy === undefined) this.#stop(purchase, 'not wanted any more')
      else if (purchase.price > buy.priceMax) this.#stop(purchase, 'dearer than perReadingMax')
    }
  }

  /** Blocks above this height may hold openings that a log does not know yet. */
  static from(purchases: ReadonlyMap<number, Purchase>): number {
    return [...purchases.values()].reduce((lowest, { height }) => Math.min(lowest, height), NEVER)
  }

  isOurs(channel: Hash): boolean {
    return this.#modules.log.books.purchaseOf(channel) !== undefined
  }

  /** Whether a seller is there; advice, as anybody may say so on a broker of another make. */
  presence(account: Account, isOnline: boolean): void {
    for (const state of this.#states) {
      if (state.buy.from !== account) continue
      if (isOnline && !state.isOnline) state.onlineMs = this.#modules.desk.clock.monotonic()
      state.isOnline = isOnline
    }
  }

  knock(channel: Hash): void {
    const purchase = this.#modules.log.books.purchaseOf(channel)
    const line = purchase && this.#lines.get(purchase.number)
    const nowMs = this.#modules.desk.clock.monotonic()
    if (purchase === undefined || line === undefined) return
    // Too soon after a hello: the next one comes soon, too, and not only once nothing has come for long.
    line.isHeard = false
    line.waitMs = HELLO_MS.min
    if (nowMs - line.helloMs < HELLO_MS.knock) return
    this.#hello(purchase, line, nowMs)
  }

  welcome(welcome: Welcome): void {
    const purchase = this.#modules.log.books.purchaseOf(welcome.channel)
    const line = purchase && this.#lines.get(purchase.number)
    if (purchase === undefined || line === undefined || !line.end.welcome(welcome)) return
    line.heardMs = this.#modules.desk.clock.monotonic()
    line.isHeard = false
    this.#say(purchase, line, resume(purchase, this.#world(purchase)))
  }

  sealed(message: SealedMessage): void {
    const purchase = this.#modules.log.books.purchaseOf(message.channel)
    const line = purchase && this.#lines.get(purchase.number)
    const talk = line?.end.open(message)
    if (purchase?.channel === undefined || line === undefined || talk === undefined) return
    line.heardMs = this.#modules.desk.clock.monotonic()
    // A seller that cannot begin yet says nothing more by itself: it is asked again, ever later until it delivers.
    line.isHeard = talk.type !== 'stop' || !SOON.includes(talk.code)
    if (talk.type === 'delivery') line.waitMs = HELLO_MS.min
    const open = purchase as OpenPurchase
    if (talk.type === 'delivery') this.#apply(open, line, onDelivery(this.#world(open), open, talk))
    else if (talk.type === 'resume') this.#apply(open, line, onStanding(this.#world(open), open, talk))
    else if (talk.type === 'stop') this.#onStop(open, talk)
  }

  tick(): void {
    const nowMs = this.#modules.desk.clock.monotonic()
    if (this.#modules.desk.inSync) for (const state of this.#states) this.#maybeOpen(state, nowMs)
    for (const state of this.#states) {
      const purchases = this.#of(state.buy)
      const purchase = current(purchases)
      if (purchase !== undefined) this.#keepTalking(state, purchase, nowMs)
      for (const each of purchases) if (this.#isUnsettled(each)) this.#keepTalking(state, each, nowMs)
    }
    if (nowMs - this.#reportMs >= REPORT_MS) this.#report(nowMs)
  }

  update(update: Update): void {
    for (const opening of this.#modules.openings.update(update)) this.#opened(opening)
    if (this.#modules.desk.inSync) for (const purchase of this.#purchases) this.#onLedger(purchase)
  }

  stop(): void {
    this.#stopped = true
    this.#report(this.#modules.desk.clock.monotonic())
  }

  get #purchases(): readonly Purchase[] {
    return [...this.#modules.log.books.purchases.values()]
  }

  #of({ from, sensor }: Buy): readonly Purchase[] {
    return this.#purchases.filter((each) => each.seller === from && each.sensor === sensor)
  }

  #isUnsettled(purchase: Purchase): boolean {
    const { channel } = purchase
    const entry = channel && this.#modules.desk.chain.state.channel(channel)
    return entry !== undefined && isUnsettled(purchase, entry)
  }

  #stateOf({ seller, sensor }: Purchase): State | undefined {
    return this.#states.find(({ buy }) => buy.from === seller && buy.sensor === sensor)
  }

  #maybeOpen(state: State, nowMs: number): void {
    const { desk, log } = this.#modules
    const { buy } = state
    if (state.isBuilding || !state.isOnline || nowMs < state.nextOpenMs || !wantsNew(this.#of(buy))) return
    const price = this.#offeredPrice(state, nowMs)
    if (price === undefined) return
    const { deposit, steps } = sizeOf(buy, price)
    const needs = deposit + feeFloorFor(desk.chain.network, OPEN_BYTES)
    const has = desk.chain.state.account(desk.signer.account).balance - desk.outbox.committed
    if (needs > has) {
      state.nextOpenMs = nowMs + OPEN_MS.min
      desk.log.warn('not enough coins to open a channel', {
        to: short(buy.from),
        sensor: buy.sensor,
        needs,
        has,
      })
      return
    }
    const number = this.#freshNumber()
    const { from: seller, sensor, delay, lifetime } = buy
    const { height } = desk.chain.tip
    const until = lifetime === undefined ? NEVER : Math.min(NEVER, height + lifetime)
    const plan = { number, seller, sensor, price, deposit, delay, until, steps, height }
    state.isBuilding = true
    this.#built(number, steps, (chain) => {
      state.isBuilding = false
      // The number first: a chain whose anchor is on the ledger must be known to be used.
      log.write([{ type: 'planned', ...plan }], () => this.#open(plan, chain))
    })
  }

  /**
   * Names a purchase and its hash chain. One that was used before would pay with words that its seller knows, also where the books
   * have forgotten it: a copy of a machine may draw what the machine drew.
   */
  #freshNumber(): number {
    const { desk, log, openings } = this.#modules
    const used = new Set(openings.own().map(({ open }) => open.memo.split(' ').at(-1)))
    let number = 0
    do number = Math.floor(desk.random() * 2 ** 48)
    while (log.books.purchases.has(number) || used.has(number.toString(16)))
    return number
  }

  /** What the seller offers a reading for now; undefined, and said once, when it is too much or nobody knows. */
  #offeredPrice(state: State, nowMs: number): number | undefined {
    const { desk, offers } = this.#modules
    const { from, sensor, priceMax } = state.buy
    const price = offers.find(from, 'readings', sensor)?.price
    const obstacle =
      price === undefined
        ? 'the seller does not offer it'
        : price > priceMax
          ? `perReadingMax: the seller asks for ${formatCoins(price)} a reading`
          : undefined
    if (obstacle === undefined) {
      state.obstacle = undefined
      return price
    }
    // An offer comes a moment after the word that its seller is there.
    const isNew = obstacle !== state.obstacle && nowMs - state.onlineMs >= OFFER_MS
    if (isNew) {
      state.obstacle = obstacle
      desk.log.warn('no channel is opened', { to: short(from), sensor, reason: obstacle })
    }
    return undefined
  }

  #open(
    { number, ...plan }: Omit<Purchase, 'channel' | 'index' | 'last' | 'stopped'>,
    chain: WordChain | undefined,
  ): void {
    const { desk } = this.#modules
    const draft: Draft = {
      type: 'channelOpen',
      to: plan.seller,
      amount: plan.deposit,
      delay: plan.delay,
      until: plan.until,
      anchor: chain?.anchor ?? ZERO_HASH,
      step: plan.steps > 0 ? plan.price : 0,
      memo: openMemo(plan.sensor, number),
    }
    const [sealed] = desk.act([{ draft, key: `open ${number}` }])
    if (sealed === undefined) return
    desk.log.info('opens a channel', { to: short(plan.seller), sensor: plan.sensor, deposit: plan.deposit })
  }

  /** Goes on once a purchase's chain is there, unless all has stopped by then. */
  #built(number: number, steps: number, then: (chain: WordChain | undefined) => void): void {
    const go = (chain: WordChain | undefined): void => {
      if (!this.#stopped) then(chain)
    }
    this.#build(number, steps).then(go).catch(this.#modules.onFatal)
  }

  /** A purchase's hash chain; undefined for one that is paid by signatures. */
  async #build(number: number, steps: number): Promise<WordChain | undefined> {
    if (steps === 0) return undefined
    const known = this.#chains.get(number)
    if (known !== undefined) return known
    const { desk, timers } = this.#modules
    const building = buildWordChain(chainSeed(desk.chain.network, desk.signer, number), steps)
    for (;;) {
      const { done, value } = building.next()
      if (done) {
        this.#chains.set(number, value)
        return value
      }
      await timers.turn()
      if (this.#stopped) return undefined
    }
  }

  /** One of our channels is on the ledger: which purchase is it? Signed anew, it has another id than before; its number stays. */
  #opened({ channel, open }: Opening): void {
    if (this.isOurs(channel)) return
    const found = this.#purchases.find((each) => openMemo(each.sensor, each.number) === open.memo)
    if (found !== undefined && found.seller === open.to)
      this.#modules.log.write([{ type: 'opened', number: found.number, channel }])
  }

  #keepTalking(state: State, purchase: Purchase, nowMs: number): void {
    const { desk, conversation } = this.#modules
    if (purchase.channel === undefined || desk.chain.state.channel(purchase.channel) === undefined) return
    if (purchase.steps > 0 && !this.#chains.has(purchase.number)) {
      if (this.#building.has(purchase.number)) return
      this.#building.add(purchase.number)
      this.#built(purchase.number, purchase.steps, () => this.#building.delete(purchase.number))
      return
    }
    let line = this.#lines.get(purchase.number)
    if (line === undefined) {
      const end = new BuyerEnd(conversation, purchase.channel, purchase.seller)
      line = { end, isHeard: false, helloMs: Number.NEGATIVE_INFINITY, waitMs: HELLO_MS.min, heardMs: nowMs }
      this.#lines.set(purchase.number, line)
    }
    if (nowMs - line.heardMs > state.buy.silentMs) {
      this.#stop(purchase, 'the seller is silent')
      return
    }
    const sinceMs = line.isHeard ? Math.max(line.helloMs, line.heardMs) : line.helloMs
    if (nowMs - sinceMs < (line.isHeard ? HELLO_MS.idle : line.waitMs)) return
    line.isHeard = false
    line.waitMs = Math.min(HELLO_MS.max, 2 * line.waitMs)
    this.#hello(purchase, line, nowMs)
  }

  #hello(purchase: Purchase, line: Line, nowMs: number): void {
    line.helloMs = nowMs
    void this.#modules.desk.tell('channel', [purchase.seller], line.end.hello())
  }

  #world({ number, channel, price, steps, seller, sensor }: Purchase): PayerWorld {
    const { desk, conversation } = this.#modules
    const { network } = desk.chain
    const chain = this.#chains.get(number)
    return {
      network,
      accepts: conversation.accepts,
      prove: (index) => {
        if (steps === 0) return signedProof(network, desk.signer, channel ?? ZERO_HASH, index * price)
        return wordProof(chain as WordChain, index)
      },
      last: NEVER,
      every: this.#states.find(({ buy }) => buy.from === seller && buy.sensor === sensor)?.buy.every ?? 0,
    }
  }

  #apply(purchase: OpenPurchase, line: Line, { records, talk, got, stopped }: Bought): void {
    const { desk, log, onReading } = this.#modules
    if (records.length === 0 && talk.length === 0) return
    if (stopped !== undefined) this.#failed(purchase, stopped)
    log.write(records, () => {
      for (const each of talk) this.#say(purchase, line, each)
      if (got === undefined) return
      const state = this.#stateOf(purchase)
      if (state !== undefined) {
        state.count++
        state.spent += purchase.price
        state.last = got
        state.openWaitMs = OPEN_MS.min
      }
      desk.log.debug('bought a reading', {
        sensor: got.sensor,
        sequence: got.sequence,
        value: decimalNumber(got.value),
      })
      onReading?.(purchase, got)
    })
  }

  #say(purchase: Purchase, line: Line, talk: ChannelTalk): void {
    const payload = line.end.active?.seal(talk)
    if (payload !== undefined) void this.#modules.desk.tell('channel', [purchase.seller], payload)
  }

  #onStop(purchase: OpenPurchase, { code, message }: Extract<ChannelTalk, { type: 'stop' }>): void {
    const reason = `${code}: ${message}`
    this.#modules.desk.log.info('a seller delivers nothing', { from: short(purchase.seller), reason })
    if (!PASSING.includes(code) && purchase.stopped === undefined) this.#stop(purchase, code)
  }

  #stop(purchase: Purchase, reason: string): void {
    if (purchase.stopped !== undefined) return
    this.#failed(purchase, reason)
    this.#modules.log.write([
      { type: 'purchaseStopped', number: purchase.number, reason: reason.slice(0, 40) },
    ])
  }

  #failed(purchase: Purchase, reason: string): void {
    const { desk } = this.#modules
    desk.log.warn('a channel is given up, what is left comes back', { to: short(purchase.seller), reason })
    const state = this.#stateOf(purchase)
    if (state === undefined) return
    state.nextOpenMs = desk.clock.monotonic() + state.openWaitMs
    state.openWaitMs = Math.min(OPEN_MS.max, 4 * state.openWaitMs)
  }

  #onLedger(purchase: Purchase): void {
    const { desk, log } = this.#modules
    const { chain } = desk
    const { number, channel, height: planned } = purchase
    const age = chain.tip.height - planned
    if (channel === undefined) {
      // It was signed and may still come: then its coins come back.
      if (age > GIVEN_UP_BLOCKS) this.#stop(purchase, 'not on the ledger')
      if (age > FORGOTTEN_BLOCKS) log.write([{ type: 'purchaseEnded', number }])
      else if (purchase.stopped === undefined && !desk.outbox.has(`open ${number}`)) this.#reopen(purchase)
      return
    }
    const entry = chain.state.channel(channel)
    if (entry === undefined) {
      const gone = this.#goneHeights.get(number) ?? chain.tip.height
      this.#goneHeights.set(number, gone)
      if (chain.tip.height - gone < SETTLED_DEPTH) return
      log.write([{ type: 'purchaseEnded', number }])
      for (const map of [this.#goneHeights, this.#lines, this.#chains]) map.delete(number)
      desk.log.info('a channel is closed', { to: short(purchase.seller), readings: purchase.index })
      return
    }
    this.#goneHeights.delete(number)
    const step = closeStep(purchase, entry, chain.next.height, feeFloorFor(chain.network, OPEN_BYTES))
    if (step === undefined) return
    const [sealed] = desk.act([{ draft: { type: 'channelClose', channel }, key: `${step} ${channel}` }])
    if (sealed !== undefined)
      desk.log.info(`${step} to close a channel`, {
        to: short(purchase.seller),
        reason: whyClose(purchase) ?? 'its time is over',
      })
  }

  /** The crash came between the plan and the outbox. */
  #reopen(purchase: Purchase): void {
    if (this.#building.has(purchase.number)) return
    this.#building.add(purchase.number)
    this.#built(purchase.number, purchase.steps, (chain) => {
      this.#building.delete(purchase.number)
      if (!this.#modules.desk.outbox.has(`open ${purchase.number}`)) this.#open(purchase, chain)
    })
  }

  #report(nowMs: number): void {
    this.#reportMs = nowMs
    for (const state of this.#states) {
      const { buy, count, spent, last } = state
      if (count === 0 || last === undefined) continue
      const fields = { sensor: buy.sensor, from: short(buy.from), readings: count, spent }
      this.#modules.desk.log.info('bought', { ...fields, value: decimalNumber(last.value), unit: last.unit })
      state.count = 0
      state.spent = 0
    }
  }
}
