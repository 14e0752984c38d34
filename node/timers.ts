/** Delays as an argument, so that a simulator can run a day in a minute. */

export type Cancel = () => void

export interface Timers {
  /** Runs `run` once, `delayMs` from now; its owner cancels it when it stops. */
  after(delayMs: number, run: () => void): Cancel
  /** Resolves after events that are due by now, so that long work leaves room for them. */
  turn(): Promise<void>
}

export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  turn: () => new Promise((resolve) => setImmediate(resolve)),
}

export const sleep = (timers: Timers, delayMs: number): Promise<void> =>
  new Promise((resolve) => timers.after(delayMs, resolve))

/** Runs `run` every `periodMs`, the first time after one period. */
export function every(timers: Timers, periodMs: number, run: () => void): Cancel {
  let cancel = timers.after(periodMs, function again() {
    cancel = timers.after(periodMs, again)
    run()
  })
  return () => cancel()
}
