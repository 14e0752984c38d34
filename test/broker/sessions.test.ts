import t from 'tap'
import { LIMITS, type Limits } from '../../broker/limits.ts'
import type { StoredPacket } from '../../broker/retained.ts'
import { RetainedMessages } from '../../broker/retained.ts'
import { Sessions } from '../../broker/sessions.ts'
import { signerOf } from './running-broker.ts'

const pump = signerOf(1).account
const probe = signerOf(2).account
const me = { id: 'me' }

function bench(limits: Partial<Limits> = {}, granted = () => true, isOpen = (_topic: string) => true) {
  const clock = { ms: 0 }
  const all = { ...LIMITS, ...limits }
  const retained = new RetainedMessages(all, new Set())
  const sessions = new Sessions(all, { retained, now: () => clock.ms, granted, isOpen })
  sessions.open('me', pump)
  return { clock, sessions }
}
let counter = 0
const packet = (more: Partial<StoredPacket> = {}): StoredPacket => ({
  cmd: 'publish',
  topic: 'a',
  payload: Buffer.from('xy'),
  qos: 1,
  retain: false,
  dup: false,
  brokerId: 'b',
  brokerCounter: ++counter,
  ...more,
})
const queueOf = (sessions: Sessions) => sessions.outgoingStream(me).toArray() as Promise<StoredPacket[]>

t.test('a session is for those who opened one, and goes after its time', async (t) => {
  const { clock, sessions } = bench()
  await sessions.addSubscriptions({ id: 'stranger' }, [{ topic: '#', qos: 1 }])
  await sessions.outgoingEnqueue({ clientId: 'stranger' }, packet())
  t.same(await sessions.subscriptionsByTopic('a'), [])
  t.equal(sessions.queueBytes, 0)
  sessions.arrive('me')
  clock.ms = 10 * LIMITS.sessionMsMax
  sessions.expire()
  t.equal(sessions.count, 1, 'its client is there')
  await sessions.outgoingEnqueue({ clientId: 'me' }, packet())
  sessions.leave('me')
  clock.ms += LIMITS.sessionMsMax - 1
  sessions.expire()
  t.equal(sessions.count, 1)
  clock.ms += 1
  sessions.expire()
  t.equal(sessions.count, 0)
  t.equal(sessions.queueBytes, 0)
})

t.test('a session whose client vanished between login and arrival expires too', async (t) => {
  const { clock, sessions } = bench()
  clock.ms = LIMITS.sessionMsMax
  sessions.expire()
  t.equal(sessions.count, 0)
})

t.test('sessions are bounded in total and for one account', async (t) => {
  const { sessions } = bench({ sessionsMax: 3, sessionsPerAccountMax: 2 })
  t.equal(sessions.mayOpen('second', pump), true)
  sessions.open('second', pump)
  t.equal(sessions.mayOpen('third', pump), false)
  t.equal(sessions.mayOpen('me', pump), true, 'an old one may come back')
  sessions.open('other', probe)
  t.equal(sessions.mayOpen('another', probe), false, 'all are taken')
})

t.test('only granted filters are stored', async (t) => {
  const { sessions } = bench({}, () => false)
  await sessions.addSubscriptions(me, [{ topic: '$SYS/#', qos: 1 }])
  t.same(await sessions.subscriptionsByClient(me), [])
})

t.test('a topic finds each session once, with its highest QoS, also after a change', async (t) => {
  const { sessions } = bench()
  await sessions.addSubscriptions(me, [
    { topic: 'a/+', qos: 1 },
    { topic: '#', qos: 2 },
    { topic: 'b', qos: 0 },
  ])
  t.same(await sessions.subscriptionsByTopic('a/x'), [{ clientId: 'me', topic: '#', qos: 2 }])
  await sessions.removeSubscriptions(me, ['#'])
  t.same(await sessions.subscriptionsByTopic('a/x'), [{ clientId: 'me', topic: 'a/+', qos: 1 }])
  t.same(await sessions.subscriptionsByTopic('b'), [], 'QoS 0 is not queued')
  t.same(await sessions.countOffline(), { subsCount: 2, clientsCount: 1 })
  await sessions.cleanSubscriptions(me)
  t.same(await sessions.subscriptionsByTopic('a/x'), [])
})

t.test('what only some may read waits for nobody', async (t) => {
  const { sessions } = bench({}, undefined, (topic) => topic !== 'paid')
  await sessions.addSubscriptions(me, [{ topic: '#', qos: 2 }])
  t.same(await sessions.subscriptionsByTopic('paid'), [])
  t.equal((await sessions.subscriptionsByTopic('open')).length, 1)
})

t.test('queues are bounded by messages, by bytes, and all together', async (t) => {
  const recipients = [{ clientId: 'me', topic: 'a', qos: 1 as const }]
  for (const limits of [{ queueMessagesMax: 2 }, { queueBytesMax: 600 }, { queueTotalBytesMax: 600 }]) {
    const { sessions } = bench(limits)
    for (let count = 0; count < 5; count++) await sessions.outgoingEnqueueCombi(recipients, packet())
    t.equal((await queueOf(sessions)).length, 2, JSON.stringify(limits))
    const live = packet({ messageId: 9 })
    await sessions.outgoingUpdate(me, live)
    t.pass('one without room goes out live, without an error that would end the connection')
  }
})

t.test('a queued message keeps its own bytes, its QoS is lowered, it is not retained', async (t) => {
  const { sessions } = bench()
  const slab = Buffer.alloc(65_536, 1)
  const sent = packet({ payload: slab.subarray(0, 4), qos: 2, retain: true })
  await sessions.outgoingEnqueueCombi([{ clientId: 'me', topic: 'a', qos: 1 }], sent)
  slab.fill(2)
  t.match(await queueOf(sessions), [{ qos: 1, retain: false, payload: Buffer.alloc(4, 1) }])
})

t.test(
  'acknowledgements: PUBACK forgets, PUBREC replaces by PUBREL, a strange id does nothing',
  async (t) => {
    const { sessions } = bench()
    const first = packet()
    const second = packet()
    for (const sent of [first, second]) await sessions.outgoingEnqueue({ clientId: 'me' }, sent)
    await sessions.outgoingUpdate(me, { ...first, messageId: 1 })
    await sessions.outgoingUpdate(me, { ...second, messageId: 2 })
    const { brokerId: _, brokerCounter: __, ...pubrel } = packet({ cmd: 'pubrel', messageId: 2 })
    await sessions.outgoingUpdate(me, pubrel)
    t.match(await queueOf(sessions), [
      { cmd: 'publish', messageId: 1 },
      { cmd: 'pubrel', messageId: 2 },
    ])
    t.equal(await sessions.outgoingClearMessageId(me, packet({ messageId: 3 })), undefined)
    t.equal(await sessions.outgoingClearMessageId({ id: 'stranger' }, packet({ messageId: 1 })), undefined)
    t.match(await sessions.outgoingClearMessageId(me, packet({ messageId: 1 })), { messageId: 1 })
    await sessions.outgoingClearMessageId(me, packet({ messageId: 2 }))
    t.equal(sessions.queueBytes, 0)
  },
)

t.test('a QoS 2 packet id is known from PUBLISH to PUBREL', async (t) => {
  const { sessions } = bench()
  const sent = packet({ messageId: 5 })
  await t.rejects(sessions.incomingGetPacket(me, sent))
  await sessions.incomingStorePacket(me, sent)
  t.equal((await sessions.incomingGetPacket(me, sent)).messageId, 5)
  await sessions.incomingDelPacket(me, sent)
  await t.rejects(sessions.incomingGetPacket(me, sent))
  await sessions.incomingStorePacket(me, sent)
  await sessions.cleanIncoming(me)
  await t.rejects(sessions.incomingGetPacket(me, sent))
})
