/** Messages of channels: canonical, within their limits, and as docs/PROTOCOL.md section 15 lays them out. */
import t from 'tap'
import {
  CHANNEL_MESSAGE_BYTES_MAX,
  type ChannelMessage,
  type ChannelTalk,
  CLAIM_NOTICE_BYTES_MAX,
  channelMessage,
  channelTalk,
  claimNotice,
  stopCode,
} from '../../schemas/channel-message.ts'
import { type Codec, encode } from '../../schemas/codec.ts'
import type { Hash } from '../../schemas/hex.ts'
import { toHex } from '../../schemas/hex.ts'
import type { ChannelProof, Sample } from '../../schemas/transaction.ts'
import { agrees, fields, layout, rowsOf } from '../docs/protocol-tables.ts'
import { codecFacts } from '../helpers/codec-facts.ts'
import { alice } from '../helpers/ledger.ts'

const bytes = (count: number, value: number): Uint8Array => new Uint8Array(count).fill(value)
const channel = '5c'.repeat(32) as Hash
const signed: ChannelProof = {
  type: 'signed',
  payer: alice.account,
  amount: 77,
  authorisation: bytes(64, 9),
}
/** As large as samples get. */
const sample: Sample = {
  sensor: 's'.repeat(32),
  sequence: 2 ** 53 - 1,
  value: { mantissa: -(2 ** 53 - 1), exponent: 12 },
  unit: 'u'.repeat(15),
  time: 2 ** 48 - 1,
  synchronised: true,
}
const terms = { sensor: 's'.repeat(32), price: 100, every: 2, last: 9 }
const messages: readonly ChannelMessage[] = [
  { type: 'hello', channel, publicKey: bytes(32, 1), signature: bytes(64, 2) },
  { type: 'welcome', channel, hello: bytes(32, 1), publicKey: bytes(32, 3), signature: bytes(64, 4) },
  { type: 'sealed', channel, conversation: bytes(8, 5), box: bytes(284, 6) },
  { type: 'knock', channel },
]
const talks: readonly ChannelTalk[] = [
  { type: 'resume', ...terms, index: 3, proof: [signed] },
  { type: 'delivery', channel, index: 4, due: 400, sample, signature: bytes(64, 7) },
  { type: 'payment', index: 4, proof: { type: 'word', steps: 4, word: channel } },
  { type: 'stop', code: 'bad-proof', message: 'm'.repeat(160) },
]

for (const [title, codec, values] of [
  ['Message', channelMessage, messages],
  ['Inside a box', channelTalk, talks],
] as const)
  t.test(`${title}: canonical, and as the document has it`, async (t) => {
    const rows = rowsOf(15, `Number ${title} Fields`)
    t.equal(rows.length, values.length)
    for (const value of values) {
      const encoded = codecFacts(t, codec as Codec<unknown>, value)
      t.ok(encoded.length <= CHANNEL_MESSAGE_BYTES_MAX, `${value.type} has ${encoded.length} bytes`)
      const row = rows.find((each) => each[title] === value.type)
      const facts = value.type === 'stop' ? { ...value, code: encode(stopCode, value.code)[0] } : value
      const number = toHex(Uint8Array.of(Number(row?.Number)))
      t.equal(number + toHex(encode(fields(row?.Fields ?? ''), facts)), toHex(encoded), value.type)
    }
  })

t.test('what is sealed fits its box', async (t) => {
  for (const talk of talks) t.ok(encode(channelTalk, talk).length + 28 <= 284, talk.type)
})

t.test('a claim notice is canonical, and no larger than its limit', async (t) => {
  const notice = { channel, proof: signed }
  const encoded = codecFacts(t, claimNotice, notice)
  t.ok(encoded.length <= CLAIM_NOTICE_BYTES_MAX)
  agrees(t, 'claimNotice', layout(15, '`claimNotice`'), claimNotice, claimNotice.toJson(notice))
})
