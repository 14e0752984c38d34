/** Experiments over SSH, with a program in ssh's place that runs what it is told on this machine, or fails as ssh does. */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { feedCommand, sshArguments, whyEnded } from '../../cli/clock-ssh.ts'
import { descendants, parsed, startProgram, temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const MAIN = fromRoot('dist/cli/main.js')
const HOST = { name: 'pi-1', address: '10.0.0.1', user: 'fleet', port: 2222, keyFile: '~/.ssh/pi' }
const INVENTORY = `pis:
  hosts:
    pi-1: { ansible_host: 10.0.0.1, ansible_user: fleet, ansible_port: 2222 }
    pi-2: { ansible_host: 10.0.0.2 }
`

function script(path: string, body: string): void {
  writeFileSync(path, `#!/bin/sh\n${body}\n`)
  chmodSync(path, 0o755)
}

/** A machine whose ssh does `body`; `$command` is what the other machine is told to run. */
function desk(t: Test, body: string) {
  const folder = temporary(t)
  const inventory = join(folder, 'hosts.yml')
  writeFileSync(inventory, INVENTORY)
  script(join(folder, 'pinledger'), `exec '${process.execPath}' '${MAIN}' "$@"`)
  script(join(folder, 'ssh'), `for command; do :; done\nprintf '%s\\n' "$@" >> '${folder}/argv'\n${body}`)
  const start = (args: readonly string[], path = `${folder}:${process.env.PATH}`) =>
    startProgram(t, 'env', [
      `PATH=${path}`,
      process.execPath,
      MAIN,
      'clock',
      ...args,
      '--inventory',
      inventory,
    ])
  const run = async (args: readonly string[], path?: string) => {
    const program = start(args, path)
    const { code } = await program.ended
    return { code, out: program.out, err: program.err.join('\n') }
  }
  return { folder, start, run }
}

t.test('what ssh is told: names and paths, host keys checked, the address after --', async (t) => {
  const args = sshArguments(HOST, feedCommand(2))
  t.strictSame(args.slice(-9), [
    ...['-p', '2222', '-l', 'fleet', '-i', '~/.ssh/pi', '--', '10.0.0.1'],
    'pinledger clock mine --feed --json --threads 2',
  ])
  for (const option of ['BatchMode=yes', 'StrictHostKeyChecking=yes', 'ConnectTimeout=10'])
    t.equal(args[args.indexOf(option) - 1], '-o')
  const bare = sshArguments(
    { name: 'b', address: 'b', user: undefined, port: undefined, keyFile: undefined },
    'x',
  )
  t.strictSame(bare.slice(-3), ['--', 'b', 'x'])
  t.notOk(bare.includes('-l') || bare.includes('-p') || bare.includes('-i'))
})

t.test('why there is no search on a host', async (t) => {
  const cases: readonly [code: number, said: string, why: RegExp][] = [
    [
      255,
      'ssh: connect to host 10.0.0.1 port 22: No route to host',
      /cannot reach pi-1 \(10\.0\.0\.1\) by ssh: .*No route/,
    ],
    [255, 'Host key verification failed.', /host key of pi-1 .*ssh-keyscan 10\.0\.0\.1/],
    [255, 'No ED25519 host key is known for 10.0.0.1 and you have requested strict checking.', /ssh-keyscan/],
    [255, 'fleet@10.0.0.1: Permission denied (publickey).', /does not let us in/],
    [127, 'sh: 1: pinledger: not found', /no pinledger on pi-1 .*site\.yml --limit pi-1/],
    [2, "error: unknown command 'clock'", /too old for experiments.*update\.yml --limit pi-1/],
    [2, "error: unknown option '--feed'", /too old/],
    [70, 'bug \u001b[2J', /ended \(70\): bug \uFFFD\[2J/],
    [1, '', /ended \(1\): without a word/],
  ]
  for (const [code, said, why] of cases) t.match(whyEnded(HOST, code, said), why)
})

t.test('a pair on two machines: the tables name them, and both logs hold', async (t) => {
  // A login that greets does not disturb.
  const { folder, run } = desk(t, 'echo Welcome to this Pi\nexec sh -c "$command"')
  const out = join(folder, 'pair')
  const pair = ['pair', '--difficulty', '2,1', '--rounds', '3', '--on', 'pi-1,pi-2', '--json', '--out', out]
  const { code, out: lines, err } = await run(pair)
  t.equal(err, '')
  t.equal(code, 0)
  const ticks = lines.map(parsed).filter((line) => line?.type === 'tick')
  t.strictSame(
    ticks.map((tick) => [tick?.round, tick?.hand]),
    [1, 2, 3].flatMap((round) => [
      [round, 'a@pi-1'],
      [round, 'b@pi-2'],
    ]),
  )
  const said = readFileSync(join(folder, 'argv'), 'utf8').split('\n')
  t.ok(said.includes('10.0.0.1') && said.includes('10.0.0.2') && said.includes('fleet'))
  const verified = await startProgram(t, process.execPath, [MAIN, 'clock', 'verify', out]).ended
  t.equal(verified.code, 0)
})

t.test('no machine goes on mining when this end is gone', async (t) => {
  const { start } = desk(t, 'exec sh -c "$command"')
  const program = start(['mine', '--difficulty', '15', '--on', 'pi-1', '--json'])
  await program.line('it has begun', (line) => parsed(line)?.type === 'hand')
  await waitUntil('ssh runs', () => descendants(program.pid).length > 0)
  const below = descendants(program.pid)
  process.kill(program.pid, 'SIGKILL')
  const gone = (pid: number): boolean => {
    try {
      process.kill(pid, 0)
      return readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ')
    } catch {
      // It has ended.
      return true
    }
  }
  await waitUntil('all have ended', () => below.every(gone), 20_000)
})

t.test('Ctrl-C ends it with what was found', async (t) => {
  const { start } = desk(t, 'exec sh -c "$command"')
  const program = start(['mine', '--difficulty', '1', '--ticks', '1000000', '--on', 'pi-1,pi-2', '--json'])
  await program.line('there is a tick', (line) => parsed(line)?.type === 'tick')
  process.kill(program.pid, 'SIGINT')
  t.equal((await program.ended).code, 0)
  const summaries = program.out.map(parsed).filter((line) => line?.type === 'summary')
  t.strictSame(
    summaries.map((line) => line?.hand),
    ['a@pi-1', 'b@pi-2'],
  )
})

t.test(
  'a host that is not in the inventory, no ssh, nobody there, a pinledger too old, one that lies',
  async (t) => {
    const mine = ['mine', '--difficulty', '1', '--ticks', '2', '--on', 'pi-1']
    const works = desk(t, 'exec sh -c "$command"')
    t.match(await works.run(['mine', '--on', 'pi-1,pi-9']), {
      code: 2,
      err: /pi-9 is not in .*, which has pi-1, pi-2/,
    })
    t.match(await works.run(mine, '/nonexistent'), { code: 3, err: /no program ssh here.*openssh-client/ })
    const dead = desk(t, "echo 'ssh: connect to host 10.0.0.1 port 2222: Connection refused' >&2; exit 255")
    t.match(await dead.run(mine), { code: 3, err: /cannot reach pi-1 \(10\.0\.0\.1\) by ssh: .*refused/ })
    const old = desk(t, `echo "error: unknown command 'clock'" >&2; exit 2`)
    t.match(await old.run(mine), { code: 3, err: /pinledger on pi-1 .* is too old/ })
    const other = desk(t, `echo '{"ready":2,"software":"9.9.9"}'; cat >/dev/null`)
    t.match(await other.run(mine), { code: 3, err: /9\.9\.9 on pi-1 speaks another version/ })
    // It gives back what it was given, and calls it found.
    const liar = desk(
      t,
      `echo '{"ready":1,"software":"9"}'; while read -r job; do echo "\${job%\\}},\\"hashes\\":1,\\"ms\\":1}"; done`,
    )
    t.match(await liar.run(['mine', '--difficulty', '9', '--on', 'pi-1']), {
      code: 3,
      err: /what a@pi-1 found does not hold: high-hash/,
    })
  },
)
