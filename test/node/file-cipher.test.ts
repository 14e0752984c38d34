import { hash } from 'node:crypto'
import t from 'tap'
import { type ChunkPlace, openChunk, sealChunk } from '../../node/file-cipher.ts'
import { FILE_CHUNK_BYTES } from '../../schemas/file-message.ts'
import { toHex } from '../../schemas/hex.ts'

const key = Uint8Array.from({ length: 32 }, (_, at) => at)
const other = new Uint8Array(32).fill(1)

/** Bytes that no two chunks have in common. */
const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 7 + Math.floor(at / 251)) % 256)

function sealAll(text: Uint8Array): Uint8Array[] {
  const chunks = Math.max(1, Math.ceil(text.length / FILE_CHUNK_BYTES))
  return Array.from({ length: chunks }, (_, index) => {
    const part = text.subarray(index * FILE_CHUNK_BYTES, (index + 1) * FILE_CHUNK_BYTES)
    return sealChunk(key, { index, last: index === chunks - 1 }, part)
  })
}

// From Python's cryptography 48.0.0: ChaCha20Poly1305(bytes(range(32))).encrypt(index.to_bytes(11, "big") + last, text, None)
t.test('known answers', async (t) => {
  const sealed = (text: Uint8Array) => Buffer.concat(sealAll(text))
  t.equal(toHex(sealed(new Uint8Array(0))), 'fa0e145e8775eb78c274755606de74fb')
  t.equal(toHex(sealed(Buffer.from('abc'))), '083e1fcc649572b2c0b1921dcaff0119cc3034')
  const three = sealed(pattern(2 * FILE_CHUNK_BYTES + 10))
  t.equal(three.length, 131_130)
  t.equal(hash('sha256', three), '3fa139b8c541b946485952c7e0c22c45c980e6997119e52941ad0b5b85732609')
  const one = sealed(pattern(FILE_CHUNK_BYTES))
  t.equal(hash('sha256', one), 'b82a7c7c601e54d24886966346255f0dfbc5c56169c86aac1d9fb51928cfc4b7')
})

t.test('each chunk opens at its own place, under its own key, whole, and nowhere else', async (t) => {
  const text = pattern(2 * FILE_CHUNK_BYTES + 10)
  const [first, second, last] = sealAll(text) as [Uint8Array, Uint8Array, Uint8Array]
  const at = (index: number, isLast = false): ChunkPlace => ({ index, last: isLast })
  const opened = (place: ChunkPlace, sealed: Uint8Array) =>
    toHex(openChunk(key, place, sealed) ?? new Uint8Array(0))
  t.equal(opened(at(0), first), toHex(text.subarray(0, FILE_CHUNK_BYTES)))
  t.equal(opened(at(2, true), last), toHex(text.subarray(2 * FILE_CHUNK_BYTES)))
  const refused = (place: ChunkPlace, bytes: Uint8Array, what: string, under = key) =>
    t.equal(openChunk(under, place, bytes), undefined, what)
  refused(at(0), second, 'reordered')
  refused(at(0, true), first, 'a file that ends early: the first as the last')
  refused(at(2), last, 'a file that goes on behind its last chunk')
  refused(at(1, true), last, 'the second left out')
  refused(at(0), first, "another buyer's key", other)
  refused(at(0), first.subarray(0, -1), 'cut')
  refused(at(2, true), last.subarray(0, 15), 'less than a tag')
  refused(at(2, true), Uint8Array.of(...last, 0), 'longer')
  refused(at(0), Uint8Array.of(...first, 0), 'longer than a chunk')
  for (const index of [0, 9, 10, 25]) {
    const changed = last.slice()
    changed[index] = (changed[index] ?? 0) ^ 1
    refused(at(2, true), changed, `bit ${index}`)
  }
})

t.test('a chunk in the middle is a whole one', async (t) => {
  t.throws(() => sealChunk(key, { index: 0, last: false }, new Uint8Array(10)), /a whole chunk/)
  t.throws(
    () => sealChunk(key, { index: 0, last: true }, new Uint8Array(FILE_CHUNK_BYTES + 1)),
    /a whole chunk/,
  )
})
