import t from 'tap'
import { COIN } from '../../ledger/amount.ts'
import { type Admission, Mempool } from '../../ledger/mempool.ts'
import { MEMPOOL_DEFAULTS, type MempoolLimits, memoryOf } from '../../ledger/mempool-limits.ts'
import type { State } from '../../ledger/state.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { alice, bob, carol, codeOf, seeded, signer, TestChain, testNetwork } from '../helpers/ledger.ts'

const rich = [alice, bob, carol, signer(4), signer(5), signer(6)]
const allocations = rich.map(({ account }) => ({ account, amount: 1000 * COIN }))
const test = new TestChain(testNetwork({ allocations }))
const { network } = test
const MEMORY = memoryOf(test.transfer(alice, bob.account, 1))
const limits = (transactions: number, accountMax = 64) => ({
  memoryBytesMax: transactions * MEMORY,
  accountMax,
})
const pay = (from = alice, nonce = 0, fee = 0, amount = 1) =>
  test.transfer(from, bob.account, amount, { nonce, fee })

const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id)
const nonces = (list: readonly Sealed[]) => list.map(({ transaction }) => transaction.nonce)
const reasons = ({ dropped }: Admission) => dropped.map(({ sealed, fault }) => [sealed.id, fault.code])
/** As if the chain's next block had another height. */
const at = ({ chain }: TestChain, height: number) => ({ state: chain.state, next: { ...chain.next, height } })
const NOTHING: Admission = { entered: [], dropped: [] }

/** A mempool on the state after genesis, with an `add` that answers with the code, and an `admit` with all of it. */
function pool(max: Partial<MempoolLimits> = {}, on = test, miner?: typeof alice.account) {
  const mempool = new Mempool(on.network, miner, max)
  const { state, next } = on.chain
  return {
    mempool,
    add: (sealed: Sealed, height = next.height) =>
      codeOf(mempool.add(sealed, { state, next: { ...next, height } })),
    admit: (sealed: Sealed): Admission => {
      const added = mempool.add(sealed, on.chain)
      if (!added.ok) throw new Error(added.fault.message)
      return added.value
    },
    /** Mines a block with these transactions and follows it. */
    block: (transactions: readonly Sealed[] = []): Admission => {
      const accepted = on.accept(on.block(transactions))
      if (!accepted.ok) throw new Error(accepted.fault.message)
      return mempool.update(on.chain, accepted.value)
    },
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

t.test('known, nonce-gap and nonce-too-low', async (t) => {
  const { mempool, add } = pool()
  const first = pay(alice, 0)
  t.equal(add(first), 'ok')
  t.equal(add(first), 'known')
  t.equal(add(pay(alice, 66)), 'nonce-gap', 'one more than is held')
  t.equal(mempool.nextNonce(test.chain.state, alice.account), 1)
  t.equal(mempool.has(first.id), true)
  const later = new TestChain(network)
  later.grow(1, [first])
  t.equal(pool({}, later).add(first), 'nonce-too-low')
})

t.test('what is behind a gap is held, not mined, and enters the queue when the gap closes', async (t) => {
  const { mempool, admit, add } = pool()
  const [zero, one, two, four] = [pay(alice, 0), pay(alice, 1), pay(alice, 2), pay(alice, 4)]
  for (const sealed of [four, two, one]) t.strictSame(admit(sealed), NOTHING)
  t.equal(add(two), 'known')
  t.equal(mempool.has(two.id), true)
  t.strictSame([mempool.size, mempool.held, mempool.ordered().length], [0, 3, 0])
  t.strictSame(nonces(admit(zero).entered), [0, 1, 2])
  t.strictSame(nonces(mempool.ordered()), [0, 1, 2])
  t.equal(mempool.held, 1, 'nonce 4 waits for 3')
  t.equal(add(pay(alice, 67)), 'ok', '64 above the next')
  t.equal(add(pay(alice, 68)), 'nonce-gap')
})

t.test('what is held has limits: per account, in all, by balance, and one for each nonce', async (t) => {
  const { mempool, add, admit } = pool({ heldAccountMax: 2, heldMax: 3 })
  t.equal(add(pay(alice, 1, 5)), 'ok')
  t.equal(add(pay(alice, 1, 500)), 'nonce-gap', 'what is held is not replaced')
  t.strictSame(
    [2, 3].map((nonce) => add(pay(alice, nonce, 5))),
    ['ok', 'nonce-gap'],
  )
  t.equal(add(pay(bob, 1, 0, 1001 * COIN)), 'insufficient-balance')
  t.equal(add(pay(bob, 1, 9, 600 * COIN)), 'ok')
  t.equal(add(pay(bob, 2, 9, 400 * COIN)), 'insufficient-balance', 'besides what is held')
  t.equal(add(pay(carol, 1, 5)), 'nonce-gap', 'full, and it pays no more than others')
  const better = admit(pay(carol, 1, 6))
  t.strictSame(reasons(better), [[pay(alice, 2, 5).id, 'nonce-gap']], 'of the cheapest the newest goes')
  t.equal(mempool.held, 3)
  t.equal(mempool.has(pay(alice, 2, 5).id), false)
})

t.test('what is held for too many blocks is dropped', async (t) => {
  const chain = new TestChain(network)
  const { mempool, admit, block } = pool({ heldBlocksMax: 2 }, chain)
  const held = pay(alice, 1)
  admit(held)
  t.strictSame([block(), block()], [NOTHING, NOTHING])
  t.strictSame(reasons(block()), [[held.id, 'nonce-gap']])
  t.strictSame([mempool.held, mempool.has(held.id)], [0, false])
})

t.test('what is confirmed after it was held for long is not dropped', async (t) => {
  const chain = new TestChain(network)
  const { mempool, admit, block } = pool({ heldBlocksMax: 0 }, chain)
  const [first, held] = [pay(alice, 0), pay(alice, 1)]
  admit(held)
  t.strictSame(block([first, held]), NOTHING)
  t.equal(mempool.held, 0)
})

t.test('a gap that a block closes lets in what is held', async (t) => {
  const chain = new TestChain(network)
  const { mempool, admit, block } = pool({}, chain)
  const held = [pay(alice, 1), pay(alice, 2)]
  for (const sealed of held) admit(sealed)
  const moved = block([pay(alice, 0, 3)])
  t.strictSame([ids(moved.entered), moved.dropped], [ids(held), []])
  t.strictSame(nonces(mempool.ordered()), [1, 2])
})

t.test('a full queue leaves the rest held, until a block makes room', async (t) => {
  const chain = new TestChain(network)
  const { mempool, admit, block } = pool({ accountMax: 2 }, chain)
  for (const nonce of [1, 2]) admit(pay(alice, nonce))
  const first = pay(alice, 0)
  t.strictSame(nonces(admit(first).entered), [0, 1])
  t.equal(mempool.held, 1)
  t.strictSame(nonces(block([first]).entered), [2])
})

t.test('a transaction with a nonce that is taken needs 10 % more, rounded up', async (t) => {
  const { mempool, add, admit } = pool()
  const [old, short, enough] = [pay(alice, 0, 101), pay(alice, 0, 111), pay(alice, 0, 112)]
  t.equal(add(old), 'ok')
  t.match(mempool.add(short, test.chain), {
    ok: false,
    fault: { code: 'fee-too-low-to-replace', message: /^fee: at least 112 to replace/ },
  })
  t.equal(mempool.has(old.id), true)
  const replaced = admit(enough)
  t.strictSame(ids(replaced.entered), [enough.id])
  t.strictSame(reasons(replaced), [[old.id, 'replaced']])
  t.strictSame(ids(mempool.ordered()), [enough.id])
  t.strictSame([mempool.has(old.id), mempool.bytes], [false, enough.bytes.length])
  t.equal(mempool.memory, memoryOf(enough))
})

t.test('a replacement pays the floor once more, at least 1, and no less per byte', async (t) => {
  const floor = new TestChain(testNetwork({ allocations, feeFloor: 50 }))
  const { add } = pool({}, floor)
  const memo = 'm'.repeat(80)
  t.equal(add(floor.transfer(alice, bob.account, 1)), 'fee-too-low')
  const give = (fee: number, text = '') =>
    floor.transfer(alice, bob.account, 1, { fee, memo: text } as object)
  t.equal(add(give(60)), 'ok')
  t.equal(add(give(109)), 'fee-too-low-to-replace')
  t.equal(add(give(110)), 'ok')
  t.equal(add(give(160, memo)), 'fee-too-low-to-replace', 'longer, and so less per byte')
  t.equal(add(give(166, memo)), 'ok')
  const free = pool()
  t.equal(free.add(pay(bob, 0, 0)), 'ok')
  t.equal(free.add(pay(bob, 0, 0, 2)), 'fee-too-low-to-replace', 'for nothing nobody changes their mind')
  t.equal(free.add(pay(bob, 0, 1, 2)), 'ok')
})

t.test('a replacement leaves the whole queue covered, or is refused', async (t) => {
  const { mempool, add, admit } = pool()
  const first = pay(alice, 0, 0, 600 * COIN)
  t.equal(add(first), 'ok')
  t.equal(add(pay(alice, 1, 0, 400 * COIN)), 'ok')
  t.equal(add(pay(alice, 0, 10, 600 * COIN)), 'insufficient-balance')
  t.equal(mempool.has(first.id), true)
  t.equal(admit(pay(alice, 0, 10, 500 * COIN)).dropped.length, 1)
  t.equal(add(pay(alice, 2, 0, 100 * COIN)), 'insufficient-balance', 'what the fee took is gone')
  t.equal(add(pay(alice, 2, 0, 100 * COIN - 10)), 'ok', 'what it freed is there')
})

t.test('a replacement lifts those behind it, and its queue keeps the nonce order', async (t) => {
  const { mempool, add } = pool()
  for (const sealed of [pay(alice, 0, 10), pay(alice, 1, 100), pay(alice, 2, 100), pay(bob, 0, 50)])
    add(sealed)
  t.strictSame(nonces(mempool.ordered()), [0, 0, 1, 2])
  t.equal(mempool.ordered()[0]?.transaction.from, bob.account)
  t.equal(add(pay(alice, 0, 100)), 'ok')
  t.strictSame(
    mempool.ordered().map(({ transaction: tx }) => [tx.from === alice.account, tx.nonce]),
    [
      [true, 0],
      [true, 1],
      [true, 2],
      [false, 0],
    ],
  )
})

t.test('a longer replacement that does not fit leaves the replaced where it is', async (t) => {
  const { mempool, add } = pool(limits(2))
  const [own, other] = [pay(alice, 0, 10), pay(bob, 0, 5000)]
  for (const sealed of [own, other]) t.equal(add(sealed), 'ok')
  const longer = test.transfer(alice, bob.account, 1, { fee: 1000, memo: 'long' } as object)
  t.equal(add(longer), 'mempool-full')
  t.equal(mempool.has(own.id), true)
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
  t.equal(pool({}, floor).add(cheap, 2), 'type-not-active')
  t.equal(pool({}, floor).add(cheap, 3), 'fee-too-low')
  t.equal(pool({}, floor, alice.account).add(cheap, 3), 'ok', "this node's miner may")
  t.equal(pool({}, floor, bob.account).add(cheap, 3), 'fee-too-low')
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
  t.equal(mempool.entryRate, 5 / pay().bytes.length, 'what a newcomer has to be above')
  t.equal(pool(limits(4)).mempool.entryRate, undefined)
})

t.test('the cheapest is evicted for a better one, the last of its account first', async (t) => {
  const { mempool, add, admit } = pool(limits(3))
  const [first, second, other] = [pay(alice, 0, 2), pay(alice, 1, 9), pay(bob, 0, 5)]
  for (const sealed of [first, second, other]) t.equal(add(sealed), 'ok')
  t.strictSame(reasons(admit(pay(carol, 0, 3))), [[second.id, 'mempool-full']], 'its sender can be told')
  t.equal(mempool.has(second.id), false, 'nonce 1 goes before nonce 0')
  t.equal(mempool.has(first.id), true)
  t.equal(mempool.nextNonce(test.chain.state, alice.account), 1)
  t.equal(add(pay(signer(4), 0, 4)), 'ok')
  t.equal(mempool.has(first.id), false)
  t.equal(mempool.nextNonce(test.chain.state, alice.account), 0)
})

t.test('nobody is evicted for one that then does not fit', async (t) => {
  const { mempool, add } = pool(limits(2))
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
  t.equal(mempool.memory, 2 * MEMORY)
})

/** Fails if the mempool is not what its rules say it always is. */
function audit(
  mempool: Mempool,
  state: State,
  max: MempoolLimits,
  height: number,
  /** So many of each account came back from blocks. */
  returned: ReadonlyMap<string, number>,
): string | undefined {
  const list = mempool.ordered()
  const sum = (of: (sealed: Sealed) => number) => list.reduce((total, sealed) => total + of(sealed), 0)
  if (sum(({ bytes }) => bytes.length) !== mempool.bytes || list.length !== mempool.size) return 'bytes'
  if (sum(memoryOf) !== mempool.memory || mempool.memory > max.memoryBytesMax) return 'memory'
  if (mempool.held > max.heldMax) return 'held'
  const next = new Map<string, { nonce: number; left: number; rate: number }>()
  let rate = Number.MAX_VALUE
  for (const { transaction: tx, bytes, id } of list) {
    const { nonce, balance } = state.account(tx.from)
    const at = next.get(tx.from) ?? { nonce, left: balance, rate: Number.MAX_VALUE }
    const own = Math.min(at.rate, tx.fee / bytes.length)
    const left = at.left - tx.fee - (tx.type === 'transfer' ? tx.amount : 0)
    if (tx.nonce !== at.nonce) return 'nonce order'
    if (tx.nonce - nonce >= max.accountMax + (returned.get(tx.from) ?? 0)) return 'account limit'
    if (left < 0) return 'cover'
    if (own > rate) return 'rate order'
    if (tx.expiry < height || !mempool.has(id)) return 'expiry'
    rate = own
    next.set(tx.from, { nonce: tx.nonce + 1, left, rate: own })
  }
  return undefined
}

t.test('under any load and over reorganisations the limits are kept and the order is minable', async (t) => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = seeded(seed)
    const upTo = (max: number) => Math.floor(random() * max)
    const max = { ...MEMPOOL_DEFAULTS, ...limits(20, 8), heldAccountMax: 2, heldMax: 4, heldBlocksMax: 3 }
    const ours = new TestChain(network)
    const mempool = new Mempool(network, undefined, max)
    const codes = new Set<string>()
    const returned = new Map<string, number>()
    for (let step = 0; step < 400; step++) {
      const { state, tip } = ours.chain
      const height = tip.height + 1
      if (step % 20 === 19) {
        // A branch that leaves the chain up to two blocks below the tip, and is one block longer.
        const branch = new TestChain(network)
        const back = Math.min(tip.height, upTo(3))
        for (let at = 1; at <= tip.height - back; at++)
          branch.acceptBytes(ours.archive.block(ours.chain.at(at)?.hash ?? network.block0Hash))
        for (let more = 0; more < back; more++) branch.grow(1, [], carol)
        branch.grow(1, mempool.ordered().slice(0, upTo(12)), carol)
        const from = ours.chain.tip.height
        for (let at = 1; at <= branch.chain.tip.height; at++) {
          const hash = branch.chain.at(at)?.hash ?? network.block0Hash
          if (ours.chain.entry(hash) !== undefined) continue
          const accepted = ours.acceptBytes(branch.archive.block(hash))
          if (!accepted.ok) throw new Error(accepted.fault.message)
          for (const { transaction: tx } of accepted.value.disconnected.flatMap((each) => each.transactions))
            returned.set(tx.from, (returned.get(tx.from) ?? 0) + 1)
          const moved = mempool.update(ours.chain, accepted.value)
          for (const { sealed, fault } of moved.dropped) {
            codes.add(`dropped ${fault.code}`)
            if (mempool.has(sealed.id)) t.fail(`seed ${seed} step ${step}: dropped and still there`)
          }
          for (const { id } of moved.entered) if (!mempool.has(id)) t.fail(`seed ${seed}: entered and gone`)
        }
        if (back > 0 && ours.chain.tip.height > from) codes.add('reorganised')
      } else {
        const from = rich[upTo(rich.length)] ?? alice
        const memo = 'm'.repeat(upTo(80))
        const nonce = Math.max(0, mempool.nextNonce(state, from.account) + (upTo(10) < 7 ? 0 : upTo(5) - 2))
        const amount = upTo(200 * COIN)
        const [fee, expiry] = [upTo(1e6), height + upTo(6)]
        const sealed = ours.sign(from, {
          type: 'transfer',
          to: bob.account,
          amount,
          memo,
          nonce,
          fee,
          expiry,
        })
        codes.add(codeOf(mempool.add(sealed, ours.chain)))
      }
      const wrong = audit(mempool, ours.chain.state, max, ours.chain.tip.height + 1, returned)
      if (wrong !== undefined) t.fail(`seed ${seed} step ${step}: ${wrong}`)
    }
    for (const code of ['ok', 'mempool-full', 'insufficient-balance', 'fee-too-low-to-replace'])
      t.ok(codes.has(code), `seed ${seed} met ${code}`)
    for (const code of ['reorganised', 'dropped expired', 'dropped nonce-gap'])
      t.ok(codes.has(code), `seed ${seed} met ${code}`)
  }
})

t.test('a new block takes out what it confirms and what it leaves without cover or time', async (t) => {
  const chain = new TestChain(network)
  const { mempool, add, block } = pool({}, chain)
  const confirmed = chain.transfer(alice, carol.account, 900 * COIN)
  const waits = chain.transfer(alice, carol.account, 50 * COIN, { nonce: 1 })
  const uncovered = chain.transfer(bob, carol.account, 700 * COIN, { nonce: 1 })
  const expires = chain.transfer(signer(4), carol.account, 1, { expiry: 1 })
  const after = chain.transfer(signer(4), carol.account, 1, { nonce: 1 })
  const conflicting = chain.transfer(carol, alice.account, 1)
  for (const sealed of [confirmed, waits, expires, after, conflicting]) t.equal(add(sealed), 'ok')
  t.equal(add(chain.transfer(bob, carol.account, 1)), 'ok')
  t.equal(add(uncovered), 'ok')
  const rival = chain.transfer(carol, bob.account, 1000 * COIN + 900 * COIN)
  const moved = block([confirmed, rival, chain.transfer(bob, carol.account, 400 * COIN)])
  t.strictSame(ids(mempool.ordered()), ids([waits, uncovered]), 'bob has been paid in the same block')
  t.strictSame(
    reasons(moved).sort(),
    [
      [expires.id, 'expired'],
      [conflicting.id, 'nonce-too-low'],
      [chain.transfer(bob, carol.account, 1, { nonce: 0 }).id, 'nonce-too-low'],
    ].sort(),
    'what is confirmed is not dropped, what lost its nonce is',
  )
  t.equal(mempool.held, 1, 'what followed the expired one waits for another with its nonce')
  t.equal(mempool.has(after.id), true)
})

t.test('what the balance no longer covers is dropped, and only from there on', async (t) => {
  const chain = new TestChain(network)
  const { mempool, add, block } = pool({}, chain)
  const queue = [
    chain.transfer(alice, bob.account, 1),
    chain.transfer(alice, bob.account, 600 * COIN, { nonce: 1 }),
  ]
  for (const sealed of queue) t.equal(add(sealed), 'ok')
  const moved = block([chain.transfer(alice, bob.account, 500 * COIN)])
  t.strictSame(
    reasons(moved).map(([, code]) => code),
    ['nonce-too-low', 'insufficient-balance'],
  )
  t.equal(mempool.size, 0)
})

t.test('a block leaves alone the accounts that it does not touch', async (t) => {
  const chain = new TestChain(network)
  const { mempool, add } = pool({}, chain)
  t.equal(add(pay(alice, 0)), 'ok')
  const asked: string[] = []
  chain.grow(1, [pay(carol, 0)])
  const spy = {
    account(of: typeof alice.account) {
      asked.push(of)
      return chain.chain.state.account(of)
    },
  }
  mempool.update(
    { state: spy as unknown as State, next: chain.chain.next },
    { connected: [], disconnected: [] },
  )
  t.strictSame(asked, [])
  t.equal(mempool.size, 1)
})

t.test('what a reorganisation disconnects comes back, several blocks of one account included', async (t) => {
  const ours = new TestChain(network)
  const theirs = new TestChain(network)
  const { mempool, add, block } = pool({}, ours)
  const sent = [0, 1, 2, 3].map((nonce) => ours.transfer(alice, carol.account, 1, { nonce, fee: nonce }))
  for (const sealed of sent) add(sealed)
  for (const sealed of sent.slice(0, 3)) block([sealed])
  t.equal(mempool.size, 1)
  theirs.grow(4)
  const last = ours.follow(theirs)
  t.ok(last?.ok)
  if (!last?.ok) return
  t.strictSame(mempool.update(ours.chain, last.value), NOTHING)
  t.strictSame(nonces(mempool.ordered()), [0, 1, 2, 3])
})

t.test('what the new branch has, too, does not come back, and what it spent otherwise is told', async (t) => {
  const ours = new TestChain(network)
  const theirs = new TestChain(network)
  const { mempool, block } = pool({}, ours)
  const [both, lost] = [pay(alice, 0), pay(bob, 0)]
  block([both, lost])
  theirs.grow(1, [both, pay(bob, 0, 0, 2)])
  theirs.grow(1)
  const last = ours.follow(theirs)
  if (!last?.ok) throw new Error('the branch has more work')
  t.strictSame(reasons(mempool.update(ours.chain, last.value)), [[lost.id, 'nonce-too-low']])
  t.equal(mempool.size, 0)
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

t.test('what comes back and has no room among better ones is named as dropped', async (t) => {
  const { mempool, add } = pool(limits(2))
  for (const sealed of [pay(alice, 0, 5), pay(bob, 0, 7)]) t.equal(add(sealed), 'ok')
  const transactions = [pay(carol, 0, 1)]
  const moved = mempool.update(test.chain, {
    connected: [],
    disconnected: [{ transactions, changes: [] }],
  })
  t.strictSame(reasons(moved), [[transactions[0]?.id, 'mempool-full']])
  t.equal(mempool.size, 2)
})

t.test('what comes back is served before newcomers that pay the same', async (t) => {
  const { mempool, add } = pool()
  t.equal(add(pay(alice, 0, 5)), 'ok')
  const transactions = [pay(carol, 0, 5)]
  mempool.update(test.chain, { connected: [], disconnected: [{ transactions, changes: [] }] })
  t.strictSame(
    mempool.ordered().map(({ transaction: tx }) => tx.from),
    [carol.account, alice.account],
  )
})

t.test('what a block confirms makes room for what comes back, and is not evicted by it', async (t) => {
  const { mempool, add } = pool(limits(2))
  const [confirmed, waits, returning] = [pay(bob, 0, 1), pay(carol, 0, 5), pay(alice, 0, 9)]
  for (const sealed of [confirmed, waits]) t.equal(add(sealed), 'ok')
  const later = new TestChain(network)
  later.grow(1, [confirmed])
  const changes = later.archive.changes(later.chain.tip.hash)
  const moved = mempool.update(later.chain, {
    disconnected: [{ transactions: [returning], changes: [] }],
    connected: [{ transactions: [confirmed], changes }],
  })
  t.strictSame(moved, NOTHING)
  t.strictSame(ids(mempool.ordered()), ids([returning, waits]))
})

t.test(
  'all that a reorganisation takes out of an account comes back, however much may wait of it else',
  async (t) => {
    const long = new TestChain(network)
    const { mempool, block } = pool({ accountMax: 3 }, long)
    const add = (sealed: Sealed) => codeOf(mempool.add(sealed, long.chain))
    const sealed = Array.from({ length: 10 }, (_, nonce) => long.transfer(alice, bob.account, 1, { nonce }))
    for (const from of [0, 3, 6]) block(sealed.slice(from, from + 3))
    t.equal(add(sealed[9] as Sealed), 'ok')
    const other = new TestChain(network)
    other.grow(4, [])
    const moved = long.follow(other)
    if (!moved?.ok) throw new Error('the longer one is followed')
    t.strictSame(mempool.update(long.chain, moved.value), NOTHING)
    t.strictSame(ids(mempool.ordered()), ids(sealed), 'what waited before stands behind it')
    t.equal(
      add(long.transfer(alice, bob.account, 1, { nonce: 10 })),
      'account-queue-full',
      'for newcomers it stays',
    )
    t.equal(add(long.transfer(alice, bob.account, 1, { nonce: 9, fee: 5000 })), 'ok', 'one may be replaced')
    t.strictSame(block(), NOTHING, 'nor is it taken away by the next block')
  },
)

t.test('a transaction is counted with the memory that it takes, not only its bytes', async (t) => {
  t.equal(memoryOf({ bytes: new Uint8Array(100) }), 2148)
})

t.test("the miner's own come first, whatever they pay", async (t) => {
  const { mempool, add } = pool(limits(2), test, carol.account)
  for (const sealed of [pay(alice, 0, 5), pay(carol, 0, 0), pay(bob, 0, 9)]) t.equal(add(sealed), 'ok')
  t.strictSame(
    mempool.ordered().map(({ transaction: tx }) => tx.from),
    [carol.account, bob.account],
  )
})

t.test('a transaction whose type is not active on a lower tip is dropped', async (t) => {
  const late = new TestChain(testNetwork({ allocations, activations: [{ type: 1, height: 3 }] }))
  const { mempool, add } = pool({}, late)
  const sealed = late.transfer(alice, bob.account, 1)
  mempool.update(at(late, 3), { connected: [], disconnected: [] })
  t.equal(add(sealed, 3), 'ok')
  const moved = mempool.update(at(late, 2), { connected: [], disconnected: [] })
  t.strictSame(reasons(moved), [[sealed.id, 'type-not-active']])
})

t.test('a replacement of the same size fits a full mempool', async (t) => {
  const { mempool, add } = pool(limits(1))
  t.equal(add(pay(alice, 0, 10)), 'ok')
  t.equal(add(pay(alice, 0, 20)), 'ok')
  t.equal(mempool.memory, MEMORY)
})

t.test('what is evicted no longer binds its balance', async (t) => {
  const { add } = pool(limits(2))
  t.equal(add(pay(alice, 0, 9)), 'ok')
  t.equal(add(pay(alice, 1, 1, 900 * COIN)), 'ok')
  t.equal(add(pay(bob, 0, 5)), 'ok')
  t.equal(add(pay(alice, 1, 9, 950 * COIN)), 'ok')
})

t.test('a mempool with room takes any rate', async (t) => {
  const { mempool, add } = pool()
  t.equal(add(pay(alice, 0, 9)), 'ok')
  t.equal(mempool.entryRate, undefined)
})

t.test('what enters and has to leave in the same update is only dropped', async (t) => {
  const chain = new TestChain(network)
  const { mempool, add } = pool(limits(2), chain)
  // Accounts are looked at in the order of their keys.
  const [low = alice, high = bob] = [alice, bob].sort((a, b) => (a.account < b.account ? -1 : 1))
  const held = pay(low, 1, 1)
  const kept = pay(high, 0, 9)
  for (const sealed of [held, kept, pay(high, 2, 9)]) t.equal(add(sealed), 'ok')
  chain.grow(1, [pay(low, 0, 0), chain.transfer(carol, high.account, 1)])
  const changes = chain.archive.changes(chain.chain.tip.hash)
  const moved = mempool.update(chain.chain, {
    connected: [{ transactions: [], changes }],
    disconnected: [{ transactions: [pay(signer(4), 0, 5)], changes: [] }],
  })
  t.strictSame([moved.entered, reasons(moved)], [[], [[held.id, 'mempool-full']]])
  t.equal(mempool.has(kept.id), true)
})

t.test('those behind a confirmed cheap one count with their own rate', async (t) => {
  const chain = new TestChain(network)
  const { mempool, add, block } = pool({}, chain)
  const [cheap, dear, other] = [pay(alice, 0, 1), pay(alice, 1, 100), pay(bob, 0, 50)]
  for (const sealed of [cheap, dear, other]) t.equal(add(sealed), 'ok')
  t.equal(mempool.ordered()[0]?.id, other.id)
  block([cheap])
  t.strictSame(ids(mempool.ordered()), ids([dear, other]))
})

t.test('what a block has paid no longer counts against the balance', async (t) => {
  const chain = new TestChain(network)
  const { add, block, admit } = pool({}, chain)
  const [paid, waits] = [pay(alice, 0, 0, 600 * COIN), pay(alice, 1, 0, 100 * COIN)]
  for (const sealed of [paid, waits]) t.equal(add(sealed), 'ok')
  block([paid])
  t.equal(admit(pay(alice, 2, 0, 300 * COIN)).entered.length, 1)
})
