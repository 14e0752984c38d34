import t from 'tap'
import { agentConfig } from '../../../edge-agent/config.ts'
import { guardLine, outputConfig } from '../../../edge-agent/outputs/config.ts'
import { ruleOf } from '../../../edge-agent/outputs/outputs.ts'

const least = { name: 'bed', broker: { url: 'mqtt://10.0.0.1' }, data: '/var/lib/pinledger' }
const SOIL = { name: 'soil', driver: 'script', file: 'soil.yaml', unit: '%' }
const BUTTON = { name: 'button', driver: 'gpio', pin: 17 }
const LOAD = { name: 'load', driver: 'host', quantity: 'cpu-load', intervalSeconds: 60 }
const PUMP = { name: 'pump', pin: 27, when: { sensor: 'soil', below: 20 } }
const LAMP = { name: 'lamp', file: 'lamp.txt', when: { paid: true }, sell: { perMinute: '0.5' } }

const parse = (outputs: readonly object[]) =>
  agentConfig.safeParse({ ...least, sensors: [SOIL, BUTTON, LOAD], outputs })

t.test('a name, a pin and a condition are enough; the defaults are on the safe side', async (t) => {
  const { data } = parse([PUMP])
  const [output] = data?.outputs ?? []
  t.match(output, { activeLow: false, safe: 'off', access: 'auto', onSecondsMax: undefined })
  t.strictSame(output && ruleOf(output), {
    safe: false,
    condition: {
      kind: 'sensor',
      sensor: 'soil',
      compare: 'below',
      threshold: 20,
      hysteresis: 0,
      staleMs: 60_000,
    },
    onMsMax: undefined,
    lostMsMax: 30_000,
  })
  const keep = outputConfig.parse({ ...PUMP, onLost: 'keep', onSecondsMax: 5, when: { agent: 'mining' } })
  t.match(ruleOf(keep), {
    lostMsMax: undefined,
    onMsMax: 5_000,
    condition: { kind: 'agent', state: 'mining' },
  })
})

t.test('what cannot be is refused, each with its field and what was expected', async (t) => {
  const whens = [
    {},
    { sensor: 'soil' },
    { above: 1 },
    { sensor: 'soil', above: 1, below: 2 },
    { agent: 'connected', sensor: 'soil', above: 1 },
    { agent: 'connected', hysteresis: 1 },
    { agent: 'connected', staleSeconds: 9 },
    { agent: 'connected', paid: true },
    { paid: true, sensor: 'soil', above: 1 },
    { paid: true, staleSeconds: 9 },
  ]
  for (const when of whens) {
    const issue = parse([{ ...PUMP, when }]).error?.issues[0]
    t.match(
      issue,
      { path: ['outputs', 0, 'when'], message: /'sensor' with one of 'above' and 'below'/ },
      JSON.stringify(when),
    )
  }
  const cases: readonly [outputs: readonly object[], path: string, message: RegExp][] = [
    [[PUMP, { ...PUMP, pin: 4 }], 'outputs.1.name', /once, got pump again/],
    [[PUMP, { ...PUMP, name: 'lamp' }], 'outputs.1.pin', /output lamp, got GPIO 27 of output pump/],
    [[{ ...PUMP, pin: 17 }], 'outputs.0.pin', /output pump, got GPIO 17 of sensor button/],
    [[{ ...PUMP, pin: 28 }], 'outputs.0.pin', /27/],
    [[{ ...PUMP, when: { sensor: 'sol', below: 1 } }], 'outputs.0.when', /a sensor of this agent, got sol/],
    [
      [{ ...PUMP, when: { sensor: 'load', above: 1 } }],
      'outputs.0.when',
      /staleSeconds above the 60 s .* load/,
    ],
    [[{ ...PUMP, safe: 'on', onSecondsMax: 9 }], 'outputs.0.onSecondsMax', /only with 'safe: off'/],
    [[{ ...PUMP, safe: true }], 'outputs.0.safe', /off/],
    [[{ ...PUMP, pni: 1 }], 'outputs.0', /pni/],
    [Array(29).fill(PUMP), 'outputs', /28/],
    [[{ ...PUMP, pin: undefined }], 'outputs.0', /'pin' or 'file'/],
    [[{ ...PUMP, file: 'pump.txt' }], 'outputs.0', /'pin' or 'file'/],
    [[{ ...LAMP, access: 'sysfs' }], 'outputs.0.access', /only with 'pin'/],
    [
      [LAMP, { ...LAMP, name: 'other' }],
      'outputs.1.file',
      /its own for output other, got that of output lamp/,
    ],
    [[{ ...LAMP, sell: undefined }], 'outputs.0.when', /'sell' with it/],
    [[{ ...PUMP, sell: LAMP.sell }], 'outputs.0.sell', /only with 'when: { paid: true }'/],
    [[{ ...LAMP, when: { paid: false } }], 'outputs.0.when.paid', /true/],
    [[{ ...LAMP, onSecondsMax: 9 }], 'outputs.0.onSecondsMax', /sell.secondsMax/],
    [[{ ...LAMP, name: 'l'.repeat(29) }], 'outputs.0.name', /at most 28 characters .*, got 29/],
    [[{ ...LAMP, sell: { perMinute: 0.5 } }], 'outputs.0.sell.perMinute', /in quotes/],
    [[{ ...LAMP, sell: { perMinute: '0' } }], 'outputs.0.sell.perMinute', /more than "0"/],
    [[{ ...LAMP, sell: { perMinute: '1', secondsMin: 0 } }], 'outputs.0.sell.secondsMin', /1/],
    [[{ ...LAMP, sell: { perMinute: '1', secondsMax: 86_401 } }], 'outputs.0.sell.secondsMax', /86400/],
    [
      [{ ...LAMP, sell: { perMinute: '1', secondsMin: 9, secondsMax: 8 } }],
      'outputs.0.sell.secondsMax',
      /secondsMin/,
    ],
    [[{ ...LAMP, sell: { perMinute: '1', confirmations: 0 } }], 'outputs.0.sell.confirmations', /1/],
  ]
  for (const [outputs, path, message] of cases) {
    const issue = parse(outputs).error?.issues[0]
    t.equal(issue?.path.join('.'), path)
    t.match(issue?.message, message)
  }
})

t.test('a sensor that says edges may be silent for longer than its interval', async (t) => {
  t.ok(parse([{ ...PUMP, when: { sensor: 'button', above: 0, staleSeconds: 3 } }]).success)
})

t.test(
  'what is sold has a price, and gentle terms by default; a file stands in the place of a pin',
  async (t) => {
    const [lamp] = parse([{ ...LAMP, name: 'l'.repeat(28) }]).data?.outputs ?? []
    t.match(lamp, {
      when: { kind: 'paid' },
      sell: { perMinute: 50_000_000, secondsMin: 10, secondsMax: 3_600, confirmations: 1, lateSeconds: 120 },
    })
    const [led] = parse([LAMP]).data?.outputs ?? []
    t.strictSame(led && guardLine(led), { name: 'lamp', file: 'lamp.txt', activeLow: false, safe: 0 })
    const [pump] = parse([PUMP]).data?.outputs ?? []
    t.strictSame(pump && guardLine(pump), {
      name: 'pump',
      pin: 27,
      access: 'auto',
      activeLow: false,
      safe: 0,
    })
  },
)
