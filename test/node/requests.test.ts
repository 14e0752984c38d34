import t, { type Test } from 'tap'
import {
  createRequests,
  REQUEST_BYTES_MAX,
  type Requests,
  type RequestsOptions,
} from '../../node/requests.ts'
import { createSession } from '../../node/session.ts'
import { createSigner } from '../../node/signing.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, type Network, ZERO_HASH } from '../../schemas/hex.ts'
import { BLOCKS_MAX, LOCATOR_MAX, reply, request } from '../../schemas/message.ts'
import { parseTopic, topic } from '../../schemas/topic.ts'
import { startBroker } from '../helpers/challenge-broker.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const network = '0badcafe' as Network
const alice = createSigner(new Uint8Array(32).fill(1))
const bob = createSigner(new Uint8Array(32).fill(2))
const mallory = 'cc'.repeat(32) as Account
const view = { account: mallory, height: 9, nonce: 1, balance: 2, maturing: 3 }

interface Sent {
  topic: string
  payload: Uint8Array
}

/** Requests of one node on their own: what it sends and logs, with a clock that stands still. */
function node(options: Partial<RequestsOptions> = {}, publishes = true) {
  const sent: Sent[] = []
  const logged: string[] = []
  const faults: unknown[] = []
  const clock = { ms: 0 }
  const write = (event: string, fields: object = {}) => void logged.push(`${event} ${JSON.stringify(fields)}`)
  const requests = createRequests(
    { network, self: alice.account, ...options },
    {
      publish: async (topic, payload) => {
        sent.push({ topic, payload })
        return publishes
      },
      log: { debug: write, info: write, warn: write, error: write },
      random: () => 0.5,
      now: () => clock.ms,
      onFault: (error) => void faults.push(error),
    },
  )
  return { requests, sent, logged, faults, clock }
}

function deliver(to: Requests, name: string, payload: Uint8Array) {
  const parsed = parseTopic(name)
  if (parsed === undefined) throw new Error(`not a topic: ${name}`)
  to.receive(parsed, payload)
}

const questionTo = (self: Account, from: Account) => topic(network, 'request', from, self)
const replyTo = (self: Account, from: Account) => topic(network, 'reply', from, self)
const question = (id: number) => encode(request, { type: 'getAccount', id, account: mallory })
const idOf = (sent: Sent | undefined) =>
  new DataView((sent?.payload ?? new Uint8Array(5)).buffer, sent?.payload.byteOffset).getUint32(1)

async function online(t: Test, url: string, signer: typeof alice) {
  const faults: unknown[] = []
  const quiet = () => {}
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const shell = {
    log,
    random: Math.random,
    now: () => performance.now(),
    onFault: (e: unknown) => void faults.push(e),
  }
  const session = createSession(
    { url, signer },
    {
      ...shell,
      onMessage(message) {
        const parsed = parseTopic(message.topic)
        if (parsed !== undefined) requests.receive(parsed, message.payload)
      },
      onConnected: quiet,
      onDisconnected: quiet,
      onDropped: quiet,
    },
  )
  const requests = createRequests(
    { network, self: signer.account },
    { ...shell, publish: session.publish.bind(session) },
  )
  session.subscribe(requests.filters)
  session.start()
  t.teardown(() => session.stop())
  await waitUntil('connected', () => session.connected)
  return { requests, faults }
}

t.test('over a real broker: a question and its answer, in both directions at once', async (t) => {
  const broker = await startBroker({ proof: true })
  t.teardown(() => broker.stop())
  const [one, two] = await Promise.all([online(t, broker.url, alice), online(t, broker.url, bob)])
  one.requests.serve(() => ({ type: 'headers', headers: [] }))
  two.requests.serve((question, from) => {
    t.equal(from, alice.account)
    return question.type === 'getAccount'
      ? { type: 'account', view: { ...view, account: question.account } }
      : undefined
  })
  const [account, headers] = await Promise.all([
    one.requests.ask(bob.account, { type: 'getAccount', account: mallory }),
    two.requests.ask(alice.account, { type: 'getHeaders', locator: [ZERO_HASH], limit: 10 }),
  ])
  t.match(account, { ok: true, value: { type: 'account', view } })
  t.match(headers, { ok: true, value: { type: 'headers', headers: [] } })
  t.strictSame([one.faults, two.faults], [[], []])
})

t.test('a reply counts only from whom was asked, with the id that was sent, and once', async (t) => {
  const { requests, sent, logged } = node()
  const asked = requests.ask(bob.account, { type: 'getAccount', account: mallory })
  const id = idOf(sent[0])
  t.equal(sent[0]?.topic, questionTo(bob.account, alice.account))
  const answer = (answerId: number, balance: number) =>
    encode(reply, { type: 'account', id: answerId, view: { ...view, balance } })
  deliver(requests, replyTo(alice.account, mallory), answer(id, 666))
  deliver(requests, replyTo(alice.account, bob.account), answer(id + 1, 667))
  deliver(requests, replyTo(mallory, bob.account), answer(id, 668))
  deliver(requests, topic('ffffffff' as Network, 'reply', bob.account, alice.account), answer(id, 669))
  deliver(requests, replyTo(alice.account, bob.account), answer(id, 5))
  deliver(requests, replyTo(alice.account, bob.account), answer(id, 6))
  t.match(await asked, { ok: true, value: { view: { balance: 5 } } })
  t.equal(logged.filter((line) => line.includes('nobody asked')).length, 3)
})

t.test('an answer to another question is a fault of the peer', async (t) => {
  const { requests, sent } = node()
  const asked = requests.ask(bob.account, { type: 'getBlocks', height: 1, hashes: [ZERO_HASH] })
  deliver(
    requests,
    replyTo(alice.account, bob.account),
    encode(reply, { type: 'headers', id: idOf(sent[0]), headers: [] }),
  )
  t.match(await asked, { ok: false, fault: { code: 'bad-reply', message: /expected blocks .* got headers/ } })
})

t.test('no reply in time, no connection, too many open questions, stopping: each has its code', async (t) => {
  const late = await node({ timeoutMs: 10 }).requests.ask(bob.account, {
    type: 'getAccount',
    account: mallory,
  })
  t.match(late, { ok: false, fault: { code: 'timeout', message: /within 10 ms/ } })
  const unsent = await node({}, false).requests.ask(bob.account, { type: 'getAccount', account: mallory })
  t.match(unsent, { ok: false, fault: { code: 'not-sent' } })
  const { requests, sent } = node({ outstandingMax: 2 })
  const open = [1, 2].map(() => requests.ask(bob.account, { type: 'getAccount', account: mallory }))
  t.match(await requests.ask(bob.account, { type: 'getAccount', account: mallory }), {
    fault: { code: 'busy' },
  })
  t.not(idOf(sent[0]), idOf(sent[1]))
  requests.stop()
  for (const asked of open) t.match(await asked, { fault: { code: 'stopped' } })
  t.match(await requests.ask(bob.account, { type: 'getAccount', account: mallory }), {
    fault: { code: 'stopped' },
  })
})

t.test('what does not decode is refused with a reason, and never an exception', async (t) => {
  const { requests, sent, logged, faults } = node({
    perRequester: { perSecond: 0, burst: 1e6 },
    overall: { perSecond: 0, burst: 1e6 },
  })
  let answered = 0
  requests.serve(() => {
    answered++
    return undefined
  })
  const good = question(1)
  const garbage = [
    new Uint8Array(0),
    new Uint8Array(REQUEST_BYTES_MAX + 1),
    Uint8Array.of(99, 0, 0, 0, 1),
    Uint8Array.of(...good, 0),
    ...Array.from(good, (_, length) => good.subarray(0, length)),
  ]
  for (const payload of garbage) {
    deliver(requests, questionTo(alice.account, mallory), payload)
    deliver(
      requests,
      replyTo(alice.account, mallory),
      payload.length === 0 ? payload : Uint8Array.of(...payload, 1),
    )
  }
  t.equal(logged.filter((line) => line.includes('refused a request')).length, garbage.length)
  t.equal(logged.filter((line) => line.includes('refused a reply')).length, garbage.length)
  t.match(logged[0], /bad-encoding/)
  t.strictSame([answered, sent, faults], [0, [], []])
})

t.test('the largest requests fit the limit', async (t) => {
  const hashes = Array(BLOCKS_MAX).fill(ZERO_HASH)
  const locator = Array(LOCATOR_MAX).fill(ZERO_HASH)
  t.ok(encode(request, { type: 'getBlocks', id: 1, height: 1, hashes }).length <= REQUEST_BYTES_MAX)
  t.ok(encode(request, { type: 'getHeaders', id: 1, locator, limit: 1 }).length <= REQUEST_BYTES_MAX)
})

t.test('each requester has its own rate, and one over it does not use up what is for all', async (t) => {
  const { requests, sent, clock } = node({
    perRequester: { perSecond: 1, burst: 2 },
    overall: { perSecond: 1, burst: 5 },
  })
  requests.serve(() => ({ type: 'headers', headers: [] }))
  const ask = async (from: Account, times: number) => {
    const before = sent.length
    for (let index = 0; index < times; index++) {
      deliver(requests, questionTo(alice.account, from), question(index))
      await new Promise(setImmediate)
    }
    return sent.length - before
  }
  t.equal(await ask(mallory, 50), 2)
  t.equal(await ask(bob.account, 2), 2, 'another one is still served')
  clock.ms = 1000
  t.equal(await ask(mallory, 5), 1, 'a token a second')
  t.equal(await ask('01'.repeat(32) as Account, 2), 1, 'the limit for all')
})

t.test('only so many answers run at once', async (t) => {
  const { requests, sent } = node({ answeringMax: 2 })
  const release: (() => void)[] = []
  requests.serve(async () => {
    await new Promise<void>((resolve) => release.push(resolve))
    return { type: 'headers', headers: [] }
  })
  for (let id = 0; id < 5; id++) deliver(requests, questionTo(alice.account, bob.account), question(id))
  t.equal(release.length, 2)
  for (const go of release) go()
  await waitUntil('both are answered', () => sent.length === 2)
  t.strictSame(sent.map(idOf), [0, 1])
  deliver(requests, questionTo(alice.account, bob.account), question(9))
  t.equal(release.length, 3, 'then there is room again')
  release[2]?.()
})

t.test('an answerer may stay silent; one that throws is our own fault', async (t) => {
  const { requests, sent, faults } = node()
  deliver(requests, questionTo(alice.account, bob.account), question(1))
  requests.serve(() => undefined)
  deliver(requests, questionTo(alice.account, bob.account), question(2))
  requests.serve(() => {
    throw new Error('bug')
  })
  deliver(requests, questionTo(alice.account, bob.account), question(3))
  await new Promise(setImmediate)
  t.strictSame([sent.length, faults.length], [0, 1])
})
