import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { createBroker } from '../../broker/broker.ts'
import { WorldError } from '../../node/error.ts'
import { createLog } from '../../node/log.ts'
import { CHALLENGE_TOPIC, topic } from '../../schemas/topic.ts'
import { ALONE, bound } from '../helpers/bound.ts'
import { CONNECT, HOST, join, login, NETWORK, raw, signerOf, startBroker, until } from './running-broker.ts'

const pump = signerOf(1)
const silent = createLog({ name: 'broker', format: 'text', level: 'error', write: () => {}, now: () => 0 })

t.test('the challenge is retained, and renewed soon after somebody logged in with it', async (t) => {
  const broker = await startBroker(t, { limits: { challengeUsedMs: 0 } })
  const person = await join(t, broker)
  const seen: string[] = []
  person.on('message', (_topic, payload) => seen.push(String(payload)))
  await person.subscribeAsync(CHALLENGE_TOPIC)
  await login(t, broker, pump)
  await until(t, 'a second challenge comes', () => seen.length === 2)
  t.match(seen[0], /^[0-9a-f]{64}$/)
  t.not(seen[0], seen[1])
  await login(t, broker, pump)
  t.pass('the same client id logs in again')
})

t.test(
  'three clients that publish 100,000 messages and a stalled fourth do not end the broker',
  async (t) => {
    const broker = await startBroker(t, { limits: { outgoingBytesMax: 1 << 20 } })
    const stalled = await raw(t, broker)
    stalled.send(CONNECT, { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] })
    await until(t, 'it subscribes', () => stalled.packets.some(({ cmd }) => cmd === 'suback'))
    stalled.socket.pause()
    const reader = await raw(t, broker)
    let heard = 0
    let slowestMs = 0
    let last = 0
    reader.socket.on('data', (chunk) => {
      heard += chunk.length
      if (last > 0) slowestMs = Math.max(slowestMs, performance.now() - last)
      last = performance.now()
    })
    reader.send(
      { ...CONNECT, clientId: 'reader' },
      {
        cmd: 'subscribe',
        messageId: 1,
        subscriptions: [{ topic: '#', qos: 0 }],
      },
    )
    await until(t, 'the reader subscribes', () => reader.packets.some(({ cmd }) => cmd === 'suback'))
    const each = 33_334
    const payload = Buffer.alloc(16)
    const writers = await Promise.all([11, 12, 13].map((seed) => login(t, broker, signerOf(seed))))
    const tick = () => new Promise((resolve) => setImmediate(resolve))
    await Promise.all(
      writers.map(async (writer, index) => {
        const name = topic(NETWORK, 'tx', signerOf(11 + index).account)
        for (let count = 0; count < each; count++) {
          writer.publish(name, payload)
          if (count % 500 === 0) await tick()
        }
      }),
    )
    await until(t, 'every message is accepted', () => broker.broker.stats().messages >= 3 * each)
    await until(t, 'the reader has them all', () => heard >= 3 * each * 100)
    // On a machine so busy that this takes long, for the time that it has not read before for the bytes that wait.
    const cut = broker.refused('slow-reader') || (!ALONE && broker.refused('stalled-reader'))
    t.ok(cut, 'the stalled client is cut off')
    t.equal(broker.broker.stats().backlogBytes, 0, 'and what waited for it is gone')
    t.ok(
      slowestMs < bound(1_000),
      `the reader never waits long for the stalled one (${Math.round(slowestMs)} ms)`,
    )
  },
)

t.test('stop ends every connection, and a broker that could not start', async (t) => {
  const broker = await startBroker(t)
  const idle = await raw(t, broker)
  const person = await raw(t, broker)
  person.send(CONNECT)
  await until(t, 'CONNACK comes', () => person.packets.length > 0)
  await broker.broker.stop()
  await Promise.all([idle.closed, person.closed])
  t.equal(broker.broker.stats().connections, 0)
  await t.rejects(join(t, broker))
})

t.test('a taken port is a WorldError that names the port and the remedy', async (t) => {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const broker = createBroker({ host: HOST, mqttPort: port, wsPort: 0, validators: [] }, { log: silent })
  const error = await broker.start().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  await broker.stop()
  t.ok(error instanceof WorldError)
  t.match(error, { code: 'port-in-use', message: new RegExp(`port ${port} .* choose another`) })
})
