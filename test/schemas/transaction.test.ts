/** Golden bytes come from test/vectors/encoding.json, which an independent encoder wrote. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode, encode } from '../../schemas/codec.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
import { PROVEN_TRANSACTION_BYTES_MAX } from '../../schemas/proof.ts'
import {
  coinbase,
  MEMO_BYTES_MAX,
  TRANSACTION_BYTES_MAX,
  type Transaction,
  type Transfer,
  TYPE_NUMBERS,
  transaction,
} from '../../schemas/transaction.ts'
import { codecFacts } from '../helpers/codec-facts.ts'
import { fromRoot } from '../helpers/root.ts'

const vectors = JSON.parse(readFileSync(fromRoot('test/vectors/encoding.json'), 'utf8'))
const golden = Object.entries(vectors.transactions) as [string, { json: unknown; bytes: string }][]
const [transfer, , reading] = golden.map(([, { json }]) => transaction.json.parse(json))

for (const [title, { json, bytes }] of golden) {
  t.test(`golden bytes: ${title}`, async (t) => {
    const value = transaction.json.parse(json)
    t.equal(toHex(codecFacts(t, transaction, value)), bytes)
    t.strictSame(transaction.toJson(value), json)
  })
}

t.test('golden bytes: coinbase', async (t) => {
  const value = coinbase.json.parse(vectors.coinbase.json)
  t.equal(toHex(codecFacts(t, coinbase, value)), vectors.coinbase.bytes)
  t.strictSame(coinbase.toJson(value), vectors.coinbase.json)
})

t.test('reserved, unknown and the coinbase’s numbers are no transactions', async (t) => {
  const bytes = encode(transaction, transfer as Transaction)
  for (let number = 0; number < 256; number++) {
    bytes[0] = number
    const known = (Object.values(TYPE_NUMBERS) as number[]).includes(number)
    const decoded = decode(transaction, bytes, TRANSACTION_BYTES_MAX)
    if (!known)
      t.match(decoded, { ok: false, fault: { field: 'type', message: new RegExp(`unknown type ${number}`) } })
  }
  t.strictSame(TYPE_NUMBERS, {
    transfer: 1,
    reading: 2,
    batch: 3,
    admission: 4,
    revocation: 5,
    channelOpen: 6,
    channelClaim: 7,
    channelClose: 8,
    hashlock: 9,
    hashlockClaim: 10,
    hashlockRefund: 11,
    split: 12,
  })
})

t.test('the largest transaction of each type is within the limit', async (t) => {
  const longest = { ...(transfer as Transfer), memo: 'x'.repeat(MEMO_BYTES_MAX) }
  t.ok(transaction.size(longest) <= TRANSACTION_BYTES_MAX)
  t.throws(() => encode(transaction, { ...longest, memo: `${longest.memo}x` }))
  t.ok(transaction.size(reading as Transaction) + 32 + 15 <= TRANSACTION_BYTES_MAX)
  const sizes = golden.map(([, { bytes }]) => bytes.length / 2)
  t.equal(Math.max(...sizes), 290, 'a channelOpen with the longest memo')
  t.ok(290 <= PROVEN_TRANSACTION_BYTES_MAX)
})

t.test('a faulty field is named', async (t) => {
  const bytes = fromHex(golden[2]?.[1].bytes ?? '')
  const synchronised = bytes.length - 64 - 1
  bytes[synchronised] = 2
  t.match(decode(transaction, bytes, TRANSACTION_BYTES_MAX), {
    ok: false,
    fault: { code: 'bad-encoding', field: 'sample.synchronised', message: 'expected 0 or 1, got 2' },
  })
})

t.test('a proof of another kind, and more shares than four, do not decode', async (t) => {
  const bytesOf = (title: string) => fromHex(vectors.transactions[title].bytes)
  const claimed = bytesOf('channelClaim by word')
  for (const number of [0, 1, 3, 255]) {
    const spoilt = Uint8Array.from(claimed, (byte, at) => (at === 89 ? number : byte))
    t.notOk(decode(transaction, spoilt, TRANSACTION_BYTES_MAX).ok, `proof ${number}`)
  }
  const split = bytesOf('split')
  split[58] = 5
  t.match(decode(transaction, split, TRANSACTION_BYTES_MAX), { ok: false, fault: { field: 'shares' } })
})
