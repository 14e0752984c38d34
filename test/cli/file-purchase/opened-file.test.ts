import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { writeOpened } from '../../../cli/file-purchase/opened-file.ts'
import { PartFile } from '../../../cli/file-purchase/part-file.ts'
import { sealChunk } from '../../../node/file-cipher.ts'
import { FILE_CHUNK_BYTES } from '../../../schemas/file-message.ts'
import { temporary } from '../../helpers/processes.ts'

const KEY = new Uint8Array(32).fill(7)
const TEXT = Uint8Array.from({ length: 2 * FILE_CHUNK_BYTES + 5 }, (_, at) => (at * 7) % 253)

/** A ciphertext of three chunks, and a directory for what it opens to. */
function lab(t: Test) {
  const directory = temporary(t)
  const part = new PartFile(join(temporary(t), 'ciphertext'), TEXT.length)
  t.teardown(() => part.close())
  for (let index = 0; index < 3; index++) {
    const text = TEXT.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES)
    part.append(sealChunk(KEY, { index, last: index === 2 }, text))
  }
  const out = join(directory, 'out')
  return { part, directory, out, names: () => readdirSync(directory).sort() }
}

t.test('what opens is there whole, for its owner alone, and nothing beside it', async (t) => {
  const { part, out, names } = lab(t)
  t.equal(writeOpened(part, KEY, out), 'written')
  t.ok(readFileSync(out).equals(TEXT))
  t.equal(statSync(out).mode & 0o777, 0o600)
  t.strictSame(names(), ['out'])
  t.equal(writeOpened(part, KEY, out), 'written', 'it is what an earlier run wrote')
  t.strictSame(names(), ['out'])
})

t.test('what does not open leaves nothing', async (t) => {
  const { part, out, names } = lab(t)
  t.equal(
    writeOpened(
      part,
      KEY.map((byte) => byte ^ 1),
      out,
    ),
    'spoilt',
  )
  t.strictSame(names(), [])
})

t.test('what is there already is never replaced: more, less, other bytes, a link, a directory', async (t) => {
  const { part, directory, out, names } = lab(t)
  const refused = (path: string) => t.throws(() => writeOpened(part, KEY, path), { code: 'usage' })
  const other = TEXT.slice()
  other[TEXT.length - 1] = 255
  for (const bytes of [other, TEXT.subarray(0, -1), new Uint8Array([...TEXT, 0]), new Uint8Array(0)]) {
    writeFileSync(out, bytes)
    refused(out)
    t.ok(readFileSync(out).equals(bytes))
  }
  mkdirSync(join(directory, 'below'))
  refused(join(directory, 'below'))
  symlinkSync('out', join(directory, 'link'))
  refused(join(directory, 'link'))
  t.strictSame(names(), ['below', 'link', 'out'])
})

t.test('where nothing can be written is said', async (t) => {
  const { part, directory } = lab(t)
  t.throws(() => writeOpened(part, KEY, join(directory, 'nowhere', 'out')), { code: 'store-write' })
})
