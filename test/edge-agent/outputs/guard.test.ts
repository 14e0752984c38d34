/** The guard over lines of the test's own; as a process it runs in test/system/outputs.test.ts. */
import t from 'tap'
import type { GpioAccess, Level } from '../../../edge-agent/gpio/line.ts'
import { Guard } from '../../../edge-agent/outputs/guard.ts'
import { fakeTime } from '../../helpers/fake-time.ts'

const LINES = [
  { name: 'pump', pin: 17, activeLow: true, safe: 0, access: 'auto' },
  { name: 'fan', pin: 4, activeLow: false, safe: 1, access: 'auto' },
] as const

function open(kind: GpioAccess['kind'] = 'gpiod') {
  const time = fakeTime()
  const events: string[] = []
  const faults: string[] = []
  /** What fails at the moment: `open 17`, `set 4`, `access`. */
  const broken = new Set<string>()
  const check = (what: string) => {
    if (broken.has(what)) throw new Error(`${what} fails`)
  }
  let slow: Promise<void> | undefined
  const access: GpioAccess = {
    kind,
    openInput: () => Promise.reject(new Error('outputs only')),
    async openOutput(bcm, { activeLow, initial }) {
      check(`open ${bcm}`)
      events.push(`open ${bcm} ${initial}${activeLow ? ' low' : ''}`)
      return {
        async set(level: Level) {
          await slow
          check(`set ${bcm}`)
          events.push(`set ${bcm} ${level}`)
        },
        close: async () => void events.push(`close ${bcm}`),
      }
    },
  }
  const guard = new Guard(
    { lines: LINES, silenceMsMax: 5_000 },
    {
      openAccess: async () => {
        check('access')
        return access
      },
      timers: time,
      nowMs: time.nowMs,
      random: () => 0.5,
      onLevels: () => {},
      onFault: (name, reason) => void faults.push(`${name}: ${reason}`),
      onSilence: () => void events.push('silence'),
    },
  )
  const since = () => events.splice(0)
  return {
    guard,
    time,
    since,
    faults,
    broken,
    wait: (until: Promise<void>) => {
      slow = until
    },
  }
}

t.test('lines are opened in their safe state, driven as told, and set again each second', async (t) => {
  const { guard, time, since } = open()
  guard.start()
  await time.pass(0)
  await guard.safe()
  t.strictSame(since(), ['open 17 0 low', 'open 4 1'])
  guard.drive([1, 1])
  await time.pass(250)
  t.strictSame(since(), ['set 17 1'])
  t.strictSame(guard.levels, [1, 1])
  guard.drive([1, 1])
  await time.pass(2_000)
  t.strictSame(
    since().filter((each) => each.endsWith('17 1')),
    ['set 17 1', 'set 17 1'],
    'a program beside us, or what drives the line, may have lost it',
  )
})

t.test('after a silence that is too long all is safe, and a new beat counts again', async (t) => {
  const { guard, time, since } = open()
  guard.start()
  guard.drive([1, 0])
  await time.pass(4_750)
  t.strictSame(guard.levels, [1, 0])
  since()
  await time.pass(500)
  t.strictSame(guard.levels, [0, 1])
  t.equal(since().filter((each) => each === 'silence').length, 1)
  await time.pass(20_000)
  t.notOk(since().includes('silence'), 'said once')
  guard.drive([1, 0])
  await guard.safe()
  guard.drive([1, 0])
  await time.pass(250)
  t.strictSame(guard.levels, [1, 0])
})

t.test('a beat that waited while the guard itself slept is heard before silence is judged', async (t) => {
  const { guard, time, since } = open()
  guard.start()
  guard.drive([1, 1])
  await time.pass(4_750)
  setImmediate(() => guard.drive([1, 1]))
  await time.pass(250)
  t.notOk(since().includes('silence'))
  t.strictSame(guard.levels, [1, 1])
})

t.test('a line that fails is let go, reported and tried again; the other one goes on', async (t) => {
  const { guard, time, since, faults, broken } = open()
  broken.add('open 17')
  guard.start()
  await time.pass(100)
  t.strictSame(guard.levels, [undefined, 1])
  t.strictSame(faults.splice(0), ['pump: open 17 fails'])
  guard.drive([1, 0])
  await time.pass(100)
  t.strictSame(guard.levels, [undefined, 0])
  broken.clear()
  await time.pass(1_000)
  t.strictSame(guard.levels, [1, 0], 'as it is wished by now')
  since()
  broken.add('set 4')
  guard.drive([1, 1])
  await time.pass(50)
  t.strictSame(guard.levels, [1, undefined])
  t.match(since(), ['close 4'])
  broken.clear()
  await time.pass(1_000)
  t.ok(since().includes('open 4 1'))
})

t.test('GPIO that is not there is asked for again', async (t) => {
  const { guard, time, faults, broken } = open()
  broken.add('access')
  guard.start()
  await time.pass(0)
  await guard.safe()
  t.strictSame(faults, ['pump: access fails', 'fan: access fails'])
  t.equal(guard.outlasts, true, 'nothing is ours')
  broken.clear()
  await time.pass(1_000)
  t.strictSame(guard.levels, [0, 1])
})

t.test('of wishes that come while a line is slow, the newest counts', async (t) => {
  const { guard, time, since, wait } = open()
  guard.start()
  await time.pass(1)
  await guard.safe()
  since()
  let go: () => void = () => {}
  wait(new Promise<void>((resolve) => (go = resolve)))
  guard.drive([1, 1])
  guard.drive([0, 1])
  guard.drive([1, 1])
  const safe = guard.safe()
  go()
  await safe
  t.strictSame(guard.levels, [0, 1])
  t.strictSame(since(), ['set 17 1', 'set 17 0'])
})

t.test('only what sysfs holds outlasts the guard, and only once it is safe', async (t) => {
  for (const kind of ['sysfs', 'gpiod'] as const) {
    const { guard, time, since } = open(kind)
    guard.start()
    guard.drive([1, 1])
    await time.pass(250)
    t.equal(guard.outlasts, false, kind)
    await guard.safe()
    t.equal(guard.outlasts, kind === 'sysfs', kind)
    guard.drive([1, 1])
    await time.pass(1)
    since()
    const stopped = guard.stop()
    guard.drive([1, 0])
    await stopped
    t.strictSame(since(), ['set 17 0', 'close 17', 'close 4'], 'told to stop it lets go of what is safe')
    await time.pass(10_000)
    t.strictSame(since(), [])
  }
})
