/**
 * Every refusal: counted by its reason, and logged, but not so often that a hostile client fills the disk.
 */
import type { Fields, Log } from '../node/log.ts'

const LINES_PER_WINDOW_MAX = 50
const WINDOW_MS = 10_000

export interface Refusals {
  /** `reason` is a code, `facts` what and who; never a password. */
  refuse(reason: string, facts: Fields): void
  readonly counts: ReadonlyMap<string, number>
}

export function createRefusals(log: Log, now: () => number): Refusals {
  const counts = new Map<string, number>()
  let since = now()
  let lines = 0
  return {
    counts,
    refuse(reason, facts) {
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
      if (now() - since >= WINDOW_MS) {
        if (lines > LINES_PER_WINDOW_MAX)
          log.warn('refused', { reason: 'and-more', lines: lines - LINES_PER_WINDOW_MAX })
        since = now()
        lines = 0
      }
      lines += 1
      if (lines <= LINES_PER_WINDOW_MAX) log.warn('refused', { reason, ...facts })
    },
  }
}
