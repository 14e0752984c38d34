import t from 'tap'
import { BLOCK_TRANSACTIONS_MAX, type Header } from '../../schemas/block.ts'
import { decode, encode } from '../../schemas/codec.ts'
import type { Account, Hash, Network } from '../../schemas/hex.ts'
import { toHex } from '../../schemas/hex.ts'
import { type Reply, reply, request } from '../../schemas/message.ts'
import {
  FOLLOWING_MAX,
  inclusionProof,
  MERKLE_PATH_MAX,
  PROOF_BYTES_MAX,
  PROVEN_TRANSACTION_BYTES_MAX,
  STATE_DEPTH_MAX,
  STATE_SIBLINGS_MAX,
  STATE_VALUE_BYTES_MAX,
  stateProof,
} from '../../schemas/proof.ts'
import type { Coinbase } from '../../schemas/transaction.ts'
import { codecFacts, refusesToEncode } from '../helpers/codec-facts.ts'

const hash = (byte: string) => byte.repeat(32) as Hash
const hashes = (count: number) => Array.from({ length: count }, () => hash('ab'))
const bytes = (count: number) => new Uint8Array(count).fill(7)
const header: Header = {
  ...{ version: 1 as const, height: 7, parent: hash('01'), content: hash('02'), target: 5n, time: 1234 },
  nonce: bytes(8),
}
const coinbase: Coinbase = {
  ...{ type: 0 as const, network: '0badcafe' as Network, from: hash('03') as string as Account, height: 7 },
  ...{
    parent: hash('01'),
    reward: 50,
    tick: hash('00'),
    transactionsRoot: hash('04'),
    stateRoot: hash('05'),
  },
  signature: bytes(64),
}
const compact = { content: hash('06'), time: 5, nonce: bytes(8) }
const state = {
  siblingBits: bytes(STATE_DEPTH_MAX / 8),
  siblings: hashes(STATE_SIBLINGS_MAX),
  leaf: [{ path: hash('08'), value: bytes(STATE_VALUE_BYTES_MAX) }],
}
const inclusion = {
  ...{ header, coinbase, transaction: bytes(PROVEN_TRANSACTION_BYTES_MAX), index: 1, count: 2 },
  ...{ path: hashes(MERKLE_PATH_MAX), following: Array.from({ length: FOLLOWING_MAX }, () => compact) },
}

t.test('golden bytes of what is asked and shown', async (t) => {
  const account = hash('11') as string as Account
  const asked = codecFacts(t, request, { type: 'getInclusion', id: 1, height: 2, transaction: hash('11') })
  t.equal(toHex(asked), `040000000100000002${'11'.repeat(32)}`)
  t.equal(
    toHex(codecFacts(t, request, { type: 'getBalance', id: 1, account })),
    `0500000001${'11'.repeat(32)}`,
  )
  const small = { ...state, siblings: hashes(1), leaf: [{ path: hash('08'), value: bytes(1) }] }
  t.equal(
    toHex(codecFacts(t, stateProof, small)),
    `${'07'.repeat(16)}0001${'ab'.repeat(32)}0001${'08'.repeat(32)}0000000107`,
  )
  const short = { ...inclusion, transaction: bytes(1), path: hashes(1), following: [compact] }
  t.equal(
    toHex(codecFacts(t, inclusionProof, short).subarray(115 + 241)),
    `000000010700010002${'0001'}${'ab'.repeat(32)}0001${'06'.repeat(32)}000000000005${'07'.repeat(8)}`,
  )
})

t.test('the largest reply with a proof is within its limit, and nothing in it can be larger', async (t) => {
  const largest: readonly Reply[] = [
    { type: 'inclusion', id: 1, proof: inclusion },
    { type: 'balance', id: 1, proof: { header, coinbase, state } },
  ]
  for (const value of largest) {
    const encoded = encode(reply, value)
    t.ok(encoded.length <= PROOF_BYTES_MAX, `${value.type}: ${encoded.length} bytes`)
    t.ok(decode(reply, encoded, PROOF_BYTES_MAX).ok)
  }
  for (const more of [
    { transaction: bytes(PROVEN_TRANSACTION_BYTES_MAX + 1) },
    { path: hashes(MERKLE_PATH_MAX + 1) },
    { following: Array.from({ length: FOLLOWING_MAX + 1 }, () => compact) },
  ])
    refusesToEncode(t, inclusionProof, { ...inclusion, ...more })
  for (const more of [
    { siblings: hashes(STATE_SIBLINGS_MAX + 1) },
    { siblingBits: bytes(17) },
    { leaf: [...state.leaf, ...state.leaf] },
    { leaf: [{ path: hash('08'), value: bytes(STATE_VALUE_BYTES_MAX + 1) }] },
  ])
    refusesToEncode(t, stateProof, { ...state, ...more })
  t.equal(2 ** MERKLE_PATH_MAX, BLOCK_TRANSACTIONS_MAX, 'the fullest block has a path')
})
