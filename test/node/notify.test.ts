import { chmodSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createNotifier } from '../../node/notify.ts'
import type { Timers } from '../../node/timers.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** A `systemd-notify` that writes down what it is told, where, and lets itself be held up. */
function fake(t: Test, exitCode = 0) {
  const directory = t.testdir({ told: '' })
  const command = join(directory, 'systemd-notify')
  const told = join(directory, 'told')
  const held = join(directory, 'held')
  writeFileSync(
    command,
    `#!/bin/sh\necho "$NOTIFY_SOCKET $* \${WATCHDOG_USEC-}" >>'${told}'\nwhile [ -e '${held}' ]; do sleep 0.01; done\nexit ${exitCode}\n`,
  )
  chmodSync(command, 0o755)
  const lines = (): string[] => readFileSync(told, 'utf8').split('\n').filter(Boolean)
  return {
    command,
    held,
    lines,
    has: (count: number) => waitUntil('it was told', () => lines().length >= count),
  }
}

/** Delays that the test ends by hand. */
function handTimers() {
  const waiting: { delayMs: number; run: () => void }[] = []
  const timers: Timers = {
    after(delayMs, run) {
      const entry = { delayMs, run }
      waiting.push(entry)
      return () => void waiting.splice(waiting.indexOf(entry), 1)
    },
    turn: () => Promise.resolve(),
  }
  return { timers, waiting, tick: () => waiting.shift()?.run() }
}

const fail = (reason: string): never => {
  throw new Error(reason)
}

t.test(
  'readiness and its status are told, then a beat each half of the watchdog, then the stop',
  async (t) => {
    const { command, lines, has } = fake(t)
    const { timers, waiting, tick } = handTimers()
    const environment = {
      PATH: process.env.PATH,
      NOTIFY_SOCKET: '/run/n',
      WATCHDOG_USEC: '60000000',
      WATCHDOG_PID: '7',
    }
    const notifier = createNotifier(environment, { onFailure: fail, timers, command, pid: 7 })
    t.equal(waiting.length, 0, 'no beat before it is ready: systemd waits for that itself')
    notifier.ready('account 12, httpPort 8081')
    t.equal(waiting[0]?.delayMs, 30_000)
    await has(1)
    tick()
    await has(2)
    tick()
    await has(3)
    notifier.stopping()
    await has(4)
    t.strictSame(
      lines().map((line) => line.trim()),
      [
        '/run/n --ready --status=account 12, httpPort 8081',
        '/run/n WATCHDOG=1',
        '/run/n WATCHDOG=1',
        '/run/n STOPPING=1',
      ],
    )
    t.equal(waiting.length, 0, 'no beat after the stop')
  },
)

t.test('children of the program do not inherit the socket', async (t) => {
  const environment = { PATH: '/bin', NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1', WATCHDOG_PID: '7' }
  createNotifier(environment, { onFailure: fail })
  t.strictSame(environment as object, { PATH: '/bin' })
})

t.test('one word at a time, and of those that wait only the newest is told', async (t) => {
  const { command, held, lines, has } = fake(t)
  writeFileSync(held, '')
  const { timers, tick } = handTimers()
  const environment = { PATH: process.env.PATH, NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1000000' }
  const notifier = createNotifier(environment, { onFailure: fail, timers, command })
  notifier.ready('')
  await has(1)
  for (let beat = 0; beat < 5; beat++) tick()
  notifier.stopping()
  t.equal(lines().length, 1, 'the first is still on its way')
  unlinkSync(held)
  await has(2)
  t.match(lines(), [/--ready/, /STOPPING=1/])
  t.equal(lines().length, 2)
})

t.test('a watchdog of another process is not fed', async (t) => {
  const { command, has } = fake(t)
  const { timers, waiting } = handTimers()
  const environment = {
    PATH: process.env.PATH,
    NOTIFY_SOCKET: '/run/n',
    WATCHDOG_USEC: '60000000',
    WATCHDOG_PID: '8',
  }
  createNotifier(environment, { onFailure: fail, timers, command, pid: 7 }).ready('')
  await has(1)
  t.equal(waiting.length, 0)
})

t.test('without systemd nobody is told and nothing is run', async (t) => {
  const { timers, waiting } = handTimers()
  const notifier = createNotifier({ WATCHDOG_USEC: '1000' }, { onFailure: fail, timers, command: '/none' })
  notifier.ready('')
  notifier.stopping()
  t.equal(waiting.length, 0)
})

t.test('that systemd cannot be told is said once, with the reason, and the program goes on', async (t) => {
  const reasons: string[] = []
  const onFailure = (reason: string): void => void reasons.push(reason)
  const { timers, tick } = handTimers()
  const environment = () => ({ PATH: process.env.PATH, NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '1000000' })
  const missing = join(t.testdir(), 'none')
  createNotifier(environment(), { onFailure, timers: handTimers().timers, command: missing }).ready('')
  await waitUntil('the missing command is noticed', () => reasons.length === 1)
  t.match(reasons[0], `${missing} does not run`)

  const { command, has } = fake(t, 1)
  const notifier = createNotifier(environment(), { onFailure, timers, command })
  notifier.ready('')
  await waitUntil('its exit code is noticed', () => reasons.length === 2)
  t.match(reasons[1], 'ended with 1')
  tick()
  await has(2)
  notifier.stopping()
  await has(3)
  t.equal(reasons.length, 2)
})

t.test('a loop that is blocked gives no beat', async (t) => {
  const { command, lines, has } = fake(t)
  const environment = { PATH: process.env.PATH, NOTIFY_SOCKET: '/run/n', WATCHDOG_USEC: '100000' }
  const notifier = createNotifier(environment, { onFailure: fail, command })
  notifier.ready('')
  await has(3)
  const before = lines().length
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)
  t.ok(lines().length <= before + 1, 'one at most was on its way')
  notifier.stopping()
  // The command fails, and says so too late for this test, when its directory goes while it is on its way.
  await waitUntil('the stop is told', () => lines().at(-1)?.includes('STOPPING=1') === true)
})
