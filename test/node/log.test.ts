import t from 'tap'
import { createLog, type Format, formatFor, harmless, type Level } from '../../node/log.ts'

const AT_MS = Date.UTC(2026, 0, 1, 12, 34, 56, 789)

function lab(format: Format, level: Level = 'debug', name = 'broker') {
  const lines: string[] = []
  const log = createLog({ name, format, level, write: (line) => lines.push(line), now: () => AT_MS })
  return { log, lines }
}

t.test('plain text: time, who, what, facts; the level only when it is not info', async (t) => {
  const { log, lines } = lab('text')
  log.info('block', { height: 12, miner: 'ab12', final: false })
  log.warn('block')
  log.error('gone', { code: 3 })
  log.debug('noise')
  t.strictSame(lines, [
    '12:34:56 broker       block height=12 miner=ab12 final=false\n',
    '12:34:56 broker       warn: block\n',
    '12:34:56 broker       error: gone code=3\n',
    '12:34:56 broker       debug: noise\n',
  ])
})

t.test('a long name is not cut, a fact that is not there is left out', async (t) => {
  const { log, lines } = lab('text', 'info', 'the pump in the garden')
  log.info('report', { 'interrupt-ms-p50': undefined, height: 0 })
  t.strictSame(lines, ['12:34:56 the pump in the garden report height=0\n'])
})

t.test('a fact with blanks or quotes is quoted, so that facts can be told apart', async (t) => {
  const { log, lines } = lab('text')
  log.info('refused', { reason: 'no coins left', said: 'a"b', code: 'bad-nonce', none: '' })
  t.match(lines[0], ' reason="no coins left" said="a\\"b" code=bad-nonce none=\n')
})

t.test("a peer's text neither ends the line nor moves the cursor", async (t) => {
  for (const format of ['text', 'colour', 'json'] as const) {
    const { log, lines } = lab(format)
    log.info('refused', { reason: 'x\n12:00:00 broker all is well\r\x1b[2J\x07\x7f\u009b2J' })
    t.equal(lines.length, 1)
    t.notMatch(lines[0]?.slice(0, -1), /\p{Cc}/u, format)
  }
  t.equal(harmless('a\x1b[31m\u009b1m\u202eb\u200b\ud800c'), 'a\ufffd[31m\ufffd1m\ufffdb\ufffd\ufffdc')
  t.equal(harmless('Grüße, 水 🌱'), 'Grüße, 水 🌱', 'what people write stays')
})

t.test('only what is as important as asked', async (t) => {
  const counts = (['debug', 'info', 'warn', 'error'] as const).map((level) => {
    const { log, lines } = lab('text', level)
    for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each]('event')
    return lines.length
  })
  t.strictSame(counts, [4, 3, 2, 1])
})

t.test('on a terminal trouble is coloured, and the colour ends with the line', async (t) => {
  const { log, lines } = lab('colour')
  log.info('block')
  log.warn('slow')
  log.error('gone')
  t.strictSame(lines, [
    '12:34:56 broker       block\n',
    '\x1b[33m12:34:56 broker       warn: slow\x1b[0m\n',
    '\x1b[31m12:34:56 broker       error: gone\x1b[0m\n',
  ])
})

t.test('for machines: one JSON object a line, facts beside the rest', async (t) => {
  const { log, lines } = lab('json')
  log.info('block', { height: 12, reason: 'a "b"\nc', missing: undefined })
  t.equal(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1)
  t.strictSame(JSON.parse(lines[0] ?? ''), {
    at: '2026-01-01T12:34:56.789Z',
    level: 'info',
    name: 'broker',
    event: 'block',
    height: 12,
    reason: 'a "b"\nc',
  })
})

t.test('the format suits the stream: colours on a terminal, unless NO_COLOR is set', async (t) => {
  const environment = (extra: object) => {
    const { NO_COLOR: _, ...rest } = process.env
    t.intercept(process, 'env', { value: { ...rest, ...extra }, configurable: true })
  }
  environment({})
  t.equal(formatFor({ isTTY: true }, false), 'colour')
  t.equal(formatFor({ isTTY: false }, false), 'text')
  t.equal(formatFor({}, false), 'text')
  t.equal(formatFor({ isTTY: true }, true), 'json')
  environment({ NO_COLOR: '1' })
  t.equal(formatFor({ isTTY: true }, false), 'text')
})
