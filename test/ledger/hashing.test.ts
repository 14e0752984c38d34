/** Expected hashes come from test/vectors/encoding.json, which an independent encoder wrote. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Hashing, TAGS, type Tag } from '../../ledger/hashing.ts'
import { merkleRoot } from '../../ledger/merkle.ts'
import { hashing as openssl } from '../../node/signing.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
import { SIGNATURE_BYTES } from '../../schemas/transaction.ts'
import { fromRoot } from '../helpers/root.ts'

const vectors = JSON.parse(readFileSync(fromRoot('test/vectors/encoding.json'), 'utf8'))

for (const [backend, hashing] of [
  ['noble', new Hashing()],
  ['OpenSSL', openssl],
] as const) {
  t.test(`tagged hashes, by ${backend}`, async (t) => {
    for (const { name, parts, hash } of vectors.tagged as { name: Tag; parts: string; hash: string }[]) {
      t.equal(toHex(hashing.tagged(name, ...parts.split('|').map(fromHex))), hash, `${name} of ${parts}`)
    }
    const covered = new Set((vectors.tagged as { name: string }[]).map(({ name }) => name))
    t.strictSame([...covered].sort(), Object.keys(TAGS).sort(), 'every tag has a vector')
  })

  t.test(`ids, signed messages and leaves of transactions, by ${backend}`, async (t) => {
    const genesis = fromHex(vectors.genesisHash)
    for (const [title, { bytes, id, message, leaf }] of [
      ...Object.entries(
        vectors.transactions as Record<string, Record<'bytes' | 'id' | 'message' | 'leaf', string>>,
      ),
      ['coinbase', vectors.coinbase],
    ]) {
      const full = fromHex(bytes)
      const body = full.subarray(0, full.length - SIGNATURE_BYTES)
      t.equal(toHex(hashing.tagged('transaction', genesis, body)), id, title)
      t.equal(toHex(hashing.tagged('sign', genesis, body)), message, title)
      t.equal(toHex(hashing.tagged('leaf', full)), leaf, title)
    }
  })

  t.test(`Merkle roots of 0 to 9 leaves, by ${backend}`, async (t) => {
    for (const { leaves, root } of vectors.merkle as { leaves: string; root: string }[]) {
      const list = (leaves.match(/.{64}/g) ?? []).map(fromHex)
      t.equal(toHex(merkleRoot(hashing, list)), root, `${list.length} leaves`)
    }
  })

  t.test(`the proof-of-work hash is double SHA-256, by ${backend}`, async (t) => {
    t.equal(toHex(hashing.double(fromHex(vectors.header.bytes))), vectors.header.hash)
  })
}

t.test('tags differ, so no two kinds of message share a hash', async (t) => {
  t.equal(new Set(Object.values(TAGS)).size, Object.keys(TAGS).length)
})
