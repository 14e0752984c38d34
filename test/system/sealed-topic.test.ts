/**
 * A paid topic and a file on Debian's mosquitto, which lets everybody hear everything: they open for who has paid, and for nobody else.
 *
 * The thief has recorded all messages of the sale. It asks for the topic as it can: in its own name, and with the payer's own question.
 * It tries the file with the key that the ledger tells everybody.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
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
import { openChunk } from '../../node/file-cipher.ts'
import { createKey } from '../../node/key-file.ts'
import { hashing, signatures } from '../../node/signing.ts'
import { decode } from '../../schemas/codec.ts'
import { CHUNK_TAG_BYTES, chunksOf, FILE_MESSAGE_BYTES_MAX, fileMessage } from '../../schemas/file-message.ts'
import { type Account, fromHex } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type ParsedTopic, parseTopic, topic } from '../../schemas/topic.ts'
import { alice, bob, carol, signer, testGenesis } from '../helpers/ledger.ts'
import { installed, leftOut, startMosquitto } from '../helpers/mosquitto.ts'
import { parsed, run, temporary } from '../helpers/processes.ts'
import { recordingLog } from '../helpers/rig.ts'
import { countingScript, openShop } from '../helpers/shop.ts'
import { waitUntil } from '../helpers/wait-until.ts'
import { LabMiner } from './lab.ts'

const SECOND = COIN / 100
const SELL = { perMinute: '0.6', freeEverySeconds: 5, secondsMin: 2, secondsMax: 60 }
const mosquitto = installed('mosquitto')

/** Validator, miner and a seller with these parts of a configuration on one mosquitto; `rich` has coins. */
async function site(t: Test, program: string, rich: Account, parts: object) {
  const { url } = await startMosquitto(t, program)
  const allocations = [{ account: rich, amount: 1000 * COIN }]
  const genesis = testGenesis({ time: Date.now() - 600_000, allocations })
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
  const shop = await openShop(t, { url, genesis, clock: systemClock() }, parts)
  return { url, network: made.value, shop, miner }
}

async function opensForPayers(t: Test, program: string): Promise<void> {
  const soil = { name: 'soil', driver: 'script', file: countingScript(t, 0.1), unit: '%', sell: SELL }
  const { url, network, shop } = await site(t, program, alice.account, { sensors: [soil] })
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

/** Bytes of the file: several chunks, the last one shorter. */
const FILE = Buffer.from(
  Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7 + Math.floor(at / 251)) % 256),
)
/** Before what is sealed (node/sealed.ts). */
const NONCE_BYTES = 12
/** So much of the file in a message is not there by chance. */
const PIECE_BYTES = 24

async function sellsFiles(t: Test, program: string): Promise<void> {
  const data = temporary(t)
  const key = join(data, 'visitor.json')
  const visitor = createKey(key).account
  mkdirSync(join(data, 'shelf'))
  writeFileSync(join(data, 'shelf', 'day.bin'), FILE)
  const terms = { directory: join(data, 'shelf'), price: '0.5', quietSeconds: 0, confirmations: 2 }
  const deadline = { deadlineBlocks: 240, deadlineMinutes: 5, marginBlocks: 4, marginMinutes: 0.1 }
  const { url, shop, miner } = await site(t, program, visitor, { files: { ...terms, ...deadline } })
  const tape: Buffer[] = []
  const thief = await connectAsync(url)
  t.teardown(() => thief.endAsync(true))
  thief.on('message', (name, payload) => {
    if (parseTopic(name)?.kind === 'file') tape.push(payload)
  })
  await thief.subscribeAsync('pinledger/#')

  const out = join(data, 'bought.bin')
  const bought = await run(t, [
    ...['buy', 'file', 'day.bin', '--of', shop.account, '--key', key, '--broker', url, '--json'],
    ...['--purchases', join(data, 'purchases'), '--out', out, '--max-coins', '0.5'],
  ])
  t.equal(bought.code, 0, `${bought.out}\n${bought.err}`)
  t.match(parsed(bought.out.split('\n').at(-1) ?? ''), { status: 'bought' })
  t.ok(readFileSync(out).equals(FILE), 'the file is the one on the shelf')
  const { chain } = miner.node
  const coins = (account: Account): number => chain.state.account(account).balance
  // The buyer has the key before it is in a block.
  await waitUntil('the claim is in a block', () => coins(shop.account) > 0)
  t.equal(coins(shop.account), COIN / 2, 'the seller has its price')
  t.equal(coins(visitor), 1000 * COIN - COIN / 2, 'and the buyer paid no more')

  const told = miner.confirmed().map(({ transaction }) => transaction)
  const claims = told.flatMap((tx) => (tx.type === 'hashlockClaim' ? [fromHex(tx.preimage)] : []))
  t.equal(claims.length, 1, 'the ledger tells the key to everybody')
  const chunks = tape.flatMap((payload) => {
    const decoded = decode(fileMessage, payload, FILE_MESSAGE_BYTES_MAX)
    return decoded.ok && decoded.value.type === 'chunk' ? [decoded.value] : []
  })
  const count = chunksOf(FILE.length)
  t.equal(new Set(chunks.map(({ index }) => index)).size, count, `the thief heard all ${count} chunks`)
  const openedBy = (told: Uint8Array): number[] =>
    chunks.flatMap(({ index, sealed }) => {
      const place = { index, last: index === count - 1 }
      const ways = [sealed, sealed.subarray(NONCE_BYTES, -CHUNK_TAG_BYTES)]
      return ways.some((bytes) => openChunk(told, place, bytes) !== undefined) ? [index] : []
    })
  t.strictSame(claims.flatMap(openedBy), [], 'and the key opens none of them')
  const piece = FILE.subarray(1_000, 1_000 + PIECE_BYTES)
  t.ok(
    FILE.includes(piece) && tape.every((payload) => !payload.includes(piece)),
    'nor is it there to be read',
  )
}

t.test('on mosquitto a file is sold to who pays, and to nobody who listens', async (t) => {
  if (mosquitto === undefined) leftOut(t, 'mosquitto')
  else await sellsFiles(t, mosquitto)
})
