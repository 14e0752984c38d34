import t, { type Test } from 'tap'
import { BLOCK_BYTES_MAX, HEADER_BYTES } from '../../schemas/block.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { GENESIS_BYTES_MAX, type Genesis, genesis } from '../../schemas/genesis.ts'
import { type Account, fromHex, type Hash, toHex } from '../../schemas/hex.ts'
import {
  accountView,
  BLOCKS_MAX,
  batchedSample,
  HEADERS_MAX,
  handTip,
  LOCATOR_MAX,
  MESSAGE_BYTES_MAX,
  receipt,
  reply,
  request,
  status,
  TICKS_MAX,
  tip,
} from '../../schemas/message.ts'
import { ANCHORS_MAX, TICK_BYTES_MAX, tick } from '../../schemas/tick.ts'
import { codecFacts } from '../helpers/codec-facts.ts'

const hash = (byte: string) => byte.repeat(32) as Hash
const account = (byte: string) => byte.repeat(32) as Account
const header = {
  version: 1,
  height: 7,
  parent: hash('01'),
  content: hash('02'),
  target: 1n << 200n,
  time: 1234,
  nonce: new Uint8Array(8).fill(9),
} as const
const view = { account: account('aa'), height: 1, nonce: 2, balance: 3, maturing: 4 }
const viewBytes = `${'aa'.repeat(32)}00000001000000000000000200000000000000030000000000000004`
const sample = {
  sensor: 'cpu',
  sequence: 1,
  value: { mantissa: 5, exponent: -1 },
  unit: '%',
  time: 2,
  synchronised: true,
}

/** A value and its bytes, written by hand from the declared layout. */
const golden =
  <T>(codec: Codec<T>, value: NoInfer<T>, bytes: string) =>
  (t: Test) =>
    t.equal(toHex(codecFacts(t, codec, value)), bytes)

const messages = {
  tip: golden(
    tip,
    {
      height: 1,
      hash: hash('11'),
      parent: hash('22'),
      time: 3,
      miner: account('33'),
      target: 4n,
      work: 5n,
      stateRoot: hash('44'),
      transactions: 6,
      readings: 7,
      supply: 8,
    },
    `00000001${'11'.repeat(32)}${'22'.repeat(32)}000000000003${'33'.repeat(32)}${'4'.padStart(64, '0')}${'5'.padStart(64, '0')}${'44'.repeat(32)}000000000000000600000000000000070000000000000008`,
  ),
  accountView: golden(accountView, view, viewBytes),
  getHeaders: golden(
    request,
    { type: 'getHeaders', id: 1, locator: [hash('11'), hash('22')], limit: 3 },
    `01000000010002${'11'.repeat(32)}${'22'.repeat(32)}0003`,
  ),
  getBlocks: golden(
    request,
    { type: 'getBlocks', id: 1, height: 258, hashes: [hash('11')] },
    `0200000001000001020001${'11'.repeat(32)}`,
  ),
  getTicks: golden(
    request,
    { type: 'getTicks', id: 1, locator: [hash('11'), hash('22')], limit: 3 },
    `08000000010002${'11'.repeat(32)}${'22'.repeat(32)}0003`,
  ),
  ticks: golden(
    reply,
    { type: 'ticks', id: 1, ticks: [Uint8Array.of(1, 2), new Uint8Array(0)] },
    '08000000010002000000020102' + '00000000',
  ),
  handTip: golden(
    handTip,
    {
      height: 1,
      hash: hash('11'),
      time: 3,
      target: 4n,
      work: 5n,
      newest: { ledger: hash('22'), height: 6, block: hash('33') },
    },
    `00000001${'11'.repeat(32)}000000000003${'4'.padStart(64, '0')}${'5'.padStart(64, '0')}${'22'.repeat(32)}00000006${'33'.repeat(32)}`,
  ),
  getAccount: golden(
    request,
    { type: 'getAccount', id: 1, account: account('11') },
    `0300000001${'11'.repeat(32)}`,
  ),
  getFees: golden(request, { type: 'getFees', id: 1 }, '0600000001'),
  getEntry: golden(
    request,
    { type: 'getEntry', id: 1, kind: 6, key: hash('11') },
    `070000000106${'11'.repeat(32)}`,
  ),
  entry: golden(
    reply,
    { type: 'entry', id: 1, height: 2, value: Uint8Array.of(3, 4) },
    '070000000100000002000000020304',
  ),
  fees: golden(
    reply,
    { type: 'fees', id: 1, floor: 2, next: 3, soon: 4, later: 5 },
    `0600000001${[2, 3, 4, 5].map((value) => value.toString(16).padStart(16, '0')).join('')}`,
  ),
  headers: golden(
    reply,
    { type: 'headers', id: 1, headers: [header] },
    `01000000010001${'01'}00000007${'01'.repeat(32)}${'02'.repeat(32)}${(1n << 200n).toString(16).padStart(64, '0')}0000000004d2${'09'.repeat(8)}`,
  ),
  blocks: golden(
    reply,
    { type: 'blocks', id: 1, blocks: [Uint8Array.of(1, 2), new Uint8Array(0)] },
    '02000000010002000000020102' + '00000000',
  ),
  account: golden(reply, { type: 'account', id: 1, view }, `0300000001${viewBytes}`),
  receipt: golden(
    receipt,
    { transaction: hash('11'), status: 'refused', height: 2, code: 'bad', message: 'so' },
    `${'11'.repeat(32)}03000000020362616402736f`,
  ),
  batchedSample: golden(
    batchedSample,
    { transaction: hash('11'), index: 1, count: 2, sample, path: [hash('22')] },
    `${'11'.repeat(32)}000100020363707500000000000000` +
      `01ff00000000000000050125000000000002010001${'22'.repeat(32)}`,
  ),
  status: golden(
    status,
    { state: 'online', role: 'validator', name: 'v', software: 's', since: 1, protocol: 2 },
    '0102017601730000000000' + '0102',
  ),
}

for (const [title, test] of Object.entries(messages)) {
  t.test(`golden bytes: ${title}`, async (t) => test(t))
}

t.test('a genesis has one encoding and a faithful mirror', async (t) => {
  const value: Genesis = {
    version: 1,
    name: 'lab',
    time: 1,
    interval: 4000,
    halfLife: 64,
    target: 1n << 240n,
    targetMax: 1n << 250n,
    subsidy: 50,
    halvingInterval: 100,
    feeFloor: 0,
    maturity: 1,
    blockBytesMax: 1 << 16,
    blockSignaturesMax: 500,
    slowRatio: 16,
    authorities: [account('11')],
    checkpointSigners: [],
    checkpointThreshold: 0,
    activations: [{ type: 1, height: 0 }],
    allocations: [{ account: account('22'), amount: 5 }],
  }
  codecFacts(t, genesis, value)
  const crowd = Array.from({ length: 10_000 }, () => ({ account: account('22'), amount: 5 }))
  t.ok(genesis.size({ ...value, allocations: crowd }) <= GENESIS_BYTES_MAX)
})

t.test('the largest block, and a full reply of headers, fit one message', async (t) => {
  t.ok(
    encode(reply, { type: 'blocks', id: 1, blocks: [new Uint8Array(BLOCK_BYTES_MAX)] }).length <=
      MESSAGE_BYTES_MAX,
  )
  t.ok(HEADERS_MAX * HEADER_BYTES + 16 <= MESSAGE_BYTES_MAX)
})

t.test('the largest tick has the size that is stated, and fits a reply', async (t) => {
  const anchor = { ledger: hash('11'), height: 1, block: hash('22') }
  const largest = encode(tick, { header, anchors: Array(ANCHORS_MAX).fill(anchor) })
  t.equal(largest.length, TICK_BYTES_MAX)
  t.ok(encode(reply, { type: 'ticks', id: 1, ticks: [largest] }).length <= MESSAGE_BYTES_MAX)
  t.throws(() => encode(tick, { header, anchors: Array(ANCHORS_MAX + 1).fill(anchor) }))
})

t.test('lists in requests and replies are bounded', async (t) => {
  const many = (count: number) => Array<Hash>(count).fill(hash('11'))
  t.throws(() => encode(request, { type: 'getBlocks', id: 1, height: 1, hashes: many(BLOCKS_MAX + 1) }))
  t.throws(() => encode(request, { type: 'getHeaders', id: 1, locator: many(LOCATOR_MAX + 1), limit: 1 }))
  t.throws(() => encode(reply, { type: 'headers', id: 1, headers: Array(HEADERS_MAX + 1).fill(header) }))
  t.throws(() => encode(request, { type: 'getTicks', id: 1, locator: many(LOCATOR_MAX + 1), limit: 1 }))
  const ticks = Array<Uint8Array>(TICKS_MAX + 1).fill(new Uint8Array(0))
  t.throws(() => encode(reply, { type: 'ticks', id: 1, ticks }))
  t.throws(() => encode(reply, { type: 'ticks', id: 1, ticks: [new Uint8Array(TICK_BYTES_MAX + 1)] }))
  const claim = fromHex('020000000100000001ffff')
  t.match(decode(request, claim, 100), {
    ok: false,
    fault: { field: 'hashes', message: /at most 128 items/ },
  })
})
