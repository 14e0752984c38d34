/**
 * The wall clock and whether it can be trusted. A Raspberry Pi has no battery clock: after power-on it may say 1970.
 */
import { existsSync } from 'node:fs'

export interface Clock {
  /** Milliseconds since 1970, for block times. */
  now(): number
  /** Milliseconds that never jump, for time-outs. */
  monotonic(): number
  /** False while this machine's time is known to be unsynchronised. */
  synchronised(): boolean
}

/** Made no earlier than this: a clock before 2026-01-01 is not synchronised, whatever else says so. */
const RELEASED_MS = Date.UTC(2026, 0, 1)

/** systemd-timesyncd leaves a mark once it has set the time; without systemd we trust a plausible clock. */
export const systemClock = (runDirectory = '/run/systemd/timesync'): Clock => ({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  synchronised: () =>
    Date.now() >= RELEASED_MS && (!existsSync(runDirectory) || existsSync(`${runDirectory}/synchronized`)),
})
