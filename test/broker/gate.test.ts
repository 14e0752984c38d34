import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { connectAsync } from 'mqtt'
import { generate } from 'mqtt-packet'
import t from 'tap'
import { WebSocket } from 'ws'
import { LIMITS } from '../../broker/limits.ts'
import { topic } from '../../schemas/topic.ts'
import {
  CONNECT,
  challengeOf,
  connectAs,
  HOST,
  join,
  login,
  loginOptions,
  NETWORK,
  raw,
  signerOf,
  startBroker,
  until,
} from './running-broker.ts'

const pump = signerOf(1)
const TX = topic(NETWORK, 'tx', pump.account)
/** PUBLISH or CONNECT header that claims 256 MB - 1. */
const claim = (type: number) => Uint8Array.of(type << 4, 0xff, 0xff, 0xff, 0x7f)

t.test('a 256 MB length claim before CONNECT is refused at 4 KiB', async (t) => {
  const broker = await startBroker(t)
  const client = await raw(t, broker)
  client.send(claim(1))
  await client.closed
  t.ok(broker.refused('frame-too-large'))
  const just = await raw(t, broker)
  just.send(Uint8Array.of(0x10, 0xfe, 0x1f)) // 4094 bytes and 3 of header
  await just.closed
  t.equal(broker.broker.stats().refused.get('frame-too-large'), 2)
})

t.test('the same claim after a login is refused at once', async (t) => {
  const broker = await startBroker(t)
  const client = await raw(t, broker)
  client.send(connectAs(pump, await challengeOf(t, broker)))
  await until(t, 'CONNACK comes', () => client.packets.length > 0)
  client.send(claim(3))
  await client.closed
  t.ok(broker.refused('frame-too-large'))
})

t.test('somebody who may not publish may not send large frames either', async (t) => {
  const broker = await startBroker(t)
  const client = await raw(t, broker)
  client.send(CONNECT, {
    cmd: 'publish',
    topic: 'x',
    payload: Buffer.alloc(20_000),
    qos: 0,
    dup: false,
    retain: false,
  })
  await client.closed
  t.ok(broker.refused('frame-too-large'))
})

t.test('the largest message passes, over TCP in pieces and over WebSocket', async (t) => {
  const broker = await startBroker(t)
  const payload = Buffer.alloc(LIMITS.messageBytesMax - 512, 7)
  const person = await join(t, broker)
  const sizes: number[] = []
  person.on('message', (_topic, bytes) => sizes.push(bytes.length))
  await person.subscribeAsync(TX)
  const device = await login(t, broker, pump)
  await device.publishAsync(TX, payload, { qos: 1 })
  await until(t, 'it arrives', () => sizes.length === 1)
  const overWs = await connectAsync(
    `ws://${HOST}:${broker.wsPort}/mqtt`,
    { ...loginOptions(pump, await challengeOf(t, broker), '-ws'), reconnectPeriod: 0 },
    false,
  )
  t.teardown(() => overWs.endAsync(true))
  await overWs.publishAsync(TX, payload, { qos: 1 })
  await until(t, 'it arrives again', () => sizes.length === 2)
  t.same(sizes, [payload.length, payload.length])
})

t.test('an MQTT 5 client is told why it is refused', async (t) => {
  const broker = await startBroker(t)
  await t.rejects(join(t, broker, { protocolVersion: 5 }), { code: 0x84 })
  t.ok(broker.refused('mqtt-version'))
  const future = await raw(t, broker)
  future.send(Uint8Array.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 6, 2, 0, 60, 0, 0))
  await future.closed
  t.match(future.packets, [{ cmd: 'connack', returnCode: 1 }])
})

t.test('an empty client id needs a clean session', async (t) => {
  const broker = await startBroker(t)
  const bad = await raw(t, broker)
  // mqtt-packet refuses to write it
  bad.send(Uint8Array.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0, 0, 60, 0, 0))
  await bad.closed
  t.match(bad.packets, [{ cmd: 'connack', returnCode: 2 }])
  const good = await raw(t, broker)
  good.send({ ...CONNECT, clientId: '' })
  await until(t, 'CONNACK comes', () => good.packets.length > 0)
  t.match(good.packets, [{ cmd: 'connack', returnCode: 0 }])
})

t.test('garbage on hundreds of connections leaves the broker as it was', async (t) => {
  const broker = await startBroker(t)
  const person = await join(t, broker)
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 24
  }
  const good = [
    generate(CONNECT),
    generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/+', qos: 1 }] }),
    generate({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a/+'] }),
    generate({ cmd: 'pubrel', messageId: 3 }),
    generate({ cmd: 'puback', messageId: 3 }),
  ]
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.concat(good)
    // The first half says a good CONNECT, so that the rest is reached.
    const from = round < 150 ? (good[0]?.length ?? 0) : 0
    for (let count = 0; count < 3; count++) bytes[from + (random() % (bytes.length - from))] = random()
    const socket = connectSocket(broker.mqttPort, HOST)
    socket.on('error', () => {}) // a reset is one way of being refused
    socket.end(bytes)
    socket.resume()
    await once(socket, 'close')
  }
  t.equal(person.connected, true)
  await until(t, 'nothing stays behind', () => broker.broker.stats().connections === 1)
  t.equal(broker.broker.stats().backlogBytes, 0)
})

t.test('connections are bounded in total and for one address', async (t) => {
  const broker = await startBroker(t, { limits: { connectionsMax: 3, connectionsPerAddressMax: 2 } })
  const first = await raw(t, broker)
  await raw(t, broker)
  const third = await raw(t, broker)
  await third.closed
  t.ok(broker.refused('too-many-from-address'))
  await raw(t, broker, '127.0.0.2')
  const fifth = await raw(t, broker, '127.0.0.3')
  await fifth.closed
  t.ok(broker.refused('too-many-connections'))
  first.socket.destroy()
  await until(t, 'a slot is free again', () => broker.broker.stats().connections === 2)
  await join(t, broker)
})

t.test('a WebSocket that does not upgrade holds a slot and loses it in time', async (t) => {
  const broker = await startBroker(t, { limits: { connectMsMax: 100 } })
  const idle = await raw(t, { mqttPort: broker.wsPort })
  idle.send(Buffer.from('GET / HTTP/1.1\r\n'))
  await until(t, 'it counts', () => broker.broker.stats().connections === 1)
  await idle.closed
  await until(t, 'it is gone', () => broker.broker.stats().connections === 0)
})

t.test('a client that never sends CONNECT is closed', async (t) => {
  const broker = await startBroker(t, { limits: { connectMsMax: 50 } })
  const idle = await raw(t, broker)
  idle.send(Uint8Array.of(0x10))
  await idle.closed
  t.ok(broker.refused('connect-timeout'))
})

t.test('WebSocket: only the subprotocol mqtt, only binary, no oversized messages', async (t) => {
  const broker = await startBroker(t)
  const url = `ws://${HOST}:${broker.wsPort}`
  const plain = new WebSocket(url)
  const [error] = await once(plain, 'error')
  t.match(error, { message: /400/ })
  const text = new WebSocket(url, ['chat', 'mqtt'])
  await once(text, 'open')
  t.equal(text.protocol, 'mqtt')
  text.send('hello')
  await once(text, 'close')
  t.ok(broker.refused('websocket-text'))
  const large = new WebSocket(url, 'mqtt')
  await once(large, 'open')
  large.on('error', () => {}) // a reset is one way of being refused
  large.send(Buffer.alloc(LIMITS.messageBytesMax + 1))
  await once(large, 'close')
  t.ok(broker.refused('frame-too-large'))
  const response = await fetch(`http://${HOST}:${broker.wsPort}/`)
  t.equal(response.status, 426)
  await response.text()
})

t.test('a client that reads nothing is cut off in time even when little waits for it', async (t) => {
  const broker = await startBroker(t, { limits: { stallMsMax: 100 } })
  const stalled = await raw(t, broker)
  stalled.send(CONNECT, { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] })
  await until(t, 'it subscribes', () => stalled.packets.some(({ cmd }) => cmd === 'suback'))
  stalled.socket.pause()
  const device = await login(t, broker, pump)
  const payload = Buffer.alloc(1 << 20)
  // As much as both kernels' buffers take, and a little more.
  for (let count = 0; count < 12; count++) await device.publishAsync(TX, payload, { qos: 1 })
  await until(t, 'it is cut off', () => broker.refused('stalled-reader'))
  t.equal(broker.broker.stats().backlogBytes, 0)
})

t.test('all slow readers together are bounded: the one furthest behind goes', async (t) => {
  const broker = await startBroker(t, { limits: { outgoingTotalBytesMax: 1 << 20 } })
  const stalled = await raw(t, broker)
  stalled.send(CONNECT, { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 0 }] })
  await until(t, 'it subscribes', () => stalled.packets.some(({ cmd }) => cmd === 'suback'))
  stalled.socket.pause()
  const device = await login(t, broker, pump)
  for (let count = 0; count < 14; count++) await device.publishAsync(TX, Buffer.alloc(1 << 20), { qos: 1 })
  await until(t, 'it is cut off', () => broker.refused('readers-too-slow'))
})

t.test('incomplete frames of all clients together are bounded', async (t) => {
  const broker = await startBroker(t, { limits: { receivingBytesMax: 3000 } })
  const [first, second] = await Promise.all([raw(t, broker), raw(t, broker)])
  const part = Buffer.concat([Uint8Array.of(0x10, 0xf0, 0x1f), Buffer.alloc(2000)])
  first.send(part)
  second.send(part)
  await Promise.race([first.closed, second.closed])
  t.equal(broker.broker.stats().refused.get('receive-budget'), 1)
})
