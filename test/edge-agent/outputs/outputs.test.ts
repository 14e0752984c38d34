/** What outputs wish, what the lines that the test holds are told, and what of it is published. */
import t from 'tap'
import { outputConfig } from '../../../edge-agent/outputs/config.ts'
import {
  type OutputLines,
  type OutputState,
  Outputs,
  type OutputsModules,
} from '../../../edge-agent/outputs/outputs.ts'
import { fakeTime } from '../../helpers/fake-time.ts'
import { recordingLog } from '../../helpers/rig.ts'

const PUMP = { name: 'pump', pin: 17, when: { sensor: 'soil', below: 20 } }
const FAN = { name: 'fan', pin: 4, safe: 'on', when: { sensor: 'heat', above: 60 } }
const LAMP = { name: 'lamp', file: 'lamp', when: { paid: true }, sell: { perMinute: '1' } }
const WALL_MS = 1_000_000

function open(configs: readonly object[], soldOf?: OutputsModules['soldOf']) {
  const time = fakeTime()
  let report: Parameters<OutputLines['start']> | undefined
  const beats: string[] = []
  const told: OutputState[] = []
  const facts = { isConnected: true, isMining: false }
  const { log, lines: logged } = recordingLog()
  const guard = { obeys: true }
  const lines: OutputLines = {
    start: (...callbacks) => {
      report = callbacks
    },
    drive(levels) {
      beats.push(levels.join(''))
      if (guard.obeys) report?.[0](levels)
    },
    stop: async () => report?.[0](configs.map((each) => ('safe' in each ? 1 : 0))),
  }
  const clock = { now: () => WALL_MS + time.nowMs(), monotonic: time.nowMs, synchronised: () => true }
  const outputs = new Outputs(
    configs.map((each) => outputConfig.parse(each)),
    { lines, clock, timers: time, log, ...(soldOf && { soldOf }) },
  )
  const start = () =>
    outputs.start(
      () => facts,
      (state) => void told.push(state),
    )
  const driven = (levels: readonly (0 | 1 | undefined)[]) => report?.[0](levels)
  const failed = (name: string, reason: string) => report?.[1](name, reason)
  return {
    outputs,
    start,
    beats,
    told,
    facts,
    logged,
    time,
    guard,
    driven,
    failed,
    isStarted: () => report !== undefined,
  }
}

t.test('a reading switches at once; a beat goes out each second whatever happens', async (t) => {
  const { outputs, start, beats, time } = open([PUMP, FAN])
  start()
  await time.pass(3_000)
  t.strictSame(beats, ['01', '01', '01'], 'safe as long as nothing is known')
  outputs.reading('soil', 10)
  t.equal(beats.at(-1), '11')
  outputs.reading('heat', 50)
  t.equal(beats.at(-1), '10')
  outputs.reading('door', 1)
  outputs.reading('soil', 11)
  t.equal(beats.length, 5, 'what changes nothing waits for the next second')
  await time.pass(1_000)
  t.strictSame(beats.slice(5), ['10'])
})

t.test('the loss of the broker counts from when it was lost, and ends with it', async (t) => {
  const { outputs, start, beats, time, facts } = open([PUMP])
  start()
  outputs.reading('soil', 10)
  facts.isConnected = false
  outputs.refresh()
  await time.pass(29_000)
  t.equal(beats.at(-1), '1')
  await time.pass(1_000)
  t.equal(beats.at(-1), '0')
  facts.isConnected = true
  outputs.refresh()
  t.equal(beats.at(-1), '1')
})

t.test(
  'what is told and logged is what is driven, with since and reason, and not every reading again',
  async (t) => {
    const { outputs, start, time, told, logged, guard, driven } = open([PUMP])
    start()
    await time.pass(1_000)
    guard.obeys = false
    await time.pass(1_000)
    outputs.reading('soil', 10)
    t.equal(told.length, 1, 'it is wished, not done')
    await time.pass(500)
    driven([1])
    for (const value of [11, 12]) outputs.reading('soil', value)
    guard.obeys = true
    await time.pass(5_000)
    t.strictSame(told, [
      { name: 'pump', on: false, since: WALL_MS + 2_000, reason: 'soil has said nothing yet', safe: false },
      { name: 'pump', on: true, since: WALL_MS + 3_500, reason: 'soil 10 is below 20', safe: false },
    ])
    t.strictSame(outputs.states, told.slice(1), 'who connects anew hears the last')
    await time.pass(60_000)
    t.match(told[2], { on: false, reason: 'soil has said nothing for 60 s' })
    outputs.reading('soil', 30)
    await time.pass(1_000)
    t.match(
      told[3],
      { on: false, since: told[2]?.since, reason: 'soil 30 is not below 20' },
      'a new cause is news',
    )
    t.strictSame(
      logged.map(({ event, fields }) => [event, fields.output, fields.on, fields.reason]),
      told.map(({ on, reason }) => ['output', 'pump', on, reason]),
    )
  },
)

t.test('a value that trembles is told once a second, its last state always', async (t) => {
  const { outputs, start, time, told } = open([PUMP])
  start()
  await time.pass(1_000)
  for (let each = 0; each < 19; each++) {
    outputs.reading('soil', each % 2 === 0 ? 19 : 21)
    await time.pass(50)
  }
  t.equal(told.length, 1)
  await time.pass(2_000)
  t.strictSame(
    told.map(({ on }) => on),
    [false, true],
  )
})

t.test('an output that is not driven says so, and why', async (t) => {
  const { start, time, told, guard, driven, failed, logged } = open([PUMP, FAN])
  guard.obeys = false
  start()
  driven([undefined, 1])
  failed('pump', 'GPIO 17 is busy')
  t.match(told, [
    { name: 'fan', on: true },
    { name: 'pump', on: null, reason: 'GPIO 17 is busy' },
  ])
  t.match(logged[1], {
    level: 'warn',
    event: 'output',
    fields: { output: 'pump', reason: 'GPIO 17 is busy' },
  })
  await time.pass(1_000)
  driven([0, undefined])
  t.match(told.slice(2), [
    { name: 'pump', on: false },
    { name: 'fan', on: null, reason: 'the guard of the outputs ended' },
  ])
})

t.test('at the end all is safe, told, and stays so', async (t) => {
  const { outputs, start, time, told, beats } = open([PUMP, FAN])
  start()
  outputs.reading('soil', 10)
  outputs.reading('heat', 10)
  await time.pass(1_000)
  await outputs.stop()
  const count = beats.length
  t.match(told.slice(-2), [
    { name: 'pump', on: false, reason: 'the agent stops' },
    { name: 'fan', on: true, reason: 'the agent stops' },
  ])
  outputs.reading('soil', 10)
  outputs.refresh()
  await time.pass(5_000)
  await outputs.stop()
  t.equal(beats.length, count)
})

t.test('without outputs no guard is started', async (t) => {
  const { outputs, start, isStarted } = open([])
  start()
  t.equal(isStarted(), false)
  await outputs.stop()
})

t.test(
  'what is sold is on at once and off within a second of its end; time that is added is told',
  async (t) => {
    const sold = { endsMs: 0, until: 0, known: false }
    const { outputs, start, beats, time, told } = open([LAMP], (name) => {
      t.equal(name, 'lamp')
      return sold.known
        ? { remainingMs: Math.max(0, sold.endsMs - time.nowMs()), until: sold.until }
        : undefined
    })
    start()
    await time.pass(1_000)
    t.match(told, [{ on: false, reason: /not known/ }])
    sold.known = true
    await time.pass(1_000)
    t.match(told[1], { on: false, reason: 'nobody has paid' })
    sold.endsMs = time.nowMs() + 5_500
    sold.until = 60_000
    outputs.refresh()
    t.equal(beats.at(-1), '1')
    await time.pass(2_000)
    t.match(told.at(-1), { on: true, reason: 'paid until 1970-01-01T00:01:00Z' })
    sold.endsMs += 1_000
    sold.until = 61_000
    outputs.refresh()
    await time.pass(2_000)
    t.match(told.at(-1), { on: true, reason: 'paid until 1970-01-01T00:01:01Z' })
    await time.pass(2_000)
    t.equal(beats.at(-1), '1')
    await time.pass(1_000)
    t.equal(beats.at(-1), '0')
    await time.pass(1_000)
    t.match(told.at(-1), { on: false, reason: 'nobody has paid' })
  },
)
