/** The supervisor's child, with small programs in place of ours. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Child } from '../../cli/child.ts'
import { bound } from '../helpers/bound.ts'
import { isRunning, kill, temporary } from '../helpers/processes.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** A child that runs `source`, and what it had to complain of. */
function childOf(t: Test, source: string) {
  const folder = temporary(t)
  const program = join(folder, 'program.mjs')
  writeFileSync(program, source)
  const problems: string[] = []
  const logFile = join(folder, 'program.log')
  const child = new Child({
    name: 'program',
    program,
    args: () => [],
    logFile,
    onProblem: (name, line) => void problems.push(`${name}: ${line}`),
  })
  t.teardown(() => child.stop())
  return { child, problems, log: () => readFileSync(logFile, 'utf8') }
}

const READY = "process.send({ ready: { mqttPort: 7 } }); process.on('disconnect', () => process.exit())\n"

t.test('it starts, says that it is ready, logs, and stops', async (t) => {
  const lines = `console.log(JSON.stringify({ level: 'info', event: 'fine' }))
console.log(JSON.stringify({ level: 'warn', name: 'x', event: 'careful', port: 9 }))\n`
  const { child, problems, log } = childOf(t, READY + lines)
  t.strictSame(await child.start(), { mqttPort: 7 })
  await waitUntil('a warning is passed on', () => problems.length === 1)
  t.strictSame(problems, ['program: careful port=9'])
  t.match(log(), /"fine".*"careful"/s)
  const { pid = 0 } = child
  t.ok(isRunning(pid))
  await child.stop()
  t.equal(isRunning(pid), false)
  t.equal(child.pid, undefined)
})

t.test('one that dies is started again; one that is stopped is not', async (t) => {
  const { child, problems } = childOf(t, READY)
  await child.start()
  const first = child.pid ?? 0
  kill(first, 'SIGKILL')
  await waitUntil('another runs', () => ![undefined, first].includes(child.pid))
  t.match(problems, [/program: ended \(SIGKILL\), starting again in \d\.\d s/])
  await child.stop()
  t.equal(child.pid, undefined)
})

t.test('one that ends before it is ready says why', async (t) => {
  const { child } = childOf(t, "console.error('port 1883 is taken'); process.exit(3)")
  await t.rejects(child.start(), { message: /program.*port 1883 is taken/ })
})

t.test('one that does not stop when asked is killed', async (t) => {
  const { child } = childOf(t, `${READY}process.on('SIGTERM', () => {})\n`)
  await child.start()
  const { pid = 0 } = child
  const startedMs = performance.now()
  await child.stop()
  t.equal(isRunning(pid), false)
  const ms = performance.now() - startedMs
  t.ok(ms > 1_000 && ms < bound(4_000), `after ${ms.toFixed(0)} ms`)
})
