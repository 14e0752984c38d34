import t from 'tap'
import { EXIT, exitCodeOf, explain } from '../../cli/exit.ts'
import { type ErrorCode, WorldError } from '../../node/error.ts'

t.test('exit codes follow from whose fault it is', (t) => {
  const of = (code: ErrorCode): number => exitCodeOf(new WorldError(code, 'what to do'))
  for (const code of ['config', 'usage'] as const) t.equal(of(code), EXIT.usage)
  for (const code of [
    'key-file',
    'store-corrupt',
    'store-write',
    'store-locked',
    'port-in-use',
    'broker-unreachable',
    'sensor',
  ] as const)
    t.equal(of(code), EXIT.world)
  t.equal(exitCodeOf(new TypeError('x')), EXIT.bug)
  t.equal(exitCodeOf('thrown text'), EXIT.bug)
  t.end()
})

t.test('people read what to do; a stack is for our own bugs only', (t) => {
  t.equal(explain(new WorldError('config', 'set the field')), 'set the field')
  t.match(explain(new TypeError('oops')), /^bug in pinledger, please report it: TypeError: oops\n {4}at /)
  t.match(explain(7), 'bug in pinledger, please report it: 7')
  t.end()
})
