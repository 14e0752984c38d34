/**
 * A buyer and a seller on one channel, each with its log on a disk that the test crashes, a wire that loses, repeats and overtakes,
 * and the ledger's own rules. After every step the loss bounds are checked.
 */
import { strictEqual as equal, ok } from 'node:assert'
import { CLAIM_STEPS_MAX, checkAuthorisation, checkProof, provenAmount } from '../../ledger/channel.ts'
import type { ChannelEntry } from '../../ledger/state.ts'
import { ChannelLog } from '../../node/channel/channel-log.ts'
import {
  again,
  onPayment,
  onResume,
  onSample,
  type PayeeWorld,
  type Place,
} from '../../node/channel/payee.ts'
import {
  type Bought,
  type OpenPurchase,
  onDelivery,
  onStanding,
  type PayerWorld,
  resume,
} from '../../node/channel/payer.ts'
import { chainSeed, nextClaim, signedProof, wordProof } from '../../node/channel/proof.ts'
import type { ChannelRecord, Sale } from '../../node/channel/records.ts'
import { wordChain } from '../../node/channel/words.ts'
import { opensslAccept } from '../../node/signing.ts'
import type { Timers } from '../../node/timers.ts'
import type { ChannelTalk } from '../../schemas/channel-message.ts'
import { encode } from '../../schemas/codec.ts'
import { type Hash, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { type ChannelClaim, type ChannelProof, type Sample, sample } from '../../schemas/transaction.ts'
import { alice, bob, testNetwork } from './ledger.ts'
import { MemoryDisk } from './memory-disk.ts'

export type Side = 'buyer' | 'seller'
export type Mode = 'payword' | 'signed'

export const PRICE = 7
export const DEPOSIT = 40 * PRICE + 3
const network = testNetwork()
const accepts = opensslAccept()
const [buyer, seller] = [alice, bob]
const NUMBER = 77
const STEPS = Math.floor(DEPOSIT / PRICE)
const chain = wordChain(chainSeed(network, buyer, NUMBER), STEPS)
export const CHANNEL = 'c1'.repeat(32) as Hash
export const OTHER_CHANNEL = 'c2'.repeat(32) as Hash

/** Nothing is written before the test says so. */
const never: Timers = { after: () => () => {}, turn: async () => {} }

/** A log on a disk in memory. */
export const logOn = (
  disk: MemoryDisk,
  onFatal: (error: unknown) => void,
  rewriteBytes?: number,
): ChannelLog =>
  new ChannelLog(
    {
      open: () => disk.open('channels.log'),
      fresh() {
        disk.remove('channels.log.new')
        return {
          file: disk.open('channels.log.new'),
          commit: () => disk.rename('channels.log.new', 'channels.log'),
        }
      },
    },
    { timers: never, nowMs: () => 0, onFatal, ...(rewriteBytes === undefined ? {} : { rewriteBytes }) },
  )

export interface Flying {
  readonly to: Side
  readonly talk: ChannelTalk
}

export class ChannelPair {
  readonly mode: Mode
  readonly #liar: Side | undefined
  readonly wire: Flying[] = []
  entry: ChannelEntry
  height = 100
  #disks: Record<Side, MemoryDisk> = { buyer: new MemoryDisk(), seller: new MemoryDisk() }
  #logs: Record<Side, ChannelLog>
  #sequence = 0
  /** What ever left the seller, by reading number: more than one text means two readings under one number. */
  readonly delivered = new Map<number, Set<string>>()
  /** Every proof that ever left the buyer. */
  readonly proofs: ChannelProof[] = []
  /** Readings that the buyer has on its disk. */
  readonly got = new Map<number, Sample>()
  /** Why either side has ended it. */
  readonly stops: string[] = []
  crashes = 0

  /** `liar`: who also says what this class does not make it say, and has no bounds then. */
  constructor(mode: Mode, liar?: Side) {
    this.mode = mode
    this.#liar = liar
    this.#logs = { buyer: this.#open('buyer'), seller: this.#open('seller') }
    this.entry = {
      from: buyer.account,
      to: seller.account,
      amount: DEPOSIT,
      paid: 0,
      delay: 10,
      closing: 0xffffffff,
      word: mode === 'payword' ? chain.anchor : ZERO_HASH,
      steps: 0,
      step: mode === 'payword' ? PRICE : 0,
    }
    const plan = { seller: seller.account, sensor: 'soil', price: PRICE, deposit: DEPOSIT, delay: 10 }
    const steps = mode === 'payword' ? STEPS : 0
    this.#record('buyer', [
      { type: 'planned', number: NUMBER, ...plan, until: 0xffffffff, steps, height: 1 },
      { type: 'opened', number: NUMBER, channel: CHANNEL },
    ])
    this.flush('buyer')
  }

  get sale(): Sale | undefined {
    return this.#logs.seller.books.sales.get(CHANNEL)
  }

  get purchase(): OpenPurchase {
    return this.#logs.buyer.books.purchases.get(NUMBER) as OpenPurchase
  }

  prove = (index: number): ChannelProof =>
    this.mode === 'payword' ? wordProof(chain, index) : signedProof(network, buyer, CHANNEL, index * PRICE)

  /** Proofs that are worth nothing, or not what they seem. */
  forgeries(index: number): readonly ChannelProof[] {
    const word = toHex(new Uint8Array(32).fill(index)) as Hash
    const [mine, wrong] = [
      signedProof(network, buyer, CHANNEL, index * PRICE + 1),
      signedProof(network, seller, CHANNEL, index * PRICE),
    ]
    return [
      signedProof(network, buyer, OTHER_CHANNEL, index * PRICE),
      mine,
      wrong,
      { ...wrong, payer: buyer.account } as ChannelProof,
      signedProof(network, buyer, CHANNEL, DEPOSIT + PRICE),
      { type: 'word', steps: index, word },
      { type: 'word', steps: index, word: chain.word(index < STEPS ? index + 1 : STEPS - 1) },
      { type: 'word', steps: index + CLAIM_STEPS_MAX * 16 + 1, word: chain.word(STEPS) },
    ]
  }

  /** Both sides of what a seller sees and a buyer sees. */
  #payee(): PayeeWorld {
    const place: Place = { entry: this.entry, confirmations: 3, height: this.height, isCurrent: true }
    return {
      network,
      accepts,
      signer: seller,
      place,
      terms: { perReading: PRICE, confirmations: 1, delayMin: 5 },
    }
  }

  #payer(): PayerWorld {
    return { network, accepts, prove: this.prove, last: 0xffffffff, every: 0 }
  }

  sample(): void {
    if (this.sale === undefined) return
    const value = { mantissa: this.#sequence * 3, exponent: 0 }
    const fields = { sensor: 'soil', unit: '%', time: 1, synchronised: true }
    this.#seller(onSample(this.#payee(), this.sale, { ...fields, value, sequence: this.#sequence++ }))
  }

  again(): void {
    if (this.sale !== undefined) this.#seller(again(this.#payee(), this.sale))
  }

  hello(): void {
    if (this.purchase.stopped === undefined)
      this.#buyer({ records: [], talk: [resume(this.purchase, this.#payer())] })
  }

  /** Hands on a message that is on the wire; `keep`: it comes again later. */
  deliver(at: number, keep: boolean): void {
    if (this.wire.length === 0) return
    const index = at % this.wire.length
    const flying = this.wire[index] as Flying
    if (!keep) this.wire.splice(index, 1)
    this.receive(flying)
  }

  drop(at: number): void {
    if (this.wire.length > 0) this.wire.splice(at % this.wire.length, 1)
  }

  receive({ to, talk }: Flying): void {
    if (talk.type === 'stop') return
    if (to === 'seller') {
      if (talk.type === 'resume') this.#seller(onResume(this.#payee(), CHANNEL, this.sale, talk))
      if (talk.type === 'payment' && this.sale !== undefined)
        this.#seller(onPayment(this.#payee(), this.sale, talk))
      return
    }
    if (talk.type === 'resume') this.#buyer(onStanding(this.#payer(), this.purchase, talk))
    if (talk.type === 'delivery') this.#buyer(onDelivery(this.#payer(), this.purchase, talk))
  }

  flush(side: Side): void {
    this.#logs[side].flush()
  }

  /** The power fails: what was not durable is gone. During a write, `arrives` of a thousand of its bytes are there. */
  crash(side: Side, arrives?: number): void {
    this.crashes++
    const disk = this.#disks[side]
    if (arrives !== undefined) {
      disk.failAt = disk.writes
      disk.arrives = arrives
      // What would be sent after the write is not: its process is gone.
      this.#logs[side].flush()
    }
    this.#disks[side] = disk.after()
    this.#logs[side] = this.#open(side)
    this.check()
  }

  /** One claim with the best that the seller has; false when the ledger has it all. */
  claim(): boolean {
    const best = this.sale?.proof
    const proof = best && nextClaim(this.entry, best)
    if (proof === undefined) return false
    ok(this.onLedger(proof), 'the ledger takes what the seller took')
    return true
  }

  /** What the ledger makes of a claim by anybody. */
  onLedger(proof: ChannelProof): boolean {
    const claim = { channel: CHANNEL, proof } as ChannelClaim
    const fault = checkAuthorisation(network, claim) ?? checkProof(network.hashing, this.entry, proof)
    if (fault !== undefined) return false
    const paid = provenAmount(this.entry, proof) as number
    const words = proof.type === 'word' ? { word: proof.word, steps: proof.steps } : {}
    this.entry = { ...this.entry, paid, ...words }
    return true
  }

  /** The bounds, whatever happened. */
  check(): void {
    const out = [...this.delivered.values()].reduce((sum, texts) => sum + texts.size, 0)
    const durable = this.#durable('seller').sales.get(CHANNEL)
    ok(out <= (durable?.index ?? 0) + 1, `${out} readings are out, ${durable?.index ?? 0} are paid`)
    for (const [index, texts] of this.delivered) equal(texts.size, 1, `reading ${index} is one`)
    const most = this.proofs.reduce((sum, proof) => Math.max(sum, provenAmount(this.entry, proof) ?? 0), 0)
    ok(most <= DEPOSIT && this.entry.paid <= DEPOSIT, 'no more than was put in')
    // A buyer that lies may well pay for what it has not got.
    if (this.#liar !== 'buyer') {
      ok(most <= this.got.size * PRICE, `${most} are promised for ${this.got.size} readings at ${PRICE}`)
      ok(
        this.entry.paid <= this.got.size * PRICE,
        `${this.entry.paid} are paid for ${this.got.size} readings`,
      )
    }
    const sequences = [...this.got.values()].map(({ sequence }) => sequence)
    equal(new Set(sequences).size, sequences.length, 'no reading is bought twice')
  }

  /** What a start after a crash now would find. */
  #durable(side: Side) {
    const log = logOn(this.#disks[side].after(), () => {})
    const { books } = log
    log.close()
    return books
  }

  #open(side: Side): ChannelLog {
    // Rewritten every now and then, so that crashes hit that, too.
    return logOn(this.#disks[side], () => {}, 2_000)
  }

  #seller({
    records,
    talk,
    refusal,
  }: {
    records: readonly ChannelRecord[]
    talk: readonly ChannelTalk[]
    refusal?: object
  }): void {
    for (const record of records)
      if (record.type === 'saleStopped') this.stops.push(`seller ${JSON.stringify(refusal)}`)
    this.#logs.seller.write(records, () => {
      for (const each of talk) {
        if (each.type === 'delivery') {
          const text = toHex(encode(sample, each.sample))
          this.delivered.set(each.index, (this.delivered.get(each.index) ?? new Set()).add(text))
        }
        this.wire.push({ to: 'buyer', talk: each })
      }
      this.check()
    })
  }

  #buyer({ records, talk, got, stopped }: Bought): void {
    if (stopped !== undefined) this.stops.push(`buyer ${stopped}`)
    const index = this.purchase.index + 1
    this.#logs.buyer.write(records, () => {
      if (got !== undefined) {
        ok(!this.got.has(index), `reading ${index} is paid once`)
        this.got.set(index, got)
      }
      for (const each of talk) {
        if (each.type === 'payment') this.proofs.push(each.proof)
        if (each.type === 'resume') this.proofs.push(...each.proof)
        this.wire.push({ to: 'seller', talk: each })
      }
      this.check()
    })
  }

  #record(side: Side, records: readonly ChannelRecord[]): void {
    this.#logs[side].write(records)
  }
}
