/** onoff as drivers use it, which records how; its levels are what the test says. */
import type { GpioConstructor } from '../../edge-agent/gpio/onoff.ts'

export function createFakeOnoff() {
  const fake = {
    level: 0,
    /** Code of the system error that every call throws. */
    failing: undefined as string | undefined,
    opened: [] as unknown[][],
    released: [] as number[],
    written: [] as number[],
    watching: 0,
  }
  let callback: (error: Error | undefined, value: number) => void = () => {}
  const fail = (): void => {
    if (fake.failing !== undefined) throw Object.assign(new Error(fake.failing), { code: fake.failing })
  }
  const Gpio: GpioConstructor = class {
    readonly #number: number
    constructor(...args: ConstructorParameters<GpioConstructor>) {
      fail()
      fake.opened.push(args)
      this.#number = args[0]
    }
    readSync(): number {
      fail()
      return fake.level
    }
    writeSync(value: number): void {
      fail()
      fake.written.push(value)
    }
    watch(listener: typeof callback): void {
      fake.watching++
      callback = listener
    }
    unexport(): void {
      fake.released.push(this.#number)
    }
  }
  const change = (value: number, error?: Error): void => callback(error, value)
  return Object.assign(fake, { loadGpio: async () => Gpio, change })
}
