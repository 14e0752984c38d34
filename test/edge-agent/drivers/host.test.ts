import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { host, offeredQuantities, type Quantity } from '../../../edge-agent/drivers/host.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine, type FakeMachine } from '../../helpers/fake-machine.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const cpu = (busy: number, idle: number): string => `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\n`
const disk = (name: string, sectors: number): string =>
  ` 179 0 ${name} 1 0 ${sectors} 1 1 0 ${sectors * 2} 1 0 0 0\n`
const net = (bytes: number): string => `  eth0: ${bytes} 5 0 0 0 0 0 0 ${bytes * 2} 5 0\n`

function fill(machine: FakeMachine): FakeMachine {
  machine.write('proc/stat', cpu(0, 0))
  machine.write('proc/meminfo', 'MemTotal: 1000 kB\nMemAvailable: 667 kB\n')
  machine.write('proc/diskstats', disk('mmcblk0', 0) + disk('mmcblk0p1', 9999) + disk('loop0', 9999))
  machine.write('proc/net/dev', net(0))
  machine.write('sys/block/mmcblk0/device/type', 'SD')
  machine.write('sys/block/loop0/size', '0')
  machine.write('sys/class/thermal/thermal_zone0/temp', '48312\n')
  return machine
}

/** The first values that a quantity says, read every 2 seconds. */
async function valuesOf(quantity: Quantity, machine: FakeMachine, count: number): Promise<readonly string[]> {
  const config = host.configSchema.parse({ driver: 'host', name: 'it', quantity, intervalSeconds: 2 })
  const sensor = host.create(config, machine)
  const values: string[] = []
  await sensor.start(({ value }) => values.push(`${formatDecimal(value)} ${sensor.unit}`))
  await waitUntil('values', () => values.length >= count)
  await sensor.stop()
  return values.slice(0, count)
}

t.test('processor load is the mean of all cores since the last reading', async (t) => {
  const steps = [cpu(25, 75), cpu(125, 75), cpu(126, 374)]
  const machine = fill(createFakeMachine(3, (n) => machine.write('proc/stat', steps[n - 1] ?? cpu(126, 374))))
  t.teardown(machine.remove)
  t.strictSame(await valuesOf('cpu-load', machine, 3), ['25.0 %', '100.0 %', '0.3 %'])
  t.strictSame(machine.sleeps.slice(0, 3), [2000, 2000, 2000])
})

t.test('memory and temperature are said at once', async (t) => {
  const machine = fill(createFakeMachine(0))
  t.teardown(machine.remove)
  t.strictSame(await valuesOf('memory-used', machine, 1), ['33.3 %'])
  t.strictSame(await valuesOf('temperature', machine, 1), ['48.3 Cel'])
})

t.test('disk and network are bytes a second, without partitions and loops', async (t) => {
  const machine = fill(
    createFakeMachine(2, (n) => {
      machine.write(
        'proc/diskstats',
        disk('mmcblk0', n * 10) + disk('mmcblk0p1', n * 77) + disk('loop0', n * 77),
      )
      machine.write('proc/net/dev', net(n * 500))
    }),
  )
  t.teardown(machine.remove)
  const rates: string[] = []
  for (const quantity of ['disk-read', 'disk-written', 'network-received', 'network-sent'] as const) {
    machine.sleeps.length = 0
    machine.write('proc/diskstats', disk('mmcblk0', 0))
    machine.write('proc/net/dev', net(0))
    rates.push(...(await valuesOf(quantity, machine, 1)))
  }
  t.strictSame(rates, ['2560 B/s', '5120 B/s', '250 B/s', '500 B/s'])
})

t.test('a counter that falls is skipped, not said as a negative or huge rate', async (t) => {
  const counts = [500, 100, 300]
  const machine = fill(createFakeMachine(3, (n) => machine.write('proc/net/dev', net(counts[n - 1] ?? 300))))
  t.teardown(machine.remove)
  t.strictSame(await valuesOf('network-received', machine, 2), ['250 B/s', '100 B/s'])
})

t.test('a thermal zone that cannot be read gives way to the next, by number', async (t) => {
  const machine = fill(createFakeMachine(0))
  t.teardown(machine.remove)
  rmSync(join(machine.sysRoot, 'class/thermal/thermal_zone0/temp'))
  machine.write('sys/class/thermal/thermal_zone10/temp', '10000')
  machine.write('sys/class/thermal/thermal_zone2/temp', '2000')
  t.strictSame(await valuesOf('temperature', machine, 1), ['2.0 Cel'])
})

t.test(
  'a file that goes missing is reported with its path and a remedy, and read again when it is back',
  async (t) => {
    const machine = fill(
      createFakeMachine(3, (n) => {
        if (n === 1) rmSync(join(machine.procRoot, 'meminfo'))
        if (n === 2) machine.write('proc/meminfo', 'MemTotal: 10 kB\nMemAvailable: 5 kB\n')
      }),
    )
    t.teardown(machine.remove)
    t.strictSame(await valuesOf('memory-used', machine, 2), ['33.3 %', '50.0 %'])
    t.equal(machine.reports.length, 1)
    t.match(machine.reports[0], /cannot read .*proc\/meminfo: ENOENT.*use driver script/)
  },
)

t.test('offered is what can be read, and nothing else', async (t) => {
  const machine = fill(createFakeMachine(0))
  t.teardown(machine.remove)
  const all = [
    'cpu-load',
    'memory-used',
    'temperature',
    'disk-read',
    'disk-written',
    'network-received',
    'network-sent',
  ]
  t.strictSame(await offeredQuantities(machine), all)
  rmSync(join(machine.sysRoot, 'class/thermal'), { recursive: true })
  rmSync(join(machine.sysRoot, 'block/mmcblk0'), { recursive: true })
  machine.write('proc/net/dev', '    lo: 1 2 3 4 5 6 7 8 9\n')
  t.strictSame(await offeredQuantities(machine), ['cpu-load', 'memory-used'])
  t.strictSame(await offeredQuantities({ ...machine, procRoot: '/nowhere', sysRoot: '/nowhere' }), [])
})

t.test('the configuration names the field that is wrong', async (t) => {
  const parse = (change: object) =>
    host.configSchema.safeParse({ driver: 'host', name: 'it', quantity: 'cpu-load', ...change })
  t.match(parse({}).data, { intervalSeconds: 5 })
  t.strictSame(parse({ quantity: 'luck' }).error?.issues[0]?.path, ['quantity'])
  t.strictSame(parse({ intervalSeconds: 0 }).error?.issues[0]?.path, ['intervalSeconds'])
  t.strictSame(parse({ name: 'Two Words' }).error?.issues[0]?.path, ['name'])
  t.match(parse({ unit: '%' }).error?.issues[0], { code: 'unrecognized_keys' })
})
