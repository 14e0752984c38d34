/** docs/CLOCKCHAIN.md: its figures and plots are what its commands print and draw today, or what the code computes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type LabOptions, labCommand, PLOT_FILES } from '../../cli/clock-lab.ts'
import { expectedHashes, meanBand } from '../../cli/clock-statistics.ts'
import { SLOW_RATIO_MAX, slowRatioOption } from '../../cli/options.ts'
import { LAB_STORE_BYTES_MAX, LASTS_MS_MAX, ORDER_MS_MAX } from '../../edge-agent/lab/order.ts'
import { SETTLE_MS, SILENT_TIMEOUTS } from '../../edge-agent/lab/rounds.ts'
import { SLOW_SHARE } from '../../edge-agent/miner.ts'
import { asert } from '../../ledger/difficulty.ts'
import { driftSd, paceOfCubic } from '../../ledger/drift.ts'
import { PRESETS } from '../../ledger/preset.ts'
import { TICK_WINDOW } from '../../ledger/slow-hand.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { HEADER_BYTES } from '../../schemas/block.ts'
import { MOMENT_HEADERS_MAX } from '../../schemas/moment.ts'
import { ANCHORS_MAX } from '../../schemas/tick.ts'
import { figuresOf, WINDOW as LOCK_TICKS, LOCKED } from '../../sim/lab/figures.ts'
import { ticksToSee } from '../../sim/lab/theory.ts'
import { scenario, shocks } from '../../sim/lab/trace.ts'
import { WINDOW } from '../../sim/lab/trace-of-blocks.ts'
import { TestHand } from '../helpers/hand.ts'
import { inProcess } from '../helpers/in-process.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'
import { temporary } from '../helpers/processes.ts'
import { fromRoot } from '../helpers/root.ts'
import { mean, ruleOf, runFor, seedsTo } from '../sim/lab/clock.ts'

const text = readFileSync(fromRoot('docs/CLOCKCHAIN.md'), 'utf8')
const blocks = [...text.matchAll(/```\n\$ pinledger clock lab(.*)\n([^`]*)```/g)].map(
  ([, options = '', printed = '']) => ({ words: options.split(' ').filter((word) => word !== ''), printed }),
)

function lab(words: readonly string[], out?: string): string {
  const value = (name: string): string | undefined => {
    const at = words.indexOf(name)
    return at < 0 ? undefined : words[at + 1]
  }
  const ticks = value('--ticks')
  const options: LabOptions = {
    trace: value('--trace') ?? 'step',
    ...(ticks === undefined ? {} : { ticks: Number(ticks) }),
    ...(out === undefined ? {} : { out }),
    interval: 10,
    halfLife: 64,
    seed: 1,
    json: false,
  }
  let printed = ''
  labCommand(options, {
    out: (text) => {
      printed += text
    },
    err: () => {},
    nowMs: () => 0,
  })
  return printed
}
/** The table alone: what stands above and below it is the same every time. */
const tableOf = (printed: string): string => /^rule .*\n(?:.+\n)*/m.exec(printed)?.[0] ?? ''

t.test('the figures are what the commands above them print', async (t) => {
  t.equal(blocks.length, 3)
  for (const { words, printed } of blocks) {
    t.strictSame(
      words.filter((word) => word.startsWith('--') && word !== '--trace' && word !== '--ticks'),
      [],
      'options that this test knows',
    )
    t.not(tableOf(printed), '', words.join(' '))
    t.equal(tableOf(printed), tableOf(lab(words)), words.join(' '))
  }
})

t.test('the plots are what the command below them draws', async (t) => {
  const folder = temporary(t)
  t.match(text, 'node dist/cli/main.js clock lab --trace step --out docs/figures')
  lab(['--trace', 'step'], folder)
  for (const name of Object.values(PLOT_FILES)) {
    t.match(text, `](figures/${name})`)
    const committed = readFileSync(fromRoot('docs/figures', name), 'utf8')
    t.ok(committed === readFileSync(join(folder, name), 'utf8'), `${name}: run the command again`)
    t.ok(committed.length < 60_000)
  }
})

/** The page without the ends of its lines. */
const prose = text.replace(/\s+/g, ' ')
const says = (t: Test, phrase: string): void => {
  t.ok(prose.includes(phrase), `it says: ${phrase}`)
}
const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const percent = (share: number, places: number): string => `${(100 * share).toFixed(places)} %`
const HALF_LIFE = 64
const [T_MS, T_SECONDS] = [10_000, 10]

t.test('ratio, share and the theorems: numbers of formulas and defaults', async (t) => {
  says(t, `(${slowRatioOption().defaultValue} unless \`--slow-ratio\` says otherwise`)
  says(t, `${count(SLOW_RATIO_MAX)} is the most)`)
  t.equal(SLOW_SHARE, 1 / 5)
  says(t, '(a fifth by default)')
  const ordered = (d: number): number => 1 - Math.exp(-d)
  t.equal(ordered(0.7).toFixed(1), '0.5')
  says(t, `half of all pairs at d = 0.7 RT, ${(100 * ordered(3)).toFixed(0)} of 100 at 3 RT`)
  says(t, `${driftSd(HALF_LIFE).toFixed(1)} T for h = ${HALF_LIFE}`)
  says(t, `sqrt(ln 2 / (2 h)), ${percent(Math.sqrt(Math.LN2 / (2 * HALF_LIFE)), 0)} for h = ${HALF_LIFE}`)
  says(t, `${HEADER_BYTES} bytes of a tick's header`)
})

t.test('the pace of our clock, and how far the cubic is from a power of two', async (t) => {
  const pace = paceOfCubic(T_MS, HALF_LIFE)
  says(t, `the clock is fast by ${percent(-pace, 2)}`)
  says(t, `Our clock is fast by ${percent(-pace, 2)} all the time, three minutes a day`)
  t.equal(Math.round((-pace * 86_400) / 60), 3)
  says(t, `a tick is worth ${(1 + pace).toFixed(4)} T`)
  let most = 0
  for (let part = 0n; part < 65_536n; part++) {
    const factor = Number(asert(1n << 200n, part, 65_536n, 1n << 255n)) / 2 ** 200
    most = Math.max(most, Math.abs(factor / 2 ** (Number(part) / 65_536) - 1))
  }
  says(t, `is off by up to ${percent(most, 3)}`)
})

t.test('the limits: luck, bytes for ever, ledgers of a hand, blocks of a proof', async (t) => {
  const ticks = ticksToSee(0.1, 3)
  says(t, `a rate that is wrong by a tenth shows at 3 sigma after ${Math.round(ticks)} ticks`)
  says(t, `(3 / e)^2 ticks, a tenth after ${Math.round(ticks)}, two and a half hours of them at T = 10 s`)
  t.equal((ticks * T_SECONDS) / 3600, 2.5)
  const disk = new MemoryDisk()
  const hand = new TestHand()
  const store = new HandStore(disk.open(HAND_FILE), hand.slow.hand)
  const bytes = (): number => disk.open(HAND_FILE).size
  const before = bytes()
  const anchor = { ledger: 'ab'.repeat(32), height: 1, block: 'cd'.repeat(32) }
  const added = hand.accept(hand.tick([anchor as never]))
  if (!added.ok) throw new Error(added.fault.message)
  store.save([added.value])
  const year = (ratio: number): string =>
    (((bytes() - before) * 365.25 * 86_400) / (ratio * T_SECONDS) / 1e6).toFixed(0)
  says(
    t,
    `${bytes() - before} bytes each with one ledger: ${year(16)} MB a year at T = 10 s and R = 16, ${year(256)} MB with R = 256. ${count(TICK_WINDOW)} ticks can be undone`,
  )
  says(t, `256 gives a hand of ${year(256)} MB a year`)
  says(t, `A tick names at most ${count(ANCHORS_MAX)} ledgers`)
  says(t, `A proof holds at most ${count(MOMENT_HEADERS_MAX)} blocks`)
  const lost = (ratio: number): number => (ratio / (1 + ratio)) ** (MOMENT_HEADERS_MAX + 1)
  says(t, `(R / (1 + R))^${MOMENT_HEADERS_MAX + 1}, which is about exp(-${MOMENT_HEADERS_MAX} / R)`)
  says(
    t,
    `one event in 10^${Math.floor(-Math.log10(lost(16)))} for R = 16, one in ${(1e-6 / lost(256)).toFixed(1)} million for R = 256, ${percent(lost(1024), 1)} for R = 1,024, ${percent(lost(4096), 0)} for R = 4,096`,
  )
})

t.test('locked again after a change: seeds 1 to 20', async (t) => {
  const trace = scenario('step', T_SECONDS)
  const changes = shocks(trace, trace.seconds)
  const figuresBy = (name: 'asert-clamped' | 'asert-absolute') =>
    seedsTo(20).map((seed) => figuresOf(runFor(ruleOf(name, trace), trace, seed), T_MS, changes))
  const [ours, absolute] = [figuresBy('asert-clamped'), figuresBy('asert-absolute')]
  const relocks = (change: number): number[] => ours.map(({ relock }) => relock[change] ?? Number.NaN)
  const phrase = (all: readonly number[], what: string): string =>
    `${Math.round(mean(all))} ticks after ${what} (${Math.min(...all)} to ${Math.max(...all)})`
  says(t, `locked again ${phrase(relocks(0), 'the rate has become four times as high')}`)
  says(t, `and ${phrase(relocks(1), 'it has fallen to an eighth')}`)
  const [end, ourEnd] = [absolute, ours].map((all) => mean(all.map(({ driftEnd }) => driftEnd)))
  says(t, `Two doublings and three halvings make ${HALF_LIFE} T behind`)
  says(t, `the absolute one ends ${end?.toFixed(0)} T behind, ours ${ourEnd?.toFixed(0)}:`)
  const luck = (3 * driftSd(HALF_LIFE)) / Math.sqrt(absolute.length)
  t.ok(Math.abs((end ?? Number.NaN) - HALF_LIFE) < luck, `${end} T`)
})

t.test('what is said below the table of an outage, and of recorded rates', async (t) => {
  const outage = blocks.find(({ words }) => words.includes('outage'))?.printed ?? ''
  const storm = /^asert-absolute .* (\d+)$/m.exec(outage)?.[1]
  says(t, `${count(Number(storm))} ticks in ten minutes`)
  t.equal(LOCK_TICKS, 60)
  says(t, `until sixty ticks take ${60 / LOCKED} to ${60 * LOCKED} T`)
  says(t, `${PRESETS.bench.interval / 1000} s for the preset \`bench\``)
  t.equal(WINDOW, 30)
  says(t, `thirty blocks at a time, which tells the rate within ${percent(1 / Math.sqrt(WINDOW), 0)}`)
})

t.test('what chance makes of experiments: bands in the text and in every sample', async (t) => {
  const [few, many] = [meanBand(5), meanBand(20_000)]
  says(t, `${few.low.toFixed(2)} to ${few.high.toFixed(2)} of what is expected for 5 ticks`)
  says(t, `${many.low.toFixed(2)} to ${many.high.toFixed(2)} for 20,000`)
  const lines =
    /: (\d+) ticks, ([\d,]+) hashes a tick; expected ([\d,]+), and in 95 % of such runs ([\d,]+) to ([\d,]+): (\w+)/g
  const numberOf = (digits = ''): number => Number(digits.replaceAll(',', ''))
  const samples = [...text.matchAll(lines)]
  t.ok(samples.length >= 9, `${samples.length} samples`)
  for (const [line, ticks, hashes, expected, low, high, verdict] of samples) {
    const digits = Math.round(Math.log2(numberOf(expected)) / 4)
    t.equal(numberOf(expected), expectedHashes(digits), line)
    const band = meanBand(numberOf(ticks))
    t.strictSame(
      [low, high],
      [count(band.low * expectedHashes(digits)), count(band.high * expectedHashes(digits))],
      line,
    )
    const isInside = numberOf(hashes) >= numberOf(low) && numberOf(hashes) <= numberOf(high)
    t.equal(verdict, isInside ? 'within' : 'OUTSIDE', line)
  }
})

t.test('the times and sizes of the clock tower', async (t) => {
  t.strictSame([LASTS_MS_MAX, ORDER_MS_MAX, SETTLE_MS], [7 * 86_400_000, 3_600_000, 2_000])
  says(t, 'which is seven days at the most, so fourteen')
  says(t, 'is refused when it is an hour old')
  says(t, 'For two seconds after connecting nobody is a tower')
  says(t, `has seen no new round for ${SILENT_TIMEOUTS} + k time-outs`)
  says(t, `An experiment takes at most ${LAB_STORE_BYTES_MAX >> 20} MB`)
})

t.test('the chain that nobody has computed', async (t) => {
  const { out, err } = await inProcess('clock', 'verify', fromRoot('test/vectors/made-up-hand'))
  const said = `${out}${err}`.replaceAll(`${fromRoot()}/`, '').trim()
  t.not(said, '')
  t.ok(text.includes(said), said)
})
