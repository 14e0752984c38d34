/**
 * The tables of docs/PROTOCOL.md are used: their layouts encode values as our codecs do, and their numbers are the code's.
 *
 * What section 10 says of logs, section 13 of vectors and section 14 of slow hands is compared in the files beside this one.
 */
import { readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { VERDICTS } from '../../ledger/fault.ts'
import { TAGS } from '../../ledger/hashing.ts'
import { MEMPOOL_DEFAULTS } from '../../ledger/mempool-limits.ts'
import { PRESETS } from '../../ledger/preset.ts'
import { change, KIND } from '../../ledger/state.ts'
import { RECORD } from '../../node/records.ts'
import { block, header } from '../../schemas/block.ts'
import { link } from '../../schemas/checkpoint.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { REFUSAL_CODES } from '../../schemas/file-message.ts'
import { genesis, handGenesis } from '../../schemas/genesis.ts'
import { fromHex, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { labTower } from '../../schemas/lab-message.ts'
import { handTip } from '../../schemas/message.ts'
import { OFFER_KINDS, offerItem } from '../../schemas/offer.ts'
import { stateProof } from '../../schemas/proof.ts'
import { tick as tickCodec } from '../../schemas/tick.ts'
import { KINDS } from '../../schemas/topic.ts'
import {
  channelProof,
  coinbase,
  sample,
  type TransactionType,
  TYPE_NUMBERS,
  transaction,
} from '../../schemas/transaction.ts'
import { fromRoot } from '../helpers/root.ts'
import { agrees, fields, layout, limits, limitsInText, type Row, rowsOf } from './protocol-tables.ts'
import { encoding, laidOut, ledger, ofCodec, sold, spoken } from './protocol-vectors.ts'

interface Typed {
  readonly type: TransactionType
  readonly proof?: { readonly type: string }
}

const transactions = Object.entries(encoding.transactions) as [string, { json: Typed }][]
const bytesOf = (codec: Codec<unknown>, json: unknown) => toHex(encode(codec, codec.json.parse(json)))

t.test('the layouts of the document are those of the codecs', async (t) => {
  const head = layout(3, 'Number 13 is reserved').filter(({ Field }) => Field !== 'own fields')
  const compare = (title: string, json: Typed, lead: string) =>
    agrees(t, title, [...head, ...layout(3, lead)], transaction, json, {
      ...json,
      type: TYPE_NUMBERS[json.type],
    })
  for (const type of ['transfer', 'reading', 'batch'])
    compare(type, encoding.transactions[type].json, `\`${type}\``)
  for (const type of ['admission', 'revocation'])
    compare(type, encoding.transactions[type].json, '`admission` and `revocation`')
  for (const [title, { json }] of transactions)
    if (TYPE_NUMBERS[json.type] >= TYPE_NUMBERS.channelOpen)
      compare(title, json, `\`${json.type}\`, own fields`)
  agrees(t, 'sample', layout(3, '`sample`'), sample, encoding.transactions.reading.json.sample)
  agrees(t, 'header', layout(4), header, encoding.header.json)
  const { source, target } = ledger.checkpoint
  agrees(t, 'link', layout(5, 'multiple of 8'), link, { source, target })
  agrees(t, 'coinbase', layout(5, 'The coinbase:'), coinbase, encoding.coinbase.json)
  const whole = decode(block, fromHex(ledger.blocks[0].bytes), 1 << 20)
  agrees(t, 'block', layout(5, 'bytes ('), block, whole.ok && block.toJson(whole.value))
  agrees(t, 'genesis', layout(6), genesis, ledger.genesis.json)
  limits(t, 'genesis', layout(6), genesis.fields)
  const [version, ...rules] = layout(6)
  const second = [{ ...version, Type: 'constant 2' }, ...rules, { Field: 'hand', Type: 'hand' }]
  agrees(t, 'genesis of version 2', second, genesis, ledger.handed.genesis.json)
  for (const { json } of [encoding.hand, ledger.handed.hand])
    agrees(t, 'hand', layout(14, '`hand`'), handGenesis, json)
  for (const { json } of encoding.ticks) agrees(t, 'tick', layout(14, '`tick`'), tickCodec, json)
  limits(t, 'tick', layout(14, '`tick`'), tickCodec.fields)
  t.equal(ofCodec('handTip').length, 1)
  for (const { json } of ofCodec('handTip')) agrees(t, 'handTip', layout(14, '`handTip`'), handTip, json)
  const tower = {
    ...{ order: ZERO_HASH, term: 1, round: 2, leftMs: 3, signature: '0'.repeat(128) },
    tips: [1, 2].map((height) => ({ height, hash: ZERO_HASH })),
  }
  agrees(t, 'labTower', layout(16, '`labTower`'), labTower, tower)
  limits(t, 'labTower', layout(16, '`labTower`'), labTower.fields)
  for (const [name, codec] of Object.entries(laidOut)) {
    const rows = layout(8, `\`${name}\``)
    for (const { json } of ofCodec(name)) agrees(t, name, rows, codec, json)
    limits(t, name, rows, codec.fields)
  }
  for (const { json } of ofCodec('stateProof'))
    agrees(t, 'stateProof', layout(5, 'that path'), stateProof, json)
  limits(t, 'stateProof', layout(5, 'that path'), stateProof.fields)
  const [record] = ofCodec('changesRecord')
  const stored = record?.json as { changes: unknown[] } | undefined
  agrees(t, 'change', layout(10, '`change`'), change, stored?.changes[0])
})

/** A member of a numbered union: in JSON, and as our codec encodes it. */
interface Member {
  readonly title: string
  readonly json: unknown
  readonly bytes: string
}

/** Checks that the row of its type encodes each member as we do. `codes` stand in words in JSON, and in the text under the table. */
function agreesByType(
  t: Test,
  section: number,
  column: string,
  members: readonly Member[],
  codes: Readonly<Record<string, number>> = {},
): readonly Row[] {
  const rows = rowsOf(section, `Number ${column} Fields`)
  for (const { title, json, bytes } of members) {
    const { type, ...facts } = json as { type: string; code?: string }
    const row = rows.find((each) => each[column] === type)
    const codec = fields(row?.Fields?.replace('code choice', 'code u8') ?? '')
    const coded = facts.code === undefined ? facts : { ...facts, code: codes[facts.code] }
    const number = toHex(Uint8Array.of(Number(row?.Number)))
    t.equal(number + toHex(encode(codec, codec.json.parse(coded))), bytes, `${title}: ${type}`)
  }
  return rows
}

t.test('requests, replies and log records are those of the document', async (t) => {
  for (const [name, column, codes] of [
    ['request', 'Request'],
    ['reply', 'Reply'],
    ['keyMessage', 'Message', { 'not-paid': 1, 'not-for-sale': 2 }],
    ['fileMessage', 'File message', REFUSAL_CODES],
  ] as const) {
    const members = ofCodec(name).map((each) => ({ ...each, title: name }))
    const rows = agreesByType(t, 8, column, members, codes)
    t.equal(rows.length, members.length, `every ${name} has a vector`)
  }
  const proofs = transactions.flatMap(([title, { json }]) =>
    json.proof === undefined ? [] : [{ title, json: json.proof, bytes: bytesOf(channelProof, json.proof) }],
  )
  t.equal(agreesByType(t, 3, 'Proof', proofs).length, 2)
  const sells = sold.items.map((json) => ({ title: 'item', json, bytes: bytesOf(offerItem, json) }))
  const items = agreesByType(t, 8, 'Item', sells)
  t.strictSame(
    items.map(({ Item }) => Item),
    OFFER_KINDS,
  )
  const records = rowsOf(10, 'Kind Record Payload').map(({ Kind, Record = '' }) => [Record, Number(Kind)])
  t.same(Object.fromEntries(records), RECORD)
  const reserved = rowsOf(12, 'Reserved Numbers')[0]?.Numbers?.match(/\d+/g)
  t.same(reserved, ['13'])
  for (const number of reserved ?? []) {
    const bytes = fromHex(encoding.transactions.transfer.bytes)
    bytes[0] = Number(number)
    t.notOk(decode(transaction, bytes, 1024).ok, `type ${number} is refused`)
  }
})

t.test(
  'tags, numbers, faults, topics, presets and limits of the document are those of the code',
  async (t) => {
    const table = (section: number, columns: string, key: string, value: string) =>
      Object.fromEntries(rowsOf(section, columns).map((row) => [row[key], row[value]]))
    t.strictSame(table(2, 'Name Tag', 'Name', 'Tag'), TAGS)
    t.strictSame(table(11, 'Code Verdict', 'Code', 'Verdict'), VERDICTS)
    t.same(table(3, 'Number Type', 'Type', 'Number'), { coinbase: 0, ...TYPE_NUMBERS })
    t.same(table(5, 'Kind Name Key', 'Name', 'Kind'), KIND)
    const kinds = rowsOf(7, 'Kind Publisher').map(({ Kind, Publisher, Retained, Levels, Readers }) => {
      const readers = Readers === 'all' ? {} : { readers: Readers }
      return [
        Kind,
        { publisher: Publisher, retained: Retained === 'yes', levels: Number(Levels), ...readers },
      ]
    })
    t.strictSame(Object.fromEntries(kinds), KINDS)
    for (const { Preset, ...numbers } of rowsOf(6, 'Preset interval')) {
      for (const [name, number] of Object.entries(numbers)) {
        const preset = PRESETS[Preset as keyof typeof PRESETS]
        t.equal(Number(number), preset[name as 'interval'], `${Preset} ${name}`)
      }
    }
    t.same(table(9, 'Constant Value', 'Constant', 'Value'), MEMPOOL_DEFAULTS)
    for (const { sentence, value, found } of limitsInText()) t.equal(found, value, sentence)
  },
)

t.test('the worked examples of the document are vectors', async (t) => {
  for (const row of rowsOf(4, 'Interval Half-life')) {
    const vector = ledger.targets.find(
      (each: { interval: number; halfLife: number; solveTime: number; target: string }) =>
        each.interval === Number(row.Interval) &&
        each.halfLife === Number(row['Half-life']) &&
        each.solveTime === Number(row['Solve time']) &&
        each.target.startsWith(row["Parent's target"]?.replace('...', '') ?? '-'),
    )
    t.ok(vector?.next.startsWith(row.Target?.replace('...', '')), JSON.stringify(row))
  }
  const known = JSON.stringify([encoding, ledger, spoken])
  const hashes = readFileSync(fromRoot('docs/PROTOCOL.md'), 'utf8').match(/\b[0-9a-f]{64}\b/g)
  for (const hash of new Set(hashes)) t.ok(known.includes(hash), `${hash} is in a vector`)
})
