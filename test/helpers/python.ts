/** The Python programs beside the vectors. The one that checks ledgers runs in one process: starting Python takes longer than most ledgers. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import t from 'tap'
import { fromRoot } from './root.ts'

/** Takes the arguments of a command line as a line of JSON and answers with a line: what the program would do in a process of its own. */
const SERVER = `
import contextlib, io, json, sys, traceback
sys.path.insert(0, sys.argv[1])
from verify_ledger import main
for line in sys.stdin:
    out, status, err = io.StringIO(), 0, ''
    try:
        with contextlib.redirect_stdout(out):
            main(json.loads(line))
    except SystemExit as end:
        status, err = 1, str(end)
    except BaseException:
        status, err = 1, traceback.format_exc()
    print(json.dumps({'status': status, 'stdout': out.getvalue(), 'stderr': err}), flush=True)
`

export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

const LACKING = 'python3 checks the protocol: install it (apt-get install python3)'

/** What a script says in a process of its own, as a person runs it. */
export function python(script: string, ...args: readonly string[]) {
  const path = fromRoot('test/vectors', script)
  const { error, ...outcome } = spawnSync('python3', ['-B', path, ...args], { encoding: 'utf8' })
  if (error !== undefined) throw new Error(LACKING)
  return outcome
}

let server: { child: ChildProcess; answers: AsyncIterator<string> } | undefined

function start(): { child: ChildProcess; answers: AsyncIterator<string> } {
  const child = spawn('python3', ['-B', '-c', SERVER, fromRoot('test/vectors')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.once('error', () => t.fail(LACKING))
  t.teardown(() => child.stdin.end())
  return { child, answers: createInterface({ input: child.stdout })[Symbol.asyncIterator]() }
}

/** What `verify_ledger.py` says with these arguments; one call at a time. */
export async function verifyLedger(...args: readonly string[]): Promise<Outcome> {
  server ??= start()
  server.child.stdin?.write(`${JSON.stringify(args)}\n`)
  const { value, done } = await server.answers.next()
  if (done === true) throw new Error('python3 has ended')
  return JSON.parse(value)
}
