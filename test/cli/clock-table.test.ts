import t from 'tap'
import { meanBand, type Summary } from '../../cli/clock-statistics.ts'
import { handJson, ratioLine, summaryJson, summaryLine, Table, tickJson } from '../../cli/clock-table.ts'
import { ExperimentHand, fixedHand, type Made } from '../../edge-agent/experiment/hand.ts'
import { decodeTick } from '../../ledger/hand.ts'
import { fromHex } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { START_MS } from '../helpers/ledger.ts'
import { TestSearch } from '../helpers/search.ts'

async function tick(): Promise<Made> {
  const hand = new ExperimentHand({ label: 'a@pi-1', hand: fixedHand('a', 1, START_MS), now: () => START_MS })
  await hand.start(new TestSearch().open)
  const other = fixedHand('b', 1, START_MS)
  const made = await hand.seek(() => [{ ledger: other.genesisHash, height: 7, block: other.block0Hash }])
  invariant(made !== undefined, 'a tick')
  return { ...made, hashes: 24, ms: 12.3456 }
}
const words = (line: string) => line.trim().split(/ {2,}/)

t.test('a line for a tick, below the names of its columns', async (t) => {
  const made = await tick()
  const table = new Table(['a@pi-1', 'b'], false)
  const hash = made.added.entry.hash.slice(0, 20)
  const line = table.tick(made, { digits: 1, other: 'b' })
  t.strictSame(words(line), ['1', 'a@pi-1', hash, '24', '0.0123 s', '2 kH/s', '1.50', 'b 7'])
  t.strictSame(words(table.head()), ['tick', 'hand', 'hash', 'hashes', 'time', 'rate', 'of mean', 'after'])
  t.equal(table.head().indexOf('hash'), line.indexOf(hash))
  t.match(words(table.tick(made, { digits: 1 })).at(-1), /^-$/)
})

t.test('in rounds: which, and how long each waited', async (t) => {
  const made = await tick()
  const table = new Table(['a@pi-1', 'b'], true)
  const line = words(table.tick(made, { digits: 1, other: 'b', round: 3, waitedMs: 250 }))
  t.strictSame([line[0], line.at(-2), line.at(-1)], ['3', '0.2500 s', 'b 7'])
  t.strictSame(words(table.head()).at(-2), 'waited')
  t.match(table.missed(4, 'b', 1_500), /^ +4 +- +b +no tick within 1\.5 s/)
})

t.test('for machines: the bytes of a tick are there, and all else follows from them', async (t) => {
  const made = await tick()
  const json = tickJson(made, { digits: 1, other: 'b', round: 3, waitedMs: 1 })
  t.match(json, {
    type: 'tick',
    round: 3,
    hand: 'a@pi-1',
    height: 1,
    hashes: 24,
    ms: 12.346,
    expected: 16,
    ofMean: 1.5,
  })
  t.ok(decodeTick(fromHex(json.bytes)).ok)
  t.match(handJson({ hand: made.hand, digits: 1 }), { type: 'hand', difficulty: 1, genesis: { interval: 1 } })
})

t.test('a summary names mean, expectation and band', async (t) => {
  const { low, high } = meanBand(10)
  const summary: Summary = {
    ...{ ticks: 10, mean: 300, expected: 256, inside: true, hashesPerSecond: 256_000 },
    band: { low: low * 256, high: high * 256 },
  }
  t.equal(
    summaryLine('a', summary),
    'a: 10 ticks, 300 hashes a tick; expected 256, and in 95 % of such runs 123 to 437: within; 256 kH/s\n',
  )
  t.match(summaryLine('a', { ...summary, inside: false }), /OUTSIDE/)
  const none = { ticks: 0, mean: undefined, band: undefined, inside: undefined, hashesPerSecond: undefined }
  t.equal(summaryLine('a', { ...summary, ...none }), 'a: no tick\n')
  t.match(summaryJson('a', summary), {
    type: 'summary',
    hand: 'a',
    ticks: 10,
    low: low * 256,
    high: high * 256,
  })
  t.equal(ratioLine(200.04, 256), '200.0 fast ticks for one of the slow hand; 256 where both hash alike\n')
})
