import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { iio } from '../../../edge-agent/drivers/iio.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine, type FakeMachine } from '../../helpers/fake-machine.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const DEVICES = 'sys/bus/iio/devices'

function createMachine(t: Test, sleepsMax = 0, onSleep?: (count: number) => void): FakeMachine {
  const machine = createFakeMachine(sleepsMax, onSleep)
  t.teardown(machine.remove)
  const write = (path: string, text: string) => machine.write(`${DEVICES}/${path}`, text)
  write('iio:device0/name', 'bme280\n')
  write('iio:device0/in_temp_input', '23187\n')
  write('iio:device0/in_humidityrelative_input', '41234\n')
  write('iio:device0/in_pressure_input', '99.331257812\n')
  write('iio:device1/name', 'dht11@4\n')
  write('iio:device1/in_temp_input', '21000\n')
  write('iio:device2/name', 'mcp3008\n')
  write('iio:device2/in_voltage0_raw', '512\n')
  write('iio:device2/in_voltage1_raw', '100\n')
  write('iio:device2/in_voltage1_offset', '-20\n')
  write('iio:device2/in_voltage1_scale', '2\n')
  write('iio:device2/in_voltage_scale', '3.222656250\n')
  write('trigger0/name', 'bme280\n')
  return machine
}

/** Value or first report. */
async function read(machine: FakeMachine, device: string, channel: string): Promise<string | undefined> {
  const sensor = iio.create(iio.configSchema.parse({ driver: 'iio', name: 'it', device, channel }), machine)
  const values: string[] = []
  const reported = machine.reports.length
  await sensor.start(({ value }) => values.push(`${formatDecimal(value)} ${sensor.unit}`))
  await waitUntil('said', () => values.length + machine.reports.length > reported)
  await sensor.stop()
  return values[0] ?? machine.reports.at(-1)
}

t.test('channels come in our units', async (t) => {
  const machine = createMachine(t)
  t.equal(await read(machine, 'bme280', 'temp'), '23.187 Cel')
  t.equal(await read(machine, 'bme280', 'humidityrelative'), '41.234 %RH')
  t.equal(await read(machine, 'bme280', 'pressure'), '99331.3 Pa')
})

t.test('raw channels are moved and scaled, by their own numbers before shared ones', async (t) => {
  const machine = createMachine(t)
  t.equal(await read(machine, 'mcp3008', 'voltage0'), '1.650000 V')
  t.equal(await read(machine, 'mcp3008', 'voltage1'), '0.160000 V')
})

t.test('a device is known by its name, with and without its place, or its directory', async (t) => {
  const machine = createMachine(t)
  for (const device of ['dht11', 'dht11@4', 'iio:device1'])
    t.equal(await read(machine, device, 'temp'), '21.000 Cel', device)
  machine.write(`${DEVICES}/iio:device3/name`, 'dht11@17\n')
  t.match(await read(machine, 'dht11', 'temp'), /several .*dht11@4 \(iio:device1\).*device: iio:device0/)
  t.equal(await read(machine, 'dht11@4', 'temp'), '21.000 Cel')
})

t.test('what is missing is said with what is there and the line that adds it', async (t) => {
  const machine = createMachine(t)
  t.match(
    await read(machine, 'bmp180', 'temp'),
    /no IIO device bmp180 \(seen: bme280 \(iio:device0\).*config\.txt.*dtoverlay=dht11,gpiopin=4/,
  )
  t.match(await read(machine, 'bme280', 'illuminance'), /no such channel; it has .*: .*temp/)
  machine.write(`${DEVICES}/iio:device0/in_temp_input`, 'hot\n')
  t.match(await read(machine, 'bme280', 'temp'), /in_temp_input holds "hot"; check its wires/)
  rmSync(join(machine.sysRoot, 'bus/iio'), { recursive: true })
  t.match(await read(machine, 'bme280', 'temp'), /\(seen: none\)/)
})

/** Makes reads fail with EIO, as address 0 of every process does. */
function fail(machine: FakeMachine): string {
  const path = join(machine.root, DEVICES, 'iio:device1/in_temp_input')
  rmSync(path)
  symlinkSync('/proc/self/mem', path)
  return path
}

t.test('a reading that a DHT misses is tried again quietly, after two seconds', async (t) => {
  const machine = createMachine(t, 2, (count) => {
    if (count !== 2) return
    rmSync(path)
    machine.write(`${DEVICES}/iio:device1/in_temp_input`, '22000')
  })
  const path = fail(machine)
  t.equal(await read(machine, 'dht11', 'temp'), '22.000 Cel')
  t.strictSame(machine.sleeps.slice(0, 2), [2000, 2000])
  t.strictSame(machine.reports, [])
})

t.test('the fourth in a row is a fault', async (t) => {
  const machine = createMachine(t, 3)
  fail(machine)
  t.match(
    await read(machine, 'dht11', 'temp'),
    /cannot read temp of IIO device dht11: EIO.*; check its wires/,
  )
  t.strictSame(machine.sleeps.slice(0, 3), [2000, 2000, 2000])
})

t.test('the configuration takes channels whose unit is known', async (t) => {
  const parse = (channel: string) =>
    iio.configSchema.safeParse({ driver: 'iio', name: 'it', device: 'x', channel })
  for (const channel of ['temp', 'voltage3', 'accel_x']) t.ok(parse(channel).success, channel)
  for (const channel of ['in_temp_input', '../temp', 'steps', 'constructor', 'Temp'])
    t.notOk(parse(channel).success, channel)
  t.match(parse('steps').error?.issues[0]?.message, /known: temp, humidityrelative/)
})
