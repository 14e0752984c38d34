/**
 * Which way to the header's lines: sysfs with onoff where the kernel has it and onoff is installed, else the character
 * device with the gpiod tools.
 *
 * sysfs comes first because it holds a line without a process, and keeps an output as it is when the agent dies.
 */
import { readdirSync } from 'node:fs'
import { WorldError } from '../../node/error.ts'
import { spawnProgram } from '../program.ts'
import { sleep } from '../sleep.ts'
import { gpiodAccess } from './gpiod.ts'
import { type GpiodTools, headerChip, readTools, reasonOf } from './gpiod-tools.ts'
import type { GpiodSurroundings } from './held-line.ts'
import type { GpioAccess } from './line.ts'
import { type GpioConstructor, loadOnoff } from './onoff.ts'
import { type SysfsSurroundings, sysfsAccess } from './sysfs.ts'
import { readSysfsChips, type SysfsChip, sysfsNumber } from './sysfs-number.ts'

/** What lines need of the machine. */
export interface GpioSurroundings extends SysfsSurroundings, GpiodSurroundings {
  /** `/dev`. */
  readonly devRoot: string
  /** The GPIO library for sysfs; rejects with a `WorldError` where there is none. */
  readonly loadGpio: () => Promise<GpioConstructor>
}

/** This machine. */
export const thisGpio: GpioSurroundings = {
  procRoot: '/proc',
  sysRoot: '/sys',
  devRoot: '/dev',
  nowMs: () => performance.now(),
  sleep,
  spawn: spawnProgram,
  loadGpio: loadOnoff,
}

export type AccessChoice = 'auto' | GpioAccess['kind']

/**
 * Resolves with the way that is wanted; for `auto` with the first of `order` that works. Rejects with a `WorldError` that
 * says what each lacks.
 */
export async function openAccess(
  surroundings: GpioSurroundings,
  choice: AccessChoice = 'auto',
  order: readonly GpioAccess['kind'][] = ['sysfs', 'gpiod'],
): Promise<GpioAccess> {
  const faults: string[] = []
  for (const way of choice === 'auto' ? order : [choice]) {
    try {
      return await open[way](surroundings)
    } catch (error) {
      if (!(error instanceof WorldError)) throw error
      faults.push(`${way}: ${error.message}`)
    }
  }
  throw new WorldError('sensor', `no way to the GPIO pins (${faults.join(' | ')})`)
}

const open = {
  async sysfs(surroundings: GpioSurroundings): Promise<GpioAccess> {
    sysfsNumber(0, surroundings.sysRoot)
    return sysfsAccess(await surroundings.loadGpio(), surroundings)
  },
  async gpiod(surroundings: GpioSurroundings): Promise<GpioAccess> {
    return gpiodAccess(await readGpiod(surroundings), surroundings)
  },
}

/** The tools, which see the header's chip. */
async function readGpiod(surroundings: GpioSurroundings): Promise<GpiodTools> {
  if (deviceNames(surroundings.devRoot).length === 0) {
    const text = `no ${surroundings.devRoot}/gpiochip*, the kernel offers no GPIO chip here; use another driver, and in a container pass the devices on`
    throw new WorldError('sensor', text)
  }
  const tools = await readTools(surroundings.spawn)
  headerChip(tools.chips, 0)
  return tools
}

function deviceNames(devRoot: string): readonly string[] {
  try {
    return readdirSync(devRoot).filter((name) => /^gpiochip\d+$/.test(name))
  } catch {
    // Without the directory there are no devices, which is what is asked.
    return []
  }
}

/** What `pinledger doctor` says about the pins. A way works where it has no `fault`. */
export interface GpioProbe {
  readonly sysfs: { readonly chips: readonly SysfsChip[]; readonly fault?: string }
  readonly gpiod: {
    /** File names in /dev. */
    readonly devices: readonly string[]
    /** As the tools see them; none where they are not installed. */
    readonly tools?: GpiodTools
    readonly fault?: string
  }
  /** What `auto` takes. */
  readonly chosen?: GpioAccess['kind']
}

/** Looks at both ways. Opens no line, and rejects for our own faults only. */
export async function probeGpio(surroundings = thisGpio): Promise<GpioProbe> {
  const { sysRoot, devRoot, spawn } = surroundings
  const [sysfs, gpiod] = await Promise.all([
    faultOf(open.sysfs(surroundings)),
    faultOf(open.gpiod(surroundings)),
  ])
  const chips = await settled(async () => readSysfsChips(sysRoot))
  const devices = deviceNames(devRoot)
  const tools = devices.length === 0 ? undefined : await settled(() => readTools(spawn))
  const chosen = sysfs === undefined ? 'sysfs' : gpiod === undefined ? 'gpiod' : undefined
  return {
    sysfs: { chips: chips ?? [], ...(sysfs !== undefined && { fault: sysfs }) },
    gpiod: { devices, ...(tools && { tools }), ...(gpiod !== undefined && { fault: gpiod }) },
    ...(chosen && { chosen }),
  }
}

const faultOf = (opening: Promise<GpioAccess>): Promise<string | undefined> =>
  opening.then(
    () => undefined,
    (error: unknown) => {
      if (!(error instanceof WorldError)) throw error
      return reasonOf(error)
    },
  )

/** What `look` finds, or undefined where the world fails it: `fault` has said why. */
async function settled<T>(look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof WorldError)) throw error
    return undefined
  }
}
