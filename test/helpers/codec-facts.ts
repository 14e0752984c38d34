/** What has to hold for every message: one encoding, nothing missing, nothing left over, and a faithful mirror. */
import type { Test } from 'tap'
import { type Codec, CodecError, decode, encode } from '../../schemas/codec.ts'
import { toHex } from '../../schemas/hex.ts'

const LIMIT = 1 << 21

export function codecFacts<T>(t: Test, codec: Codec<T>, value: T): Uint8Array {
  const bytes = encode(codec, value)
  t.equal(bytes.length, codec.size(value), 'size is the number of bytes')
  t.strictSame(decode(codec, bytes, LIMIT), { ok: true, value }, 'decode is the inverse of encode')
  t.equal(decode(codec, bytes, bytes.length).ok, true, 'its own size is within the limit')
  t.equal(decode(codec, bytes, bytes.length - 1).ok, false, 'above the limit it is refused')

  const cut = Array.from(bytes, (_, length) => decode(codec, bytes.subarray(0, length), LIMIT).ok)
  t.equal(cut.indexOf(true), -1, 'cut at any byte it is refused')
  t.match(decode(codec, Uint8Array.of(...bytes, 0), LIMIT), {
    ok: false,
    fault: { message: '1 trailing bytes' },
  })

  const ambiguous: string[] = []
  const spoilt = bytes.slice()
  for (const [at, byte] of bytes.entries()) {
    for (const other of [
      0,
      1,
      0x7f,
      0x80,
      0xff,
      ...Array.from({ length: 8 }, (_, bit) => byte ^ (1 << bit)),
    ]) {
      spoilt[at] = other
      const decoded = decode(codec, spoilt, LIMIT)
      if (decoded.ok && toHex(encode(codec, decoded.value)) !== toHex(spoilt))
        ambiguous.push(`${at}: ${other}`)
    }
    spoilt[at] = byte
  }
  t.strictSame(ambiguous, [], 'with any byte changed it is refused, or has that one encoding')

  const mirror: unknown = JSON.parse(JSON.stringify(codec.toJson(value)))
  t.equal(
    toHex(encode(codec, codec.json.parse(mirror))),
    toHex(bytes),
    'the JSON mirror gives the same bytes',
  )
  if (typeof mirror === 'object' && mirror !== null) {
    t.throws(() => codec.json.parse({ ...mirror, extra: 1 }), 'a field that is not known is refused')
    for (const key of Object.keys(mirror)) {
      const { [key]: _, ...rest } = mirror as Record<string, unknown>
      t.equal(codec.json.safeParse(rest).success, false, `without ${key} it is refused`)
    }
  }
  return bytes
}

/** Encoding a value out of range is our own bug: it throws a CodecError. */
export function refusesToEncode<T>(t: Test, codec: Codec<T>, value: T, message = 'refused'): void {
  try {
    encode(codec, value)
    t.fail(`${String(value)} was encoded`)
  } catch (error) {
    t.ok(error instanceof CodecError, message)
  }
}
