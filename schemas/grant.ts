/**
 * Grants: until when a buyer may read which paid topics of a seller, as a validator read it from the seller's receipts.
 *
 * One message for each pair, on `grant/<validator>/<seller>/<buyer>`, whole each time; an empty payload says that there is nothing any
 * more. Source: docs/PROTOCOL.md section 8.
 */
import type { Infer } from './codec.ts'
import { list, struct } from './compound.ts'
import { account, name, time, u32 } from './field.ts'

/** Sensors of one seller that a buyer may read at a time. */
export const GRANT_SENSORS_MAX = 16
/** A receipt is heeded for so long after its block, milliseconds, whatever it says: so far back a restart has to look. */
export const GRANT_MS_MAX = 31 * 86_400_000

export const grant = struct({
  seller: account,
  buyer: account,
  /** Of the validator's tip. */
  height: u32,
  sensors: list(struct({ sensor: name, until: time }), GRANT_SENSORS_MAX),
})
export type Grant = Infer<typeof grant>
export const GRANT_BYTES_MAX = 32 + 32 + 4 + 2 + GRANT_SENSORS_MAX * (33 + 6)
