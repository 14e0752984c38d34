/**
 * Canonical binary codecs: from one declaration come the bytes, the type and the JSON mirror.
 *
 * Integers are big-endian and fixed in width, text and bytes carry a length, nothing is optional and there
 * are no floats or maps, so a value has exactly one encoding: `encode(decode(b))` equals `b`, and trailing
 * bytes are refused. Source: docs/PROTOCOL.md section 1.
 */
import { hexToBytes } from '@noble/hashes/utils.js'
import { z } from 'zod'
import { type Account, accountText, type Hash, hashText, type Network, networkText, toHex } from './hex.ts'
import { accept, type Result, refuse } from './result.ts'

/** Why bytes are not the message that they claim to be: which field, what was expected, what came. */
export interface DecodeFault {
  readonly code: 'bad-encoding'
  readonly field: string
  readonly message: string
}

/** Thrown inside codecs only; `decode` turns it into a `DecodeFault`. Thrown by `encode` it is our own bug. */
export class CodecError extends Error {
  field = ''
}

/** Writes forward into one buffer of the exact size. */
export class Writer {
  readonly bytes: Uint8Array
  readonly view: DataView
  offset = 0
  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.view = new DataView(this.bytes.buffer)
  }
}

/** Reads forward; `take` is the one place that checks the end of the message. */
export class Reader {
  readonly bytes: Uint8Array
  readonly view: DataView
  offset = 0
  constructor(bytes: Uint8Array) {
    // A plain Uint8Array even when given a Buffer, whose `slice` shares memory instead of copying.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }
  /** Moves past `count` bytes and returns where they start. */
  take(count: number): number {
    const start = this.offset
    if (start + count > this.bytes.length) {
      throw new CodecError(`needs ${count} bytes at offset ${start}, message has ${this.bytes.length}`)
    }
    this.offset = start + count
    return start
  }
}

export interface Codec<T> {
  /** Bytes that `value` takes. */
  size(value: T): number
  write(writer: Writer, value: T): void
  read(reader: Reader): T
  toJson(value: T): unknown
  /** Parses the JSON mirror back into the value. */
  readonly json: z.ZodType<T>
}

export type Infer<C> = C extends Codec<infer T> ? T : never

const asCodecJson = <T>(schema: z.ZodType): z.ZodType<T> => schema as z.ZodType<T>

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
    return BigInt(`0x${toHex(reader.bytes.subarray(at, at + 32))}`)
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
      return toHex(reader.bytes.subarray(at, at + width)) as T
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

/** A name that is safe in a topic: a sensor, a network. */
export const name = text(
  32,
  /^[a-z0-9][a-z0-9._-]*$/,
  'a name of a-z, 0-9, ".", "_", "-", starting with a letter or digit',
)

/** At most `max` items behind a u16 count. */
export function list<T>(item: Codec<T>, max: number): Codec<readonly T[]> {
  return {
    size(value) {
      let bytes = 2
      for (const entry of value) bytes += item.size(entry)
      return bytes
    },
    write(writer, value) {
      if (value.length > max) throw new CodecError(`expected at most ${max} items, got ${value.length}`)
      u16.write(writer, value.length)
      for (const entry of value) item.write(writer, entry)
    },
    read(reader) {
      const count = u16.read(reader)
      if (count > max) throw new CodecError(`expected at most ${max} items, got ${count}`)
      const value: T[] = []
      for (let index = 0; index < count; index++) value.push(item.read(reader))
      return value
    },
    toJson: (value) => value.map((entry) => item.toJson(entry)),
    json: asCodecJson(z.array(item.json).max(max)),
  }
}

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

type Fields = Readonly<Record<string, Codec<unknown>>>
export type StructValue<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]> }

export interface Struct<F extends Fields> extends Codec<StructValue<F>> {
  readonly fields: F
}

/** Fields one after the other, in the order in which they are declared. */
export function struct<F extends Fields>(fields: F): Struct<F> {
  const entries = Object.entries(fields)
  const shape: Record<string, z.ZodType> = {}
  for (const [key, codec] of entries) shape[key] = codec.json
  return {
    fields,
    size(value) {
      let bytes = 0
      for (const [key, codec] of entries) bytes += codec.size(value[key])
      return bytes
    },
    write(writer, value) {
      for (const [key, codec] of entries) {
        try {
          codec.write(writer, value[key])
        } catch (error) {
          throw named(error, key)
        }
      }
    },
    read(reader) {
      const value: Record<string, unknown> = {}
      for (const [key, codec] of entries) {
        try {
          value[key] = codec.read(reader)
        } catch (error) {
          throw named(error, key)
        }
      }
      return value as StructValue<F>
    },
    toJson(value) {
      const json: Record<string, unknown> = {}
      for (const [key, codec] of entries) json[key] = codec.toJson(value[key])
      return json
    },
    json: asCodecJson(z.strictObject(shape)),
  }
}

type Cases = Readonly<Record<string, { readonly number: number; readonly codec: Codec<unknown> }>>
export type UnionValue<C extends Cases> = {
  [K in keyof C]: { readonly type: K } & Infer<C[K]['codec']>
}[keyof C]

/** One of several structs behind a u8 type number; an unknown number is refused. */
export function union<C extends Cases>(cases: C): Codec<UnionValue<C>> {
  type Value = UnionValue<C>
  const byNumber = new Map(
    Object.entries(cases).map(([type, { number, codec }]) => [number, { type, codec }]),
  )
  const codecOf = (value: Value): { number: number; codec: Codec<unknown> } => {
    const entry = cases[value.type as string]
    if (entry === undefined) throw new CodecError(`unknown type ${String(value.type)}`)
    return entry
  }
  const options = Object.entries(cases).map(([type, { codec }]) =>
    (codec.json as unknown as z.ZodObject).extend({ type: z.literal(type) }),
  )
  return {
    size: (value) => 1 + codecOf(value).codec.size(value),
    write(writer, value) {
      const { number, codec } = codecOf(value)
      u8.write(writer, number)
      codec.write(writer, value)
    },
    read(reader) {
      const number = u8.read(reader)
      const entry = byNumber.get(number)
      if (entry === undefined)
        throw named(
          new CodecError(`unknown type ${number}, known are ${[...byNumber.keys()].join(', ')}`),
          'type',
        )
      return { type: entry.type, ...(entry.codec.read(reader) as object) } as Value
    },
    toJson: (value) => ({ type: value.type, ...(codecOf(value).codec.toJson(value) as object) }),
    json: asCodecJson(z.discriminatedUnion('type', options as unknown as [z.ZodObject, ...z.ZodObject[]])),
  }
}

function named(error: unknown, field: string): unknown {
  if (error instanceof CodecError) error.field = error.field === '' ? field : `${field}.${error.field}`
  return error
}

/** Encodes a value of our own making; a value out of range throws CodecError, which is our bug. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer(codec.size(value))
  codec.write(writer, value)
  return writer.bytes
}

/** Decodes a whole message of at most `maxBytes`; refuses what is cut, has trailing bytes or is out of range. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, maxBytes: number): Result<T, DecodeFault> {
  if (bytes.length > maxBytes) {
    return refuse({
      code: 'bad-encoding',
      field: '',
      message: `message of ${bytes.length} bytes, limit is ${maxBytes}`,
    })
  }
  try {
    const reader = new Reader(bytes)
    const value = codec.read(reader)
    if (reader.offset !== bytes.length) {
      return refuse({
        code: 'bad-encoding',
        field: '',
        message: `${bytes.length - reader.offset} trailing bytes`,
      })
    }
    return accept(value)
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return refuse({ code: 'bad-encoding', field: error.field, message: error.message })
  }
}
