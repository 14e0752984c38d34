/** The program as a person meets it: configuration, keys, ports and exit codes; what it says of usage is in command-line.test.ts. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { networkOf } from '../../node/chain-store.ts'
import { openDataDir } from '../../node/data-dir.ts'
import { readGenesis, writeGenesis } from '../../node/genesis-file.ts'
import { createKey } from '../../node/key-file.ts'
import { testGenesis } from '../helpers/ledger.ts'
import { pinledger, run, temporary } from '../helpers/processes.ts'
import { foundQuickNetwork } from '../helpers/quick-network.ts'

const ACCOUNT = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'

// They start programs, and wait for them: a few at a time.
t.jobs = 3
const BESIDE = { buffered: true }

/** These wait for ten seconds: they run beside everything else. */
const unreachable = (async () => {
  const key = join(temporary(t), 'key.json')
  createKey(key)
  const nobody = ['--broker', 'mqtt://127.0.0.1:1']
  const pay = ['pay', '--key', key, '--to', ACCOUNT, '--amount', '1', ...nobody]
  return Promise.all([pay, ['account', ACCOUNT, ...nobody], ['watch', ...nobody]].map((args) => run(t, args)))
})()

t.test('the program answers with exit codes, help on stdout and complaints on stderr', BESIDE, async (t) => {
  const lines = [
    ['--help'],
    ['keygen', '--help'],
    ['pya'],
    ['up', '--dat', 'x'],
    ['agent', '--config', '/nonexistent.yaml'],
  ]
  const [top, help, ...wrong] = await Promise.all(lines.map((args) => run(t, args)))
  t.match(top, { code: 0, err: '', out: /^ {2}keygen /m })
  t.match(help, { code: 0, err: '', out: /\$ pinledger keygen/ })
  t.match(wrong, [
    { code: 2, out: '', err: /Did you mean pay\?/ },
    { code: 2, out: '', err: /Did you mean --data\?/ },
    { code: 2, out: '', err: /there is no config file .*Make one/ },
  ])
})

t.test('configuration errors name file, line, field and remedy', BESIDE, async (t) => {
  const file = join(temporary(t), 'agent.yaml')
  writeFileSync(
    file,
    `name: pump
broker:
  url: tcp://10.0.0.1
data: x
sensors:
  - name: cpu
    driver: host
    quantity: cpu-load
    intervalSecond: 4
wires:
  - when: { device: ${ACCOUNT}, sensor: soil }
    pay: 0.5
    for: water
`,
  )
  const { code, err } = await run(t, ['agent', '--config', file])
  t.equal(code, 2)
  t.match(err, `${file}:3:`)
  t.match(err, /broker\.url: .*expected mqtt:\/\//)
  t.match(err, `${file}:9:`)
  t.match(err, /intervalSecond: .*Did you mean 'intervalSeconds'/)
  t.match(err, `${file}:12:`)
  t.match(err, /wires\[0\]\.pay: .*in quotes/)
})

t.test('keygen makes a private key, prints the account, and never replaces a file', BESIDE, async (t) => {
  const file = join(temporary(t), 'visitor.json')
  const made = await run(t, ['keygen', file])
  t.equal(made.code, 0)
  t.match(made.out, /^[0-9a-f]{64}$/)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const bytes = readFileSync(file)
  const again = await run(t, ['keygen', file])
  t.equal(again.code, 3)
  t.match(again.err, 'is already there and is never replaced')
  t.ok(readFileSync(file).equals(bytes))
  t.equal((await run(t, ['keygen', '--show', file])).out, made.out)
  const shown = await run(t, ['keygen', '--show', '--json', file])
  t.strictSame(JSON.parse(shown.out), { account: made.out, file })
  const { secret } = JSON.parse(bytes.toString()) as { secret: string }
  t.notMatch(made.out + again.err + shown.out, secret, 'the secret is never printed')
  t.equal((await run(t, ['keygen', '--show', `${file}.none`])).code, 3)
})

t.test('keygen makes the directory of the key', BESIDE, async (t) => {
  const directory = join(temporary(t), 'validator')
  t.equal((await run(t, ['keygen', join(directory, 'key.json')])).code, 0)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  const { code, err } = await run(t, ['keygen', join(directory, 'key.json', 'key.json')])
  t.equal(code, 3)
  t.match(err, 'cannot create the directory of key file')
})

t.test('up ends with the reason when a part cannot start', BESIDE, async (t) => {
  const data = temporary(t)
  const { genesisFile } = foundQuickNetwork(data)
  mkdirSync(join(data, 'validator-2'), { recursive: true })
  writeFileSync(join(data, 'validator-2', 'chain.log'), 'no ledger')
  const { code, err } = await run(t, ['up', '--data', data, '--mqtt-port', '0'])
  t.equal(code, 3)
  t.match(err, /^cannot start the validator-2: .*chain\.log/m)
  t.notMatch(err, 'SIGTERM')

  rmSync(genesisFile)
  const lost = await run(t, ['up', '--data', data, '--mqtt-port', '0'])
  t.equal(lost.code, 2, 'a ledger without its genesis is not given a new one')
  t.match(lost.err, /genesis\.json is missing/)
})

t.test('what another program holds: exit code 3 and how to help', BESIDE, async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = String(typeof address === 'object' ? address?.port : 0)
  const broker = await run(t, ['broker', '--host', '127.0.0.1', '--mqtt-port', port, '--validator', ACCOUNT])
  t.equal(broker.code, 3, 'a port in use')
  t.match(broker.err, port)
  t.match(broker.err, /--mqtt-port|another port|stop/i)

  const data = temporary(t)
  const up = await run(t, ['up', '--data', data, '--mqtt-port', port, '--ws-port', '0', '--http-port', '0'])
  t.equal(up.code, 3, 'the port of pinledger up')
  t.match(up.err, port)

  const genesis = join(data, 'genesis-of-test.json')
  writeGenesis(genesis, testGenesis())
  const held = join(data, 'held')
  const dir = openDataDir(held)
  t.teardown(() => dir.close())
  const options = ['--genesis', genesis, '--broker', 'mqtt://127.0.0.1:1', '--duration', '5']
  const validator = await run(t, ['validator', '--data', held, ...options])
  t.equal(validator.code, 3, 'a data directory in use')
  t.match(validator.err, /is in use by process \d+: stop it first/)
  const second = await run(t, ['up', '--data', held, '--mqtt-port', '0'])
  t.equal(second.code, 3, 'the data directory of pinledger up')
  t.match(second.err, /is in use by process \d+/)
})

t.test('a broker that cannot be reached: it gives up, with exit code 3', BESIDE, async (t) => {
  for (const { code, err } of await unreachable) {
    t.equal(code, 3)
    t.match(err, 'cannot reach the broker at mqtt://127.0.0.1:1')
  }
})

t.test('genesis founds open and enrolled networks, and never replaces a file', BESIDE, async (t) => {
  const data = temporary(t)
  const [open, enrolled] = [join(data, 'open.json'), join(data, 'enrolled.json')]
  const founded = await run(t, ['genesis', '--preset', 'bench', '--name', 'home', '--out', open])
  t.equal(founded.code, 0, founded.err)
  t.match(founded.out, /founded network [0-9a-f]{8} \(home\).*open: everybody may mine.*What to do next/s)
  t.notMatch(founded.out, 'pinledger admit')
  const name = ['--name', 'lab', '--first-work', '5000']
  const rules = ['--authority', ACCOUNT, '--allocate', `${ACCOUNT}=1.5`, '--json']
  const made = await run(t, ['genesis', ...name, ...rules, '--out', enrolled])
  t.equal(made.code, 0, made.err)
  const facts = JSON.parse(made.out)
  const genesis = readGenesis(enrolled)
  const { genesisHash, id } = networkOf(genesis)
  t.match(facts, { id, hash: genesisHash, file: enrolled, firstWork: 5000, authorities: [ACCOUNT] })
  t.match(genesis, {
    name: 'lab',
    interval: 10_000,
    allocations: [{ account: ACCOUNT, amount: 150_000_000 }],
  })
  t.equal(genesis.activations.length, 12)
  const again = await run(t, ['genesis', ...name, '--out', open])
  t.equal(again.code, 2)
  t.match(again.err, 'never replaced')
  t.equal(readGenesis(open).name, 'home')
})

t.test('SIGTERM stops a program cleanly', BESIDE, async (t) => {
  const ports = ['--mqtt-port', '0', '--ws-port', '0', '--http-port', '0']
  const broker = pinledger(t, ['broker', '--host', '127.0.0.1', ...ports, '--validator', ACCOUNT])
  await broker.line('it listens', (line) => line.includes('listening'))
  broker.child.kill('SIGTERM')
  t.strictSame(await broker.ended, { code: 0, signal: null })
})
