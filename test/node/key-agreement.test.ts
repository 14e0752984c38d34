import t from 'tap'
import { conversationKeys, createKeyPair, keyPairOf, openBox, sealFor } from '../../node/key-agreement.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'

const context = new TextEncoder().encode('soil')
const text = new TextEncoder().encode('a key')

/** RFC 7748 section 6.1. */
const ALICE = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'
const ALICE_PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'
const BOB = '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'
const BOB_PUBLIC = 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'
const SHARED = '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742'

/** The seven encodings of points of small order, https://cr.yp.to/ecdh.html#validate, as far as bit 255 is clear. */
const SMALL_ORDER = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
]

t.test('two pairs agree as in RFC 7748 section 6.1', async (t) => {
  const [alice, bob] = [keyPairOf(fromHex(ALICE)), keyPairOf(fromHex(BOB))]
  t.equal(toHex(alice.publicKey), ALICE_PUBLIC)
  t.equal(toHex(bob.publicKey), BOB_PUBLIC)
  t.equal(toHex(alice.agree(bob.publicKey) ?? text), SHARED)
  t.equal(toHex(bob.agree(alice.publicKey) ?? text), SHARED)
})

t.test('a key of small order, or of another length, is refused everywhere', async (t) => {
  const pair = createKeyPair()
  for (const hex of SMALL_ORDER) {
    const key = fromHex(hex)
    t.equal(pair.agree(key), undefined, hex)
    t.equal(conversationKeys(pair, key, context), undefined, hex)
    t.equal(sealFor(key, text, context), undefined, hex)
    t.equal(openBox(pair, new Uint8Array([...key, ...new Uint8Array(40)]), context), undefined, hex)
  }
  t.equal(pair.agree(new Uint8Array(31)), undefined)
  t.equal(pair.agree(new Uint8Array(33)), undefined)
})

t.test('what one side of a conversation sends with is what the other receives with', async (t) => {
  const [alice, bob] = [createKeyPair(), createKeyPair()]
  const ours = conversationKeys(alice, bob.publicKey, context)
  const theirs = conversationKeys(bob, alice.publicKey, context)
  t.strictSame(ours?.send, theirs?.receive)
  t.strictSame(ours?.receive, theirs?.send)
  t.notSame(ours?.send, ours?.receive, 'a message cannot be sent back to its maker')
  t.notSame(ours?.send, conversationKeys(alice, bob.publicKey, text)?.send, 'another context, other keys')
})

t.test('a box is opened by the pair that it was made for, in its context, unchanged', async (t) => {
  const pair = createKeyPair()
  const box = sealFor(pair.publicKey, text, context)
  t.ok(box)
  if (box === undefined) return
  t.strictSame(openBox(pair, box, context), text)
  t.equal(openBox(createKeyPair(), box, context), undefined)
  t.equal(openBox(pair, box, text), undefined)
  for (let at = 0; at < box.length; at++) {
    const changed = box.slice()
    // Bit 255 of a public key means nothing (RFC 7748 section 5), but our keys are made from the bytes as sent.
    changed[at] = (changed[at] ?? 0) ^ 0x80
    t.equal(openBox(pair, changed, context), undefined, `byte ${at}`)
  }
  for (let length = 0; length < box.length; length++)
    t.equal(openBox(pair, box.subarray(0, length), context), undefined, `${length} bytes`)
})

t.test('no two boxes are alike', async (t) => {
  const { publicKey } = createKeyPair()
  t.notSame(sealFor(publicKey, text, context), sealFor(publicKey, text, context))
})
