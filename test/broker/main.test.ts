import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { type BrokerPorts, runBroker } from '../../broker/main.ts'
import { createLog } from '../../node/log.ts'
import { bound } from '../helpers/bound.ts'
import { HOST, join } from './running-broker.ts'

const log = createLog({ name: 'broker', format: 'text', level: 'error', write: () => {}, now: () => 0 })
const config = { host: HOST, mqttPort: 0, wsPort: 0, httpPort: 0, validators: [] }

t.test('runs with health and metrics until the signal, then nothing listens', async (t) => {
  const abort = new AbortController()
  let done: Promise<void> = Promise.resolve()
  const ports = await new Promise<BrokerPorts>((resolve, reject) => {
    done = runBroker(config, { log, signal: abort.signal, onReady: resolve })
    done.catch(reject)
  })
  await join(t, ports)
  const health = await fetch(`http://${HOST}:${ports.httpPort}/healthz`)
  t.equal(health.status, 200)
  t.match(await health.json(), { ok: true, clients: 1 })
  const metrics = await fetch(`http://${HOST}:${ports.httpPort}/metrics`)
  t.match(await metrics.text(), 'pinledger_broker_clients 1')
  const start = performance.now()
  abort.abort()
  await done
  t.ok(
    performance.now() - start < bound(1_500),
    'it does not wait for the connection that fetch keeps for four seconds',
  )
  await t.rejects(fetch(`http://${HOST}:${ports.httpPort}/healthz`))
  await t.rejects(join(t, ports))
})

t.test('without HTTP, and not at all when already aborted', async (t) => {
  const abort = new AbortController()
  let seen: BrokerPorts | undefined
  const onReady = (ports: BrokerPorts) => {
    seen = ports
    abort.abort()
  }
  await runBroker({ ...config, httpPort: null }, { log, signal: abort.signal, onReady })
  t.equal(seen?.httpPort, null)
  await runBroker(config, { log, signal: abort.signal, onReady: () => t.fail('started') })
})

t.test('a taken HTTP port leaves nothing running', async (t) => {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const httpPort = typeof address === 'object' ? (address?.port ?? 0) : 0
  const signal = new AbortController().signal
  await t.rejects(runBroker({ ...config, httpPort }, { log, signal }), { code: 'port-in-use' })
})
