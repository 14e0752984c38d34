/**
 * What comes after the payment was recorded: it is sent until a block has it, the key is taken wherever it shows itself, and after
 * the deadline the coins are taken back. Everything here can be begun again at any time.
 */
import { formatCoins } from '../../ledger/amount.ts'
import { type Settlement, settlementOf } from '../../ledger/file-payment.ts'
import { sealTransaction, signTransaction } from '../../ledger/transaction.ts'
import { decode } from '../../schemas/codec.ts'
import type { Quote } from '../../schemas/file-message.ts'
import { fromHex, type Hash, short } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type Hashlock, TRANSACTION_BYTES_MAX, transaction } from '../../schemas/transaction.ts'
import type { Outcome } from './events.ts'
import { LedgerScan } from './ledger-scan.ts'
import { writeOpened } from './opened-file.ts'
import { PartFile } from './part-file.ts'
import { opens, quoteIn } from './purchase.ts'
import type { Surroundings } from './quoting.ts'
import type { PurchaseFiles, PurchaseRecord } from './record.ts'

const LOOK_MS = 200
/** What waits for a block is sent again so often. */
const AGAIN_MS = 15_000
/** Blocks that a refund may wait. */
const REFUND_BLOCKS = 60

export class Settling {
  readonly #surroundings: Surroundings
  readonly #files: PurchaseFiles
  readonly #quote: Quote
  readonly #payment: { readonly id: Hash; readonly lock: Hashlock; readonly bytes: Uint8Array }
  readonly #scan: LedgerScan
  #key: Hash | undefined
  #sentMs = Number.NEGATIVE_INFINITY
  /** The refund that was sent last, and what a validator said against it. */
  #refunding: { readonly id: Hash; readonly sentMs: number; refused: string | undefined } | undefined
  #reason = ''

  /** The purchase has a payment. */
  constructor(surroundings: Surroundings, files: PurchaseFiles) {
    this.#surroundings = surroundings
    this.#files = files
    const { record } = files
    invariant(record?.payment !== undefined, 'the purchase has a payment')
    this.#quote = quoteIn(record)
    const { transaction: bytes, since } = record.payment
    const { network, ask } = surroundings.line
    const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX)
    invariant(decoded.ok && decoded.value.type === 'hashlock', 'what was recorded as a payment is one')
    const { id } = sealTransaction(network, decoded.value, bytes)
    this.#payment = { id, lock: decoded.value, bytes }
    this.#scan = new LedgerScan(network, id, since, ask)
    this.#key = record.key
  }

  /** Until it is over, or the person has had enough; without patience only as far as it can be done now. */
  async run(isPatient: boolean): Promise<Outcome> {
    const { line, signal, sleep } = this.#surroundings
    const { id, lock } = this.#payment
    line.listen({
      onMessage: () => {},
      onTransaction: (tx) => {
        if (tx.type === 'hashlockClaim' && tx.hashlock === id && opens(tx.preimage, lock.lock))
          this.#key = tx.preimage
      },
      onReceipt: ({ transaction: of, status, code, message }) => {
        if (status !== 'refused') return
        if (of === id) this.#reason = `${code}: ${message}`
        if (of === this.#refunding?.id) this.#refunding.refused = `${code}: ${message}`
      },
    })
    let lookedAt = ''
    for (;;) {
      if (this.#key !== undefined) return this.#finish(this.#key)
      const tips = [...line.tips()].map(({ hash }) => hash).join()
      if (tips !== lookedAt || !isPatient) {
        const isLooked = await this.#scan.look()
        if (isLooked) lookedAt = tips
        const { key } = this.#scan
        if (key !== undefined && opens(key, lock.lock)) return this.#finish(key)
        if (!isLooked) this.#trouble('no validator answers with the blocks that matter')
        const ended = isLooked ? await this.#act(isPatient) : undefined
        if (ended !== undefined) return ended
      } else await this.#again()
      if (signal.aborted) return { status: 'open', reason: this.#standing() }
      await sleep(LOOK_MS)
    }
  }

  #settlement(): Settlement {
    const { paidAt, refundedAt, next } = this.#scan
    if (next === undefined) return { step: 'send' }
    return settlementOf(this.#payment.lock, { paidAt, refundedAt, next })
  }

  /** Does what the ledger asks for now; the outcome, when it is over. */
  async #act(isPatient: boolean): Promise<Outcome | undefined> {
    const { show } = this.#surroundings
    const { lock } = this.#payment
    const settlement = this.#settlement()
    switch (settlement.step) {
      case 'send':
        await this.#again()
        show({ event: 'unconfirmed', reason: this.#reason })
        return isPatient ? undefined : { status: 'open', reason: this.#standing() }
      case 'wait': {
        const { blocksLeft, msLeft } = settlement
        const height = this.#scan.paidAt ?? 0
        show({
          event: 'locked',
          height,
          deadline: lock.height,
          blocksLeft,
          secondsLeft: Math.ceil(msLeft / 1000),
        })
        return isPatient ? undefined : { status: 'open', reason: this.#standing() }
      }
      case 'refund':
        // The chain has moved: what was refused, as too early perhaps, may be taken now.
        if (this.#refunding?.refused !== undefined) {
          this.#trouble(this.#refunding.refused)
          this.#refunding = undefined
        }
        await this.#again()
        return undefined
      case 'returned':
        show({ event: 'returned', height: settlement.height, blocksLeft: settlement.blocksLeft })
        // Stays open: whoever asks again is told again, or refunded again.
        return isPatient ? undefined : this.#refunded()
      case 'refunded':
        this.#save({ state: 'refunded' })
        return this.#refunded()
      case 'void': {
        this.#save({ state: 'void' })
        const reason = `the payment was not confirmed before block ${lock.expiry}, and can no longer be: nothing was paid`
        return { status: 'not-bought', reason: this.#reason === '' ? reason : `${reason} (${this.#reason})` }
      }
    }
  }

  /** Sends what has to get into a block, now and then. */
  async #again(): Promise<void> {
    const { line, monotonic } = this.#surroundings
    const { step } = this.#settlement()
    if (step === 'send' && monotonic() - this.#sentMs >= AGAIN_MS) {
      this.#sentMs = monotonic()
      await line.sendTransaction(this.#payment.bytes)
    }
    if (step === 'refund' && monotonic() - (this.#refunding?.sentMs ?? Number.NEGATIVE_INFINITY) >= AGAIN_MS)
      await this.#refund()
  }

  /** Gives the coins back. Made anew each time: the second of two is refused, and costs nothing. */
  async #refund(): Promise<void> {
    const { line, show, monotonic } = this.#surroundings
    const { network, signer } = line
    const { nonce } = line.view()
    const height = this.#scan.next?.height ?? 0
    const draft = {
      type: 'hashlockRefund',
      hashlock: this.#payment.id,
      ...{ network: network.id, from: signer.account, nonce, expiry: height + REFUND_BLOCKS },
    } as const
    const bytes = transaction.size({ ...draft, fee: 0, signature: new Uint8Array(64) })
    const fee = await line.fee({ bytes, amount: 0 })
    const sealed = signTransaction(network, { ...draft, fee }, signer.sign)
    this.#refunding = { id: sealed.id, sentMs: monotonic(), refused: undefined }
    show({ event: 'refunding', transaction: sealed.id })
    await line.sendTransaction(sealed.bytes)
  }

  /** The key is there: opens the ciphertext. */
  #finish(key: Hash): Outcome {
    const { record } = this.#files
    invariant(record !== undefined, 'the purchase has a record')
    if (record.key !== key) this.#save({ key })
    return openPurchase(this.#files, this.#quote, key)
  }

  #refunded(): Outcome {
    const coins = formatCoins(this.#payment.lock.amount)
    return { status: 'refunded', reason: `${coins} coins came back: no key until the deadline` }
  }

  #trouble(reason: string): void {
    this.#surroundings.show({ event: 'trouble', reason })
  }

  /** How it stands, for who stops waiting. */
  #standing(): string {
    const settlement = this.#settlement()
    const { lock } = this.#payment
    const coins = formatCoins(lock.amount)
    if (settlement.step === 'send')
      return `the payment of ${coins} coins is not in a block yet; it may still be confirmed until block ${lock.expiry}`
    if (settlement.step === 'wait') {
      const minutes = Math.ceil(settlement.msLeft / 60_000)
      return `${coins} coins are locked for ${short(lock.to)} until block ${lock.height} (${settlement.blocksLeft} to go, ${minutes} minutes)`
    }
    if (settlement.step === 'returned')
      return `${coins} coins came back in block ${settlement.height}, which a reorganisation may still take away`
    return `the deadline of ${coins} coins has passed: pinledger buy refund`
  }

  #save(change: Partial<PurchaseRecord>): void {
    const { record } = this.#files
    invariant(record !== undefined, 'the purchase has a record')
    this.#files.save({ ...record, ...change })
  }
}

/** Writes the file of a purchase whose key is known. Throws WorldError when it cannot be written. */
export function openPurchase(files: PurchaseFiles, quote: Quote, key: Hash): Outcome {
  const { record } = files
  invariant(record !== undefined, 'the purchase has a record')
  const { out, state } = record
  const part = new PartFile(files.ciphertextPath, quote.size)
  try {
    if (!part.isWhole || part.finish() !== quote.ciphertext) {
      // The payment is done with; what is missing can be fetched again, and then opened with this key.
      const { payment: _, ...rest } = record
      files.save({ ...rest, key })
      const reason = `the key is there, but the ciphertext in ${files.directory} is not: run the same buy again, it is fetched without another payment`
      return { status: 'open', reason }
    }
    if (writeOpened(part, fromHex(key), out) === 'spoilt') {
      const reason = `what ${short(record.seller)} sold does not open with its key: what it signed and sent is kept in ${files.directory}`
      return { status: 'spoilt', reason }
    }
  } finally {
    part.close()
  }
  if (state !== 'done') files.save({ ...record, state: 'done', key })
  files.removeCiphertext()
  return { status: 'bought', out }
}
