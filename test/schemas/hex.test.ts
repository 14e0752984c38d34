import t from 'tap'
import {
  accountFromBytes,
  accountText,
  fromHex,
  hashFromBytes,
  hashText,
  networkText,
  short,
  toHex,
  ZERO_HASH,
} from '../../schemas/hex.ts'

const text = '0123456789abcdef'.repeat(4)

t.test('bytes to text and back', async (t) => {
  t.equal(toHex(Uint8Array.of(0, 15, 255)), '000fff')
  t.strictSame(fromHex('000fff'), Uint8Array.of(0, 15, 255))
  t.equal(hashFromBytes(fromHex(text)), text)
  t.equal(accountFromBytes(fromHex(text)), text)
  t.equal(ZERO_HASH, toHex(new Uint8Array(32)))
})

t.test('only lowercase hex of the exact length is a hash, an account or a network', async (t) => {
  t.equal(hashText.parse(text), text)
  t.equal(accountText.parse(text), text)
  t.equal(networkText.parse('0badcafe'), '0badcafe')
  for (const bad of [
    '',
    text.slice(2),
    `${text}00`,
    text.toUpperCase(),
    `${text}\n`,
    ` ${text}`,
    text.replace('0', 'g'),
    7,
  ]) {
    for (const schema of [hashText, accountText, networkText]) t.equal(schema.safeParse(bad).success, false)
  }
})

t.test('the short form is the first 8 digits', async (t) => {
  t.equal(short(text), '01234567')
})
