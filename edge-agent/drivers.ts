/** All drivers by name: the one place that a new driver is added to. */
import { z } from 'zod'
import { WorldError } from '../node/error.ts'
import type { Driver, Sensor, Surroundings } from './driver.ts'
import { command } from './drivers/command.ts'
import { file } from './drivers/file.ts'
import { gpio } from './drivers/gpio.ts'
import { host } from './drivers/host.ts'
import { iio } from './drivers/iio.ts'
import { oneWire } from './drivers/one-wire.ts'
import { script } from './drivers/script.ts'
import { thisGpio } from './gpio/access.ts'

export const drivers = {
  host,
  gpio,
  'one-wire': oneWire,
  iio,
  file,
  command,
  script,
} as const satisfies Readonly<Record<string, Driver<z.ZodType>>>

/** A sensor's part of the configuration; the field `driver` tells which one. */
export const sensorConfig = z.discriminatedUnion('driver', [
  host.configSchema,
  gpio.configSchema,
  oneWire.configSchema,
  iio.configSchema,
  file.configSchema,
  command.configSchema,
  script.configSchema,
])
export type SensorConfig = z.output<typeof sensorConfig>

/** The sensor that `config` describes, whose reports begin with its name; nothing is opened before its `start`. */
export function openSensor(config: SensorConfig, machine: Surroundings): Sensor {
  const report = ({ code, message, cause }: WorldError): void =>
    machine.report(new WorldError(code, `sensor ${config.name}: ${message}`, cause))
  const surroundings = { ...machine, report }
  switch (config.driver) {
    case 'host':
      return drivers.host.create(config, surroundings)
    case 'gpio':
      return drivers.gpio.create(config, surroundings)
    case 'one-wire':
      return drivers['one-wire'].create(config, surroundings)
    case 'iio':
      return drivers.iio.create(config, surroundings)
    case 'file':
      return drivers.file.create(config, surroundings)
    case 'command':
      return drivers.command.create(config, surroundings)
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
