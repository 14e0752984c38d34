/**
 * A paid topic on Debian's mosquitto, which lets everybody hear everything: it opens for who has paid, and for nobody else.
 *
 * The thief has recorded all messages of the sale, and asks as it can: in its own name, and with the payer's own question.
 */
import { connectAsync } from 'mqtt'
import t, { type Test } from 'tap'
import { Validator } from '../../broker/validator.ts'
import { buyTopic } from '../../cli/buy-topic.ts'
import type { Step } from '../../cli/buying.ts'
import { type Reading, TopicReader } from '../../cli/topic-reader.ts'
import { COIN } from '../../ledger/amount.ts'
import { createNetwork } from '../../ledger/network.ts'
import { ChainStore } from '../../node/chain-store.ts'
import { systemClock } from '../../node/clock.ts'
import { openDisk } from '../../node/disk.ts'
import { hashing, signatures } from '../../node/signing.ts'
import { invariant } from '../../schemas/result.ts'
import { type ParsedTopic, parseTopic, topic } from '../../schemas/topic.ts'
import { alice, bob, carol, signer, testGenesis } from '../helpers/ledger.ts'
import { installed, leftOut, startMosquitto } from '../helpers/mosquitto.ts'
import { temporary } from '../helpers/processes.ts'
import { recordingLog } from '../helpers/rig.ts'
import { countingScript, openShop } from '../helpers/shop.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { LabMiner } from './lab.ts'

const SECOND = COIN / 100
const SELL = { perMinute: '0.6', freeEverySeconds: 5, secondsMin: 2, secondsMax: 60 }
const mosquitto = installed('mosquitto')

/** Validator, miner and seller on one mosquitto. */
async function site(t: Test, program: string) {
  const { url } = await startMosquitto(t, program)
  const genesis = testGenesis({ time: Date.now() - 600_000 })
  const made = createNetwork(genesis, { hashing, signatures })
  invariant(made.ok, 'the test genesis is valid')
  const { log } = recordingLog()
  const store = new ChainStore(openDisk(temporary(t)), genesis)
  const validator = new Validator(
    { session: { url }, name: 'validator', software: 'test', signer: signer(201) },
    {
      store,
      clock: systemClock(),
      random: Math.random,
      log,
      events: { connected: () => {}, disconnected: () => {}, refused: () => {} },
      onFatal: (error) => t.fail('the validator failed', { error }),
    },
  )
  t.teardown(async () => {
    await validator.stop()
    store.close()
  })
  validator.start()
  const miner = new LabMiner(temporary(t), genesis, url, bob, bob.account)
  t.teardown(() => miner.stop())
  await waitUntil('the validator is connected', () => validator.node.session.connected)
  miner.start(500, 0)
  const soil = { name: 'soil', driver: 'script', file: countingScript(t, 0.1), unit: '%', sell: SELL }
  const shop = await openShop(t, { url, genesis, clock: systemClock() }, { sensors: [soil] })
  return { url, network: made.value, shop }
}

async function opensForPayers(t: Test, program: string): Promise<void> {
  const { url, network, shop } = await site(t, program)
  /** All that was said of the sale, as the broker has it. */
  const tape: { topic: ParsedTopic; payload: Uint8Array }[] = []
  const thief = await connectAsync(url)
  t.teardown(() => thief.endAsync(true))
  const stolen: number[] = []
  const denied: string[] = []
  const publish = (name: string, payload: Uint8Array): void => void thief.publish(name, Buffer.from(payload))
  const reader = new TopicReader(shop.account, 'soil', {
    network,
    signer: carol,
    publish,
    nowMs: () => performance.now(),
    onReading: ({ value }) => void stolen.push(value),
    onDenied: (code) => void denied.push(code),
  })
  thief.on('message', (name, payload) => {
    const parsed = parseTopic(name)
    if (parsed === undefined) return
    if (parsed.kind === 'paid' || parsed.kind === 'key') tape.push({ topic: parsed, payload })
    reader.take(parsed, payload)
  })
  await thief.subscribeAsync('pinledger/#')

  const steps: Step[] = []
  const readings: Reading[] = []
  const { log } = recordingLog()
  const code = await buyTopic(
    { url },
    alice,
    {
      item: { kind: 'topic', name: 'soil' },
      seller: shop.account,
      amount: 8 * SECOND,
      network: undefined,
      waitSeconds: 60,
    },
    {
      say: (step) => void steps.push(step),
      onReading: (reading) => void readings.push(reading),
      log,
      now: Date.now,
      signal: new AbortController().signal,
    },
  )
  t.equal(code, 0)
  t.strictSame(
    steps.map(({ step }) => step),
    ['paid', 'accepted', 'confirmed', 'sold'],
  )
  t.ok(readings.length > 20, `the payer read ${readings.length} in 8 s`)
  const values = readings.map(({ value }) => value)
  t.strictSame(
    values,
    values.map((_, index) => (values[0] ?? 0) + index),
    'each, in order',
  )

  const ofKind = (kind: string) => tape.filter((each) => each.topic.kind === kind)
  t.ok(ofKind('paid').length >= readings.length, 'the thief heard all of it')
  t.ok(
    ofKind('paid').every(({ topic: { json } }) => !json),
    'and nothing that can be read',
  )
  t.ok(denied.includes('not-paid'), 'it asked, and was told that it has not paid')
  const [question] = ofKind('key').filter(({ topic: { publisher } }) => publisher === alice.account)
  t.ok(question, "it has alice's question")
  if (question !== undefined) {
    const answers = ofKind('key').length
    publish(topic(network.id, 'key', carol.account, shop.account), question.payload)
    publish(topic(network.id, 'key', alice.account, shop.account), question.payload)
    await waitUntil('the seller answers what it hears again', () => ofKind('key').length > answers + 2)
  }
  for (const { topic: name, payload } of tape)
    reader.take({ ...name, rest: name.kind === 'key' ? [carol.account] : name.rest }, payload)
  t.strictSame(stolen, [], 'and opens nothing with all it has')
}

t.test('on mosquitto a paid topic opens for who has paid and for nobody else', async (t) => {
  if (mosquitto === undefined) leftOut(t, 'mosquitto')
  else await opensForPayers(t, mosquitto)
})
