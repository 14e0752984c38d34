/**
 * The one way in which a peer's mistake travels: a returned value, never an exception.
 *
 * `ok: false` carries a coded fault with its facts; see `ledger/fault.ts` for the ledger's codes.
 */
export type Result<T, F> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: F }

export const accept = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })
export const refuse = <F>(fault: F): { readonly ok: false; readonly fault: F } => ({ ok: false, fault })

/** Throws on a broken assumption of our own code; caught only at a program's `main`. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`)
}
