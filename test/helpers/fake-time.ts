/** Time that only the test moves. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Timers } from '../../node/timers.ts'

export interface FakeTime extends Timers {
  readonly nowMs: () => number
  /** How many delays have not passed. */
  readonly waiting: () => number
  /** Runs what is due within the next `ms`, in order. */
  pass(ms: number): Promise<void>
}

export function fakeTime(): FakeTime {
  let nowMs = 1_000
  let due: { readonly atMs: number; readonly run: () => void }[] = []
  return {
    nowMs: () => nowMs,
    waiting: () => due.length,
    turn,
    after(delayMs, run) {
      const entry = { atMs: nowMs + delayMs, run }
      due.push(entry)
      return () => {
        due = due.filter((each) => each !== entry)
      }
    },
    async pass(ms) {
      const untilMs = nowMs + ms
      for (;;) {
        const next = due.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
        if (next === undefined) break
        due = due.filter((each) => each !== next)
        nowMs = next.atMs
        next.run()
        await turn()
        await turn()
      }
      nowMs = untilMs
      await turn()
    },
  }
}
