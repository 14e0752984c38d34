/**
 * Two agents' channels in virtual time: real trades, outboxes and logs over disks that lose power at a chosen write, one chain, and a
 * broker that hands on what both say. Whatever happens, both loss bounds are checked: the seller's by what it publishes and has on
 * its disk by then, the buyer's by what it pays, has on its disk and has got.
 */
import { strictEqual as equal, deepStrictEqual as equalDeep, ok } from 'node:assert'
import { randomBytes } from 'node:crypto'
import type { Buy } from '../../edge-agent/channel/buying.ts'
import { channels } from '../../edge-agent/channel/channels.ts'
import type { SellingTerms } from '../../edge-agent/channel/selling.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import type { Desk, Trade } from '../../edge-agent/trade.ts'
import { COIN } from '../../ledger/amount.ts'
import type { Update } from '../../ledger/chain.ts'
import { checkAuthorisation, checkProof, provenAmount } from '../../ledger/channel.ts'
import { OFFER_MS_MAX, signOffer } from '../../ledger/offer.ts'
import type { ChannelEntry } from '../../ledger/state.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import type { Books, Purchase } from '../../node/channel/records.ts'
import type { Signer } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, toHex } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import {
  type ChannelClaim,
  type ChannelOpen,
  type ChannelProof,
  type Sample,
  sample as sampleCodec,
  type Transaction,
} from '../../schemas/transaction.ts'
import { Wiretap } from '../../sim/wiretap.ts'
import { logOn } from './channel-pair.ts'
import { alice, carol, coinsIn, seeded, TestChain } from './ledger.ts'
import { MemoryDisk } from './memory-disk.ts'
import { type LogLine, recordingLog } from './rig.ts'

export const PRICE = COIN / 1000
/** What the buyer has at first. No transaction here pays a fee. */
export const FUNDS = 1000 * COIN

export interface ActorOptions {
  readonly sells?: ReadonlyMap<string, SellingTerms>
  readonly buys?: readonly Buy[]
}

interface Message {
  readonly name: string
  readonly payload: Uint8Array
}

interface Due {
  readonly atMs: number
  readonly run: () => void
}

/** What the lab has seen of one channel. Amounts in smallest units. */
class Tally {
  /** Readings that ever left the seller, also those that were lost: by number, as bytes in hex. */
  readonly out = new Map<number, string>()
  /** Readings at the buyer's application, by number: the sensor's number. */
  readonly got = new Map<number, number>()
  /** The most that the buyer ever said is the seller's. */
  promised = 0
  /** By the blocks. */
  opened: ChannelOpen | undefined
  paid = 0
}

const textOf = (sample: Sample | undefined): string =>
  sample === undefined ? 'none' : toHex(encode(sampleCodec, sample))

/** One agent, as far as channels go. */
export class Actor {
  readonly signer: Signer
  readonly lab: ChannelLab
  options: ActorOptions
  disk = new MemoryDisk()
  outbox: Outbox | undefined
  trade: Trade | undefined
  lines: readonly LogLine[] = []
  crashes = 0
  due: Due[] = []
  connected = true
  /** Readings paid and here, by channel: what the buyer's application has seen. */
  readonly got: { readonly channel: Hash; readonly index: number; readonly sample: Sample }[] = []
  #found: { readonly bytes: Uint8Array | undefined; readonly books: Books } | undefined

  constructor(lab: ChannelLab, signer: Signer, options: ActorOptions) {
    this.lab = lab
    this.signer = signer
    this.options = options
  }

  start(): void {
    const { lab, signer, disk } = this
    this.due = []
    const files = (name: string) => ({
      open: () => disk.open(name),
      fresh() {
        disk.remove(`${name}.new`)
        return { file: disk.open(`${name}.new`), commit: () => disk.rename(`${name}.new`, name) }
      },
    })
    const { log, lines } = recordingLog()
    this.lines = lines
    const actor = this
    const desk = (outbox: Outbox): Desk => ({
      chain: lab.test.chain,
      signer,
      outbox,
      clock: { now: () => lab.test.nowMs, monotonic: () => lab.nowMs, synchronised: () => true },
      log,
      random: lab.random,
      inSync: true,
      get connected() {
        return actor.connected
      },
      isGuarded: true,
      listen: () => {},
      act: (drafts) => outbox.add(drafts),
      tell: async (kind, levels, payload, retain) =>
        lab.tell(
          actor,
          topic(lab.test.network.id, kind, signer.account, ...levels),
          payload,
          retain === true,
        ),
      tellPeople: async () => true,
    })
    this.alive(() => {
      const outbox = new Outbox(files('outbox.log'), lab.test.chain, signer)
      this.outbox = outbox
      this.trade = channels(
        { sells: this.options.sells ?? new Map(), buys: this.options.buys ?? [] },
        {
          files: files('channels.log'),
          timers: {
            after: (delayMs, run) => {
              const due = { atMs: lab.nowMs + delayMs, run }
              this.due.push(due)
              return () => {
                this.due = this.due.filter((each) => each !== due)
              }
            },
            turn: async () => {},
          },
          onReading: (purchase, sample) => this.#note(purchase, sample),
          randomBytes: (length) => {
            const bytes = randomBytes(length)
            lab.wiretap.drew(bytes)
            return bytes
          },
        },
      )(desk(outbox))
      this.trade.onConnected?.()
      for (const [account, online] of lab.present) this.hear(account, online)
      if (lab.offered !== undefined) this.hearOffer(carol.account, lab.offered)
    })
  }

  /** What the broker keeps of who is there. */
  hear(account: Account, online: boolean): void {
    const parsed = parseTopic(`${topic(this.lab.test.network.id, 'status', account)}/json`)
    const payload = new TextEncoder().encode(JSON.stringify({ state: online ? 'online' : 'offline' }))
    if (parsed !== undefined) this.trade?.onMessage?.(parsed, payload, true)
  }

  hearOffer(account: Account, bytes: Uint8Array): void {
    const parsed = parseTopic(topic(this.lab.test.network.id, 'offer', account))
    if (parsed !== undefined) this.trade?.onMessage?.(parsed, bytes, true)
  }

  /** Runs something of this agent; a power cut ends it, and it starts anew. */
  alive(task: () => void): void {
    try {
      task()
    } catch (error) {
      if (this.disk.writes <= this.disk.failAt) throw error
    }
    // The log keeps an error until the agent's next tick: by then nothing more of it has happened.
    if (this.disk.writes > this.disk.failAt) this.crash()
  }

  crash(): void {
    this.crashes++
    this.trade = undefined
    this.outbox = undefined
    this.due = []
    this.disk = this.disk.after()
    this.start()
  }

  /** The books that a start after a crash now would find. */
  get durable(): Books {
    const bytes = this.disk.files.get('channels.log')
    if (this.#found === undefined || this.#found.bytes !== bytes) {
      const log = logOn(this.disk.after(), () => {})
      this.#found = { bytes, books: log.books }
      log.close()
    }
    return this.#found.books
  }

  vanish(): void {
    this.trade = undefined
    this.due = []
  }

  #note(purchase: Purchase, sample: Sample): void {
    const channel = purchase.channel as Hash
    // After a restart the last one comes again.
    const index = purchase.last === sample ? purchase.index : purchase.index + 1
    this.got.push({ channel, index, sample })
    this.lab.noteGot(channel, index, sample)
  }
}

export class ChannelLab {
  readonly test = new TestChain()
  readonly random: () => number
  nowMs = 1_000
  /** Between two rounds. */
  roundMs = 900
  readonly wire: Message[] = []
  readonly retained = new Map<string, Uint8Array>()
  readonly present = new Map<Account, boolean>()
  /** The seller's offer. */
  offered: Uint8Array | undefined
  readonly seller: Actor
  readonly buyer: Actor
  /** Loses or repeats a message: how many times it comes. */
  fate: (message: Message) => number = () => 1
  #sequence = 0
  readonly confirmed: Transaction[] = []
  readonly wiretap = new Wiretap(this.test.network)
  readonly #tallies = new Map<Hash, Tally>()
  /** Rules that were broken where an agent ran, and would have taken the exception for its own. */
  readonly #broken: string[] = []
  /** Smallest units that there are, by genesis and the blocks' rewards. */
  #issued = FUNDS

  constructor(sells: SellingTerms, buy: Partial<Buy> = {}, seed = 1) {
    this.random = seeded(seed)
    this.seller = new Actor(this, carol, { sells: new Map([['soil', sells]]) })
    const terms = { from: carol.account, sensor: 'soil', priceMax: PRICE, deposit: 8 * PRICE }
    const rest = { mode: 'payword', delay: 10, lifetime: undefined, every: 0, silentMs: 3_600_000 } as const
    this.buyer = new Actor(this, alice, { buys: [{ ...terms, ...rest, ...buy }] })
  }

  get actors(): readonly Actor[] {
    return [this.seller, this.buyer]
  }

  start(): void {
    for (const actor of this.actors) actor.start()
    this.offer(this.seller.options.sells?.get('soil')?.perReading ?? PRICE)
    this.say(carol.account, true)
  }

  /** The seller says what a reading costs, for a day. */
  offer(price: number, by = carol): void {
    const item: OfferItem = {
      ...{ type: 'readings', name: 'soil', price, confirmations: 1, place: '', terms: '' },
      ...{ unit: '%', everyMs: 0, count: 0 },
    }
    const time = this.test.nowMs
    const facts = { from: carol.account, time, until: time + OFFER_MS_MAX, name: 'carol', items: [item] }
    const { bytes } = signOffer(this.test.network, facts, by.sign)
    this.offered = bytes
    for (const actor of this.actors) actor.alive(() => actor.hearOffer(carol.account, bytes))
  }

  /** Somebody comes or goes. */
  say(account: Account, online: boolean): void {
    this.present.set(account, online)
    for (const actor of this.actors) actor.alive(() => actor.hear(account, online))
  }

  tell(from: Actor, name: string, payload: Uint8Array, retain: boolean): boolean {
    if (!from.connected) return false
    try {
      if (parseTopic(name)?.kind === 'channel') this.#overhear(from, payload)
    } catch (error) {
      // Books that a start would not read, keys of the agent's own: the agent does not hear of it.
      this.#broken.push(String(error))
    }
    if (retain) this.retained.set(name, payload)
    else this.wire.push({ name, payload })
    return true
  }

  sample(): void {
    const sequence = this.#sequence++
    const fields = { sensor: 'soil', unit: '%', time: 1, synchronised: true }
    const sample = { ...fields, sequence, value: { mantissa: sequence, exponent: 0 } }
    this.seller.alive(() => this.seller.trade?.onSample?.(sample))
  }

  /** Virtual time with everything that is due, and messages as they come. */
  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + 5)
      for (const actor of this.actors) this.#runDue(actor)
      // Chains are built in turns of their own.
      await new Promise((resolve) => setImmediate(resolve))
      for (const message of this.wire.splice(0)) this.#hand(message)
      this.check()
    }
    for (const actor of this.actors) actor.alive(() => actor.trade?.tick?.())
  }

  /** A block with all that waits. */
  mine(count = 1): void {
    for (let done = 0; done < count; done++) {
      const waiting: Sealed[] = this.actors.flatMap((actor) => {
        let pending: readonly Sealed[] = []
        actor.alive(() => {
          pending = actor.trade === undefined ? [] : (actor.outbox?.pending(64) ?? [])
        })
        return pending
      })
      const block = this.test.block(waiting)
      const outcome = this.test.accept(block)
      if (!outcome.ok) throw new Error(outcome.fault.message)
      this.confirmed.push(...block.transactions)
      this.#issued += block.coinbase.reward
      for (const { transactions } of outcome.value.connected)
        for (const sealed of transactions) this.#noteConfirmed(sealed)
      this.#follow(outcome.value)
      this.check()
    }
  }

  /** Rounds of a sample, its payment and a block. */
  async run(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      this.sample()
      await this.pass(60)
      this.mine()
      this.nowMs += this.roundMs
      await this.pass(40)
    }
  }

  /** Readings at the buyer's application, each once. */
  get bought(): number {
    return new Set(this.buyer.got.map(({ sample }) => sample.sequence)).size
  }

  /** Smallest units that the ledger has paid the seller by claims. */
  get earned(): number {
    return this.test.chain.state.account(carol.account).balance
  }

  /**
   * Neither side has lost more than one reading or one price on any channel. The seller's side is looked at when something leaves it,
   * against what its disk has at that moment.
   */
  check(): void {
    equalDeep(this.#broken, [])
    for (const [channel, { out, got, promised, paid }] of this.#tallies) {
      ok(got.size <= out.size, `${channel}: ${got.size} readings have come, and ${out.size} have left`)
      ok(paid <= promised, `${channel}: ${paid} are paid, and ${promised} were granted`)
      ok(
        promised <= got.size * PRICE,
        `${channel}: ${promised} are granted for ${got.size} readings at ${PRICE}`,
      )
    }
    const paid = [...this.#tallies.values()].reduce((sum, tally) => sum + tally.paid, 0)
    equal(this.earned, paid, 'the seller has what its claims proved, each channel counted once')
  }

  /**
   * Throws unless the books agree at rest, whatever was killed before: coins are neither made nor lost; every channel that was opened is
   * open, with a book on both sides that can go on, or is closed and paid out; no purchase was opened twice and no channel paid twice.
   */
  settled(name: string): void {
    this.check()
    const { state } = this.test.chain
    equal(coinsIn(state), this.#issued, `${name}: coins are neither made nor lost`)
    const memos = [...this.#tallies.values()].map(({ opened }) => opened?.memo)
    equal(new Set(memos).size, memos.length, `${name}: a purchase is opened once`)
    let spent = 0
    for (const [channel, tally] of this.#tallies) {
      const entry = state.channel(channel)
      spent += entry === undefined ? tally.paid : entry.amount
      if (entry === undefined) this.#settledClosed(`${name}, closed ${channel}`, channel, tally)
      else this.#settledOpen(`${name}, open ${channel}`, channel, entry)
    }
    equal(state.account(alice.account).balance, FUNDS - spent, `${name}: what is not paid is the buyer's`)
  }

  #settledClosed(name: string, channel: Hash, { out, paid }: Tally): void {
    const lost = out.size - paid / PRICE
    ok(lost <= 1, `${name}: ${out.size} readings are out, and ${paid / PRICE} were paid`)
    const sale = this.seller.durable.sales.get(channel)
    if (sale !== undefined) equal(paid, sale.index * PRICE, `${name}: all that was proven is paid out`)
  }

  #settledOpen(name: string, channel: Hash, entry: ChannelEntry): void {
    const purchase = this.buyer.durable.purchaseOf(channel)
    ok(purchase !== undefined, `${name}: the buyer knows it`)
    equal(purchase.deposit, entry.amount, `${name}: with what is in it`)
    const isCalledBack = entry.closing < purchase.until
    ok(purchase.stopped === undefined || isCalledBack, `${name}: ${purchase.stopped}, and not called back`)
    const sale = this.seller.durable.sales.get(channel)
    if (sale === undefined) {
      equal(purchase.index, 0, `${name}: the seller does not know it, so nothing is paid`)
      return
    }
    equal(sale.stopped, undefined, `${name}: nobody is accused`)
    const ahead = purchase.index - sale.index
    ok(ahead === 0 || ahead === 1, `${name}: ${purchase.index} are paid, the seller knows of ${sale.index}`)
    // The payment is under way or lost, and what it pays is what the seller holds on to.
    if (ahead === 1) equal(textOf(sale.pending), textOf(purchase.last), `${name}: they mean the same reading`)
    if (sale.proof !== undefined) this.#claimable(name, channel, entry, sale.proof)
    const proven = sale.proof === undefined ? 0 : provenAmount({ step: PRICE }, sale.proof)
    equal(proven, sale.index * PRICE, `${name}: the seller can prove what it was paid`)
  }

  /** The ledger takes a proof, or has as much. */
  #claimable(name: string, channel: Hash, entry: ChannelEntry, proof: ChannelProof): void {
    const claim = { channel, proof } as ChannelClaim
    const { network } = this.test
    const fault = checkAuthorisation(network, claim) ?? checkProof(network.hashing, entry, proof)
    if (fault?.code === 'claim-not-higher')
      equal(provenAmount(entry, proof), entry.paid, `${name}: all is claimed`)
    else equal(fault, undefined, `${name}: the seller can claim`)
  }

  noteGot(channel: Hash, index: number, { sequence }: Sample): void {
    const { got } = this.#tally(channel)
    const known = got.get(index) ?? sequence
    if (known !== sequence) this.#broken.push(`reading ${index} is ${known} and ${sequence} at the buyer`)
    got.set(index, sequence)
    if (new Set(got.values()).size < got.size) this.#broken.push(`reading ${sequence} is bought twice`)
  }

  #tally(channel: Hash): Tally {
    const known = this.#tallies.get(channel) ?? new Tally()
    this.#tallies.set(channel, known)
    return known
  }

  #overhear(from: Actor, payload: Uint8Array): void {
    const by = from === this.seller ? 'seller' : 'buyer'
    const { channel, talk } = this.wiretap.hear(by, payload) ?? {}
    if (channel === undefined || talk === undefined) return
    if (by === 'seller' && talk.type === 'delivery') this.#leaves(channel, talk.index, talk.sample)
    if (by === 'buyer' && talk.type === 'payment') this.#grants(channel, talk.proof)
    if (by === 'buyer' && talk.type === 'resume') for (const proof of talk.proof) this.#grants(channel, proof)
  }

  /** A reading leaves the seller. Its disk must have it as that number, and the proof for all before it. */
  #leaves(channel: Hash, index: number, sample: Sample): void {
    const { out } = this.#tally(channel)
    const text = textOf(sample)
    const known = out.get(index)
    if (known === text) return
    if (known !== undefined) this.#broken.push(`reading ${index} is two readings on the wire`)
    out.set(index, text)
    const sale = this.seller.durable.sales.get(channel)
    const proven = sale?.proof === undefined ? 0 : (provenAmount({ step: PRICE }, sale.proof) ?? 0) / PRICE
    if (out.size > proven + 1) this.#broken.push(`${out.size} readings are out, and ${proven} can be proven`)
    if (textOf(sale?.pending) !== text) this.#broken.push(`reading ${index} leaves before the disk has it`)
  }

  /** A proof leaves the buyer. Its disk must have the reading that it pays. */
  #grants(channel: Hash, proof: ChannelProof): void {
    const tally = this.#tally(channel)
    const amount = provenAmount({ step: PRICE }, proof) ?? Number.POSITIVE_INFINITY
    if (amount <= tally.promised) return
    tally.promised = amount
    const bought = this.buyer.durable.purchaseOf(channel)?.index ?? 0
    if (amount > bought * PRICE)
      this.#broken.push(`${amount} are granted, and the disk has ${bought} readings`)
  }

  #noteConfirmed({ transaction: tx, id }: Sealed): void {
    if (tx.type === 'channelOpen') this.#tally(id).opened = tx
    if (tx.type !== 'channelClaim') return
    const tally = this.#tally(tx.channel)
    const amount = provenAmount({ step: PRICE }, tx.proof) ?? 0
    if (amount <= tally.paid) this.#broken.push(`${tx.channel}: claimed twice`)
    tally.paid = amount
  }

  #runDue(actor: Actor): void {
    for (;;) {
      const next = actor.due.filter(({ atMs }) => atMs <= this.nowMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined) return
      actor.due = actor.due.filter((each) => each !== next)
      actor.alive(next.run)
    }
  }

  #hand(message: Message): void {
    const parsed = parseTopic(message.name)
    if (parsed === undefined) return
    for (let time = this.fate(message); time > 0; time--)
      for (const actor of this.actors)
        if (actor.connected && parsed.rest[0] === actor.signer.account)
          actor.alive(() => actor.trade?.onMessage?.(parsed, message.payload, false))
  }

  #follow(update: Update): void {
    for (const actor of this.actors) {
      actor.alive(() => {
        if (actor.trade === undefined) return
        actor.outbox?.update(update)
        actor.trade.onUpdate?.(update)
      })
    }
  }
}
