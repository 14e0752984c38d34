/** A transaction in words, for who asks when it happened. */
import { formatCoins } from '../ledger/amount.ts'
import type { Transaction } from '../schemas/transaction.ts'
import { formatDecimal } from '../schemas/units.ts'

export function eventWords(tx: Transaction): string {
  switch (tx.type) {
    case 'transfer':
      return `${formatCoins(tx.amount)} coins to ${tx.to}${tx.memo === '' ? '' : ` for ${tx.memo}`}`
    case 'reading': {
      const { sensor, value, unit, sequence } = tx.sample
      return `${sensor} ${formatDecimal(value)} ${unit}, number ${sequence} of the sensor`
    }
    case 'batch':
      return `${tx.count} readings of ${tx.sensor}, from number ${tx.sequence} on`
    default:
      return tx.type
  }
}
