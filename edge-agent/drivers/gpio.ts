/**
 * Driver `gpio`: an input pin of a Raspberry Pi, by its BCM number.
 *
 * Mode `level` reads the pin at an interval, mode `edge` says each change as it happens, and the level at the start
 * when both edges are asked for. Values are 0 and 1.
 */
import { z } from 'zod'
import { WorldError } from '../../node/error.ts'
import { TokenBucket } from '../../node/token-bucket.ts'
import { createSensor, type Driver, intervalSeconds, sensorFields, unitSchema } from '../driver.ts'
import type { GpioPin } from './onoff.ts'
import { sysfsNumber } from './sysfs-number.ts'

/** A floating pin changes thousands of times a second; nobody pays for that. */
const EDGES = { perSecond: 20, burst: 100 }

const configSchema = z.strictObject({
  driver: z.literal('gpio'),
  ...sensorFields,
  /** BCM number, as printed on pin-out charts behind "GPIO"; the header has 0 to 27. */
  pin: z.int().min(0).max(27),
  mode: z.enum(['level', 'edge']).default('edge'),
  /** Which changes mode `edge` says. */
  edge: z.enum(['rising', 'falling', 'both']).default('both'),
  /** Mode `edge`: a change counts once the pin has been stable for this long, milliseconds. */
  debounceMs: z.int().min(0).max(10_000).default(10),
  /** 1 when the pin is at ground, for buttons against ground. */
  activeLow: z.boolean().default(false),
  /** Mode `level`: seconds between two readings. */
  intervalSeconds,
  /** `/` is a plain number, such as a switch's 0 or 1. */
  unit: unitSchema.default('/'),
})

export const gpio: Driver<typeof configSchema> = {
  configSchema,
  create(config, surroundings) {
    const { pin: bcm, mode, debounceMs, activeLow, unit } = config
    const what = `GPIO ${bcm} of sensor ${config.name}`

    /** Calls into the library, whose errors are the kernel's. */
    function attempt<T>(action: string, call: () => T): T {
      try {
        return call()
      } catch (cause) {
        if (cause instanceof WorldError) throw cause
        throw new WorldError('sensor', `cannot ${action} ${what}: ${reason(cause)}; ${remedy(cause)}`, cause)
      }
    }

    return createSensor(unit, surroundings, async (emit, signal, ready) => {
      const Gpio = await surroundings.loadGpio()
      if (signal.aborted) return
      const number = sysfsNumber(bcm, surroundings.sysRoot)
      const options = { debounceTimeout: mode === 'edge' ? debounceMs : 0, activeLow }
      const pin: GpioPin = attempt(
        'open',
        () => new Gpio(number, 'in', mode === 'edge' ? config.edge : 'none', options),
      )
      const say = (value: number): void => emit({ value: { mantissa: value, exponent: 0 } })
      try {
        if (mode === 'level') {
          while (!signal.aborted) {
            say(attempt('read', () => pin.readSync()))
            ready()
            await surroundings.sleep(config.intervalSeconds * 1000, signal)
          }
          return
        }
        if (config.edge === 'both') say(attempt('read', () => pin.readSync()))
        await edges(pin, say, signal, ready)
      } finally {
        attempt('give back', () => pin.unexport())
      }
    })

    /** Says edges until aborted; rejects when watching fails or the pin floats. */
    function edges(
      pin: GpioPin,
      say: (value: number) => void,
      signal: AbortSignal,
      ready: () => void,
    ): Promise<void> {
      const bucket = new TokenBucket(EDGES, surroundings.nowMs())
      return new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => resolve(), { once: true })
        attempt('watch', () =>
          pin.watch((error, value) => {
            if (error) {
              reject(
                new WorldError('sensor', `cannot watch ${what}: ${error.message}; ${remedy(error)}`, error),
              )
            } else if (bucket.take(surroundings.nowMs())) say(value)
            else {
              const text = `${what} changes more than ${EDGES.perSecond} times a second; raise debounceMs, or connect a pull-up or pull-down resistor`
              reject(new WorldError('sensor', text))
            }
          }),
        )
        ready()
      })
    }
  },
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

function remedy(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EACCES' || code === 'EPERM') return 'add the user to the group gpio and log in again'
  if (code === 'EBUSY') return 'another program or a kernel overlay uses the pin, choose another or free it'
  if (code === 'EINVAL') return 'the kernel does not offer this pin as an input, choose another'
  return 'see that the pin is free and the user is in the group gpio'
}
