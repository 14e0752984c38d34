/** Which way to the pins is taken, and what is said where there is none. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAccess, probeGpio } from '../../../edge-agent/gpio/access.ts'
import { parseChips } from '../../../edge-agent/gpio/gpiod-tools.ts'
import { WorldError } from '../../../node/error.ts'
import { createFakePi } from '../../helpers/fake-gpiod.ts'
import { createFakeOnoff } from '../../helpers/fake-onoff.ts'

const RP1 = 'gpiochip0 [pinctrl-rp1] (54 lines)\n'

/** A Pi 5 with both ways. */
function createPi(t: Test, version = 'v2.2.1', chips = RP1) {
  const pi = createFakePi(version, chips)
  t.teardown(pi.remove)
  pi.write('sys/class/gpio/gpiochip571/base', '571')
  pi.write('sys/class/gpio/gpiochip571/label', 'pinctrl-rp1')
  pi.write('sys/class/gpio/gpiochip571/ngpio', '54')
  return { ...pi, loadGpio: createFakeOnoff().loadGpio }
}
const noLibrary = () => Promise.reject(new WorldError('sensor', 'onoff is not installed'))

t.test(
  'sysfs is taken where it is, the device where sysfs or its library is gone, and either when asked for',
  async (t) => {
    const pi = createPi(t)
    t.equal((await openAccess(pi)).kind, 'sysfs')
    t.equal((await openAccess(pi, 'gpiod')).kind, 'gpiod')
    t.equal((await openAccess(pi, 'auto', ['gpiod', 'sysfs'])).kind, 'gpiod')
    t.equal((await openAccess({ ...pi, loadGpio: noLibrary })).kind, 'gpiod')
    t.equal((await openAccess({ ...pi, sysRoot: '/nowhere' })).kind, 'gpiod')
    rmSync(join(pi.root, 'dev/gpiochip0'))
    t.equal((await openAccess(pi)).kind, 'sysfs')
    await t.rejects(openAccess(pi, 'gpiod'), { code: 'sensor', message: /^(?!.*sysfs).*gpiochip\*/ })
  },
)

t.test('where neither works the error says what each lacks', async (t) => {
  const pi = createPi(t)
  rmSync(join(pi.root, 'bin/gpiodetect'))
  const spawn: typeof pi.spawn = (command, args) => pi.spawn(`no-${command}`, args)
  await t.rejects(openAccess({ ...pi, spawn, loadGpio: noLibrary }), {
    code: 'sensor',
    message: /sysfs: onoff is not installed \| gpiod: .*ENOENT.*apt install gpiod/,
  })
})

t.test('tools of another version, chips without a header and refused chips are named', async (t) => {
  const unknown = createPi(t, 'v3.0')
  await t.rejects(openAccess(unknown, 'gpiod'), { message: /\(libgpiod\) v3\.0", expected version 1 or 2/ })
  const desktop = createPi(t, 'v1.6.3', 'gpiochip0 [INT34C6:00] (360 lines)\n')
  await t.rejects(openAccess(desktop, 'gpiod'), { message: /chips: INT34C6:00\); use another driver/ })
  const refused = createPi(t)
  refused.write('refuse', 'unable to open chip: Permission denied')
  await t.rejects(openAccess(refused, 'gpiod'), {
    message: /Permission denied; add the user to the group gpio/,
  })
})

t.test('the chips are read from the list, labels with spaces and brackets too', async (t) => {
  const listed = `gpiochip10 [a [b] c] (8 lines)\n${RP1}gpiodetect: trouble\n`
  t.strictSame(parseChips(listed), [
    { name: 'gpiochip10', label: 'a [b] c', lines: 8 },
    { name: 'gpiochip0', label: 'pinctrl-rp1', lines: 54 },
  ])
})

t.test('a probe shows the chips of both ways, what is taken, and what the other lacks', async (t) => {
  const pi = createPi(t)
  const chip = { base: 571, label: 'pinctrl-rp1', lines: 54 }
  const tools = { version: 2, chips: [{ name: 'gpiochip0', label: 'pinctrl-rp1', lines: 54 }] } as const
  t.strictSame(await probeGpio(pi), {
    sysfs: { chips: [chip] },
    gpiod: { devices: ['gpiochip0'], tools },
    chosen: 'sysfs',
  })
  const second = await probeGpio({ ...pi, loadGpio: noLibrary })
  t.match(second, { sysfs: { chips: [chip], fault: 'onoff is not installed' }, chosen: 'gpiod' })
  const none = await probeGpio({ ...pi, sysRoot: '/nowhere', devRoot: '/nowhere' })
  t.match(none, {
    sysfs: { chips: [], fault: /CONFIG_GPIO_SYSFS/ },
    gpiod: { devices: [], fault: /gpiochip/ },
  })
  t.notOk('chosen' in none || 'tools' in none.gpiod)
})
