import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { configure, given } from '../../cli/configure.ts'
import { agentConfig } from '../../edge-agent/config.ts'
import { brokerConfig, carrierConfig, validatorConfig } from '../../schemas/config.ts'
import { alice, bob } from '../helpers/ledger.ts'
import { temporary } from '../helpers/processes.ts'

const URL_IN_FILE = 'mqtt://10.0.0.1:1883'

/** A file in a directory of its own, away from where the test runs. */
function written(t: Test, ...lines: string[]) {
  const directory = join(temporary(t), 'site')
  mkdirSync(directory)
  const file = join(directory, 'config.yaml')
  writeFileSync(file, `${lines.join('\n')}\n`)
  return { directory, file }
}
const least = ['name: pump', 'data: pump-data', 'broker:', `  url: ${URL_IN_FILE}`]
const failure = (run: () => unknown): string => {
  try {
    run()
    return 'nothing is wrong'
  } catch (error) {
    t.match(error, { code: 'config' })
    return error instanceof Error ? error.message : String(error)
  }
}

t.test('options win over the file, which wins over the defaults', async (t) => {
  const { file } = written(t, 'mqttPort: 1999', 'wsPort: 9999', `validators: ["${alice.account}"]`)
  t.strictSame(configure(brokerConfig, file, given({ mqttPort: 1, host: undefined })), {
    host: '0.0.0.0',
    mqttPort: 1,
    wsPort: 9999,
    httpPort: 8080,
    validators: [alice.account],
  })
  t.match(configure(brokerConfig, file, { validators: [bob.account] }), { validators: [bob.account] })
})

t.test('an option that was not given does not hide what the file says', async (t) => {
  t.strictSame(given({ a: undefined, b: 0, c: false, d: '', e: null }), { b: 0, c: false, d: '', e: null })
  const { file } = written(t, ...least, 'httpPort: 8081')
  t.match(configure(validatorConfig, file, given({ name: undefined, httpPort: undefined })), {
    name: 'pump',
    httpPort: 8081,
  })
})

t.test('paths in a file are beside that file, wherever the program was started', async (t) => {
  const { file, directory } = written(
    t,
    'name: pump',
    'data: pump-data',
    'genesis: ../genesis.json',
    'broker:',
    '  url: mqtts://10.0.0.1',
    '  caFile: ca.pem',
    '  passwordFile: /etc/secret',
    'sensors:',
    '  - { name: soil, driver: script, file: soil.txt, unit: "%" }',
    '  - { name: cpu, driver: host, quantity: cpu-load }',
  )
  const { sensors, ...config } = configure(agentConfig, file, {})
  t.match(config, {
    data: join(directory, 'pump-data'),
    genesis: join(directory, '..', 'genesis.json'),
    broker: {
      url: 'mqtts://10.0.0.1',
      caFile: join(directory, 'ca.pem'),
      passwordFile: '/etc/secret',
    },
  })
  t.match(sensors, [{ driver: 'script', file: join(directory, 'soil.txt') }, { driver: 'host' }])
  t.notOk(Object.hasOwn(sensors[1] ?? {}, 'file'))
})

t.test("a carrier's paths of both sites are relative to the file, too", async (t) => {
  const { file, directory } = written(
    t,
    'data: carrier',
    'genesis: home.json',
    'broker: { url: "mqtt://10.0.0.1" }',
    'otherGenesis: barn.json',
    'otherBroker: { url: "mqtts://10.0.0.2", caFile: ca.pem }',
  )
  t.strictSame(configure(carrierConfig, file, {}), {
    name: 'carrier',
    data: join(directory, 'carrier'),
    genesis: join(directory, 'home.json'),
    broker: { url: 'mqtt://10.0.0.1' },
    otherGenesis: join(directory, 'barn.json'),
    otherBroker: { url: 'mqtts://10.0.0.2', caFile: join(directory, 'ca.pem') },
  })
})

t.test('a path that the file does not have stays away', async (t) => {
  const { file, directory } = written(t, ...least)
  const config = configure(validatorConfig, file, {})
  t.strictSame(config, {
    name: 'pump',
    data: join(directory, 'pump-data'),
    broker: { url: URL_IN_FILE },
    host: '127.0.0.1',
    httpPort: null,
    storage: { keep: 'all', megabytesMax: 512 },
  })
})

t.test('a trusted block is a height above 0 and a hash', (t) => {
  const hash = 'ab'.repeat(32)
  const trusted = (text: string) =>
    configure(validatorConfig, written(t, ...least, `trusted: ${text}`).file, {})
  t.match(trusted(`{ height: 5120, hash: ${hash} }`), { trusted: { height: 5120, hash } })
  for (const [text, message] of [
    [`{ height: 0, hash: ${hash} }`, /trusted\.height/],
    ['{ height: 5120, hash: abcd }', /trusted\.hash/],
    ['{ height: 5120 }', /trusted\.hash: missing/],
  ] as const)
    t.match(
      failure(() => trusted(text)),
      message,
    )
  t.end()
})

t.test('paths in options are relative to where the user stands', async (t) => {
  const options = { data: 'here', genesis: './genesis.json' }
  const { file } = written(t, ...least, 'genesis: there.json')
  t.match(configure(validatorConfig, file, options), options)
  t.match(configure(validatorConfig, undefined, { ...options, broker: { url: URL_IN_FILE } }), options)
})

t.test('options alone are enough, and the defaults fill in', async (t) => {
  t.strictSame(configure(validatorConfig, undefined, { data: 'v3', broker: { url: URL_IN_FILE } }), {
    name: 'validator',
    data: 'v3',
    broker: { url: URL_IN_FILE },
    host: '127.0.0.1',
    httpPort: null,
    storage: { keep: 'all', megabytesMax: 512 },
  })
})

t.test('without a file what is missing is named, and where it can be given', async (t) => {
  const message = failure(() => configure(validatorConfig, undefined, { name: 'v3' }))
  t.match(message, /^broker: missing/m)
  t.match(message, /^data: missing/m)
  t.match(message, '\ngive the missing options, or a file with --config')
  t.match(
    failure(() => configure(brokerConfig, undefined, {})),
    /^validators: missing/,
  )
})

t.test('with a file what is missing is named with the file', async (t) => {
  const { file } = written(t, ...least.slice(0, 1), ...least.slice(2))
  const message = failure(() => configure(agentConfig, file, {}))
  t.match(message, /data: missing/)
  t.ok(message.includes(file), 'and the file is named')
  t.match(
    failure(() => configure(agentConfig, `${file}.no`, {})),
    /config\.yaml\.no/,
  )
})

t.test('an option that cannot be is refused, with a file as without', async (t) => {
  const { file } = written(t, ...least)
  const broker = written(t, `validators: ["${alice.account}"]`)
  for (const validators of [['nonsense'], Array.from({ length: 65 }, () => alice.account)]) {
    t.match(
      failure(() => configure(brokerConfig, broker.file, { validators })),
      /^validators/,
    )
    t.match(
      failure(() => configure(brokerConfig, undefined, { validators })),
      /^validators/,
    )
  }
  t.match(
    failure(() => configure(validatorConfig, file, { name: '' })),
    /^name/,
  )
  t.match(
    failure(() => configure(agentConfig, file, { broker: { url: 'http://10.0.0.1' } })),
    /^broker\.url/,
  )
})
