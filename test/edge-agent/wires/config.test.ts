import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { agentConfig } from '../../../edge-agent/config.ts'
import { wiresConfig } from '../../../edge-agent/wires/config.ts'
import { describeWire, purchaseIn, purchaseOf } from '../../../edge-agent/wires/wire.ts'
import { loadConfig } from '../../../node/config-file.ts'
import { alice, bob } from '../../helpers/ledger.ts'
import { temporary } from '../../helpers/processes.ts'

const device = bob.account
const read = (wire: object) => wiresConfig.parse([wire])[0]
const own = { when: { sensor: 'soil' }, to: alice.account, pay: '1', for: 'water' }
const lamp = { device: alice.account, output: 'lamp', minutes: 2 }

t.test('the form of the first version means what it meant', async (t) => {
  t.strictSame(read({ when: { device, sensor: 'soil' }, pay: '0.01', for: 'water' }), {
    source: { kind: 'ledger', device, sensor: 'soil', confirmations: 1 },
    condition: { kind: 'each' },
    pay: { kind: 'amount', amount: 1_000_000 },
    to: { kind: 'account', account: device, purpose: 'water' },
    label: 'water',
    limits: { perHourMax: 1_000, perDayMax: undefined, coinsPerDayMax: undefined, balanceMin: 0 },
  })
  const all = { when: { device, sensor: 'soil' }, pay: '1', for: 'water', to: alice.account }
  t.match(read({ ...all, confirmations: 3, perHourMax: 7 }), {
    source: { confirmations: 3 },
    to: { account: alice.account },
    limits: { perHourMax: 7 },
  })
})

t.test('each condition, price and goal in its form, and in words', async (t) => {
  const words = (wire: object): string => {
    const parsed = read(wire)
    return parsed === undefined ? '' : describeWire(parsed)
  }
  const to = alice.account.slice(0, 8)
  t.equal(words(own), `when soil says something, pay 1 to ${to} for water; at most 1000 an hour`)
  for (const [when, said] of [
    [{ above: 20 }, 'is above 20'],
    [{ below: -0.5 }, 'is below -0.5'],
    [{ rises: 20 }, 'rises above 20'],
    [{ falls: 20, hysteresis: 5 }, 'falls below 20 (back by 5 in between)'],
    [{ changesBy: 0.1 }, 'has changed by 0.1'],
  ] as const)
    t.match(words({ ...own, when: { ...own.when, ...when } }), `when soil ${said}, pay 1`)
  t.match(words({ ...own, when: { every: { minutes: 60 } } }), 'every 60 minutes, pay 1')
  t.match(words({ ...own, when: { device, sensor: 'soil' } }), `when soil of ${device.slice(0, 8)} says`)
  t.match(
    words({ ...own, pay: { perUnit: '0.01', most: '1' } }),
    `pay 0.01 a unit, at most 1, to ${to} for water`,
  )
  t.match(words({ ...own, to: lamp }), `pay 1 to ${to} for on lamp, 2 minutes (water)`)
  const topic = { device, topic: 'soil', minutes: 0.5 }
  const limits = { perHourMax: 2, perDayMax: 9, coinsPerDayMax: '3.5', balanceMin: '10' }
  t.match(
    words({ when: own.when, pay: '1', to: topic, ...limits }),
    /for topic soil, 0.5 minutes; at most 2 an hour, 9 a day, 3.5 coins a day, 10 stay$/,
  )
})

t.test('what cannot be is refused, each with its field', async (t) => {
  const cases: readonly [wire: object, field: string, message: RegExp][] = [
    [{ ...own, pay: 0.01 }, 'pay', /in quotes/],
    [{ ...own, pay: '0.000000001' }, 'pay', /at most 8 digits/],
    [{ ...own, pay: { perUnit: '1' } }, 'pay.most', /./],
    [{ ...own, pay: { perUnit: 1, most: '1' } }, 'pay.perUnit', /in quotes/],
    [{ ...own, when: {} }, 'when', /'sensor'.*or 'every'/],
    [{ ...own, when: { device } }, 'when', /'sensor'/],
    [{ ...own, when: { sensor: 'soil', above: 1, below: 2 } }, 'when.below', /one of/],
    [{ ...own, when: { sensor: 'soil', hysteresis: 1 } }, 'when.hysteresis', /'rises' or 'falls'/],
    [{ ...own, when: { sensor: 'soil', rises: 1, hysteresis: -1 } }, 'when.hysteresis', /0 or more/],
    [{ ...own, when: { sensor: 'soil', changesBy: 0 } }, 'when.changesBy', /more than 0/],
    [{ ...own, when: { sensor: 'soil', above: 1e-13 } }, 'when.above', /12 digits/],
    [{ ...own, when: { sensor: 'soil', every: { minutes: 5 } } }, 'when.every', /alone/],
    [{ ...own, when: { every: { minutes: 5 }, above: 1 } }, 'when.above', /beside 'every'/],
    [{ ...own, when: { every: { minutes: 0 } } }, 'when.every.minutes', /./],
    [{ ...own, when: { every: { minutes: 5 } }, pay: { perUnit: '1', most: '1' } }, 'pay', /no value/],
    [{ ...own, confirmations: 2 }, 'confirmations', /only with 'when.device'/],
    [{ when: own.when, pay: '1', for: 'water' }, 'to', /nobody/],
    [{ when: own.when, pay: '1', to: device }, 'for', /what is bought/],
    [{ ...own, for: '' }, 'for', /some text/],
    [{ ...own, for: 'x'.repeat(64) }, 'for', /63 bytes/],
    [{ ...own, for: 'on demand' }, 'for', /other first words/],
    [{ ...own, for: 'sold' }, 'for', /other first words/],
    [{ ...own, to: { device, minutes: 1 } }, 'to', /one of 'output' and 'topic'/],
    [{ ...own, to: { ...lamp, topic: 'soil' } }, 'to', /one of 'output' and 'topic'/],
    [{ ...own, to: { device, topic: 'x'.repeat(32), minutes: 1 } }, 'to.topic', /at most \d+ characters/],
    [{ ...own, to: { ...lamp, minutes: 0 } }, 'to.minutes', /./],
    [{ ...own, balanceMin: 3 }, 'balanceMin', /in quotes/],
  ]
  for (const [wire, field, message] of cases) {
    const { error } = wiresConfig.safeParse([wire])
    const issues = error?.issues.flatMap((issue) =>
      issue.code === 'invalid_union'
        ? issue.errors.flat().map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
        : [issue],
    )
    const found = issues?.find(({ path }) => path.slice(1).join('.') === field)
    t.match(found?.message, message, `${field}: ${JSON.stringify(issues)}`)
  }
})

t.test('two wires with one purchase are refused, since no memo tells them apart', async (t) => {
  const twice = (one: object, other: object) =>
    wiresConfig.safeParse([one, other]).error?.issues.map(({ path }) => path.join('.'))
  t.strictSame(twice(own, { ...own, when: { every: { minutes: 1 } } }), ['1'])
  t.strictSame(twice({ ...own, to: lamp }, { ...own, to: { ...lamp, minutes: 5 } }), ['1'])
  t.strictSame(twice({ ...own, to: lamp }, { ...own, to: { ...lamp, output: 'fan' } }), undefined)
})

t.test('mistakes in a file name their line', async (t) => {
  const file = join(temporary(t), 'agent.yaml')
  writeFileSync(
    file,
    `name: pump
broker: { url: mqtt://127.0.0.1 }
data: data
sensors:
  - { name: soil, driver: host, quantity: cpu-load }
wires:
  - when: { sensor: soil, fals: 20 }
    pay: "1"
    to: ${device}
    for: water
  - when:
      sensor: soil
      falls: 20
      hysteresis: -2
    pay: 0.5
    to: { device: ${device}, output: lamp, minuts: 2 }
  - when: { every: { minutes: 1.5 } }
    pay: { perUnit: 0.01, most: "1" }
    to: ${device}
    for: rent
`,
  )
  let said = ''
  try {
    loadConfig(file, agentConfig)
  } catch (error) {
    said = String(error)
  }
  t.match(said, /:7:27 wires\[0\]\.when\.fals: unknown key\. Did you mean 'falls'\?/)
  t.match(said, /:14:7 wires\[1\]\.when\.hysteresis: expected 0 or more, got -2/)
  t.match(said, /:15:5 wires\[1\]\.pay: .*in quotes.*got 0\.5/)
  t.match(said, /:16:\d+ wires\[1\]\.to\.minuts: unknown key\. Did you mean 'minutes'\?/)
  t.match(said, /:17:22 wires\[2\]\.when\.every\.minutes: expected a whole number, got 1\.5/)
  t.match(said, /:18:12 wires\[2\]\.pay\.perUnit: expected text, got 0\.01\. Put it in quotes/)
})

t.test('so do those between fields, between wires, and with the sensors of the agent', async (t) => {
  const said = (wires: string): string => {
    const file = join(temporary(t), 'agent.yaml')
    const head = 'name: pump\nbroker: { url: mqtt://127.0.0.1 }\ndata: data\nwires:\n'
    writeFileSync(file, head + wires)
    try {
      loadConfig(file, agentConfig)
      return 'nothing'
    } catch (error) {
      return String(error)
    }
  }
  const rent = `  - when: { every: { minutes: 5 } }\n    to: ${device}\n    pay: "1"\n    for: rent\n`
  t.equal(said(rent), 'nothing')
  t.match(said(`${rent}    confirmations: 2\n`), /:9:5 wires\[0\]\.confirmations: expected it only with/)
  t.match(said(rent + rent), /:9:5 wires\[1\]: expected each pair of 'to' and 'for'/)
  t.match(
    said(rent.replace('every: { minutes: 5 }', 'sensor: soil, rises: 3')),
    /:5:13 wires\[0\]\.when\.sensor: expected a sensor of this agent.*got "soil"/,
  )
})

t.test('a memo leads back to its purchase', async (t) => {
  const wire = read({ ...own, for: 'water the 12 plants' })
  const item = read({ ...own, to: { ...lamp, output: '1234567890abcdef' } })
  t.ok(wire && item)
  if (wire === undefined || item === undefined) return
  for (const tail of ['0123456789abcdef', '7', '9007199254740991', '2026-01-01T00:00'])
    t.equal(purchaseIn({ to: alice.account, memo: `water the 12 plants ${tail}` }), purchaseOf(wire), tail)
  t.equal(purchaseIn({ to: alice.account, memo: 'on 1234567890abcdef' }), purchaseOf(item))
  t.not(purchaseIn({ to: alice.account, memo: 'water the 12' }), purchaseOf(wire))
})
