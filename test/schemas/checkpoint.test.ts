import t from 'tap'
import {
  CERTIFICATE_BYTES_MAX,
  CERTIFICATES_BYTES_MAX,
  certificate,
  certificates,
  link,
  VOTE_BYTES,
  vote,
} from '../../schemas/checkpoint.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Hash, toHex } from '../../schemas/hex.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'

const source = { height: 8, hash: '11'.repeat(32) as Hash }
const target = { height: 16, hash: '22'.repeat(32) as Hash }
const signature = new Uint8Array(64).fill(0x44)
const linkBytes = `00000008${'11'.repeat(32)}00000010${'22'.repeat(32)}`
const certificateBytes = `${linkBytes}000201${'44'.repeat(64)}05${'44'.repeat(64)}`
const two = [
  { signer: 1, signature },
  { signer: 5, signature },
]

t.test('golden bytes of links, votes and certificates', async (t) => {
  t.equal(toHex(codecFacts(t, link, { source, target })), linkBytes)
  const cast = { source, target, signer: '33'.repeat(32) as Account, signature }
  t.equal(toHex(codecFacts(t, vote, cast)), `${linkBytes}${'33'.repeat(32)}${'44'.repeat(64)}`)
  t.equal(encode(vote, cast).length, VOTE_BYTES)
  const value = { source, target, signatures: two }
  t.equal(toHex(codecFacts(t, certificate, value)), certificateBytes)
  t.equal(toHex(codecFacts(t, certificates, { certificates: [value] })), `0001${certificateBytes}`)
})

t.test('a certificate has at most 64 signatures, a message two certificates', async (t) => {
  const full = {
    source,
    target,
    signatures: Array.from({ length: 64 }, (_, signer) => ({ signer, signature })),
  }
  t.equal(encode(certificate, full).length, CERTIFICATE_BYTES_MAX)
  t.equal(encode(certificates, { certificates: [full, full] }).length, CERTIFICATES_BYTES_MAX)
  refusesToEncode(t, certificate, { ...full, signatures: [...full.signatures, ...two] })
  refusesToEncode(t, certificates, { certificates: [full, full, full] })
})
