/**
 * Every codec that schemas exports, and the state's and the store's: round trips, mutations, length claims, JSON mirrors.
 *
 * Values are not written by hand: they are generated from the JSON mirror's zod schema, so a new message is covered
 * the day it is declared. A schema of a kind that is not known here fails and says so.
 */
import { strictEqual as equal, ok, deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import type { z } from 'zod'
import * as stateModule from '../../ledger/state.ts'
import * as channelRecords from '../../node/channel/records.ts'
import * as storeModule from '../../node/records.ts'
import * as block from '../../schemas/block.ts'
import * as channelMessages from '../../schemas/channel-message.ts'
import { type Codec, CodecError, decode, encode, Reader } from '../../schemas/codec.ts'
import * as fileMessage from '../../schemas/file-message.ts'
import * as genesis from '../../schemas/genesis.ts'
import { toHex } from '../../schemas/hex.ts'
import { loginMessage, ownsClientId } from '../../schemas/login.ts'
import * as message from '../../schemas/message.ts'
import * as tick from '../../schemas/tick.ts'
import * as transaction from '../../schemas/transaction.ts'
import * as units from '../../schemas/units.ts'
import { byteChange, changed } from './bytes.ts'
import { property } from './property.ts'

const LIMIT = 1 << 22
/** Items of a generated list; the longest lists are thousands. */
const ITEMS_MAX = 4

function isCodec(value: unknown): value is Codec<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['size', 'write', 'read', 'toJson', 'json'].every((key) => key in value)
  )
}

const MODULES = [block, genesis, message, tick, transaction, units, stateModule, storeModule]
const CODECS = new Map(
  [...MODULES, channelMessages, channelRecords, fileMessage].flatMap((module) =>
    Object.entries(module).filter((entry): entry is [string, Codec<unknown>] => isCodec(entry[1])),
  ),
)

/** What is read of a zod schema; zod's own types forget it behind `ZodType`. */
interface Def {
  readonly type: string
  readonly in?: z.ZodType
  readonly out?: z.ZodType
  readonly element?: z.ZodType
  readonly values?: readonly unknown[]
  readonly entries?: Readonly<Record<string, string>>
  readonly shape?: Readonly<Record<string, z.ZodType>>
  readonly options?: readonly z.ZodType[]
  readonly checks?: readonly {
    readonly _zod: { readonly def: { readonly pattern?: RegExp; readonly maximum?: number } }
  }[]
}

const defOf = (schema: z.ZodType): Def => schema.def as unknown as Def
const limitOf = ({ checks = [] }: Def): number | undefined =>
  checks.map(({ _zod }) => _zod.def.maximum).find((maximum) => maximum !== undefined)

/** JSON that the schema takes; `around` is the schema that judges it, with the transformations that follow. */
function jsonOf(schema: z.ZodType, around = schema): fc.Arbitrary<unknown> {
  const def = defOf(schema)
  switch (def.type) {
    case 'number': {
      const { minValue: min, maxValue: max } = schema as unknown as { minValue: number; maxValue: number }
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }))
    }
    case 'string':
      return textOf(def, around)
    case 'pipe':
      return jsonOf(def.in as z.ZodType, around)
    case 'array':
      return fc.array(jsonOf(def.element as z.ZodType), {
        maxLength: Math.min(ITEMS_MAX, limitOf(def) ?? ITEMS_MAX),
      })
    case 'object': {
      const shape = Object.entries(def.shape ?? {})
      return fc.record(Object.fromEntries(shape.map(([key, field]) => [key, jsonOf(field)])))
    }
    case 'union':
      return fc.oneof(...(def.options ?? []).map((option) => jsonOf(option)))
    case 'literal':
      return fc.constantFrom(...(def.values ?? []))
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries ?? {}))
    case 'boolean':
      return fc.boolean()
    default:
      throw new Error(`test/property/codec.ts does not know schemas of type ${def.type}: teach it`)
  }
}

const decimalText = fc
  .tuple(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -20, max: 20 })), fc.integer({ min: -12, max: 12 }))
  .map(([mantissa, exponent]) => units.formatDecimal({ mantissa: mantissa === 0 ? 0 : mantissa, exponent }))

const anyText = fc
  .string({ unit: 'binary', maxLength: 300, size: 'max' })
  .map((text) => text.replace(/[\p{Cc}\p{Cs}]/gu, ''))
/** Text that decoders like to change: marks of byte order, composed and not, of every length in UTF-8, and too long. */
const BORDERLINE = [
  '\ufeff',
  '\ufeffa',
  'a\ufeff',
  '\u00c5',
  'A\u030a',
  '\u07ff\uffff\u{10ffff}',
  '\u{1f4a7}'.repeat(80),
]

/** Text by its pattern; too long text is shortened until the schema takes it. */
function textOf(def: Def, judge: z.ZodType): fc.Arbitrary<unknown> {
  const pattern = (def.checks ?? []).map(({ _zod }) => _zod.def.pattern).find((found) => found !== undefined)
  if (pattern === undefined) return decimalText
  // fast-check knows no classes by property: free text is any text that the schema then takes.
  const texts = pattern.source.includes('\\p')
    ? fc.oneof({ weight: 5, arbitrary: anyText }, { weight: 1, arbitrary: fc.constantFrom(...BORDERLINE) })
    : fc.stringMatching(pattern, { size: '+1' })
  return texts
    .map((text) => {
      let points = [...text]
      while (points.length > 0 && !judge.safeParse(points.join('')).success) points = points.slice(0, -1)
      return points.join('')
    })
    .filter((text) => judge.safeParse(text).success)
}

const valuesOf = (codec: Codec<unknown>): fc.Arbitrary<unknown> =>
  jsonOf(codec.json).map((json) => codec.json.parse(json))

/** One of the codecs with one of its values. */
const anyMessage = fc.oneof(
  ...[...CODECS].map(([name, codec]) => valuesOf(codec).map((value) => ({ name, codec, value }))),
)

/** Decodes what may be nonsense: never an exception, a refusal names what and where, an accept has that one encoding. */
function judge(name: string, codec: Codec<unknown>, bytes: Uint8Array): boolean {
  const outcome = decode(codec, bytes, LIMIT)
  if (outcome.ok) {
    equal(toHex(encode(codec, outcome.value)), toHex(bytes), `${name} has one encoding`)
    return true
  }
  const { code, field, message } = outcome.fault
  equal(code, 'bad-encoding')
  ok(message.length > 0 && message.length < 400, `the refusal says why, in few words: ${message}`)
  // Left over bytes belong to no field, and neither does what is not a structure.
  const nameless = /^[0-9]+ trailing bytes$/.test(message) || defOf(codec.json).type !== 'object'
  ok(field !== '' || nameless || bytes.length === 0, `${name}: the refusal names the field: ${message}`)
  return false
}

/** Counts how often a decoder asks for bytes: what a small message may cost. */
class CountingReader extends Reader {
  takes = 0
  override take(count: number): number {
    this.takes++
    return super.take(count)
  }
}

function linear(name: string, codec: Codec<unknown>, bytes: Uint8Array): void {
  const reader = new CountingReader(bytes)
  try {
    codec.read(reader)
  } catch (error) {
    ok(error instanceof CodecError, `${name} throws nothing but CodecError: ${String(error)}`)
  }
  // Each field takes a byte or more, text of no bytes comes after its length, and the last one may not be there.
  const most = 2 * bytes.length + 2
  ok(reader.takes <= most, `${name}: ${reader.takes} fields read from ${bytes.length} bytes`)
}

const roundTrip = property(
  'codec-round-trip',
  'every codec gives back what it was given, in bytes of the size it said, and so does its JSON mirror',
  400,
  anyMessage,
  ({ name, codec, value }) => {
    const bytes = encode(codec, value)
    equal(bytes.length, codec.size(value), `${name}: size`)
    const decoded = decode(codec, bytes, LIMIT)
    ok(decoded.ok, `${name}: what was encoded decodes`)
    same(decoded.value, value, name)
    equal(toHex(encode(codec, decoded.value)), toHex(bytes))
    const mirror: unknown = JSON.parse(JSON.stringify(codec.toJson(value)))
    same(codec.json.parse(mirror), value, `${name}: JSON mirror`)
    same(codec.toJson(codec.json.parse(mirror)), mirror, `${name}: a mirror has one form`)
  },
)

const mutations = property(
  'codec-mutation',
  'changed, cut or longer bytes are refused with the field named, or have that one encoding; nothing else is thrown',
  400,
  fc.record({ sent: anyMessage, changes: fc.array(byteChange, { minLength: 1, maxLength: 12 }) }),
  ({ sent: { name, codec, value }, changes }) => {
    const bytes = encode(codec, value)
    let many = bytes
    for (const one of changes) {
      const single = changed(bytes, one)
      judge(name, codec, single)
      linear(name, codec, single)
      many = changed(many, one)
      judge(name, codec, many)
    }
    const longer = decode(codec, Uint8Array.of(...bytes, 0), LIMIT)
    ok(!longer.ok && /trailing/.test(longer.fault.message), `${name}: a byte too many is refused`)
    for (let length = bytes.length - 1; length >= 0; length -= 1 + (length >> 4))
      equal(judge(name, codec, bytes.subarray(0, length)), false, `${name}: cut at ${length} it is refused`)
  },
)

const noise = property(
  'codec-noise',
  'bytes of no meaning, and claims of great lengths, cost no more than they are long',
  400,
  fc.record({
    codec: fc.constantFrom(...CODECS),
    bytes: fc.uint8Array({ maxLength: 600, size: 'max' }),
    claim: fc.constantFrom(0xff, 0x7f, 0x20),
  }),
  ({ codec: [name, codec], bytes, claim }) => {
    judge(name, codec, bytes)
    linear(name, codec, bytes)
    // The same bytes claim everything from each place on: no length there is true.
    const step = 1 + (bytes.length >> 4)
    for (let at = 0; at < bytes.length; at += step) {
      const claiming = bytes.slice()
      claiming.fill(claim, at, at + 4)
      judge(name, codec, claiming)
      linear(name, codec, claiming)
    }
  },
)

const claims = property(
  'codec-claims',
  'a message whose lengths claim more than there is costs no more than it is long',
  150,
  anyMessage,
  ({ name, codec, value }) => {
    const bytes = encode(codec, value)
    const step = 1 + (bytes.length >> 5)
    for (let at = 0; at < bytes.length; at += step) {
      for (const width of [1, 2, 4]) {
        const claiming = bytes.slice()
        claiming.fill(0xff, at, at + width)
        judge(name, codec, claiming)
        linear(name, codec, claiming)
      }
    }
  },
)

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`))
const clientId = fc.tuple(
  hex(64),
  fc.oneof(
    fc.constantFrom('', '-', '-agent', `-${'a'.repeat(32)}`, `-${'a'.repeat(33)}`),
    fc.string({ maxLength: 40 }),
  ),
)

const login = property(
  'login',
  'what a login signs is the challenge and the client id and nothing else; a client id has one owner',
  200,
  fc.record({ challenge: hex(64), ids: fc.tuple(clientId, clientId), other: hex(64) }),
  ({ challenge, ids: [[account, suffix], [stranger, tail]], other }) => {
    const id = account + suffix
    const signed = loginMessage(challenge, id)
    equal(Buffer.from(signed).toString('hex'), challenge + Buffer.from(id, 'utf8').toString('hex'))
    if (other !== challenge) ok(toHex(loginMessage(other, id)) !== toHex(signed))
    const allowed = new RegExp(`^${account}(-[a-z0-9-]{1,32})?$`)
    for (const candidate of [id, stranger + tail, account + tail, id.toUpperCase(), id.slice(1), `${id}\n`])
      equal(ownsClientId(account, candidate), allowed.test(candidate), candidate)
  },
)

export const codecProperties = [roundTrip, mutations, noise, claims, login]
/** Names of the codecs under test, so that a test can say that none is missing. */
export const codecNames: readonly string[] = [...CODECS.keys()]
