import { readFileSync } from 'node:fs'
import t from 'tap'
import { createSignatures, zip215 } from '../../ledger/signature.ts'
import { createSigner, opensslAccept } from '../../node/signing.ts'
import { type Account, fromHex, toHex } from '../../schemas/hex.ts'
import { fromRoot } from '../helpers/root.ts'

const small = JSON.parse(readFileSync(fromRoot('test/vectors/zip215.json'), 'utf8'))
const encodings: string[] = [...small.canonical, ...small.nonCanonical]
const zcash = new TextEncoder().encode('Zcash')
const withS = (r: string, s = '00'.repeat(32)) => fromHex(r + s)

const verifiers = {
  'noble alone': createSignatures(),
  OpenSSL: createSignatures(opensslAccept()),
  'a fast verifier that always refuses': createSignatures(() => false),
  'a fast verifier that always throws': createSignatures(() => {
    throw new Error('no such key')
  }),
}

for (const [title, signatures] of Object.entries(verifiers)) {
  t.test(`ZIP 215: all 196 signatures by points of small order are valid, with ${title}`, async (t) => {
    t.equal(new Set(encodings).size, 14)
    const refused = encodings.flatMap((key) =>
      encodings.filter((r) => !signatures.verify(withS(r), zcash, key as Account)).map((r) => `${key} ${r}`),
    )
    t.strictSame(refused, [])
  })

  t.test(`a genuine signature is valid, a spoilt one is not, with ${title}`, async (t) => {
    const signer = createSigner(new Uint8Array(32).fill(9))
    const signature = signer.sign(zcash)
    t.equal(signatures.verify(signature, zcash, signer.account), true)
    t.equal(signatures.verify(signature, new Uint8Array(5), signer.account), false)
    t.equal(signatures.verify(signature, zcash, createSigner(new Uint8Array(32).fill(8)).account), false)
    t.equal(signatures.verify(signature.subarray(0, 63), zcash, signer.account), false)
    t.equal(signatures.verify(Uint8Array.of(...signature, 0), zcash, signer.account), false)
    for (let at = 0; at < 64; at += 7) {
      const spoilt = signature.slice()
      spoilt[at] = (spoilt[at] ?? 0) ^ 1
      t.equal(signatures.verify(spoilt, zcash, signer.account), false, `byte ${at}`)
    }
  })
}

t.test('s is canonical: the same signature plus the group order is refused', async (t) => {
  const order = (1n << 252n) + 27_742_317_777_372_353_535_851_937_790_883_648_493n
  const littleEndian = toHex(fromHex(order.toString(16).padStart(64, '0')).reverse())
  const r = encodings[0] ?? ''
  for (const signatures of Object.values(verifiers)) {
    t.equal(signatures.verify(withS(r, littleEndian), zcash, r as Account), false)
  }
})

t.test('no encoding of a point of small order is an account', async (t) => {
  const { isAccount } = createSignatures()
  t.strictSame(
    encodings.filter((key) => isAccount(key as Account)),
    [],
  )
})

t.test('accounts are canonical points on the curve', async (t) => {
  const { isAccount } = createSignatures()
  const { account } = createSigner(new Uint8Array(32).fill(9))
  t.equal(isAccount(account), true)
  t.equal(isAccount(account), true, 'also from the cache')
  const offCurve = `02${'00'.repeat(31)}` as Account
  t.equal(zip215(new Uint8Array(64), zcash, fromHex(offCurve)), false)
  t.equal(isAccount(offCurve), false)
  // y = 2^255 - 19 + n is a second name for y = n; n = 3 and 4 are on the curve and not of small order.
  for (const n of [3, 4]) {
    t.equal(isAccount(`0${n}${'00'.repeat(31)}` as Account), true)
    t.equal(isAccount(`${(0xed + n).toString(16)}${'ff'.repeat(30)}7f` as Account), false)
  }
})
