import { join } from 'node:path'
import t, { type Test } from 'tap'
import { file } from '../../../edge-agent/drivers/file.ts'
import { findNumber } from '../../../edge-agent/drivers/number.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

/** What a file is said to hold: values, then reports. */
async function read(t: Test, text: string | undefined, fields: object = {}, sleepsMax = 0, next = text) {
  const machine = createFakeMachine(sleepsMax, () => machine.write('value', next ?? ''))
  t.teardown(machine.remove)
  if (text !== undefined) machine.write('value', text)
  const path = join(machine.root, 'value')
  const config = { driver: 'file', name: 'it', path, unit: 'V', intervalSeconds: 2, ...fields }
  const sensor = file.create(file.configSchema.parse(config), machine)
  const values: string[] = []
  await sensor.start(({ value }) => values.push(`${formatDecimal(value)} ${sensor.unit}`))
  await waitUntil('read', () => values.length + machine.reports.length > sleepsMax)
  await sensor.stop()
  return { values, reports: machine.reports, sleeps: machine.sleeps }
}

t.test('a file is read at the interval, with its digits or scaled', async (t) => {
  t.match(await read(t, '21.50\n', {}, 1, '-3'), { values: ['21.50 V', '-3 V'], sleeps: [2000, 2000] })
  t.match(await read(t, '23187\n', { scale: 0.001 }), { values: ['23.187 V'] })
  t.match(await read(t, 'a: 1\nVm: 230.4 V\n', { pattern: '^Vm: ([0-9.]+)' }), { values: ['230.4 V'] })
})

t.test('what cannot be read is reported with the path and what was there, and read again', async (t) => {
  const missing = await read(t, undefined, {}, 1, '7')
  t.match(missing, { values: ['7 V'], reports: [/cannot read a number from .*value: ENOENT/] })
  t.match(await read(t, 'warm'), { reports: [/expected a number, found "warm"; correct path or pattern/] })
  t.match(await read(t, 'a 1', { pattern: 'b (.*)' }), { reports: [/nothing matches b \(\.\*\) in "a 1"/] })
  t.match(await read(t, '1'.repeat(65_537)), { reports: [/more than 65536 bytes/] })
})

t.test('numbers: notations, few digits after scaling, and what is none', async (t) => {
  const found = (text: string, scale = 1) => formatDecimal(findNumber(text, { scale }))
  t.equal(found(' 1e-3\n'), '0.001')
  t.equal(found('+5.'), '5')
  t.equal(found('.5'), '0.5')
  t.equal(found('-0'), '0')
  t.equal(found('3', 0.1), '0.3')
  t.equal(found('2', -1), '-2')
  t.equal(found('1', 1 / 3), '0.333333333333')
  t.equal(found('123456', 1 / 3), '41152')
  t.equal(found('100', 1 / 3), '33.3333333333')
  for (const text of ['', 'NaN', 'Infinity', '0x10', '1 2', '1,5', '12V'])
    t.throws(() => found(text), /expected a number/)
  t.throws(() => found('9e15', 10), /too large/)
})

t.test('the configuration refuses what is no pattern, a scale of nothing and a long pattern', async (t) => {
  const path = (fields: object) =>
    file.configSchema.safeParse({ driver: 'file', name: 'it', path: '/x', unit: 'V', ...fields }).error
      ?.issues[0]?.path[0]
  t.equal(path({ pattern: '(' }), 'pattern')
  t.equal(path({ pattern: 'x'.repeat(201) }), 'pattern')
  t.equal(path({ scale: 0 }), 'scale')
  t.equal(path({ unit: 'Volt' }), 'unit')
  t.equal(path({}), undefined)
})
