/** One purchase from where it stands to its end, or to where the person has had enough. */
import { sealTransaction } from '../../ledger/transaction.ts'
import { decode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import { TRANSACTION_BYTES_MAX, transaction } from '../../schemas/transaction.ts'
import type { Outcome } from './events.ts'
import { acquire, preparePayment, quoteIn } from './purchase.ts'
import type { Surroundings } from './quoting.ts'
import type { PurchaseFiles, PurchaseName } from './record.ts'
import { openPurchase, Settling } from './settling.ts'
import type { Wish } from './terms.ts'

/** Whether coins may be under way for it: then it is gone on with, and never begun again. */
export const isPaid = ({ record }: PurchaseFiles): boolean =>
  record?.state === 'open' && record.payment !== undefined

/** Buys a file that is not paid yet. */
export async function buy(
  surroundings: Surroundings,
  files: PurchaseFiles,
  what: PurchaseName & { readonly out: string },
  wish: Wish,
): Promise<Outcome> {
  invariant(!isPaid(files), 'nothing is paid twice')
  const acquired = await acquire(surroundings, files, what, wish)
  if (!acquired.ready) return acquired.outcome
  const { record, quote } = acquired
  // Bought before: the key is the same.
  if (record.key !== undefined) return openPurchase(files, quote, record.key)
  const obstacle = await preparePayment(surroundings, files, record, quote)
  if (obstacle !== undefined) return { status: 'not-bought', reason: obstacle.reason }
  return goOn(surroundings, files, true)
}

/** Goes on with what is paid; without patience only as far as it can be done now. */
export async function goOn(
  surroundings: Surroundings,
  files: PurchaseFiles,
  isPatient: boolean,
): Promise<Outcome> {
  const { record } = files
  invariant(record?.payment !== undefined, 'the purchase has a payment')
  const { line, show } = surroundings
  const { transaction: bytes } = record.payment
  const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX)
  invariant(decoded.ok, 'what was recorded as a payment is one')
  const { id } = sealTransaction(line.network, decoded.value, bytes)
  show({ event: 'paying', transaction: id, price: quoteIn(record).price })
  return new Settling(surroundings, files).run(isPatient)
}
