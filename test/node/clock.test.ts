import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { parseTimeState, systemClock, type TimeState } from '../../node/clock.ts'
import { temporary } from '../helpers/processes.ts'

const NOW_MS = Date.UTC(2026, 10, 24)
const [SECOND, DAY] = [1_000, 86_400_000]
const PI = 'Raspberry Pi 4 Model B Rev 1.4\0'

/** A machine with files, a clock that the test moves, and an answer of timedatectl that the test gives. */
function machine(t: Test, files: Readonly<Record<string, string>> = {}) {
  const root = temporary(t)
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  const self = {
    /** The mark of systemd-timesyncd, touched so long ago. */
    mark(agoMs = 0) {
      write('run/systemd/timesync/synchronized', '')
      const seconds = (self.nowMs - agoMs) / 1_000
      utimesSync(join(root, 'run/systemd/timesync/synchronized'), seconds, seconds)
    },
    nowMs: NOW_MS,
    ms: 0,
    asked: 0,
    answer: undefined as TimeState | undefined,
    /** Time passes on both clocks. */
    pass(ms: number) {
      self.ms += ms
      self.nowMs += ms
    },
    /** What the clock says once timedatectl has answered. */
    async later() {
      clock.synchronised()
      await new Promise(setImmediate)
      return clock.synchronised()
    },
  }
  const clock = systemClock({
    runRoot: join(root, 'run'),
    procRoot: join(root, 'proc'),
    now: () => self.nowMs,
    monotonic: () => self.ms,
    ask: async () => {
      self.asked++
      return self.answer
    },
  })
  const { mark, later } = self
  return { clock, self, mark, later }
}

t.test('without any time service a plausible time is trusted, at once', async (t) => {
  const { clock, self, later } = machine(t)
  t.equal(clock.synchronised(), true)
  t.equal(await later(), true)
  self.answer = { service: false, synchronised: false }
  self.pass(600 * SECOND)
  t.equal(await later(), true)
})

t.test('with systemd-timesyncd its mark decides, and nothing else is asked', async (t) => {
  const { clock, self, mark } = machine(t, { 'run/systemd/timesync/other': '' })
  t.equal(clock.synchronised(), false)
  const { asked } = self
  mark()
  t.equal(clock.synchronised(), true)
  self.pass(60 * SECOND)
  t.equal(clock.synchronised(), true)
  t.equal(self.asked, asked)
})

t.test('a Raspberry Pi is not trusted until something says that its time is right', async (t) => {
  const { clock, self, later, mark } = machine(t, { 'proc/device-tree/model': PI })
  t.equal(clock.synchronised(), false, 'without any time service')
  t.equal(await later(), false)
  self.answer = { service: false, synchronised: false }
  self.pass(10 * SECOND)
  t.equal(await later(), false, 'with its time service switched off')
  mark()
  t.equal(clock.synchronised(), true)
})

t.test('with chrony, timedatectl tells', async (t) => {
  for (const model of [PI, undefined]) {
    const { self, later } = machine(t, model === undefined ? {} : { 'proc/device-tree/model': model })
    self.answer = { service: true, synchronised: false }
    t.equal(await later(), false)
    self.answer = { service: true, synchronised: true }
    t.equal(await later(), false, 'it is not asked again at once')
    self.pass(10 * SECOND)
    t.equal(await later(), true)
  }
})

t.test('it is asked every 10 s, and every 10 min once the time is right; never twice at once', async (t) => {
  const { clock, self, later } = machine(t, { 'proc/device-tree/model': PI })
  for (let each = 0; each < 5; each++) clock.synchronised()
  t.equal(self.asked, 1)
  for (let second = 0; second < 30; second++) {
    await later()
    self.pass(SECOND)
  }
  t.equal(self.asked, 3)
  self.answer = { service: true, synchronised: true }
  t.equal(await later(), true)
  for (let minute = 0; minute < 30; minute++) {
    await later()
    self.pass(60 * SECOND)
  }
  t.equal(self.asked, 4 + 2)
})

t.test('a Pi that loses its time servers is trusted for a week', async (t) => {
  const { self, later } = machine(t, { 'proc/device-tree/model': PI })
  self.answer = { service: true, synchronised: true }
  t.equal(await later(), true)
  self.answer = { service: true, synchronised: false } // the kernel gives up after 9 h
  self.pass(6.9 * DAY)
  t.equal(await later(), true)
  self.pass(0.2 * DAY)
  t.equal(await later(), false)
})

t.test('so is the mark of systemd-timesyncd, also by a program that starts later', async (t) => {
  const { clock, self, mark, later } = machine(t, { 'proc/device-tree/model': PI })
  mark(6.9 * DAY)
  t.equal(clock.synchronised(), true)
  mark(7.1 * DAY)
  t.equal(await later(), false)
  self.answer = { service: true, synchronised: true }
  self.pass(10 * SECOND)
  t.equal(await later(), true, 'an old mark does not outweigh a kernel that is synchronised')
})

t.test('a time service that cannot be asked costs nothing but the answer', async (t) => {
  const clock = systemClock({
    ...{ runRoot: temporary(t), procRoot: temporary(t), now: () => NOW_MS },
    ask: () => Promise.reject(new Error('no bus')),
  })
  t.equal(clock.synchronised(), true)
  await new Promise(setImmediate)
  t.equal(clock.synchronised(), true)
})

t.test('a clock from before the first release is never trusted', async (t) => {
  const { clock, self, mark } = machine(t)
  self.nowMs = Date.UTC(2025, 11, 31)
  mark()
  t.equal(clock.synchronised(), false)
})

t.test('what timedatectl prints is read, and nothing else', async (t) => {
  t.strictSame(parseTimeState('NTP=yes\nNTPSynchronized=no\n'), { service: true, synchronised: false })
  t.strictSame(parseTimeState('NTPSynchronized=yes\nNTP=no'), { service: false, synchronised: true })
  t.equal(parseTimeState('System has not been booted with systemd'), undefined)
})

t.test('the machine that this runs on: time goes on, and asking waits for nothing', async (t) => {
  const clock = systemClock()
  const first = clock.monotonic()
  clock.synchronised()
  t.ok(clock.monotonic() >= first)
  t.ok(clock.monotonic() - first < 1_000)
  t.ok(Math.abs(clock.now() - Date.now()) < 1_000)
})
