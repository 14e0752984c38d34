import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { audit, openAppendLog } from '../../node/append-log.ts'
import { createFileDurably, openLogFile, openLogFileReadOnly, syncDirectory } from '../../node/disk.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)

t.test('a log on a real disk survives reopening and a torn tail', async (t) => {
  const path = join(t.testdir(), 'chain.log')
  const first = openAppendLog(openLogFile(path))
  const [position = 0] = first.append([{ kind: 1, bytes: bytesOf('one') }])
  first.append([{ kind: 1, bytes: bytesOf('two') }])
  first.close()
  t.equal(statSync(path).mode & 0o777, 0o600)
  writeFileSync(path, readFileSync(path).subarray(0, -1))

  const second = openAppendLog(openLogFile(path))
  t.equal(second.torn, 26)
  t.equal(second.size, statSync(path).size)
  t.equal(Buffer.from(second.read(position).bytes).toString(), 'one')
  second.append([{ kind: 1, bytes: bytesOf('three') }])
  second.close()

  const file = openLogFileReadOnly(path)
  const seen = [...audit(file)].map((outcome) => outcome.ok && Buffer.from(outcome.value.bytes).toString())
  file.close()
  t.same(seen, ['one', 'three'])
})

t.test('a file that is open for reading only cannot be changed or made', async (t) => {
  const directory = t.testdir({ 'chain.log': 'PINL' })
  const file = openLogFileReadOnly(join(directory, 'chain.log'))
  t.throws(() => file.append(bytesOf('x')), /invariant/)
  t.throws(() => file.truncate(0), /invariant/)
  t.match([...audit(file)], [{ ok: false, fault: { code: 'torn-tail', bytes: 4 } }])
  file.close()
  t.equal(readFileSync(join(directory, 'chain.log'), 'utf8'), 'PINL')
  t.throws(() => openLogFileReadOnly(join(directory, 'none.log')), { code: 'usage', message: /none\.log/ })
  t.same(readdirSync(directory), ['chain.log'])
})

t.test('reading past the end of a file says where', async (t) => {
  const file = openLogFile(join(t.testdir({ 'a.log': '12345678' }), 'a.log'))
  t.equal(Buffer.from(file.read(2, 3)).toString(), '345')
  t.throws(() => file.read(6, 3), {
    code: 'store-corrupt',
    message: /a\.log at offset 8: the file ends there/,
  })
  file.close()
  t.throws(() => file.read(0, 1), { code: 'store-corrupt', message: /EBADF/ })
})

t.test('what is not a file that we may open is refused with its path', async (t) => {
  const directory = t.testdir()
  t.throws(() => openLogFile(directory), { code: 'store-write', message: /EISDIR|not a regular file/ })
  t.throws(() => openLogFile('/dev/null'), {
    code: 'store-write',
    message: /\/dev\/null: it is not a regular file/,
  })
  t.throws(() => openLogFile(join(directory, 'no', 'chain.log')), { code: 'store-write', message: /ENOENT/ })
})

t.test('a durable file is whole, private, never replaced, and leaves no draft', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'key.json')
  createFileDurably(path, bytesOf('first'))
  t.throws(() => createFileDurably(path, bytesOf('second')), { code: 'EEXIST' })
  t.equal(readFileSync(path, 'utf8'), 'first')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(path).nlink, 1)
  t.same(readdirSync(directory), ['key.json'])
})

t.test('a directory that is not there cannot be synced', async (t) => {
  const directory = t.testdir()
  syncDirectory(directory)
  chmodSync(directory, 0o700)
  t.throws(() => syncDirectory(join(directory, 'none')), { code: 'ENOENT' })
})
