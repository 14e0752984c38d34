import t from 'tap'
import { createKeyPair } from '../../node/key-agreement.ts'
import { open, seal } from '../../node/sealed.ts'
import {
  askForKeys,
  openKeys,
  openReading,
  readKeyMessage,
  signKeyMessage,
  TopicSeller,
} from '../../node/topic-keys.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { invariant } from '../../schemas/result.ts'
import {
  EPOCH_KEYS_MAX,
  EPOCH_MS,
  epochAt,
  KEY_MESSAGE_BYTES_MAX,
  keyMessage,
  PAID_MESSAGE_BYTES_MAX,
  paidMessage,
  soldReading,
} from '../../schemas/sealed.ts'
import type { Sample } from '../../schemas/transaction.ts'
import { alice as buyer, carol, codeOf, START_MS, bob as seller, testNetwork } from '../helpers/ledger.ts'

const network = testNetwork()
const nowMs = START_MS + 10_000
const epoch = epochAt(nowMs)
const sample: Sample = {
  sensor: 'soil',
  sequence: 7,
  value: { mantissa: 215, exponent: -1 },
  unit: '%RH',
  time: nowMs,
  synchronised: true,
}
const selling = new TopicSeller(network, seller)

/** Keys as a buyer gets them who has paid until then. */
function bought(untilMs: number, at = nowMs): Map<number, Uint8Array> {
  const pair = createKeyPair()
  const question = askForKeys(network, buyer, seller.account, 'soil', pair)
  const ask = readKeyMessage(network, buyer.account, seller.account, question)
  invariant(ask.ok && ask.value.type === 'ask', 'a question')
  const answer = selling.answer(ask.value, at, untilMs)
  invariant(answer !== undefined, 'an answer')
  const read = readKeyMessage(network, seller.account, buyer.account, answer)
  invariant(read.ok && read.value.type === 'keys', 'keys')
  const keys = openKeys(network, read.value, pair)
  invariant(keys.ok, 'keys for us')
  return new Map(keys.value.map((each) => [each.epoch, each.key]))
}

const reading = (payload: Uint8Array, keys: ReadonlyMap<number, Uint8Array>, sensor = 'soil') =>
  openReading(network, seller.account, sensor, payload, (epoch) => keys.get(epoch))

t.test('who has paid asks, gets the keys of what is paid for and reads', async (t) => {
  const keys = bought(nowMs + 2 * EPOCH_MS)
  t.strictSame([...keys.keys()], [epoch, epoch + 1])
  for (const at of [nowMs, nowMs + 1, nowMs + EPOCH_MS])
    t.strictSame(reading(selling.seal(sample, at), keys), { ok: true, value: sample })
  t.equal(codeOf(reading(selling.seal(sample, nowMs + 2 * EPOCH_MS), keys)), 'no-key')
})

t.test('no answer goes beyond the epoch in which the time is over, nor much beyond a minute', async (t) => {
  const end = (epoch + 1) * EPOCH_MS
  t.strictSame([...bought(end + 1).keys()], [epoch, epoch + 1])
  t.strictSame([...bought(end).keys()], [epoch])
  t.strictSame([...bought(epoch * EPOCH_MS).keys()], [])
  const all = [...bought(nowMs + 3_600_000).keys()]
  t.strictSame(
    all,
    Array.from({ length: EPOCH_KEYS_MAX }, (_, index) => epoch + index),
  )
  t.equal(all.length * EPOCH_MS, 65_000)
})

t.test('whenever 10 s are bought, the keys open them and less than 10 s more', async (t) => {
  for (const offset of [0, 1, 2_500, 4_999, 5_000, 45_000]) {
    const from = nowMs + offset
    const until = from + 10_000
    const epochs = [from, until - 1].flatMap((at) => [...bought(until, at).keys()])
    // Recorded or still to come: all that is sealed in these epochs can be read.
    const [start, end] = [Math.min(...epochs) * EPOCH_MS, (Math.max(...epochs) + 1) * EPOCH_MS]
    t.ok(start <= from && end >= until, 'all of what is paid for')
    t.ok(end - start < 20_000, `bought ${offset} ms later, ${end - start} ms are open`)
  }
})

t.test(
  'a seller that was started again has the same keys, another sensor and another seller have others',
  async (t) => {
    const keys = bought(nowMs + EPOCH_MS)
    t.strictSame(reading(new TopicSeller(network, seller).seal(sample, nowMs), keys), {
      ok: true,
      value: sample,
    })
    const air = selling.seal({ ...sample, sensor: 'air' }, nowMs)
    t.equal(codeOf(reading(air, keys, 'air')), 'not-opened')
    t.equal(codeOf(reading(new TopicSeller(network, carol).seal(sample, nowMs), keys)), 'not-opened')
    const elsewhere = testNetwork({ name: 'elsewhere' })
    t.equal(codeOf(reading(new TopicSeller(elsewhere, seller).seal(sample, nowMs), keys)), 'not-opened')
  },
)

t.test('another payer, who has the key, cannot make a reading', async (t) => {
  const keys = bought(nowMs + EPOCH_MS)
  const key = keys.get(epoch)
  invariant(key !== undefined, 'the key')
  const made = (signature: Uint8Array, value = sample) =>
    encode(paidMessage, {
      epoch,
      sealed: seal(key, encode(soldReading, { sale: 1, sample: value, signature })),
    })
  t.equal(codeOf(reading(made(buyer.sign(new Uint8Array(32))), keys)), 'bad-signature')
  const { signature } = soldIn(selling.seal(sample, nowMs), key)
  t.equal(codeOf(reading(made(signature), keys)), 'ok', 'the same reading again is the seller’s')
  t.equal(codeOf(reading(made(signature, { ...sample, sequence: 8 }), keys)), 'bad-signature')
  t.equal(codeOf(reading(made(signature), keys, 'air')), 'not-for-us')
})

t.test('changed payloads are not opened', async (t) => {
  const keys = bought(nowMs + EPOCH_MS)
  const payload = selling.seal(sample, nowMs)
  for (let at = 0; at < payload.length; at++) {
    const changed = payload.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    t.notOk(reading(changed, keys).ok, `byte ${at}`)
  }
  t.equal(codeOf(reading(payload.subarray(0, -1), keys)), 'bad-encoding')
  t.equal(codeOf(reading(new Uint8Array(0), keys)), 'bad-encoding')
})

t.test('messages on key/ count only as what their topic says, signed by it', async (t) => {
  const question = askForKeys(network, buyer, seller.account, 'soil', createKeyPair())
  const read = (from = buyer.account, to = seller.account, bytes = question, on = network) =>
    codeOf(readKeyMessage(on, from, to, bytes))
  t.equal(read(), 'ok')
  t.equal(read(carol.account), 'not-for-us', 'somebody else’s question, sent again under another name')
  t.equal(read(buyer.account, carol.account), 'not-for-us', 'a question to somebody else')
  t.equal(read(seller.account, buyer.account), 'not-for-us', 'a question on the way of an answer')
  t.equal(read(buyer.account, seller.account, question, testNetwork({ name: 'elsewhere' })), 'bad-signature')
  for (let at = 0; at < question.length; at++) {
    const changed = question.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    t.not(read(buyer.account, seller.account, changed), 'ok', `byte ${at}`)
  }
})

t.test('an answer to another question is not ours, nor one that somebody has changed', async (t) => {
  const [pair, other] = [createKeyPair(), createKeyPair()]
  const { account } = seller
  const ask = {
    type: 'ask',
    seller: account,
    buyer: buyer.account,
    sensor: 'soil',
    signature: new Uint8Array(64),
  } as const
  const answer = selling.answer({ ...ask, publicKey: pair.publicKey }, nowMs, nowMs + EPOCH_MS)
  invariant(answer !== undefined, 'an answer')
  const read = readKeyMessage(network, account, buyer.account, answer)
  invariant(read.ok && read.value.type === 'keys', 'keys')
  t.equal(codeOf(openKeys(network, read.value, pair)), 'ok')
  t.equal(codeOf(openKeys(network, read.value, other)), 'not-for-us')
  t.equal(codeOf(openKeys(network, { ...read.value, publicKey: other.publicKey }, other)), 'not-opened')
  t.equal(codeOf(openKeys(network, { ...read.value, sensor: 'air' }, pair)), 'not-opened')
  t.equal(codeOf(openKeys(testNetwork({ name: 'elsewhere' }), read.value, pair)), 'not-opened')
})

t.test('who asks with a key of small order gets no answer', async (t) => {
  const { account } = seller
  const publicKey = new Uint8Array(32)
  const ask = {
    type: 'ask',
    seller: account,
    buyer: buyer.account,
    sensor: 'soil',
    publicKey,
    signature: new Uint8Array(64),
  } as const
  t.equal(selling.answer(ask, nowMs, nowMs + EPOCH_MS), undefined)
})

t.test('why there is no key is signed as well', async (t) => {
  const { publicKey } = createKeyPair()
  const denied = {
    type: 'denied',
    seller: seller.account,
    buyer: buyer.account,
    sensor: 'soil',
    publicKey,
    code: 'not-paid',
  } as const
  const bytes = signKeyMessage(network, seller, denied)
  const read = readKeyMessage(network, seller.account, buyer.account, bytes)
  t.match(read, { ok: true, value: denied })
  t.throws(() => signKeyMessage(network, carol, denied), /we sign what is ours/)
})

t.test('the bounds are those of the largest messages', async (t) => {
  const sensor = 's'.repeat(32)
  const largest = selling.seal({ ...sample, sensor, unit: 'u'.repeat(15) }, nowMs)
  t.equal(largest.length, PAID_MESSAGE_BYTES_MAX)
  const { publicKey } = createKeyPair()
  const ask = {
    type: 'ask',
    seller: seller.account,
    buyer: buyer.account,
    sensor,
    publicKey,
    signature: new Uint8Array(64),
  } as const
  const answer = selling.answer(ask, nowMs, nowMs + EPOCH_KEYS_MAX * EPOCH_MS)
  t.equal(answer?.length, KEY_MESSAGE_BYTES_MAX)
})

t.test('messages on key/ keep their bytes and have a mirror', async (t) => {
  const question = askForKeys(network, buyer, seller.account, 'soil', createKeyPair())
  const decoded = decode(keyMessage, question, KEY_MESSAGE_BYTES_MAX)
  invariant(decoded.ok, 'our own')
  t.strictSame(encode(keyMessage, decoded.value), question)
  t.strictSame(keyMessage.json.parse(keyMessage.toJson(decoded.value)), decoded.value)
})

/** What is in a payload, for who has the key. */
function soldIn(payload: Uint8Array, key: Uint8Array) {
  const message = decode(paidMessage, payload, PAID_MESSAGE_BYTES_MAX)
  invariant(message.ok, 'a payload')
  const body = open(key, message.value.sealed)
  invariant(body !== undefined, 'opened')
  const sold = decode(soldReading, body, body.length)
  invariant(sold.ok, 'a reading')
  return sold.value
}
