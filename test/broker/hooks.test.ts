import t from 'tap'
import { signatures } from '../../node/signing.ts'
import { topic } from '../../schemas/topic.ts'
import {
  CONNECT,
  challengeOf,
  connectAs,
  join,
  login,
  loginOptions,
  NETWORK,
  next,
  raw,
  signerOf,
  startBroker,
  until,
} from './running-broker.ts'

const pump = signerOf(1)
const probe = signerOf(2)
const judge = signerOf(3)
const txOf = (account: string) => topic(NETWORK, 'tx', account)

t.test('an anonymous client reads but cannot publish', async (t) => {
  const broker = await startBroker(t)
  const person = await join(t, broker)
  const heard: string[] = []
  person.on('message', (name) => heard.push(name))
  await person.subscribeAsync('#')
  const device = await login(t, broker, pump)
  await device.publishAsync(txOf(pump.account), 'x', { qos: 1 })
  await until(t, 'the message arrives', () => heard.includes(txOf(pump.account)))
  const closed = next(person, 'close')
  person.publish(txOf(pump.account), 'forged')
  await closed
  t.ok(broker.refused('anonymous-publish'))
})

t.test('a device cannot publish under another name, or as a validator', async (t) => {
  const broker = await startBroker(t, { validators: [judge.account] })
  for (const [index, [name, reason]] of [
    [txOf(probe.account), 'foreign-name'],
    [topic(NETWORK, 'tip', pump.account), 'validators-only'],
    ['pinledger/challenge', 'unknown-topic'],
    ['$SYS/x', 'unknown-topic'],
  ].entries()) {
    const device = await login(t, broker, pump, { suffix: `-${index}` })
    const closed = next(device, 'close')
    device.publish(name ?? '', 'x')
    await closed
    t.ok(broker.refused(reason ?? ''), `${name} is refused: ${reason}`)
  }
  const validator = await login(t, broker, judge)
  await validator.publishAsync(topic(NETWORK, 'tip', judge.account), 'x', { qos: 1, retain: true })
  t.equal(validator.connected, true, 'a validator publishes its tip')
})

t.test('a device cannot publish a retained event', async (t) => {
  const broker = await startBroker(t)
  const device = await login(t, broker, pump)
  await device.publishAsync(topic(NETWORK, 'status', pump.account), 'here', { qos: 1, retain: true })
  const before = broker.broker.stats().retained
  const closed = next(device, 'close')
  device.publish(txOf(pump.account), 'x', { retain: true })
  await closed
  t.ok(broker.refused('retained-event'))
  t.equal(broker.broker.stats().retained, before)
})

t.test('a recorded password is refused the second time', async (t) => {
  const broker = await startBroker(t)
  const credentials = loginOptions(pump, await challengeOf(t, broker))
  const device = await join(t, broker, credentials)
  await t.rejects(join(t, broker, credentials), { code: 4 })
  t.ok(broker.refused('replayed-login'))
  t.equal(device.connected, true, 'and does not take the session over')
  t.notOk(JSON.stringify(broker.lines).includes(credentials.password), 'no password is logged')
})

t.test('a login with a wrong key, name, client id or no password is refused', async (t) => {
  const broker = await startBroker(t)
  const challenge = await challengeOf(t, broker)
  const good = loginOptions(pump, challenge)
  const { password, ...without } = good
  const cases = [
    [{ ...good, password: loginOptions(probe, challenge).password }, 4, 'wrong-signature'],
    [{ ...good, username: 'pump' }, 4, 'bad-user-name'],
    [{ ...good, username: '' }, 4, 'bad-user-name'],
    [{ ...good, clientId: probe.account }, 2, 'foreign-client-id'],
    [without, 4, 'bad-password'],
    [{ clientId: pump.account }, 2, 'foreign-client-id'],
  ] as const
  for (const [options, code, reason] of cases) {
    await t.rejects(join(t, broker, options), { code }, reason)
    t.ok(broker.refused(reason), reason)
  }
  t.equal(password.length, 128)
})

t.test('authorizePublish keeps the order of messages', async (t) => {
  const broker = await startBroker(t)
  const person = await join(t, broker)
  const heard: number[] = []
  person.on('message', (_topic, payload) => heard.push(Number(payload)))
  await person.subscribeAsync('pinledger/#', { qos: 1 })
  heard.length = 0
  const device = await login(t, broker, pump)
  const count = 1000
  const wanted = Array.from({ length: count }, (_, index) => index)
  for (const index of wanted) device.publish(txOf(pump.account), String(index), { qos: 1 })
  await until(t, 'all arrive', () => heard.filter((value) => !Number.isNaN(value)).length >= count)
  t.same(
    heard.filter((value) => value < count),
    wanted,
  )
})

t.test('a throwing hook costs only that client', async (t) => {
  const broker = await startBroker(t, {
    modules: {
      signatures: {
        isAccount: (account) => signatures.isAccount(account),
        verify(...args) {
          if (args[2] === probe.account) throw new Error('broken on purpose')
          return signatures.verify(...args)
        },
      },
    },
  })
  const person = await join(t, broker)
  await t.rejects(login(t, broker, probe), { code: 3 })
  t.ok(broker.lines.some(({ event, fields }) => event === 'hook failed' && fields.hook === 'authenticate'))
  t.equal(person.connected, true)
  await login(t, broker, pump)
  t.pass('others still log in')
})

t.test('malformed and system filters are refused with 0x80, the rest of the SUBSCRIBE works', async (t) => {
  const broker = await startBroker(t)
  const person = await raw(t, broker)
  const filters = [
    'a+',
    '#/x',
    '$SYS/#',
    '$SYS/+/new/clients',
    '+',
    'pinledger/#',
    'a#',
    '+a/b',
    '/'.repeat(20),
  ]
  person.send(CONNECT, {
    cmd: 'subscribe',
    messageId: 7,
    subscriptions: filters.map((filter) => ({ topic: filter, qos: 0 as const })),
  })
  await until(t, 'SUBACK comes', () => person.packets.some(({ cmd }) => cmd === 'suback'))
  const suback = person.packets.find(({ cmd }) => cmd === 'suback')
  const refused = 128
  t.match(suback, { granted: [refused, refused, refused, refused, 0, 0] })
  t.ok(broker.refused('system-topic'))
  person.send({ cmd: 'unsubscribe', messageId: 8, unsubscriptions: ['a+', '#/x'] }, { cmd: 'pingreq' })
  await until(t, 'and the client stays', () => person.packets.some(({ cmd }) => cmd === 'pingresp'))
})

t.test('# shows no $SYS topic', async (t) => {
  const broker = await startBroker(t)
  const person = await join(t, broker)
  const heard: string[] = []
  person.on('message', (name) => heard.push(name))
  await person.subscribeAsync(['#', '+/#', '+/+/new/clients'])
  const device = await login(t, broker, pump)
  await device.publishAsync(txOf(pump.account), 'x', { qos: 1 })
  await until(t, 'a message arrives', () => heard.includes(txOf(pump.account)))
  t.same(
    heard.filter((name) => name.startsWith('$')),
    [],
  )
})

t.test('a refused filter of a persistent session delivers nothing later', async (t) => {
  const broker = await startBroker(t, { limits: { challengeUsedMs: 0 } })
  const device = await login(t, broker, pump, { clean: false })
  const first = await challengeOf(t, broker)
  await device.subscribeAsync(['$SYS/#', txOf(probe.account)], { qos: 1 }).catch(() => {})
  await device.endAsync()
  const other = await login(t, broker, probe)
  await other.publishAsync(txOf(probe.account), 'queued', { qos: 1 })
  await until(t, 'the message waits', () => broker.broker.stats().queuedBytes > 0)
  let challenge = first
  while (challenge === first) challenge = await challengeOf(t, broker)
  const again = await raw(t, broker)
  again.send({ ...connectAs(pump, challenge), clean: false })
  const published = () => again.packets.filter(({ cmd }) => cmd === 'publish')
  await until(t, 'the queue is delivered', () => published().length > 0)
  t.match(again.packets[0], { cmd: 'connack', sessionPresent: true })
  t.match(published(), [{ topic: txOf(probe.account), messageId: Number }])
  const [message] = published()
  again.send({ cmd: 'puback', messageId: message?.messageId ?? 0 })
  await until(t, 'an acknowledged message is forgotten', () => broker.broker.stats().queuedBytes === 0)
})

t.test('an anonymous session never outlives its connection', async (t) => {
  const broker = await startBroker(t)
  const person = await join(t, broker, { clean: false, clientId: 'visitor' })
  await person.subscribeAsync('pinledger/#', { qos: 1 })
  await person.endAsync()
  t.equal(broker.broker.stats().sessions, 0)
  const again = await raw(t, broker)
  again.send({ ...CONNECT, clientId: 'visitor', clean: false })
  await until(t, 'CONNACK comes', () => again.packets.length > 0)
  t.match(again.packets[0], { cmd: 'connack', returnCode: 0, sessionPresent: false })
})

t.test('an account has only so many persistent sessions, a further one starts clean', async (t) => {
  const broker = await startBroker(t, { limits: { sessionsPerAccountMax: 2 } })
  for (const index of [1, 2, 3]) await login(t, broker, pump, { clean: false, suffix: `-${index}` })
  t.equal(broker.broker.stats().sessions, 2)
})

t.test('a last will obeys the rules of publishing', async (t) => {
  const broker = await startBroker(t)
  const payload = Buffer.from('gone')
  const will = (name: string, retain: boolean) => ({
    will: { topic: name, payload, qos: 1 as const, retain },
  })
  const status = topic(NETWORK, 'status', pump.account)
  await t.rejects(join(t, broker, will(status, true)), { code: 5 }, 'nobody')
  await t.rejects(
    login(t, broker, pump, { suffix: '-1', ...will(topic(NETWORK, 'status', probe.account), true) }),
    {
      code: 5,
    },
  )
  await t.rejects(login(t, broker, pump, { suffix: '-2', ...will(txOf(pump.account), true) }), { code: 5 })
  t.ok(broker.refused('will-anonymous-publish'))
  t.ok(broker.refused('will-foreign-name'))
  t.ok(broker.refused('will-retained-event'))
  const person = await join(t, broker)
  const heard: string[] = []
  person.on('message', (name) => heard.push(name))
  await person.subscribeAsync(status)
  const device = await login(t, broker, pump, { suffix: '-3', ...will(status, true) })
  device.stream.destroy()
  await until(t, "a device's own will is published", () => heard.includes(status))
})

t.test('nobody takes the client id of a client elsewhere, or of an account', async (t) => {
  const broker = await startBroker(t)
  const person = await join(t, broker, { clientId: 'watcher' })
  const elsewhere = await raw(t, broker, '127.0.0.2')
  elsewhere.send({ ...CONNECT, clientId: 'watcher' })
  await until(t, 'CONNACK comes', () => elsewhere.packets.length > 0)
  t.match(elsewhere.packets[0], { returnCode: 2 })
  t.ok(broker.refused('client-id-in-use'))
  t.equal(person.connected, true)
  const closed = next(person, 'close')
  await join(t, broker, { clientId: 'watcher' })
  await closed
  t.pass('from the same address a client comes back under its name')
})

t.test('keepalive 0 and an endless one are refused', async (t) => {
  const broker = await startBroker(t)
  await t.rejects(join(t, broker, { keepalive: 0 }))
  await t.rejects(join(t, broker, { keepalive: 65_535 }))
  t.ok(broker.refused('keepalive-limit'))
})

t.test('filters per client and subscriptions per minute are bounded', async (t) => {
  const broker = await startBroker(t, { limits: { filtersMax: 3, subscribesPerMinuteMax: 6 } })
  const person = await raw(t, broker)
  const subscribe = (messageId: number, ...names: string[]) =>
    person.send({
      cmd: 'subscribe',
      messageId,
      subscriptions: names.map((name) => ({ topic: name, qos: 0 as const })),
    })
  person.send(CONNECT)
  subscribe(1, 'a', 'b', 'c', 'd')
  await until(t, 'SUBACK comes', () => person.packets.length === 2)
  t.match(person.packets[1], { granted: [0, 0, 0, 128] })
  person.send({ cmd: 'unsubscribe', messageId: 2, unsubscriptions: ['a'] })
  await until(t, 'UNSUBACK comes', () => person.packets.length === 3)
  subscribe(3, 'e', 'b', 'c')
  await until(t, 'SUBACK comes', () => person.packets.length === 4)
  t.match(person.packets[3], { granted: [0, 0, 128] })
  t.ok(broker.refused('too-many-filters'))
  t.ok(broker.refused('subscribe-rate'))
})

t.test('retained messages are bounded for one device and for all devices', async (t) => {
  const broker = await startBroker(t, {
    limits: { retainedPerDeviceMax: 2, retainedDevicesBytesMax: 1500 },
  })
  const before = broker.broker.stats().retained
  const sensor = (account: string, name: string) => topic(NETWORK, 'sensor', account, name)
  const device = await login(t, broker, pump)
  await device.publishAsync(sensor(pump.account, 'a'), 'x', { qos: 1, retain: true })
  await device.publishAsync(sensor(pump.account, 'b'), 'x', { qos: 1, retain: true })
  const closed = next(device, 'close')
  device.publish(sensor(pump.account, 'c'), 'x', { retain: true })
  await closed
  t.ok(broker.refused('retained-quota'))
  t.equal(broker.broker.stats().retained, before + 2)
  const other = await login(t, broker, probe)
  const person = await join(t, broker)
  const heard: string[] = []
  person.on('message', (name) => heard.push(name))
  await person.subscribeAsync(sensor(probe.account, '+'))
  await other.publishAsync(sensor(probe.account, 'a'), 'x'.repeat(900), { qos: 1, retain: true })
  await until(t, 'where others filled the room a message goes out live', () => heard.length === 1)
  t.equal(broker.broker.stats().retained, before + 2)
  t.ok(broker.refused('retained-full'))
})

t.test('the queue of an absent client is bounded', async (t) => {
  const broker = await startBroker(t, { limits: { queueMessagesMax: 5 } })
  const absent = await login(t, broker, probe, { clean: false, suffix: '-away' })
  await absent.subscribeAsync(txOf(pump.account), { qos: 1 })
  await absent.endAsync()
  const device = await login(t, broker, pump)
  for (let index = 0; index < 50; index++) await device.publishAsync(txOf(pump.account), 'x', { qos: 1 })
  t.ok(broker.broker.stats().queuedBytes <= 5 * 512)
  t.ok(broker.broker.stats().queuedBytes > 0)
})

t.test('QoS 2 messages that nobody releases are bounded', async (t) => {
  const broker = await startBroker(t, { limits: { inflightMax: 10 } })
  const device = await raw(t, broker)
  device.send(connectAs(pump, await challengeOf(t, broker)))
  await until(t, 'CONNACK comes', () => device.packets.length === 1)
  for (let messageId = 1; messageId <= 11; messageId++)
    device.send({
      cmd: 'publish',
      topic: txOf(pump.account),
      payload: 'x',
      qos: 2,
      messageId,
      dup: false,
      retain: false,
    })
  await device.closed
  t.pass('the eleventh ends the connection')
})
