import t from 'tap'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { list, struct, union } from '../../schemas/compound.ts'
import {
  account,
  blob,
  bool,
  choice,
  constant,
  fixed,
  freeText,
  hash,
  name,
  network,
  time,
  u8,
  u16,
  u32,
  u64,
  u256,
} from '../../schemas/field.ts'
import { type Account, fromHex, type Hash, type Network, toHex } from '../../schemas/hex.ts'
import { refusesToEncode } from '../helpers/codec-facts.ts'

const hex = <T>(codec: Codec<T>, value: T) => toHex(encode(codec, value))
const read = <T>(codec: Codec<T>, text: string) => decode(codec, fromHex(text), 1 << 20)
const LARGEST = Number.MAX_SAFE_INTEGER

for (const [title, codec, max, largest] of [
  ['u8', u8, 255, 'ff'],
  ['u16', u16, 65_535, 'ffff'],
  ['u32', u32, 2 ** 32 - 1, 'ffffffff'],
  ['time', time, 2 ** 48 - 1, 'ffffffffffff'],
  ['u64', u64, LARGEST, '001fffffffffffff'],
] as const) {
  t.test(`${title} is big-endian, 0 to ${max}`, async (t) => {
    t.equal(hex(codec, 0), '00'.repeat(largest.length / 2))
    t.equal(hex(codec, 1), '01'.padStart(largest.length, '0'))
    t.equal(hex(codec, max), largest)
    for (const value of [0, 1, max]) t.strictSame(read(codec, hex(codec, value)), { ok: true, value })
    for (const bad of [-1, max + 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      refusesToEncode(t, codec, bad)
      t.equal(codec.json.safeParse(bad).success, false)
    }
    t.equal(codec.json.safeParse(String(max)).success, false, 'JSON numbers only')
    t.equal(codec.json.parse(max), max)
  })
}

t.test('integers beyond 32 bits keep every digit', async (t) => {
  for (const value of [2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 47 + 5, 0x0102_0304_0506]) {
    t.strictSame(read(time, hex(time, value)), { ok: true, value })
    t.strictSame(read(u64, hex(u64, value)), { ok: true, value })
  }
  t.equal(hex(time, 0x0102_0304_0506), '010203040506')
  t.equal(hex(u64, 0x0102_0304_0506), '0000010203040506')
})

t.test('u64 above 2^53 - 1 is refused, since a number could not hold it', async (t) => {
  for (const text of ['0020000000000000', '0020000000000001', 'ffffffffffffffff']) {
    t.match(read(u64, text), { ok: false, fault: { code: 'bad-encoding', message: /2\^53 - 1/ } })
  }
})

t.test('u256', async (t) => {
  const largest = (1n << 256n) - 1n
  t.equal(hex(u256, 0x0102n), '0102'.padStart(64, '0'))
  t.equal(hex(u256, largest), 'ff'.repeat(32))
  t.strictSame(read(u256, 'ff'.repeat(32)), { ok: true, value: largest })
  for (const bad of [-1n, largest + 1n]) refusesToEncode(t, u256, bad)
  t.equal(u256.json.parse('ab'.repeat(32)), BigInt(`0x${'ab'.repeat(32)}`))
  for (const bad of ['ab', 'AB'.repeat(32), `0x${'ab'.repeat(31)}`, 5])
    t.equal(u256.json.safeParse(bad).success, false)
})

t.test('keys, hashes and network ids are raw bytes', async (t) => {
  const key = '0123456789abcdef'.repeat(4)
  t.equal(hex(hash, key as Hash), key)
  t.equal(hex(account, key as Account), key)
  t.equal(hex(network, '0badcafe' as Network), '0badcafe')
  refusesToEncode(t, hash, 'abcd' as Hash)
  for (const bad of [key.toUpperCase(), key.slice(1), `${key}0`, ''])
    t.equal(hash.json.safeParse(bad).success, false)
})

t.test('fixed bytes have exactly their width', async (t) => {
  t.equal(hex(fixed(3), Uint8Array.of(1, 2, 3)), '010203')
  for (const size of [0, 2, 4]) refusesToEncode(t, fixed(3), new Uint8Array(size))
  t.equal(fixed(3).json.safeParse('0102').success, false)
})

t.test('a blob carries its length and refuses more than its limit', async (t) => {
  t.equal(hex(blob(3), Uint8Array.of(7, 8)), '000000020708')
  refusesToEncode(t, blob(3), new Uint8Array(4))
  t.match(read(blob(3), '0000000400000000'), { ok: false, fault: { message: /at most 3 bytes, got 4/ } })
  t.match(read(blob(2 ** 32), 'ffffffff00'), { ok: false }, 'a length beyond the end is no allocation')
  for (const bad of ['0', '00000000', 'zz']) t.equal(blob(3).json.safeParse(bad).success, false)
})

t.test('decoded bytes are a copy, whatever holds the message', async (t) => {
  const message = Buffer.from('00000002aabb', 'hex')
  const decoded = decode(blob(9), message, 9)
  message.fill(0)
  t.strictSame(decoded, { ok: true, value: Uint8Array.of(0xaa, 0xbb) })
})

t.test('text is UTF-8 behind its length in bytes', async (t) => {
  const codec = freeText(6)
  t.equal(hex(codec, ''), '00')
  t.equal(hex(codec, '☀ü'), '05e29880c3bc')
  t.strictSame(read(codec, '05e29880c3bc'), { ok: true, value: '☀ü' })
  refusesToEncode(t, codec, '☀☀☀', 'the limit counts bytes')
  t.equal(codec.json.safeParse('☀☀☀').success, false)
})

for (const [title, bytes] of [
  ['overlong', '02c080'],
  ['cut in a character', '02e298'],
  ['a surrogate', '03eda080'],
  ['not UTF-8', '01ff'],
  ['a line break', '010a'],
  ['a NUL', '0100'],
  ['an escape', '011b'],
] as const) {
  t.test(`text with ${title} is refused`, async (t) => {
    t.equal(read(freeText(9), bytes).ok, false)
  })
}

t.test('text with control characters or lone surrogates is refused in JSON and when encoding', async (t) => {
  for (const bad of ['a\nb', '\u0000', '\u009b', '\ud800']) {
    t.equal(freeText(9).json.safeParse(bad).success, false)
    refusesToEncode(t, freeText(9), bad)
  }
})

t.test('a byte order mark is a character like others, so there is one encoding', async (t) => {
  t.strictSame(read(freeText(9), '04efbbbf61'), { ok: true, value: '\ufeffa' })
})

t.test('a name is safe as a level of a topic', async (t) => {
  for (const good of ['a', '0', 'cpu-load.1_x', 'x'.repeat(32)])
    t.strictSame(read(name, hex(name, good)), { ok: true, value: good })
  for (const bad of ['', 'x'.repeat(33), 'A', '-a', '.', 'a/b', 'a+', '#', 'ü', 'a\n']) {
    refusesToEncode(t, name, bad)
    t.equal(name.json.safeParse(bad).success, false)
  }
})

t.test('a list carries its count and refuses more than its limit', async (t) => {
  t.equal(hex(list(u8, 3), [7, 8]), '00020708')
  t.equal(hex(list(u8, 3), []), '0000')
  refusesToEncode(t, list(u8, 3), [1, 2, 3, 4])
  t.match(read(list(u8, 3), '000401020304'), { ok: false, fault: { message: /at most 3 items, got 4/ } })
  t.equal(list(u8, 3).json.safeParse([1, 2, 3, 4]).success, false)
})

t.test('a choice, a bool and a constant know only their own numbers', async (t) => {
  const colour = choice({ red: 1, blue: 4 })
  t.equal(hex(colour, 'blue'), '04')
  t.match(read(colour, '02'), { ok: false, fault: { message: 'expected one of 1, 4, got 2' } })
  t.equal(colour.json.safeParse('green').success, false)
  t.equal(hex(bool, true), '01')
  t.match(read(bool, '02'), { ok: false })
  t.equal(hex(constant(3), 3), '03')
  t.match(read(constant(3), '04'), { ok: false, fault: { message: 'expected 3, got 4' } })
  t.equal(constant(3).json.safeParse(4).success, false)
})

t.test('a fault names the field, down to the inner one', async (t) => {
  const codec = struct({ a: u8, inner: struct({ b: bool, c: u16 }) })
  t.equal(hex(codec, { a: 1, inner: { b: true, c: 2 } }), '01010002')
  t.match(read(codec, '0105'), { ok: false, fault: { field: 'inner.b', message: 'expected 0 or 1, got 5' } })
  t.match(read(codec, '010100'), {
    ok: false,
    fault: { field: 'inner.c', message: /needs 2 bytes at offset 2, message has 3/ },
  })
  t.match(read(codec, ''), { ok: false, fault: { field: 'a' } })
})

t.test('a union starts with the number of its type and refuses unknown ones', async (t) => {
  const codec = union({
    one: { number: 1, codec: struct({ a: u8 }) },
    two: { number: 9, codec: struct({ b: u16 }) },
  })
  t.equal(hex(codec, { type: 'two', b: 5 }), '090005')
  t.strictSame(read(codec, '0107'), { ok: true, value: { type: 'one', a: 7 } })
  t.match(read(codec, '0207'), {
    ok: false,
    fault: { field: 'type', message: 'unknown type 2, known are 1, 9' },
  })
  refusesToEncode(t, codec, { type: 'three', a: 1 } as never)
  for (const bad of [{ type: 'three', a: 1 }, { a: 1 }, { type: 'one', b: 1 }])
    t.equal(codec.json.safeParse(bad).success, false)
})

t.test('a fault of our own inside a codec is not taken for the peer’s', async (t) => {
  const broken: Codec<number> = {
    ...u8,
    read() {
      throw new TypeError('bug')
    },
  }
  t.throws(() => decode(struct({ a: broken }), new Uint8Array(1), 9), /bug/)
})
