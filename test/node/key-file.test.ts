import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { WorldError } from '../../node/error.ts'
import { createKey, loadKey } from '../../node/key-file.ts'
import { signatures } from '../../node/signing.ts'

const message = new TextEncoder().encode('a message')
// RFC 8032 section 7.1, test 2
const SECRET = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'
const ACCOUNT = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'

const keyPath = (t: { testdir(): string }) => join(t.testdir(), 'device.key')

function writeKey(path: string, content: string, mode = 0o600): void {
  writeFileSync(path, content)
  chmodSync(path, mode)
}

/** The error of loading `path`, with all that printing it would show. */
function failure(path: string): { code: string; text: string } {
  try {
    loadKey(path)
  } catch (error) {
    if (error instanceof WorldError) return { code: error.code, text: inspect(error, { depth: 9 }) }
    throw error
  }
  return { code: 'none', text: '' }
}

t.test('a created key loads again and signs for the same account', async (t) => {
  const path = keyPath(t)
  const created = createKey(path)
  const loaded = loadKey(path)
  t.equal(loaded.account, created.account)
  t.ok(signatures.verify(loaded.sign(message), message, created.account))
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.same(readdirSync(join(path, '..')), ['device.key'])
  t.match(JSON.parse(readFileSync(path, 'utf8')), { pinledgerKey: 1, account: created.account })
})

t.test('two created keys differ', async (t) => {
  const directory = t.testdir()
  t.not(createKey(join(directory, 'a')).account, createKey(join(directory, 'b')).account)
})

t.test('a key file of format 1 stays readable', async (t) => {
  const path = keyPath(t)
  writeKey(path, `{"pinledgerKey":1,"account":"${ACCOUNT}","secret":"${SECRET}"}`)
  t.equal(loadKey(path).account, ACCOUNT)
})

t.test('a key is never replaced', async (t) => {
  const path = keyPath(t)
  const { account } = createKey(path)
  t.throws(() => createKey(path), { code: 'key-file', message: /already there and is never replaced/ })
  t.equal(loadKey(path).account, account)
  t.throws(() => createKey(join(path, '..', 'none', 'key')), { code: 'key-file', message: /ENOENT/ })
})

t.test('a key that others can reach is refused with the command that mends it', async (t) => {
  const path = keyPath(t)
  createKey(path)
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    chmodSync(path, mode)
    t.throws(() => loadKey(path), { code: 'key-file', message: `run  chmod 600 ${path}` }, mode.toString(8))
  }
  chmodSync(path, 0o400)
  t.doesNotThrow(() => loadKey(path))
})

t.test('the command quotes a path that a shell would split', async (t) => {
  const path = join(t.testdir(), "my pi's key")
  createKey(path)
  chmodSync(path, 0o644)
  t.throws(() => loadKey(path), { message: /chmod 600 '.*my pi'\\''s key'$/ })
})

t.test('a missing key says how to make one', async (t) => {
  t.match(failure(keyPath(t)), { code: 'key-file', text: /ENOENT[\s\S]*pinledger keygen/ })
})

t.test('an account that does not belong to the secret is refused', async (t) => {
  const path = keyPath(t)
  writeKey(path, JSON.stringify({ pinledgerKey: 1, account: 'ab'.repeat(32), secret: SECRET }))
  t.match(failure(path), { code: 'key-file', text: new RegExp(`belongs to account ${ACCOUNT}, not to abab`) })
})

t.test('garbage is refused, and no error shows a part of the secret', async (t) => {
  const path = keyPath(t)
  const valid = `{"pinledgerKey":1,"account":"${ACCOUNT}","secret":"${SECRET}"}`
  const garbage = [
    '',
    '\0\xff',
    SECRET,
    `"${SECRET}"`,
    `{"secret":"${SECRET}"`,
    `${SECRET}}`,
    valid.replace('pinledgerKey":1', 'pinledgerKey":2'),
    valid.replace(SECRET, SECRET.slice(2)),
    valid.replace(SECRET, SECRET.toUpperCase()),
    valid.replace('"account"', '"name"'),
    valid.replace('{', `{"${SECRET}":1,`),
    `[${valid}]`,
    valid + ' '.repeat(5000),
    valid.replace(ACCOUNT, 'cd'.repeat(32)),
  ]
  for (const content of garbage) {
    writeKey(path, content)
    const { code, text } = failure(path)
    t.equal(code, 'key-file', JSON.stringify(content.slice(0, 20)))
    for (let at = 0; at + 6 <= SECRET.length; at += 2) {
      if (text.toLowerCase().includes(SECRET.slice(at, at + 6)))
        t.fail(`shows ${SECRET.slice(at, at + 6)}: ${text}`)
    }
  }
})

t.test('what is not a file is refused', async (t) => {
  const path = keyPath(t)
  mkdirSync(path, { mode: 0o700 })
  t.match(failure(path), { code: 'key-file', text: /not a regular file/ })
})
