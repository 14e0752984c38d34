import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sysfsNumber } from '../../../edge-agent/gpio/sysfs-number.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'

/** A /sys with GPIO chips, each as base, label, number of lines. */
function sysWith(
  t: { teardown(f: () => void): void },
  ...chips: readonly (readonly [number, string, number])[]
) {
  const machine = createFakeMachine(0)
  t.teardown(machine.remove)
  machine.write('sys/class/gpio/export', '')
  for (const [base, label, lines] of chips) {
    machine.write(`sys/class/gpio/gpiochip${base}/base`, `${base}\n`)
    machine.write(`sys/class/gpio/gpiochip${base}/label`, `${label}\n`)
    machine.write(`sys/class/gpio/gpiochip${base}/ngpio`, `${lines}\n`)
  }
  return machine.sysRoot
}

t.test('before Linux 6.6 the base is 0', async (t) => {
  const sys = sysWith(t, [0, 'pinctrl-bcm2835', 54], [504, 'raspberrypi-exp-gpio', 8])
  t.equal(sysfsNumber(17, sys), 17)
})

t.test('on a Pi 4 since Linux 6.6 it is 512', async (t) => {
  const sys = sysWith(t, [512, 'pinctrl-bcm2711', 58], [570, 'raspberrypi-exp-gpio', 8])
  t.equal(sysfsNumber(0, sys), 512)
  t.equal(sysfsNumber(27, sys), 539)
})

t.test('on a Pi 3 the expander, wherever it comes, is not taken for the header', async (t) => {
  const first = sysWith(t, [504, 'raspberrypi-exp-gpio', 8], [512, 'pinctrl-bcm2837', 54])
  t.equal(sysfsNumber(4, first), 516)
  const last = sysWith(t, [512, 'pinctrl-bcm2835', 54], [566, 'raspberrypi-exp-gpio', 8])
  t.equal(sysfsNumber(4, last), 516)
})

t.test('on a Pi 5 it is the RP1 among five chips', async (t) => {
  const sys = sysWith(
    t,
    [512, 'gpio-brcmstb@107d508500', 32],
    [544, 'gpio-brcmstb@107d508520', 4],
    [548, 'gpio-brcmstb@107d517c00', 17],
    [565, 'gpio-brcmstb@107d517c20', 6],
    [571, 'pinctrl-rp1', 54],
  )
  t.equal(sysfsNumber(17, sys), 588)
})

t.test('a pin that the chip does not have is refused with its range', async (t) => {
  const sys = sysWith(t, [571, 'pinctrl-rp1', 54])
  t.equal(sysfsNumber(53, sys), 624)
  t.throws(() => sysfsNumber(54, sys), {
    code: 'sensor',
    message: /pins 0 to 53, not 54; use the BCM number/,
  })
})

t.test('a machine without a header says which chips it has and what to do', async (t) => {
  const other = sysWith(t, [512, 'INT34C6:00', 360])
  t.throws(() => sysfsNumber(4, other), {
    code: 'sensor',
    message: /chips: INT34C6:00\); use another driver/,
  })
  t.throws(() => sysfsNumber(4, sysWith(t)), { code: 'sensor', message: /chips: none\)/ })
})

t.test('a kernel without sysfs GPIO and an incomplete chip are errors of the world', async (t) => {
  const sys = sysWith(t, [0, 'pinctrl-bcm2835', 54])
  rmSync(join(sys, 'class/gpio/gpiochip0/ngpio'))
  t.throws(() => sysfsNumber(4, sys), { code: 'sensor', message: /CONFIG_GPIO_SYSFS/ })
  t.throws(() => sysfsNumber(4, '/nowhere'), { code: 'sensor', message: /nowhere\/class\/gpio/ })
})
