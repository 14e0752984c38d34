/**
 * Driver `host`: what the machine says of itself, from /proc and /sys (Linux).
 *
 * Loads and rates are means since the previous reading, so their first value comes after one interval.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { WorldError } from '../../node/error.ts'
import { type Decimal, toDecimal } from '../../schemas/units.ts'
import {
  createPolledSensor,
  type Driver,
  intervalSeconds,
  type Surroundings,
  sensorFields,
  type Unit,
} from '../driver.ts'
import {
  parseCpuTicks,
  parseDiskBytes,
  parseMemoryUsed,
  parseNetworkBytes,
  parseTemperature,
} from './kernel-counters.ts'

type Roots = Pick<Surroundings, 'procRoot' | 'sysRoot'>

/** Reads a growing counter and what it grows against, or a value that stands for itself. */
type Source =
  | { readonly unit: Unit; readonly places: number; readonly value: (roots: Roots) => Promise<number> }
  | { readonly unit: Unit; readonly places: number; readonly ratio: Ratio }

/** The value is `scale * (part - previous part) / (whole - previous whole)`. */
interface Ratio {
  readonly scale: number
  readonly read: (roots: Roots, nowMs: number) => Promise<{ readonly part: number; readonly whole: number }>
}

/** Bytes a second, from bytes since boot. */
const bytesPerSecond = (bytes: (roots: Roots) => Promise<number>): Source => ({
  unit: 'B/s',
  places: 0,
  ratio: { scale: 1000, read: async (roots, nowMs) => ({ part: await bytes(roots), whole: nowMs }) },
})

const disk = (direction: 'read' | 'written'): Source =>
  bytesPerSecond(async (roots) => {
    const devices = new Set(await disks(roots.sysRoot))
    return parseFile(join(roots.procRoot, 'diskstats'), (text) => parseDiskBytes(text, devices, direction))
  })

const network = (direction: 'received' | 'sent'): Source =>
  bytesPerSecond((roots) =>
    parseFile(join(roots.procRoot, 'net/dev'), (text) => parseNetworkBytes(text, direction)),
  )

const sources = {
  /** Percent of all cores. */
  'cpu-load': {
    unit: '%',
    places: 1,
    ratio: {
      scale: 100,
      read: async ({ procRoot }) => {
        const { idle, total } = await parseFile(join(procRoot, 'stat'), parseCpuTicks)
        return { part: total - idle, whole: total }
      },
    },
  },
  'memory-used': {
    unit: '%',
    places: 1,
    value: ({ procRoot }) => parseFile(join(procRoot, 'meminfo'), parseMemoryUsed),
  },
  /** The first thermal zone that can be read: on a Pi, the processor. */
  temperature: { unit: 'Cel', places: 1, value: ({ sysRoot }) => readTemperature(sysRoot) },
  'disk-read': disk('read'),
  'disk-written': disk('written'),
  'network-received': network('received'),
  'network-sent': network('sent'),
} as const satisfies Readonly<Record<string, Source>>

export type Quantity = keyof typeof sources
const quantities = Object.keys(sources) as [Quantity, ...Quantity[]]

const configSchema = z.strictObject({
  driver: z.literal('host'),
  ...sensorFields,
  quantity: z.enum(quantities),
  intervalSeconds,
})

export const host: Driver<typeof configSchema> = {
  configSchema,
  create(config, surroundings) {
    const source: Source = sources[config.quantity]
    return createPolledSensor(source.unit, config.intervalSeconds, surroundings, () =>
      reader(source, surroundings),
    )
  },
}

/** The quantities that can be read on this machine, in the order in which they are worth having. */
export async function offeredQuantities(surroundings: Surroundings): Promise<readonly Quantity[]> {
  const offered: Quantity[] = []
  for (const quantity of quantities) {
    try {
      await reader(sources[quantity], surroundings)()
      if (!quantity.startsWith('disk-') || (await disks(surroundings.sysRoot)).length > 0)
        offered.push(quantity)
    } catch (error) {
      // Not being there is the answer here.
      if (!(error instanceof WorldError)) throw error
    }
  }
  return offered
}

/** Reads values one after the other; undefined where a ratio has nothing to compare with yet. */
function reader(source: Source, surroundings: Surroundings): () => Promise<Decimal | undefined> {
  if ('value' in source) return async () => toDecimal(await source.value(surroundings), source.places)
  const { scale, read } = source.ratio
  let previous: { readonly part: number; readonly whole: number } | undefined
  return async () => {
    const current = await read(surroundings, surroundings.nowMs())
    const grown = previous && { part: current.part - previous.part, whole: current.whole - previous.whole }
    previous = current
    // A counter that fell has wrapped, or its device was taken out: begin again from here.
    if (grown === undefined || grown.part < 0 || grown.whole <= 0) return undefined
    return toDecimal((scale * grown.part) / grown.whole, source.places)
  }
}

async function parseFile<T>(path: string, parse: (text: string) => T): Promise<T> {
  try {
    return parse(await readFile(path, 'utf8'))
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const text = `cannot read ${path}: ${reason}; driver host needs Linux and this file, use driver script elsewhere`
    throw new WorldError('sensor', text, cause)
  }
}

/** Whole disks behind a real device: no partitions, loops or memory disks. None where /sys does not tell. */
async function disks(sysRoot: string): Promise<readonly string[]> {
  const directory = join(sysRoot, 'block')
  const real = async (entry: string): Promise<boolean> =>
    (await entries(join(directory, entry))).includes('device')
  const found = await entries(directory)
  const keep = await Promise.all(found.map(real))
  return found.filter((_, index) => keep[index])
}

async function readTemperature(sysRoot: string): Promise<number> {
  const directory = join(sysRoot, 'class/thermal')
  const zones = (await entries(directory))
    .filter((entry) => /^thermal_zone\d+$/.test(entry))
    .sort((a, b) => Number(a.slice(12)) - Number(b.slice(12)))
  let fault = new WorldError(
    'sensor',
    `no thermal zone in ${directory}; this machine has no thermometer, remove the sensor`,
  )
  for (const zone of zones) {
    try {
      return await parseFile(join(directory, zone, 'temp'), parseTemperature)
    } catch (error) {
      // Zones whose device sleeps answer EINVAL: the next may do.
      if (!(error instanceof WorldError)) throw error
      fault = error
    }
  }
  throw fault
}

/** Names in a directory; none when it is not there, which each caller has its own words for. */
async function entries(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch {
    return []
  }
}
