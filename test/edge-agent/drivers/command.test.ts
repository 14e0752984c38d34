/** Real programs, whose limits are real time. */
import t, { type Test } from 'tap'
import { command } from '../../../edge-agent/drivers/command.ts'
import { spawnProgram } from '../../../edge-agent/program.ts'
import { formatDecimal } from '../../../schemas/units.ts'
import { createFakeMachine } from '../../helpers/fake-machine.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

/** A sensor of the command, with what it has said so far. */
function create(t: Test, argv: readonly string[], fields: object = {}) {
  const machine = createFakeMachine(0)
  t.teardown(machine.remove)
  const config = command.configSchema.parse({ driver: 'command', name: 'it', argv, unit: 'count', ...fields })
  const values: string[] = []
  const sensor = command.create(config, { ...machine, spawn: spawnProgram })
  return {
    sensor,
    values,
    machine,
    start: () => sensor.start(({ value }) => values.push(formatDecimal(value))),
  }
}

/** Value or report of one reading. */
async function say(t: Test, argv: readonly string[], fields: object = {}): Promise<string | undefined> {
  const { sensor, values, machine, start } = create(t, argv, fields)
  await start()
  await sensor.stop()
  return values[0] ?? machine.reports[0]
}
const sh = (script: string): readonly string[] => ['sh', '-c', script]
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

t.test('the number is the last line, or what a pattern finds in it, scaled', async (t) => {
  t.equal(await say(t, ['echo', '21.50']), '21.50')
  t.equal(await say(t, sh('echo warming; echo 12; echo')), '12')
  t.equal(await say(t, sh('echo 1; echo "T: 250 mK"'), { pattern: 'T: (\\d+)', scale: 0.001 }), '0.25')
})

t.test('arguments are no shell text, and the environment holds nothing of ours', async (t) => {
  process.env.SECRET_OF_OURS = '1'
  t.teardown(() => delete process.env.SECRET_OF_OURS)
  t.match(await say(t, ['echo', '$(echo 5)']), /found "\$\(echo 5\)"/)
  t.equal(await say(t, sh('env | grep -c SECRET; true')), '0')
  t.equal(await say(t, sh('env | grep -c ^PATH=')), '1')
})

t.test('what went wrong is said: exit code, its own words, no program, no number', async (t) => {
  t.match(await say(t, sh('echo 5; exit 3')), /gave no number: sh: exit code 3; run it by hand/)
  t.match(await say(t, sh('echo no sensor at 0x76 >&2; exit 1')), /sh: no sensor at 0x76/)
  t.match(await say(t, ['/nowhere/to/be/found']), /ENOENT/)
  t.match(await say(t, sh('kill -9 $$')), /ended by SIGKILL/)
  t.match(await say(t, ['true']), /expected a number, found ""/)
})

/** Runs a program that leaves another behind, until `done`; resolves once neither lives. */
async function runPair(t: Test, fields: object, done: (stop: () => Promise<void>) => Promise<void>) {
  const pids: number[] = []
  const { machine } = create(t, ['true'])
  const argv = sh('sleep 600 & echo $!; wait')
  const config = command.configSchema.parse({ driver: 'command', name: 'it', argv, unit: 'count', ...fields })
  const sensor = command.create(config, {
    ...machine,
    spawn: (name, args) => {
      const child = spawnProgram(name, args)
      child.stdout.on('data', (text) => pids.push(Number(text), child.pid ?? 0))
      return child
    },
  })
  const started = sensor.start(() => t.fail('said a value'))
  await waitUntil('both run', () => pids.length === 2)
  await done(() => sensor.stop())
  await started
  await waitUntil('both are gone', () => !pids.some(isAlive))
  await sensor.stop()
  return machine.reports
}

t.test('a program that takes too long is ended with all that it started', async (t) => {
  t.match(await runPair(t, { timeoutSeconds: 0.3 }, async () => {}), [/sh: not done after 0\.3 s/])
})

t.test('a stop does not wait for the program, and ends it too', async (t) => {
  t.strictSame(await runPair(t, {}, (stop) => stop()), [])
})

t.test('a program that writes too much is ended', async (t) => {
  t.match(await say(t, ['cat', '/dev/zero']), /wrote more than 65536 bytes/)
})

t.test('the configuration takes a program with arguments', async (t) => {
  const path = (fields: object) =>
    command.configSchema.safeParse({ driver: 'command', name: 'it', unit: 'V', argv: ['x'], ...fields }).error
      ?.issues[0]?.path[0]
  t.equal(path({}), undefined)
  t.equal(path({ argv: 'uptime -p' }), 'argv')
  t.equal(path({ argv: [] }), 'argv')
  t.equal(path({ argv: [''] }), 'argv')
  t.equal(path({ timeoutSeconds: 0 }), 'timeoutSeconds')
})
