/** What goes out on `paid/` and who gets a key on `key/`, with what a buyer does with it. */
import t from 'tap'
import { TopicReader } from '../../../cli/topic-reader.ts'
import { PaidTopics } from '../../../edge-agent/sale/paid-topics.ts'
import { Running } from '../../../edge-agent/sale/running.ts'
import type { Desk } from '../../../edge-agent/trade.ts'
import type { Signer } from '../../../node/signing.ts'
import type { Account } from '../../../schemas/hex.ts'
import { type Kind, type ParsedTopic, parseTopic, topic } from '../../../schemas/topic.ts'
import type { Sample } from '../../../schemas/transaction.ts'
import { alice, bob, carol, START_MS, TestChain } from '../../helpers/ledger.ts'
import { recordingLog } from '../../helpers/rig.ts'

const SOIL = { kind: 'topic', name: 'soil' } as const
const chain = new TestChain()
const { network } = chain
/** The start of a minute, so that epochs are easy to follow. */
const NOON = Math.ceil(START_MS / 60_000) * 60_000
const MINUTE = 60_000

interface Sent {
  readonly name: string
  readonly payload: Uint8Array
}

/** Carol sells soil; what is published is kept, and handed on when the test says. */
function lab({ isGuarded = false, seal = 'auto' }: { isGuarded?: boolean; seal?: 'auto' | 'always' } = {}) {
  const time = { now: NOON, monotonic: 0 }
  const sent: Sent[] = []
  const state = { isKnown: true, connected: true }
  const clock = { now: () => time.now, monotonic: () => time.monotonic, synchronised: () => true }
  const running = new Running(clock)
  const publish = (kind: Kind, levels: readonly string[], payload: Uint8Array, json: boolean) => {
    const name = topic(network.id, kind, carol.account, ...levels)
    sent.push({ name: json ? `${name}/json` : name, payload })
    return Promise.resolve(true)
  }
  const refuse = (): never => {
    throw new Error('topics need none of this')
  }
  const desk: Desk = {
    chain: chain.chain,
    signer: carol,
    get outbox() {
      return refuse()
    },
    clock,
    log: recordingLog().log,
    random: () => 0,
    inSync: true,
    get connected() {
      return state.connected
    },
    isGuarded,
    listen: () => {},
    act: refuse,
    tell: (kind, levels, payload) => publish(kind, levels, payload, false),
    tellPeople: (kind, levels, value) =>
      publish(kind, levels, new TextEncoder().encode(JSON.stringify(value)), true),
  }
  const topics = new PaidTopics({
    desk,
    running,
    sold: new Map([['soil', { seal }]]),
    isKnown: () => state.isKnown,
  })
  const pass = (ms: number): void => {
    time.now += ms
    time.monotonic += ms
  }
  let sequence = 0
  const say = (sensor = 'soil'): void => {
    const value = { mantissa: ++sequence, exponent: 0 }
    const sample: Sample = { sensor, sequence, value, unit: '%', time: time.now, synchronised: true }
    topics.onSample(sample)
  }
  const parsed = (name: string): ParsedTopic => parseTopic(name) as ParsedTopic
  /** Somebody who listens to everything, as anybody may on a foreign broker, and asks for keys in its own name. */
  const reader = (of: Signer) => {
    const values: number[] = []
    const denied: string[] = []
    const asked: Sent[] = []
    const own = new TopicReader(carol.account, 'soil', {
      network,
      signer: of,
      publish: (name, payload) => void asked.push({ name, payload }),
      nowMs: () => time.monotonic,
      onReading: ({ value }) => void values.push(value),
      onDenied: (code) => void denied.push(code),
    })
    let heard = 0
    return {
      values,
      denied,
      asked,
      /** Hears what was sent since, then what it asks is answered, and so on. */
      listen(): void {
        for (;;) {
          const news = sent.slice(heard)
          heard = sent.length
          for (const { name, payload } of news) own.take(parsed(name), payload)
          const questions = asked.splice(0)
          for (const { name, payload } of questions) topics.onMessage(parsed(name), payload, false)
          if (questions.length === 0 && news.length === 0) return
        }
      },
    }
  }
  return { topics, running, time, sent, state, pass, say, reader, parsed }
}
const names = (sent: readonly Sent[]): string[] => sent.map(({ name }) => name.split('/').slice(2).join('/'))
const seller: Account = carol.account

t.test(
  'on a broker that keeps it to payers it is readable; on any other, and where that is asked, sealed',
  async (t) => {
    const guarded = lab({ isGuarded: true })
    guarded.say()
    guarded.say('air')
    t.strictSame(names(guarded.sent), [`paid/${seller}/soil/json`])
    t.match(JSON.parse(new TextDecoder().decode(guarded.sent[0]?.payload)), [
      { n: 'soil', v: 1, u: '%', t: NOON / 1000 },
    ])
    for (const options of [{}, { isGuarded: true, seal: 'always' as const }]) {
      const sealed = lab(options)
      sealed.say()
      t.strictSame(names(sealed.sent), [`paid/${seller}/soil`])
      t.notMatch(Buffer.from(sealed.sent[0]?.payload ?? []).toString('latin1'), /soil/)
    }
    const away = lab()
    away.state.connected = false
    away.say()
    t.strictSame(away.sent, [])
  },
)

t.test('who has paid reads, who has not is told so', async (t) => {
  const { running, say, reader } = lab()
  const [payer, other] = [reader(alice), reader(bob)]
  running.sell(SOIL, alice.account, NOON + 30_000)
  for (let each = 0; each < 2; each++) {
    say()
    payer.listen()
    other.listen()
  }
  t.strictSame(payer.values, [2], 'the first one brought the key')
  t.strictSame(other.values, [])
  t.strictSame(other.denied, ['not-paid'])
})

t.test(
  'what comes next is open to who has paid for it, without a gap, and closed to who has not',
  async (t) => {
    const { running, say, reader, pass } = lab()
    const [long, short] = [reader(alice), reader(bob)]
    running.sell(SOIL, alice.account, NOON + 2 * MINUTE)
    running.sell(SOIL, bob.account, NOON + 32_000)
    for (let second = 0; second < 170; second++) {
      say()
      long.listen()
      short.listen()
      pass(1_000)
    }
    t.equal(long.values.length, 119, 'two minutes but the first one')
    t.strictSame(short.values.at(-1), 35, 'to the end of the epoch in which its time ended')
    t.ok(short.denied.length > 0)
  },
)

t.test(
  'a question of a payer that somebody repeats opens nothing for that one, nor after its time',
  async (t) => {
    const { topics, running, say, reader, sent, pass, parsed } = lab()
    const spy = reader(bob)
    const heard: Sent[] = []
    running.sell(SOIL, alice.account, NOON + 30_000)
    // Alice's question, as everybody on the broker sees it.
    const honest = new TopicReader(seller, 'soil', {
      network,
      signer: alice,
      publish: (name, payload) => void heard.push({ name, payload }),
      nowMs: () => 0,
      onReading: () => {},
      onDenied: () => {},
    })
    say()
    for (const { name, payload } of sent) honest.take(parsed(name), payload)
    const [question] = heard
    t.ok(question)
    if (question === undefined) return
    const { payload } = question
    sent.length = 0
    topics.onMessage(parsed(topic(network.id, 'key', bob.account, seller)), payload, false)
    t.strictSame(sent, [], 'under another name it is nobody’s')
    topics.onMessage(parsed(question.name), payload, false)
    t.strictSame(
      names(sent),
      [`key/${seller}/${alice.account}`],
      'repeated as it is, it is answered to alice',
    )
    const answer = sent[0]?.payload ?? payload
    sent.length = 0
    sent.push({ name: topic(network.id, 'key', seller, bob.account), payload: answer })
    say()
    spy.listen()
    t.strictSame(spy.values, [], 'and bob cannot open that')
    pass(2 * MINUTE)
    sent.length = 0
    topics.onMessage(parsed(question.name), payload, false)
    say()
    const late = reader(alice)
    late.listen()
    t.strictSame(late.values, [], 'nor is there a key when the time is over')
  },
)

t.test('what is forged, retained, for another sensor or asked too often is not answered', async (t) => {
  const { topics, running, sent, state, parsed } = lab()
  running.sell(SOIL, alice.account, NOON + MINUTE)
  const ask = (sensor: string) => {
    const asked: Sent[] = []
    const own = new TopicReader(seller, sensor, {
      network,
      signer: alice,
      publish: (name, payload) => void asked.push({ name, payload }),
      nowMs: () => 0,
      onReading: () => {},
      onDenied: () => {},
    })
    const other = lab()
    other.topics.onSample({
      sensor: 'soil',
      sequence: 1,
      value: { mantissa: 1, exponent: 0 },
      unit: '%',
      time: NOON,
      synchronised: true,
    })
    own.take(parsed(topic(network.id, 'paid', seller, sensor)), other.sent[0]?.payload ?? new Uint8Array(0))
    return asked[0] as Sent
  }
  const { name, payload } = ask('soil')
  const spoilt = payload.slice()
  spoilt[40] = (spoilt[40] ?? 0) ^ 1
  topics.onMessage(parsed(name), spoilt, false)
  topics.onMessage(parsed(name), payload, true)
  topics.onMessage(parsed(name), payload.slice(1), false)
  state.isKnown = false
  topics.onMessage(parsed(name), payload, false)
  state.isKnown = true
  t.strictSame(sent, [])
  const air = ask('air')
  topics.onMessage(parsed(air.name), air.payload, false)
  t.equal(sent.length, 1, 'a sensor that is not sold')
  for (let each = 0; each < 100; each++) topics.onMessage(parsed(name), payload, false)
  t.ok(sent.length > 50 && sent.length < 70, `${sent.length} answers at once`)
})
