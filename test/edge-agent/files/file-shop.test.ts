import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { signFileMessage } from '../../../ledger/file-quote.ts'
import { FileConversation } from '../../../node/file-conversation.ts'
import { createKeyPair, type KeyPair } from '../../../node/key-agreement.ts'
import type { Signer } from '../../../node/signing.ts'
import { decode } from '../../../schemas/codec.ts'
import {
  FILE_MESSAGE_BYTES_MAX,
  type FileMessage,
  fileMemo,
  fileMessage,
} from '../../../schemas/file-message.ts'
import type { ParsedTopic } from '../../../schemas/topic.ts'
import { BUYER, FileMarket, type MarketOptions, SELLER } from '../../helpers/file-market.ts'
import { carol, signer } from '../../helpers/ledger.ts'

const FILE = new Uint8Array(70 * 65_536).map((_, at) => at % 251)
type Said<T> = Extract<FileMessage, { type: T }>

/** A shop, and what it says. */
function lab(t: Test, options: MarketOptions = { files: { 'day.bin': FILE } }) {
  const market = new FileMarket(t, options)
  market.isMining = false
  const { network } = market.test
  const said: FileMessage[] = []
  market.tamper = (payload) => {
    const decoded = decode(fileMessage, payload, FILE_MESSAGE_BYTES_MAX)
    if (decoded.ok) said.push(decoded.value)
    return undefined
  }
  const shop = market.startSeller()
  const topic: ParsedTopic = {
    ...{ network: network.id, kind: 'file', publisher: BUYER.account, json: false },
    rest: [SELLER.account],
  }
  const hear = (
    payload: Uint8Array,
    from: Signer = BUYER,
    change: Partial<ParsedTopic> = {},
    retain = false,
  ) => shop.onMessage({ ...topic, publisher: from.account, ...change }, payload, retain)
  const question = (name: string, { publicKey }: KeyPair, from: Signer = BUYER) => {
    const head = { seller: SELLER.account, buyer: from.account, name, publicKey }
    return signFileMessage(network, { type: 'quoteRequest', ...head }, from.sign)
  }
  const pair = createKeyPair()
  /** The answers, once there are so many. */
  const answers = async (count: number): Promise<readonly FileMessage[]> => {
    for (let waits = 0; said.length < count && waits < 2_000; waits++) await delay(5)
    await delay(20)
    return said.splice(0)
  }
  return {
    ...{ market, hear, question, pair, answers },
    ask: (name: string, from: Signer = BUYER) => hear(question(name, pair, from), from),
    async quote(name = 'day.bin', key = pair): Promise<Said<'quote'> & { conversation: FileConversation }> {
      hear(question(name, key))
      const quote = (await answers(1)).find((each) => each.type === 'quote')
      if (quote === undefined) throw new Error('there is no quote')
      const parties = { seller: SELLER.account, buyer: BUYER.account, lock: quote.lock }
      const sale = { genesis: network.genesisHash, ...parties }
      const conversation = FileConversation.between(key, quote.sellerKey, sale)
      if (conversation === undefined) throw new Error('the key is none')
      return { ...quote, conversation }
    },
  }
}
const codes = (list: readonly FileMessage[]) =>
  list.map((each) => (each.type === 'refusal' ? each.code : each.type))
const indices = (list: readonly FileMessage[]) =>
  list.map((each) => (each.type === 'chunk' ? each.index : -1)).sort((a, b) => a - b)

t.test('who cannot pay, and asks for what is not for sale, gets no quote', async (t) => {
  const { ask, answers } = lab(t)
  const poor = signer(9)
  ask('day.bin', poor)
  ask('night.bin')
  ask('day.bin', carol)
  t.strictSame(codes(await answers(3)), ['uncovered', 'not-for-sale', 'quote'])
})

t.test('a message on another topic, kept by a broker or changed is not answered', async (t) => {
  const { hear, question, pair, answers } = lab(t)
  const payload = question('day.bin', pair)
  hear(payload, BUYER, {}, true)
  hear(payload, BUYER, { json: true })
  hear(payload, BUYER, { kind: 'channel' })
  hear(payload, BUYER, { rest: [BUYER.account] })
  hear(payload, carol)
  hear(payload.map((byte, at) => (at === payload.length - 1 ? byte ^ 1 : byte)))
  await delay(100)
  t.strictSame(await answers(0), [])
})

t.test('who asks without end is not answered without end, and others still are', async (t) => {
  const { ask, answers } = lab(t)
  for (let asked = 0; asked < 30; asked++) ask('night.bin')
  ask('night.bin', carol)
  t.equal((await answers(21)).length, 21)
})

t.test('all together are answered so often', async (t) => {
  const { ask, answers } = lab(t)
  for (let asked = 0; asked < 120; asked++) ask('night.bin', signer(10 + Math.floor(asked / 10)))
  t.equal((await answers(100)).length, 100)
})

t.test('only so many files are made ready at a time', async (t) => {
  const names = Array.from({ length: 17 }, (_, at) => `f${at}`)
  const { ask, answers } = lab(t, {
    files: Object.fromEntries(names.map((name) => [name, FILE.subarray(0, 9)])),
  })
  for (const name of names) ask(name)
  const said = codes(await answers(17))
  t.equal(said.filter((code) => code === 'busy').length, 1)
  t.equal(said.filter((code) => code === 'quote').length, 16)
})

t.test(
  'who asks again meanwhile hears how far it is, and gets one quote, for the newest question',
  async (t) => {
    const { hear, question, answers, pair } = lab(t)
    const newer = createKeyPair()
    hear(question('day.bin', pair))
    hear(question('day.bin', newer))
    const [preparing, quote, ...more] = await answers(2)
    t.match(preparing, { type: 'refusal', code: 'preparing', message: /^\d+ %$/ })
    t.match(quote, { type: 'quote', publicKey: newer.publicKey })
    t.strictSame(more, [])
  },
)

t.test('what was changed since it was made ready is made ready anew', async (t) => {
  const { market, quote } = lab(t)
  const first = await quote()
  market.put('day.bin', FILE.subarray(1))
  const second = await quote()
  t.not(second.lock, first.lock)
  t.not(second.ciphertext, first.ciphertext)
  t.equal(second.size, FILE.length - 1)
  t.equal((await quote()).ciphertext, second.ciphertext)
})

t.test('chunks go to who has the quote, as many as there are and as may be asked for at once', async (t) => {
  const { hear, quote, answers } = lab(t)
  const { conversation } = await quote()
  hear(conversation.request(0, 500))
  t.strictSame(
    indices(await answers(64)),
    Array.from({ length: 64 }, (_, at) => at),
  )
  hear(conversation.request(68, 10))
  t.strictSame(indices(await answers(2)), [68, 69])
  hear(conversation.request(70, 10))
  hear(conversation.request(2 ** 32 - 1, 1))
  t.strictSame(await answers(0), [])
})

t.test('chunks of what was not quoted to who asks are not sent, and that is not said for ever', async (t) => {
  const { hear, quote, answers } = lab(t)
  const { conversation } = await quote()
  const payload = conversation.request(0, 1)
  for (let asked = 0; asked < 30; asked++) hear(payload, carol)
  const said = codes(await answers(20))
  t.equal(said.length, 20)
  t.ok(said.every((code) => code === 'unquoted'))
  hear(payload.map((byte, at) => (at === payload.length - 1 ? byte ^ 1 : byte)))
  t.strictSame(await answers(0), [], 'nor to who only has the name of the buyer')
  hear(payload)
  t.strictSame(indices(await answers(1)), [0])
})

t.test('only so many chunks are read or on their way to the broker at a time', async (t) => {
  const { market, hear, quote, answers } = lab(t)
  const { conversation } = await quote()
  const onTheirWay: (() => void)[] = []
  market.leaves = () => new Promise((leave) => void onTheirWay.push(leave))
  hear(conversation.request(0, 40))
  const numbers = (from: number, count: number) => Array.from({ length: count }, (_, at) => from + at)
  t.strictSame(indices(await answers(16)), numbers(0, 16))
  for (const leave of onTheirWay.splice(0, 3)) leave()
  t.strictSame(indices(await answers(3)), numbers(16, 3))
})

t.test('a new question of the buyer ends what an earlier one asked for', async (t) => {
  const slow = { kilobytesPerSecond: 64, kilobytesPerSecondPerBuyer: 64 }
  const { market, hear, quote, answers } = lab(t, { files: { 'day.bin': FILE }, config: slow })
  const { conversation } = await quote()
  hear(conversation.request(0, 30))
  const sent = (await answers(1)).length
  t.ok(sent < 5, `${sent}`)
  const later = await quote('day.bin', createKeyPair())
  hear(conversation.request(0, 1))
  t.strictSame(await answers(0), [], 'the old key is no longer good')
  await market.pass(60_000)
  hear(later.conversation.request(69, 1))
  t.strictSame(indices(await answers(1)).slice(0, 1), [69])
})

t.test('when the file is another one the buyer is told so, once, and gets no more of it', async (t) => {
  const { market, hear, quote, answers } = lab(t)
  const { conversation } = await quote()
  market.put(
    'day.bin',
    FILE.map((byte) => byte ^ 1),
  )
  hear(conversation.request(0, 20))
  t.strictSame(codes(await answers(1)), ['changing'])
  hear(conversation.request(0, 1))
  t.strictSame(codes(await answers(1)), ['unquoted'])
})

t.test('a file that was written to just now waits, also where its time is in the future', async (t) => {
  const { market, ask, answers } = lab(t, { files: { 'day.bin': FILE }, config: { quietSeconds: 10 } })
  const path = join(market.shelf, 'day.bin')
  const at = (ms: number) => utimesSync(path, ms / 1_000, ms / 1_000)
  const asked = async () => {
    ask('day.bin')
    return codes(await answers(1))
  }
  at(market.test.nowMs - 9_000)
  t.strictSame(await asked(), ['changing'])
  at(market.test.nowMs - 10_000)
  t.strictSame(await asked(), ['quote'])
  at(market.test.nowMs + 1e9)
  t.strictSame(await asked(), ['changing'])
  await market.pass(9_999)
  t.strictSame(await asked(), ['changing'])
  await market.pass(1)
  t.strictSame(await asked(), ['quote'], 'it has been the same for so long')
  at(market.test.nowMs + 2e9)
  t.strictSame(await asked(), ['changing'])
})

t.test('a price is a whole number of smallest units, and a name no word of the language', async (t) => {
  const files = { constructor: FILE.subarray(0, 5), empty: new Uint8Array(0), 'own.bin': FILE.subarray(0, 5) }
  const config = { price: undefined, perKilobyte: '0.00000001', prices: { 'own.bin': '0.5' } }
  const { quote } = lab(t, { files, config })
  t.equal((await quote('constructor')).price, 1)
  t.equal((await quote('empty')).price, 1)
  t.equal((await quote('own.bin')).price, 50_000_000)
})

t.test(
  'a quote is good for its minutes, by the chain where the clock is not known to be right',
  async (t) => {
    const { market, question, pair, answers, quote } = lab(t)
    t.equal((await quote()).until, market.test.nowMs + 10 * 60_000)
    market.killSeller()
    const clock = { now: () => market.test.nowMs - 1e9, monotonic: () => 0, synchronised: () => false }
    const shop = market.startSeller({ clock })
    const topic = { network: market.test.network.id, kind: 'file', publisher: BUYER.account } as const
    shop.onMessage({ ...topic, json: false, rest: [SELLER.account] }, question('day.bin', pair), false)
    t.match(await answers(1), [{ type: 'quote', until: market.test.chain.tip.time + 10 * 60_000 }])
  },
)

t.test(
  'a file that is changed while it is made ready is not quoted, nor one to a key that is none',
  async (t) => {
    const { market, ask, hear, question, answers, pair } = lab(t)
    ask('day.bin')
    market.put('day.bin', FILE.subarray(1))
    t.strictSame(codes(await answers(1)), ['changing'])
    hear(question('day.bin', { ...pair, publicKey: new Uint8Array(32) }))
    await delay(300)
    t.strictSame(await answers(0), [])
  },
)

t.test('who pays more than the price gets the key, by whatever rule the price was made', async (t) => {
  const rules = [
    { price: '2' },
    { price: undefined, prices: { 'day.bin': '2' } },
    { price: undefined, perKilobyte: '2' },
  ]
  for (const config of rules) {
    const { market, quote } = lab(t, { files: { 'day.bin': FILE.subarray(0, 9) }, config })
    const { price, lock, file } = await quote()
    const { chain } = market.test
    const deadline = { height: chain.next.height + 13, time: market.test.nowMs + 120_000 }
    const terms = { type: 'hashlock', to: SELLER.account, amount: price + 1, lock, memo: fileMemo(file) }
    const { bytes } = market.test.sign(BUYER, { ...terms, ...deadline })
    await market.line(BUYER).sendTransaction(bytes)
    market.mine(4)
    t.equal(market.keysTold(), 1, JSON.stringify(config))
  }
})

t.test('of many conversations the oldest ends', async (t) => {
  const names = Array.from({ length: 65 }, (_, at) => `f${at}`)
  const files = Object.fromEntries(names.map((name) => [name, new TextEncoder().encode(name)]))
  const { market, hear, quote, answers } = lab(t, { files })
  const conversations: FileConversation[] = []
  for (const name of names) {
    await market.pass(1_000)
    conversations.push((await quote(name)).conversation)
  }
  await market.pass(10_000)
  const asked = async (at: number) => {
    const payload = conversations[at]?.request(0, 1)
    if (payload !== undefined) hear(payload)
    return codes(await answers(1))
  }
  t.strictSame([await asked(0), await asked(1), await asked(64)], [['unquoted'], ['chunk'], ['chunk']])
})
