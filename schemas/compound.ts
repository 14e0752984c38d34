/** Structures, lists and unions of fields. Source: docs/PROTOCOL.md section 1. */
import { z } from 'zod'
import { asCodecJson, type Codec, CodecError, type Infer, named } from './codec.ts'
import { u8, u16 } from './field.ts'

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

/** Structs that begin with a version byte: `first` has 1 there, `second` 2, others are refused. `fields` are the first one's. */
export function versions<T extends { readonly version: 1 | 2 }, F extends Fields>(
  first: Struct<F>,
  second: Struct<Fields>,
): Codec<T> & { readonly fields: F } {
  const of = (version: number) => {
    if (version !== 1 && version !== 2)
      throw named(new CodecError(`unknown version ${version}, known are 1 and 2`), 'version')
    return (version === 2 ? second : first) as unknown as Codec<T>
  }
  return {
    fields: first.fields,
    size: (value) => of(value.version).size(value),
    write: (writer, value) => of(value.version).write(writer, value),
    // Without a byte the first one says what is missing.
    read: (reader) => of(reader.bytes[reader.offset] ?? 1).read(reader),
    toJson: (value) => of(value.version).toJson(value),
    json: asCodecJson(
      z.discriminatedUnion(
        'version',
        [first.json as unknown as z.ZodObject, second.json as unknown as z.ZodObject],
        {
          error: ({ code }) => (code === 'invalid_union' ? 'unknown version, known are 1 and 2' : undefined),
        },
      ),
    ),
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
