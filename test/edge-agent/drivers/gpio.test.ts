/** The driver over a stand-in for onoff; the ways to the pin have tests of their own. */
import t from 'tap'
import { gpio } from '../../../edge-agent/drivers/gpio.ts'
import { WorldError } from '../../../node/error.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'
import { createFakeOnoff } from '../../helpers/fake-onoff.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

/** A Pi 5 without the character device. */
function createPi(sleepsMax = 0, onSleep: (count: number) => void = () => {}) {
  const onoff = createFakeOnoff()
  const machine = createFakeMachine(sleepsMax, onSleep)
  machine.write('sys/class/gpio/gpiochip571/base', '571')
  machine.write('sys/class/gpio/gpiochip571/label', 'pinctrl-rp1')
  machine.write('sys/class/gpio/gpiochip571/ngpio', '54')
  return Object.assign(onoff, { machine, surroundings: { ...machine, loadGpio: onoff.loadGpio } })
}

const configOf = (fields: object) =>
  gpio.configSchema.parse({ driver: 'gpio', name: 'door', pin: 17, ...fields })

t.test(
  'edges are said as they come, after the level at the start, and stop gives the pin back',
  async (t) => {
    const pi = createPi()
    t.teardown(pi.machine.remove)
    pi.level = 1
    const sensor = gpio.create(configOf({ debounceMs: 0, activeLow: true }), pi.surroundings)
    const values: number[] = []
    await sensor.start(({ value }) => values.push(value.mantissa))
    t.strictSame(pi.opened, [[588, 'in', 'both', { activeLow: true }]])
    pi.change(0)
    pi.change(1)
    t.strictSame(values, [1, 0, 1])
    t.equal(sensor.unit, '/')
    await sensor.stop()
    t.strictSame(pi.released, [588])
  },
)

t.test('one kind of edge is said when asked for, and no level at the start', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const fields = { edge: 'rising', debounceMs: 0, unit: 'count' }
  const sensor = gpio.create(configOf(fields), pi.surroundings)
  const values: number[] = []
  await sensor.start(({ value }) => values.push(value.mantissa))
  pi.change(1)
  pi.change(0)
  t.strictSame(values, [1])
  t.equal(sensor.unit, 'count')
  await sensor.stop()
})

t.test('an edge is debounced by 10 ms where nothing else is said', async (t) => {
  const pi = createPi(1)
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({}), pi.surroundings)
  const values: number[] = []
  await sensor.start(({ value }) => values.push(value.mantissa))
  pi.change(1)
  t.strictSame(values, [0])
  await waitUntil('it counts', () => values.length === 2)
  t.strictSame(pi.machine.sleeps, [10])
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
  t.strictSame(pi.opened, [[588, 'in', 'none', { activeLow: false }]])
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
    t.match(pi.machine.reports[0], /cannot open GPIO 17: /)
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
    t.match(pi.machine.reports[0], /cannot watch GPIO 17: poll failed/)
    t.strictSame(pi.released, [588])
    await sensor.stop()
  },
)

t.test('a floating pin is cut off after its burst, with the remedy', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({ edge: 'falling', debounceMs: 0 }), pi.surroundings)
  let count = 0
  await sensor.start(() => count++)
  for (let edge = 0; edge < 10_000; edge++) pi.change(edge % 2)
  await waitUntil('reported', () => pi.machine.reports.length === 1)
  t.equal(count, 100)
  t.match(pi.machine.reports[0], /raise debounceMs, connect a pull-up/)
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

t.test(
  'pulses are said as a rate over an interval, also more of them than a floating pin may change',
  async (t) => {
    const pi = createPi(2, (count) => {
      if (count <= 2)
        for (let pulse = 0; pulse < count * 75; pulse++) for (const level of [1, 0]) pi.change(level)
    })
    t.teardown(pi.machine.remove)
    const fields = { mode: 'pulse', pulsesPerUnit: 150, unit: 'l/s', intervalSeconds: 10 }
    const sensor = gpio.create(configOf(fields), pi.surroundings)
    const values: string[] = []
    await sensor.start(({ value }) => values.push(formatDecimal(value)))
    t.strictSame(pi.opened, [[588, 'in', 'both', { activeLow: false }]])
    await waitUntil('two intervals', () => values.length === 2)
    await sensor.stop()
    t.strictSame(values, ['0.05000', '0.10000'])
    t.equal(sensor.unit, 'l/s')
    t.strictSame(pi.released, [588])
  },
)

t.test('pulses above what sysfs can count are an error, not a reading that is too low', async (t) => {
  const pi = createPi(1, () => {
    for (let pulse = 0; pulse < 42; pulse++) for (const level of [1, 0]) pi.change(level)
  })
  t.teardown(pi.machine.remove)
  const sensor = gpio.create(configOf({ mode: 'pulse', intervalSeconds: 2 }), pi.surroundings)
  await sensor.start(() => t.fail('said a reading'))
  await waitUntil('reported', () => pi.machine.reports.length === 1)
  t.match(pi.machine.reports[0], /21 pulses a second, more than the 20/)
  await sensor.stop()
})

t.test('an error while counting ends the interval too', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const waits: AbortSignal[] = []
  const sleep: typeof pi.machine.sleep = (ms, signal) => {
    waits.push(signal)
    return pi.machine.sleep(ms, signal)
  }
  const sensor = gpio.create(configOf({ mode: 'pulse' }), { ...pi.surroundings, sleep })
  await sensor.start(() => t.fail('said a reading'))
  pi.change(0, new Error('poll failed'))
  await waitUntil('reported', () => pi.machine.reports.length === 1)
  t.match(pi.machine.reports[0], /cannot watch GPIO 17: poll failed/)
  t.strictSame(pi.released, [588])
  t.equal(waits[0]?.aborted, true)
  await sensor.stop()
})

t.test('units are what is measured, where none is given', async (t) => {
  const { surroundings, machine } = createPi()
  t.teardown(machine.remove)
  const unit = (fields: object) => gpio.create(configOf(fields), surroundings).unit
  t.equal(unit({}), '/')
  t.equal(unit({ mode: 'pulse' }), '1/s')
  t.equal(unit({ mode: 'pulse', quantity: 'count' }), 'count')
  t.equal(unit({ mode: 'pulse', unit: 'l' }), 'l')
})

t.test('pulses are looked for on the character device first, edges in sysfs', async (t) => {
  const { surroundings, machine } = createPi()
  t.teardown(machine.remove)
  for (const mode of ['pulse', 'edge']) {
    const sensor = gpio.create(configOf({ mode }), { ...surroundings, sysRoot: '/nowhere' })
    await sensor.start(() => {})
    await sensor.stop()
  }
  t.match(machine.reports, [/\(gpiod: .* \| sysfs: /, /\(sysfs: .* \| gpiod: /])
})

t.test('a resistor is asked of the character device, and the way that is asked for is kept', async (t) => {
  const pi = createPi()
  t.teardown(pi.machine.remove)
  const sensors = [{ bias: 'pull-up' }, { access: 'gpiod' }, { access: 'sysfs', bias: 'pull-up' }]
  for (const fields of sensors) {
    const sensor = gpio.create(configOf(fields), pi.surroundings)
    await sensor.start(() => {})
    await sensor.stop()
  }
  t.match(pi.machine.reports, [
    /^no way to the GPIO pins \(gpiod: no /,
    /^no way to the GPIO pins \(gpiod: no /,
    /sysfs cannot set the resistor of GPIO 17/,
  ])
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
