/** The one file that loads onoff, the GPIO library: an optional dependency, because its native part needs Linux. */
import { WorldError } from '../../node/error.ts'

/** What we use of onoff's `Gpio`, so that a stand-in can take its place. */
export interface GpioPin {
  /** 0 or 1; throws a system error. */
  readSync(): number
  /** Throws a system error. */
  writeSync(value: 0 | 1): void
  /** `callback` is called for each edge that the pin was opened for. */
  watch(callback: (error: Error | null | undefined, value: number) => void): void
  /** Stops watching and gives the pin back. */
  unexport(): void
}

/**
 * `number` is the kernel's (sysfs), not the BCM number. `high` and `low` make it an output at that voltage, whatever
 * `activeLow` is. Opens the pin, and throws a system error.
 */
export type GpioConstructor = new (
  number: number,
  direction: 'in' | 'high' | 'low',
  edge: 'none' | 'both',
  options: { readonly activeLow: boolean },
) => GpioPin

/** onoff's constructor; rejects with a `WorldError` when it is not installed here. */
export async function loadOnoff(): Promise<GpioConstructor> {
  // Not a literal, so that the project builds on machines where this optional package is absent.
  const onoff: string = 'onoff'
  try {
    const module = (await import(onoff)) as { readonly Gpio: GpioConstructor }
    return module.Gpio
  } catch (cause) {
    throw new WorldError(
      'sensor',
      'the GPIO library onoff is not installed; run "npm install onoff" on the Raspberry Pi, which needs a C++ compiler',
      cause,
    )
  }
}
