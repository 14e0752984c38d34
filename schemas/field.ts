/** The fields that messages are made of: integers, hashes, keys, text. Source: docs/PROTOCOL.md section 1. */
import { hexToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'
import { asCodecJson, type Codec, CodecError } from './codec.ts'
import {
  type Account,
  accountText,
  type Hash,
  hashText,
  hexOf,
  type Network,
  networkText,
  toHex,
} from './hex.ts'

function unsigned(
  width: 1 | 2 | 4,
  get: (v: DataView, at: number) => number,
  set: (v: DataView, at: number, n: number) => void,
): Codec<number> {
  const max = 2 ** (8 * width) - 1
  return {
    size: () => width,
    write(writer, value) {
      if (!Number.isInteger(value) || value < 0 || value > max)
        throw new CodecError(`expected 0 to ${max}, got ${value}`)
      set(writer.view, writer.offset, value)
      writer.offset += width
    },
    read: (reader) => get(reader.view, reader.take(width)),
    toJson: (value) => value,
    json: z.int().min(0).max(max),
  }
}

export const u8 = unsigned(
  1,
  (v, at) => v.getUint8(at),
  (v, at, n) => v.setUint8(at, n),
)
export const u16 = unsigned(
  2,
  (v, at) => v.getUint16(at),
  (v, at, n) => v.setUint16(at, n),
)
export const u32 = unsigned(
  4,
  (v, at) => v.getUint32(at),
  (v, at, n) => v.setUint32(at, n),
)

/** Unsigned integer of `width` bytes (6 or 8) held as a JavaScript number: values above 2^53 - 1 are refused. */
function safeUnsigned(width: 6 | 8): Codec<number> {
  const max = width === 6 ? 2 ** 48 - 1 : Number.MAX_SAFE_INTEGER
  const highBytes = width - 4
  return {
    size: () => width,
    write(writer, value) {
      if (!Number.isSafeInteger(value) || value < 0 || value > max)
        throw new CodecError(`expected 0 to ${max}, got ${value}`)
      const high = Math.floor(value / 2 ** 32)
      if (highBytes === 2) writer.view.setUint16(writer.offset, high)
      else writer.view.setUint32(writer.offset, high)
      writer.view.setUint32(writer.offset + highBytes, value >>> 0)
      writer.offset += width
    },
    read(reader) {
      const at = reader.take(width)
      const high = highBytes === 2 ? reader.view.getUint16(at) : reader.view.getUint32(at)
      const value = high * 2 ** 32 + reader.view.getUint32(at + highBytes)
      if (value > max) throw new CodecError(`expected at most ${max} (2^53 - 1), got more`)
      return value
    },
    toJson: (value) => value,
    json: z.int().min(0).max(max),
  }
}

/** Milliseconds since 1970-01-01T00:00:00Z. */
export const time = safeUnsigned(6)
/** Amounts (smallest unit) and counters. */
export const u64 = safeUnsigned(8)

const hexInteger = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected 64 lowercase hex digits (32 bytes)')
  .transform((text) => BigInt(`0x${text}`))

/** 256-bit unsigned integer: targets and work. */
export const u256: Codec<bigint> = {
  size: () => 32,
  write(writer, value) {
    if (value < 0n || value >> 256n !== 0n) throw new CodecError('expected 0 to 2^256 - 1')
    writer.bytes.set(hexToBytes(value.toString(16).padStart(64, '0')), writer.offset)
    writer.offset += 32
  },
  read(reader) {
    const at = reader.take(32)
    return BigInt(`0x${hexOf(reader.bytes, at, at + 32)}`)
  },
  toJson: (value) => value.toString(16).padStart(64, '0'),
  json: asCodecJson(hexInteger),
}

/** Raw bytes of a fixed width: signatures. */
export function fixed(width: number): Codec<Uint8Array> {
  return {
    size: () => width,
    write(writer, value) {
      if (value.length !== width) throw new CodecError(`expected ${width} bytes, got ${value.length}`)
      writer.bytes.set(value, writer.offset)
      writer.offset += width
    },
    read(reader) {
      const at = reader.take(width)
      return reader.bytes.slice(at, at + width)
    },
    toJson: (value) => toHex(value),
    json: asCodecJson(
      z
        .string()
        .regex(new RegExp(`^[0-9a-f]{${width * 2}}$`), `expected ${width * 2} lowercase hex digits`)
        .transform((text) => hexToBytes(text)),
    ),
  }
}

function hexBytes<T extends string>(width: number, json: z.ZodType): Codec<T> {
  return {
    size: () => width,
    write(writer, value) {
      const bytes = hexToBytes(value)
      if (bytes.length !== width) throw new CodecError(`expected ${width} bytes, got ${bytes.length}`)
      writer.bytes.set(bytes, writer.offset)
      writer.offset += width
    },
    read(reader) {
      const at = reader.take(width)
      return hexOf(reader.bytes, at, at + width) as T
    },
    toJson: (value) => value,
    json: asCodecJson(json),
  }
}

export const hash = hexBytes<Hash>(32, hashText)
export const account = hexBytes<Account>(32, accountText)
export const network = hexBytes<Network>(4, networkText)

/** Up to `max` raw bytes behind a u32 length. */
export function blob(max: number): Codec<Uint8Array> {
  return {
    size: (value) => 4 + value.length,
    write(writer, value) {
      if (value.length > max) throw new CodecError(`expected at most ${max} bytes, got ${value.length}`)
      u32.write(writer, value.length)
      writer.bytes.set(value, writer.offset)
      writer.offset += value.length
    },
    read(reader) {
      const length = u32.read(reader)
      if (length > max) throw new CodecError(`expected at most ${max} bytes, got ${length}`)
      const at = reader.take(length)
      return reader.bytes.slice(at, at + length)
    },
    toJson: (value) => toHex(value),
    json: asCodecJson(
      z
        .string()
        .max(max * 2)
        .regex(/^([0-9a-f]{2})*$/, 'expected lowercase hex')
        .transform((text) => hexToBytes(text)),
    ),
  }
}

const utf8Encoder = new TextEncoder()
const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 text of at most `maxBytes` (255) behind a u8 length, and matching `pattern`. */
export function text(maxBytes: number, pattern: RegExp, expected: string): Codec<string> {
  const check = (value: string): Uint8Array => {
    const bytes = utf8Encoder.encode(value)
    if (bytes.length > maxBytes)
      throw new CodecError(`expected at most ${maxBytes} bytes of UTF-8, got ${bytes.length}`)
    if (!pattern.test(value)) throw new CodecError(`expected ${expected}`)
    return bytes
  }
  return {
    size: (value) => 1 + utf8Encoder.encode(value).length,
    write(writer, value) {
      const bytes = check(value)
      u8.write(writer, bytes.length)
      writer.bytes.set(bytes, writer.offset)
      writer.offset += bytes.length
    },
    read(reader) {
      const length = u8.read(reader)
      const at = reader.take(length)
      let value: string
      try {
        value = utf8Decoder.decode(reader.bytes.subarray(at, at + length))
      } catch {
        throw new CodecError('expected valid UTF-8')
      }
      check(value)
      return value
    },
    toJson: (value) => value,
    json: z
      .string()
      .refine(
        (value) => utf8Encoder.encode(value).length <= maxBytes,
        `expected at most ${maxBytes} bytes of UTF-8`,
      )
      .regex(pattern, `expected ${expected}`),
  }
}

/** Text without control characters or lone surrogates; may be empty. */
export const freeText = (maxBytes: number): Codec<string> =>
  text(maxBytes, /^[^\p{Cc}\p{Cs}]*$/u, 'text without control characters')

/** What `freeText(maxBytes)` takes of a text from elsewhere. */
export function clipText(value: string, maxBytes: number): string {
  let clean = value.replace(/[\p{Cc}\p{Cs}]/gu, '?')
  while (utf8Encoder.encode(clean).length > maxBytes) clean = [...clean].slice(0, -1).join('')
  return clean
}

/** A name that is safe in a topic: a sensor, a network. */
export const name = text(
  32,
  /^[a-z0-9][a-z0-9._-]*$/,
  'a name of a-z, 0-9, ".", "_", "-", starting with a letter or digit',
)

/** One of a few values, each with its number on the wire. */
export function choice<const V extends string>(values: Readonly<Record<V, number>>): Codec<V> {
  const byNumber = new Map<number, V>()
  for (const value of Object.keys(values) as V[]) byNumber.set(values[value], value)
  return {
    size: () => 1,
    write: (writer, value) => u8.write(writer, values[value]),
    read(reader) {
      const number = u8.read(reader)
      const value = byNumber.get(number)
      if (value === undefined)
        throw new CodecError(`expected one of ${[...byNumber.keys()].join(', ')}, got ${number}`)
      return value
    },
    toJson: (value) => value,
    json: asCodecJson(z.enum(Object.keys(values) as [V, ...V[]])),
  }
}

export const bool: Codec<boolean> = {
  size: () => 1,
  write: (writer, value) => u8.write(writer, value ? 1 : 0),
  read(reader) {
    const value = u8.read(reader)
    if (value > 1) throw new CodecError(`expected 0 or 1, got ${value}`)
    return value === 1
  },
  toJson: (value) => value,
  json: z.boolean(),
}

/** One byte that can only be `value`. */
export function constant<const N extends number>(value: N): Codec<N> {
  return {
    size: () => 1,
    write: (writer) => u8.write(writer, value),
    read(reader) {
      const number = u8.read(reader)
      if (number !== value) throw new CodecError(`expected ${value}, got ${number}`)
      return value
    },
    toJson: () => value,
    json: asCodecJson(z.literal(value)),
  }
}
