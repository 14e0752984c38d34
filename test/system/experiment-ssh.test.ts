/**
 * Experiments over a real SSH server on this machine: a pair in step, a host key that is not known, a key that is not let in, and
 * a connection that ends.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { descendants, kill, parsed, run, startProgram, temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { notInstalled } from './machine.ts'

const MAIN = fromRoot('dist/cli/main.js')
const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd'].find(existsSync)

function does(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (error !== undefined || status !== 0) throw error ?? new Error(`${program}: ${stderr}`)
  return stdout
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = address !== null && typeof address === 'object' ? address.port : 0
      server.close(() => resolve(port))
    })
  })

/** A server that lets this user in by a key, and our ssh with a file of known hosts of its own: nothing else of it is other. */
async function serverOn(t: Test, sshd: string) {
  const folder = temporary(t)
  const at = (name: string): string => join(folder, name)
  for (const name of ['host', 'owner', 'stranger'])
    does('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', at(name)])
  writeFileSync(at('authorized'), does('ssh-keygen', ['-y', '-f', at('owner')]), { mode: 0o600 })
  // What sshd wants of root; Debian's service makes it.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  mkdirSync(at('bin'))
  const script = (name: string, text: string): void => {
    writeFileSync(join(at('bin'), name), `#!/bin/sh\n${text}\n`)
    chmodSync(join(at('bin'), name), 0o755)
  }
  script('pinledger', `exec '${process.execPath}' '${MAIN}' "$@"`)
  mkdirSync(at('desk'))
  writeFileSync(
    join(at('desk'), 'ssh'),
    `#!/bin/sh\nexec /usr/bin/ssh -F /dev/null -o UserKnownHostsFile='${at('known')}' -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes "$@"\n`,
    { mode: 0o755 },
  )
  writeFileSync(at('known'), '')
  const port = await freePort()
  const config = {
    ...{ ListenAddress: '127.0.0.1', Port: port, HostKey: at('host'), PidFile: 'none' },
    ...{ AuthorizedKeysFile: at('authorized'), StrictModes: 'no', UsePAM: 'no' },
    ...{ PasswordAuthentication: 'no', PermitRootLogin: 'prohibit-password' },
    SetEnv: `PATH=${at('bin')}:/usr/bin:/bin`,
  }
  writeFileSync(
    at('config'),
    Object.entries(config)
      .map(([name, value]) => `${name} ${value}\n`)
      .join(''),
  )
  const server = startProgram(t, sshd, ['-D', '-e', '-f', at('config')])
  await waitUntil('sshd listens', () => server.err.some((line) => line.includes('listening on')))
  const inventory = (key: string): string => {
    const file = at(`${key}.yml`)
    const host = `{ ansible_host: 127.0.0.1, ansible_port: ${port}, ansible_user: ${userInfo().username}, ansible_ssh_private_key_file: ${at(key)} }`
    writeFileSync(file, `pis:\n  hosts:\n    pi-1: ${host}\n    pi-2: ${host}\n`)
    return file
  }
  const start = (key: string, ...args: readonly string[]) =>
    startProgram(t, 'env', [
      `PATH=${at('desk')}:${process.env.PATH}`,
      ...[process.execPath, MAIN, 'clock', ...args, '--json', '--inventory', inventory(key)],
    ])
  const ended = async (key: string, ...args: readonly string[]) => {
    const program = start(key, ...args)
    return { code: (await program.ended).code, out: program.out, err: program.err.join('\n') }
  }
  const meet = (): void => writeFileSync(at('known'), does('ssh-keyscan', ['-p', String(port), '127.0.0.1']))
  return { server, at, start, ended, meet }
}

t.test('experiments over SSH', async (t) => {
  if (SSHD === undefined) return notInstalled(t, 'sshd', 'openssh-server')
  const { server, at, start, ended, meet } = await serverOn(t, SSHD)
  const mine = ['mine', '--difficulty', '2', '--ticks', '2', '--on', 'pi-1'] as const

  await t.test('a host key that nobody has compared is not taken', async (t) => {
    t.match(await ended('owner', ...mine), { code: 3, err: /host key of pi-1 .*ssh-keyscan/ })
  })
  meet()

  await t.test('a key that is not let in: nobody is asked for a password', async (t) => {
    t.match(await ended('stranger', ...mine), { code: 3, err: /pi-1 .* does not let us in/ })
  })

  await t.test('two hands in step on two machines, and their logs hold', async (t) => {
    const out = at('pair')
    const pair = ['pair', '--difficulty', '3,2', '--rounds', '5', '--on', 'pi-1,pi-2', '--out', out]
    const { code, out: lines, err } = await ended('owner', ...pair)
    t.equal(code, 0, err)
    t.equal(lines.map(parsed).filter((line) => line?.type === 'tick').length, 10)
    t.match(await run(t, ['clock', 'verify', out]), { code: 0, out: /5 ticks name hand b/ })
  })

  await t.test('a connection that ends is said, and what was found before is kept', async (t) => {
    const out = at('lost')
    const program = start(
      'owner',
      'mine',
      '--difficulty',
      '2',
      '--ticks',
      '1000000',
      '--on',
      'pi-1',
      '--out',
      out,
    )
    await program.line('there is a tick', (line) => parsed(line)?.type === 'tick')
    for (const pid of descendants(server.pid)) kill(pid, 'SIGKILL')
    t.equal((await program.ended).code, 3)
    t.match(program.err.join('\n'), /cannot reach pi-1|pinledger on pi-1 .*ended/)
    t.match(await run(t, ['clock', 'verify', out]), { code: 0, out: /hand a, \d+ ticks/ })
  })
})
