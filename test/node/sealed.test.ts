import { createHmac } from 'node:crypto'
import t from 'tap'
import { accountSecret, deriveKey, open, seal } from '../../node/sealed.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
import { SEAL_BYTES } from '../../schemas/sealed.ts'
import { alice, bob } from '../helpers/ledger.ts'

const key = new Uint8Array(32).fill(7)
const context = new TextEncoder().encode('what it is about')
const text = new TextEncoder().encode('21.5 Cel')

/** RFC 8439 section 2.8.2. */
const RFC_8439 = {
  key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
  nonce: '070000004041424344454647',
  context: '50515253c0c1c2c3c4c5c6c7',
  text: "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  sealed:
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116',
  tag: '1ae10b594f09e26a7e902ecbd0600691',
}

t.test('sealing is ChaCha20-Poly1305: RFC 8439 section 2.8.2', async (t) => {
  const { nonce, sealed, tag } = RFC_8439
  const whole = seal(
    fromHex(RFC_8439.key),
    new TextEncoder().encode(RFC_8439.text),
    fromHex(RFC_8439.context),
    () => fromHex(nonce),
  )
  t.equal(toHex(whole), nonce + sealed + tag)
  const opened = open(fromHex(RFC_8439.key), fromHex(nonce + sealed + tag), fromHex(RFC_8439.context))
  t.equal(new TextDecoder().decode(opened), RFC_8439.text)
})

/** RFC 5869, appendix A.1 to A.3: HKDF-SHA256, of whose output we take the first 32 bytes. */
const RFC_5869 = [
  {
    secret: '0b'.repeat(22),
    salt: '000102030405060708090a0b0c',
    info: 'f0f1f2f3f4f5f6f7f8f9',
    key: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf',
  },
  {
    secret: '0b'.repeat(22),
    salt: '',
    info: '',
    key: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d',
  },
] as const

t.test('keys are HKDF-SHA256 of secret, salt and info: RFC 5869, A.1 and A.3', async (t) => {
  for (const { secret, salt, info, key } of RFC_5869)
    t.equal(toHex(hkdf(fromHex(secret), fromHex(salt), fromHex(info))), key)
})

t.test('a derived key is of its secret, salt, purpose and parts', async (t) => {
  const [secret, salt, part] = [key, text, context]
  const info = new TextEncoder().encode('pinledger/purposewhat it is about')
  t.equal(toHex(deriveKey(secret, salt, 'purpose', part)), toHex(hkdf(secret, salt, info)))
  t.not(toHex(deriveKey(secret, salt, 'other', part)), toHex(deriveKey(secret, salt, 'purpose', part)))
})

t.test('what is sealed is opened by the same key and context alone', async (t) => {
  const sealed = seal(key, text, context)
  t.equal(sealed.length, text.length + SEAL_BYTES)
  t.strictSame(open(key, sealed, context), text)
  t.equal(open(new Uint8Array(32).fill(8), sealed, context), undefined)
  t.equal(open(key, sealed, text), undefined)
  t.equal(open(key, sealed), undefined)
})

t.test('every changed bit and every missing or added byte is noticed', async (t) => {
  const sealed = seal(key, text, context)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = sealed.slice()
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.equal(open(key, changed, context), undefined, `bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++)
    t.equal(open(key, sealed.subarray(0, length), context), undefined, `${length} bytes`)
  t.equal(open(key, new Uint8Array([...sealed, 0]), context), undefined)
})

t.test('nothing can be sealed, and the same text is never sealed in the same way', async (t) => {
  t.strictSame(open(key, seal(key, new Uint8Array(0))), new Uint8Array(0))
  t.not(toHex(seal(key, text)), toHex(seal(key, text)))
})

t.test('an account has one secret for each purpose, the same at each start', async (t) => {
  t.equal(toHex(accountSecret(alice, 'topic')), toHex(accountSecret(alice, 'topic')))
  t.not(toHex(accountSecret(alice, 'topic')), toHex(accountSecret(alice, 'file')))
  t.not(toHex(accountSecret(alice, 'topic')), toHex(accountSecret(bob, 'topic')))
})

/** HMAC by HMAC, as RFC 5869 section 2 has it, of one block of output. */
function hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array): Uint8Array {
  const mac = (key: Uint8Array, ...parts: readonly Uint8Array[]) => {
    const hmac = createHmac('sha256', key)
    for (const part of parts) hmac.update(part)
    return new Uint8Array(hmac.digest())
  }
  return mac(mac(salt, secret), info, new Uint8Array([1]))
}
