/**
 * From the levels that the kernel tells of an input to the changes that somebody asked for.
 *
 * The kernel tells of an edge, and the level is read a moment later. A level that comes twice therefore means that the line
 * went there and back in between: both changes are said, so that short pulses are counted.
 */
import type { InputOptions, Level } from './line.ts'

export interface Timing {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Resolves after `ms`, or at once when aborted; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface Changes {
  /** The level that counts, which with debouncing comes after the line's. */
  level(): Level
  tell(level: Level): void
  /** No change is said any more. */
  stop(): void
}

export function createChanges(
  { edge, debounceMs }: Pick<InputOptions, 'edge' | 'debounceMs'>,
  initial: Level,
  onChange: (level: Level) => void,
  { nowMs, sleep }: Timing,
): Changes {
  const controller = new AbortController()
  const { signal } = controller
  const wanted = edge === 'both' ? [0, 1] : edge === 'rising' ? [1] : edge === 'falling' ? [0] : []
  let stable = initial
  let latest = initial
  let latestMs = 0
  let settling = false

  function change(level: Level): void {
    stable = level
    if (!signal.aborted && wanted.includes(level)) onChange(level)
  }

  /** Waits until no edge has come for `debounceMs`. One wait at a time, however much the line bounces. */
  async function settle(): Promise<void> {
    settling = true
    for (;;) {
      const waitMs = latestMs + debounceMs - nowMs()
      if (waitMs <= 0 || signal.aborted) break
      await sleep(waitMs, signal)
    }
    settling = false
    if (latest !== stable) change(latest)
  }

  return {
    level: () => stable,
    tell(level) {
      latest = level
      latestMs = nowMs()
      if (debounceMs > 0) {
        if (!settling && level !== stable) void settle()
        return
      }
      if (level === stable) change(level === 1 ? 0 : 1)
      change(level)
    },
    stop: () => controller.abort(),
  }
}
