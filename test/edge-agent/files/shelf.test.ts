import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ChangedError, Shelf, type ShelfFile } from '../../../edge-agent/files/shelf.ts'
import { FILE_BYTES_MAX, FILE_CHUNK_BYTES } from '../../../schemas/file-message.ts'
import { temporary } from '../../helpers/processes.ts'

const BYTES = Uint8Array.from({ length: FILE_CHUNK_BYTES + 10 }, (_, at) => at % 251)

/** Whether something failed because the file is another one. */
const isChanged = (action: Promise<unknown>): Promise<boolean> =>
  action.then(
    () => false,
    (error) => error instanceof ChangedError,
  )

/** A shelf with one file. */
function lab(t: Test) {
  const directory = temporary(t)
  const put = (name: string, bytes: Uint8Array) => writeFileSync(join(directory, name), bytes)
  put('day.bin', BYTES)
  const shelf = new Shelf(directory)
  const look = (): ShelfFile => {
    const file = shelf.look('day.bin')
    if (file === undefined) throw new Error('there is no file')
    return file
  }
  return { directory, put, shelf, look, path: (name: string) => join(directory, name) }
}

t.test('regular files are for sale; what a name leads to elsewhere, and what is none, is not', async (t) => {
  const { put, shelf, path } = lab(t)
  put('a.bin', new Uint8Array(1))
  put('.hidden', new Uint8Array(1))
  put('Upper.bin', new Uint8Array(1))
  mkdirSync(path('below'))
  writeFileSync(path('below/secret'), 'secret')
  symlinkSync('/etc/passwd', path('link'))
  execFileSync('mkfifo', [path('pipe')])
  const { files, unfit } = shelf.list()
  t.strictSame(
    files.map(({ name, size }) => [name, size]),
    [
      ['a.bin', 1],
      ['day.bin', BYTES.length],
    ],
  )
  t.strictSame(unfit, ['Upper.bin'])
  for (const name of ['link', 'pipe', 'below', 'below/secret', '../shelf', 'Upper.bin', 'nothing'])
    t.equal(shelf.look(name), undefined, name)
})

t.test('a file of the largest size can be sold, a larger one cannot', async (t) => {
  const { put, shelf, path } = lab(t)
  put('large', new Uint8Array(0))
  truncateSync(path('large'), FILE_BYTES_MAX)
  t.equal(shelf.look('large')?.size, FILE_BYTES_MAX)
  truncateSync(path('large'), FILE_BYTES_MAX + 1)
  t.equal(shelf.look('large'), undefined)
  t.strictSame(shelf.list().unfit, ['large'])
})

t.test('a file that is written to while it is looked through is not what was seen', async (t) => {
  const { put, shelf, look } = lab(t)
  let isFirst = true
  const study = shelf.study(look(), () => {
    if (isFirst) put('day.bin', BYTES)
    isFirst = false
  })
  t.ok(await isChanged(study))
})

t.test('each chunk is what it was when the file was looked through, or none', async (t) => {
  const { put, shelf, look } = lab(t)
  const content = await shelf.study(look(), () => {})
  t.strictSame(new Uint8Array(await shelf.chunk(content, 1)), BYTES.subarray(FILE_CHUNK_BYTES))
  const other = BYTES.slice()
  other[FILE_CHUNK_BYTES + 3] = 255
  put('day.bin', other)
  t.equal((await shelf.chunk(content, 0)).length, FILE_CHUNK_BYTES, 'this one is the same')
  t.ok(await isChanged(shelf.chunk(content, 1)))
  const read = async () => {
    for await (const { bytes } of shelf.read(content)) t.ok(bytes.length > 0)
  }
  t.ok(await isChanged(read()))
  put('day.bin', BYTES.subarray(0, 10))
  await t.rejects(shelf.chunk(content, 0), { message: /has become shorter/ })
})

t.test('a link or a pipe in the place of a file is not followed, and holds nobody up', async (t) => {
  const { shelf, look, path } = lab(t)
  const content = await shelf.study(look(), () => {})
  writeFileSync(path('elsewhere'), BYTES)
  execFileSync('ln', ['-sf', path('elsewhere'), path('day.bin')])
  await t.rejects(shelf.chunk(content, 0), { message: /cannot be opened any more/ })
  execFileSync('rm', [path('day.bin')])
  execFileSync('mkfifo', [path('day.bin')])
  t.ok(await isChanged(shelf.chunk(content, 0)))
})
