/** Golden bytes come from test/vectors/ledger.json, which an independent encoder wrote. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { decode, encode } from '../../schemas/codec.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis } from '../../schemas/genesis.ts'
import { type Account, fromHex, toHex } from '../../schemas/hex.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'
import { fromRoot } from '../helpers/root.ts'

const vectors = JSON.parse(readFileSync(fromRoot('test/vectors/ledger.json'), 'utf8')).genesis
const golden = genesis.json.parse(vectors.json)
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)
const someone = 'ab'.repeat(32) as Account

t.test('golden bytes: genesis', async (t) => {
  t.equal(toHex(codecFacts(t, genesis, golden)), vectors.bytes)
})

t.test('the JSON mirror is what people write down, field by field in the order of the bytes', async (t) => {
  const mirror = genesis.toJson(golden)
  t.strictSame(mirror, vectors.json)
  t.equal(JSON.stringify(mirror), JSON.stringify(vectors.json))
  const decoded = decode(genesis, fromHex(vectors.bytes), GENESIS_BYTES_MAX)
  t.strictSame(decoded.ok && genesis.toJson(decoded.value), vectors.json)
})

t.test('a genesis of another version is refused', async (t) => {
  const bytes = fromHex(vectors.bytes)
  bytes[0] = 2
  t.match(decode(genesis, bytes, GENESIS_BYTES_MAX), {
    ok: false,
    fault: { field: 'version', message: 'expected 1, got 2' },
  })
  t.equal(genesis.json.safeParse({ ...vectors.json, version: 2 }).success, false)
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
