/**
 * A machine's clock: the true time with an offset and a drift, or 1970 after power-on until somebody sets it.
 *
 * The methods are properties because modules hand them on by themselves.
 */
import type { Clock } from '../node/clock.ts'
import type { Scheduler } from './scheduler.ts'

export class SimClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #startMs: number
  #offsetMs = 0
  #drift = 0
  #setMs = 0
  #poweredMs: number | undefined
  #trusted = true

  /** `startMs`: what the true clock says when the simulation begins. */
  constructor(scheduler: Scheduler, startMs: number) {
    this.#scheduler = scheduler
    this.#startMs = startMs
  }

  readonly now = (): number => {
    const { nowMs } = this.#scheduler
    if (this.#poweredMs !== undefined) return Math.floor(nowMs - this.#poweredMs)
    return Math.floor(this.#startMs + nowMs + this.#offsetMs + this.#drift * (nowMs - this.#setMs))
  }

  readonly monotonic = (): number => this.#scheduler.nowMs

  readonly synchronised = (): boolean => this.#trusted

  /** Whether it is within `toleranceMs` of the true time, and known to be. */
  isRight(toleranceMs: number): boolean {
    return this.#trusted && Math.abs(this.now() - this.#startMs - this.#scheduler.nowMs) <= toleranceMs
  }

  /** Set to the true time plus `offsetMs`, running fast or slow by `drift` (1e-5: 10 ppm); the machine believes in it. */
  set(offsetMs: number, drift: number): void {
    this.#offsetMs = offsetMs
    this.#drift = drift
    this.#setMs = this.#scheduler.nowMs
    this.#poweredMs = undefined
    this.#trusted = true
  }

  /** Power came back to a machine without a battery clock: 1970, and it knows that it does not know. */
  powerOn(): void {
    this.#poweredMs = this.#scheduler.nowMs
    this.#trusted = false
  }
}
