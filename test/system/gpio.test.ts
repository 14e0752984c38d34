/**
 * Real GPIO: the built agent in a virtual machine whose kernel simulates the lines of a Pi's header, on both ways to them at
 * once: one agent through sysfs, and one without root, and where sysfs has no GPIO, through the character device.
 * They report to a network on this machine.
 */
import t, { type Test } from 'tap'
import { BEAT_MS, SILENCE_MS_MAX } from '../../edge-agent/outputs/guard-messages.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { pinledgerInside, TRIXIE_TOOLS } from './gpio-vm/agent.ts'
import { type Lab, startLab } from './gpio-vm/lab.ts'
import { type Lines, makeChips, PI_4, PI_5, removeChips } from './gpio-vm/lines.ts'
import { LEFT_ALONE, type Pi, PRESSED, SAFE, startPi, type Way } from './gpio-vm/pi.ts'

/** How long a reading may take to a block, on a machine that does other things too. */
const LEDGER_MS = 60_000
const PULSES = 40
/** Twelve pulses a second: a litre and a half a minute through a usual flow meter. */
const HALF_PULSE_MS = 40

const SYSFS: Way = { name: 'sysfs', pins: { button: 17, flow: 27, lamp: 22, fan: 23 } }
const GPIOD: Way = { name: 'gpiod', pins: { button: 5, flow: 6, lamp: 12, fan: 13 } }

/** Says how long it took since the last time. */
function stopwatch(t: Test): (what: string) => void {
  let at = performance.now()
  return (what) => {
    const now = performance.now()
    t.comment(`${what}: ${((now - at) / 1000).toFixed(1)} s`)
    at = now
  }
}

/** Presses the button of each: relays follow, and the ledger has it. */
async function pressed(t: Test, pis: readonly Pi[]): Promise<void> {
  for (const pi of pis) {
    await pi.press(1)
    t.comment(`${pi.name}: relays switched after ${await pi.relays(PRESSED)} ms`)
  }
  for (const pi of pis) {
    await waitUntil(`the press of ${pi.name} is on the ledger`, () => pi.presses().length > 1, LEDGER_MS)
    t.strictSame(pi.presses(), [0, 1], `${pi.name}: the press is a confirmed reading`)
  }
}

async function counted(t: Test, lines: Lines, pis: readonly Pi[]): Promise<void> {
  const meters = pis.map(({ pins }) => pins.flow)
  await lines.pulse(meters, PULSES, HALF_PULSE_MS)
  for (const pi of pis) {
    const sum = (): number => pi.counts().reduce((all, count) => all + count, 0)
    const isComplete = (): boolean => sum() >= PULSES
    await waitUntil(`all pulses of ${pi.name} are on the ledger`, isComplete, LEDGER_MS)
    // Whatever was counted too often would be in the next one.
    const said = pi.counts().length
    await waitUntil(`${pi.name} says another count`, () => pi.counts().length > said, LEDGER_MS)
    t.equal(sum(), PULSES, `${pi.name}: each pulse is counted, on the ledger`)
  }
}

/** What `pinledger doctor` says of the way to the lines, and the right to use it. */
function diagnosed(t: Test, report: string, way: string): void {
  const findings = JSON.parse(report) as readonly { part: string; state: string; detail: string }[]
  const found = (name: string) => findings.find(({ part }) => part === name)
  t.match(found('gpio'), { state: 'works', detail: way }, 'doctor: gpio')
  t.match(found('gpio permission'), { state: 'works' }, 'doctor: gpio permission')
}

/** Resolves with milliseconds. */
async function safe(t: Test, pis: readonly Pi[], when: string): Promise<readonly number[]> {
  const times = await Promise.all(pis.map((pi) => pi.relays(SAFE)))
  for (const [index, { name }] of pis.entries()) t.pass(`${name}: safe ${when} (${times[index]} ms)`)
  return times
}

t.test('on simulated lines', async (t) => {
  const lab = await startLab(t)
  await t.test('of a Pi 4', (t) => pi4(t, lab))
  await t.test('of a Pi 5', (t) => pi5(t, lab))
})

async function pi4(t: Test, lab: Lab): Promise<void> {
  const say = stopwatch(t)
  const lines = await makeChips(lab.vm, 'pi-4', PI_4)
  t.match(await lab.vm.sh('grep -H . /sys/class/gpio/gpiochip*/label'), 'gpiochip512/label:pinctrl-bcm2711')
  const root = { account: 'agent-2', sysfs: true }
  const user = { account: 'agent-3', sysfs: false, user: 1000 }
  const [report, ...started] = await Promise.all([
    pinledgerInside(lab.vm, 'doctor --json', root),
    startPi(t, lab, lines, root, [SYSFS], '4'),
    startPi(t, lab, lines, user, [GPIOD], '4'),
  ])
  const pis = started.flat()
  diagnosed(t, report, 'sysfs through onoff: pinctrl-bcm2711 at base 512, GPIO 17 is line 529')
  say('agents run')
  await pressed(t, pis)
  say('pressed')
  await counted(t, lines, pis)
  say('counted')

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
  const times = await safe(t, pis, 'when the agent is killed')
  t.ok(Math.max(...times) < SILENCE_MS_MAX - 2 * BEAT_MS, 'at once, not after a silence')
  for (const { agent } of pis) t.equal(await agent.ended(), 128 + 9)
  lab.mine(false)
  const [sysfs, gpiod] = pis as [Pi, Pi]
  await sysfs.agent.unguarded()
  await sysfs.relays(SAFE)
  t.pass('sysfs holds lines without a guard')
  await gpiod.agent.letGo()
  await gpiod.relays(LEFT_ALONE)
  t.pass('the character device does not: its guard held them until it was told to let go')
  await removeChips(lab.vm, 'pi-4')
}

async function pi5(t: Test, lab: Lab): Promise<void> {
  const say = stopwatch(t)
  const lines = await makeChips(lab.vm, 'pi-5', PI_5)
  t.match(await lab.vm.sh('grep -H . /sys/class/gpio/gpiochip*/label'), 'gpiochip571/label:pinctrl-rp1')
  const guest = { account: 'agent-2', sysfs: true, tools: TRIXIE_TOOLS }
  const pis = await startPi(t, lab, lines, guest, [SYSFS, { ...GPIOD, access: 'gpiod' }], '5')
  say('agents run')
  await pressed(t, pis)
  say('pressed')
  await counted(t, lines, pis)
  say('counted')
  const [{ agent }] = pis as [Pi]
  await agent.kill('TERM')
  t.equal(await agent.ended(), 0)
  await safe(t, pis, 'when the agent stops')
}
