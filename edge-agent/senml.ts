/** A sample for people: SenML (RFC 8428), as topics of readings carry it. */
import type { Account } from '../schemas/hex.ts'
import type { Sample } from '../schemas/transaction.ts'
import { decimalNumber } from '../schemas/units.ts'

export const senml = (account: Account, { sensor, unit, value, time }: Sample): readonly object[] => [
  { bn: `urn:dev:pinledger:${account}:`, n: sensor, u: unit, v: decimalNumber(value), t: time / 1000 },
]
