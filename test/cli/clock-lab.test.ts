/** `pinledger clock lab` in this process: table, JSON, plots, progress, and what is refused. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { type LabOptions, labCommand } from '../../cli/clock-lab.ts'
import { table } from '../../cli/clock-lab-table.ts'
import { runCommandLine } from '../../cli/command-line.ts'
import { RULE_NAMES } from '../../sim/lab/rules.ts'
import { temporary } from '../helpers/processes.ts'

const DEFAULTS: LabOptions = { trace: 'steady', interval: 10, halfLife: 64, seed: 1, json: false }

/** `stepMs`: by how much the clock goes on each time somebody looks. */
function lab(options: Partial<LabOptions>, stepMs = 0) {
  const said = { out: '', err: '' }
  let nowMs = 0
  labCommand(
    { ...DEFAULTS, ...options },
    {
      out: (text) => {
        said.out += text
      },
      err: (text) => {
        said.err += text
      },
      nowMs: () => {
        nowMs += stepMs
        return nowMs
      },
    },
  )
  return said
}

t.test('a line for each rule under columns with units, and how to get the plots', async (t) => {
  const { out, err } = lab({ trace: 'step' })
  t.equal(err, '')
  t.match(out, /^trace step, 11\.1 h, T = 10 s, half-life 64 ticks, seed 1\nre-lock: ticks after a change/)
  t.match(out, /^rule +ticks +interval T .*pace % +wander T .*re-lock ticks +most in 60 T$/m)
  for (const name of RULE_NAMES) t.match(out, new RegExp(`^${name} +\\d+ .*\\d$`, 'm'))
  t.match(out, /^asert-clamped .* \d+, \d+ +\d+$/m, 'two changes')
  t.match(out, /plots: add --out DIR/)
  t.match(
    lab({ trace: 'come-and-go' }).out,
    /^asert-clamped .* up to \d+ +\d+$/m,
    'of many changes the slowest',
  )
  t.match(lab({ ticks: 200 }).out, /^trace steady, 0\.6 h/)
  t.match(lab({ hours: 1 }).out, /^trace steady, 1\.0 h/)
  t.not(lab({ seed: 2 }).out.split('\n')[8], lab({ seed: 3 }).out.split('\n')[8])
})

t.test('what was cut short has a star, and of many changes it is said how many were too many', async (t) => {
  const figures = {
    ...{ ticks: 500_000, intervalMean: 0.001, intervalSd: 0, pace: -0.00001, wander: 0.04 },
    ...{ driftMost: -5, driftEnd: -0.2, relock: [1, null, 3, null], storm: 60_000, isCut: true },
  }
  const printed = table([{ rule: 'fixed-hex', figures }])
  t.match(printed, /^fixed-hex +500000\* +0\.001 +0\.00 +0\.00 +0\.0 +-5 +0 +never 2 of 4 +60000$/m)
  t.match(printed, /^\* stopped after 500000 ticks: .*--ticks$/m)
})

t.test('JSON: an object a line, one for each rule', async (t) => {
  const lines = lab({ trace: 'step', json: true })
    .out.trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.strictSame(
    lines.map(({ rule }) => rule),
    RULE_NAMES,
  )
  const expected = {
    trace: 'step',
    seconds: 40_000,
    interval: 10,
    halfLife: 64,
    seed: 1,
    shocks: [10_000, 20_000],
  }
  t.match(lines.at(-1), {
    ...expected,
    ticks: Number,
    pace: Number,
    wander: Number,
    storm: Number,
    isCut: false,
  })
  t.strictSame(lines[0].relock, [null, null])
})

t.test('two plots, in a directory that it makes; the same command makes the same bytes', async (t) => {
  const folder = join(temporary(t), 'made', 'here')
  const first = lab({ ticks: 500, out: folder })
  t.match(first.out, `plots: ${join(folder, 'clock-drift.svg')}, ${join(folder, 'clock-interval.svg')}`)
  t.strictSame(readdirSync(folder).sort(), ['clock-drift.svg', 'clock-interval.svg'])
  const read = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
  const before = read()
  t.equal(lab({ ticks: 500, out: folder }).out, first.out)
  t.strictSame(read(), before)
  t.throws(() => lab({ ticks: 500, out: '/dev/null/x' }), {
    code: 'store-write',
    message: /choose another --out/,
  })
})

t.test('who waits for two seconds is told how far it is, once a second; not among JSON', async (t) => {
  const { err } = lab({ ticks: 5000 }, 700)
  t.match(err, /^fixed-hex: \d+ %\n/)
  t.match(err, /^asert-clamped: \d+ %$/m)
  t.equal(lab({ ticks: 5000 }, 1).err, '')
  t.equal(lab({ ticks: 5000, json: true }, 700).err, '')
})

t.test('a recorded file runs as long as it is, or as long as asked', async (t) => {
  const file = join(temporary(t), 'class.csv')
  writeFileSync(file, 'seconds,hashesPerSecond\n1000,50000\n4600,25000\n8200,25000\n')
  t.match(lab({ trace: file }).out, /^trace class\.csv, 2\.0 h/)
  t.match(lab({ trace: file, hours: 3 }).out, /^trace class\.csv, 3\.0 h/)
})

t.test('what cannot be run is refused, with what to do', async (t) => {
  const file = join(temporary(t), 'slow.csv')
  writeFileSync(file, 'seconds,hashesPerSecond\n0,10\n3600,20\n')
  const cases: readonly [Partial<LabOptions>, RegExp][] = [
    [{ ticks: 100, hours: 1 }, /--ticks and --hours say the same thing/],
    [{ hours: 10_000, interval: 0.1 }, /more than 1000000 intervals .*--hours/],
    [{ trace: 'stedy' }, /there is no file stedy; give one of steady, step/],
    [{ trace: file }, /fewer than 256 hashes.*longer --interval/],
  ]
  for (const [options, message] of cases) t.throws(() => lab(options), { code: 'usage', message })
})

t.test('on the command line: exit codes, and options out of range', async (t) => {
  const said = { out: '', err: '' }
  const output = {
    writeOut: (text: string) => {
      said.out += text
    },
    writeErr: (text: string) => {
      said.err += text
    },
  }
  t.equal(await runCommandLine(['clock', 'lab', '--help'], output), 0)
  t.match(said.out, /Example:\n {2}\$ pinledger clock lab/)
  t.match(said.out, /^ {2}70 /m)
  for (const [args, expected] of [
    [['--ticks', '99'], /expected ticks from 100 to 200000/],
    [['--ticks', '100.5'], /expected ticks/],
    [['--interval', '0.01'], /expected seconds from 0\.1 to 4000000/],
    [['--half-life', '0'], /expected ticks from 1 to 65535/],
    [['--seed', '-1'], /a whole number from 1 on/],
    [['--trace', '/nonexistent'], /there is no file \/nonexistent/],
    [['--ticks', '200', '--hours', '1'], /say the same thing/],
  ] as const) {
    said.err = ''
    t.equal(await runCommandLine(['clock', 'lab', ...args], output), 2, args.join(' '))
    t.match(said.err, expected)
    t.notMatch(said.err, /at \S+ \(.*:\d+:\d+\)/, 'no stack')
  }
})
