/**
 * Buys files for a hash, as `pinledger buy file` does once it has a quote and the ciphertext: a payment is on its disk before it is sent,
 * and sent until a block has it or none can; a key is taken wherever it is told; after the deadline the coins are taken back.
 *
 * It goes by the ledger of its own machine, where the command asks validators; and partitions here are longer than those for which the
 * command waits, so it looks on after a refund, and after it has given up a payment. It pays too little, or with a deadline that is too
 * near, now and then: that has to come back.
 */
import { blocksAbove } from '../edge-agent/block-walk.ts'
import { FileKeys } from '../edge-agent/files/file-keys.ts'
import { SETTLED_DEPTH } from '../edge-agent/outbox.ts'
import type { ConnectedBlock, Update } from '../ledger/chain.ts'
import { deadlineOf, expiryOf, settlementOf } from '../ledger/file-payment.ts'
import { type Sealed, signTransaction } from '../ledger/transaction.ts'
import { type AppendLog, openAppendLog } from '../node/append-log.ts'
import { hashing, type Signer } from '../node/signing.ts'
import { every } from '../node/timers.ts'
import { decode } from '../schemas/codec.ts'
import { fileMemo } from '../schemas/file-message.ts'
import { fromHex, type Hash, hashFromBytes, toHex } from '../schemas/hex.ts'
import { invariant } from '../schemas/result.ts'
import { topic } from '../schemas/topic.ts'
import { type Hashlock, TRANSACTION_BYTES_MAX, transaction, type Unsigned } from '../schemas/transaction.ts'
import type { SimDisk } from './disk.ts'
import type { SimEdgeMachine, SimPart } from './edge.ts'
import { DEADLINE, FILE_PRICE, type SimFileSale } from './file-sale.ts'

const PURCHASES_LOG = 'purchases.log'
const RECORD = 1
const LOOK_MS = 2_000
/** What waits for a block is sent again so often. */
const AGAIN_MS = 15_000
/** Blocks that a refund may wait. */
const REFUND_BLOCKS = 60
/** Blocks below a payment, and below the tip at most, that are looked through after a start. */
const BELOW = 12
const BACK = 120
/** Fees, in the least ones. */
const FEES = 5

export interface FilePurchase {
  /** Which file. */
  readonly file: number
  /** Of the payment, which is in hexadecimal digits. */
  readonly id: Hash
  readonly payment: string
  readonly since: number
  readonly key?: Hash | undefined
  readonly state: 'open' | 'void' | 'done' | 'refunded'
}

export class SimFileBuyer implements SimPart {
  readonly #sale: SimFileSale
  readonly #seller: Signer
  readonly #machine: SimEdgeMachine
  readonly #log: AppendLog
  readonly #purchases = new Map<Hash, FilePurchase & { readonly lock: Hashlock }>()
  /** Heights of the blocks of the own chain with payments and refunds, by the payment. */
  readonly #paidAt = new Map<Hash, number>()
  readonly #refundedAt = new Map<Hash, number>()
  readonly #sentMs = new Map<Hash, number>()

  constructor(sale: SimFileSale, seller: Signer, everyMs: number, machine: SimEdgeMachine) {
    this.#sale = sale
    this.#seller = seller
    this.#machine = machine
    const { timers, ledger, disk } = machine
    this.#log = openAppendLog(disk.open(PURCHASES_LOG), {
      onRecord: (_, bytes) => this.#take(purchaseIn(bytes)),
    })
    const since = Math.min(...this.#unsettled().map((purchase) => purchase.since)) - BELOW
    for (const { block, entry } of blocksAbove(ledger.chain, Math.max(since, ledger.chain.tip.height - BACK)))
      this.#look(block.transactions, entry.height)
    every(timers, LOOK_MS, () => this.#act())
    every(timers, everyMs, () => this.#buy())
  }

  receive(): void {}

  connected(): void {}

  /** A transaction waits for a block. */
  heard(sealed: Sealed): void {
    this.#key(sealed)
  }

  updated({ connected, disconnected }: Update): void {
    for (const { transactions } of disconnected)
      for (const { id, transaction: tx } of transactions) {
        this.#paidAt.delete(id)
        if (tx.type === 'hashlockRefund') this.#refundedAt.delete(tx.hashlock)
      }
    for (const { transactions, entry } of connected) this.#look(transactions, entry.height)
  }

  /** A payment that was given up is looked at, too: the blocks of a partition's other side may have it. */
  #unsettled() {
    return [...this.#purchases.values()].filter(({ state }) => state === 'open' || state === 'void')
  }

  #look(transactions: ConnectedBlock['transactions'], height: number): void {
    for (const sealed of transactions) {
      const { id, transaction: tx } = sealed
      if (this.#purchases.has(id)) this.#paidAt.set(id, height)
      if (tx.type === 'hashlockRefund' && this.#purchases.has(tx.hashlock))
        this.#refundedAt.set(tx.hashlock, height)
      this.#key(sealed)
    }
  }

  #key({ transaction: tx }: Sealed): void {
    const purchase = tx.type === 'hashlockClaim' ? this.#purchases.get(tx.hashlock) : undefined
    if (tx.type !== 'hashlockClaim' || purchase === undefined || purchase.key !== undefined) return
    if (hashFromBytes(hashing.plain(fromHex(tx.preimage))) !== purchase.lock.lock) return
    this.#save({ ...purchase, key: tx.preimage, state: 'done' })
  }

  #act(): void {
    const { ledger } = this.#machine
    if (!ledger.inSync) return
    const { next } = ledger.chain
    for (const purchase of this.#unsettled()) {
      const { id, lock, state } = purchase
      const [paidAt, refundedAt] = [this.#paidAt.get(id), this.#refundedAt.get(id)]
      const { step } = settlementOf(lock, { paidAt, refundedAt, next })
      const isDeep = refundedAt !== undefined && next.height - refundedAt > SETTLED_DEPTH
      if (isDeep || (step === 'void' && state === 'open'))
        this.#save({ ...purchase, state: isDeep ? 'refunded' : 'void' })
      else if (step === 'send') this.#again(id, () => fromHexText(purchase.payment))
      else if (step === 'refund') this.#again(id, () => this.#refund(id))
    }
  }

  /** Begins a purchase, when no payment waits for a block; of the same file again, when the last payment came to nothing. */
  #buy(): void {
    const { ledger, signer, clock, random } = this.#machine
    const { network, tip, next, state } = ledger.chain
    const { interval } = network.genesis
    const waits = this.#unsettled().some((each) => each.state === 'open' && !this.#paidAt.has(each.id))
    // Who knows neither the time nor the tip pays nothing (cli/file-purchase/terms.ts).
    if (waits || !ledger.inSync || Math.abs(clock.now() - tip.time) > 60 * interval) return
    const last = [...this.#purchases.values()].at(-1)
    const number = last === undefined ? 0 : last.state === 'void' ? last.file : last.file + 1
    const dice = random.next()
    const blocks = dice < 0.2 ? DEADLINE.short : DEADLINE.fair
    const quote = { blocks, minutes: (blocks * interval) / 60_000 }
    const keys = new FileKeys(network, this.#seller)
    const file = keys.fileOf(hashing.plain(Buffer.from(`file ${number}`)))
    const { account: buyer } = signer
    const key = keys.keyOf({ buyer, price: FILE_PRICE, file })
    const lock: Unsigned<Hashlock> = {
      ...{ type: 'hashlock', to: this.#seller.account, amount: dice > 0.8 ? FILE_PRICE - 1 : FILE_PRICE },
      ...{
        lock: hashFromBytes(keys.sha256(key)),
        memo: fileMemo(file),
        ...deadlineOf(quote, tip, clock.now()),
      },
      ...{ network: network.id, from: buyer, nonce: ledger.mempool.nextNonce(state, buyer) },
      ...{ fee: FEES * network.genesis.feeFloor, expiry: expiryOf(quote, tip) },
    }
    const sealed = signTransaction(network, lock, signer.sign)
    const payment = toHex(sealed.bytes)
    // Its power may fail once all is written, and then it is sent after the next start.
    this.#sale.paid(sealed.id, sealed.transaction as Hashlock, number)
    this.#save({ file: number, id: sealed.id, payment, since: next.height, state: 'open' })
  }

  /** Made anew each time: the second of two is refused, and costs nothing. */
  #refund(hashlock: Hash): Uint8Array {
    const { ledger, signer } = this.#machine
    const { network, state, next } = ledger.chain
    const { account: from } = signer
    const head = { network: network.id, from, nonce: ledger.mempool.nextNonce(state, from) }
    const rest = { fee: FEES * network.genesis.feeFloor, expiry: next.height + REFUND_BLOCKS }
    return signTransaction(network, { type: 'hashlockRefund', hashlock, ...head, ...rest }, signer.sign).bytes
  }

  #again(id: Hash, make: () => Uint8Array): void {
    const { ledger, signer, clock } = this.#machine
    const nowMs = clock.monotonic()
    if (nowMs - (this.#sentMs.get(id) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return
    this.#sentMs.set(id, nowMs)
    const bytes = make()
    const added = ledger.add(bytes, signer.account)
    if (!added.ok && added.fault.code !== 'known') return
    const name = topic(ledger.chain.network.id, 'tx', signer.account)
    void ledger.session.publish(name, bytes, { qos: 1, retain: false })
  }

  #save(purchase: FilePurchase): void {
    this.#log.append([{ kind: RECORD, bytes: Buffer.from(JSON.stringify({ ...purchase, lock: undefined })) }])
    this.#take(purchase)
  }

  #take(purchase: FilePurchase): void {
    const bytes = fromHexText(purchase.payment)
    const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX)
    invariant(decoded.ok && decoded.value.type === 'hashlock', 'what was recorded as a payment is one')
    this.#purchases.set(purchase.id, { ...purchase, lock: decoded.value })
  }
}

const purchaseIn = (bytes: Uint8Array): FilePurchase => JSON.parse(Buffer.from(bytes).toString())
const fromHexText = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))

/** The purchases that are on a disk, by their payments. */
export function purchasesOn(disk: SimDisk): ReadonlyMap<Hash, FilePurchase> {
  const purchases = new Map<Hash, FilePurchase>()
  const onRecord = (_: number, bytes: Uint8Array): void => {
    const purchase = purchaseIn(bytes)
    purchases.set(purchase.id, purchase)
  }
  openAppendLog(disk.open(PURCHASES_LOG), { onRecord }).close()
  return purchases
}
