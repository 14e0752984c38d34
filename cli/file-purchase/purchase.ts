/**
 * A purchase of a file: quote, ciphertext, payment under a lock, key, file; or the coins back.
 *
 * The ciphertext is there whole, has the hash that was quoted and is durable before anything is paid; the payment is recorded before
 * it is sent. From then on everything follows from the record and the ledger (settling.ts), whatever crashes in between.
 */
import { formatCoins } from '../../ledger/amount.ts'
import { deadlineOf, expiryOf } from '../../ledger/file-payment.ts'
import { hasHashlocks } from '../../ledger/file-quote.ts'
import { feeFloorFor, signTransaction } from '../../ledger/transaction.ts'
import { hashing } from '../../node/signing.ts'
import { decode } from '../../schemas/codec.ts'
import { FILE_MESSAGE_BYTES_MAX, fileMemo, fileMessage, type Quote } from '../../schemas/file-message.ts'
import { fromHex, type Hash, hashFromBytes } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { SIGNATURE_BYTES, type Transaction, transaction, type Unsigned } from '../../schemas/transaction.ts'
import type { Outcome } from './events.ts'
import { fetchChunks } from './fetching.ts'
import { PartFile } from './part-file.ts'
import { askQuote, type Quoted, type Surroundings } from './quoting.ts'
import type { PurchaseFiles, PurchaseName, PurchaseRecord } from './record.ts'
import { checkQuote, trustedTip, type Wish } from './terms.ts'

/** Quotes asked for until all is fetched: each restart of the seller, and each change of the file, takes one. */
const ROUNDS_MAX = 20

/** Ready to be paid, or the end. */
export type Acquired =
  | { readonly ready: true; readonly record: PurchaseRecord; readonly quote: Quote }
  | { readonly ready: false; readonly outcome: Outcome }

const notBought = (reason: string): { readonly ready: false; readonly outcome: Outcome } => ({
  ready: false,
  outcome: { status: 'not-bought', reason },
})

/** Asks for the price and fetches the ciphertext: all that can be done without paying. */
export async function acquire(
  surroundings: Surroundings,
  files: PurchaseFiles,
  { seller, name, ...rest }: PurchaseName & Pick<PurchaseRecord, 'out'>,
  wish: Wish,
): Promise<Acquired> {
  const { line, show, now } = surroundings
  let wrong = 0
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const asked = await askQuote(surroundings, seller, name)
    if (!asked.ok) return notBought(asked.fault.message)
    const { quote, bytes } = asked.value
    const { price, size, blocks, minutes } = quote
    if (round === 0) show({ event: 'quote', name, seller, bytes: size, price, blocks, minutes })
    const agreed = checkQuote(line.network, quote, wish, now())
    if (!agreed.ok) return notBought(agreed.fault.message)
    const before = files.record
    if (before === undefined || quoteIn(before).ciphertext !== quote.ciphertext) files.removeCiphertext()
    const key = before?.key !== undefined && opens(before.key, quote.lock) ? { key: before.key } : {}
    const record: PurchaseRecord = {
      pinledgerPurchase: 1,
      ...{ seller, name, ...rest, quote: bytes, ...key },
      state: 'open',
    }
    files.save(record)
    const fetched = await fetchAll(surroundings, files, asked.value)
    if (fetched === 'wrong' && ++wrong > 1)
      return notBought('the seller sends other bytes than it quoted: nothing was paid')
    if (fetched !== 'whole' && fetched !== 'wrong' && fetched !== 'again') return notBought(fetched.reason)
    // A quote that got old while it was fetched is asked for again; what was fetched stays.
    if (fetched === 'whole' && checkQuote(line.network, quote, wish, now()).ok)
      return { ready: true, record, quote }
  }
  return notBought('the seller, or the file, is never the same for long enough: try again later')
}

/** Fetches what is missing of the ciphertext, and compares its hash. */
async function fetchAll(
  surroundings: Surroundings,
  files: PurchaseFiles,
  quoted: Quoted,
): Promise<'whole' | 'wrong' | 'again' | { readonly reason: string }> {
  const { ciphertext, size } = quoted.quote
  const part = new PartFile(files.ciphertextPath, size)
  try {
    const fetched = await fetchChunks(surroundings, quoted, part)
    if (!fetched.ok) {
      const { code, message } = fetched.fault
      if (code === 'stopped') return { reason: 'stopped; what was fetched is kept' }
      surroundings.show({ event: 'trouble', reason: message })
      return 'again'
    }
    const sha256 = part.finish()
    if (sha256 === ciphertext) {
      surroundings.show({ event: 'fetched', sha256 })
      return 'whole'
    }
    part.clear()
    return 'wrong'
  } finally {
    part.close()
  }
}

/** Signs the payment and records it; what is wrong otherwise. It is not sent yet. */
export async function preparePayment(
  { line, now }: Pick<Surroundings, 'line' | 'now'>,
  files: PurchaseFiles,
  record: PurchaseRecord,
  quote: Quote,
): Promise<{ readonly reason: string } | undefined> {
  const { network, signer } = line
  const { price, lock, file, seller } = quote
  const tip = trustedTip(network, line.tips(), now())
  if (!tip.ok) return { reason: tip.fault.message }
  if (!hasHashlocks(network, tip.value.height + 1)) return { reason: 'this network has no hashlocks' }
  const { nonce, balance } = line.view()
  const draft = {
    ...{ type: 'hashlock', to: seller, amount: price, lock, memo: fileMemo(file) },
    ...deadlineOf(quote, tip.value, now()),
    ...{ network: network.id, from: signer.account, nonce, expiry: expiryOf(quote, tip.value) },
  } as const
  const signature = new Uint8Array(SIGNATURE_BYTES)
  const bytes = transaction.size({ ...draft, fee: 0, signature } as Transaction)
  const fee = await line.fee({ bytes, amount: price })
  // The refund, if it comes to that, has its fee, too.
  const needs = price + fee + feeFloorFor(network, bytes)
  if (needs > balance)
    return {
      reason: `the account has ${formatCoins(balance)} coins and needs ${formatCoins(needs)}, fees included`,
    }
  const sealed = signTransaction(network, { ...draft, fee } as Unsigned<Transaction>, signer.sign)
  const { height, hash } = tip.value
  files.save({ ...record, state: 'open', payment: { transaction: sealed.bytes, since: { height, hash } } })
  return undefined
}

/** The quote of a purchase. */
export function quoteIn({ quote }: PurchaseRecord): Quote {
  const decoded = decode(fileMessage, quote, FILE_MESSAGE_BYTES_MAX)
  invariant(decoded.ok && decoded.value.type === 'quote', 'what was recorded as a quote is one')
  return decoded.value
}

/** Whether a key, from wherever it is, opens a lock. */
export const opens = (key: Hash, lock: Hash): boolean => hashFromBytes(hashing.plain(fromHex(key))) === lock
