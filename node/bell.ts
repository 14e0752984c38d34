/** Waits that end early: for a time, or until somebody rings. */
import type { Timers } from './timers.ts'

export class Bell {
  readonly #timers: Timers
  readonly #waiting = new Set<() => void>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Resolves after `delayMs`, or at the next ring; without a delay only then. */
  wait(delayMs = Number.POSITIVE_INFINITY): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel?.()
        this.#waiting.delete(end)
        resolve()
      }
      const cancel = delayMs === Number.POSITIVE_INFINITY ? undefined : this.#timers.after(delayMs, end)
      this.#waiting.add(end)
    })
  }

  ring(): void {
    for (const end of [...this.#waiting]) end()
  }
}
