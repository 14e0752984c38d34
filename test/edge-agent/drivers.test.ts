import t from 'tap'
import { offeredQuantities } from '../../edge-agent/drivers/host.ts'
import { drivers, openSensor, sensorConfig, thisMachine } from '../../edge-agent/drivers.ts'

t.test('every driver is a choice of the configuration, under its own name, and opens', async (t) => {
  const examples = {
    host: { name: 'load', quantity: 'cpu-load' },
    gpio: { name: 'door', pin: 4 },
    script: { name: 'soil', file: 'soil.yaml', unit: '%RH' },
  }
  t.strictSame(Object.keys(examples), Object.keys(drivers))
  const machine = thisMachine(() => {})
  const units = Object.entries(examples).map(([driver, fields]) => {
    const config = sensorConfig.parse({ driver, ...fields })
    t.equal(config.driver, driver)
    return openSensor(config, machine).unit
  })
  t.strictSame(units, ['%', '/', '%RH'])
  t.strictSame(sensorConfig.safeParse({ driver: 'magic', name: 'it' }).error?.issues[0]?.path, ['driver'])
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
