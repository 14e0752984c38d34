/**
 * The latest readings of every sensor on the ledger, bounded for each sensor, each device and in all.
 *
 * The sensor that was heard longest ago makes room. A batch counts for its numbers and its clock; its values are not on the
 * ledger. Invariant: points of a series are in the order of the ledger.
 */
import type { Account } from '../schemas/hex.ts'
import { QUALITY_SENSORS_MAX } from '../schemas/quality.ts'
import type { Batch, Sample } from '../schemas/transaction.ts'
import { decimalNumber } from '../schemas/units.ts'

/** Transactions of one sensor that are remembered. */
export const WINDOW = 64
/** Sensors that are remembered, some 8 KB each. */
export const SERIES_MAX = 2_000

export interface Point {
  /** Of its block. */
  readonly height: number
  /** Undefined for a batch. */
  readonly value: number | undefined
  /** Smallest difference that its digits can show; 0 for a batch. */
  readonly step: number
  /** Readings that it stands for, and numbers that are missing before it. */
  readonly count: number
  readonly missed: number
  readonly synchronised: boolean
}

export interface Series {
  readonly device: Account
  readonly sensor: string
  readonly unit: string
  /** Oldest first. */
  readonly points: readonly Point[]
}

interface Kept extends Series {
  readonly points: Point[]
  /** The number and time after the last reading. */
  next: number
  time: number
}

/** What a transaction says, as far as it is looked at. */
export interface Heard {
  readonly sensor: string
  readonly unit: string
  readonly sequence: number
  readonly count: number
  readonly time: number
  readonly synchronised: boolean
  readonly value: number | undefined
  readonly step: number
}

export const ofSample = ({ sensor, unit, sequence, time, synchronised, value }: Sample): Heard => ({
  ...{ sensor, unit, sequence, count: 1, time, synchronised },
  value: decimalNumber(value),
  step: 10 ** value.exponent,
})

export const ofBatch = ({ sensor, unit, sequence, count, lastTime, synchronised }: Batch): Heard => ({
  ...{ sensor, unit, sequence, count, time: lastTime, synchronised, value: undefined, step: 0 },
})

export class SeriesBook {
  /** In the order in which they were heard, the latest last. */
  readonly #series = new Map<string, Kept>()
  readonly #perDevice = new Map<Account, number>()
  readonly #max: number

  constructor(max = SERIES_MAX) {
    this.#max = max
  }

  get size(): number {
    return this.#series.size
  }

  all(): Iterable<Series> {
    return this.#series.values()
  }

  /** Adds a confirmed reading. False when it is known already, as after a reorganisation, or there is no room for the sensor. */
  take(device: Account, heard: Heard, height: number): boolean {
    const key = `${device} ${heard.sensor}`
    let kept = this.#series.get(key)
    if (kept !== undefined && heard.sequence < kept.next) {
      if (heard.time <= kept.time) return false
      // A device that lost its data counts from the start again.
      kept.next = heard.sequence
    }
    if (kept?.unit !== heard.unit) kept = this.#fresh(key, device, heard)
    if (kept === undefined) return false
    const { sequence, count, time, value, step, synchronised } = heard
    kept.points.push({ height, value, step, count, missed: sequence - kept.next, synchronised })
    if (kept.points.length > WINDOW) kept.points.shift()
    kept.next = sequence + count
    kept.time = time
    this.#series.delete(key)
    this.#series.set(key, kept)
    return true
  }

  #fresh(key: string, device: Account, { sensor, unit, sequence }: Heard): Kept | undefined {
    if (!this.#series.has(key)) {
      const own = this.#perDevice.get(device) ?? 0
      if (own >= QUALITY_SENSORS_MAX) return undefined
      this.#perDevice.set(device, own + 1)
      if (this.#series.size >= this.#max) this.#dropOldest()
    }
    return { device, sensor, unit, points: [], next: sequence, time: 0 }
  }

  #dropOldest(): void {
    for (const [key, { device }] of this.#series) {
      this.#series.delete(key)
      const left = (this.#perDevice.get(device) ?? 1) - 1
      if (left === 0) this.#perDevice.delete(device)
      else this.#perDevice.set(device, left)
      return
    }
  }
}
