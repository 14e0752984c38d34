/** Recorded traces: what is taken, and what is said of a line that is not. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parseTrace, readTrace } from '../../cli/clock-trace.ts'
import { openDisk } from '../../node/disk.ts'
import { WorldError } from '../../node/error.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import { bob, TestChain, testGenesis } from '../helpers/ledger.ts'
import { storeOf } from '../helpers/long-chain.ts'
import { temporary } from '../helpers/processes.ts'

const HEAD = 'seconds,hashesPerSecond'
const LINE = { at: '2026-01-01T00:00:00.000Z', event: 'block', height: 1, difficulty: 5 }

/** Blocks every ten seconds, as `pinledger watch --json` prints them, with a line of something else after each. */
const watched = (count: number): string =>
  Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.parse(LINE.at) + index * 10_000).toISOString()
    return `${JSON.stringify({ ...LINE, at, height: index + 1 })}\n${JSON.stringify({ at, event: 'reading' })}\n`
  }).join('')

t.test('CSV and JSON lines are rates until the next line; the first is at 0', async (t) => {
  const expected = {
    name: 'class.csv',
    seconds: 120,
    steps: [
      { fromSeconds: 0, hashesPerSecond: 1000 },
      { fromSeconds: 60, hashesPerSecond: 0 },
      { fromSeconds: 120, hashesPerSecond: 2000.5 },
    ],
  }
  t.strictSame(parseTrace('x/class.csv', `${HEAD}\n40,1000\n100,0\n160,2000.5\n`), expected)
  const spreadsheet = `\uFEFFseconds, hashesPerSecond\r\n40 , 1e3\r\n\r\n100,0\r\n160,2000.5`
  t.strictSame(parseTrace('class.csv', spreadsheet), expected)
  const lines = expected.steps.map(({ fromSeconds, ...rate }) =>
    JSON.stringify({ seconds: fromSeconds, ...rate }),
  )
  t.strictSame(parseTrace('class.csv', lines.join('\n')), expected)
})

t.test('what watch --json printed is work over time', async (t) => {
  const { steps, seconds } = parseTrace('class.jsonl', watched(62))
  t.equal(seconds, 600)
  t.strictSame(steps, [
    { fromSeconds: 0, hashesPerSecond: 16 ** 5 / 10 },
    { fromSeconds: 300, hashesPerSecond: 16 ** 5 / 10 },
  ])
})

t.test('errors name file, line, field and limit, and say what to do', async (t) => {
  const json = (changes: object): string => JSON.stringify({ ...LINE, ...changes })
  const cases: readonly [text: string, said: RegExp][] = [
    ['', /^f is empty: expected the line seconds,hashesPerSecond/],
    ['0,1000\n', /^f:1 expected the line seconds,hashesPerSecond, got "0,1000"/],
    ['[{}]', /^f:1 expected one JSON object a line, .*jq -c/],
    [`${HEAD}\n0;1000\n`, /^f:2 expected two fields with a comma/],
    [`${HEAD}\n0,1,5\n`, /^f:2 expected two fields/],
    [
      `${HEAD}\n\n0,fast\n`,
      /^f:3 hashesPerSecond: expected a number from 0 to 1000000000000000000, got "fast"/,
    ],
    [`${HEAD}\n0,\n`, /^f:2 hashesPerSecond: .*got ""/],
    [`${HEAD}\n0,-1\n`, /^f:2 hashesPerSecond: .*got -1/],
    [`${HEAD}\n-1,1\n`, /^f:2 seconds: expected a number from 0 to 100000000000, got -1/],
    [`${HEAD}\n0,1\n`, /^f has 1 rates, expected 2 to 100000/],
    [`${HEAD}\n0,1\n\n5,1\n5,1\n`, /^f:5 seconds: expected more than 5, the line before, got 5: sort/],
    [`${HEAD}\n0,0\n5,0\n`, /^f has no rate above 0/],
    ['{"seconds":0}\n', /^f:1 hashesPerSecond: .*got nothing/],
    ['{"seconds":0,"hashesPer\n', /^f:1 expected a JSON object; remove the line/],
    ['{"seconds":0,"hashesPerSecond":1}\n7\n', /^f:2 expected a JSON object, got "7"/],
    [json({ at: 'noon' }), /^f:1 at: expected a time such as .*got "noon"/],
    [json({ difficulty: 65 }), /^f:1 difficulty: expected a number from 0 to 64, got 65/],
    [json({ height: null }), /^f:1 height: .*got null/],
    [watched(30), /^f has 30 blocks, expected at least 31: record for longer/],
  ]
  for (const [text, said] of cases) {
    t.throws(() => parseTrace('f', text), { code: 'config', message: said })
  }
})

t.test("a ledger's blocks are a trace, from block 1 on", async (t) => {
  const folder = temporary(t)
  const [{ interval }, disk] = [testGenesis(), openDisk(folder)]
  const test = new TestChain()
  const blocks = Array.from({ length: 65 }, () => {
    const block = test.block([], { miner: bob })
    test.accept(block)
    return encode(blockCodec, block)
  })
  storeOf(disk, { genesis: test.network.genesis, blocks }, {}).close()
  const { steps, seconds } = readTrace(folder)
  t.equal(steps.length, 2)
  t.equal(seconds, (60 * interval) / 1000)
  // Every block took exactly T, so the target stays at what 16 hashes meet.
  for (const { hashesPerSecond } of steps) t.equal(hashesPerSecond, 16_000 / interval)
})

t.test('a path that is no trace: what there is instead', async (t) => {
  const folder = temporary(t)
  t.throws(() => readTrace(join(folder, 'none')), {
    code: 'usage',
    message: /no file .*steady, step, outage/,
  })
  t.throws(() => readTrace(folder), { code: 'usage', message: /no ledger in/ })
  t.throws(() => readTrace('/dev/null'), { code: 'usage', message: /neither a file nor a directory/ })
  const file = join(folder, 'class.csv')
  writeFileSync(file, 'x')
  t.throws(() => readTrace(file), WorldError)
})
