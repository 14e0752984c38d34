/**
 * Reads the tables of docs/PROTOCOL.md and uses them: a layout becomes a codec, so that document and code are compared
 * byte by byte.
 */
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { GRANT_BOOK_LIMITS } from '../../broker/grant-book.ts'
import { VOTES_PER_SIGNER_MAX } from '../../ledger/finality.ts'
import { TICK_FUTURE_INTERVALS_MAX } from '../../ledger/hand.ts'
import { FUTURE_INTERVALS_MAX, HEADER_GROUP } from '../../ledger/header.ts'
import { LIGHT_CLIENT_DEFAULTS } from '../../ledger/light-client.ts'
import { OVERHEAD_BYTES } from '../../ledger/mempool-limits.ts'
import { OFFER_AHEAD_MS_MAX, OFFER_MS_MAX } from '../../ledger/offer.ts'
import { TICK_WINDOW } from '../../ledger/slow-hand.ts'
import { change } from '../../ledger/state.ts'
import { BATCH_BYTES_MAX, PAYLOAD_BYTES_MAX } from '../../node/append-log.ts'
import { PENDING_MAX } from '../../node/checkpoints.ts'
import { TICK_SIDE_DEPTH_MAX } from '../../node/hand-node.ts'
import { TICKS_HELD_MAX } from '../../node/hand-sync.ts'
import { REQUEST_BYTES_MAX } from '../../node/requests.ts'
import { BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, HEADER_BYTES, header } from '../../schemas/block.ts'
import { CHECKPOINT_DEPTH, CHECKPOINT_EVERY, certificate, checkpoint } from '../../schemas/checkpoint.ts'
import type { Codec } from '../../schemas/codec.ts'
import * as codecs from '../../schemas/codec.ts'
import * as compounds from '../../schemas/compound.ts'
import * as scalars from '../../schemas/field.ts'
import {
  CHUNKS_ASKED_MAX,
  FILE_BYTES_MAX,
  FILE_CHUNK_BYTES,
  FILE_MESSAGE_BYTES_MAX,
} from '../../schemas/file-message.ts'
import { GENESIS_BYTES_MAX, handGenesis } from '../../schemas/genesis.ts'
import { GRANT_MS_MAX } from '../../schemas/grant.ts'
import { toHex } from '../../schemas/hex.ts'
import {
  LAB_ORDER_BYTES_MAX,
  LAB_ROUNDS_MAX,
  LAB_TICKS_BYTES_MAX,
  LAB_TOWER_BYTES_MAX,
} from '../../schemas/lab-message.ts'
import {
  accountView,
  BLOCKS_MAX,
  HEADERS_MAX,
  LOCATOR_MAX,
  MESSAGE_BYTES_MAX,
  TICKS_MAX,
} from '../../schemas/message.ts'
import { OFFER_BYTES_MAX, offerItem } from '../../schemas/offer.ts'
import {
  balanceProof,
  inclusionProof,
  PROOF_BYTES_MAX,
  PROVEN_TRANSACTION_BYTES_MAX,
  stateProof,
} from '../../schemas/proof.ts'
import { QUALITY_SENSORS_MAX } from '../../schemas/quality.ts'
import { itemNameBytesMax } from '../../schemas/receipt-memo.ts'
import { EPOCH_KEYS_MAX, EPOCH_MS, KEY_MESSAGE_BYTES_MAX } from '../../schemas/sealed.ts'
import { ANCHORS_MAX, TICK_BYTES_MAX } from '../../schemas/tick.ts'
import {
  channelProof,
  coinbase,
  MEMO_BYTES_MAX,
  sample,
  TRANSACTION_BYTES_MAX,
  transaction,
} from '../../schemas/transaction.ts'
import { decimal, unit } from '../../schemas/units.ts'
import { fromRoot } from '../helpers/root.ts'

const text = readFileSync(fromRoot('docs/PROTOCOL.md'), 'utf8')

export type Row = Readonly<Record<string, string>>
interface Table {
  readonly section: string
  /** Text before it. */
  readonly lead: string
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

function readTables(): Table[] {
  const tables: Table[] = []
  let [section, lead] = ['', '']
  let open: { columns: string[]; rows: Row[] } | undefined
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) {
      open = undefined
      section = /^## (\d+)/.exec(line)?.[1] ?? section
      if (line !== '') lead = line
      continue
    }
    const cells = line.split('|').slice(1, -1)
    const trimmed = cells.map((cell) => cell.trim().replaceAll('`', ''))
    if (open === undefined) {
      open = { columns: trimmed, rows: [] }
      tables.push({ section, lead, ...open })
    } else if (!/^\|[-|]+\|$/.test(line)) {
      const { columns } = open
      open.rows.push(Object.fromEntries(trimmed.map((cell, at) => [columns[at] ?? '', cell])))
    }
  }
  return tables
}

const tables = readTables()

const FIRST = { height: 0, hash: '0'.repeat(64) }
const ITEM = { name: 'a', price: 1, confirmations: 1, place: '', terms: '' }

export function rowsOf(section: number, columns: string, lead = ''): readonly Row[] {
  const found = tables.find(
    (table) =>
      table.section === String(section) &&
      table.columns.join(' ').startsWith(columns) &&
      table.lead.startsWith(lead),
  )
  if (found === undefined) throw new Error(`PROTOCOL.md section ${section} has no table ${lead} ${columns}`)
  return found.rows
}

export const layout = (section: number, lead = '') => rowsOf(section, 'Offset Size Field Type', lead)

const SIMPLE: Readonly<Record<string, Codec<unknown>>> = {
  ...{ u8: scalars.u8, u16: scalars.u16, u32: scalars.u32, time: scalars.time, u64: scalars.u64 },
  ...{ u256: scalars.u256, hash: scalars.hash, account: scalars.account, network: scalars.network },
  ...{ bool: scalars.bool, name: scalars.name, unit, decimal, change },
  ...{ sample, coinbase, transaction },
  ...{ checkpoint, certificate, offerItem, proof: channelProof },
  ...{ header, accountView, stateProof, inclusionProof, balanceProof, hand: handGenesis },
}

/** The codec that a type of the document means. */
function typed(type: string, meaning = ''): Codec<unknown> {
  const simple = SIMPLE[type]
  if (simple !== undefined) return simple
  if (/^\w+ \w+, /.test(type)) return fields(type)
  const [, word = '', size = '', item = ''] = /^(\w+)(?: (\d+))?(?: of (.+))?$/.exec(type) ?? []
  if (word === 'bytes') return scalars.fixed(Number(size))
  if (word === 'text') return scalars.freeText(Number(size))
  if (word === 'blob') return scalars.blob(Number(size))
  if (word === 'constant') return scalars.constant(Number(size))
  if (word === 'list')
    return compounds.list(/[, ]/.test(item) && !/^blob/.test(item) ? fields(item) : typed(item), Number(size))
  if (word === 'choice') {
    const options = meaning.split(', ').map((option) => option.split(' '))
    return scalars.choice(Object.fromEntries(options.map(([number, value = '']) => [value, Number(number)])))
  }
  throw new Error(`PROTOCOL.md uses an unknown type ${type}`)
}

/** A list of fields in words: `id u32, locator list 64 of hash`, or `account, amount u64`, as a structure. */
export function fields(list: string): Codec<unknown> {
  const entries = list.split(', ').map((entry) => {
    const [name = '', ...type] = entry.split(' ')
    return [name, typed(type.join(' ') || name)] as const
  })
  return compounds.struct(Object.fromEntries(entries))
}

const fromRows = (rows: readonly Row[]): Codec<unknown> =>
  compounds.struct(Object.fromEntries(rows.map((row) => [row.Field, typed(row.Type ?? '', row.Meaning)])))

/** Value of `98 + n` or `113 + n + 32(a + c)`; undefined while it has an unknown letter. */
function sum(expression: string, known: ReadonlyMap<string, number>): number | undefined {
  const flat = expression.replace(/(\d+)\(([^)]+)\)/g, (_, factor, inner: string) =>
    inner
      .split(' + ')
      .map((letter) => `${factor}${letter}`)
      .join(' + '),
  )
  let total = 0
  for (const term of flat.split(' + ')) {
    const [, factor = '', letter = ''] = /^(\d*)([a-z]?)$/.exec(term) ?? []
    const value = letter === '' ? 1 : known.get(letter)
    if (value === undefined) return undefined
    total += (factor === '' ? 1 : Number(factor)) * value
  }
  return total
}

/**
 * Checks that the document's rows encode a value as our codec does, at the offsets and sizes that they state. `facts`
 * is the value as the rows name it, where that differs from the JSON mirror.
 */
export function agrees(
  t: Test,
  title: string,
  rows: readonly Row[],
  codec: Codec<unknown>,
  json: unknown,
  facts = json,
): void {
  const ours = codecs.encode(codec, codec.json.parse(json))
  const documented = fromRows(rows)
  const value = documented.json.parse(facts) as Record<string, unknown>
  t.equal(toHex(codecs.encode(documented, value)), toHex(ours), `${title}: bytes`)
  const known = new Map<string, number>()
  let offset = 0
  for (const row of rows) {
    const { Field = '', Type = '', Meaning = '', Size = '', Offset = '' } = row
    const size = typed(Type, Meaning).size(value[Field])
    if (Offset !== '') t.equal(sum(Offset, known), offset, `${title}: offset of ${Field}`)
    const [, fixed = '0', factor = '', letter = ''] =
      /^(?:(\d+)(?: \+ )?)?(?:(\d*)([a-z]))?$/.exec(Size) ?? []
    if (letter !== '') known.set(letter, (size - Number(fixed)) / Number(factor || 1))
    if (Size !== '') t.equal(sum(Size, known), size, `${title}: size of ${Field}`)
    offset += size
  }
  t.equal(offset, ours.length, `${title}: no field is missing`)
}

/** Checks that our codec takes as many items or bytes as the document says, and not one more. */
export function limits(
  t: Test,
  title: string,
  rows: readonly Row[],
  own: Readonly<Record<string, Codec<unknown>>>,
): void {
  for (const { Field = '', Type = '' } of rows) {
    const [, word = '', size = ''] = /^(text|list) (\d+)/.exec(Type) ?? []
    const max = Number(size)
    const item = {
      account: '0'.repeat(64),
      activations: { type: 1, height: 0 },
      signatures: { signer: 0, signature: '0'.repeat(128) },
      certificates: { source: FIRST, target: FIRST, signatures: [] },
      allocations: { account: '0'.repeat(64), amount: 1 },
      leaf: { path: '0'.repeat(64), value: '' },
      sensors: { sensor: 'a', until: 0 },
      anchors: { ledger: '0'.repeat(64), height: 0, block: '0'.repeat(64) },
      items: { type: 'output', ...ITEM, secondsMin: 1, secondsMax: 1 },
      tips: FIRST,
      following: { content: '0'.repeat(64), time: 0, nonce: '0'.repeat(16) },
    }
    const one = item[Field as 'activations'] ?? item.account
    const make = (count: number) => (word === 'text' ? 'a'.repeat(count) : Array(count).fill(one))
    if (word === '') continue
    t.ok(own[Field]?.json.safeParse(make(max)).success, `${title}: ${Field} takes ${max}`)
    t.notOk(own[Field]?.json.safeParse(make(max + 1)).success, `${title}: ${Field} takes no more`)
  }
}

/** Sentences of the document with a limit, the number that stands there, and the one in the code. */
export function limitsInText(): { sentence: string; found: number; value: number }[] {
  const flat = text.replace(/\s+/g, ' ')
  return LIMITS.map(([sentence, value]) => {
    const [before = '', after = ''] = sentence.split('#')
    const at = flat.indexOf(before)
    const [digits = ''] = /^\d+/.exec(flat.slice(at + before.length)) ?? []
    const matches = at >= 0 && flat.startsWith(after, at + before.length + digits.length)
    return { sentence, value, found: matches ? Number(digits) : Number.NaN }
  })
}

const LIMITS: readonly (readonly [sentence: string, value: number])[] = [
  ['`labOrder`, on `lab/<owner>`, retained, at most # bytes', LAB_ORDER_BYTES_MAX],
  ['`labTower`, on `tower/<agent>`, retained, at most # bytes', LAB_TOWER_BYTES_MAX],
  ['`labTicks`, on `lab-tick/<agent>`, at most # bytes', LAB_TICKS_BYTES_MAX],
  ['difficulties from 1 to 15, rounds from 1 to #,', LAB_ROUNDS_MAX],
  ["an output's at most # bytes", itemNameBytesMax('on')],
  ["at most 28 bytes, a sensor's #.", itemNameBytesMax('topic')],
  ['each heeded until # ms after its block', GRANT_MS_MAX],
  ['Our validators keep # of seller, buyer and sensor', GRANT_BOOK_LIMITS.entriesMax],
  ['of seller, buyer and sensor, # of one', GRANT_BOOK_LIMITS.entriesPerSellerMax],
  ['on `key/<from>/<to>`, at most # bytes', KEY_MESSAGE_BYTES_MAX],
  ["box's key, a list # of epoch u32", EPOCH_KEYS_MAX],
  ['epochs in which it begins and ends, each of # ms', EPOCH_MS],
  ["| epoch | u32 | of # ms of the seller's clock", EPOCH_MS],
  ['`offer`, what an account sells. At most # bytes', OFFER_BYTES_MAX],
  ['after `time` by at most # ms', OFFER_MS_MAX],
  ['`time` is at most # ms after t', OFFER_AHEAD_MS_MAX],
  ['(of its tip), sensors}, at most # sensors', QUALITY_SENSORS_MAX],
  ['A transaction is a `union` by type number. At most # bytes', TRANSACTION_BYTES_MAX],
  ['| memo | text # |', MEMO_BYTES_MAX],
  ['A header has # bytes', HEADER_BYTES],
  ['time is at most # intervals ahead', FUTURE_INTERVALS_MAX],
  ['multiple of #, named by height and hash', CHECKPOINT_EVERY],
  ["If the target's height is the source's + #, the source", CHECKPOINT_EVERY],
  ['(`bad-checkpoint`) if a height is not a multiple of #,', CHECKPOINT_EVERY],
  ['that has at least # blocks on top', CHECKPOINT_DEPTH],
  ['nodes count the # votes of each signer', VOTES_PER_SIGNER_MAX],
  ['not here wait, at most # of them', PENDING_MAX],
  ['and a list of at most # transactions', BLOCK_TRANSACTIONS_MAX],
  ['(`block-too-large`), which is at most #.', BLOCK_BYTES_MAX],
  ['A network is its genesis. At most # bytes', GENESIS_BYTES_MAX],
  ['No MQTT payload is larger than # bytes', MESSAGE_BYTES_MAX],
  ['no request larger than #.', REQUEST_BYTES_MAX],
  ['locator list # of hash', LOCATOR_MAX],
  ['`inclusionProof`. A reply with it is at most # bytes', PROOF_BYTES_MAX],
  ['if the transaction has more than # bytes', PROVEN_TRANSACTION_BYTES_MAX],
  ['A balance with more than # blocks on it', LIGHT_CLIENT_DEFAULTS.staleMax],
  ['by hash at multiples of # only', HEADER_GROUP],
  ['hashes list # of hash', BLOCKS_MAX],
  ['headers list # of header', HEADERS_MAX],
  ['a transaction counting as its bytes and # for what', OVERHEAD_BYTES],
  ['on `file/<from>/<to>`, at most # bytes', FILE_MESSAGE_BYTES_MAX],
  ["`size` is the file's, in bytes, at most #;", FILE_BYTES_MAX],
  ['`chunks` is max(1, ceil(`size` / #))', FILE_CHUNK_BYTES],
  ['of which a seller may send fewer, at most # at a time', CHUNKS_ASKED_MAX],
  ['The file is cut into chunks of # bytes', FILE_CHUNK_BYTES],
  ['`tick`, at most # bytes', TICK_BYTES_MAX],
  ['anchors | list # of ledger hash', ANCHORS_MAX],
  ['a tick: more than # of the hand', TICK_FUTURE_INTERVALS_MAX],
  ['leave it among its last # ticks', TICK_WINDOW],
  ['ours undo up to #, since', 2 * TICK_WINDOW - 1],
  ['let go of older ones only # at a time', TICK_WINDOW],
  ['a branch is kept in memory, at most # ticks', TICKS_HELD_MAX],
  ['taken only if its parent is at most # below the tip', TICK_SIDE_DEPTH_MAX],
  ['ticks list # of blob', TICKS_MAX],
  ['ticks list 1000 of blob # |', TICK_BYTES_MAX],
  ['(tick 0 if none is), lowest first, at most `limit` and #, up', TICKS_MAX],
  ['| length | u32 | n, at most # |', PAYLOAD_BYTES_MAX],
  ['has flag 1, at most # bytes', BATCH_BYTES_MAX],
]
