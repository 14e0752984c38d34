/**
 * How long to wait before the next attempt: exponential backoff with full jitter.
 *
 * `wait = random in [0, min(cap, base * 2^attempt))`. Full jitter spreads a crowd of devices that lost their broker in
 * the same second over the whole window, so that they do not come back in waves. An attempt that held for a while
 * starts the count again; one that broke at once does not. Source: M. Brooker, "Exponential Backoff And Jitter",
 * AWS Architecture Blog, 2015 ("Full Jitter").
 */
export interface BackoffOptions {
  /** Window of the first wait, milliseconds, above 0. */
  readonly baseMs: number
  /** Largest window, milliseconds. */
  readonly capMs: number
  /** A connection that lasted this long counts as a success, milliseconds. */
  readonly stableMs: number
}

export interface Backoff {
  /** Milliseconds to wait, after a connection that lasted `upMs` (0: it never came up). */
  next(upMs: number): number
}

/** Uniform in [0, 1), as `Math.random`. */
export type Random = () => number

/** Wait before attempt number `attempt` (0, 1, 2, ...), whole milliseconds below `min(cap, base * 2^attempt)`. */
export const fullJitterMs = (attempt: number, { baseMs, capMs }: BackoffOptions, random: Random): number =>
  Math.floor(random() * Math.min(capMs, baseMs * 2 ** attempt))

export function createBackoff(options: BackoffOptions, random: Random): Backoff {
  let attempt = 0
  return {
    next(upMs) {
      if (upMs >= options.stableMs) attempt = 0
      return fullJitterMs(attempt++, options, random)
    },
  }
}
