/** The agent's side of a real guard, and what can be done when the agent is gone; kills and hangs: test/system/outputs.test.ts. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { GpioAccess } from '../../../edge-agent/gpio/line.ts'
import { GuardProcess } from '../../../edge-agent/outputs/guard-process.ts'
import { holder, setSafe } from '../../../edge-agent/outputs/safe.ts'
import { end, guardsOf, putDown, takeOver } from '../../../edge-agent/outputs/takeover.ts'
import { bootId, startTicks } from '../../../node/data-dir.ts'
import { isRunning, startProgram, temporary } from '../../helpers/processes.ts'
import { recordingLog } from '../../helpers/rig.ts'
import { fromRoot } from '../../helpers/root.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const PROGRAM = fromRoot('dist/edge-agent/outputs/guard-main.js')
const FILE_GPIO = pathToFileURL(fromRoot('test/helpers/file-gpio.mjs')).href
const PUMP = { name: 'pump', pin: 17, activeLow: true, safe: 0, access: 'auto' } as const
const FAN = { name: 'fan', pin: 4, activeLow: false, safe: 1, access: 'gpiod' } as const

t.test(
  'a guard drives what it is told, is replaced when it dies, and holds the safe state after a stop',
  async (t) => {
    const directory = temporary(t)
    t.teardown(() => end(guardsOf(directory)))
    const access = `${FILE_GPIO}?root=${encodeURIComponent(directory)}&kind=gpiod`
    const { log, lines: logged } = recordingLog()
    const guard = new GuardProcess(
      { directory, lines: [PUMP, FAN], command: [PROGRAM, '--access-module', access] },
      { log, nowMs: () => performance.now(), random: () => 0 },
    )
    const heard: string[] = []
    guard.start(
      (levels) => void heard.push(levels.map((level) => level ?? '-').join('')),
      (name, reason) => t.fail(`${name}: ${reason}`),
    )
    guard.drive([1, 0])
    await waitUntil('it drives', () => heard.at(-1) === '10')
    t.equal(readFileSync(join(directory, '17'), 'utf8'), `1 ${guard.pid}`)
    // proc(5): behind the name in brackets come state, parent, process group and session.
    const [, , , session] = readFileSync(`/proc/${guard.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    t.equal(Number(session), guard.pid, "a terminal's Ctrl-C does not reach it")
    const first = guard.pid ?? 0
    process.kill(first, 'SIGKILL')
    await waitUntil(
      'another one does',
      () => guard.pid !== first && heard.includes('--') && heard.at(-1) === '10',
    )
    t.match(logged.at(-2), { level: 'warn', fields: { cause: 'SIGKILL' } })
    await guard.stop()
    t.equal(heard.at(-1), '01', 'safe before it resolves')
    t.equal(await holder(directory), guard.pid)
    await end(guardsOf(directory))
    t.equal(await holder(directory), undefined)
    t.throws(() => readFileSync(join(directory, '17')), { code: 'ENOENT' }, 'nobody drives the line')
  },
)

t.test('of two guards the one that was started first gives way, though it looks later', async (t) => {
  const directory = temporary(t)
  const { pid } = startProgram(t, 'sleep', ['60'])
  await waitUntil('it runs', () => startTicks(pid) !== undefined)
  writeFileSync(join(directory, `guard-${pid}-${bootId()}-${startTicks(pid)}`), '')
  const mark = putDown(directory)
  t.equal(await takeOver(directory), false)
  t.equal(isRunning(pid), true)
  mark.remove()
  t.strictSame(
    guardsOf(directory).map((guard) => guard.pid),
    [pid],
  )
})

t.test(
  'without agent and guard each output is set to its safe state once, whatever another one does',
  async (t) => {
    const events: string[] = []
    const access: GpioAccess = {
      kind: 'sysfs',
      openInput: () => Promise.reject(new Error('outputs only')),
      async openOutput(bcm, { activeLow, initial }) {
        if (bcm === 17) throw new Error('GPIO 17 is busy')
        events.push(`open ${bcm} ${initial} ${activeLow}`)
        return {
          set: () => Promise.reject(new Error('no need')),
          close: async () => void events.push(`close ${bcm}`),
        }
      },
    }
    const choices: string[] = []
    const outcomes = await setSafe([PUMP, FAN], async (choice) => {
      choices.push(choice)
      return access
    })
    t.match(outcomes, [
      { line: PUMP, kind: undefined, fault: 'GPIO 17 is busy' },
      { line: FAN, kind: 'sysfs', fault: undefined },
    ])
    t.strictSame(choices, ['auto', 'gpiod'])
    t.strictSame(events, ['open 4 1 false', 'close 4'])
  },
)
