/**
 * Two agents' channels in virtual time: real trades, outboxes and logs over disks that lose power at a chosen write, one chain, and a
 * broker that hands on what both say. Whatever happens, both loss bounds are checked.
 */
import { strictEqual as equal, ok } from 'node:assert'
import type { Buy } from '../../edge-agent/channel/buying.ts'
import { channels } from '../../edge-agent/channel/channels.ts'
import type { SellingTerms } from '../../edge-agent/channel/selling.ts'
import { Outbox } from '../../edge-agent/outbox.ts'
import type { Desk, Trade } from '../../edge-agent/trade.ts'
import { COIN } from '../../ledger/amount.ts'
import type { Update } from '../../ledger/chain.ts'
import { OFFER_MS_MAX, signOffer } from '../../ledger/offer.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import type { Purchase } from '../../node/channel/records.ts'
import type { Signer } from '../../node/signing.ts'
import type { Account, Hash } from '../../schemas/hex.ts'
import type { OfferItem } from '../../schemas/offer.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import type { Sample, Transaction } from '../../schemas/transaction.ts'
import { alice, carol, seeded, TestChain } from './ledger.ts'
import { MemoryDisk } from './memory-disk.ts'
import { type LogLine, recordingLog } from './rig.ts'

export const PRICE = COIN / 1000

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

  vanish(): void {
    this.trade = undefined
    this.due = []
  }

  #note(purchase: Purchase, sample: Sample): void {
    const channel = purchase.channel as Hash
    // After a restart the last one comes again.
    const index = purchase.last === sample ? purchase.index : purchase.index + 1
    this.got.push({ channel, index, sample })
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

  /** Neither side has lost more than one reading or one price on any channel. */
  check(): void {
    const seen = new Map<string, number>()
    for (const { channel, index, sample } of this.buyer.got) {
      const name = `${channel} ${index}`
      equal(seen.get(name) ?? sample.sequence, sample.sequence, 'a reading number stands for one reading')
      seen.set(name, sample.sequence)
    }
    ok(this.earned <= seen.size * PRICE, `${this.earned} are paid for ${seen.size} readings at ${PRICE}`)
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
