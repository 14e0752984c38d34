import t from 'tap'
import { erlang, expectedHashes, meanBand, summarise } from '../../cli/clock-statistics.ts'

/** Chi-squared at 0.025 and 0.975 with 2n degrees of freedom; NIST/SEMATECH e-Handbook, table 1.3.6.7.4. */
const CHI_SQUARED: readonly [n: number, low: number, high: number][] = [
  [1, 0.051, 7.378],
  [2, 0.484, 11.143],
  [5, 3.247, 20.483],
  [10, 9.591, 34.17],
  [50, 74.222, 129.561],
]

t.test('95 % of the means of n exponential draws: chi-squared tables say so', async (t) => {
  for (const [n, low, high] of CHI_SQUARED) {
    const band = meanBand(n)
    t.ok(Math.abs(band.low * 2 * n - low) < 0.0006, `${n}: ${band.low * 2 * n} is ${low}`)
    t.ok(Math.abs(band.high * 2 * n - high) < 0.0006, `${n}: ${band.high * 2 * n} is ${high}`)
  }
})

t.test('many draws: no overflow, and the normal limit', async (t) => {
  for (const n of [1_000, 10_000, 10_001, 1_000_000]) {
    const { low, high } = meanBand(n)
    t.ok(Math.abs(low - (1 - 1.96 / Math.sqrt(n))) < 2 / n, `${n}: ${low}`)
    t.ok(Math.abs(high - (1 + 1.96 / Math.sqrt(n))) < 2 / n, `${n}: ${high}`)
  }
  t.equal(erlang(3, 0), 0)
  t.ok(erlang(10_000, 20_000) > 1 - 1e-12)
  t.ok(Math.abs(erlang(1, 2) - (1 - Math.exp(-2))) < 1e-12)
})

t.test('each digit is 16 times the work', async (t) => {
  t.strictSame([1, 2, 4].map(expectedHashes), [16, 256, 65_536])
})

t.test('a summary says whether the mean is what chance makes of it', async (t) => {
  const counted = { digits: 2, ticks: 10, hashes: 2_560, unfinished: 0, ms: 10 }
  const good = summarise(counted)
  t.match(good, { ticks: 10, mean: 256, expected: 256, inside: true, hashesPerSecond: 256_000 })
  t.ok(Math.abs((good.band?.low ?? 0) - 122.8) < 0.1 && Math.abs((good.band?.high ?? 0) - 437.4) < 0.1)
  t.equal(summarise({ ...counted, hashes: 1_200 }).inside, false)
  t.equal(summarise({ ...counted, hashes: 4_400 }).inside, false)
  t.equal(summarise({ ...counted, unfinished: 2_560 }).mean, 512, 'a search that was cut off counts')
  t.match(summarise({ ...counted, ticks: 0, hashes: 0, ms: 0 }), {
    mean: undefined,
    inside: undefined,
    hashesPerSecond: undefined,
  })
})
