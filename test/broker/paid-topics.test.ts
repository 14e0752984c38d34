/** Who gets a paid topic, on every way by which a message reaches a client, over real sockets. */
import type { IClientOptions, MqttClient } from 'mqtt'
import t, { type Test } from 'tap'
import type { Signer } from '../../node/signing.ts'
import type { Network } from '../../schemas/hex.ts'
import { mirror, topic } from '../../schemas/topic.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import {
  buyer,
  closed,
  type Ear,
  ear,
  grantBytes,
  grantTopic,
  judge,
  OPEN,
  other,
  publish,
  SOIL,
  say,
  sayTip,
  second,
  seller,
  stranger,
} from './paid.ts'
import {
  challengeAfter,
  challengeOf,
  connectAs,
  join,
  login,
  loginAgain,
  loginOptions,
  NETWORK,
  next,
  type RunningBroker,
  raw,
  startBroker,
  until,
} from './running-broker.ts'

const NOW = Date.UTC(2026, 10, 29, 20, 0, 0)
const EXACT = [SOIL, mirror(SOIL)]
const WILDCARDS = [
  ['#'],
  ['pinledger/#'],
  ['+/+/+/+/+', '+/+/+/+/+/+'],
  [`pinledger/+/paid/#`],
  [`pinledger/${NETWORK}/paid/${seller.account}/+`, `pinledger/${NETWORK}/paid/${seller.account}/+/json`],
]

interface Scene {
  readonly broker: RunningBroker
  readonly clock: { ms: number }
  /** The seller's session, and the validator's. */
  readonly selling: MqttClient
  readonly judging: MqttClient
}

async function scene(t: Test, limits = {}): Promise<Scene> {
  const clock = { ms: NOW }
  const broker = await startBroker(t, {
    validators: [judge.account, second.account],
    limits: { challengeUsedMs: 0, loginsPerChallengeMax: 100, ...limits },
    modules: { clock: () => clock.ms },
  })
  const selling = await login(t, broker, seller)
  const judging = await login(t, broker, judge)
  return { broker, clock, selling, judging }
}

async function listening(
  t: Test,
  { broker }: Scene,
  who: Signer | undefined,
  filters: readonly string[],
  options: IClientOptions & { readonly suffix?: string; readonly at?: 0 | 1 | 2 } = {},
): Promise<Ear> {
  const { at = 1, ...rest } = options
  const client = who === undefined ? await join(t, broker, rest) : await login(t, broker, who, rest)
  const listener = ear(client)
  await client.subscribeAsync([...filters, OPEN], { qos: at })
  return listener
}

/** Waits until everything that was published before has arrived where it goes. */
async function settle({ selling }: Scene, ...ears: readonly Ear[]): Promise<void> {
  const mark = `mark ${Math.random()}`
  for (const qos of [0, 1, 2] as const) await selling.publishAsync(OPEN, `${mark} ${qos}`, { qos })
  await waitUntil('the marks have come', () =>
    ears.every(({ heard }) => heard.filter((line) => line.includes(mark)).length >= 3),
  )
}

t.test('who has paid gets it by exact filter and by wildcard, nobody else does, at each QoS', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  const paying: Ear[] = []
  const others: Ear[] = []
  let number = 0
  for (const filters of [EXACT, ...WILDCARDS]) {
    for (const at of [0, 1, 2] as const) {
      const suffix = `-${number++}`
      const clean = number % 2 === 0
      paying.push(await listening(t, on, buyer, filters, { at, suffix, clean }))
      others.push(await listening(t, on, other, filters, { at, suffix, clean }))
      others.push(await listening(t, on, undefined, filters, { at }))
      if (at === 1) others.push(await listening(t, on, judge, filters, { at, suffix }))
    }
  }
  for (const qos of [0, 1, 2] as const) await publish(on.selling, `at ${qos}`, qos)
  await settle(on, ...paying, ...others)
  const all = [0, 1, 2].flatMap((qos) => [`at ${qos}`, `at ${qos} json`])
  for (const each of paying) t.strictSame([...closed(each)].sort(), all)
  for (const each of others) t.strictSame(closed(each), [])
  const { withheld } = on.broker.broker.stats()
  t.equal(withheld.get('not-paid'), others.length * all.length, 'and each is counted')
})

t.test('a seller gets its own topic, in every session', async (t) => {
  const on = await scene(t)
  const own = await listening(t, on, seller, ['#'], { suffix: '-two' })
  await publish(on.selling, 'mine')
  await settle(on, own)
  t.strictSame(closed(own), ['mine', 'mine json'])
})

t.test(
  'who waits for its payment is subscribed, and gets the next reading once it is confirmed',
  async (t) => {
    const on = await scene(t)
    const waiting = await listening(t, on, buyer, EXACT)
    await publish(on.selling, 'before')
    await say(on.judging, judge, NOW + 60_000)
    await publish(on.selling, 'after')
    await settle(on, waiting)
    t.strictSame(closed(waiting), ['after', 'after json'])
    t.ok(
      on.broker.lines.every(({ fields }) => fields.filter !== SOIL),
      'the subscription was not refused',
    )
  },
)

t.test('it ends with the first reading after the time', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'], { at: 2 })
  await say(on.judging, judge, NOW + 5000)
  on.clock.ms = NOW + 4999
  await publish(on.selling, 'in time')
  on.clock.ms = NOW + 5000
  await publish(on.selling, 'too late')
  await settle(on, reading)
  t.strictSame(closed(reading), ['in time', 'in time json'])
  await say(on.judging, judge, NOW + 9000)
  await publish(on.selling, 'paid again')
  await settle(on, reading)
  t.strictSame(closed(reading).slice(2), ['paid again', 'paid again json'])
})

t.test('it ends when a reorganisation takes the grant back', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'])
  await say(on.judging, judge, NOW + 60_000)
  await publish(on.selling, 'granted')
  await say(on.judging, judge, 'nothing')
  await publish(on.selling, 'taken back')
  await settle(on, reading)
  t.strictSame(closed(reading), ['granted', 'granted json'])
  t.equal(on.broker.broker.stats().grants, 0)
})

t.test(
  'a clock that stands in 1970 does not give for ever: the newest tip of a validator is later',
  async (t) => {
    const on = await scene(t)
    on.clock.ms = 0
    const reading = await listening(t, on, buyer, ['#'])
    await say(on.judging, judge, NOW)
    await sayTip(on.judging, judge, NOW - 1)
    await publish(on.selling, 'in time')
    await sayTip(on.judging, judge, NOW)
    await publish(on.selling, 'too late')
    await settle(on, reading)
    t.strictSame(closed(reading), ['in time', 'in time json'])
    const device = await login(t, on.broker, other)
    const gone = next(device, 'close')
    device.publish(topic(NETWORK, 'tip', other.account), 'x')
    await gone
    t.ok(on.broker.refused('validators-only'), 'and nobody else says what time it is')
  },
)

t.test('a clock in 2050 cuts off, and gives back what runs once it is put right', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'])
  await say(on.judging, judge, NOW + 60_000)
  await sayTip(on.judging, judge, NOW)
  on.clock.ms = Date.UTC(2050, 0)
  await publish(on.selling, 'cut off')
  await new Promise((resolve) => setTimeout(resolve, 1200)) // the broker has tidied up since
  on.clock.ms = NOW
  await publish(on.selling, 'put right')
  await settle(on, reading)
  t.strictSame(closed(reading), ['put right', 'put right json'])
})

t.test('if validators differ the longest counts, and what one said stays when it has gone', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'])
  const judging = await login(t, on.broker, second)
  await say(on.judging, judge, NOW + 1000)
  await say(judging, second, NOW + 5000)
  on.clock.ms = NOW + 2000
  await publish(on.selling, 'by the second')
  await say(on.judging, judge, 'nothing')
  await judging.endAsync()
  await publish(on.selling, 'it has gone')
  on.clock.ms = NOW + 5000
  await publish(on.selling, 'over')
  await settle(on, reading)
  t.strictSame(closed(reading), ['by the second', 'by the second json', 'it has gone', 'it has gone json'])
})

t.test('only validators of the configuration grant, under their own name', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'])
  for (const [index, [by, name, reason]] of (
    [
      [buyer, grantTopic(buyer), 'validators-only'],
      [buyer, grantTopic(judge), 'foreign-name'],
      [stranger, grantTopic(stranger), 'validators-only'],
      [second, grantTopic(judge), 'foreign-name'],
    ] as const
  ).entries()) {
    const client = await login(t, on.broker, by, { suffix: `-${index}` })
    const gone = next(client, 'close')
    client.publish(name, grantBytes([{ sensor: 'soil', until: NOW + 60_000 }]), { retain: true })
    await gone
    t.ok(on.broker.refused(reason), reason)
  }
  const nobody = await join(t, on.broker)
  const gone = next(nobody, 'close')
  nobody.publish(grantTopic(judge), grantBytes([{ sensor: 'soil', until: NOW + 60_000 }]))
  await gone
  await publish(on.selling, 'not granted')
  await settle(on, reading)
  t.strictSame(closed(reading), [])
  t.equal(on.broker.broker.stats().grants, 0)
})

t.test('a grant counts as what its topic says: other pairs, JSON and noise do not', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'])
  const soil = [{ sensor: 'soil', until: NOW + 60_000 }]
  const name = grantTopic(judge)
  for (const payload of [
    grantBytes(soil, { seller: other.account }),
    grantBytes(soil, { buyer: other.account }),
    Buffer.concat([grantBytes(soil), Buffer.of(0)]),
    Buffer.from('grant'),
  ])
    await on.judging.publishAsync(name, payload, { qos: 1, retain: true })
  t.ok(on.broker.refused('bad-grant'))
  t.equal(on.broker.broker.stats().grants, 0)
  await publish(on.selling, 'of another pair')
  await on.judging.publishAsync(mirror(name), grantBytes(soil), { qos: 1, retain: true })
  await on.judging.publishAsync(name, grantBytes([{ sensor: 'air', until: NOW + 60_000 }]), { qos: 1 })
  await publish(on.selling, 'of another sensor')
  await settle(on, reading)
  t.strictSame(closed(reading), [])
  t.equal(on.judging.connected, true, 'a validator that is newer than the broker is not cut off')
})

t.test('what was paid on one network opens nothing on another', async (t) => {
  const on = await scene(t)
  const reading = await listening(t, on, buyer, ['#'])
  await say(on.judging, judge, NOW + 60_000, '0badbeef' as Network)
  await publish(on.selling, 'elsewhere')
  await settle(on, reading)
  t.strictSame(closed(reading), [])
})

t.test('a second session of who has paid reads too, another account’s never does', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  const sessions = [
    await listening(t, on, buyer, ['#']),
    await listening(t, on, buyer, ['#'], { suffix: '-two' }),
  ]
  const foreign = await listening(t, on, other, ['#'], { suffix: '-two' })
  await publish(on.selling, 'paid')
  await settle(on, ...sessions, foreign)
  for (const each of sessions) t.strictSame(closed(each), ['paid', 'paid json'])
  t.strictSame(closed(foreign), [])
})

t.test('nobody gets it by taking over a client id', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  const reading = await listening(t, on, buyer, ['#'], { clean: false })
  const challenge = await challengeOf(t, on.broker)
  const { clientId } = loginOptions(buyer, challenge)
  await t.rejects(join(t, on.broker, { ...loginOptions(other, challenge), clientId }), { code: 2 })
  await t.rejects(
    join(t, on.broker, { ...loginOptions(other, challenge), clientId, username: buyer.account }),
    { code: 4 },
  )
  await t.rejects(join(t, on.broker, { clientId }), { code: 2 })
  t.equal(reading.client.connected, true, 'who has paid is not disturbed')
  // Who has paid itself comes back under its name: the session that it took over hears nothing more.
  const again = await challengeAfter(t, on.broker, challenge)
  const gone = next(reading.client, 'close')
  const fresh = ear(await join(t, on.broker, { ...loginOptions(buyer, again), clean: false }))
  await gone
  await publish(on.selling, 'to the new one')
  await settle(on, fresh)
  t.strictSame(closed(fresh), ['to the new one', 'to the new one json'])
  t.strictSame(closed(reading), [])
})

t.test('nothing of it waits in the session of an absent client, paid or not', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  for (const who of [buyer, other]) {
    const absent = await listening(t, on, who, ['#'], { clean: false, at: 2, suffix: '-away' })
    await absent.client.endAsync()
  }
  const before = on.broker.broker.stats().queuedBytes
  for (const qos of [1, 2] as const) await publish(on.selling, 'while away', qos)
  t.equal(on.broker.broker.stats().queuedBytes, before)
  await on.selling.publishAsync(OPEN, 'for everybody', { qos: 1 })
  t.ok(on.broker.broker.stats().queuedBytes > before, 'other messages do wait')
  for (const who of [buyer, other]) {
    const back = ear(await loginAgain(t, on.broker, who, { clean: false, suffix: '-away' }))
    await waitUntil('the queue has come', () => back.heard.some((line) => line.endsWith('for everybody')))
    await settle(on, back)
    t.strictSame(closed(back), [])
  }
})

t.test(
  'nothing of it is sent again after a reconnect, and who has not paid by then gets nothing',
  async (t) => {
    const on = await scene(t)
    await say(on.judging, judge, NOW + 60_000)
    const silent = await raw(t, on.broker)
    const challenge = await challengeOf(t, on.broker)
    silent.send(
      { ...connectAs(buyer, challenge), clean: false },
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: '#', qos: 1 }] },
    )
    await waitUntil('it listens', () => silent.packets.some(({ cmd }) => cmd === 'suback'))
    const topics = (packets: readonly { cmd: string; topic?: string }[]) =>
      packets
        .filter(({ cmd, topic }) => cmd === 'publish' && (topic === SOIL || topic === OPEN))
        .map(({ topic }) => topic)
    await on.selling.publishAsync(SOIL, 'live', { qos: 1 })
    await on.selling.publishAsync(OPEN, 'open', { qos: 1 })
    await waitUntil('both came, and neither is acknowledged', () => topics(silent.packets).length === 2)
    silent.socket.destroy()
    on.clock.ms = NOW + 60_000
    const again = await challengeAfter(t, on.broker, challenge)
    const back = await raw(t, on.broker)
    back.send({ ...connectAs(buyer, again), clean: false })
    await waitUntil('what is for everybody is sent again', () => topics(back.packets).includes(OPEN))
    await on.selling.publishAsync(SOIL, 'over', { qos: 1 })
    await on.selling.publishAsync(OPEN, 'mark', { qos: 1 })
    await waitUntil('the mark came', () => topics(back.packets).filter((name) => name === OPEN).length === 2)
    t.notOk(topics(back.packets).includes(SOIL))
  },
)

t.test('it is never retained', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  const gone = next(on.selling, 'close')
  on.selling.publish(SOIL, 'kept', { retain: true })
  await gone
  t.ok(on.broker.refused('retained-event'))
  const selling = await login(t, on.broker, seller, { suffix: '-again' })
  const late = await listening(t, on, buyer, ['#', SOIL])
  await settle({ ...on, selling }, late)
  t.strictSame(closed(late), [])
})

t.test('a last will on it goes to who has paid, like any reading', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  const ears = [
    await listening(t, on, buyer, ['#']),
    await listening(t, on, other, ['#', ...EXACT]),
    await listening(t, on, undefined, ['#', ...EXACT]),
  ]
  for (const qos of [0, 1, 2] as const) {
    const will = { topic: SOIL, payload: Buffer.from(`will ${qos}`), qos, retain: false }
    const dying = await login(t, on.broker, seller, { suffix: `-${qos}`, will })
    dying.stream.destroy()
    await waitUntil(
      'the will is read',
      () => ears[0] !== undefined && closed(ears[0]).includes(`will ${qos}`),
    )
  }
  await settle(on, ...ears)
  t.strictSame(
    ears.map((each) => closed(each).length),
    [3, 0, 0],
  )
})

t.test('a client with many filters that match gets it once, or not at all', async (t) => {
  const on = await scene(t)
  await say(on.judging, judge, NOW + 60_000)
  const filters = ['#', 'pinledger/#', SOIL, mirror(SOIL)]
  const ears = [await listening(t, on, buyer, filters), await listening(t, on, other, filters)]
  await publish(on.selling, 'once')
  await settle(on, ...ears)
  t.strictSame(ears.map(closed), [['once', 'once json'], []])
})

t.test('a validator’s grants are bounded, and those that have no room are told', async (t) => {
  const on = await scene(t, { grantsPerValidatorMax: 2 })
  const reading = await listening(t, on, buyer, ['#'])
  const said = (...names: string[]) =>
    on.judging.publishAsync(
      grantTopic(judge),
      grantBytes(names.map((sensor) => ({ sensor, until: NOW + 60_000 }))),
      { qos: 1, retain: true },
    )
  await said('air', 'rain')
  await said('air', 'rain', 'soil')
  t.ok(on.broker.refused('grants-full'))
  await publish(on.selling, 'no room')
  await said('air', 'soil')
  await publish(on.selling, 'room')
  await settle(on, reading)
  t.strictSame(closed(reading), ['room', 'room json'])
  t.equal(on.broker.broker.stats().grants, 2)
})

t.test('if we fail, nobody gets it', async (t) => {
  const broken = { is: false }
  const broker = await startBroker(t, {
    validators: [judge.account],
    modules: {
      clock: () => {
        if (broken.is) throw new Error('broken on purpose')
        return NOW
      },
    },
  })
  const on = {
    broker,
    clock: { ms: NOW },
    selling: await login(t, broker, seller),
    judging: await login(t, broker, judge),
  }
  await say(on.judging, judge, NOW + 60_000)
  const reading = await listening(t, on, buyer, ['#'])
  broken.is = true
  await publish(on.selling, 'withheld')
  await settle(on, reading)
  t.strictSame(closed(reading), [])
  t.ok(
    broker.lines.some(({ event, fields }) => event === 'hook failed' && fields.hook === 'authorizeForward'),
  )
})

t.test('once a minute a line tells how much was withheld', async (t) => {
  const on = await scene(t)
  const watching = await listening(t, on, undefined, ['#'])
  await publish(on.selling, 'x')
  await settle(on, watching)
  await until(t, 'the line comes', () =>
    on.broker.lines.some(
      ({ event, fields }) => event === 'withheld from subscribers' && fields.reason === 'not-paid',
    ),
  )
})
