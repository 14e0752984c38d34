/** Golden bytes come from test/vectors/encoding.json, which an independent encoder wrote. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  BLOCK_BYTES_MAX,
  BLOCK_TRANSACTIONS_MAX,
  block,
  HEADER_BYTES,
  HEADER_NONCE_OFFSET,
  HEADER_TIME_OFFSET,
  header,
} from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
import { coinbase, transaction } from '../../schemas/transaction.ts'
import { codecFacts } from '../helpers/codec-facts.ts'
import { fromRoot } from '../helpers/root.ts'

const vectors = JSON.parse(readFileSync(fromRoot('test/vectors/encoding.json'), 'utf8'))
const golden = header.json.parse(vectors.header.json)

t.test('golden bytes: header', async (t) => {
  t.equal(toHex(codecFacts(t, header, golden)), vectors.header.bytes)
  t.strictSame(header.toJson(golden), vectors.header.json)
})

t.test('a header pads to two SHA-256 blocks, with time and nonce in the second', async (t) => {
  t.equal(encode(header, golden).length, HEADER_BYTES)
  t.ok(HEADER_BYTES <= 119 && HEADER_TIME_OFFSET >= 64)
  const base = encode(header, golden)
  const changed = (value: typeof golden) => {
    const bytes = encode(header, value)
    return [
      bytes.findIndex((byte, at) => byte !== base[at]),
      bytes.findLastIndex((byte, at) => byte !== base[at]),
    ]
  }
  t.strictSame(changed({ ...golden, nonce: golden.nonce.map((byte) => ~byte) }), [
    HEADER_NONCE_OFFSET,
    HEADER_BYTES - 1,
  ])
  t.strictSame(changed({ ...golden, time: 2 ** 48 - 1 - golden.time }), [
    HEADER_TIME_OFFSET,
    HEADER_NONCE_OFFSET - 1,
  ])
})

t.test('a header of another version is refused', async (t) => {
  const bytes = encode(header, golden)
  bytes[0] = 2
  t.match(decode(header, bytes, HEADER_BYTES), {
    ok: false,
    fault: { field: 'version', message: 'expected 1, got 2' },
  })
})

t.test('golden bytes: a block is its header, coinbase and transactions', async (t) => {
  const decoded = decode(block, fromHex(vectors.block.bytes), BLOCK_BYTES_MAX)
  t.ok(decoded.ok)
  if (!decoded.ok) return
  const { value } = decoded
  t.equal(toHex(codecFacts(t, block, value)), vectors.block.bytes)
  t.equal(toHex(encode(header, value.header)), vectors.header.bytes)
  t.equal(toHex(encode(coinbase, value.coinbase)), vectors.coinbase.bytes)
  t.strictSame(
    value.transactions.map((entry) => toHex(encode(transaction, entry))),
    Object.values(vectors.transactions as Record<string, { bytes: string }>).map(({ bytes }) => bytes),
  )
})

t.test('a claim of too many transactions is refused before any is read', async (t) => {
  const bytes = fromHex(vectors.block.bytes)
  const count = (vectors.header.bytes.length + vectors.coinbase.bytes.length) / 2
  new DataView(bytes.buffer).setUint16(count, BLOCK_TRANSACTIONS_MAX + 1)
  t.match(decode(block, bytes, BLOCK_BYTES_MAX), {
    ok: false,
    fault: { field: 'transactions', message: /at most 8192/ },
  })
})
