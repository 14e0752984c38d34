import t from 'tap'
import type { FaultCode } from '../../ledger/fault.ts'
import { createSignatures } from '../../ledger/signature.ts'
import {
  checkTransaction,
  feeFloorFor,
  parseTransaction,
  type Sealed,
  SignatureCache,
  sealCoinbase,
  sealTransaction,
} from '../../ledger/transaction.ts'
import { encode } from '../../schemas/codec.ts'
import { type Account, toHex } from '../../schemas/hex.ts'
import { type Transaction, transaction } from '../../schemas/transaction.ts'
import { alice, bob, carol, codeOf, TestChain, testNetwork } from '../helpers/ledger.ts'

const test = new TestChain()
const { network } = test
const smallOrder = `01${'00'.repeat(31)}` as Account
const nonCanonical = `f0${'ff'.repeat(30)}7f` as Account
const offCurve = `02${'00'.repeat(31)}` as Account
const parse = (bytes: Uint8Array) => codeOf(parseTransaction(network, bytes, new SignatureCache()))
const check = (sealed: Sealed) => codeOf(checkTransaction(network, sealed, new SignatureCache()))
const spoil = (sealed: Sealed, fields: Partial<Transaction>) =>
  sealTransaction(network, { ...sealed.transaction, ...fields } as Transaction)

const REFUSED: readonly [FaultCode, string, Sealed][] = [
  [
    'wrong-network',
    'signed for another network',
    test.sign(alice, { type: 'transfer', to: bob.account, amount: 1, memo: '', network: '00000000' }),
  ],
  ['bad-account', 'to a key of small order', test.transfer(alice, smallOrder, 1)],
  ['bad-account', 'to a key that is not canonical', test.transfer(alice, nonCanonical, 1)],
  ['bad-account', 'to bytes that are no point', test.transfer(alice, offCurve, 1)],
  ['bad-account', 'from a key of small order', spoil(test.reading(alice), { from: smallOrder })],
  ['bad-account', 'from a key that is not canonical', spoil(test.reading(alice), { from: nonCanonical })],
  ['bad-signature', "with somebody else's signature", spoil(test.reading(alice), { from: bob.account })],
  [
    'bad-signature',
    'with a signature of zeros',
    spoil(test.reading(alice), { signature: new Uint8Array(64) }),
  ],
  [
    'bad-signature',
    'changed after it was signed',
    spoil(test.transfer(alice, bob.account, 1), { amount: 2 }),
  ],
  ['bad-batch', 'a batch of nothing', test.batch(alice, 0)],
  ['bad-batch', 'a batch that ends before it starts', test.batch(alice, 1, { firstTime: 2, lastTime: 1 })],
  [
    'bad-batch',
    'a batch whose sequence numbers leave 2^53',
    test.batch(alice, 2, { sequence: Number.MAX_SAFE_INTEGER - 1 }),
  ],
]
for (const [code, title, sealed] of REFUSED) {
  t.test(`${code}: ${title}`, async (t) => {
    t.equal(check(sealed), code)
    t.equal(parse(sealed.bytes), code, 'from bytes too')
  })
}

t.test('each type is accepted at the limits of its rules', async (t) => {
  for (const sealed of [
    test.transfer(alice, bob.account, 0),
    test.transfer(alice, alice.account, Number.MAX_SAFE_INTEGER, { fee: Number.MAX_SAFE_INTEGER }),
    test.reading(carol),
    test.batch(alice, 1, { firstTime: 5, lastTime: 5 }),
    test.batch(alice, 65_535, { sequence: Number.MAX_SAFE_INTEGER - 65_535 }),
  ]) {
    t.equal(parse(sealed.bytes), 'ok', sealed.transaction.type)
  }
})

t.test(
  'small-order and non-canonical keys are refused although ZIP 215 accepts their signatures',
  async (t) => {
    // s = 0 and R the identity: valid under ZIP 215 for every key of small order.
    const forged = new Uint8Array([...Buffer.from('01'.padEnd(64, '0'), 'hex'), ...new Uint8Array(32)])
    const sealed = spoil(test.reading(alice), { from: smallOrder, signature: forged })
    t.equal(network.signatures.verify(forged, sealed.message, smallOrder), true)
    t.equal(check(sealed), 'bad-account')
  },
)

t.test('bad-encoding: cut, extended, of unknown type, and a second coinbase as a transaction', async (t) => {
  const { bytes } = test.reading(alice)
  t.equal(parse(bytes.subarray(0, -1)), 'bad-encoding')
  t.equal(parse(Uint8Array.of(...bytes, 0)), 'bad-encoding')
  t.equal(parse(new Uint8Array()), 'bad-encoding')
  t.equal(parse(new Uint8Array(2000)), 'bad-encoding')
  for (const type of [0, 4, 13, 14, 255])
    t.equal(parse(Uint8Array.of(type, ...bytes.subarray(1))), 'bad-encoding')
})

t.test('no bytes whatever make the checks throw, and no byte can change under a signature', async (t) => {
  for (const sealed of [
    test.transfer(alice, bob.account, 7, { memo: 'for a lamp' } as never),
    test.reading(alice),
    test.batch(alice, 3),
  ]) {
    const accepted: number[] = []
    for (let at = 0; at < sealed.bytes.length; at++) {
      const spoilt = sealed.bytes.slice()
      spoilt[at] = (spoilt[at] as number) ^ (1 << (at % 8))
      if (parse(spoilt) === 'ok') accepted.push(at)
    }
    t.strictSame(accepted, [], sealed.transaction.type)
  }
})

t.test('id and message are of the body, the leaf of the full bytes; all three differ', async (t) => {
  const sealed = test.transfer(alice, bob.account, 1)
  const resigned = spoil(sealed, { signature: new Uint8Array(64).fill(1) })
  t.equal(resigned.id, sealed.id)
  t.same(resigned.message, sealed.message)
  t.notSame(resigned.leaf, sealed.leaf)
  t.equal(new Set([sealed.id, toHex(sealed.message), toHex(sealed.leaf)]).size, 3)
})

t.test(
  'bad-signature: a transaction of one network is not valid on another, even one with the same id',
  async (t) => {
    const other = { ...testNetwork({ name: 'twin' }), id: network.id }
    const { transaction } = test.transfer(alice, bob.account, 1)
    const moved = sealTransaction(other, transaction)
    t.equal(codeOf(checkTransaction(other, moved, new SignatureCache())), 'bad-signature')
    t.not(moved.id, sealTransaction(network, transaction).id)
    const { coinbase } = test.block()
    t.notSame(sealCoinbase(other, coinbase).message, sealCoinbase(network, coinbase).message)
  },
)

t.test('a signature found valid is not verified again, one of other bytes is', async (t) => {
  let verified = 0
  const { verify, isAccount } = createSignatures()
  const counting = {
    ...network,
    signatures: {
      isAccount,
      verify: (...args: Parameters<typeof verify>) => {
        verified++
        return verify(...args)
      },
    },
  }
  const cache = new SignatureCache(2)
  const [first, second, third] = [1, 2, 3].map((amount) => test.transfer(alice, bob.account, amount)) as [
    Sealed,
    Sealed,
    Sealed,
  ]
  for (const sealed of [first, first, second, first]) t.ok(checkTransaction(counting, sealed, cache).ok)
  t.equal(verified, 2)
  const spoilt = spoil(first, { signature: new Uint8Array(64) })
  t.notOk(
    checkTransaction(counting, spoilt, cache).ok,
    'the same body with another signature is not taken as known',
  )
  t.notOk(checkTransaction(counting, spoilt, cache).ok, 'and a refusal is not remembered as valid')
  t.ok(checkTransaction(counting, third, cache).ok)
  verified = 0
  t.ok(checkTransaction(counting, first, cache).ok)
  t.equal(verified, 1, 'the oldest of a full cache is forgotten')
})

t.test('rules other than the signature are checked for a known signature too', async (t) => {
  const cache = new SignatureCache()
  const sealed = test.reading(alice)
  t.ok(checkTransaction(network, sealed, cache).ok)
  const other = testNetwork({ name: 'other' })
  t.equal(codeOf(checkTransaction(other, sealed, cache)), 'wrong-network')
})

t.test('the fee floor is for each started 1000 bytes', async (t) => {
  const { network } = new TestChain(testNetwork({ feeFloor: 7 }))
  t.strictSame(
    [1, 1000, 1001, 2000].map((bytes) => feeFloorFor(network, bytes)),
    [7, 7, 14, 14],
  )
})

t.test('a coinbase and a transaction never share a signed message', async (t) => {
  const { coinbase } = test.block()
  const { message } = sealCoinbase(network, coinbase)
  const types = [test.transfer(alice, bob.account, 1), test.reading(alice), test.batch(alice, 1)]
  for (const sealed of types)
    t.not(encode(transaction, sealed.transaction)[0], 0, 'the first signed byte is 0 for a coinbase only')
  t.notSame(message, test.reading(bob).message)
})
