import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { oneWire } from '../../../edge-agent/drivers/one-wire.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'

const ID = '28-0316a2790aff'
/** As the kernel's documentation shows it. */
const slave = (bytes: string, crc: string, t: string): string =>
  `${bytes} : crc=${bytes.slice(-2)} ${crc}\n${bytes} t=${t}\n`
const WARM = '73 01 4b 46 7f ff 0d 10 41'

/** Value or report of one reading. */
async function read(t: Test, text: string | undefined, id = ID): Promise<string | undefined> {
  const machine = createFakeMachine(0)
  t.teardown(machine.remove)
  machine.write('sys/bus/w1/devices/w1_bus_master1/w1_master_slaves', '')
  machine.write('sys/bus/w1/devices/28-00000000abcd/w1_slave', slave(WARM, 'YES', '1'))
  if (text === undefined) rmSync(join(machine.sysRoot, 'bus/w1'), { recursive: true })
  else machine.write(`sys/bus/w1/devices/${ID}/w1_slave`, text)
  const config = oneWire.configSchema.parse({ driver: 'one-wire', name: 'tank', id })
  const sensor = oneWire.create(config, machine)
  const values: string[] = []
  await sensor.start(({ value }) => values.push(`${formatDecimal(value)} ${sensor.unit}`))
  await sensor.stop()
  return values[0] ?? machine.reports[0]
}

t.test('a temperature is thousandths of a degree, below zero too', async (t) => {
  t.equal(await read(t, slave(WARM, 'YES', '23187')), '23.187 Cel')
  t.equal(await read(t, slave('5e ff 4b 46 7f ff 02 10 a0', 'YES', '-10125')), '-10.125 Cel')
})

t.test('bytes with a wrong checksum, of a shorted bus and without a temperature are refused', async (t) => {
  t.match(
    await read(t, slave(WARM, 'NO', '23187')),
    /thermometer 28-0316a2790aff .*checksum is wrong; .*pull-up/,
  )
  t.match(await read(t, slave('00 00 00 00 00 00 00 00 00', 'YES', '0')), /sent no temperature/)
  t.match(await read(t, `${WARM} : crc=41 YES\n`), /sent no temperature/)
  t.match(await read(t, ''), /checksum/)
})

t.test('85 degrees of the power-on state are refused, 85.062 are a temperature', async (t) => {
  t.match(
    await read(t, slave('50 05 4b 46 7f ff 0c 10 1c', 'YES', '85000')),
    /says 85 degrees.*lost its supply/,
  )
  t.equal(await read(t, slave(WARM, 'YES', '85062')), '85.062 Cel')
})

t.test('a thermometer that is not there: those that are, or how the bus is switched on', async (t) => {
  const missing = await read(t, slave(WARM, 'YES', '1'), '28-ffffffffffff')
  t.match(missing, /no thermometer 28-ffffffffffff .*seen: 28-[0-9a-f]+, 28-[0-9a-f]+\); correct id/)
  t.match(await read(t, undefined), /no 1-Wire bus in .*"dtoverlay=w1-gpio" to config\.txt/)
})

t.test('the configuration takes names of thermometers only, so no path', async (t) => {
  for (const id of ['28-0316A2790AFF', '../28-0316a2790aff', '01-0316a2790aff', '28-0316a2790aff/..'])
    t.notOk(oneWire.configSchema.safeParse({ driver: 'one-wire', name: 'tank', id }).success, id)
})
