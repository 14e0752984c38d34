/** All drivers by name: the one place that a new driver is added to. */
import { z } from 'zod'
import type { WorldError } from '../node/error.ts'
import type { Driver, Sensor, Surroundings } from './driver.ts'
import { gpio } from './drivers/gpio.ts'
import { host } from './drivers/host.ts'
import { script } from './drivers/script.ts'
import { thisGpio } from './gpio/access.ts'

export const drivers = { host, gpio, script } as const satisfies Readonly<Record<string, Driver<z.ZodType>>>

/** A sensor's part of the configuration; the field `driver` tells which one. */
export const sensorConfig = z.discriminatedUnion('driver', [
  host.configSchema,
  gpio.configSchema,
  script.configSchema,
])
export type SensorConfig = z.output<typeof sensorConfig>

/** The sensor that `config` describes; nothing is opened before its `start`. */
export function openSensor(config: SensorConfig, surroundings: Surroundings): Sensor {
  switch (config.driver) {
    case 'host':
      return drivers.host.create(config, surroundings)
    case 'gpio':
      return drivers.gpio.create(config, surroundings)
    case 'script':
      return drivers.script.create(config, surroundings)
  }
}

/** This machine. */
export const thisMachine = (report: (error: WorldError) => void): Surroundings => ({
  ...thisGpio,
  random: Math.random,
  report,
})
