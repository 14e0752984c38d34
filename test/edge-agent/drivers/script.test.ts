import { join } from 'node:path'
import t from 'tap'
import { readScript, script } from '../../../edge-agent/drivers/script.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine, type FakeMachine } from '../../helpers/fake-machine.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const machineWith = (t: { teardown(f: () => void): void }, text: string, sleepsMax = 100): FakeMachine => {
  const machine = createFakeMachine(sleepsMax)
  t.teardown(machine.remove)
  machine.write('script.yaml', text)
  return machine
}

/** Each value with the second of the fake clock at which it was said. */
async function play(machine: FakeMachine, count: number): Promise<readonly string[]> {
  const file = join(machine.root, 'script.yaml')
  const sensor = script.create(
    script.configSchema.parse({ driver: 'script', name: 'soil', file, unit: '%RH' }),
    machine,
  )
  const said: string[] = []
  const startMs = machine.nowMs()
  await sensor.start(({ value }) =>
    said.push(`${(machine.nowMs() - startMs) / 1000}: ${formatDecimal(value)}`),
  )
  await waitUntil('values', () => said.length >= count)
  await sensor.stop()
  return said.slice(0, count)
}

t.test('values come at their times, text with all its digits, then no more', async (t) => {
  const machine = machineWith(
    t,
    'steps:\n- { after: 0, value: 21.5 }\n- { after: 2.5, value: "21.70" }\n- { after: 1, value: -3 }',
  )
  t.strictSame(await play(machine, 3), ['0: 21.5', '2.5: 21.70', '3.5: -3'])
  t.strictSame(machine.sleeps, [0, 2500, 1000])
  t.strictSame(machine.reports, [])
})

t.test('a script that repeats begins again, in JSON as in YAML', async (t) => {
  const steps = [
    { after: 1, value: 1 },
    { after: 2, value: '12e3' },
  ]
  const machine = machineWith(t, JSON.stringify({ repeat: true, steps }))
  t.strictSame(await play(machine, 5), ['1: 1', '3: 12e3', '4: 1', '6: 12e3', '7: 1'])
})

t.test('errors name the file and the field', async (t) => {
  const faults: readonly (readonly [text: string, fault: RegExp])[] = [
    ['steps: [{ after: 0, value: 1 }, { after: -1, value: 1 }]', /script\.yaml: steps\[1\]\.after: /],
    ['steps: [{ after: 0, value: warm }]', /steps\[0\]\.value: expected a decimal/],
    ['steps: [{ after: 0, value: 1e-7 }]', /steps\[0\]\.value: expected a decimal/],
    ['steps: [{ after: 0, value: 1, unit: m }]', /steps\[0\]: .*unit/],
    ['steps: []', /steps: /],
    [
      'repeat: true\nsteps: [{ after: 0, value: 1 }]',
      /repeat: expected steps that take at least 0.1 seconds/,
    ],
    ['- { after: 0, value: 1 }', /script\.yaml: the file: /],
    ['steps: [', /script\.yaml: /],
    ['#'.repeat(2 ** 20 + 1), /1048577 bytes, expected at most 1048576/],
  ]
  for (const [text, message] of faults) {
    const machine = machineWith(t, text)
    await t.rejects(
      readScript(join(machine.root, 'script.yaml')),
      { code: 'sensor', message },
      text.slice(0, 60),
    )
  }
  await t.rejects(readScript('/nowhere.yaml'), { code: 'sensor', message: /nowhere\.yaml: ENOENT/ })
})

t.test('a script that is corrected is read again', async (t) => {
  const machine = createFakeMachine(2, () => machine.write('script.yaml', 'steps: [{ after: 0, value: 5 }]'))
  t.teardown(machine.remove)
  t.strictSame(await play(machine, 1), ['0.5: 5'])
  t.match(machine.reports, [/ENOENT/])
})
