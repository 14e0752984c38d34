/** The lecture's experiments as a person meets them: real threads, small difficulties, and what they leave is verified. */
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parsed, run, temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'

const clock = (t: Test, ...args: readonly string[]) => run(t, ['clock', ...args])
const jsonOf = ({ out }: { out: string }) => out.split('\n').map((line) => parsed(line) ?? {})
const ticksOf = (said: { out: string }) => jsonOf(said).filter(({ type }) => type === 'tick')

t.test('mine: hashes with so many zeros, one after the other, and what chance makes of it', async (t) => {
  const { code, out, err } = await clock(t, 'mine', '--difficulty', '2', '--ticks', '4')
  t.equal(err, '')
  t.equal(code, 0)
  const lines = out.split('\n')
  t.equal(lines.length, 6)
  for (const [index, line] of lines.slice(1, 5).entries())
    t.match(line, new RegExp(`^ +${index + 1}  a +00[0-9a-f]{18} `))
  t.match(lines[5], /^a: 4 ticks, [\d,]+ hashes a tick; expected 256, and in 95 % of such runs 70 to 561: /)
})

t.test(
  'pair: rounds in which each names the tick before; the logs hold until somebody tampers',
  async (t) => {
    const out = join(temporary(t), 'pair')
    const said = await clock(t, 'pair', '--difficulty', '2,1', '--rounds', '5', '--json', '--out', out)
    t.equal(said.code, 0, said.err)
    t.strictSame(
      ticksOf(said).map(({ round, hand, anchors }) => [
        round,
        hand,
        (anchors as { height: number }[])[0]?.height,
      ]),
      [1, 2, 3, 4, 5].flatMap((round) => [
        [round, 'a', round - 1],
        [round, 'b', round - 1],
      ]),
    )
    t.strictSame(
      jsonOf(said)
        .filter(({ type }) => type === 'summary')
        .map(({ hand, ticks, expected }) => [hand, ticks, expected]),
      [
        ['a', 5, 256],
        ['b', 5, 16],
      ],
    )
    const good = await clock(t, 'verify', out)
    t.equal(good.code, 0, good.err)
    t.match(
      good.out,
      /a\/hand\.log: ok\n {2}hand a, 5 ticks, the last .* s after the first .*difficulty 2, 1280 hashes of work/,
    )
    t.match(good.out, /5 ticks name hand b, never an earlier one than before/)
    t.match(jsonOf(await clock(t, 'verify', out, '--json')), [
      { ok: true, hand: 'a', ticks: 5 },
      { hand: 'b' },
    ])
    t.match(await clock(t, 'pair', '--rounds', '1', '--out', out), { code: 2, err: /is there already/ })

    const log = join(out, 'b', 'hand.log')
    const bytes = readFileSync(log)
    const fd = openSync(log, 'r+')
    writeSync(fd, Buffer.from([(bytes[300] ?? 0) ^ 1]), 0, 1, 300)
    closeSync(fd)
    t.match(await clock(t, 'verify', out), { code: 1, err: /b\/hand\.log: store-corrupt: record \d/ })
  },
)

t.test('almost: the fast hand makes many ticks to one of the slow', async (t) => {
  const out = join(temporary(t), 'almost')
  const said = await clock(t, 'almost', '--difficulty', '1,4', '--ticks', '2', '--json', '--out', out)
  t.equal(said.code, 0, said.err)
  const count = (hand: string) => ticksOf(said).filter((tick) => tick.hand === hand).length
  t.equal(count('slow'), 2)
  t.ok(count('fast') > 0, `${count('fast')} fast ticks`)
  t.match(jsonOf(said).at(-1), { type: 'ratio', expected: 4096 })
  t.equal((await clock(t, 'verify', out)).code, 0)
})

t.test(
  '--seconds ends what would take for ever, and counts the hashes of the search that it cut off',
  async (t) => {
    const said = await clock(t, 'mine', '--difficulty', '12', '--seconds', '0.3', '--json')
    t.equal(said.code, 0, said.err)
    t.match(jsonOf(said).at(-1), { type: 'summary', ticks: 0 })
    const pair = await clock(
      t,
      'pair',
      '--difficulty',
      '1,12',
      '--rounds',
      '2',
      '--round-timeout',
      '0.2',
      '--json',
    )
    t.equal(pair.code, 1, 'a round without a tick is no success')
    t.match(
      jsonOf(pair).filter(({ type }) => type === 'missed'),
      [
        { round: 1, hand: 'b', timeoutMs: 200 },
        { round: 2, hand: 'b' },
      ],
    )
    t.equal(ticksOf(pair).length, 2)
  },
)

t.test("verify: a book's chain, whose hashes nobody can recompute, and folders without a hand", async (t) => {
  const book = await clock(t, 'verify', fromRoot('test', 'vectors', 'made-up-hand'))
  t.match(book, {
    code: 1,
    out: '',
    err: /made-up-hand\/hand\.json: tick 1: bad-hash: it says that its hash is 0000a1/,
  })
  t.match(await clock(t, 'verify', temporary(t)), { code: 2, err: /no hand\.log or hand\.json/ })
  t.match(await clock(t, 'verify', '/nonexistent'), { code: 2, err: /cannot read the folder/ })
  const folder = temporary(t)
  writeFileSync(join(folder, 'hand.log'), 'hello')
  t.match(await clock(t, 'verify', folder), { code: 1, err: /hand\.log: no-hand: / })
})
