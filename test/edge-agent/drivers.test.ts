import t from 'tap'
import { offeredQuantities } from '../../edge-agent/drivers/host.ts'
import { drivers, openSensor, sensorConfig, thisMachine } from '../../edge-agent/drivers.ts'
import { createFakeMachine } from '../helpers/fake-machine.ts'

t.test('every driver is a choice of the configuration, under its own name, and opens', async (t) => {
  const examples = {
    host: { name: 'load', quantity: 'cpu-load' },
    gpio: { name: 'door', pin: 4 },
    'one-wire': { name: 'tank', id: '28-0316a2790aff' },
    iio: { name: 'air', device: 'bme280', channel: 'pressure' },
    file: { name: 'fan', path: '/sys/class/hwmon/hwmon0/fan1_input', unit: '1/min' },
    command: { name: 'mail', argv: ['count-mail'], unit: 'count' },
    script: { name: 'soil', file: 'soil.yaml', unit: '%RH' },
  }
  t.strictSame(Object.keys(examples), Object.keys(drivers))
  const machine = thisMachine(() => {})
  const units = Object.entries(examples).map(([driver, fields]) => {
    const config = sensorConfig.parse({ driver, ...fields })
    t.equal(config.driver, driver)
    return openSensor(config, machine).unit
  })
  t.strictSame(units, ['%', '/', 'Cel', 'Pa', '1/min', 'count', '%RH'])
  t.strictSame(sensorConfig.safeParse({ driver: 'magic', name: 'it' }).error?.issues[0]?.path, ['driver'])
})

t.test('what a sensor reports begins with its name', async (t) => {
  const machine = createFakeMachine(0)
  t.teardown(machine.remove)
  const sensor = openSensor(sensorConfig.parse({ driver: 'gpio', name: 'door', pin: 4 }), machine)
  await sensor.start(() => {})
  await sensor.stop()
  t.match(machine.reports, [/^sensor door: no way to the GPIO pins/])
})

t.test('this machine has sensors of its own, and they say something', async (t) => {
  const machine = thisMachine((error) => t.fail(error.message))
  const offered = await offeredQuantities(machine)
  if (process.platform === 'linux') t.ok(offered.includes('cpu-load') && offered.includes('memory-used'))
  if (!offered.includes('memory-used')) return
  const sensor = openSensor(
    sensorConfig.parse({ driver: 'host', name: 'memory', quantity: 'memory-used' }),
    machine,
  )
  const values: number[] = []
  await sensor.start(({ value }) => values.push(value.mantissa / 10))
  await sensor.stop()
  t.ok(values.length === 1 && values.every((value) => value > 0 && value < 100))
})
