/** Lines of the character device and who holds them, with scripts for the tools. */
import { execFileSync, spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { openAccess } from '../../../edge-agent/gpio/access.ts'
import type { InputOptions } from '../../../edge-agent/gpio/line.ts'
import { createFakePi, type FakePi } from '../../helpers/fake-gpiod.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const CHIPS = 'gpiochip0 [raspberrypi-exp-gpio] (8 lines)\ngpiochip1 [pinctrl-bcm2711] (58 lines)\n'
const VERSIONS = ['v1.6.3', 'v2.2.1'] as const
const INPUT: InputOptions = { edge: 'both', debounceMs: 0, activeLow: false, bias: 'as-is' }

async function open(t: Test, version: string = 'v1.6.3') {
  const pi = createFakePi(version, CHIPS)
  execFileSync('mkfifo', [join(pi.root, 'edges')])
  t.teardown(pi.remove)
  return { pi, access: await openAccess(pi, 'gpiod') }
}

/** Writes edges to the pipe of a gpiomon, once that reads it: closed before, a pipe leaves its reader waiting for ever. */
function edgesOf(pi: FakePi) {
  const pipe = openSync(join(pi.root, 'edges'), 'w')
  return { say: (text: string) => void writeSync(pipe, text), end: () => closeSync(pipe) }
}

const driven = (pi: FakePi): string => readFileSync(join(pi.root, 'driven'), 'utf8').trim()
/** Processes that were started with a line and live. */
const holders = (pi: FakePi): readonly number[] =>
  (existsSync(pi.procRoot) ? readdirSync(pi.procRoot) : []).map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z'
    } catch {
      return false // It has ended.
    }
  })

const WORDS = {
  'v1.6.3': {
    plain: ['gpioget gpiochip1 17', 'gpiomon --line-buffered --format=%e gpiochip1 17'],
    all: [
      'gpioget --active-low --bias=disable gpiochip1 4',
      'gpiomon --line-buffered --falling-edge --format=%e --active-low --bias=disable gpiochip1 4',
    ],
    output: [
      'gpioset --mode=signal --active-low gpiochip1 4=1',
      'gpioset --mode=signal --active-low gpiochip1 4=0',
    ],
    falling: '0',
  },
  'v2.2.1': {
    plain: ['gpioget --numeric --chip gpiochip1 17', 'gpiomon --edges=both --format=%e --chip gpiochip1 17'],
    all: [
      'gpioget --numeric --active-low --bias=disabled --chip gpiochip1 4',
      'gpiomon --edges=falling --format=%e --active-low --bias=disabled --chip gpiochip1 4',
    ],
    output: ['gpioset --active-low --chip gpiochip1 4=1', 'gpioset --active-low --chip gpiochip1 4=0'],
    falling: '2',
  },
}

for (const version of VERSIONS) {
  const words = WORDS[version]
  t.test(`${version}: an input says its level and then each edge, and leaves no process`, async (t) => {
    const { pi, access } = await open(t, version)
    t.equal(access.kind, 'gpiod')
    pi.write('level', '1\n')
    const line = await access.openInput(17, INPUT)
    t.equal(await line.read(), 1)
    t.strictSame(pi.calls(), words.plain)
    const heard: number[] = []
    line.watch((level) => heard.push(level), t.fail)
    const { say } = edgesOf(pi)
    say(`${words.falling}\n1\n`)
    await waitUntil('both edges', () => heard.length === 2)
    t.equal(await line.read(), 1)
    // One write may hold half a line.
    say(words.falling)
    say('\n')
    await waitUntil('a third', () => heard.length === 3)
    t.strictSame(heard, [0, 1, 0])
    t.equal(holders(pi).length, 1)
    await line.close()
    await line.close()
    t.strictSame(holders(pi), [])
  })

  t.test(`${version}: polarity, resistor and kind of edge are asked of the kernel`, async (t) => {
    const { pi, access } = await open(t, version)
    const line = await access.openInput(4, { ...INPUT, edge: 'falling', activeLow: true, bias: 'disabled' })
    t.strictSame(pi.calls(), words.all)
    await line.close()
  })

  t.test(`${version}: an output is driven once it is set, each change by a process of its own`, async (t) => {
    const { pi, access } = await open(t, version)
    const line = await access.openOutput(4, { activeLow: true, initial: 1 })
    t.equal(driven(pi), '4=1')
    await line.set(1)
    await line.set(0)
    t.equal(driven(pi), '4=0')
    t.strictSame(pi.calls(), words.output)
    t.equal(holders(pi).length, 1)
    await line.close()
    t.strictSame(holders(pi), [])
  })
}

t.test('an input that is only read is read anew each time, and held by nobody', async (t) => {
  const { pi, access } = await open(t)
  const line = await access.openInput(17, { ...INPUT, edge: 'none' })
  t.equal(await line.read(), 0)
  pi.write('level', '1\n')
  t.equal(await line.read(), 1)
  t.strictSame(holders(pi), [])
  await line.close()
})

t.test('with debouncing both edges are asked for, whatever is wanted', async (t) => {
  const { pi, access } = await open(t)
  const line = await access.openInput(17, { ...INPUT, edge: 'rising', debounceMs: 20 })
  t.equal(pi.calls()[1], WORDS['v1.6.3'].plain[1])
  const heard: number[] = []
  line.watch((level) => heard.push(level), t.fail)
  edgesOf(pi).say('1\n0\n1\n')
  await waitUntil('one', () => heard.length === 1)
  await line.close()
  t.strictSame(heard, [1])
})

t.test('gpiomon that ends is one error with its words, and nothing after it', async (t) => {
  const { pi, access } = await open(t)
  const line = await access.openInput(17, INPUT)
  const errors: unknown[] = []
  line.watch(
    () => t.fail('a change'),
    (error) => errors.push(error),
  )
  edgesOf(pi).end()
  await waitUntil('the error', () => errors.length > 0)
  t.match(errors, [
    { code: 'sensor', message: /cannot watch GPIO 17: gpiomon has ended \(.*No such device\)/ },
  ])
  await line.close()
  t.equal(errors.length, 1)
})

t.test('what the tools refuse is said with its remedy', async (t) => {
  const { pi, access } = await open(t)
  const faults = [
    ['error reading GPIO values: Permission denied', /group gpio and log in/],
    ['error reading GPIO values: Device or resource busy', /another program/],
    ['error reading GPIO values: Input/output error', /gpioinfo/],
  ] as const
  for (const [refusal, remedy] of faults) {
    pi.write('refuse', refusal)
    await t.rejects(access.openInput(17, INPUT), { code: 'sensor', message: remedy })
    await t.rejects(access.openOutput(17, { activeLow: false, initial: 0 }), { message: remedy })
    await t.rejects(access.openInput(17, INPUT), { message: /cannot read GPIO 17: .*error reading/ })
  }
  await t.rejects(access.openInput(58, INPUT), { message: /pins 0 to 57, not 58; use the BCM number/ })
})

t.test(
  'an output whose process died is driven again by the next set; one that is refused can be tried again',
  async (t) => {
    const { pi, access } = await open(t)
    const line = await access.openOutput(4, { activeLow: false, initial: 0 })
    for (const pid of holders(pi)) process.kill(pid, 'SIGKILL')
    await waitUntil('it is dead', () => holders(pi).length === 0)
    await waitUntil('it is driven', () => {
      void line.set(0)
      return pi.calls().length === 2
    })
    pi.write('refuse', 'error setting the GPIO line values: Device or resource busy')
    await t.rejects(line.set(1), { message: /cannot open GPIO 4: .*busy; another program/ })
    pi.write('refuse', '')
    await line.set(1)
    t.equal(driven(pi), '4=1')
    await line.close()
    t.strictSame(holders(pi), [])
  },
)

t.test('sets that come while one is under way end in the last one', async (t) => {
  const { pi, access } = await open(t)
  const line = await access.openOutput(4, { activeLow: false, initial: 0 })
  const levels = [1, 0, 1, 0, 1, 0, 1] as const
  await Promise.all(levels.map((level) => line.set(level)))
  t.equal(driven(pi), '4=1')
  t.ok(pi.calls().length <= 3, 'those in between cost nothing')
  const last = line.set(0)
  await line.close()
  await last
  t.strictSame(holders(pi), [])
})

t.test('no child outlives a parent that is killed', async (t) => {
  const { pi } = await open(t)
  let command: readonly string[] = []
  const spawned: typeof pi.spawn = (name, args) => {
    command = [name, ...args]
    return pi.spawn(name, args)
  }
  const access = await openAccess({ ...pi, spawn: spawned }, 'gpiod')
  await (await access.openOutput(4, { activeLow: false, initial: 1 })).close()
  const script = `
    const [command, ...args] = ${JSON.stringify(command)}
    require('node:child_process').spawn(command, args, { detached: true })
    setInterval(() => {}, 1000)`
  const env = { PATH: `${join(pi.root, 'bin')}:/usr/bin:/bin`, PI: pi.root }
  const parent = spawn(process.execPath, ['--eval', script], { env })
  await waitUntil('the line is held', () => holders(pi).length === 1)
  parent.kill('SIGKILL')
  await waitUntil('the line is free', () => holders(pi).length === 0)
  t.equal(driven(pi), '4=1')
})
