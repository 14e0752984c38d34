/**
 * The guard of the outputs as a real process: whatever becomes of the agent, every output goes to its safe state.
 *
 * The lines are files (test/helpers/file-gpio.mjs), which behave as sysfs or as the character device; test/system/gpio.test.ts does the
 * same with lines of a kernel. The agent is a process that has nothing but the agent's side of the guard.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { openDataDir } from '../../node/data-dir.ts'
import { isRunning, kill, type Program, run, startProgram, temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const DIST = fromRoot('dist')
const FILE_GPIO = pathToFileURL(fromRoot('test/helpers/file-gpio.mjs')).href
const SILENCE_MS_MAX = 3_000

type Kind = 'sysfs' | 'gpiod'
const KINDS: readonly Kind[] = ['sysfs', 'gpiod']

/** Pin 17 is safe when off, pin 4 when on; the agent wishes the opposite of both. */
const LINES = [
  { name: 'pump', pin: 17, activeLow: true, access: 'auto', safe: 0 },
  { name: 'fan', pin: 4, activeLow: false, access: 'auto', safe: 1 },
]

const CONFIG = `
name: bed
broker: { url: mqtt://127.0.0.1 }
outputs:
  - { name: pump, pin: 17, activeLow: true, when: { agent: connected } }
`

const AGENT = `
import { GuardProcess } from '${DIST}/edge-agent/outputs/guard-process.js'
import { GUARD_PROGRAM } from '${DIST}/edge-agent/outputs/guard-process.js'
const { directory, access, lines, silenceMsMax } = JSON.parse(process.argv[1])
const say = (event, facts) => console.log(JSON.stringify({ event, ...facts }))
const log = { debug: say, info: say, warn: say, error: say }
const options = { directory, lines, silenceMsMax, command: [GUARD_PROGRAM, '--access-module', access] }
const guard = new GuardProcess(options, { log, nowMs: () => performance.now(), random: () => 0 })
guard.start((levels) => say('levels', { levels: levels.join('') }), (name, reason) => say('fault', { name, reason }))
const beat = () => guard.drive([1, 0])
beat()
const timer = setInterval(beat, 200)
process.on('SIGTERM', async () => {
  clearInterval(timer)
  await guard.stop()
  say('stopped')
})
`

interface Site {
  readonly directory: string
  readonly pins: string
  readonly kind: Kind
}

function site(t: Test, kind: Kind): Site {
  const directory = temporary(t)
  const pins = join(directory, 'pins')
  mkdirSync(pins)
  // Whatever is left holding lines ends with the test.
  t.teardown(() => {
    for (const pid of guards(directory)) kill(pid, 'SIGKILL')
  })
  return { directory, pins, kind }
}

function startAgent(t: Test, { directory, pins, kind }: Site): Program {
  const access = `${FILE_GPIO}?root=${encodeURIComponent(pins)}&kind=${kind}`
  const settings = { directory, access, lines: LINES, silenceMsMax: SILENCE_MS_MAX }
  return startProgram(t, process.execPath, ['--input-type=module', '-e', AGENT, JSON.stringify(settings)])
}

/** Processes that call themselves guards of the directory and run. */
const guards = (directory: string): number[] =>
  readdirSync(directory)
    .map((name) => Number(/^guard-(\d+)-/.exec(name)?.[1]))
    .filter((pid) => isRunning(pid))

/** Level of a pin; undefined where nobody drives it. */
function levelOf({ pins, kind }: Site, pin: number): number | undefined {
  let text: string
  try {
    text = readFileSync(join(pins, `${pin}`), 'utf8')
  } catch {
    // It was let go.
    return undefined
  }
  const [level, holder] = text.split(' ').map(Number)
  return kind === 'sysfs' || isRunning(holder ?? 0) ? level : undefined
}

const isSafe = (at: Site): boolean => levelOf(at, 17) === 0 && levelOf(at, 4) === 1
const isWished = (at: Site): boolean => levelOf(at, 17) === 1 && levelOf(at, 4) === 0

/** The guard that holds the safe state alone: on sysfs none is left, on the character device exactly one. */
async function isHeld(t: Test, at: Site): Promise<void> {
  await waitUntil('all is safe', () => isSafe(at))
  const left = at.kind === 'sysfs' ? 0 : 1
  await waitUntil(`${left} guards are left`, () => guards(at.directory).length === left)
  await sleep(SILENCE_MS_MAX + 500)
  t.ok(isSafe(at), 'and stays so')
  t.equal(guards(at.directory).length, left)
}

for (const kind of KINDS) {
  t.test(`${kind}: an agent that is killed leaves its outputs safe within a moment`, async (t) => {
    const at = site(t, kind)
    const agent = startAgent(t, at)
    await waitUntil('the outputs are as wished', () => isWished(at))
    kill(agent.pid, 'SIGKILL')
    const startedMs = performance.now()
    await waitUntil('all is safe', () => isSafe(at))
    t.ok(performance.now() - startedMs < SILENCE_MS_MAX - 500, 'it did not wait for silence')
    await isHeld(t, at)
  })

  t.test(`${kind}: an agent that stops leaves its outputs safe and ends, whoever holds them`, async (t) => {
    const at = site(t, kind)
    const agent = startAgent(t, at)
    await waitUntil('the outputs are as wished', () => isWished(at))
    kill(agent.pid, 'SIGTERM')
    await agent.line('it says so', (line) => line.includes('stopped'))
    t.ok(isSafe(at), 'before it says goodbye')
    t.match(await agent.ended, { code: 0 })
    await isHeld(t, at)
  })

  t.test(`${kind}: an agent that hangs loses its outputs, and has them back when it goes on`, async (t) => {
    const at = site(t, kind)
    const agent = startAgent(t, at)
    await waitUntil('the outputs are as wished', () => isWished(at))
    kill(agent.pid, 'SIGSTOP')
    const startedMs = performance.now()
    await waitUntil('all is safe', () => isSafe(at))
    const ms = performance.now() - startedMs
    t.ok(ms > SILENCE_MS_MAX - 500, `after ${Math.round(ms)} ms`)
    kill(agent.pid, 'SIGCONT')
    await waitUntil('the outputs are as wished', () => isWished(at))
    await agent.line('the agent hears of it', (line) => line.includes('the agent said nothing for 3 s'))
  })

  t.test(`${kind}: a new agent takes over what the guard of a dead one holds`, async (t) => {
    const at = site(t, kind)
    const first = startAgent(t, at)
    await waitUntil('the outputs are as wished', () => isWished(at))
    kill(first.pid, 'SIGKILL')
    await waitUntil('all is safe', () => isSafe(at))
    const second = startAgent(t, at)
    await waitUntil('the outputs are as wished', () => isWished(at))
    t.equal(guards(at.directory).length, 1)
    t.notOk(
      second.out.some((line) => line.includes('fault')),
      'the lines were free at once',
    )
  })
}

t.test(
  'an output on a file is safe when its agent is killed or hangs, and no guard is left then',
  async (t) => {
    const directory = temporary(t)
    const lamp = join(directory, 'lamp')
    t.teardown(() => {
      for (const pid of guards(directory)) kill(pid, 'SIGKILL')
    })
    const lines = [
      { name: 'lamp', file: lamp, activeLow: false, safe: 0 },
      { name: 'heater', file: `${lamp}.heater`, activeLow: true, safe: 1 },
    ]
    const settings = { directory, access: FILE_GPIO, lines, silenceMsMax: SILENCE_MS_MAX }
    const start = () =>
      startProgram(t, process.execPath, ['--input-type=module', '-e', AGENT, JSON.stringify(settings)])
    const levels = (): string => {
      try {
        return `${readFileSync(lamp, 'utf8').trim()}${readFileSync(`${lamp}.heater`, 'utf8').trim()}`
      } catch {
        return '' // not there yet
      }
    }
    const first = start()
    await waitUntil('the outputs are as wished', () => levels() === '11')
    kill(first.pid, 'SIGSTOP')
    await waitUntil('all is safe', () => levels() === '00')
    kill(first.pid, 'SIGCONT')
    await waitUntil('the outputs are as wished', () => levels() === '11')
    kill(first.pid, 'SIGKILL')
    await waitUntil('all is safe', () => levels() === '00')
    await waitUntil('no guard is left', () => guards(directory).length === 0)
    const second = start()
    await waitUntil('the outputs are as wished', () => levels() === '11')
    kill(second.pid, 'SIGTERM')
    await second.line('it says so', (line) => line.includes('stopped'))
    t.equal(levels(), '00', 'before it says goodbye')
  },
)

t.test('a guard that is killed, or hangs, is replaced while the agent goes on', async (t) => {
  const at = site(t, 'gpiod')
  const agent = startAgent(t, at)
  await waitUntil('the outputs are as wished', () => isWished(at))
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    const [guard = 0] = guards(at.directory)
    kill(guard, signal)
    await waitUntil(
      'another one holds the lines',
      () => guards(at.directory).some((pid) => pid !== guard) && isWished(at),
    )
    t.equal(isRunning(guard), false, `after ${signal}`)
  }
  t.ok(agent.out.some((line) => line.includes('hangs')))
})

t.test('a guard that hangs while a new agent starts is ended, and gives its lines away', async (t) => {
  const at = site(t, 'gpiod')
  const first = startAgent(t, at)
  await waitUntil('the outputs are as wished', () => isWished(at))
  const [guard = 0] = guards(at.directory)
  kill(guard, 'SIGSTOP')
  kill(first.pid, 'SIGKILL')
  startAgent(t, at)
  await waitUntil('it has ended', () => !isRunning(guard))
  await waitUntil('the outputs are as wished', () => isWished(at))
  t.equal(guards(at.directory).length, 1)
})

t.test('a person ends a guard that is left with kill, as its file says', async (t) => {
  const at = site(t, 'gpiod')
  const agent = startAgent(t, at)
  await waitUntil('the outputs are as wished', () => isWished(at))
  kill(agent.pid, 'SIGKILL')
  await waitUntil('all is safe', () => isSafe(at))
  const file = () => readdirSync(at.directory).find((name) => name.startsWith('guard-')) ?? ''
  const said = () => readFileSync(join(at.directory, file()), 'utf8')
  await waitUntil('its file says so', () => /agent is gone/.test(said()))
  const [, pid] = /To let go of them: kill (\d+)/.exec(said()) ?? []
  kill(Number(pid), 'SIGTERM')
  await waitUntil('it has ended', () => guards(at.directory).length === 0)
  t.equal(levelOf(at, 17), undefined)
  await waitUntil('nothing is left of it', () => file() === '')
})

t.test('pinledger outputs safe says who holds them, and refuses while the agent runs', async (t) => {
  const at = site(t, 'gpiod')
  const config = join(at.directory, 'agent.yaml')
  writeFileSync(config, `${CONFIG}data: ${at.directory}\n`)
  const agent = startAgent(t, at)
  await waitUntil('the outputs are as wished', () => isWished(at))
  kill(agent.pid, 'SIGKILL')
  await waitUntil('all is safe', () => isSafe(at))
  const [guard = 0] = guards(at.directory)
  const held = await run(t, ['outputs', 'safe', '--config', config])
  t.match(held, { code: 0, out: `process ${guard} holds the outputs in their safe state` })
  t.strictSame(JSON.parse((await run(t, ['outputs', 'safe', '--config', config, '--json'])).out), { guard })
  kill(guard, 'SIGTERM')
  await waitUntil('it has ended', () => !isRunning(guard))
  const dir = openDataDir(at.directory)
  t.match(await run(t, ['outputs', 'safe', '--config', config]), {
    code: 3,
    err: /in use by process \d+: stop it/,
  })
  dir.close()
})

for (const kind of KINDS) {
  t.test(
    `${kind}: an agent that is killed and started twenty times, at any moment, leaves one guard at most`,
    async (t) => {
      const at = site(t, kind)
      for (let round = 0; round < 20; round++) {
        const agent = startAgent(t, at)
        // From before the guard runs until after it drives.
        await sleep(round * 15)
        if (round === 19) await waitUntil('the outputs are as wished', () => isWished(at))
        kill(agent.pid, 'SIGKILL')
      }
      await isHeld(t, at)
    },
  )
}

t.test('outputs whose agent is killed before its guard has opened them are left as they were', async (t) => {
  const at = site(t, 'gpiod')
  writeFileSync(join(at.pins, 'broken'), '')
  const agent = startAgent(t, at)
  await agent.line('it hears of the fault', (line) => line.includes('GPIO 17 is broken'))
  kill(agent.pid, 'SIGKILL')
  await waitUntil('no guard is left', () => guards(at.directory).length === 0)
  t.equal(levelOf(at, 17), undefined)
})
