/**
 * Buying time by hand: pays with the memo that names what is bought, and follows what becomes of it, step by step, up to the
 * seller's answer and its block.
 *
 * The seller's answer counts by its signature alone; that a block has it is a validator's word.
 */
import { formatCoins } from '../ledger/amount.ts'
import type { Network } from '../ledger/network.ts'
import { parseTransaction, type Sealed, SignatureCache, signTransaction } from '../ledger/transaction.ts'
import { WorldError } from '../node/error.ts'
import { harmless, type Log } from '../node/log.ts'
import type { Signer } from '../node/signing.ts'
import { decode } from '../schemas/codec.ts'
import { type Account, type Hash, short } from '../schemas/hex.ts'
import { receipt } from '../schemas/message.ts'
import {
  type Item,
  parseSellerMemo,
  paymentName,
  type SellerMemo,
  writePurchase,
  writeTime,
} from '../schemas/receipt-memo.ts'
import { type ParsedTopic, topic } from '../schemas/topic.ts'
import {
  SIGNATURE_BYTES,
  TRANSACTION_BYTES_MAX,
  type Transaction,
  transaction,
} from '../schemas/transaction.ts'
import { EXIT } from './exit.ts'
import { feeFor } from './pay-fee.ts'
import { type Place, Sender, type Where } from './sender.ts'

export interface Purchase {
  readonly item: Item
  readonly seller: Account
  /** Smallest units. */
  readonly amount: number
  readonly network: string | undefined
  readonly waitSeconds: number
}

export type Step =
  | {
      readonly step: 'offered'
      readonly seller: Account
      /** The seller in its own words. */
      readonly name: string
      readonly seconds: number
      /** Smallest units, as is `amount`. */
      readonly perMinute: number
      readonly amount: number
    }
  | { readonly step: 'paid'; readonly transaction: Hash; readonly amount: number; readonly seller: Account }
  | { readonly step: 'accepted' }
  | { readonly step: 'confirmed'; readonly height: number }
  | { readonly step: 'sold'; readonly until: string; readonly receipt: Hash }
  | { readonly step: 'refunded'; readonly code: string; readonly amount: number; readonly refund: Hash }
  | { readonly step: 'recorded'; readonly transaction: Hash; readonly height: number }
  | { readonly step: 'refused' | 'unanswered' | 'unheard'; readonly reason: string }

/** Says a step: as JSON, or in words. */
export type Say = (step: Step) => void

export const describeStep = (step: Step, { item }: Pick<Purchase, 'item'>): string => {
  switch (step.step) {
    case 'offered':
      return `${harmless(step.name)} (${short(step.seller)}) sells ${item.name} at ${formatCoins(step.perMinute)} a minute: ${step.seconds} s for ${formatCoins(step.amount)} coins`
    case 'paid':
      return `paying ${formatCoins(step.amount)} to ${short(step.seller)} for "${writePurchase(item)}", transaction ${step.transaction}`
    case 'accepted':
      return 'accepted, waiting for a block'
    case 'confirmed':
      return `confirmed in #${step.height}, waiting for the seller`
    case 'sold':
      return `receipt: ${item.kind === 'on' ? `${item.name} is on` : `${item.name} is open`} until ${step.until}, transaction ${step.receipt}`
    case 'refunded':
      return `refunded ${formatCoins(step.amount)} because ${step.code}, transaction ${step.refund}`
    case 'recorded':
      return `in #${step.height}: transaction ${step.transaction}`
    case 'refused':
    case 'unanswered':
    case 'unheard':
      return `${step.step}: ${step.reason}`
  }
}

interface Answer {
  readonly id: Hash
  readonly memo: SellerMemo
  readonly amount: number
}

/** Blocks that the payment may wait. */
const LIFETIME_BLOCKS = 1_000
/** A refund of what was too much comes with the receipt; it is waited for no longer than this after it. */
const REST_MS = 500

/** What a seller says and validators say of it, for one payment. */
export class Answers {
  readonly #network: Network
  readonly #purchase: Pick<Purchase, 'seller'>
  readonly #buyer: Account
  readonly #verified = new SignatureCache()
  readonly #heights = new Map<Hash, number>()
  readonly #found = new Map<Hash, Answer>()
  #payment: Hash | undefined
  #wake: () => void = () => {}

  constructor(network: Network, purchase: Pick<Purchase, 'seller'>, buyer: Account) {
    this.#network = network
    this.#purchase = purchase
    this.#buyer = buyer
  }

  /** What has to be heard for it. */
  filters(): string[] {
    const { seller } = this.#purchase
    return [topic(this.#network.id, 'tx', seller), topic(this.#network.id, 'receipt', '+', seller)]
  }

  paid(payment: Hash): void {
    this.#payment = payment
  }

  take({ kind, publisher, rest, json }: ParsedTopic, payload: Uint8Array): void {
    if (json) return
    if (kind === 'tx' && publisher === this.#purchase.seller) this.#transaction(payload)
    if (kind === 'receipt' && rest[0] === this.#purchase.seller) {
      const decoded = decode(receipt, payload, TRANSACTION_BYTES_MAX)
      if (decoded.ok && decoded.value.status === 'confirmed')
        this.#heights.set(decoded.value.transaction, decoded.value.height)
    }
    this.#wake()
  }

  get all(): readonly Answer[] {
    return [...this.#found.values()]
  }

  heightOf(id: Hash): number | undefined {
    return this.#heights.get(id)
  }

  /** Resolves with true once `check` holds; false after `ms`. */
  async until(check: () => boolean, ms: number): Promise<boolean> {
    const endMs = performance.now() + ms
    while (!check()) {
      const leftMs = endMs - performance.now()
      if (leftMs <= 0) return false
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    return true
  }

  #transaction(payload: Uint8Array): void {
    const parsed = parseTransaction(this.#network, payload, this.#verified)
    if (!parsed.ok) return
    const { id, transaction: tx } = parsed.value
    if (tx.type !== 'transfer' || tx.from !== this.#purchase.seller || tx.to !== this.#buyer) return
    const memo = parseSellerMemo(tx.memo)
    if (memo !== undefined && this.#payment !== undefined && memo.payment === paymentName(this.#payment))
      this.#found.set(id, { id, memo, amount: tx.amount })
  }
}

/** What was bought: until when (milliseconds since 1970); undefined when it was not. */
export interface Bought {
  readonly until: number | undefined
}

/** Pays and follows it to its end. Throws WorldError `broker-unreachable`. */
export async function buy(
  sender: Sender,
  place: Place,
  signer: Signer,
  purchase: Purchase,
  answers: Answers,
  say: Say,
): Promise<Bought> {
  const { network, balance } = place
  const endMs = performance.now() + purchase.waitSeconds * 1000
  const leftMs = (): number => Math.max(0, endMs - performance.now())
  const sealed = await seal(sender, place, signer, purchase)
  const needs = purchase.amount + sealed.transaction.fee
  const none: Bought = { until: undefined }
  if (needs > balance) {
    const reason = `the account has ${formatCoins(balance)} coins and needs ${formatCoins(needs)}`
    say({ step: 'refused', reason })
    return none
  }
  answers.paid(sealed.id)
  const own: { accepted?: boolean; height?: number; refused?: string } = {}
  let wake: () => void = () => {}
  sender.onReceipt(({ transaction: id, status, height, code, message }) => {
    if (id !== sealed.id) return
    if (status === 'accepted' && own.accepted === undefined) {
      own.accepted = true
      say({ step: 'accepted' })
    }
    if (status === 'confirmed') own.height = height
    if (status === 'refused') own.refused = `${code}: ${message}`
    wake()
  })
  say({ step: 'paid', transaction: sealed.id, amount: purchase.amount, seller: purchase.seller })
  const name = topic(network.id, 'tx', signer.account)
  if (!(await sender.session.publish(name, sealed.bytes, { qos: 1, retain: false })))
    throw new WorldError('broker-unreachable', 'the broker did not take the payment; nothing was sent')
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, leftMs())
    wake = () => {
      if (own.height === undefined && own.refused === undefined) return
      clearTimeout(timer)
      resolve()
    }
    wake()
  })
  if (own.refused !== undefined) {
    say({ step: 'refused', reason: own.refused })
    return none
  }
  if (own.height === undefined) {
    say({ step: 'unanswered', reason: `not in a block after ${purchase.waitSeconds} s; it may still come` })
    return none
  }
  say({ step: 'confirmed', height: own.height })
  if (!(await answers.until(() => answers.all.length > 0, leftMs()))) {
    const reason = `the seller said nothing within ${purchase.waitSeconds} s; if it was away, it gives the coins back once it is there`
    say({ step: 'unanswered', reason })
    return none
  }
  await answers.until(() => answers.all.length > 1, Math.min(REST_MS, leftMs()))
  let until: number | undefined
  for (const { id, memo, amount } of answers.all) {
    if (memo.type === 'sold') {
      until = memo.until
      say({ step: 'sold', until: writeTime(memo.until), receipt: id })
    } else say({ step: 'refunded', code: memo.code, amount, refund: id })
  }
  return { until }
}

/** Waits until a block has each answer. */
export async function recorded(answers: Answers, ms: number, say: Say): Promise<void> {
  const told = new Set<Hash>()
  const tell = (): boolean => {
    for (const { id } of answers.all) {
      const height = answers.heightOf(id)
      if (height === undefined || told.has(id)) continue
      told.add(id)
      say({ step: 'recorded', transaction: id, height })
    }
    return told.size === answers.all.length
  }
  await answers.until(tell, ms)
}

async function seal(
  sender: Sender,
  place: Place,
  signer: Signer,
  { seller, amount, item }: Purchase,
): Promise<Sealed> {
  const { network, validator, nonce, height } = place
  const unsigned = {
    type: 'transfer',
    network: network.id,
    from: signer.account,
    nonce,
    fee: 0,
    expiry: height + LIFETIME_BLOCKS,
    to: seller,
    amount,
    memo: writePurchase(item),
  } as const
  const sizing: Transaction = { ...unsigned, signature: new Uint8Array(SIGNATURE_BYTES) }
  const offer = { bytes: transaction.size(sizing), amount }
  const fee = await feeFor(network, offer, sender.requests(place), validator)
  return signTransaction(network, { ...unsigned, fee }, signer.sign)
}

/** Runs a purchase of an output to its end; 0 sold, 1 not. */
export async function buyOutput(
  where: Where,
  signer: Signer,
  purchase: Purchase,
  say: Say,
  log: Log,
): Promise<number> {
  const sender = new Sender(where, signer, purchase.network, log)
  try {
    const place = await sender.start()
    const answers = new Answers(place.network, purchase, signer.account)
    sender.onMessage((parsed, payload) => answers.take(parsed, payload))
    sender.session.subscribe(answers.filters())
    const startedMs = performance.now()
    const { until } = await buy(sender, place, signer, purchase, answers, say)
    await recorded(answers, Math.max(0, purchase.waitSeconds * 1000 - (performance.now() - startedMs)), say)
    return until === undefined ? EXIT.no : EXIT.ok
  } finally {
    await sender.stop()
  }
}
