import { createHash } from 'node:crypto'
import t from 'tap'
import { compress, firstTwelve, INITIAL, ROUNDS_AHEAD } from '../../node/compress.ts'

/** The one padded block of a message of at most 55 bytes. */
function blockOf(message: Uint8Array): Int32Array {
  const bytes = Buffer.alloc(64)
  bytes.set(message)
  bytes[message.length] = 0x80
  bytes.writeUInt32BE(message.length * 8, 60)
  return Int32Array.from({ length: 16 }, (_, word) => bytes.readInt32BE(4 * word))
}

function digestOf(state: Int32Array): string {
  const bytes = Buffer.alloc(32)
  for (const [i, word] of state.entries()) bytes.writeInt32BE((word + (INITIAL[i] as number)) | 0, 4 * i)
  return bytes.toString('hex')
}

const messages = Array.from({ length: 56 }, (_, length) =>
  createHash('sha512').update(String(length)).digest().subarray(0, length),
)

t.test('"abc" has the digest of FIPS 180-4', async (t) => {
  const state = INITIAL.slice()
  compress(state, blockOf(Buffer.from('abc')), 0)
  t.equal(digestOf(state), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

t.test('one-block messages of every length have the digest that OpenSSL gives', async (t) => {
  for (const message of messages) {
    const state = INITIAL.slice()
    compress(state, blockOf(message), 0)
    if (digestOf(state) !== createHash('sha256').update(message).digest('hex'))
      t.fail(`${message.length} bytes`)
  }
})

t.test('doing the first twelve rounds ahead makes no difference', async (t) => {
  for (const message of messages) {
    const block = blockOf(message)
    const [whole, ahead] = [INITIAL.slice(), INITIAL.slice()]
    compress(whole, block, 0)
    firstTwelve(ahead, block)
    compress(ahead, block, ROUNDS_AHEAD)
    if (digestOf(whole) !== digestOf(ahead)) t.fail(`${message.length} bytes`)
  }
})
