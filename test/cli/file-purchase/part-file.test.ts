import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { PartFile } from '../../../cli/file-purchase/part-file.ts'
import { CHUNK_TAG_BYTES, FILE_CHUNK_BYTES } from '../../../schemas/file-message.ts'
import { temporary } from '../../helpers/processes.ts'

const SEALED = FILE_CHUNK_BYTES + CHUNK_TAG_BYTES
/** Three chunks, the last one of a byte and its tag. */
const SIZE = 2 * FILE_CHUNK_BYTES + 1
const CHUNKS = [SEALED, SEALED, 1 + CHUNK_TAG_BYTES].map((bytes, at) => new Uint8Array(bytes).fill(at + 1))
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const WHOLE = Buffer.concat(CHUNKS)

function lab(t: Test) {
  const path = join(temporary(t), 'ciphertext')
  const open = (size = SIZE): PartFile => {
    const part = new PartFile(path, size)
    t.teardown(() => part.close())
    return part
  }
  return { path, open }
}

t.test('chunks follow each other, and the whole has their hash', async (t) => {
  const { path, open } = lab(t)
  const part = open()
  t.strictSame([part.chunks, part.have, part.isWhole], [3, 0, false])
  t.strictSame(
    [0, 1, 2].map((index) => part.bytesOf(index)),
    [SEALED, SEALED, 1 + CHUNK_TAG_BYTES],
  )
  for (const chunk of CHUNKS) part.append(chunk)
  t.ok(part.isWhole)
  t.equal(part.finish(), sha256(WHOLE))
  t.ok(readFileSync(path).equals(WHOLE))
  t.strictSame(new Uint8Array(part.read(1)), CHUNKS[1])
  t.equal(statSync(path).mode & 0o777, 0o600)
})

t.test('of what a crash left whole chunks count, and what is added follows them', async (t) => {
  for (const [stored, have] of [
    [SEALED - 1, 0],
    [SEALED, 1],
    [2 * SEALED + CHUNK_TAG_BYTES, 2],
    [2 * SEALED + CHUNK_TAG_BYTES + 1, 3],
    [2 * SEALED + CHUNK_TAG_BYTES + 9, 3],
  ] as const) {
    const { path, open } = lab(t)
    writeFileSync(path, Buffer.concat([WHOLE, new Uint8Array(9)]).subarray(0, stored))
    const part = open()
    t.equal(part.have, have, `${stored} bytes`)
    for (const chunk of CHUNKS.slice(have)) part.append(chunk)
    t.equal(part.finish(), sha256(WHOLE), `${stored} bytes`)
    t.ok(readFileSync(path).equals(WHOLE), `${stored} bytes`)
  }
})

t.test('what is begun again has nothing of what was there', async (t) => {
  const { path, open } = lab(t)
  const part = open()
  for (const chunk of CHUNKS) part.append(chunk.map((byte) => byte ^ 1))
  part.clear()
  t.strictSame([part.have, statSync(path).size], [0, 0])
  for (const chunk of CHUNKS) part.append(chunk)
  t.equal(part.finish(), sha256(WHOLE))
})

t.test('a chunk of another length is not taken, and a part is not the whole', async (t) => {
  const { open } = lab(t)
  const part = open()
  t.throws(() => part.append(new Uint8Array(SEALED - 1)), /a chunk of the length/)
  t.throws(() => part.finish(), /all chunks are there/)
})

t.test('a file that has become shorter is not read as if it had not', async (t) => {
  const { path, open } = lab(t)
  writeFileSync(path, WHOLE)
  const part = open()
  truncateSync(path, SEALED + 5)
  t.throws(() => part.read(1), { code: 'store-corrupt' })
  appendFileSync(path, WHOLE.subarray(SEALED + 5))
  t.strictSame(new Uint8Array(part.read(1)), CHUNKS[1])
})
