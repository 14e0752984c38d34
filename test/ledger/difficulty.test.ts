/** aserti3-2d vectors: test/vectors/aserti3-2d.json, which names their source. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { asert, hexDigits, nextTarget, targetFor, workOf } from '../../ledger/difficulty.ts'
import { seeded, testGenesis } from '../helpers/ledger.ts'
import { fromRoot } from '../helpers/root.ts'

interface Run {
  name: string
  description: string
  anchorHeight: number | string
  anchorParentTime: number
  anchorBits: string
  rows: [number | string, number, string][]
}
const vectors = JSON.parse(readFileSync(fromRoot('test/vectors/aserti3-2d.json'), 'utf8'))

/** Bitcoin's compact form of a target: a base-256 exponent and three bytes, of which the first is below 0x80. */
function fromBits(text: string): bigint {
  const bits = BigInt(text)
  const mantissa = bits & 0x7fffffn
  const shift = 8n * ((bits >> 24n) - 3n)
  return shift < 0n ? mantissa >> -shift : mantissa << shift
}

function toBits(target: bigint): string {
  let size = BigInt(Math.ceil(target.toString(2).length / 8))
  let mantissa = size <= 3n ? target << (8n * (3n - size)) : target >> (8n * (size - 3n))
  if ((mantissa & 0x800000n) !== 0n) {
    mantissa >>= 8n
    size += 1n
  }
  return `0x${((size << 24n) | mantissa).toString(16).padStart(8, '0')}`
}

for (const { name, description, anchorHeight, anchorParentTime, anchorBits, rows } of vectors.runs as Run[]) {
  t.test(`aserti3-2d ${name}: ${description}`, async (t) => {
    const limit = (1n << 224n) - 1n
    for (const [height, time, bits] of rows) {
      const ideal = BigInt(vectors.idealSpacing) * (BigInt(height) - BigInt(anchorHeight) + 1n)
      const deviation = BigInt(time - anchorParentTime) - ideal
      const target = asert(fromBits(anchorBits), deviation, BigInt(vectors.halfLife), limit)
      t.equal(toBits(target), bits, `after height ${height}`)
    }
  })
}

const T = 10_000
const genesis = testGenesis({ interval: T, halfLife: 64, targetMax: targetFor(1) })
const START = targetFor(1_000_000)

t.test('a block that took exactly T keeps the target; faster is harder, slower easier', async (t) => {
  t.equal(nextTarget(genesis, START, T), START)
  t.ok(nextTarget(genesis, START, T / 2) < START)
  t.ok(nextTarget(genesis, START, 2 * T) > START)
})

t.test('the target halves or doubles after halfLife intervals of deviation', async (t) => {
  const doubled = nextTarget({ ...genesis, halfLife: 1 }, START, 2 * T)
  t.equal(doubled, START * 2n)
  t.equal(asert(START, -64n, 64n, 1n << 255n), START / 2n)
})

t.test('the target moves by fractions: a thousandth of a hex digit a block, never a whole one', async (t) => {
  const digits = [1, T / 2, 2 * T, 3 * T].map(
    (took) => hexDigits(nextTarget(genesis, START, took)) - hexDigits(START),
  )
  for (const moved of digits) t.ok(moved !== 0 && Math.abs(moved) < 0.01, `${moved}`)
})

t.test('solve times count up to 20 T', async (t) => {
  const most = nextTarget(genesis, START, 20 * T)
  t.ok(nextTarget(genesis, START, 20 * T - 1000) < most)
  t.equal(nextTarget(genesis, START, 20 * T + 1), most)
  t.equal(nextTarget(genesis, START, 2 ** 48 - 1), most)
})

t.test('the target stays from 1 to targetMax', async (t) => {
  const easiest = targetFor(256)
  t.equal(nextTarget({ ...genesis, targetMax: easiest }, easiest, 20 * T), easiest)
  t.equal(nextTarget({ ...genesis, halfLife: 1 }, 1n, 1), 1n)
  t.equal(asert(1n, -(1n << 20n), 1n, easiest), 1n)
})

/** Blocks at a constant hash rate that finds one in T at `START`, with exponential solve times. */
function* blocks(seed: number, outageMs = 0, outageAt = -1): Generator<number> {
  const random = seeded(seed)
  let target = START
  for (let height = 0; ; height++) {
    const mean = T * (Number(workOf(target)) / Number(workOf(START)))
    const took =
      Math.max(1, Math.round(-Math.log(1 - random()) * mean)) + (height === outageAt ? outageMs : 0)
    target = nextTarget(genesis, target, took)
    yield took
  }
}

t.test('over 5,000 blocks with exponential solve times the mean interval is T within 2 %', async (t) => {
  for (const seed of [1, 2, 3, 4]) {
    let sum = 0
    let count = 0
    for (const took of blocks(seed)) {
      sum += took
      if (++count === 5000) break
    }
    const drift = sum / 5000 / T - 1
    t.ok(Math.abs(drift) < 0.02, `seed ${seed}: ${(drift * 100).toFixed(2)} %`)
  }
})

t.test('a 12 hour outage is not made up for: at most 80 blocks in the 60 T after it', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    let height = 0
    let since = 0
    let found = 0
    for (const took of blocks(seed, 12 * 3_600_000, 500)) {
      if (height++ <= 500) continue
      since += took
      if (since > 60 * T) break
      found++
    }
    t.ok(found >= 40 && found <= 80, `seed ${seed}: ${found} blocks`)
  }
})

t.test('work is the expected number of hashes, exact', async (t) => {
  t.equal(workOf((1n << 256n) - 1n), 1n)
  t.equal(workOf((1n << 255n) - 1n), 2n)
  t.equal(workOf(1n), 1n << 255n)
  for (const hashes of [1, 2, 16, 256, 1_000_000, 2 ** 40]) t.equal(workOf(targetFor(hashes)), BigInt(hashes))
  t.equal(workOf(targetFor(0)), 1n, 'no target takes less than one hash')
})

t.test('hex digits count leading zeros of the target, with a fraction', async (t) => {
  for (const digits of [0, 1, 5, 12]) t.equal(hexDigits(targetFor(16 ** digits)), digits)
  t.ok(Math.abs(hexDigits(targetFor(32)) - 1.25) < 1e-9)
})
