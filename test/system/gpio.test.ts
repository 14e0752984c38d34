/**
 * Real GPIO: the built agent in a virtual machine whose kernel simulates the lines of a Pi's header, on both ways to them at
 * once: one agent through sysfs, and one without root, and where sysfs has no GPIO, through the character device.
 * They report to a network on this machine.
 */
import t, { type Test } from 'tap'
import { waitUntil } from '../helpers/wait-until.ts'
import { type Lab, startLab } from './gpio-vm/lab.ts'
import { type Lines, makeChips, PI_4, PI_5, removeChips } from './gpio-vm/lines.ts'
import { type Pi, PRESSED, SAFE, startPi, type Way } from './gpio-vm/pi.ts'

const PULSES = 40
/** Twelve pulses a second: a litre and a half a minute through a usual flow meter. */
const HALF_PULSE_MS = 40

const SYSFS: Way = {
  ...{ name: 'sysfs', account: 'agent-2', sysfs: true },
  pins: { button: 17, flow: 27, lamp: 22, fan: 23 },
}
const GPIOD: Way = {
  ...{ name: 'gpiod', account: 'agent-3', sysfs: false, user: 1000 },
  pins: { button: 5, flow: 6, lamp: 12, fan: 13 },
}

/** Presses the button of each: relays follow, and the ledger has it. */
async function pressed(t: Test, pis: readonly Pi[]): Promise<void> {
  for (const pi of pis) {
    await pi.press(1)
    t.comment(`${pi.name}: relays switched after ${await pi.relays(PRESSED)} ms`)
  }
  for (const pi of pis) {
    await waitUntil(`the press of ${pi.name} is on the ledger`, () => pi.presses().length > 1, 60_000)
    t.strictSame(pi.presses(), [0, 1], `${pi.name}: the press is a confirmed reading`)
  }
}

async function counted(t: Test, lines: Lines, pis: readonly Pi[]): Promise<void> {
  const meters = pis.map(({ pins }) => pins.flow)
  await lines.pulse(meters, PULSES, HALF_PULSE_MS)
  const said = pis.map((pi) => pi.counts().length)
  for (const [index, pi] of pis.entries()) {
    // The first of these is from before the last pulse, and the next says all that is left.
    const isSaid = (): boolean => pi.counts().length >= (said[index] ?? 0) + 4
    await waitUntil(`the flow meter of ${pi.name} is on the ledger`, isSaid, 60_000)
    const sum = pi.counts().reduce((all, count) => all + count, 0)
    t.equal(sum, PULSES, `${pi.name}: each pulse is counted, on the ledger`)
  }
}

async function safe(t: Test, pis: readonly Pi[], when: string): Promise<void> {
  const times = await Promise.all(pis.map((pi) => pi.relays(SAFE)))
  for (const [index, { name }] of pis.entries()) t.pass(`${name}: safe ${when} (${times[index]} ms)`)
}

t.test('on simulated lines', async (t) => {
  const lab = await startLab(t)
  await t.test('of a Pi 4', (t) => pi4(t, lab))
  await t.test('of a Pi 5', (t) => pi5(t, lab))
})

async function pi4(t: Test, lab: Lab): Promise<void> {
  const lines = await makeChips(lab.vm, 'pi-4', PI_4)
  t.match(await lab.vm.sh('grep -H . /sys/class/gpio/gpiochip*/label'), 'gpiochip512/label:pinctrl-bcm2711')
  const pis = await Promise.all([SYSFS, GPIOD].map((way) => startPi(t, lab, lines, way, '4')))
  await pressed(t, pis)
  await counted(t, lines, pis)

  await lab.stopBroker()
  await safe(t, pis, 'without a broker')
  await lab.startBroker()
  for (const pi of pis) await pi.relays(PRESSED)
  t.pass('and as before with one')

  for (const { agent } of pis) await agent.kill('STOP')
  await safe(t, pis, 'when the agent hangs')
  for (const { agent } of pis) await agent.kill('CONT')
  for (const pi of pis) await pi.relays(PRESSED)
  t.pass('and as before when it goes on')

  for (const { agent } of pis) await agent.kill('KILL')
  await safe(t, pis, 'when the agent is killed')
  for (const { agent } of pis) t.equal(await agent.ended(), 137)
  await removeChips(lab.vm, 'pi-4')
}

async function pi5(t: Test, lab: Lab): Promise<void> {
  const lines = await makeChips(lab.vm, 'pi-5', PI_5)
  t.match(await lab.vm.sh('grep -H . /sys/class/gpio/gpiochip*/label'), 'gpiochip571/label:pinctrl-rp1')
  const pis = await Promise.all([SYSFS, GPIOD].map((way) => startPi(t, lab, lines, way, '5')))
  await pressed(t, pis)
  await counted(t, lines, pis)
  for (const { agent } of pis) await agent.kill('TERM')
  for (const { agent } of pis) t.equal(await agent.ended(), 0)
  await safe(t, pis, 'when the agent stops')
}
