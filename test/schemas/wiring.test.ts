import t from 'tap'
import { decode, encode } from '../../schemas/codec.ts'
import { toHex } from '../../schemas/hex.ts'
import { WIRING_BYTES_MAX, WIRING_TEXT_BYTES_MAX, wiring, wiringParts } from '../../schemas/wiring.ts'
import { alice } from '../helpers/ledger.ts'

const text = new TextEncoder().encode('[]')
const message = { sequence: 258, text, signature: new Uint8Array(64).fill(7) }

t.test('sequence, text, signature', async (t) => {
  const bytes = encode(wiring, message)
  t.equal(toHex(bytes), `0000000000000102000000025b5d${'07'.repeat(64)}`)
  t.strictSame(decode(wiring, bytes, WIRING_BYTES_MAX), { ok: true, value: message })
})

t.test('what is signed names agent, sequence and text', async (t) => {
  t.equal(wiringParts(alice.account, message).map(toHex).join(' '), `${alice.account} 0000000000000102 5b5d`)
})

t.test('a longer text is refused', async (t) => {
  const large = { ...message, text: new Uint8Array(WIRING_TEXT_BYTES_MAX) }
  t.equal(encode(wiring, large).length, WIRING_BYTES_MAX)
  const bytes = new Uint8Array(WIRING_BYTES_MAX + 1)
  bytes.set(encode(wiring, large))
  t.notOk(decode(wiring, bytes, WIRING_BYTES_MAX).ok)
})
