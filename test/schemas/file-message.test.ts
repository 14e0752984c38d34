import t, { type Test } from 'tap'
import { encode } from '../../schemas/codec.ts'
import {
  CHUNK_TAG_BYTES,
  chunksOf,
  ciphertextBytes,
  FILE_BYTES_MAX,
  FILE_CHUNK_BYTES,
  FILE_MESSAGE_BYTES_MAX,
  type FileMessage,
  fileInMemo,
  fileMemo,
  fileMessage,
  REFUSAL_CODES,
  REFUSAL_TEXT_BYTES_MAX,
} from '../../schemas/file-message.ts'
import { type Account, type Hash, toHex } from '../../schemas/hex.ts'
import { SEAL_BYTES } from '../../schemas/sealed.ts'
import { MEMO_BYTES_MAX } from '../../schemas/transaction.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'

const hash = (byte: string) => byte.repeat(32) as Hash
const account = (byte: string) => byte.repeat(32) as Account
const filled = (bytes: number, byte: number) => new Uint8Array(bytes).fill(byte)

const head = { seller: account('5e'), buyer: account('b0'), name: 'day.bin', publicKey: filled(32, 0x11) }
const headBytes = `${'5e'.repeat(32)}${'b0'.repeat(32)}076461792e62696e${'11'.repeat(32)}`
const signature = filled(64, 0x99)
const signed = '99'.repeat(64)

/** A value and its bytes, written by hand from the declared layout. */
const golden = (value: FileMessage, bytes: string) => (t: Test) =>
  t.equal(toHex(codecFacts(t, fileMessage, value)), bytes)

const messages = {
  quoteRequest: golden({ type: 'quoteRequest', ...head, signature }, `01${headBytes}${signed}`),
  quote: golden(
    {
      type: 'quote',
      ...{ ...head, sellerKey: filled(32, 0x22), file: hash('33'), size: 65_537, chunks: 2 },
      ...{ ciphertext: hash('44'), price: 5, lock: hash('55'), blocks: 120, minutes: 30, confirmations: 3 },
      ...{ until: 7, signature },
    },
    [
      `02${headBytes}${'22'.repeat(32)}${'33'.repeat(32)}0000000000010001${'00000002'}`,
      `${'44'.repeat(32)}0000000000000005${'55'.repeat(32)}00000078${'001e'}03000000000007${signed}`,
    ].join(''),
  ),
  chunkRequest: golden(
    { type: 'chunkRequest', lock: hash('55'), first: 3, count: 64, seal: filled(SEAL_BYTES, 0x77) },
    `03${'55'.repeat(32)}000000030040${'77'.repeat(28)}`,
  ),
  chunk: golden(
    { type: 'chunk', lock: hash('55'), index: 3, sealed: filled(3, 0x88) },
    `04${'55'.repeat(32)}0000000300000003888888`,
  ),
  refusal: golden(
    {
      type: 'refusal',
      ...{ seller: account('5e'), buyer: account('b0'), about: hash('11'), code: 'busy', message: 'later' },
      signature,
    },
    `05${'5e'.repeat(32)}${'b0'.repeat(32)}${'11'.repeat(32)}04056c61746572${signed}`,
  ),
}

for (const [name, test] of Object.entries(messages))
  t.test(`${name} has its documented bytes`, async (t) => test(t))

t.test('the largest chunk is the largest message, and nothing in it is larger', async (t) => {
  const room = FILE_CHUNK_BYTES + CHUNK_TAG_BYTES + SEAL_BYTES
  const chunk = (bytes: number): FileMessage => ({
    type: 'chunk',
    ...{ lock: hash('55'), index: 0, sealed: filled(bytes, 1) },
  })
  t.equal(encode(fileMessage, chunk(room)).length, FILE_MESSAGE_BYTES_MAX)
  refusesToEncode(t, fileMessage, chunk(room + 1))
  const words = 'a'.repeat(REFUSAL_TEXT_BYTES_MAX)
  const refusal = { seller: account('5e'), buyer: account('b0'), about: hash('11'), signature }
  for (const code of Object.keys(REFUSAL_CODES) as (keyof typeof REFUSAL_CODES)[])
    t.ok(encode(fileMessage, { type: 'refusal', ...refusal, code, message: words }))
  refusesToEncode(t, fileMessage, { type: 'refusal', ...refusal, code: 'busy', message: `${words}a` })
})

t.test('a file has at least one chunk, and a tag for each', async (t) => {
  for (const [size, chunks] of [
    [0, 1],
    [1, 1],
    [65_535, 1],
    [65_536, 1],
    [65_537, 2],
    [FILE_BYTES_MAX, 16_384],
  ] as const) {
    t.equal(chunksOf(size), chunks, `${size} bytes`)
    t.equal(ciphertextBytes(size), size + 16 * chunks)
  }
})

t.test('the memo of a payment names the file, and nothing else does', async (t) => {
  const file = hash('ab')
  t.equal(fileMemo(file), `file ${file}`)
  t.ok(fileMemo(file).length <= MEMO_BYTES_MAX)
  t.equal(fileInMemo(fileMemo(file)), file)
  for (const memo of [
    '',
    'file',
    `file ${file} `,
    ` file ${file}`,
    `file ${file.toUpperCase()}`,
    `file ${file}00`,
  ])
    t.equal(fileInMemo(memo), undefined, JSON.stringify(memo))
})
