import t from 'tap'
import { agentConfig } from '../../edge-agent/config.ts'

const ACCOUNT = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
const OTHER = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
const SHARE = { account: ACCOUNT, percent: 50 }
const least = { name: 'pump', broker: { url: 'mqtt://10.0.0.1' }, data: '/var/lib/pinledger' }
const wire = { when: { device: ACCOUNT, sensor: 'soil' }, pay: '0.01', for: 'water' }
const cpu = { name: 'cpu', driver: 'host', quantity: 'cpu-load', intervalSeconds: 4 }

t.test('a name, a broker and a directory are enough; defaults are gentle', (t) => {
  t.match(agentConfig.parse(least), { mine: { threads: 1, duty: 0.25 }, sensors: [], wires: [] })
  t.end()
})

t.test('amounts are coins as text; an account is 64 digits; defaults of a wire', (t) => {
  const { wires } = agentConfig.parse({ ...least, wires: [wire] })
  t.match(wires, [
    { pay: { amount: 1_000_000 }, source: { confirmations: 1 }, limits: { perHourMax: 1_000 } },
  ])
  t.end()
})

t.test('the laboratory is off, and takes an owner', (t) => {
  t.match(agentConfig.parse(least), { clock: { lab: false, duty: 0.25 } })
  t.match(agentConfig.parse({ ...least, owner: ACCOUNT, clock: { lab: true } }), { clock: { lab: true } })
  t.end()
})

t.test('what cannot be is refused, each with its field', (t) => {
  const cases: readonly [config: object, field: string][] = [
    [{ ...least, wires: [{ ...wire, pay: 0.01 }] }, 'wires.0.pay'],
    [{ ...least, wires: [{ ...wire, pay: '0.000000001' }] }, 'wires.0.pay'],
    [{ ...least, wires: [{ ...wire, for: '' }] }, 'wires.0.for'],
    [{ ...least, wires: [{ ...wire, for: 'x'.repeat(64) }] }, 'wires.0.for'],
    [{ ...least, wires: [{ ...wire, for: 'ü'.repeat(32) }] }, 'wires.0.for'],
    [{ ...least, wires: [{ ...wire, for: 'a\u0007b' }] }, 'wires.0.for'],
    [{ ...least, wires: [wire, wire] }, 'wires.1'],
    [{ ...least, wires: [{ ...wire, confirmations: 0 }] }, 'wires.0.confirmations'],
    [{ ...least, wires: [{ ...wire, when: { device: 'me', sensor: 'soil' } }] }, 'wires.0.when.device'],
    [{ ...least, sensors: [cpu, cpu] }, 'sensors'],
    [{ ...least, sensors: [{ ...cpu, driver: 'psychic' }] }, 'sensors.0.driver'],
    [{ ...least, mine: { duty: 1.5 } }, 'mine.duty'],
    [{ ...least, mine: { threads: 0 } }, 'mine.threads'],
    [{ ...least, broker: { url: 'http://10.0.0.1' } }, 'broker.url'],
    [{ ...least, broker: { url: 'mqtt://user:secret@10.0.0.1' } }, 'broker.url'],
    [{ ...least, clock: { lab: true } }, 'clock.lab'],
    [{ ...least, owner: ACCOUNT, clock: { lab: true, duty: 0 } }, 'clock.duty'],
    [{ ...least, split: [{ account: 'me', percent: 1 }] }, 'split.0.account'],
    [{ ...least, split: [{ account: ACCOUNT, percent: 0 }] }, 'split.0.percent'],
    [{ ...least, split: [{ account: ACCOUNT, percent: 1.001 }] }, 'split.0.percent'],
    [{ ...least, split: [SHARE, SHARE] }, 'split'],
    [{ ...least, split: [SHARE, { account: OTHER, percent: 50.01 }] }, 'split'],
    [{ ...least, minne: {} }, ''],
    [{ name: 'pump' }, 'broker'],
  ]
  for (const [config, field] of cases) {
    const { error } = agentConfig.safeParse(config)
    t.equal(error?.issues[0]?.path.join('.'), field, JSON.stringify(config).slice(85, 160))
  }
  t.end()
})

t.test("a wire's longest purpose and the reading's id fit a memo", (t) => {
  t.ok(Buffer.byteLength(`${'x'.repeat(48)} ${'0'.repeat(16)}`) <= 80)
  t.end()
})
