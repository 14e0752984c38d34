/** Golden bytes come from test/vectors/ledger.json, which an independent encoder wrote. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode, encode } from '../../schemas/codec.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis, handGenesis } from '../../schemas/genesis.ts'
import { type Account, fromHex, toHex } from '../../schemas/hex.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'
import { fromRoot } from '../helpers/root.ts'

const { genesis: vectors, handed } = JSON.parse(readFileSync(fromRoot('test/vectors/ledger.json'), 'utf8'))
const golden = genesis.json.parse(vectors.json)
const golden2 = genesis.json.parse(handed.genesis.json)
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
const someone = 'ab'.repeat(32) as Account

t.test('golden bytes: genesis', async (t) => {
  t.equal(toHex(codecFacts(t, genesis, golden)), vectors.bytes)
})

t.test('golden bytes: genesis of version 2, which ends with a slow hand', async (t) => {
  t.equal(toHex(codecFacts(t, genesis, golden2)), handed.genesis.bytes)
  t.strictSame(genesis.toJson(golden2), handed.genesis.json)
  const { hand } = golden2
  t.ok(hand !== undefined && handed.genesis.bytes.endsWith(toHex(encode(handGenesis, hand))))
})

t.test('golden bytes: slow hand', async (t) => {
  const { json, bytes } = handed.hand
  t.equal(toHex(codecFacts(t, handGenesis, handGenesis.json.parse(json))), bytes)
})

t.test('the JSON mirror is what people write down, field by field in the order of the bytes', async (t) => {
  const mirror = genesis.toJson(golden)
  t.strictSame(mirror, vectors.json)
  t.equal(JSON.stringify(mirror), JSON.stringify(vectors.json))
  const decoded = decode(genesis, fromHex(vectors.bytes), GENESIS_BYTES_MAX)
  t.strictSame(decoded.ok && genesis.toJson(decoded.value), vectors.json)
})

t.test('a genesis of another version is refused', async (t) => {
  for (const { bytes: hex, json } of [vectors, handed.genesis]) {
    const bytes = fromHex(hex)
    for (const version of [0, 3, 255]) {
      bytes[0] = version
      t.match(decode(genesis, bytes, GENESIS_BYTES_MAX), {
        ok: false,
        fault: { field: 'version', message: `unknown version ${version}, known are 1 and 2` },
      })
      const mirror = genesis.json.safeParse({ ...json, version })
      t.match(mirror.error?.issues, [{ path: ['version'], message: 'unknown version, known are 1 and 2' }])
      refusesToEncode(t, genesis, { ...golden2, version: version as 1 }, `version ${version}`)
    }
  }
  t.match(decode(genesis, new Uint8Array(0), GENESIS_BYTES_MAX), { fault: { field: 'version' } })
})

t.test('version 2 has a slow hand, and version 1 has none', async (t) => {
  const { hand: _, ...without } = golden2
  t.throws(() => encode(genesis, without), 'version 2 without a hand')
  const { hand, ...handless } = handed.genesis.json
  t.match(genesis.json.safeParse(handless).error?.issues, [{ path: ['hand'] }])
  t.equal(genesis.json.safeParse({ ...vectors.json, hand }).success, false, 'version 1 with a hand')

  const second = fromHex(vectors.bytes)
  second[0] = 2
  t.match(decode(genesis, second, GENESIS_BYTES_MAX), { ok: false, fault: { field: 'hand.name' } })
  const trailing = fromHex(vectors.bytes + handed.hand.bytes)
  const { length } = fromHex(handed.hand.bytes)
  t.match(decode(genesis, trailing, GENESIS_BYTES_MAX), { fault: { message: `${length} trailing bytes` } })
  trailing[0] = 2
  t.ok(decode(genesis, trailing, GENESIS_BYTES_MAX).ok, 'the same bytes are a hand in version 2')
  const first = fromHex(handed.genesis.bytes)
  first[0] = 1
  t.match(decode(genesis, first, GENESIS_BYTES_MAX), { fault: { message: `${length} trailing bytes` } })
})

t.test('every number at its limit has bytes, one above has none', async (t) => {
  const limits: Partial<Record<keyof Genesis, number | bigint>> = {
    time: 2 ** 48 - 1,
    interval: 2 ** 32 - 1,
    halfLife: 2 ** 16 - 1,
    target: (1n << 256n) - 1n,
    targetMax: (1n << 256n) - 1n,
    subsidy: Number.MAX_SAFE_INTEGER,
    halvingInterval: 2 ** 32 - 1,
    feeFloor: Number.MAX_SAFE_INTEGER,
    maturity: 2 ** 16 - 1,
    blockBytesMax: 2 ** 32 - 1,
    blockSignaturesMax: 2 ** 16 - 1,
    slowRatio: 2 ** 16 - 1,
    checkpointThreshold: 2 ** 8 - 1,
  }
  for (const [field, most] of Object.entries(limits)) {
    const value: Genesis = { ...golden, [field]: most }
    t.strictSame(decode(genesis, encode(genesis, value), GENESIS_BYTES_MAX), { ok: true, value }, field)
    const above = typeof most === 'bigint' ? most + 1n : most + 1
    refusesToEncode(t, genesis, { ...golden, [field]: above }, `${field} above`)
    const below = typeof most === 'bigint' ? -1n : -1
    refusesToEncode(t, genesis, { ...golden, [field]: below }, `${field} below`)
  }
})

t.test('every list at its limit has bytes, one more has none, in bytes and in the mirror', async (t) => {
  const lists: readonly [keyof Genesis, number, (count: number) => Partial<Genesis>][] = [
    ['authorities', 64, (count) => ({ authorities: times(count, someone) })],
    ['checkpointSigners', 64, (count) => ({ checkpointSigners: times(count, someone) })],
    ['activations', 64, (count) => ({ activations: times(count, { type: 1, height: 0 }) })],
    ['allocations', 10_000, (count) => ({ allocations: times(count, { account: someone, amount: 1 }) })],
  ]
  for (const [field, most, filled] of lists) {
    const value: Genesis = { ...golden, ...filled(most) }
    t.equal(decode(genesis, encode(genesis, value), GENESIS_BYTES_MAX).ok, true, field)
    t.equal(genesis.json.safeParse(genesis.toJson(value)).success, true, `${field} as JSON`)
    const more: Genesis = { ...golden, ...filled(most + 1) }
    refusesToEncode(t, genesis, more, `${field} and one more`)
    t.equal(genesis.json.safeParse(genesis.toJson(more)).success, false, `${field} and one more as JSON`)
  }
})

t.test('the largest genesis there can be is within the limit in bytes', async (t) => {
  const largest: Genesis = {
    ...golden,
    name: 'x'.repeat(32),
    authorities: times(64, someone),
    checkpointSigners: times(64, someone),
    activations: times(64, { type: 1, height: 0 }),
    allocations: times(10_000, { account: someone, amount: 1 }),
  }
  const bytes = encode(genesis, largest)
  t.equal(decode(genesis, bytes, GENESIS_BYTES_MAX).ok, true)
})

t.test('a claim of too many allocations is refused before any is read', async (t) => {
  const bytes = fromHex(vectors.bytes)
  const at = bytes.length - 2 * 40 - 2
  new DataView(bytes.buffer).setUint16(at, 10_001)
  t.match(decode(genesis, bytes, GENESIS_BYTES_MAX), {
    ok: false,
    fault: { field: 'allocations', message: /at most 10000 items, got 10001/ },
  })
})

t.test('a name that is not safe in a topic is refused', async (t) => {
  for (const name of ['', 'Home', 'a/b', '+', '-home', 'x'.repeat(33), 'gärten']) {
    refusesToEncode(t, genesis, { ...golden, name }, name)
    t.equal(genesis.json.safeParse({ ...vectors.json, name }).success, false, name)
  }
})
