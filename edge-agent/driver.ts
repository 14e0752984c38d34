/**
 * Drivers: how a sensor is opened from its configuration and says its values.
 *
 * A sensor that fails reports a `WorldError` and tries again with backoff; it costs no other sensor anything. The
 * machine's files, the clock and the GPIO library are parameters (`Surroundings`).
 */
import { z } from 'zod'
import { createBackoff } from '../node/backoff.ts'
import { WorldError } from '../node/error.ts'
import { name } from '../schemas/field.ts'
import { type Decimal, UNITS } from '../schemas/units.ts'
import type { GpioSurroundings } from './gpio/access.ts'
import { sensorSale } from './sale/config.ts'

/** RFC 8428 unit symbol, registered. */
export type Unit = (typeof UNITS)[number]
export const unitSchema = z.enum(UNITS, {
  error: (issue) =>
    `expected a unit symbol of RFC 8428 such as Cel, %, B/s or count, got ${String(issue.input)}`,
})

export type Emit = (sample: { readonly value: Decimal }) => void

/** One sensor. `start` returns once it is set up or has reported why not; `stop` may be called twice. */
export interface Sensor {
  readonly unit: Unit
  start(emit: Emit): Promise<void>
  stop(): Promise<void>
}

/** What sensors need of the machine. */
export interface Surroundings extends GpioSurroundings {
  /** Uniform in [0, 1), for the backoff. */
  readonly random: () => number
  /** Why a sensor has nothing to say at the moment. Called again for each vain attempt. */
  readonly report: (error: WorldError) => void
}

export interface Driver<Schema extends z.ZodType> {
  readonly configSchema: Schema
  /** Nothing is opened before `start`. */
  create(config: z.output<Schema>, surroundings: Surroundings): Sensor
}

/** Fields of every sensor's configuration. */
export const sensorFields = {
  /** The sensor's name in topics and on the ledger. */
  name: name.json as z.ZodType<string>,
  /** Samples in one transaction: 1 signs each on its own, more carry their Merkle root. */
  batch: z.int().min(1).max(1024).default(1),
  /** On which terms its readings are sold. */
  sell: sensorSale.optional(),
}

/** Seconds between two readings of a polled sensor. */
export const intervalSeconds = z.number().min(0.1).max(86_400).default(5)

const RETRY = { baseMs: 1000, capMs: 60_000, stableMs: 10_000 }

/**
 * A sensor out of one task, which runs until its signal aborts, returns for good, or throws: then the fault is reported
 * and the task begins anew after a wait of up to a minute. `ready` is what `start` waits for.
 */
export function createSensor(
  unit: Unit,
  surroundings: Surroundings,
  task: (emit: Emit, signal: AbortSignal, ready: () => void) => Promise<void>,
): Sensor {
  let controller: AbortController | undefined
  let running: Promise<void> | undefined

  async function run(emit: Emit, signal: AbortSignal, ready: () => void): Promise<void> {
    const backoff = createBackoff(RETRY, surroundings.random)
    while (!signal.aborted) {
      const startedMs = surroundings.nowMs()
      try {
        await task((sample) => signal.aborted || emit(sample), signal, ready)
        return ready()
      } catch (error) {
        if (!(error instanceof WorldError)) throw error
        if (!signal.aborted) surroundings.report(error)
      }
      ready()
      await surroundings.sleep(backoff.next(surroundings.nowMs() - startedMs), signal)
    }
  }

  return {
    unit,
    start(emit) {
      controller = new AbortController()
      const { signal } = controller
      return new Promise((resolve, reject) => {
        let isReady = false
        const ready = (): void => {
          isReady = true
          resolve()
        }
        running = run(emit, signal, ready)
        running.catch((error: unknown) => {
          // A fault of our own: who starts the sensor hears of it, and later `main` does, as an unhandled rejection.
          if (isReady) throw error
          reject(error)
        })
      })
    },
    async stop() {
      controller?.abort()
      await running
    },
  }
}

/**
 * A sensor that is read at an interval. `open` begins a round of readings, which a fault ends; a reading that resolves with
 * undefined has nothing to say.
 */
export const createPolledSensor = (
  unit: Unit,
  intervalSeconds: number,
  surroundings: Surroundings,
  open: () => (signal: AbortSignal) => Promise<Decimal | undefined>,
): Sensor =>
  createSensor(unit, surroundings, async (emit, signal, ready) => {
    const read = open()
    while (!signal.aborted) {
      const value = await read(signal)
      if (value !== undefined) emit({ value })
      ready()
      await surroundings.sleep(intervalSeconds * 1000, signal)
    }
  })
