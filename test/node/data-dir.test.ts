import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { openDataDir } from '../../node/data-dir.ts'
import { fromRoot } from '../helpers/root.ts'

const locks = (directory: string) => readdirSync(directory).filter((name) => name.startsWith('lock-'))
const OURS = /^lock-(\d+)-([0-9a-f]*)-(\d*)$/

/** A process that opens `directory`, says so or says why not, and then waits to be killed. */
async function opener(directory: string) {
  const source = pathToFileURL(fromRoot('dist/node/data-dir.js')).href
  const script = `
    const { openDataDir } = await import(${JSON.stringify(source)})
    try { openDataDir(${JSON.stringify(directory)}); console.log('open') } catch (error) { console.log(error.code) }
    setInterval(() => {}, 1000)`
  // Without the test runner's instruments, which double the time that a program takes to start.
  const command = ['-u', 'NODE_OPTIONS', process.execPath, '--input-type=module', '--eval', script]
  const child = spawn('env', command, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return { said: line.toString().trim(), child }
}

t.test('a new directory is private, and closing leaves no lock', async (t) => {
  const path = join(t.testdir(), 'deep', 'data')
  const data = openDataDir(path)
  t.equal(statSync(path).mode & 0o777, 0o700)
  t.equal(data.path, path)
  t.equal(data.file('chain.log'), join(path, 'chain.log'))
  t.equal(locks(path).length, 1)
  const [name = ''] = locks(path)
  t.equal(readFileSync(join(path, name), 'utf8'), `${process.pid}\n`)
  t.equal(statSync(join(path, name)).mode & 0o777, 0o600)
  data.close()
  data.close()
  t.same(locks(path), [])
})

t.test('one process opens a directory once', async (t) => {
  const path = t.testdir()
  chmodSync(path, 0o700)
  const first = openDataDir(path)
  t.throws(() => openDataDir(path), {
    code: 'store-locked',
    message: new RegExp(`${path} is in use by this process \\(pid ${process.pid}\\)`),
  })
  t.equal(locks(path).length, 1, 'the lock of the first stays')
  first.close()
  openDataDir(path).close()
})

t.test('a second process is refused with pid and directory; after kill -9 it gets in at once', async (t) => {
  const path = join(t.testdir(), 'data')
  const { said, child } = await opener(path)
  t.teardown(() => child.kill('SIGKILL'))
  t.equal(said, 'open')
  t.throws(() => openDataDir(path), {
    code: 'store-locked',
    message: new RegExp(`${path} is in use by process ${child.pid}: stop it first \\(kill ${child.pid}\\)`),
  })
  t.equal(locks(path).length, 1, 'who was refused leaves no lock')
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
  t.equal(locks(path).length, 1, 'a stale lock')
  const data = openDataDir(path)
  t.equal(locks(path).length, 1, 'only ours')
  data.close()
})

t.test('a process that has ended but was not yet waited for does not hold its lock', async (t) => {
  const path = join(t.testdir(), 'data')
  openDataDir(path).close()
  // The shell becomes sleep, which never waits for the child that the shell had.
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8')
  while (!stat().includes(') Z ')) await new Promise((done) => setTimeout(done, 5))
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)
  const start = stat()
    .slice(stat().lastIndexOf(')') + 2)
    .split(' ')[19]
  writeFileSync(join(path, `lock-${pid}-${boot}-${start}`), `${pid}\n`)
  openDataDir(path).close()
})

t.test('a pid given out again, or of another boot, does not hold the lock', async (t) => {
  const path = join(t.testdir(), 'data')
  const data = openDataDir(path)
  const [, pid = '', boot = '', start = ''] = OURS.exec(locks(path)[0] ?? '') ?? []
  data.close()
  const otherBoot = boot.startsWith('0') ? 'ffffffff' : '00000000'
  for (const name of [`lock-${pid}-${boot}-${Number(start) - 1}`, `lock-${pid}-${otherBoot}-${start}`]) {
    writeFileSync(join(path, name), `${pid}\n`)
    openDataDir(path).close()
    t.same(locks(path), [], name)
  }
})

t.test('without start times the pid alone decides', async (t) => {
  const path = join(t.testdir(), 'data')
  const data = openDataDir(path)
  const boot = OURS.exec(locks(path)[0] ?? '')?.[2]
  data.close()
  writeFileSync(join(path, `lock-1-${boot}-`), '1\n')
  t.throws(() => openDataDir(path), { code: 'store-locked', message: /process 1:/ })
  rmSync(join(path, `lock-1-${boot}-`))
  writeFileSync(join(path, `lock-4194305-${boot}-`), '4194305\n') // above the kernel's largest pid
  openDataDir(path).close()
  t.same(locks(path), [])
})

t.test('of many that start at once never two get in', async (t) => {
  const path = join(t.testdir(), 'data')
  mkdirSync(path, { mode: 0o700 })
  writeFileSync(join(path, 'lock-4194305-00000000-1'), '4194305\n')
  const openers = await Promise.all([opener(path), opener(path), opener(path)])
  for (const { child } of openers) child.kill('SIGKILL')
  const said = openers.map((one) => one.said)
  t.ok(said.filter((word) => word === 'open').length <= 1, said.join())
  t.same(new Set(said.filter((word) => word !== 'open')), new Set(['store-locked']))
})

t.test('a directory that others can write to is refused with the command that mends it', async (t) => {
  const path = join(t.testdir(), 'data')
  mkdirSync(path)
  chmodSync(path, 0o775)
  t.throws(() => openDataDir(path), { code: 'store-write', message: `(mode 0775): run  chmod 700 '${path}'` })
  t.same(locks(path), [])
  chmodSync(path, 0o755)
  openDataDir(path).close()
})

t.test(
  'what cannot be a directory is refused with its path, and files of other names are left alone',
  async (t) => {
    const path = t.testdir({ file: '', 'lock-mine': '' })
    chmodSync(path, 0o700)
    t.throws(() => openDataDir(join(path, 'file')), {
      code: 'store-write',
      message: /file as data directory/,
    })
    openDataDir(path).close()
    t.ok(existsSync(join(path, 'lock-mine')))
  },
)
