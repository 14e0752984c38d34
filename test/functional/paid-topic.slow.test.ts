/** A paid topic opens and closes: a real broker with its grants, a validator, an agent as it runs, and a buyer as the command is. */
import t, { type Test } from 'tap'
import { buyTopic } from '../../cli/buy-topic.ts'
import type { Step } from '../../cli/buying.ts'
import type { Reading } from '../../cli/topic-reader.ts'
import { COIN } from '../../ledger/amount.ts'
import { systemClock } from '../../node/clock.ts'
import { parseTopic } from '../../schemas/topic.ts'
import { login } from '../broker/running-broker.ts'
import { alice, carol } from '../helpers/ledger.ts'
import { Rig, recordingLog } from '../helpers/rig.ts'
import { countingScript, keepMining, openShop } from '../helpers/shop.ts'
import { waitUntil } from '../helpers/wait-until.ts'

const SECOND = COIN / 100
const EVERY_SECONDS = 0.1

t.test('who pays hears the full rate until its time is over; nobody else hears any of it', async (t) => {
  const rig = await Rig.start(t, { time: Date.now() - 600_000 })
  const running = await rig.validator()
  const script = countingScript(t, EVERY_SECONDS)
  const sell = { perMinute: '0.6', freeEverySeconds: 2, secondsMin: 2, secondsMax: 60, lateSeconds: 86_400 }
  const soil = { name: 'soil', driver: 'script', file: script, unit: '%', sell }
  const shop = await openShop(
    t,
    { url: rig.url, genesis: rig.genesis, clock: systemClock() },
    { sensors: [soil] },
  )
  /** Payloads by kind, as somebody hears them who listens to everything. */
  const heard = new Map<string, number[]>()
  const spy = await login(t, rig.broker, carol)
  spy.on('message', (name, payload) => {
    const parsed = parseTopic(name)
    if (parsed?.json !== true || (parsed.kind !== 'paid' && parsed.kind !== 'reading')) return
    const [record] = JSON.parse(String(payload))
    heard.set(parsed.kind, [...(heard.get(parsed.kind) ?? []), record.v])
  })
  await spy.subscribeAsync('#')
  // Blocks a second apart, of now: what is bought runs by the clock on the wall.
  await keepMining(t, rig, running, 500)
  const steps: Step[] = []
  const readings: (Reading & { atMs: number })[] = []
  const { log, lines } = recordingLog()
  const code = await buyTopic(
    { url: rig.url },
    alice,
    {
      item: { kind: 'topic', name: 'soil' },
      seller: shop.account,
      amount: 6 * SECOND,
      network: undefined,
      waitSeconds: 30,
    },
    {
      say: (step) => void steps.push(step),
      onReading: (reading) => void readings.push({ ...reading, atMs: Date.now() }),
      log,
      now: Date.now,
      signal: new AbortController().signal,
    },
  )
  t.equal(code, 0, JSON.stringify([steps, lines]))
  t.strictSame(
    steps.map(({ step }) => step),
    ['paid', 'accepted', 'confirmed', 'sold'],
  )
  t.ok(readings.length > 10, `${readings.length} readings in 6 s`)
  const values = readings.map(({ value }) => value)
  t.strictSame(
    values,
    values.map((_, index) => (values[0] ?? 0) + index),
    'each, in order',
  )
  const [sold] = steps.filter(({ step }) => step === 'sold')
  const until = sold?.step === 'sold' ? Date.parse(sold.until) : 0
  t.ok((readings.at(-1)?.atMs ?? 0) <= until + 150, 'the last one came within its time')
  t.ok((readings.at(-1)?.atMs ?? 0) > until - 1_500, 'and not long before its end')
  t.equal(heard.get('paid'), undefined, 'nothing of it for who listens to everything')
  const free = heard.get('reading') ?? []
  t.ok(free.length >= 2, 'but what is free')
  t.ok(
    free.every((value, index) => index === 0 || value - (free[index - 1] ?? 0) >= 1.5 / EVERY_SECONDS),
    `${free}`,
  )
  await waitUntil('the ledger has free readings', () => rig.chain.chain.state.totals().readings > 0)
  t.ok(rig.chain.chain.state.totals().readings <= free.length + 1, 'and no others')
})

/** Alice buys so many seconds of a sensor that says something every `everySeconds`; only her own transactions get into blocks. */
async function boughtWithoutReceipt(t: Test, seconds: number, everySeconds: number) {
  const rig = await Rig.start(t, { time: Date.now() - 600_000 })
  const running = await rig.validator()
  const sell = { perMinute: '0.6', secondsMin: 2, secondsMax: 60, lateSeconds: 86_400 }
  const script = countingScript(t, everySeconds)
  const soil = { name: 'soil', driver: 'script', file: script, unit: '%', sell }
  const { url, genesis } = rig
  const shop = await openShop(t, { url, genesis, clock: systemClock() }, { sensors: [soil] })
  await keepMining(t, rig, running, 500, ({ transaction }) => transaction.from === alice.account)
  const steps: Step[] = []
  const heardMs: number[] = []
  const item = { kind: 'topic', name: 'soil' } as const
  const payment = { item, seller: shop.account, amount: seconds * SECOND }
  const code = await buyTopic(
    { url },
    alice,
    { ...payment, network: undefined, waitSeconds: 30 },
    {
      say: (step) => void steps.push(step),
      onReading: () => void heardMs.push(performance.now()),
      log: recordingLog().log,
      now: Date.now,
      signal: new AbortController().signal,
    },
  )
  t.equal(rig.chain.nonceOf(shop.account), 0, 'no block has the receipt')
  return { code, steps, heardMs }
}

t.test('the time that was paid for is read, however long the receipt waits for a block', async (t) => {
  const { code, steps, heardMs } = await boughtWithoutReceipt(t, 4, 0.1)
  t.equal(code, 0, JSON.stringify(steps))
  const ms = (heardMs.at(-1) ?? 0) - (heardMs[0] ?? 0)
  t.ok(ms > 3_000, `of 4 s paid ${ms.toFixed(0)} ms are heard`)
})

t.test('who hears nothing in the time that was paid for is told so', async (t) => {
  const { code, steps } = await boughtWithoutReceipt(t, 2, 1_000)
  t.equal(code, 1)
  t.match(steps.at(-1), { step: 'unheard', reason: /^no reading of soil came until 2\d{3}-/ })
})
