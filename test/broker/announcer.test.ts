import t from 'tap'
import { type Announcement, Announcer } from '../../broker/announcer.ts'
import { waitUntil } from '../helpers/wait-until.ts'

/** A connection that takes `room` messages at once and acknowledges them when told to. */
function connection(room: number) {
  const sent: string[] = []
  const dropped: number[] = []
  const open: ((taken: boolean) => void)[] = []
  const state = { connected: true, refused: 0 }
  const announcer = new Announcer({
    connected: () => state.connected,
    publish: (topic, payload) => {
      if (open.length >= room) {
        state.refused++
        return Promise.resolve(false)
      }
      sent.push(`${topic} ${new TextDecoder().decode(payload)}`)
      return new Promise((resolve) => open.push(resolve))
    },
    onDropped: (events) => void dropped.push(events),
    onFault: (error) => t.fail('a fault', { error }),
  })
  const acknowledge = (): void => {
    for (const done of open.splice(0)) done(state.connected)
  }
  return { announcer, sent, dropped, state, acknowledge }
}

const message = (topic: string, text: string): Announcement => ({
  topic,
  payload: new TextEncoder().encode(text),
  qos: 1,
})

t.test('a thousand accounts are all said, and the tip after them', async (t) => {
  const { announcer, sent, acknowledge } = connection(60)
  for (let index = 0; index < 1_000; index++) {
    announcer.retained(`account ${index}`, () => [message(`account ${index}`, 'view')])
  }
  announcer.retained('tip', () => [message('tip', 'newest')])
  await waitUntil('everything is said', () => {
    acknowledge()
    return new Set(sent).size === 1_001
  })
  t.equal(sent.length, 1_001, 'each once')
})

t.test('what changes while it waits is said once, with its newest value', async (t) => {
  const { announcer, sent, acknowledge } = connection(256)
  let height = 0
  for (let index = 0; index < 64; index++) announcer.event(message('block', String(index)))
  for (height = 1; height < 10; height++) announcer.retained('tip', () => [message('tip', String(height))])
  t.equal(sent.length, 64, 'the tip waits for its turn')
  await waitUntil('the tip is said', () => {
    acknowledge()
    return sent.length > 64
  })
  t.equal(sent.at(-1), 'tip 10')
})

t.test('what can wait is said when nothing else is to be said, the newest of each', async (t) => {
  const { announcer, sent, acknowledge } = connection(256)
  let height = 0
  for (let index = 0; index < 200; index++)
    announcer.patient(`grant ${index}`, () => [message('grant', `${height}`)])
  height = 1
  announcer.patient('grant 199', () => [message('grant', `${height}`)])
  for (let index = 0; index < 100; index++) announcer.event(message('block', String(index)))
  announcer.retained('tip', () => [message('tip', 'newest')])
  await waitUntil('all is said', () => {
    acknowledge()
    return sent.length === 301
  })
  t.strictSame(
    sent.map((each) => each.split(' ')[0]),
    [...Array(64).fill('grant'), ...Array(100).fill('block'), 'tip', ...Array(136).fill('grant')],
  )
  t.equal(sent.at(-1), 'grant 1')
})

t.test(
  'what can wait is said again if the connection had no room, and forgotten if it is gone',
  async (t) => {
    const { announcer, sent, state, acknowledge } = connection(1)
    for (const name of ['a', 'b']) announcer.patient(name, () => [message(name, '')])
    await waitUntil('both are said', () => {
      acknowledge()
      return sent.length === 2
    })
    t.ok(state.refused > 0)
    for (const name of ['c', 'd', 'e']) announcer.patient(name, () => [message(name, '')])
    state.connected = false
    acknowledge()
    await new Promise((resolve) => setImmediate(resolve))
    state.connected = true
    announcer.patient('f', () => [message('f', '')])
    acknowledge()
    await waitUntil('the new one is said', () => {
      acknowledge()
      return sent.includes('f ')
    })
    t.notOk(sent.includes('e '))
  },
)

t.test('events beyond the bound are dropped and counted', async (t) => {
  const { announcer, sent, dropped, acknowledge } = connection(256)
  for (let index = 0; index < 64 + 4_096 + 5; index++) announcer.event(message('receipt', String(index)))
  await waitUntil('the rest is said', () => {
    acknowledge()
    return sent.length === 64 + 4_096
  })
  t.same(dropped, [5])
})

t.test('nothing waits for a connection that is gone', async (t) => {
  const { announcer, sent, state, acknowledge } = connection(256)
  for (let index = 0; index < 100; index++) announcer.event(message('receipt', String(index)))
  state.connected = false
  acknowledge()
  announcer.event(message('receipt', 'late'))
  await new Promise((resolve) => setImmediate(resolve))
  state.connected = true
  announcer.event(message('receipt', 'new'))
  t.equal(sent.length, 65)
  t.equal(sent.at(-1), 'receipt new')
})
