/**
 * How plausible a device's readings look to a validator: JSON only, on `quality/<validator>/<device>`. Advice, not proof.
 *
 * Shares are from 0 to 1. Null: there was nothing to judge by. Source: docs/PROTOCOL.md section 7, docs/TRADE.md.
 */
import { z } from 'zod'
import { accountText } from './hex.ts'

/** Sensors of one device that are judged. */
export const QUALITY_SENSORS_MAX = 64
/** Days that an opinion looks back on. */
export const HISTORY_DAYS_MAX = 30

const share = z.number().min(0).max(1)

/** Earlier days, by the ledger's time and UTC, the newest first; a day without a reading in between has its place. */
export const qualityPast = z.object({
  /** The first of them, as `2026-11-30`: the last day on which there was a reading, and that has ended. */
  until: z.iso.date(),
  /** That the ledger took on that day. */
  readings: z.array(z.int().min(0)).max(HISTORY_DAYS_MAX),
  /** The lowest score of that day; null: it had none. */
  scores: z.array(z.int().min(0).max(100).nullable()).max(HISTORY_DAYS_MAX),
})
export type QualityPast = z.infer<typeof qualityPast>

export const sensorQuality = z.object({
  sensor: z.string().max(32),
  unit: z.string().max(15),
  /** Of its offer; empty: nobody says, and it has no neighbours. */
  place: z.string().max(48),
  /** Readings that were looked at. */
  readings: z.int().min(0),
  /** 0 to 100; null: too few readings. */
  score: z.int().min(0).max(100).nullable(),
  /** Other devices with a sensor of the same place and unit. */
  neighbours: z.int().min(0),
  /** Readings that are missing by their numbers, beyond what a sensor always leaves out. */
  gaps: share,
  /** Readings by a clock that was not synchronised. */
  unsynchronised: share,
  /** Equal values in a row although its neighbours' move. */
  frozen: z.boolean().nullable(),
  /** Its values are another's, later: `<account>/<sensor>`. Empty: they are nobody's. */
  copied: z.string().max(97).nullable(),
  /** Readings far from what the neighbours say at the time. */
  outliers: share.nullable(),
  /** Median of the differences to the neighbours, in its unit. */
  offset: z.number().nullable(),
  /** Null: the validator remembers no earlier day. */
  past: qualityPast.nullable().default(null),
})
export type SensorQuality = z.infer<typeof sensorQuality>

export const quality = z.object({
  device: accountText,
  /** Of the validator's tip. */
  height: z.int().min(0),
  sensors: z.array(sensorQuality).max(QUALITY_SENSORS_MAX),
})
export type Quality = z.infer<typeof quality>
