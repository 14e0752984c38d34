/**
 * An agent sells its sensors' readings over channels: the thin shell around node/channel/payee.ts.
 *
 * It hears hellos and payments, delivers what its sensors say, says it again when no payment comes, shows its best proofs to
 * whoever would claim for it, and claims. Invariant: nothing leaves before the log has it.
 */
import { feeFloorFor } from '../../ledger/transaction.ts'
import type { ChannelLog } from '../../node/channel/channel-log.ts'
import {
  type ConversationModules,
  type Hello,
  type SealedMessage,
  SellerEnd,
} from '../../node/channel/conversation.ts'
import {
  again,
  type Outcome,
  onPayment,
  onResume,
  onSample,
  type PayeeWorld,
  type Terms,
} from '../../node/channel/payee.ts'
import type { Sale } from '../../node/channel/records.ts'
import { BucketPerKey } from '../../node/token-bucket.ts'
import {
  type ChannelTalk,
  channelMessage,
  claimNotice,
  type StopCode,
} from '../../schemas/channel-message.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, short } from '../../schemas/hex.ts'
import type { Sample } from '../../schemas/transaction.ts'
import { SETTLED_DEPTH } from '../outbox.ts'
import type { Desk } from '../trade.ts'
import { claimStep, unclaimed } from './claiming.ts'
import type { Openings } from './openings.ts'

export interface SellingTerms extends Terms {
  /** Smallest units that may stay unclaimed. */
  readonly claimAbove: number
}

/** Buyers that are talked to at the same time; those that were silent for longest make room. */
const LINES_MAX = 1_024
/** What is not paid is delivered again after so long, and then ever later. */
const AGAIN_MS = { min: 2_000, max: 60_000 } as const
/** Hellos of one channel that are looked at. Checking one costs a signature. */
const HELLOS = { perSecond: 2, burst: 20 } as const
/** Best proofs are shown this often. */
const NOTICE_MS = 60_000
/** Blocks after which a claim that is not on the ledger no longer holds up the next. */
const CLAIM_BLOCKS = 10
/** Bytes of the largest claim. */
const CLAIM_BYTES = 350

interface Line {
  readonly end: SellerEnd
  /** The last reading that the buyer wants, and how often at most. */
  last: number
  everyMs: number
  deliveredMs: number
  sentMs: number
  waitMs: number
  /** Why nothing is delivered, as the buyer has been told. */
  told: StopCode | undefined
  quiet: boolean
}

interface Noted {
  shownIndex: number
  shownMs: number
  /** A claim that is on its way: what it brings the ledger to, and since when. */
  claimed: { readonly amount: number; readonly height: number } | undefined
  paid: number | undefined
  goneHeight: number | undefined
}

export interface SellingModules {
  readonly desk: Desk
  readonly log: ChannelLog
  readonly openings: Openings
  readonly conversation: ConversationModules
  readonly terms: ReadonlyMap<string, SellingTerms>
}

export class Selling {
  readonly #modules: SellingModules
  readonly #lines = new Map<Hash, Line>()
  readonly #noted = new Map<Hash, Noted>()
  readonly #hellos = new BucketPerKey(HELLOS, LINES_MAX)
  readonly #knocks = new BucketPerKey({ perSecond: 0.5, burst: 2 }, LINES_MAX)

  constructor(modules: SellingModules) {
    this.#modules = modules
  }

  /** Whether a channel is one on which we are paid. */
  isOurs(channel: Hash): boolean {
    const { chain, signer } = this.#modules.desk
    const entry = chain.state.channel(channel)
    return entry !== undefined && entry.to === signer.account && entry.from !== signer.account
  }

  hello(hello: Hello): void {
    const { desk, conversation } = this.#modules
    const { channel } = hello
    const entry = desk.chain.state.channel(channel)
    if (entry === undefined || !this.isOurs(channel)) return
    if (!this.#hellos.take(channel, desk.clock.monotonic())) return
    const line = this.#lines.get(channel) ?? newLine(new SellerEnd(conversation, channel, entry.from))
    const welcome = line.end.hello(hello)
    if (welcome === undefined) return
    this.#heard(channel, line)
    for (const oldest of this.#lines.keys()) {
      if (this.#lines.size <= LINES_MAX) break
      this.#lines.delete(oldest)
    }
    void desk.tell('channel', [entry.from], welcome)
  }

  sealed(message: SealedMessage): void {
    const { log } = this.#modules
    const { channel } = message
    const line = this.#lines.get(channel)
    const talk = line?.end.open(message)
    if (line === undefined || talk === undefined) {
      if (this.isOurs(channel)) this.#knock(channel)
      return
    }
    this.#heard(channel, line)
    const sale = log.books.sales.get(channel)
    if (talk.type === 'resume') {
      line.last = talk.last
      line.everyMs = talk.every * 1000
      line.quiet = false
      line.told = undefined
      this.#apply(line, channel, onResume(this.#world(channel, talk.sensor), channel, sale, talk))
    } else if (talk.type === 'payment' && sale !== undefined)
      this.#apply(line, channel, onPayment(this.#world(channel, sale.sensor), sale, talk))
    else if (talk.type === 'stop') line.quiet = true
  }

  sample(sample: Sample): void {
    const { desk, log } = this.#modules
    const nowMs = desk.clock.monotonic()
    for (const sale of log.books.sales.values()) {
      const line = this.#lines.get(sale.channel)
      if (line?.end.active === undefined || line.quiet || sale.sensor !== sample.sensor) continue
      if (sale.index >= line.last || nowMs - line.deliveredMs < line.everyMs) continue
      const outcome = onSample(this.#world(sale.channel, sale.sensor), sale, sample)
      if (outcome.records.length > 0) line.deliveredMs = nowMs
      this.#apply(line, sale.channel, outcome)
    }
  }

  tick(): void {
    const { desk, log } = this.#modules
    const nowMs = desk.clock.monotonic()
    for (const sale of log.books.sales.values()) {
      const line = this.#lines.get(sale.channel)
      if (
        line !== undefined &&
        !line.quiet &&
        sale.pending !== undefined &&
        nowMs - line.sentMs >= line.waitMs
      ) {
        line.waitMs = Math.min(AGAIN_MS.max, 2 * line.waitMs)
        this.#apply(line, sale.channel, again(this.#world(sale.channel, sale.sensor), sale))
      }
      this.#show(sale, nowMs, false)
    }
  }

  /** Our keys are gone after a restart: the buyers make new ones sooner when they are asked. */
  connected(): void {
    const nowMs = this.#modules.desk.clock.monotonic()
    for (const sale of this.#modules.log.books.sales.values()) {
      if (!this.#lines.has(sale.channel)) this.#knock(sale.channel)
      this.#show(sale, nowMs, true)
    }
  }

  update(): void {
    if (!this.#modules.desk.inSync) return
    for (const sale of this.#modules.log.books.sales.values()) this.#onLedger(sale)
  }

  stop(): void {
    for (const sale of this.#modules.log.books.sales.values())
      this.#show(sale, this.#modules.desk.clock.monotonic(), true)
  }

  /** Keeps lines in the order in which something last came on them. */
  #heard(channel: Hash, line: Line): void {
    this.#lines.delete(channel)
    this.#lines.set(channel, line)
  }

  #world(channel: Hash, sensor: string): PayeeWorld {
    const { desk, conversation, openings, terms } = this.#modules
    const { chain, clock } = desk
    const entry = chain.state.channel(channel)
    // A ledger that has stood still for half of what a buyer has to wait may hide that it waits.
    const oldMs = ((entry?.delay ?? 0) * chain.network.genesis.interval) / 2
    const isFresh = !clock.synchronised() || clock.now() - chain.tip.time < oldMs
    return {
      network: chain.network,
      accepts: conversation.accepts,
      signer: desk.signer,
      terms: terms.get(sensor),
      place: {
        entry,
        confirmations: openings.confirmations(channel),
        height: chain.next.height,
        isCurrent: desk.inSync && isFresh,
      },
    }
  }

  #apply(line: Line, channel: Hash, { records, talk, refusal }: Outcome): void {
    const { desk, log } = this.#modules
    const isProgress = records.some(({ type }) => type === 'proven')
    if (isProgress) line.waitMs = AGAIN_MS.min
    if (records.some(({ type }) => type === 'saleStopped'))
      desk.log.warn('a buyer broke the rules, its channel is closed', { channel, reason: refusal?.message })
    if (refusal !== undefined) {
      // Said once: a sensor may speak every second.
      if (refusal.code === line.told && records.length === 0) return
      line.told = refusal.code
      desk.log.info('a channel gets no readings', { channel: short(channel), reason: refusal.message })
    } else if (talk.length > 0) line.told = undefined
    if (records.length === 0 && talk.length === 0) return
    log.write(records, () => {
      for (const each of talk) this.#say(line, channel, each)
      const sale = log.books.sales.get(channel)
      if (sale?.stopped !== undefined && desk.inSync) this.#onLedger(sale)
    })
  }

  #say(line: Line, channel: Hash, talk: ChannelTalk): void {
    const { desk } = this.#modules
    const to = desk.chain.state.channel(channel)?.from
    const payload = line.end.active?.seal(talk)
    if (to === undefined || payload === undefined) return
    if (talk.type === 'delivery') line.sentMs = desk.clock.monotonic()
    void desk.tell('channel', [to], payload)
  }

  #knock(channel: Hash): void {
    const { desk } = this.#modules
    const to = desk.chain.state.channel(channel)?.from
    if (to === undefined || !this.#knocks.take(channel, desk.clock.monotonic())) return
    void desk.tell('channel', [to], encode(channelMessage, { type: 'knock', channel }))
  }

  #onLedger(sale: Sale): void {
    const { desk, terms } = this.#modules
    const { chain } = desk
    const { channel, proof } = sale
    const noted = this.#note(channel)
    const entry = chain.state.channel(channel)
    if (entry === undefined) {
      this.#gone(sale, noted)
      return
    }
    noted.goneHeight = undefined
    noted.paid = entry.paid
    const { height } = chain.next
    const fee = feeFloorFor(chain.network, CLAIM_BYTES)
    const claimAbove = terms.get(sale.sensor)?.claimAbove ?? 0
    const step = claimStep({ entry, sale, height, claimAbove, fee })
    if (step?.type === 'close') {
      desk.act([{ draft: { type: 'channelClose', channel }, key: `close ${channel}` }])
      return
    }
    if (step === undefined) return
    const waits = noted.claimed !== undefined && entry.paid < noted.claimed.amount
    if (waits && !step.isUrgent && height - (noted.claimed?.height ?? 0) < CLAIM_BLOCKS) return
    const key = `claim ${channel} ${step.amount}`
    const [sealed] = desk.act([{ draft: { type: 'channelClaim', channel, proof: step.proof }, key }])
    if (sealed === undefined) return
    noted.claimed = { amount: step.amount, height }
    desk.log.info('claims', { channel: short(channel), gain: unclaimed(entry, proof), amount: step.amount })
  }

  /** The channel is closed; it may come back for as long as the chain may move. */
  #gone(sale: Sale, noted: Noted): void {
    const { desk, log } = this.#modules
    const { height } = desk.chain.tip
    if (noted.goneHeight === undefined) {
      noted.goneHeight = height
      const fields = { channel: short(sale.channel), readings: sale.index }
      desk.log.info('a channel is closed', fields)
      // After a restart nobody here knows what the ledger had paid by then.
      const lost = noted.paid === undefined ? 0 : sale.index * sale.price - noted.paid
      if (lost > feeFloorFor(desk.chain.network, CLAIM_BYTES))
        desk.log.warn('a channel was closed before all was claimed', { ...fields, lost })
    }
    if (height - noted.goneHeight < SETTLED_DEPTH) return
    log.write([{ type: 'saleEnded', channel: sale.channel }])
    this.#lines.delete(sale.channel)
    this.#noted.delete(sale.channel)
    void desk.tell('claim', [sale.channel], new Uint8Array(0), true)
  }

  /** Shows the best proof to whoever would claim for us, when it has changed: now, or once the last was shown long enough ago. */
  #show(sale: Sale, nowMs: number, now: boolean): void {
    const { desk } = this.#modules
    const { channel, proof, index } = sale
    const noted = this.#note(channel)
    if (proof === undefined || index === noted.shownIndex || !desk.connected) return
    if (!now && nowMs - noted.shownMs < NOTICE_MS) return
    noted.shownIndex = index
    noted.shownMs = nowMs
    const notice = { channel, proof }
    void desk.tell('claim', [channel], encode(claimNotice, notice), true)
    void desk.tellPeople('claim', [channel], claimNotice.toJson(notice), true)
  }

  #note(channel: Hash): Noted {
    const known = this.#noted.get(channel)
    if (known !== undefined) return known
    const noted: Noted = {
      shownIndex: 0,
      shownMs: Number.NEGATIVE_INFINITY,
      claimed: undefined,
      paid: undefined,
      goneHeight: undefined,
    }
    this.#noted.set(channel, noted)
    return noted
  }
}

const newLine = (end: SellerEnd): Line => ({
  end,
  last: 0,
  everyMs: 0,
  deliveredMs: Number.NEGATIVE_INFINITY,
  sentMs: 0,
  waitMs: AGAIN_MS.min,
  told: undefined,
  quiet: false,
})
