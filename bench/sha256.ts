/**
 * SHA-256 as the ledger takes it from OpenSSL, beside the same digest as a Buffer and noble's, in turns in one run: of a record's
 * header, of an inner node of a tree, of a small block.
 *
 *     npm run build && node dist/bench/sha256.js
 */
import { hash } from 'node:crypto'
import { sha256 as noble } from '@noble/hashes/sha2.js'
import { sha256 } from '../node/sha256.ts'

const ROUNDS = 7
const HASHES = 40_000

const ways = {
  'text to bytes': sha256,
  Buffer: (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer'),
  noble: noble,
}
type Way = keyof typeof ways
const names = Object.keys(ways) as Way[]
const median = (values: number[]) => values.sort((a, b) => a - b)[values.length >> 1] as number

for (const size of [12, 128, 400]) {
  const bytes = new Uint8Array(size).fill(0xa5)
  const rates: Record<Way, number[]> = { 'text to bytes': [], Buffer: [], noble: [] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) {
      const start = process.hrtime.bigint()
      for (let count = 0; count < HASHES; count++) ways[name](bytes)
      const seconds = Number(process.hrtime.bigint() - start) / 1e9
      // The first round pays for compiling.
      if (round > 0) rates[name].push(HASHES / seconds)
    }
  }
  const ours = median(rates['text to bytes'])
  const line = names.map((name) => {
    const rate = median(rates[name])
    return `${name} ${(rate / 1e6).toFixed(2)} M/s${name === 'text to bytes' ? '' : ` (ours is ${(ours / rate).toFixed(1)} x)`}`
  })
  process.stdout.write(`${String(size).padStart(4)} bytes: ${line.join(', ')}\n`)
}
