import t from 'tap'
import { gpio } from '../../../edge-agent/drivers/gpio.ts'
import type { GpioConstructor } from '../../../edge-agent/drivers/onoff.ts'
import { WorldError } from '../../../node/error.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

/** A Pi 5 whose GPIO library records how it is used. */
function createPi(sleepsMax = 0) {
  const opened: unknown[][] = []
  const released: number[] = []
  const pi = { level: 0, failing: undefined as string | undefined, opened, released, watching: 0 }
  let callback: (error: Error | undefined, value: number) => void = () => {}
  const fail = (): void => {
    if (pi.failing !== undefined) throw Object.assign(new Error(pi.failing), { code: pi.failing })
  }
  const Gpio: GpioConstructor = class {
    readonly #number: number
    constructor(...args: ConstructorParameters<GpioConstructor>) {
      fail()
      opened.push(args)
      this.#number = args[0]
    }
    readSync(): number {
      fail()
      return pi.level
    }
    watch(listener: typeof callback): void {
      pi.watching++
      callback = listener
    }
    unexport(): void {
      released.push(this.#number)
    }
  }
  const machine = createFakeMachine(sleepsMax)
  machine.write('sys/class/gpio/gpiochip571/base', '571')
  machine.write('sys/class/gpio/gpiochip571/label', 'pinctrl-rp1')
  machine.write('sys/class/gpio/gpiochip571/ngpio', '54')
  const change = (value: number, error?: Error): void => callback(error, value)
  return Object.assign(pi, { machine, surroundings: { ...machine, loadGpio: async () => Gpio }, change })
}

const configOf = (fields: object) =>
  gpio.configSchema.parse({ driver: 'gpio', name: 'door', pin: 17, ...fields })

t.test(
  'edges are said as they come, after the level at the start, and stop gives the pin back',
  async (t) => {
    const pi = createPi()
    t.teardown(pi.machine.remove)
    pi.level = 1
    const sensor = gpio.create(configOf({ debounceMs: 25, activeLow: true }), pi.surroundings)
    const values: number[] = []
    await sensor.start(({ value }) => values.push(value.mantissa))
    t.strictSame(pi.opened, [[588, 'in', 'both', { debounceTimeout: 25, activeLow: true }]])
    pi.change(0)
    pi.change(1)
    t.strictSame(values, [1, 0, 1])
    t.equal(sensor.unit, '/')
    await sensor.stop()
    t.strictSame(pi.released, [588])
  },
)

t.test('one kind of edge is asked of the kernel, and no level is said at the start', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({ edge: 'rising', unit: 'count' }), pi.surroundings)
  const values: number[] = []
  await sensor.start(({ value }) => values.push(value.mantissa))
  t.match(pi.opened, [[588, 'in', 'rising', { debounceTimeout: 10, activeLow: false }]])
  pi.change(1)
  t.strictSame(values, [1])
  t.equal(sensor.unit, 'count')
  await sensor.stop()
})

t.test('level is read at the interval, without edges or debouncing', async (t) => {
  const pi = createPi(3)
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({ mode: 'level', intervalSeconds: 0.5 }), pi.surroundings)
  const values: number[] = []
  await sensor.start(({ value }) => {
    values.push(value.mantissa)
    pi.level = 1 - pi.level
  })
  await waitUntil('four readings', () => values.length === 4)
  await sensor.stop()
  t.strictSame(values, [0, 1, 0, 1])
  t.strictSame(pi.machine.sleeps, [500, 500, 500, 500])
  t.strictSame(pi.opened, [[588, 'in', 'none', { debounceTimeout: 0, activeLow: false }]])
})

t.test('what the kernel refuses is reported with the pin and a remedy, and tried again', async (t) => {
  const remedies = {
    EACCES: /group gpio and log in/,
    EBUSY: /another program/,
    EINVAL: /does not offer/,
    EIO: /see that/,
  }
  for (const [code, remedy] of Object.entries(remedies)) {
    const pi = createPi(1)
    t.teardown(pi.machine.remove)
    pi.failing = code
    const sensor = gpio.create(configOf({}), pi.surroundings)
    await sensor.start(() => {})
    t.match(pi.machine.reports[0], remedy)
    t.match(pi.machine.reports[0], /cannot open GPIO 17 of sensor door/)
    pi.failing = undefined
    await waitUntil('watching', () => pi.watching === 1)
    await sensor.stop()
  }
})

t.test(
  'a read that fails and an error while watching give the pin back before the next attempt',
  async (t) => {
    const pi = createPi()
    t.teardown(pi.machine.remove)
    const sensor = gpio.create(configOf({}), pi.surroundings)
    await sensor.start(() => {})
    pi.change(0, new Error('poll failed'))
    await waitUntil('reported', () => pi.machine.reports.length === 1)
    t.match(pi.machine.reports[0], /cannot watch GPIO 17 .*poll failed/)
    t.strictSame(pi.released, [588])
    await sensor.stop()
  },
)

t.test('a floating pin is cut off after its burst, with the remedy', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({ edge: 'falling' }), pi.surroundings)
  let count = 0
  await sensor.start(() => count++)
  for (let edge = 0; edge < 5000; edge++) pi.change(edge % 2)
  await waitUntil('reported', () => pi.machine.reports.length === 1)
  t.equal(count, 100)
  t.match(pi.machine.reports[0], /raise debounceMs, or connect a pull-up/)
  t.strictSame(pi.released, [588])
  await sensor.stop()
})

t.test('without the library or the chip the sensor says so and nothing is opened', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const loadGpio = () => Promise.reject(new WorldError('sensor', 'no library'))
  const sensors = [
    gpio.create(configOf({}), { ...pi.surroundings, loadGpio }),
    gpio.create(configOf({}), { ...pi.surroundings, sysRoot: '/nowhere' }),
  ]
  for (const sensor of sensors) {
    await sensor.start(() => {})
    await sensor.stop()
  }
  t.match(pi.machine.reports, [/no library/, /CONFIG_GPIO_SYSFS/])
  t.strictSame(pi.opened, [])
})

t.test('a stop while the library loads opens nothing', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({}), pi.surroundings)
  const started = sensor.start(() => {})
  await sensor.stop()
  await started
  t.strictSame(pi.opened, [])
})

t.test('the configuration takes BCM numbers 0 to 27 and registered units', async (t) => {
  const path = (change: object) =>
    gpio.configSchema.safeParse({ driver: 'gpio', name: 'door', pin: 4, ...change }).error?.issues[0]?.path
  t.equal(path({ unit: 'lx' }), undefined)
  t.strictSame(path({ pin: 28 }), ['pin'])
  t.strictSame(path({ pin: 2.5 }), ['pin'])
  t.strictSame(path({ unit: 'boolean' }), ['unit'])
  t.strictSame(path({ debounceMs: -1 }), ['debounceMs'])
})
