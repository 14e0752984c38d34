import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuthenticateError } from 'aedes'
import t, { type Test } from 'tap'
import { createWebSocketStream, WebSocketServer } from 'ws'
import { createSession, type SessionModules, type SessionOptions } from '../../node/session.ts'
import { createSigner, hashing, signatures } from '../../node/signing.ts'
import { fromHex } from '../../schemas/hex.ts'
import { loginMessage } from '../../schemas/login.ts'
import { MESSAGE_BYTES_MAX } from '../../schemas/message.ts'
import { CHALLENGE_TOPIC } from '../../schemas/topic.ts'
import { CHALLENGE, startBroker } from '../helpers/challenge-broker.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const signer = createSigner(new Uint8Array(32).fill(7))
const text = (payload: Uint8Array) => new TextDecoder().decode(payload)
const bytes = (value: string) => new TextEncoder().encode(value)
const QOS1 = { qos: 1, retain: false } as const

/** A session, what it reported, and its end with the test. */
function session(t: Test, options: SessionOptions, overrides: Partial<SessionModules> = {}) {
  const seen = {
    events: [] as string[],
    messages: [] as string[],
    reasons: [] as string[],
    warnings: [] as string[],
    faults: [] as unknown[],
    dropped: 0,
  }
  const warn = (event: string, fields: object = {}) =>
    void seen.warnings.push(`${event} ${JSON.stringify(fields)}`)
  const made = createSession(
    { loginTimeoutMs: 200, backoff: { baseMs: 20, capMs: 40, stableMs: 60_000 }, ...options },
    {
      log: { debug: warn, info: warn, warn, error: warn },
      random: Math.random,
      now: () => performance.now(),
      onMessage: ({ topic, payload }) => void seen.messages.push(`${topic} ${text(payload)}`),
      onConnected: () => void seen.events.push('connected'),
      onDisconnected: (reason) => {
        seen.events.push('disconnected')
        seen.reasons.push(reason)
      },
      onDropped(messages) {
        seen.dropped += messages
      },
      onFault: (error) => void seen.faults.push(error),
      ...overrides,
    },
  )
  t.teardown(() => made.stop())
  const connected = () => waitUntil('the session is connected', () => made.connected)
  return { session: made, seen, connected }
}

async function broker(t: Test, options: Parameters<typeof startBroker>[0]) {
  const started = await startBroker(options)
  t.teardown(() => started.stop())
  return started
}

t.test('a device proves its key by signing the retained challenge', async (t) => {
  const { aedes, url } = await broker(t, { proof: true })
  const clients: (string | undefined)[] = []
  aedes.on('clientReady', (client) => clients.push(client.id))
  const device = session(t, { url, signer, clientIdSuffix: 'agent', loginTimeoutMs: 3000 })
  device.session.start()
  await device.connected()
  t.match(clients[0], /^guest-[0-9a-f]{16}$/, 'first anonymously, to read the challenge')
  t.equal(clients[1], `${signer.account}-agent`)
  t.strictSame(device.seen.warnings, [])
})

t.test('a proof that was refused is not tried again: the next challenge is waited for', async (t) => {
  const next = 'a5'.repeat(32)
  const proofs: string[] = []
  const { aedes, url } = await broker(t, {
    proof: true,
    aedes: {
      // As the broker does with a client id that has logged in with the challenge before, such as before a restart.
      authenticate(client, username, password, done) {
        if (username === undefined) return done(null, true)
        const of = [CHALLENGE, next].find((challenge) => {
          const digest = hashing.tagged('login', loginMessage(challenge, client.id))
          return signatures.verify(fromHex(String(password)), digest, signer.account)
        })
        proofs.push(String(of))
        if (of === next) done(null, true)
        else done(Object.assign(new Error('no'), { returnCode: 4 }) as AuthenticateError, false)
      },
    },
  })
  const device = session(t, { url, signer, loginTimeoutMs: 60_000 })
  device.session.start()
  await waitUntil('it is refused', () => device.seen.reasons.length === 1)
  t.match(device.seen.reasons[0], /one login with each challenge/)
  // Many times as long as until it tries again.
  await sleep(300)
  t.strictSame(proofs, [CHALLENGE])
  const packet = { cmd: 'publish', topic: CHALLENGE_TOPIC, qos: 0, retain: true, dup: false } as const
  aedes.publish({ ...packet, payload: Buffer.from(next) }, () => {})
  await device.connected()
  t.strictSame(proofs, [CHALLENGE, next])
})

t.test('a broker without a challenge gets the configured user name and password', async (t) => {
  const logins: (string | undefined)[] = []
  const { url } = await broker(t, {
    proof: false,
    aedes: {
      authenticate(client, username, password, done) {
        logins.push(`${client.id.slice(0, 5)} ${username} ${password?.toString()}`)
        done(null, true)
      },
    },
  })
  const device = session(t, { url, signer, username: 'pi', password: 'secret' })
  device.session.start()
  await device.connected()
  t.strictSame(logins, ['guest undefined undefined', `${signer.account.slice(0, 5)} pi secret`])
  t.notMatch(JSON.stringify(device.seen), /secret/, 'which appears nowhere')
})

for (const [returnCode, options, expected] of [
  [4, { signer }, /wants a user name and password/],
  [5, { username: 'a', password: 'b' }, /refused the user name or password; check/],
  [2, {}, /client id; check clientIdSuffix/],
] as const) {
  t.test(
    `a refusal with code ${returnCode} is logged in words, with the remedy, and tried again`,
    async (t) => {
      let attempts = 0
      const { url } = await broker(t, {
        proof: false,
        aedes: {
          authenticate(_client, _username, _password, done) {
            attempts++
            done(Object.assign(new Error('no'), { returnCode }) as AuthenticateError, false)
          },
        },
      })
      const device = session(t, { url, ...options })
      device.session.start()
      await waitUntil('it has tried again', () => device.seen.reasons.length >= 2 && attempts >= 2)
      t.match(device.seen.reasons[0], expected)
      t.match(device.seen.warnings.join(), expected)
      t.equal(device.session.connected, false)
    },
  )
}

t.test('a refused proof of the key is named as such', async (t) => {
  const { url } = await broker(t, {
    proof: true,
    aedes: { authenticate: (_client, username, _password, done) => done(null, username === undefined) },
  })
  const device = session(t, { url, signer })
  device.session.start()
  await waitUntil('it is refused', () => device.seen.reasons.length > 0)
  t.match(device.seen.reasons[0], /proof of our key/)
})

t.test('messages go from one session to another, as plain copies', async (t) => {
  const { url } = await broker(t, { proof: true })
  const payloads: Uint8Array[] = []
  const reader = session(t, { url }, { onMessage: ({ payload }) => void payloads.push(payload) })
  const device = session(t, { url, signer })
  reader.session.subscribe(['a/+'])
  reader.session.start()
  device.session.start()
  await Promise.all([reader.connected(), device.connected()])
  t.equal(await device.session.publish('a/b', bytes('hello'), QOS1), true)
  t.equal(await device.session.publish('a/c', bytes('world'), { qos: 0, retain: false }), true)
  await waitUntil('both are there', () => payloads.length === 2)
  t.strictSame(payloads.map(text), ['hello', 'world'])
  t.notOk(payloads.some(Buffer.isBuffer), 'Buffer.slice shares memory, codecs rely on copies')
})

t.test('after the broker was away: subscribed again and born again before onConnected', async (t) => {
  const first = await startBroker({ proof: true })
  const device = session(t, {
    url: first.url,
    signer,
    birth: () => ({ topic: 'status/me', payload: bytes('online'), retain: true }),
  })
  device.session.subscribe(['before'])
  device.session.start()
  await device.connected()
  device.session.subscribe(['while'])
  await first.stop()
  await waitUntil('it has noticed', () => !device.session.connected)
  t.equal(await device.session.publish('x', bytes(''), QOS1), false, 'not connected: not published')
  await waitUntil('it has tried in vain', () => device.seen.reasons.length > 2)
  t.match(device.seen.reasons.at(-1), /ECONNREFUSED/)
  device.session.subscribe(['away'])

  const order: string[] = []
  const second = await startBroker({ proof: true, port: first.port })
  t.teardown(() => second.stop())
  second.aedes.on('subscribe', (subscriptions, client) => {
    if (client.id === signer.account) order.push(...subscriptions.map(({ topic }) => topic))
  })
  second.aedes.on('publish', ({ topic, payload }) => {
    if (topic === 'status/me') order.push(payload.toString())
  })
  await device.connected()
  t.strictSame(order, ['before', 'while', 'away', 'online'])
  t.equal(device.seen.events.at(-1), 'connected')
  t.equal(await device.session.publish('while', bytes('again'), QOS1), true)
  await waitUntil('a message comes', () => device.seen.messages.length > 0)
  t.strictSame(device.seen.messages, ['while again'])
})

t.test('a publish that the broker never acknowledged is false when the connection is lost', async (t) => {
  const { aedes, url } = await broker(t, {
    proof: false,
    aedes: {
      authorizePublish: (_client, packet, done) => (packet.topic === 'lost' ? undefined : done(null)),
    },
  })
  const device = session(t, { url })
  device.session.start()
  await device.connected()
  const lost = device.session.publish('lost', bytes('x'), QOS1)
  aedes.once('publish', () => {
    for (const client of Object.values(
      (aedes as unknown as { clients: Record<string, { close(): void }> }).clients,
    )) {
      client.close()
    }
  })
  void device.session.publish('cut', bytes(''), { qos: 0, retain: false })
  t.equal(await lost, false)
})

t.test('a broker that does not acknowledge is left', async (t) => {
  const { url } = await broker(t, {
    proof: false,
    aedes: {
      authorizePublish: (_client, packet, done) => (packet.topic === 'lost' ? undefined : done(null)),
    },
  })
  const device = session(t, { url, ackTimeoutMs: 50 })
  device.session.start()
  await device.connected()
  t.equal(await device.session.publish('lost', bytes('x'), QOS1), false)
  await waitUntil('it has said so', () => device.seen.reasons.length > 0)
  t.match(device.seen.reasons[0], /did not acknowledge within 0.05 s/)
})

t.test('what is in flight is bounded', async (t) => {
  const { url } = await broker(t, {
    proof: false,
    aedes: {
      authorizePublish: (_client, packet, done) => (packet.topic === 'held' ? undefined : done(null)),
    },
  })
  const device = session(t, { url })
  device.session.start()
  await device.connected()
  let refused = 0
  for (let index = 0; index < 300; index++) {
    void device.session.publish('held', bytes('x'), QOS1).then((sent) => {
      if (!sent) refused++
    })
  }
  await waitUntil('some are refused', () => refused > 0)
  t.equal(refused, 300 - 256)
})

t.test('what is in flight is bounded by its bytes, too', async (t) => {
  const { url } = await broker(t, { proof: false, aedes: { authorizePublish: () => {} } })
  const device = session(t, { url })
  device.session.start()
  await device.connected()
  const large = new Uint8Array(MESSAGE_BYTES_MAX)
  const sent = Array.from({ length: 9 }, () => device.session.publish('held', large, QOS1))
  t.equal(await Promise.race([sent[8], sleep(200)]), false)
  t.equal(await Promise.race([sent[7], sleep(0)]), undefined, 'it waits')
})

t.test('a refused subscription is named, the others work', async (t) => {
  const { url } = await broker(t, {
    proof: false,
    aedes: { authorizeSubscribe: (_client, sub, done) => done(null, sub.topic === 'secret/#' ? null : sub) },
  })
  const device = session(t, { url })
  device.session.subscribe(['open', 'secret/#'])
  device.session.start()
  await device.connected()
  t.match(device.seen.warnings, [/refused a subscription.*secret\/#/])
  await device.session.publish('open', bytes('1'), QOS1)
  await waitUntil('the message comes', () => device.seen.messages.length === 1)
})

t.test('two sessions with one client id: the reason says what may be wrong', async (t) => {
  const { url } = await broker(t, { proof: true })
  const [one, two] = [session(t, { url, signer }), session(t, { url, signer })]
  one.session.start()
  await one.connected()
  two.session.start()
  const reasons = () => [...one.seen.reasons, ...two.seen.reasons]
  await waitUntil('they have fought', () => reasons().some((reason) => reason.includes('again')))
  t.match(reasons()[0], /^the broker closed the connection$/)
  t.match(
    reasons().find((reason) => reason.includes('again')),
    /another program may be logged in/,
  )
})

t.test('the will speaks for a session that vanishes, the farewell for one that stops', async (t) => {
  const { aedes, url } = await broker(t, { proof: true })
  const said: string[] = []
  aedes.on('publish', ({ topic, payload }) => {
    if (topic === 'status') said.push(payload.toString())
  })
  const status = (value: string) => ({ topic: 'status', payload: bytes(value), retain: true })
  const options = { url, signer, will: status('will'), farewell: () => status('farewell') }
  const device = session(t, options)
  device.session.start()
  await device.connected()
  const { clients } = aedes as unknown as { clients: Record<string, { conn: { destroy(): void } }> }
  clients[signer.account]?.conn.destroy()
  await waitUntil('the will is published', () => said.length === 1)
  await device.connected()
  await device.session.stop()
  await waitUntil('the broker has seen the end', () => aedes.connectedClients === 0)
  t.strictSame(said, ['will', 'farewell'])
  t.equal(await device.session.publish('x', bytes(''), QOS1), false)
})

t.test(
  'what has come before a stop is dealt with, and what it led to is said before the farewell',
  async (t) => {
    const { aedes, url } = await broker(t, { proof: true })
    const said: string[] = []
    aedes.on('publish', ({ topic, payload }) => {
      if (topic === 'said') said.push(payload.toString())
    })
    const farewell = () => ({ topic: 'said', payload: bytes('farewell'), retain: false })
    const device: ReturnType<typeof session> = session(
      t,
      { url, signer, farewell },
      {
        onMessage: async ({ payload }) => {
          await sleep(20)
          void device.session.publish('said', payload, QOS1)
          if (Buffer.from(payload).toString() === 'first') stopped = device.session.stop()
        },
      },
    )
    let stopped: Promise<void> | undefined
    device.session.subscribe(['x'])
    device.session.start()
    await device.connected()
    for (const word of ['first', 'second', 'third'])
      aedes.publish(
        { cmd: 'publish', topic: 'x', payload: Buffer.from(word), qos: 1, dup: false, retain: false },
        () => {},
      )
    await waitUntil('it says farewell', () => said.includes('farewell'))
    await stopped
    t.strictSame(said, ['first', 'second', 'third', 'farewell'])
  },
)

t.test('stop ends the wait for a broker that is not there', async (t) => {
  const gone = await startBroker({ proof: false })
  await gone.stop()
  const device = session(
    t,
    { url: gone.url, signer, backoff: { baseMs: 60_000, capMs: 60_000, stableMs: 1 } },
    { random: () => 0.9 },
  )
  device.session.start()
  await waitUntil('it waits', () => device.seen.reasons.length === 1)
  await device.session.stop()
  t.strictSame(device.seen.events, ['disconnected'])
})

t.test('stop ends a login that waits for a challenge', async (t) => {
  const { aedes, url } = await broker(t, { proof: false })
  const device = session(t, { url, signer, loginTimeoutMs: 60_000 })
  device.session.start()
  await waitUntil('it has subscribed', () => aedes.connectedClients === 1)
  await device.session.stop()
  t.strictSame(device.seen.events, [])
})

t.test('an exception in a callback is reported, and the session goes on', async (t) => {
  const { url } = await broker(t, { proof: false })
  let handled = 0
  const device = session(
    t,
    { url },
    {
      onConnected() {
        throw new Error('in onConnected')
      },
      onMessage({ topic }) {
        handled++
        if (topic === 'bad') throw new Error('in onMessage')
      },
    },
  )
  device.session.subscribe(['bad', 'good'])
  device.session.start()
  await device.connected()
  await device.session.publish('bad', bytes(''), QOS1)
  await device.session.publish('good', bytes(''), QOS1)
  await waitUntil('both are handled', () => handled === 2)
  t.strictSame(
    device.seen.faults.map((fault) => (fault as Error).message),
    ['in onConnected', 'in onMessage'],
  )
  t.strictSame(device.seen.reasons, [])
})

t.test('a peer that overruns us loses messages, and we know how many', async (t) => {
  const { aedes, url } = await broker(t, { proof: false })
  let delivered = 0
  aedes.on('ack', () => delivered++)
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let handled = 0
  const device = session(
    t,
    { url, inboxBytesMax: 10 * (256 + 1 + 1000) },
    {
      async onMessage() {
        handled++
        await held
      },
    },
  )
  device.session.subscribe(['x'])
  device.session.start()
  await device.connected()
  for (let index = 0; index < 50; index++) await device.session.publish('x', new Uint8Array(1000), QOS1)
  await waitUntil('all are delivered', () => delivered === 50)
  release()
  await waitUntil('all are accounted for', () => handled + device.seen.dropped === 50)
  t.equal(handled, 11, 'one in the handler and ten in the queue')
})

t.test('a payload above the limit is dropped and counted, the next one comes', async (t) => {
  const { aedes, url } = await broker(t, { proof: false })
  const device = session(t, { url })
  device.session.subscribe(['x'])
  device.session.start()
  await device.connected()
  const send = (payload: Buffer) =>
    aedes.publish({ cmd: 'publish', topic: 'x', payload, qos: 0, retain: false, dup: false }, () => {})
  send(Buffer.alloc(MESSAGE_BYTES_MAX + 1))
  send(Buffer.from('small'))
  await waitUntil('the small one comes', () => device.seen.messages.length === 1)
  t.equal(device.seen.dropped, 1)
})

t.test('a frame that claims far too much ends the connection before it is buffered', async (t) => {
  const { aedes, url } = await broker(t, { proof: false })
  const device = session(t, { url })
  device.session.start()
  await device.connected()
  const { clients } = aedes as unknown as {
    clients: Record<string, { conn: { write(bytes: Uint8Array): void } }>
  }
  for (const client of Object.values(clients)) client.conn.write(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f))
  await waitUntil('it is disconnected', () => device.seen.reasons.length === 1)
  t.match(device.seen.reasons[0], /sent a message above/)
})

t.test('garbage instead of MQTT ends the connection with a reason', async (t) => {
  const { aedes, url } = await broker(t, { proof: false })
  const device = session(t, { url })
  device.session.start()
  await device.connected()
  const { clients } = aedes as unknown as {
    clients: Record<string, { conn: { write(bytes: Uint8Array): void } }>
  }
  for (const client of Object.values(clients)) client.conn.write(Uint8Array.of(0x07, 0x02, 0xff, 0xff))
  await waitUntil('it is disconnected', () => device.seen.reasons.length === 1)
  t.not(device.seen.reasons[0], 'the broker closed the connection')
})

t.test('over WebSocket', async (t) => {
  const { aedes } = await broker(t, { proof: true })
  const http = createServer()
  new WebSocketServer({ server: http }).on('connection', (socket, request) => {
    aedes.handle(createWebSocketStream(socket), request)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  t.teardown(() => http.close())
  const { port } = http.address() as AddressInfo
  const device = session(t, { url: `ws://127.0.0.1:${port}`, signer })
  device.session.subscribe(['x'])
  device.session.start()
  await device.connected()
  t.equal(await device.session.publish('x', bytes('over ws'), QOS1), true)
  await waitUntil('the message comes', () => device.seen.messages.length === 1)
  await device.session.stop()
})

for (const [url, expected] of [
  ['somewhere', /is not a URL; expected/],
  ['http://broker', /expected mqtt:/],
  ['mqtt://pi:secret@broker', /into their own fields/],
] as const) {
  t.test(`the address ${url} is refused at start`, async (t) => {
    const device = session(t, { url })
    t.throws(() => device.session.start(), { code: 'config', message: expected })
    t.throws(() => device.session.start(), /^((?!secret).)*$/)
  })
}

t.test('connection refused over WebSocket has a reason', async (t) => {
  const gone = await startBroker({ proof: false })
  await gone.stop()
  const device = session(t, { url: `ws://127.0.0.1:${gone.port}` })
  device.session.start()
  await waitUntil('it has tried', () => device.seen.reasons.length > 0)
  t.match(device.seen.reasons[0], /ECONNREFUSED/)
})
