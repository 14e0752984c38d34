import { createHash } from 'node:crypto'
import t from 'tap'
import { zip215 } from '../../ledger/signature.ts'
import { createSigner, hashing, opensslAccept, SELF_TEST, selfTest, signatures } from '../../node/signing.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'

/** RFC 8032 section 7.1: TEST 1, 2, 3 and SHA(abc). */
const RFC8032 = [
  {
    secret: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    account: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    secret: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    account: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    secret: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    account: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    secret: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    account: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message: createHash('sha512').update('abc').digest('hex'),
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
]

for (const [index, { secret, account, message, signature }] of RFC8032.entries()) {
  t.test(`RFC 8032 section 7.1, vector ${index + 1}`, async (t) => {
    const signer = createSigner(fromHex(secret))
    t.equal(signer.account, account)
    t.equal(toHex(signer.sign(fromHex(message))), signature)
    t.equal(zip215(fromHex(signature), fromHex(message), fromHex(account)), true)
    t.equal(opensslAccept()(fromHex(signature), fromHex(message), signer.account), true)
    t.equal(signatures.verify(fromHex(signature), fromHex(message), signer.account), true)
    t.equal(signatures.verify(fromHex(signature), fromHex(`${message}00`), signer.account), false)
  })
}

t.test('a secret key is exactly 32 bytes', async (t) => {
  for (const size of [0, 31, 33, 64]) t.throws(() => createSigner(new Uint8Array(size)), /32 bytes/)
})

t.test('a signer does not show its secret', async (t) => {
  const signer = createSigner(new Uint8Array(32).fill(0xab))
  t.strictSame(Object.keys(signer).sort(), ['account', 'sign'])
  t.notMatch(JSON.stringify(signer), /abababab/)
})

t.test('SHA-256 by OpenSSL', async (t) => {
  const twice = createHash('sha256').update(createHash('sha256').update('x').digest()).digest('hex')
  t.equal(toHex(hashing.double(new TextEncoder().encode('x'))), twice)
})

t.test('the self-test passes on this machine, and with a verifier that refuses or throws', async (t) => {
  t.doesNotThrow(() => selfTest())
  t.doesNotThrow(() => selfTest(() => false))
  t.doesNotThrow(() =>
    selfTest(() => {
      throw new Error('refused')
    }),
  )
})

t.test('what the self-test knows of ZIP 215 is what noble makes of it', async (t) => {
  for (const { key, r, s, valid } of SELF_TEST) {
    const signature = fromHex(`${r}${s.padEnd(64, '0')}`)
    t.equal(zip215(signature, new TextEncoder().encode('Zcash'), fromHex(key)), valid, key)
  }
})

t.test('the self-test fails with a verifier that accepts what ZIP 215 refuses', async (t) => {
  t.throws(() => selfTest(() => true), /invariant broken: the fast verifier accepts/)
})
