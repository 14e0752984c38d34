import t from 'tap'
import { FileKeys } from '../../../edge-agent/files/file-keys.ts'
import {
  decideLock,
  type LockKeys,
  type LockTerms,
  type Now,
} from '../../../edge-agent/files/lock-decision.ts'
import { hashing } from '../../../node/signing.ts'
import { fileMemo } from '../../../schemas/file-message.ts'
import { fromHex, type Hash, hashFromBytes, toHex } from '../../../schemas/hex.ts'
import type { Hashlock } from '../../../schemas/transaction.ts'
import { alice, bob, carol, testNetwork } from '../../helpers/ledger.ts'

const network = testNetwork()
const keys = new FileKeys(network, alice)
const file = keys.fileOf(hashing.plain(Buffer.from('a file')))
const PRICE = 500
const lockKeys = (...prices: number[]): LockKeys => ({
  keyOf: (sale) => keys.keyOf(sale),
  sha256: (bytes) => keys.sha256(bytes),
  prices,
})
const terms: LockTerms = { account: alice.account, confirmations: 3, marginBlocks: 10, marginMs: 60_000 }
const now: Now = { next: { height: 1_000, medianTime: 5_000_000 }, nowMs: 5_100_000 }

/** Bob's payment as the quote asks for it. */
function paid(change: Partial<Hashlock> = {}, price = PRICE, buyer = bob, of = file): Hashlock {
  const key = keys.keyOf({ buyer: buyer.account, price, file: of })
  return {
    type: 'hashlock',
    ...{
      network: network.id,
      from: buyer.account,
      nonce: 0,
      fee: 0,
      expiry: 0,
      signature: new Uint8Array(64),
    },
    ...{ to: alice.account, amount: price, lock: hashFromBytes(keys.sha256(key)), memo: fileMemo(of) },
    ...{ height: 1_010, time: 5_160_000, ...change },
  } as Hashlock
}

const decide = (lock: Hashlock, { depth = 3, at = now, prices = [PRICE] } = {}) =>
  decideLock(lock, depth, terms, at, lockKeys(...prices))
const code = (...args: Parameters<typeof decide>) => {
  const verdict = decide(...args)
  return verdict.act === 'refuse' ? verdict.code : verdict.act
}

t.test('what was quoted, paid in time and is deep enough is opened', async (t) => {
  const lock = paid()
  const verdict = decide(lock)
  t.equal(verdict.act, 'reveal')
  if (verdict.act === 'reveal')
    t.equal(hashFromBytes(hashing.plain(fromHex(verdict.preimage))), lock.lock, 'the preimage opens the lock')
})

t.test('before it is deep enough nothing is given', async (t) => {
  for (const depth of [0, 1, 2]) t.equal(code(paid(), { depth }), 'wait', `${depth}`)
  t.equal(code(paid(), { depth: 4 }), 'reveal')
})

t.test('a lock for somebody else, or for something else, is not ours', async (t) => {
  t.equal(code(paid({ to: carol.account })), 'foreign')
  t.equal(code(paid({ memo: '' })), 'no-file')
  t.equal(code(paid({ memo: 'topic soil' })), 'no-file')
})

t.test('a lock that we did not quote to this buyer for this file is not opened', async (t) => {
  t.equal(code(paid({ lock: 'ab'.repeat(32) as Hash })), 'unknown-lock')
  t.equal(code(paid({ from: carol.account })), 'unknown-lock', "carol copies bob's lock")
  const other = keys.fileOf(hashing.plain(Buffer.from('another file')))
  t.equal(code(paid({ memo: fileMemo(other) })), 'unknown-lock', 'the lock of one file, the memo of another')
})

t.test('a lock with too little in it is not opened', async (t) => {
  t.equal(code(paid({ amount: PRICE - 1 })), 'underpaid')
  t.equal(code(paid({ amount: 1 })), 'underpaid')
  t.equal(code(paid({ amount: PRICE - 1 }), { prices: [] }), 'unknown-lock', 'also when nothing is for sale')
})

t.test(
  'more than the price is enough, and what was quoted once is good when the price is another',
  async (t) => {
    t.equal(code(paid({ amount: PRICE + 1 })), 'reveal')
    t.equal(code(paid(), { prices: [PRICE * 2] }), 'reveal')
    t.equal(code(paid(), { prices: [] }), 'reveal')
  },
)

t.test('a deadline too near in blocks or in time is too late, whatever the other says', async (t) => {
  t.equal(code(paid({ height: 1_009 })), 'too-late')
  t.equal(code(paid({ time: 5_159_999 })), 'too-late')
  t.equal(code(paid({ height: 1_009, time: 2 ** 47 })), 'too-late')
  t.equal(code(paid({ height: 2 ** 32 - 1, time: 5_159_999 })), 'too-late')
  t.equal(code(paid({ height: 0, time: 0 })), 'too-late')
  t.equal(code(paid({ height: 1_009 }), { depth: 1 }), 'too-late', 'also before it is deep enough')
})

t.test('of our clock and the chain the later one counts', async (t) => {
  const slow: Now = { next: { height: 1_000, medianTime: 5_100_001 }, nowMs: 0 }
  t.equal(code(paid(), { at: slow }), 'too-late')
  t.equal(code(paid(), { at: { ...slow, next: { height: 1_000, medianTime: 5_100_000 } } }), 'reveal')
})

t.test('keys differ by buyer, price, file, seller and network, and are the same at each start', async (t) => {
  const sale = { buyer: bob.account, price: PRICE, file }
  const key = (of: FileKeys, change: Partial<typeof sale> = {}) => toHex(of.keyOf({ ...sale, ...change }))
  const content = hashing.plain(Buffer.from('a file'))
  const elsewhere = new FileKeys(testNetwork({ name: 'other' }), alice)
  const all = [
    key(keys),
    key(keys, { buyer: carol.account }),
    key(keys, { price: PRICE + 1 }),
    key(keys, { file: keys.fileOf(hashing.plain(Buffer.from('another'))) }),
    key(new FileKeys(network, carol)),
    key(elsewhere),
  ]
  t.equal(new Set(all).size, all.length)
  t.equal(key(new FileKeys(network, alice)), all[0])
  t.not(keys.fileOf(content), hashFromBytes(content), 'the name of a file says nothing about it')
  t.not(keys.fileOf(content), elsewhere.fileOf(content))
})
