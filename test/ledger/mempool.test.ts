import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { MEMPOOL_DEFAULTS, Mempool } from '../../ledger/mempool.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { alice, bob, carol, codeOf, seeded, signer, TestChain, testNetwork } from '../helpers/ledger.ts'

const rich = [alice, bob, carol, signer(4), signer(5), signer(6)]
const allocations = rich.map(({ account }) => ({ account, amount: 1000 * COIN }))
const test = new TestChain(testNetwork({ allocations }))
const { network } = test
const BYTES = test.transfer(alice, bob.account, 1).bytes.length
const limits = (transactions: number, accountMax = 64) => ({ bytesMax: transactions * BYTES, accountMax })
const pay = (from = alice, nonce = 0, fee = 0, amount = 1) =>
  test.transfer(from, bob.account, amount, { nonce, fee })

/** A mempool on the state after genesis, with an `add` that answers with the code. */
function pool(max = MEMPOOL_DEFAULTS, on = test, miner?: typeof alice.account) {
  const mempool = new Mempool(on.network, miner, max)
  const { state, tip } = on.chain
  return {
    mempool,
    add: (sealed: Sealed, height = tip.height + 1) => codeOf(mempool.add(sealed, state, height)),
  }
}

t.test('the best fee rate comes first, equal rates first come first served', async (t) => {
  const { mempool, add } = pool()
  const list = [pay(alice, 0, 5), pay(bob, 0, 9), pay(carol, 0, 5), test.reading(signer(4), { fee: 9 })]
  for (const sealed of list) t.equal(add(sealed), 'ok')
  const [a, b, c, d] = list
  t.ok(
    (d?.bytes.length ?? 0) < (b?.bytes.length ?? 0),
    'the reading is smaller, so the same fee is a better rate',
  )
  t.strictSame(
    mempool.ordered().map(({ id }) => id),
    [d, b, a, c].map((sealed) => sealed?.id),
  )
})

t.test(
  "an account's transactions keep their nonce order, and count with the lowest rate up to them",
  async (t) => {
    const { mempool, add } = pool()
    const [low, high, other] = [pay(alice, 0, 1), pay(alice, 1, 100), pay(bob, 0, 50)]
    for (const sealed of [low, high, other]) t.equal(add(sealed), 'ok')
    t.strictSame(
      mempool.ordered().map(({ id }) => id),
      [other.id, low.id, high.id],
    )
  },
)

t.test('known, nonce-taken, nonce-gap and nonce-too-low', async (t) => {
  const { mempool, add } = pool()
  const first = pay(alice, 0)
  t.equal(add(first), 'ok')
  t.equal(add(first), 'known')
  t.equal(add(pay(alice, 0, 7)), 'nonce-taken', 'also with a better fee')
  t.equal(add(pay(alice, 2)), 'nonce-gap')
  t.equal(mempool.nextNonce(test.chain.state, alice.account), 1)
  t.equal(mempool.has(first.id), true)
  const later = new TestChain(network)
  later.grow(1, [first])
  t.equal(pool(MEMPOOL_DEFAULTS, later).add(first), 'nonce-too-low')
})

t.test('insufficient-balance: the whole queue has to be covered', async (t) => {
  const { add } = pool()
  t.equal(add(pay(alice, 0, 0, 600 * COIN)), 'ok')
  t.equal(add(pay(alice, 1, 1, 400 * COIN)), 'insufficient-balance')
  t.equal(add(pay(alice, 1, 0, 400 * COIN)), 'ok')
  t.equal(add(test.reading(alice, { nonce: 2, fee: 1 })), 'insufficient-balance')
  t.equal(add(test.reading(alice, { nonce: 2 })), 'ok')
  t.equal(add(pay(bob, 0, 1, Number.MAX_SAFE_INTEGER)), 'insufficient-balance', 'no sum overflows')
  t.equal(add(pay(signer(99), 0, 0, 1)), 'insufficient-balance', 'a new key has nothing')
})

t.test('expired, type-not-active and fee-too-low are judged for the next block', async (t) => {
  const { add } = pool()
  const sealed = test.transfer(alice, bob.account, 1, { expiry: 5 })
  t.equal(add(sealed, 6), 'expired')
  t.equal(add(sealed, 5), 'ok')
  const floor = new TestChain(
    testNetwork({ allocations, feeFloor: 5, activations: [{ type: 1, height: 3 }] }),
  )
  const cheap = floor.transfer(alice, bob.account, 1, { fee: 4 })
  t.equal(pool(MEMPOOL_DEFAULTS, floor).add(cheap, 2), 'type-not-active')
  t.equal(pool(MEMPOOL_DEFAULTS, floor).add(cheap, 3), 'fee-too-low')
  t.equal(pool(MEMPOOL_DEFAULTS, floor, alice.account).add(cheap, 3), 'ok', "this node's miner may")
  t.equal(pool(MEMPOOL_DEFAULTS, floor, bob.account).add(cheap, 3), 'fee-too-low')
})

t.test('account-queue-full: one more than an account may have waiting', async (t) => {
  const { add } = pool(limits(10, 2))
  t.strictSame(
    [0, 1, 2].map((nonce) => add(pay(alice, nonce))),
    ['ok', 'ok', 'account-queue-full'],
  )
  t.equal(add(pay(bob)), 'ok')
})

t.test('mempool-full: who pays no more than the cheapest is refused', async (t) => {
  const { mempool, add } = pool(limits(2))
  t.equal(add(pay(alice, 0, 5)), 'ok')
  t.equal(add(pay(bob, 0, 7)), 'ok')
  t.equal(add(pay(carol, 0, 5)), 'mempool-full')
  t.equal(add(pay(alice, 1, 50)), 'mempool-full', 'it counts with the rate of the one before it')
  t.equal(mempool.size, 2)
})

t.test('the cheapest is evicted for a better one, the last of its account first', async (t) => {
  const { mempool, add } = pool(limits(3))
  const [first, second, other] = [pay(alice, 0, 2), pay(alice, 1, 9), pay(bob, 0, 5)]
  for (const sealed of [first, second, other]) t.equal(add(sealed), 'ok')
  t.equal(add(pay(carol, 0, 3)), 'ok')
  t.equal(mempool.has(second.id), false, 'nonce 1 goes before nonce 0')
  t.equal(mempool.has(first.id), true)
  t.equal(mempool.nextNonce(test.chain.state, alice.account), 1)
  t.equal(add(pay(signer(4), 0, 4)), 'ok')
  t.equal(mempool.has(first.id), false)
  t.equal(mempool.nextNonce(test.chain.state, alice.account), 0)
})

t.test('nobody is evicted for one that then does not fit', async (t) => {
  const { mempool, add } = pool({ bytesMax: 2 * BYTES, accountMax: 64 })
  const [cheap, dear] = [pay(alice, 0, 1), pay(bob, 0, 5000)]
  t.equal(add(cheap), 'ok')
  t.equal(add(dear), 'ok')
  // Pays more than the cheap one but is larger than what that one leaves.
  const large = test.sign(carol, {
    type: 'transfer',
    to: bob.account,
    amount: 1,
    memo: 'm'.repeat(80),
    fee: 1000,
  })
  t.equal(add(large), 'mempool-full')
  t.equal(mempool.has(cheap.id), true)
  t.equal(mempool.bytes, 2 * BYTES)
})

t.test('under any load the bytes stay bounded and the order minable', async (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = seeded(seed)
    const max = { bytesMax: 20 * BYTES + 17, accountMax: 8 }
    const { mempool, add } = pool(max)
    const codes = new Set<string>()
    const { state } = test.chain
    for (let step = 0; step < 400; step++) {
      const from = rich[Math.floor(random() * rich.length)] ?? alice
      const memo = 'm'.repeat(Math.floor(random() * 80))
      const nonce = mempool.nextNonce(state, from.account) + (random() < 0.1 ? 1 : 0)
      const amount = Math.floor(random() * 500 * COIN)
      codes.add(
        add(
          test.sign(from, {
            type: 'transfer',
            to: bob.account,
            amount,
            memo,
            nonce,
            fee: Math.floor(random() * 1e6),
          }),
        ),
      )
      const list = mempool.ordered()
      const bytes = list.reduce((sum, sealed) => sum + sealed.bytes.length, 0)
      if (bytes !== mempool.bytes || bytes > max.bytesMax || list.length !== mempool.size)
        t.fail(`seed ${seed} step ${step}: bytes`)
      const next = new Map<string, number>()
      for (const { transaction: tx } of list) {
        if (tx.nonce !== (next.get(tx.from) ?? 0)) t.fail(`seed ${seed} step ${step}: nonce order`)
        next.set(tx.from, tx.nonce + 1)
        if (tx.nonce >= max.accountMax) t.fail(`seed ${seed} step ${step}: account limit`)
      }
    }
    for (const code of ['ok', 'mempool-full', 'nonce-gap', 'insufficient-balance'])
      t.ok(codes.has(code), `seed ${seed} met ${code}`)
  }
})

t.test('a new block takes out what it confirms and what it leaves without cover or time', async (t) => {
  const chain = new TestChain(network)
  const { mempool, add } = pool(MEMPOOL_DEFAULTS, chain)
  const confirmed = chain.transfer(alice, carol.account, 900 * COIN)
  const waits = chain.transfer(alice, carol.account, 50 * COIN, { nonce: 1 })
  const expires = chain.transfer(bob, carol.account, 1, { expiry: 1 })
  const after = chain.transfer(bob, carol.account, 1, { nonce: 1 })
  const conflicting = chain.transfer(carol, alice.account, 1)
  for (const sealed of [confirmed, waits, expires, after, conflicting]) t.equal(add(sealed), 'ok')
  chain.grow(1, [confirmed, chain.transfer(carol, bob.account, 1000 * COIN + 900 * COIN)])
  const dropped = mempool.update(chain.chain.state, 2, [])
  t.strictSame(
    mempool.ordered().map(({ id }) => id),
    [waits.id],
  )
  t.strictSame(
    dropped.map(({ id }) => id),
    [expires.id, after.id],
    'what is confirmed, or replaced, is not counted as dropped',
  )
  t.equal(mempool.bytes, waits.bytes.length)
})

t.test('what a reorganisation disconnects comes back, several blocks of one account included', async (t) => {
  const ours = new TestChain(network)
  const theirs = new TestChain(network)
  const { mempool, add } = pool(MEMPOOL_DEFAULTS, ours)
  const sent = [0, 1, 2, 3].map((nonce) => ours.transfer(alice, carol.account, 1, { nonce, fee: nonce }))
  for (const sealed of sent) add(sealed)
  for (const sealed of sent.slice(0, 3)) {
    ours.grow(1, [sealed])
    mempool.update(ours.chain.state, ours.chain.tip.height + 1, [])
  }
  t.equal(mempool.size, 1)
  theirs.grow(4)
  const last = ours.follow(theirs)
  t.ok(last?.ok)
  if (!last?.ok) return
  const disconnected = last.value.disconnected.flatMap(({ transactions }) => transactions)
  t.strictSame(mempool.update(ours.chain.state, 5, disconnected), [])
  t.strictSame(
    mempool.ordered().map(({ transaction }) => transaction.nonce),
    [0, 1, 2, 3],
  )
})

t.test('of equally cheap ones the newest is evicted', async (t) => {
  const { mempool, add } = pool(limits(3))
  const list = [pay(alice, 0, 2), pay(bob, 0, 2), pay(carol, 0, 2)]
  for (const sealed of list) t.equal(add(sealed), 'ok')
  t.equal(add(pay(signer(4), 0, 3)), 'ok')
  t.strictSame(
    list.map(({ id }) => mempool.has(id)),
    [true, true, false],
  )
})

t.test('what comes back and then has to make room for a better one is named as dropped', async (t) => {
  const { mempool, add } = pool(limits(2))
  for (const sealed of [pay(alice, 0, 5), pay(bob, 0, 7)]) t.equal(add(sealed), 'ok')
  const returning = pay(carol, 0, 1)
  t.strictSame(mempool.update(test.chain.state, 1, [returning]), [returning])
  t.equal(mempool.size, 2)
})
