/** The collection as its tools see it: linters, documentation of variables, units, and refusals that need no machine. */
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { fromRoot } from '../helpers/root.ts'

const ANSIBLE = fromRoot('ansible')
const ROLES = ['common', 'broker', 'validator', 'edge_agent', 'hardening']
/** Of systemd-analyze security: 0 is no exposure, 10 all of it. What keeps agents above the others is access to pins. */
const EXPOSURE_MAX = { broker: 1.8, validator: 1.8, agent: 2.2 }

const at = (...names: string[]): string => join(ANSIBLE, ...names)
const read = (...names: string[]): string => readFileSync(at(...names), 'utf8')
const role = (name: string, file: string) => parse(read('roles', name, ...file.split('/'))) as object

function run(program: string, args: readonly string[], cwd = ANSIBLE) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 240_000,
    env: { ...process.env, ANSIBLE_NOCOLOR: '1', ANSIBLE_LOCALHOST_WARNING: 'False', LC_ALL: 'C.UTF-8' },
  })
  if (error !== undefined) throw error
  return { code: status, said: stdout + stderr }
}

t.test('yamllint and ansible-lint, with the rules for production, have nothing to say', async (t) => {
  const yaml = run('yamllint', ['--strict', '.'])
  t.equal(yaml.code, 0, yaml.said)
  const lint = run('ansible-lint', ['--offline', '--profile', 'production', '--strict', '--nocolor'])
  t.equal(lint.code, 0, lint.said)
})

t.test('the example inventory suits every playbook', async (t) => {
  const books = readdirSync(at('playbooks')).map((name) => join('playbooks', name))
  const { code, said } = run('ansible-playbook', ['-i', 'inventory.example', '--syntax-check', ...books])
  t.equal(code, 0, said)
  const { said: hosts } = run('ansible-inventory', ['-i', 'inventory.example', '--list'])
  t.match(hosts, /"pi-greenhouse"/)
})

t.test(
  'every variable has its role in its name, a default, a specification, and a row in docs/FLEET.md',
  async (t) => {
    const table = read('..', 'docs', 'FLEET.md')
    for (const name of ROLES) {
      const defaults = Object.keys(role(name, 'defaults/main.yml'))
      const specs = role(name, 'meta/argument_specs.yml') as {
        argument_specs: { main: { options: Record<string, { description?: string }> } }
      }
      const { options } = specs.argument_specs.main
      t.strictSame(Object.keys(options), defaults, name)
      for (const variable of defaults) {
        t.ok(variable.startsWith(name === 'common' ? 'pinledger_' : `pinledger_${name}_`), variable)
        t.match(table, `\n| \`${variable}\` | `, `${variable} is in docs/FLEET.md`)
        t.ok(options[variable]?.description, `${variable} is described`)
      }
    }
    const rows = [...table.matchAll(/\n\| `(pinledger_\w+)` \| /g)].map(([, variable]) => variable)
    const known = ROLES.flatMap((name) => Object.keys(role(name, 'defaults/main.yml')))
    t.strictSame(rows.toSorted(), known.toSorted(), 'and no row too many')
  },
)

t.test('units are sound, sandboxed as docs/FLEET.md states, and may use no device but pins', async (t) => {
  const directory = t.testdir({ 'pinledger-.service.d': {} })
  copyFileSync(at('roles/common/files/sandbox.conf'), join(directory, 'pinledger-.service.d', 'sandbox.conf'))
  const program = join(directory, 'pinledger')
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
  for (const [name, most] of Object.entries(EXPOSURE_MAX)) {
    const source = `roles/${name === 'agent' ? 'edge_agent' : name}/files/pinledger-${name}.service`
    const unit = read(source).replaceAll('/usr/local/bin/pinledger', program)
    writeFileSync(join(directory, `pinledger-${name}.service`), unit)
    const { code, said } = run(
      'systemd-analyze',
      ['security', '--offline=true', '--no-pager', `--threshold=${most * 10}`, `./pinledger-${name}.service`],
      directory,
    )
    const exposure = /exposure level for .*: ([\d.]+)/.exec(said)?.[1]
    t.equal(code, 0, `${name}: ${exposure}, at most ${most}`)
    t.match(read('..', 'docs', 'FLEET.md'), `| \`pinledger-${name}\` | ${exposure} |`)
    t.strictSame(
      [...unit.matchAll(/^DeviceAllow=(.*)$/gm)].map(([, device]) => device),
      name === 'agent' ? ['char-gpiochip rw'] : [],
    )
    const verified = run('systemd-analyze', ['verify', `./pinledger-${name}.service`], directory)
    t.equal(verified.code, 0, verified.said)
    t.equal(verified.said.includes(directory), false, verified.said)
  }
  const sandbox = read('roles/common/files/sandbox.conf')
  for (const line of ['NotifyAccess=all', 'Restart=always', 'User=pinledger', 'DevicePolicy=closed'])
    t.match(sandbox, `\n${line}\n`)
})

/** Runs the part of the role common that chooses a Node, as a dry run on this machine, with what a probe would have found. */
function chooseNode(directory: string, found: string, offered: string, more: object = {}) {
  mkdirSync(directory, { recursive: true })
  const book = join(directory, 'node.yml')
  writeFileSync(
    book,
    `- hosts: localhost
  tasks:
    - ansible.builtin.import_role: { name: common, tasks_from: node }
`,
  )
  const facts = {
    pinledger_node_found: { stdout: found },
    pinledger_node_offered: { stdout: `nodejs:\n  Installed: (none)\n  Candidate: ${offered}\n` },
    ansible_check_mode: true,
    ...more,
  }
  return run('ansible-playbook', [
    '--check',
    '-c',
    'local',
    '-i',
    'localhost,',
    '-e',
    JSON.stringify(facts),
    book,
  ])
}

t.test(
  'Bookworm, whose Node is 18, is refused with what to do, unless a tarball of Node is given',
  async (t) => {
    const refused = chooseNode(t.testdirName, '', '18.20.4+dfsg-1~deb12u1')
    t.equal(refused.code, 2, refused.said)
    const said = refused.said.replaceAll(/\s+/g, ' ')
    t.match(said, 'localhost has no Node that will do: pinledger needs 20.15.0 or later, below 25.0.0')
    t.match(said, '18.20.4+dfsg-1~deb12u1')
    t.match(said, 'set pinledger_node_tarball and pinledger_node_tarball_sha256')
    t.equal(chooseNode(t.testdirName, 'v18.20.4', '18.20.4+dfsg-1').code, 2, 'installed or not')
    t.equal(chooseNode(t.testdirName, 'v25.0.0', '(none)').code, 2, 'one that is too new neither')

    const tarball = join(t.testdirName, 'node-v20.20.2-linux-arm64.tar.gz')
    writeFileSync(tarball, 'another')
    const wrong = chooseNode(t.testdirName, 'v18.20.4', '(none)', {
      pinledger_node_tarball: tarball,
      pinledger_node_tarball_sha256: 'a'.repeat(64),
    })
    t.equal(wrong.code, 2)
    t.match(wrong.said, `expected SHA-256 ${'a'.repeat(64)}`)
  },
)

t.test('Trixie takes its own Node, and one that is there stays', async (t) => {
  const installed = chooseNode(t.testdirName, 'v20.19.2', '20.19.2+dfsg-1')
  t.equal(installed.code, 0, installed.said)
  t.match(installed.said, /skipping: \[localhost\]/)
})

t.test('files and folders are made as a list says; a dry run tells what it would change', async (t) => {
  const { username, gid } = userInfo()
  const folder = join(t.testdir(), 'conf.d')
  const file = join(folder, 'ours.conf')
  const [book, text] = [join(t.testdirName, 'files.yml'), 'level=1\n']
  const entry = { owner: username, group: String(gid) }
  const play = (content: string, args: readonly string[] = [], more: object = {}) => {
    const entries = [
      { ...entry, path: folder, mode: '0750' },
      { ...entry, path: file, mode: '0640', content, ...more },
    ]
    writeFileSync(
      book,
      stringify([{ hosts: 'localhost', gather_facts: false, tasks: [{ pinledger_files: { entries } }] }]),
    )
    return run('ansible-playbook', ['-c', 'local', '-i', 'localhost,', ...args, book])
  }
  const rights = () => [folder, file].map((path) => (statSync(path).mode & 0o777).toString(8))

  const dry = play(text, ['--check', '--diff'])
  t.match(dry.said, 'changed=1')
  t.match(dry.said, '+level=1')
  t.strictSame(readdirSync(t.testdirName), ['files.yml'], 'and changes nothing')

  t.match(play(text).said, 'changed=1')
  t.equal(readFileSync(file, 'utf8'), text)
  t.strictSame(rights(), ['750', '640'])
  t.match(play(text).said, 'changed=0')

  chmodSync(file, 0o666)
  t.match(play(text, ['--check']).said, 'changed=1')
  t.strictSame(rights(), ['750', '666'], 'a dry run leaves rights as they are too')
  t.match(play(text).said, 'changed=1')
  t.strictSame(rights(), ['750', '640'])

  const refused = play('level=2\n', [], { validate: 'grep level=1 %s' })
  t.equal(refused.code, 2, refused.said)
  t.match(refused.said, 'refuses the new content')
  t.equal(readFileSync(file, 'utf8'), text, 'what its program refuses is not put in place')
})
