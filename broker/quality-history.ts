/**
 * What sensors were like on earlier days, for their opinions: for each the last 31 days of the ledger's time, and what of it is kept
 * on the disk. Pure.
 *
 * A day is UTC and by the block's time. Days are told once they have ended, so that a history changes once a day. The sensor that was
 * noted longest ago makes room.
 */
import { z } from 'zod'
import type { Account } from '../schemas/hex.ts'
import { HISTORY_DAYS_MAX, type QualityPast } from '../schemas/quality.ts'
import { SERIES_MAX } from './series.ts'

export const DAY_MS = 86_400_000

const day = z.object({
  /** Since 1970. */
  day: z.int().min(0).max(1_000_000),
  readings: z.int().min(0),
  /** The lowest of the day; null: none. */
  score: z.int().min(0).max(100).nullable(),
})
type Day = z.infer<typeof day>

/** `sensors`: by `<account>/<sensor>`, newest day first. */
export const savedHistory = z.object({
  /** Of the last block that is in it. */
  height: z.int().min(0),
  sensors: z.array(z.tuple([z.string().max(97), z.array(day).max(HISTORY_DAYS_MAX + 1)])).max(SERIES_MAX),
})
export type SavedHistory = z.infer<typeof savedHistory>

export class QualityHistory {
  /** In the order in which they were noted, the latest last. */
  readonly #sensors: Map<string, Day[]>
  readonly #from: number
  readonly #max: number
  #height: number
  #today = 0

  /** `saved`: goes on from there; its blocks count no second time. */
  constructor(saved: SavedHistory = { height: 0, sensors: [] }, max = SERIES_MAX) {
    this.#sensors = new Map(saved.sensors.map(([key, days]) => [key, [...days]]))
    this.#from = saved.height
    this.#height = saved.height
    this.#max = max
  }

  /** Time goes on with each block; `timeMs` is its. */
  block(height: number, timeMs: number): void {
    this.#height = Math.max(this.#height, height)
    this.#today = Math.max(this.#today, Math.floor(timeMs / DAY_MS))
  }

  /** Readings that a block confirmed. */
  readings(device: Account, sensor: string, count: number, height: number): void {
    if (height <= this.#from) return
    this.#day(device, sensor).readings += count
  }

  score(device: Account, sensor: string, score: number | null): void {
    if (score === null) return
    const today = this.#day(device, sensor)
    today.score = Math.min(today.score ?? 100, score)
  }

  /** The days that have ended; null: there are none. */
  of(device: Account, sensor: string): QualityPast | null {
    const days = this.#sensors.get(keyOf(device, sensor))?.filter((each) => each.day < this.#today) ?? []
    const [newest] = days
    const oldest = days.at(-1)
    if (newest === undefined || oldest === undefined) return null
    const length = Math.min(HISTORY_DAYS_MAX, newest.day - oldest.day + 1)
    const at = (back: number): Day | undefined => days.find((each) => each.day === newest.day - back)
    return {
      until: new Date(newest.day * DAY_MS).toISOString().slice(0, 10),
      readings: Array.from({ length }, (_, back) => at(back)?.readings ?? 0),
      scores: Array.from({ length }, (_, back) => at(back)?.score ?? null),
    }
  }

  saved(): SavedHistory {
    return { height: this.#height, sensors: [...this.#sensors].map(([key, days]) => [key, [...days]]) }
  }

  #day(device: Account, sensor: string): Day {
    const key = keyOf(device, sensor)
    const days = this.#sensors.get(key) ?? []
    let [newest] = days
    if (newest === undefined || newest.day < this.#today) {
      newest = { day: this.#today, readings: 0, score: null }
      days.unshift(newest)
      days.splice(HISTORY_DAYS_MAX + 1)
    }
    this.#sensors.delete(key)
    this.#sensors.set(key, days)
    for (const oldest of this.#sensors.keys()) {
      if (this.#sensors.size <= this.#max) break
      this.#sensors.delete(oldest)
    }
    return newest
  }
}

const keyOf = (device: Account, sensor: string): string => `${device}/${sensor}`
