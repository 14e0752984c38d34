/**
 * Canonical binary codecs: from one declaration come the bytes, the type and the JSON mirror.
 *
 * Integers are big-endian and fixed in width, text and bytes carry a length, nothing is optional and there
 * are no floats or maps, so a value has exactly one encoding: `encode(decode(b))` equals `b`, and trailing
 * bytes are refused. Source: docs/PROTOCOL.md section 1.
 */
import type { z } from 'zod'
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

/** Zod's transforms forget their output type behind a plain schema. */
export const asCodecJson = <T>(schema: z.ZodType): z.ZodType<T> => schema as z.ZodType<T>

/** Says in which field a codec failed. */
export function named(error: unknown, field: string): unknown {
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
