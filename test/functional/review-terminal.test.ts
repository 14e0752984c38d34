/** What a child of `pinledger up` prints reaches the person's terminal without the power to move its cursor. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Child } from '../../cli/child.ts'
import { temporary } from '../helpers/processes.ts'
import { waitUntil } from '../helpers/wait-until.ts'

t.test('control characters in a log line, and a log that cannot be written', async (t) => {
  const directory = temporary(t)
  const program = join(directory, 'program.mjs')
  const line = JSON.stringify({ level: 'warn', event: 'refused', client: '\x1b]0;mine\x07\u202e' })
  writeFileSync(
    program,
    `process.send({ ready: {} })
     setTimeout(() => { console.log(${JSON.stringify(line)}); console.log('\\x1b[2Jraw') }, 50)
     process.on('SIGTERM', () => process.exit(0))`,
  )
  const logFile = join(directory, 'log')
  mkdirSync(logFile)
  const problems: string[] = []
  const child = new Child({
    name: 'child',
    program,
    args: () => [],
    logFile,
    onProblem: (_name, problem) => void problems.push(problem),
  })
  t.teardown(() => child.stop())
  await child.start()
  await waitUntil('both lines came', () => problems.some((problem) => problem.includes('raw')))
  t.match(problems[0], /cannot write its log/)
  t.equal(problems.filter((problem) => problem.includes('log')).length, 1, 'said once')
  t.ok(problems.includes('refused client=\uFFFD]0;mine\uFFFD\uFFFD'))
  t.ok(problems.includes('\uFFFD[2Jraw'))
})
