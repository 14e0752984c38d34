/** What `pinledger repair` does with the logs beside the ledger. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { repairCommand } from '../../cli/repair.ts'
import { openAppendLog } from '../../node/append-log.ts'
import { openLogFile } from '../../node/disk.ts'
import { temporary } from '../helpers/processes.ts'

const LOGS = ['outbox.log', 'wires.log', 'channels.log', 'hand.log']

/** A directory with three batches in each log, of which one log is damaged in its second. */
function damaged(t: Test, name: string | undefined) {
  const data = temporary(t)
  const path = (file: string): string => join(data, file)
  let firstEnds = 0
  for (const each of LOGS) {
    const log = openAppendLog(openLogFile(path(each)))
    for (let batch = 0; batch < 3; batch++) {
      log.append([{ kind: 1, bytes: new Uint8Array(50).fill(batch) }])
      if (batch === 0) firstEnds = log.size
    }
    log.close()
  }
  if (name !== undefined) {
    const bytes = readFileSync(path(name))
    bytes[firstEnds + 30] = (bytes[firstEnds + 30] ?? 0) ^ 1
    writeFileSync(path(name), bytes)
  }
  const before = new Map(LOGS.map((each) => [each, readFileSync(path(each))]))
  return { data, path, firstEnds, before }
}

/** What repair said of it. */
function repair(data: string): string {
  let said = ''
  repairCommand({ data, json: false }, new Date(0), (text) => {
    said += text
  })
  return said
}

function repaired(t: Test, name: string | undefined) {
  const site = damaged(t, name)
  const said = repair(site.data)
  return { ...site, said, names: readdirSync(site.data).sort() }
}

t.test('what is whole stays as it is', async (t) => {
  const { names, said } = repaired(t, undefined)
  t.strictSame(names, [...LOGS].sort())
  t.notMatch(said, 'moved')
})

t.test('an outbox is moved aside: the ledger says where to go on', async (t) => {
  const { names, said } = repaired(t, 'outbox.log')
  t.strictSame(names, ['channels.log', 'hand.log', 'outbox.log.damaged-19700101T000000', 'wires.log'])
  t.match(said, /not yet in a block are not sent again/)
})

for (const [name, expected] of [
  ['wires.log', /edges that wires have seen/],
  ['channels.log', /delivered twice for one price/],
  ['hand.log', /ticks .* are fetched anew/],
] as const)
  t.test(`of ${name} what was whole before the damage stays`, async (t) => {
    const { path, said, firstEnds, before, names } = repaired(t, name)
    const aside = `${name}.damaged-19700101T000000`
    t.strictSame(names, [...LOGS, aside].sort())
    t.strictSame(readFileSync(path(aside)), before.get(name), 'nothing is deleted')
    t.strictSame(readFileSync(path(name)), before.get(name)?.subarray(0, firstEnds))
    t.match(said, new RegExp(`${name} was moved to ${aside}: record 1 at offset ${firstEnds}`))
    t.match(said, `${name} has what was whole before the damage, ${firstEnds} bytes`)
    t.match(said, expected)
    const records: number[] = []
    openAppendLog(openLogFile(path(name)), {
      onRecord: (_, bytes) => void records.push(bytes[0] ?? 9),
    }).close()
    t.strictSame(records, [0], 'and it opens')
  })

t.test(
  'a ledger that goes aside takes the history below its snapshot with it, and what to do is said',
  async (t) => {
    const { data, path, before } = damaged(t, undefined)
    const segment = openAppendLog(openLogFile(path('chain-0000000256.log')))
    segment.append([{ kind: 5, bytes: new Uint8Array(50) }])
    segment.close()
    mkdirSync(path('history'))
    const said = repair(data)
    t.strictSame(
      readdirSync(data).sort(),
      [
        ...LOGS,
        ...['chain-0000000256.log', 'history'].map((name) => `${name}.damaged-19700101T000000`),
      ].sort(),
    )
    for (const [name, bytes] of before) t.strictSame(readFileSync(path(name)), bytes, name)
    t.match(
      said,
      /with --genesis FILE, fetches everything from its peers.*\n?.*pinledger snapshot import FILE --data/,
    )
  },
)

t.test('logs of experiments, too, each in its folder', async (t) => {
  const { data } = damaged(t, undefined)
  const folders = ['lab', 'lab/0123456789abcdef/a-0123456789abcdef']
  const whole = damaged(t, undefined)
  const broken = damaged(t, 'hand.log')
  for (const [folder, name] of [
    [folders[0], 'orders.log'],
    [folders[1], 'hand.log'],
  ] as const) {
    mkdirSync(join(data, folder ?? ''), { recursive: true })
    writeFileSync(join(data, folder ?? '', name), broken.before.get('hand.log') ?? '')
  }
  const said = repair(data)
  for (const [folder, name] of [
    [folders[0], 'orders.log'],
    [folders[1], 'hand.log'],
  ] as const) {
    const read = (file: string) => readFileSync(join(data, folder ?? '', file))
    t.match(said, `${folder}: ${name} was moved to ${name}.damaged-19700101T000000`)
    t.strictSame(read(`${name}.damaged-19700101T000000`), broken.before.get('hand.log'))
    t.strictSame(read(name), whole.before.get('hand.log')?.subarray(0, whole.firstEnds))
  }
  t.strictSame(readFileSync(join(data, 'hand.log')), whole.before.get('hand.log'))
  t.match(repair(data), /^(?!.*moved)/s)
})

t.test(
  'where the mended log cannot be written the damaged one keeps its name, and is found again',
  async (t) => {
    const { data, path, before } = damaged(t, 'channels.log')
    mkdirSync(path('channels.log.new'))
    t.throws(() => repair(data))
    t.strictSame(readFileSync(path('channels.log')), before.get('channels.log'))
    rmdirSync(path('channels.log.new'))
    t.match(repair(data), 'channels.log was moved to')
  },
)
