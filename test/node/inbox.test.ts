import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Inbox } from '../../node/inbox.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const message = (topic: string, bytes = 0) => ({ topic, payload: new Uint8Array(bytes), retain: false })
const modules = () => ({
  handle: (_: { topic: string }): Promise<void> | void => {},
  onDropped: (_messages: number, _bytes: number) => {},
  onFault: (error: unknown) => {
    throw error
  },
})

t.test('nothing is handled inside push, and then one message at a time, in order', async (t) => {
  const seen: string[] = []
  let running = 0
  const inbox = new Inbox(1 << 20, {
    ...modules(),
    async handle({ topic }) {
      t.equal(++running, 1)
      await turn()
      seen.push(topic)
      running--
    },
  })
  const topics = Array.from({ length: 2500 }, (_, index) => String(index))
  for (const topic of topics) inbox.push(message(topic))
  t.equal(running, 0)
  await waitUntil('all are handled', () => seen.length === topics.length)
  t.strictSame(seen, topics)
  inbox.push(message('later'))
  await waitUntil('a later one is handled', () => seen.at(-1) === 'later')
})

t.test('what does not fit is dropped, counted and reported; room comes back', async (t) => {
  const drops: number[][] = []
  const seen: string[] = []
  const inbox = new Inbox(2 * (256 + 1 + 100), {
    ...modules(),
    handle: ({ topic }) => void seen.push(topic),
    onDropped: (messages, bytes) => void drops.push([messages, bytes]),
  })
  for (const topic of ['a', 'b', 'c', 'd']) inbox.push(message(topic, 100))
  await waitUntil('the queue is empty', () => seen.length === 2 && drops.length > 0)
  t.strictSame([seen, drops], [['a', 'b'], [[2, 200]]])
  inbox.push(message('e', 100))
  await waitUntil('there is room again', () => seen.at(-1) === 'e')
})

t.test('empty messages are bounded too', async (t) => {
  let dropped = 0
  const onDropped = (messages: number) => {
    dropped += messages
  }
  const inbox = new Inbox(100 * 257, { ...modules(), onDropped })
  for (let index = 0; index < 1000; index++) inbox.push(message('x'))
  await waitUntil('drops are reported', () => dropped > 0)
  t.equal(dropped, 900)
})

t.test(
  'an exception in the handler or in the report is a fault, and the next message is handled',
  async (t) => {
    const faults: unknown[] = []
    const seen: string[] = []
    const inbox = new Inbox(1000, {
      handle({ topic }) {
        if (topic === 'bad') throw new Error('handler')
        seen.push(topic)
      },
      onDropped() {
        throw new Error('report')
      },
      onFault: (error) => void faults.push(error),
    })
    inbox.drop(1)
    inbox.push(message('bad'))
    inbox.push(message('good'))
    await waitUntil('the good one is handled', () => seen.length === 1)
    t.strictSame(
      faults.map((fault) => (fault as Error).message),
      ['report', 'handler'],
    )
  },
)

t.test('close takes nothing more and waits for what is queued; forget leaves that out', async (t) => {
  for (const forget of [false, true]) {
    let release = () => {}
    const seen: string[] = []
    const inbox = new Inbox(1 << 20, {
      ...modules(),
      async handle({ topic }) {
        seen.push(topic)
        if (topic === 'a')
          await new Promise<void>((resolve) => {
            release = resolve
          })
        seen.push(`end of ${topic}`)
      },
    })
    for (const topic of ['a', 'b']) inbox.push(message(topic))
    await waitUntil('the first is running', () => seen.length === 1)
    const closed = inbox.close()
    if (forget) inbox.forget()
    inbox.push(message('c'))
    release()
    await closed
    inbox.push(message('d'))
    await turn()
    t.strictSame(seen, ['a', 'end of a', ...(forget ? [] : ['b', 'end of b'])])
  }
})
