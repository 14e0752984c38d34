import t, { type Test } from 'tap'
import { openAccess } from '../../../edge-agent/gpio/access.ts'
import type { InputOptions } from '../../../edge-agent/gpio/line.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'
import { createFakeOnoff } from '../../helpers/fake-onoff.ts'

const INPUT: InputOptions = { edge: 'both', debounceMs: 0, activeLow: false, bias: 'as-is' }

/** A Pi 5. */
async function open(t: Test) {
  const machine = createFakeMachine(0)
  t.teardown(machine.remove)
  machine.write('sys/class/gpio/gpiochip571/base', '571')
  machine.write('sys/class/gpio/gpiochip571/label', 'pinctrl-rp1')
  machine.write('sys/class/gpio/gpiochip571/ngpio', '54')
  const onoff = createFakeOnoff()
  const access = await openAccess({ ...machine, loadGpio: onoff.loadGpio })
  t.equal(access.kind, 'sysfs')
  return { onoff, access }
}

t.test(
  'an input is opened by the number of the kernel for both edges, whichever is wanted, and given back',
  async (t) => {
    const { onoff, access } = await open(t)
    const line = await access.openInput(17, { ...INPUT, edge: 'rising', activeLow: true })
    t.strictSame(onoff.opened, [[588, 'in', 'both', { activeLow: true }]])
    const heard: number[] = []
    line.watch((level) => heard.push(level), t.fail)
    onoff.change(1)
    onoff.change(0)
    // The pulse was over before its level was read.
    onoff.change(0)
    t.strictSame(heard, [1, 1])
    await line.close()
    await line.close()
    t.strictSame(onoff.released, [588])
    onoff.change(1)
    t.strictSame(heard, [1, 1])
  },
)

t.test('an input that is only read asks for no edges', async (t) => {
  const { onoff, access } = await open(t)
  const line = await access.openInput(4, { ...INPUT, edge: 'none' })
  t.strictSame(onoff.opened, [[575, 'in', 'none', { activeLow: false }]])
  onoff.level = 1
  t.equal(await line.read(), 1)
  onoff.failing = 'EIO'
  await t.rejects(line.read(), { message: /cannot read GPIO 4: EIO/ })
})

t.test('the resistor is out of reach of sysfs, and the error says what to do instead', async (t) => {
  const { onoff, access } = await open(t)
  await t.rejects(access.openInput(17, { ...INPUT, bias: 'pull-up' }), {
    code: 'sensor',
    message: /resistor of GPIO 17 .*gpio=17=pu.*config\.txt.*apt install gpiod/,
  })
  t.strictSame(onoff.opened, [])
})

t.test('an error while watching is said once, and nothing comes after it', async (t) => {
  const { onoff, access } = await open(t)
  const line = await access.openInput(17, INPUT)
  const errors: Error[] = []
  line.watch(
    () => t.fail('a change'),
    (error) => errors.push(error),
  )
  onoff.change(0, new Error('poll failed'))
  onoff.change(1, new Error('again'))
  onoff.change(1)
  t.match(errors, [{ code: 'sensor', message: /cannot watch GPIO 17: poll failed/ }])
  t.equal(errors.length, 1)
  await line.close()
  t.strictSame(onoff.released, [588])
})

t.test('what the kernel refuses is said with the pin and a remedy', async (t) => {
  const { onoff, access } = await open(t)
  const remedies = {
    EACCES: /cannot open GPIO 17: EACCES; .*group gpio and log in/,
    EPERM: /group gpio/,
    EBUSY: /another program/,
    EINVAL: /does not offer/,
    EIO: /see that/,
  }
  for (const [code, message] of Object.entries(remedies)) {
    onoff.failing = code
    await t.rejects(access.openInput(17, INPUT), { code: 'sensor', message })
    await t.rejects(access.openOutput(17, { activeLow: false, initial: 0 }), { code: 'sensor', message })
  }
})

t.test('an output begins at its level in one step, and stays exported when it is closed', async (t) => {
  const { onoff, access } = await open(t)
  for (const activeLow of [false, true]) {
    for (const initial of [0, 1] as const) await access.openOutput(4, { activeLow, initial })
  }
  t.strictSame(
    onoff.opened.map(([, direction]) => direction),
    ['low', 'high', 'high', 'low'],
    'the voltage, where a line that is active low has 1 at ground',
  )
  t.strictSame(onoff.opened[3], [575, 'low', 'none', { activeLow: true }])
  const line = await access.openOutput(4, { activeLow: true, initial: 0 })
  await line.set(1)
  t.strictSame(onoff.written, [1])
  await line.close()
  t.strictSame(onoff.released, [])
  onoff.failing = 'EIO'
  await t.rejects(line.set(0), { code: 'sensor', message: /cannot set GPIO 4: EIO/ })
})
