import t from 'tap'
import { decode, encode } from '../../schemas/codec.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
import {
  decimal,
  decimalNumber,
  formatDecimal,
  parseDecimal,
  toDecimal,
  UNITS,
  unit,
} from '../../schemas/units.ts'
import { refusesToEncode } from '../helpers/codec-facts.ts'

const LARGEST = Number.MAX_SAFE_INTEGER

for (const [text, mantissa, exponent] of [
  ['0', 0, 0],
  ['12.50', 1250, -2],
  ['-3', -3, 0],
  ['12e3', 12, 3],
  ['-0.05', -5, -2],
  ['0.000', 0, -3],
  ['0e12', 0, 12],
  ['0.000000000001', 1, -12],
  ['9007199254740991', LARGEST, 0],
  ['-9007199254740991e12', -LARGEST, 12],
  ['9007.199254740991', LARGEST, -12],
] as const) {
  t.test(`${text} is ${mantissa} * 10^${exponent}, as text, JSON and bytes`, async (t) => {
    const value = { mantissa, exponent }
    t.equal(formatDecimal(value), text)
    t.strictSame(parseDecimal(text), value)
    t.strictSame(decimal.json.parse(decimal.toJson(value)), value)
    t.strictSame(decode(decimal, encode(decimal, value), 9), { ok: true, value })
  })
}

t.test('the layout: exponent, then mantissa in two’s complement', async (t) => {
  t.equal(toHex(encode(decimal, { mantissa: -2, exponent: -1 })), 'fffffffffffffffffe')
  t.equal(toHex(encode(decimal, { mantissa: 258, exponent: 12 })), '0c0000000000000102')
})

for (const bad of [
  '',
  '+1',
  '-0',
  '-0.0',
  '01',
  '1.',
  '.5',
  '1e0',
  '1e13',
  '1e01',
  '1.5e3',
  '1e-3',
  '0x10',
  ' 1',
  '1\n',
  'NaN',
  '9007199254740992',
  '900719925474099.12',
  '0.0000000000001',
  'Infinity',
]) {
  t.test(`${JSON.stringify(bad)} is no decimal`, async (t) => {
    t.equal(parseDecimal(bad), undefined)
    t.equal(decimal.json.safeParse(bad).success, false)
  })
}

t.test('JSON numbers are no decimals, since they lose digits', async (t) => {
  t.equal(decimal.json.safeParse(12.5).success, false)
})

t.test('exponents beyond 12 and mantissas beyond 2^53 - 1 are refused in bytes', async (t) => {
  for (const bytes of [
    '0d0000000000000001',
    'f30000000000000001',
    '000020000000000000',
    '00ffdfffffffffffff',
    '00ffe0000000000000',
    '008000000000000000',
  ]) {
    t.match(decode(decimal, fromHex(bytes), 9), { ok: false, fault: { code: 'bad-encoding' } })
  }
  for (const bad of [
    { mantissa: LARGEST + 1, exponent: 0 },
    { mantissa: 0.5, exponent: 0 },
    { mantissa: 1, exponent: 13 },
    { mantissa: 1, exponent: 0.5 },
  ]) {
    refusesToEncode(t, decimal, bad)
  }
})

t.test('a measured number becomes the nearest decimal, and never minus zero', async (t) => {
  t.strictSame(toDecimal(21.456, 2), { mantissa: 2146, exponent: -2 })
  t.strictSame(toDecimal(7, 0), { mantissa: 7, exponent: 0 })
  t.ok(Object.is(toDecimal(-0.001, 1).mantissa, 0))
  for (const bad of [1e16, Number.NaN, Number.POSITIVE_INFINITY])
    t.throws(() => toDecimal(bad, 0), /does not fit/)
})

t.test('a decimal as a number', async (t) => {
  t.strictSame(
    [
      [1250, -2],
      [12, 3],
      [-5, 0],
    ].map(([mantissa = 0, exponent = 0]) => decimalNumber({ mantissa, exponent })),
    [12.5, 12_000, -5],
  )
})

t.test('every registered symbol is a unit; spaces, control characters and long ones are not', async (t) => {
  t.equal(new Set(UNITS).size, UNITS.length)
  for (const symbol of UNITS) t.equal(decode(unit, encode(unit, symbol), 16).ok, true, symbol)
  for (const bad of ['', 'a b', '°C', 'x'.repeat(16), '\t']) t.equal(unit.json.safeParse(bad).success, false)
})
