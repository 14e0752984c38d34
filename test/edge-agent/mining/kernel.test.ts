import { createHash } from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import t from 'tap'
import * as kernelFile from '../../../edge-agent/mining/kernel.ts'
import { createKernel, targetWords, withNonce } from '../../../edge-agent/mining/kernel.ts'
import { HEADER_BYTES, HEADER_NONCE_OFFSET } from '../../../schemas/block.ts'

const kernel = createKernel()
const TARGET_ANY = 2n ** 256n - 1n

/** Headers that are random but the same in each run. */
const headerOf = (seed: number): Uint8Array =>
  Uint8Array.from({ length: HEADER_BYTES }, (_, i) => sha256(Uint8Array.of(seed, i))[0] as number)

const openssl = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const openssl2 = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(openssl(openssl(bytes)))}`)
const noble2 = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(sha256(sha256(bytes)))}`)

/** The hash as the kernel sees it: it accepts the nonce at exactly this target and not one below. */
function agrees(header: Uint8Array, nonce: bigint, hash: bigint): boolean {
  const work = kernel.prepare(header)
  return (
    kernel.scan(work, targetWords(hash), nonce, 1) === nonce &&
    kernel.scan(work, targetWords(hash - 1n), nonce, 1) === undefined
  )
}

/** All nonces of a range that the kernel finds. */
function found(header: Uint8Array, target: bigint, start: bigint, count: number): bigint[] {
  const work = kernel.prepare(header)
  const nonces: bigint[] = []
  for (let done = 0; done < count; ) {
    const nonce = kernel.scan(work, targetWords(target), (start + BigInt(done)) % 2n ** 64n, count - done)
    if (nonce === undefined) break
    nonces.push(nonce)
    done = Number(BigInt.asUintN(64, nonce - start)) + 1
  }
  return nonces
}

const naive = (header: Uint8Array, target: bigint, start: bigint, count: number): bigint[] =>
  Array.from({ length: count }, (_, i) => BigInt.asUintN(64, start + BigInt(i))).filter(
    (nonce) => openssl2(withNonce(header, nonce)) <= target,
  )

t.test("the kernel's hash is OpenSSL's and noble's double SHA-256, to the last bit", async (t) => {
  const nonces = [0n, 1n, 0xffn, 0xffffffn, 0x1000000n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 56n, 2n ** 64n - 1n]
  for (let seed = 0; seed < 40; seed++) {
    const header = headerOf(seed)
    for (const nonce of [...nonces, BigInt.asUintN(64, noble2(header))]) {
      const candidate = withNonce(header, nonce)
      const hash = openssl2(candidate)
      if (hash !== noble2(candidate)) t.fail('OpenSSL and noble differ')
      if (!agrees(header, nonce, hash)) t.fail(`seed ${seed}, nonce ${nonce}`)
    }
  }
})

t.test('it finds exactly the nonces that a naive loop finds', async (t) => {
  for (let seed = 0; seed < 5; seed++) {
    const start = BigInt(seed * 1_000_003)
    const expected = naive(headerOf(seed), TARGET_ANY >> 6n, start, 2000)
    t.ok(expected.length > 10)
    t.strictSame(found(headerOf(seed), TARGET_ANY >> 6n, start, 2000), expected)
  }
})

t.test('nonces carry across 24, 32 and 56 bits and wrap after 64', async (t) => {
  for (const header of [headerOf(7), new Uint8Array(HEADER_BYTES)]) {
    for (const boundary of [2n ** 24n, 2n ** 32n, 2n ** 56n, 2n ** 64n]) {
      const start = boundary - 300n
      const expected = naive(header, TARGET_ANY >> 4n, start, 600)
      t.ok(expected.length > 10, `enough at ${boundary}`)
      t.strictSame(found(header, TARGET_ANY >> 4n, start, 600), expected, `boundary ${boundary}`)
    }
  }
})

t.test('a hash equal to the target is found, whichever word decides', async (t) => {
  const header = headerOf(9)
  const work = kernel.prepare(header)
  const hash = openssl2(withNonce(header, 5n))
  for (let word = 0; word < 8; word++) {
    const step = 1n << BigInt(32 * word)
    t.equal(kernel.scan(work, targetWords(hash + step), 5n, 1), 5n)
    t.equal(kernel.scan(work, targetWords(hash - step), 5n, 1), undefined)
  }
})

t.test('what the header has in the place of the nonce does not matter', async (t) => {
  const work = kernel.prepare(withNonce(headerOf(3), 0n))
  t.strictSame(kernel.prepare(withNonce(headerOf(3), 2n ** 64n - 1n)), work)
})

t.test('an impossible target ends with nothing after exactly the given count', async (t) => {
  const work = kernel.prepare(headerOf(1))
  t.equal(kernel.scan(work, targetWords(0n), 0n, 100), undefined)
  t.equal(kernel.scan(work, targetWords(TARGET_ANY), 0n, 0), undefined)
})

t.test('a header of another length and a target beyond 256 bits are our own faults', async (t) => {
  t.throws(() => kernel.prepare(new Uint8Array(114)), /115 bytes/)
  t.throws(() => targetWords(2n ** 256n), /256-bit/)
  t.throws(() => targetWords(-1n), /256-bit/)
})

t.test("the kernel's header layout is that of the schemas", async (t) => {
  t.equal(kernelFile.HEADER_BYTES, HEADER_BYTES)
  t.equal(kernelFile.HEADER_NONCE_OFFSET, HEADER_NONCE_OFFSET)
})
