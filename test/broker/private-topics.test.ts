/** Channel, key and file topics go to the account that they name and to their publisher, over real sockets. */
import t from 'tap'
import { mirror, topic } from '../../schemas/topic.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { buyer, closed, type Ear, ear, judge, OPEN, other, seller } from './paid.ts'
import { challengeOf, join, login, loginAgain, loginOptions, NETWORK, startBroker } from './running-broker.ts'

const KINDS = ['channel', 'key', 'file'] as const
const nameOf = (kind: (typeof KINDS)[number]) => topic(NETWORK, kind, seller.account, buyer.account)
const NAMES = KINDS.flatMap((kind) => [nameOf(kind), mirror(nameOf(kind))])
const limits = { challengeUsedMs: 0 }

t.test('they go to sessions of both, and of nobody else, at each QoS', async (t) => {
  const broker = await startBroker(t, { limits, validators: [judge.account] })
  const telling = await login(t, broker, seller)
  const concerned: Ear[] = []
  const others: Ear[] = []
  let number = 0
  for (const filters of [['#'], NAMES, KINDS.map((kind) => `pinledger/+/${kind}/#`)]) {
    for (const at of [0, 1, 2] as const) {
      const suffix = `-${number++}`
      const clean = number % 2 === 0
      for (const [who, ears] of [
        [buyer, concerned],
        [seller, concerned],
        [other, others],
        [judge, others],
      ] as const) {
        const listener = ear(await login(t, broker, who, { suffix, clean }))
        await listener.client.subscribeAsync([...filters, OPEN], { qos: at })
        ears.push(listener)
      }
      const nobody = ear(await join(t, broker))
      await nobody.client.subscribeAsync([...filters, OPEN], { qos: at })
      others.push(nobody)
    }
  }
  for (const name of NAMES)
    for (const qos of [0, 1, 2] as const) await telling.publishAsync(name, `${name} ${qos}`, { qos })
  for (const qos of [0, 1, 2] as const) await telling.publishAsync(OPEN, 'mark', { qos })
  await waitUntil('the marks have come', () =>
    [...concerned, ...others].every(
      ({ heard }) => heard.filter((line) => line.endsWith('mark')).length === 3,
    ),
  )
  for (const each of concerned) t.equal(closed(each).length, NAMES.length * 3)
  for (const each of others) t.strictSame(closed(each), [])
  t.equal(broker.broker.stats().withheld.get('not-addressed'), others.length * NAMES.length * 3)
})

t.test('nothing of them waits for an absent client, is retained, or comes as another’s will', async (t) => {
  const broker = await startBroker(t, { limits })
  const telling = await login(t, broker, seller)
  const absent = await login(t, broker, buyer, { clean: false })
  await absent.subscribeAsync('#', { qos: 2 })
  await absent.endAsync()
  for (const name of NAMES) await telling.publishAsync(name, 'while away', { qos: 2 })
  t.equal(broker.broker.stats().queuedBytes, 0)
  const eavesdropping = ear(await join(t, broker))
  await eavesdropping.client.subscribeAsync('#', { qos: 2 })
  const back = ear(await loginAgain(t, broker, buyer, { clean: false }))
  const will = { topic: nameOf('channel'), payload: Buffer.from('will'), qos: 2 as const, retain: false }
  const dying = await login(t, broker, seller, { suffix: '-dying', will })
  dying.stream.destroy()
  await waitUntil('the will has come', () => closed(back).length > 0)
  await telling.publishAsync(OPEN, 'mark', { qos: 1 })
  await waitUntil('the mark has come', () => eavesdropping.heard.some((line) => line.endsWith('mark')))
  t.strictSame(closed(back), ['will'])
  t.strictSame(closed(eavesdropping), [])
  const challenge = await challengeOf(t, broker)
  const kept = { ...will, retain: true }
  await t.rejects(join(t, broker, { ...loginOptions(seller, challenge, '-kept'), will: kept }), { code: 5 })
  t.ok(broker.refused('will-retained-event'))
})
