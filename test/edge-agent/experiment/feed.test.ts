/** Searching for the other end of a pipe, with the real threads. */
import { PassThrough } from 'node:stream'
import t from 'tap'
import {
  FEED_PROTOCOL,
  feedAnswer,
  feedJob,
  parseLine,
  readLines,
  serveFeed,
} from '../../../edge-agent/experiment/feed.ts'
import { fixedHand } from '../../../edge-agent/experiment/hand.ts'
import { threads } from '../../../edge-agent/experiment/search.ts'
import { checkTick, tickTemplate } from '../../../ledger/hand.ts'
import { position0 } from '../../../ledger/header.ts'
import { HEADER_BYTES, header as headerCodec } from '../../../schemas/block.ts'
import { decode, encode } from '../../../schemas/codec.ts'
import { toHex } from '../../../schemas/hex.ts'
import { START_MS } from '../../helpers/ledger.ts'
import { TestSearch } from '../../helpers/search.ts'
import { waitUntil } from '../../helpers/wait-until.ts'

const hand = fixedHand('a', 2, START_MS)
const { header } = tickTemplate(hand, position0(hand), [], START_MS)
const job = `${JSON.stringify({ header: toHex(encode(headerCodec, header)) })}\n`

t.test(
  'jobs come in, finds that meet their target go out, and the end of the input is the end',
  async (t) => {
    const input = new PassThrough()
    const lines: string[] = []
    const over = serveFeed(
      threads(1, () => 0.5),
      input,
      '1.2.3',
      (line) => void lines.push(line),
    )
    await waitUntil('it is ready', () => lines.length === 1)
    t.strictSame(parseLine(feedAnswer, lines[0] ?? ''), { ready: FEED_PROTOCOL, software: '1.2.3' })
    input.write(job)
    await waitUntil('there is a find', () => lines.length === 2)
    const find = parseLine(feedAnswer, lines[1] ?? '')
    t.ok(find !== undefined && 'header' in find)
    if (find === undefined || !('header' in find)) return
    const decoded = decode(headerCodec, find.header, HEADER_BYTES)
    t.ok(decoded.ok)
    if (!decoded.ok) return
    t.ok(checkTick(hand, decoded.value, position0(hand), START_MS + 1).ok)
    t.ok(find.hashes >= 1 && find.ms >= 0)
    input.end()
    await over
    t.match(lines[2], /^\{"unfinished":0\}\n$/)
  },
)

t.test('what is no job ends it, and the search with it', async (t) => {
  for (const line of ['{"header":"00"}\n', 'hello\n', `{"header":"${'0'.repeat(230)}","more":1}\n`]) {
    const search = new TestSearch()
    const input = new PassThrough()
    const over = serveFeed(search.open, input, '1', () => {})
    input.write(line)
    await t.rejects(over, { code: 'usage', message: /no job/ })
    t.equal(search.stops, 1)
  }
})

t.test('a search that fails while it opens is told once', async (t) => {
  const unhandled: unknown[] = []
  const onUnhandled = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', onUnhandled)
  t.teardown(() => process.off('unhandledRejection', onUnhandled))
  const cannot = new Error('no memory for a thread')
  const over = serveFeed(
    async ({ onFailed }) => {
      onFailed(cannot)
      await new Promise((resolve) => setTimeout(resolve, 10))
      throw cannot
    },
    new PassThrough(),
    '1',
    () => {},
  )
  await t.rejects(over, cannot)
  t.strictSame(unhandled, [])
})

t.test('lines are put together, and one that never ends does not fill the memory', async (t) => {
  const stream = new PassThrough()
  const lines: string[] = []
  readLines(stream, (line) => void lines.push(line))
  stream.write(job.slice(0, 20))
  stream.write(`${job.slice(20)}\nshort\n`)
  for (let part = 0; part < 8; part++) stream.write('x'.repeat(1024))
  stream.write('\n')
  await waitUntil('all has come', () => lines.length === 3)
  t.ok(parseLine(feedJob, lines[0] ?? ''))
  t.equal(lines[1], 'short')
  t.equal(lines[2]?.length, 4096)
})
