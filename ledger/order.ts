/**
 * Which of two events came first, of one ledger or of two that share a slow hand.
 *
 * What was there before a tick came before what was made after that tick or a later one on the same chain of ticks. The chain has to be
 * compared: a hand can have had branches. Where neither event was over before the other can have begun, nothing is said.
 * Source: docs/PROTOCOL.md section 14.
 */
import { COMPACT_BYTES } from '../schemas/moment.ts'
import type { Sandwich, TickFact } from './sandwich.ts'

/**
 * `before`: the first tick that lies between, `after`: the last. `hands`: their ledgers have different ones. `overlap`: no tick
 * lies between. `branches`: one would, but the proofs follow different ticks up to there.
 */
export type Order =
  | { readonly first: 'a' | 'b'; readonly before: TickFact; readonly after: TickFact }
  | { readonly first: undefined; readonly why: 'hands' | 'overlap' | 'branches' }

/** Both from proofs that hold. */
export function order(a: Sandwich, b: Sandwich): Order {
  if (a.hand !== b.hand) return { first: undefined, why: 'hands' }
  const [first, early, late] =
    a.before.height <= b.after.height ? (['a', a, b] as const) : (['b', b, a] as const)
  if (early.before.height > late.after.height) return { first: undefined, why: 'overlap' }
  if (!startsWith(late.ticks, early.ticks.subarray(0, COMPACT_BYTES * early.before.height)))
    return { first: undefined, why: 'branches' }
  return { first, before: early.before, after: late.after }
}

/** One hand and the same bytes: the same ticks. */
const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  start.length <= bytes.length && start.every((byte, at) => byte === bytes[at])
