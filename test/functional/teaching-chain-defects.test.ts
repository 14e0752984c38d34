/**
 * Defects that chains written to teach are known for, each as a fact that holds here.
 *
 * One row a defect: what went wrong there, and the check that would fail if it went wrong here.
 */
import t, { type Test } from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { hexDigits, nextTarget, targetFor, workOf } from '../../ledger/difficulty.ts'
import { headerHash, place, position0 } from '../../ledger/header.ts'
import { type Sealed, sealCoinbase, sealTransaction } from '../../ledger/transaction.ts'
import type { Header } from '../../schemas/block.ts'
import { type Account, type Hash, toHex } from '../../schemas/hex.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { alice, bob, carol, codeOf, mine, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { WiresLab } from '../helpers/wires-lab.ts'

type Facts = (t: Test) => void
const test = new TestChain()
const { network } = test

/** Another value of the same type and in range. */
function changed(value: unknown): unknown {
  if (typeof value === 'number') return value + 1
  if (typeof value === 'bigint') return value - 1n
  if (typeof value === 'boolean') return !value
  if (typeof value === 'string') return value.startsWith('1') ? `2${value.slice(1)}` : `1${value.slice(1)}`
  if (value instanceof Uint8Array) return Uint8Array.from(value, (byte) => byte ^ 1)
  throw new Error(`no other value for ${String(value)}`)
}

/** The object with one field changed, for each field, fields of fields included. */
function variants(value: object): { field: string; value: object }[] {
  return Object.entries(value).flatMap(([key, entry]) => {
    if (key === 'type') return []
    if (typeof entry === 'object' && !(entry instanceof Uint8Array)) {
      return variants(entry).map((inner) => ({
        field: `${key}.${inner.field}`,
        value: { ...value, [key]: inner.value },
      }))
    }
    return [{ field: key, value: { ...value, [key]: changed(entry) } }]
  })
}

/** Leaf and, but for the signature, id differ for every field; so does the content of a header over the coinbase. */
const everyFieldIsHashed: Facts = (t) => {
  const samples = [
    test.sign(alice, { type: 'transfer', to: bob.account, amount: 5, memo: 'lamp' }),
    test.reading(alice),
    test.batch(alice, 3),
  ]
  for (const original of samples) {
    const { type } = original.transaction
    const others = variants(original.transaction)
    t.ok(others.length >= 8, `${type}: ${others.length} fields`)
    const sealed = others.map(({ field, value }) => ({
      field,
      ...sealTransaction(network, value as Transaction),
    }))
    const leaves = new Set([original, ...sealed].map(({ leaf }) => toHex(leaf)))
    t.equal(leaves.size, others.length + 1, `${type}: every field changes the leaf`)
    for (const { field, id } of sealed)
      t.equal(id === original.id, field === 'signature', `${type}: ${field} and the id`)
    const roots = [original, ...sealed].map(
      (entry) => test.block([], { forced: [entry as Sealed] }).header.content,
    )
    t.equal(new Set(roots).size, others.length + 1, `${type}: every field changes the header's content`)
  }
  const block = test.block()
  const coinbases = variants(block.coinbase).map(
    ({ value }) => sealCoinbase(network, value as typeof block.coinbase).content,
  )
  t.equal(
    new Set([block.header.content, ...coinbases]).size,
    10,
    "every field of the coinbase changes the header's content",
  )
  const headers = variants(block.header)
    .filter(({ field }) => field !== 'version')
    .map(({ value }) => headerHash(network.hashing, value as Header))
  t.equal(
    new Set([headerHash(network.hashing, block.header), ...headers]).size,
    7,
    'every field of the header changes its hash',
  )
}

const proofOfWorkIsEnforced: Facts = (t) => {
  const node = new TestChain(network)
  const block = node.block()
  t.equal(codeOf(node.accept(mine(network, block, false))), 'high-hash')
  t.equal(node.chain.tip.height, 0)
  t.equal(codeOf(node.accept(mine(network, block))), 'ok')
}

const difficultyIsNotDeclared: Facts = (t) => {
  const node = new TestChain(network)
  const { childTarget } = node.chain.tip
  for (const target of [
    childTarget + 1n,
    childTarget * 4n,
    (1n << 256n) - 1n,
    childTarget - 1n,
    childTarget / 2n,
  ]) {
    t.equal(
      codeOf(node.accept(node.block([], { header: { target } }))),
      'bad-target',
      `${hexDigits(target)} digits`,
    )
  }
  t.equal(node.chain.tip.height, 0)
}

/** Moving bytes over a field's border leaves the concatenated text as it was, and must not leave the hash. */
const fieldsAreSeparated: Facts = (t) => {
  const reading = (sensor: string, unit: string) =>
    test.sign(alice, {
      type: 'reading',
      sample: { sensor, sequence: 1, value: { mantissa: 1, exponent: 0 }, unit, time: 1, synchronised: true },
    })
  const batch = (sensor: string, unit: string) => test.batch(alice, 1, { sensor, unit })
  const pairs: [string, Sealed, Sealed][] = [
    ['sensor and unit of a batch', batch('soil', 'm3'), batch('soilm', '3')],
    ['sensor and unit of a reading', reading('soil', 'm3'), reading('soilm', '3')],
    ['sequence 1 of soil1 and 11 of soil', batch('soil1', 'm'), batch('soil', '1m')],
    ...(['', 'a', 'ab'].map((memo) => [
      `memo ${JSON.stringify(memo)} and one that is longer by a zero-like digit`,
      test.sign(alice, { type: 'transfer', to: bob.account, amount: 1, memo }),
      test.sign(alice, { type: 'transfer', to: bob.account, amount: 1, memo: `${memo}0` }),
    ]) as [string, Sealed, Sealed][]),
    [
      'amount 11, fee 1 and amount 1, fee 11',
      test.transfer(alice, bob.account, 11, { fee: 1 }),
      test.transfer(alice, bob.account, 1, { fee: 11 }),
    ],
  ]
  for (const [title, left, right] of pairs) {
    t.not(left.id, right.id, title)
    t.notSame(left.leaf, right.leaf)
  }
  const list = [batch('soil', 'm'), batch('soil', 'm')]
  t.not(
    test.block([], { forced: list }).coinbase.transactionsRoot,
    test.block([], { forced: list.slice(1) }).coinbase.transactionsRoot,
    'lists are counted',
  )
}

/** A double has 53 bits: at 2^80 of work it cannot see one unit, the sum here does. */
const workIsExact: Facts = (t) => {
  const at = (target: bigint, work: bigint) => {
    const parent = { ...position0(network), childTarget: target, work }
    return place(network, 'aa'.repeat(32) as Hash, test.block().header, parent).work
  }
  const large = 1n << 80n
  const [lower, higher] = [at(targetFor(2), large), at(targetFor(3), large)]
  t.equal(higher - lower, 1n)
  t.ok(higher > lower)
  t.equal(Number(higher), Number(lower), 'which a floating-point sum would call a tie')
  let sum = 0n
  for (let block = 0; block < 1000; block++) sum += workOf(targetFor(2 ** 60 + 256))
  t.equal(sum, 1000n * workOf(targetFor(2 ** 60 + 256)))
}

/** The same start, two branches: `slow` has more blocks at easier targets, `fast` fewer at harder ones. */
const lengthDoesNotWin: Facts = (t) => {
  const steered = testNetwork({ halfLife: 1, target: targetFor(16), targetMax: targetFor(2) })
  const grow = (count: number, stepMs: number) => {
    const chain = new TestChain(steered)
    for (let height = 1; height <= count; height++) {
      const block = chain.block([], { header: { time: chain.chain.tip.time + stepMs } })
      t.ok(chain.accept(block).ok)
    }
    return chain
  }
  const T = steered.genesis.interval
  const slow = grow(6, 3 * T)
  const fast = grow(4, T / 4)
  t.ok(slow.chain.tip.height > fast.chain.tip.height && slow.chain.tip.work < fast.chain.tip.work)
  const node = new TestChain(steered)
  node.follow(fast)
  for (let height = 1; height <= 6; height++) {
    const hash = slow.chain.at(height)?.hash as Hash
    t.ok(node.acceptBytes(slow.archive.block(hash), slow.nowMs).ok, 'kept as a side branch')
  }
  t.equal(node.chain.tip.hash, fast.chain.tip.hash, 'longer with less work loses')

  const honest = new TestChain(network)
  honest.grow(1)
  const liar = new TestChain(network)
  const bad = liar.block([], { miner: carol, coinbase: { reward: 51 * COIN } })
  t.equal(
    codeOf(honest.accept(bad)),
    'ok',
    'kept as a side branch of the same work, its rewards not yet looked at',
  )
  const above = { height: 2, parent: headerHash(network.hashing, bad.header) }
  const child = liar.block([], {
    miner: carol,
    header: { ...above, time: bad.header.time + 1 },
    coinbase: above,
  })
  t.equal(codeOf(honest.accept(child)), 'bad-reward', 'longer and invalid loses')
  t.equal(honest.chain.tip.miner, bob.account)
  t.equal(honest.chain.tip.height, 1)
}

const newKeysHaveNothing: Facts = (t) => {
  const node = new TestChain(network)
  const strangers = [50, 51, 52].map(signer)
  for (const stranger of strangers) {
    t.strictSame(node.chain.state.account(stranger.account), { nonce: 0, balance: 0 })
    const spend = node.transfer(stranger, bob.account, 1)
    t.equal(codeOf(node.accept(node.block([], { forced: [spend] }))), 'insufficient-balance')
  }
  const before = node.chain.state.totals().supply
  node.grow(
    1,
    strangers.map((stranger) => node.reading(stranger)),
  )
  t.equal(
    node.chain.state.totals().supply,
    before + node.network.genesis.subsidy,
    'and being seen creates nothing',
  )
  t.equal(node.chain.state.account(strangers[0]?.account as Account).balance, 0)
}

const difficultyMovesByFractions: Facts = (t) => {
  const { genesis } = network
  const start = targetFor(16 ** 5)
  for (const took of [0.1, 0.5, 2, 5, 20]) {
    const moved = hexDigits(nextTarget(genesis, start, took * genesis.interval)) - hexDigits(start)
    t.ok(moved !== 0 && Math.abs(moved) < 0.1, `after ${took} T by ${moved.toFixed(5)} digits`)
  }
}

const headsAreConfirmedFirst: Facts = (t) => {
  const when = { device: bob.account, sensor: 'soil' }
  const lab = new WiresLab({ wires: [{ when, pay: '0.01', for: 'water', confirmations: 3 }] })
  lab.mine([lab.test.reading(bob), lab.test.reading(carol)])
  lab.mine()
  t.equal(lab.outbox.unconfirmed.length, 0, 'not before the depth that was asked for')
  lab.mine()
  t.match(lab.outbox.unconfirmed, [{ transaction: { type: 'transfer', to: bob.account, amount: 1_000_000 } }])
}

const DEFECTS: readonly (readonly [string, Facts])[] = [
  ['hash over [object Object]: here every field of every message changes its hash', everyFieldIsHashed],
  ['proof of work logged but not enforced: high-hash', proofOfWorkIsEnforced],
  ['self-declared difficulty: bad-target, easier and harder', difficultyIsNotDeclared],
  ['fields concatenated without separation: borders are part of the hash', fieldsAreSeparated],
  ['floating-point work: one unit in 2^80 decides', workIsExact],
  ['replacing the chain by any longer one: work wins, and only valid work', lengthDoesNotWin],
  ['initial balances for every new key: a new key has 0', newKeysHaveNothing],
  ['difficulty stepping by whole hex digits: it moves by fractions', difficultyMovesByFractions],
  ['acting on an unconfirmed head: wires pay at their depth', headsAreConfirmedFirst],
]

for (const [defect, facts] of DEFECTS) t.test(defect, async (t) => facts(t))
