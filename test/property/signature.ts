/**
 * The fast path, OpenSSL first and noble second, against noble's ZIP-215 alone: the same verdict on every signature.
 *
 * Genuine signatures by keys and nonces with a component of small order are made from the curve's equation: ZIP 215
 * accepts them, stricter verifiers do not, so a fast path whose reject counted would show here.
 */
import { strictEqual as equal, ok } from 'node:assert'
import { readFileSync } from 'node:fs'
import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { createSignatures, zip215 } from '../../ledger/signature.ts'
import { opensslAccept } from '../../node/signing.ts'
import { type Account, accountFromBytes, fromHex, toHex } from '../../schemas/hex.ts'
import { fromRoot } from '../helpers/root.ts'
import { property } from './property.ts'

const vectors = JSON.parse(readFileSync(fromRoot('test/vectors/zip215.json'), 'utf8'))
const canonical: readonly string[] = vectors.canonical
const small: readonly string[] = [...canonical, ...vectors.nonCanonical]
/** Order of the base point. */
const L = (1n << 252n) + 27_742_317_777_372_353_535_851_937_790_883_648_493n
const P = (1n << 255n) - 19n

const accept = opensslAccept()
const fast = createSignatures(accept)

const littleEndian = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).reverse()
const fromLittleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.slice().reverse())}`)
const joined = (left: Uint8Array, right: Uint8Array): Uint8Array => Uint8Array.of(...left, ...right)

const below = (limit: bigint) => fc.bigInt({ min: 1n, max: limit - 1n })
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 })
const message = fc.uint8Array({ maxLength: 80 })
const smallIndex = fc.nat(canonical.length - 1)

interface Signed {
  readonly key: Uint8Array
  readonly signature: Uint8Array
  readonly message: Uint8Array
  /** What ZIP 215 says by construction; undefined when only noble can tell. */
  readonly valid: boolean | undefined
}

/** Signed with secret scalars, points of small order added to key and nonce: valid whichever they are. */
const genuine = fc
  .record({ secret: below(L), nonce: below(L), keyTwist: smallIndex, nonceTwist: smallIndex, message })
  .map(({ secret, nonce, keyTwist, nonceTwist, message }): Signed => {
    const twisted = (scalar: bigint, index: number) =>
      Point.BASE.multiply(scalar)
        .add(Point.fromHex(canonical[index] as string, true))
        .toBytes()
    const key = twisted(secret, keyTwist)
    const r = twisted(nonce, nonceTwist)
    const k = fromLittleEndian64(sha512(Uint8Array.of(...r, ...key, ...message)))
    return { key, message, signature: joined(r, littleEndian((nonce + k * secret) % L)), valid: true }
  })

function fromLittleEndian64(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`) % L
}

const spoilt = fc
  .record({ signed: genuine, at: fc.nat(127), bit: fc.nat(7) })
  .map(({ signed: { key, signature, message }, at, bit }): Signed => {
    const [newKey, newSignature, newMessage] = [key.slice(), signature.slice(), message.slice()]
    // Of 128: 64 of the signature, 32 of the key, 32 of the message, or its length.
    if (at < 64) newSignature[at] = (newSignature[at] ?? 0) ^ (1 << bit)
    else if (at < 96) newKey[at - 64] = (newKey[at - 64] ?? 0) ^ (1 << bit)
    else if (at - 96 < message.length) newMessage[at - 96] = (newMessage[at - 96] ?? 0) ^ (1 << bit)
    else return { key, signature, message: joined(message, Uint8Array.of(bit)), valid: undefined }
    return { key: newKey, signature: newSignature, message: newMessage, valid: undefined }
  })

/** S + L and S + 2 L pass an equation that does not ask for S < L, and still fit 32 bytes. */
const malleable = fc
  .record({ signed: genuine, times: fc.integer({ min: 1, max: 7 }) })
  .map(({ signed, times }): Signed => {
    const s = fromLittleEndian(signed.signature.subarray(32)) + BigInt(times) * L
    return { ...signed, signature: joined(signed.signature.subarray(0, 32), littleEndian(s)), valid: false }
  })

const ofSmallOrder = fc
  .record({
    key: fc.constantFrom(...small),
    r: fc.constantFrom(...small),
    message,
    s: fc.constantFrom(0n, 0n, 1n, L),
  })
  .map(
    ({ key, r, message, s }): Signed => ({
      key: fromHex(key),
      signature: joined(fromHex(r), littleEndian(s)),
      message,
      valid: s === 0n,
    }),
  )

/** y of p and above, both signs, points or none. */
const nonCanonical = fc
  .record({
    above: fc.integer({ min: 0, max: 18 }),
    sign: fc.boolean(),
    signed: genuine,
    where: fc.boolean(),
  })
  .map(({ above, sign, signed, where }): Signed => {
    const y = littleEndian(P + BigInt(above))
    y[31] = (y[31] ?? 0) | (sign ? 0x80 : 0)
    return where
      ? { ...signed, key: y, valid: undefined }
      : { ...signed, signature: joined(y, signed.signature.subarray(32)), valid: undefined }
  })

const random = fc
  .record({ key: bytes32, r: bytes32, s: bytes32, message })
  .map(({ key, r, s, message }): Signed => ({ key, signature: joined(r, s), message, valid: undefined }))

const samePath = property(
  'signature',
  'OpenSSL or ZIP-215 is ZIP-215: genuine, spoilt, malleable, of small and mixed order, non-canonical and random',
  150,
  fc.oneof(
    { weight: 3, arbitrary: genuine },
    { weight: 2, arbitrary: spoilt },
    malleable,
    ofSmallOrder,
    nonCanonical,
    random,
  ),
  ({ key, signature, message, valid }) => {
    const account = accountFromBytes(key)
    const verdict = zip215(signature, message, key)
    if (valid !== undefined) equal(verdict, valid, 'what follows from the equation')
    equal(fast.verify(signature, message, account), verdict, 'the fast path')
    ok(verdict || !openssl(signature, message, account), 'OpenSSL accepts nothing that ZIP-215 refuses')
    for (const length of [0, 32, 63, 65])
      equal(fast.verify(joined(signature, signature).subarray(0, length), message, account), false)
  },
)

function openssl(signature: Uint8Array, message: Uint8Array, account: Account): boolean {
  try {
    return accept(signature, message, account)
  } catch {
    return false // It may refuse the key itself; that is no accept.
  }
}

const accounts = property(
  'account-key',
  'an account is a canonical point whose order is not small; the answer does not depend on what was asked before',
  100,
  fc.oneof(
    genuine.map(({ key }) => ({ key, expected: true as boolean | undefined })),
    fc.constantFrom(...small).map((key) => ({ key: fromHex(key), expected: false })),
    nonCanonical.map(({ key }) => ({ key, expected: undefined })),
    bytes32.map((key) => ({ key, expected: undefined })),
  ),
  ({ key, expected }) => {
    const account = accountFromBytes(key)
    const verdict = createSignatures().isAccount(account)
    if (expected !== undefined) equal(verdict, expected)
    for (let asked = 0; asked < 2; asked++) equal(fast.isAccount(account), verdict)
    if (!verdict) return
    ok(fromLittleEndian(key) % (1n << 255n) < P, 'y is below p')
    equal(toHex(Point.fromBytes(key, true).toBytes()), account, 'the encoding is the point')
  },
)

export const signatureProperties = [samePath, accounts]
