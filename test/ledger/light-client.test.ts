import t from 'tap'
import { targetFor } from '../../ledger/difficulty.ts'
import { headerHash, place, position0 } from '../../ledger/header.ts'
import { LightClient, type LightClientOptions, WINDOW_MIN } from '../../ledger/light-client.ts'
import type { Network } from '../../ledger/network.ts'
import { State } from '../../ledger/state.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { answer } from '../../node/answers.ts'
import type { Block, Header } from '../../schemas/block.ts'
import { type Codec, decode, encode } from '../../schemas/codec.ts'
import { type Account, type Hash, hashFromBytes, ZERO_HASH } from '../../schemas/hex.ts'
import { reply } from '../../schemas/message.ts'
import {
  type BalanceProof,
  balanceProof,
  FOLLOWING_MAX,
  type InclusionProof,
  inclusionProof,
  PROOF_BYTES_MAX,
  type StateProof,
} from '../../schemas/proof.ts'
import { invariant } from '../../schemas/result.ts'
import {
  alice,
  bob,
  carol,
  codeOf,
  mine,
  remake,
  seeded,
  signer,
  TestChain,
  testNetwork,
} from '../helpers/ledger.ts'

/** Headers of a chain's best blocks from a height on. */
const headersOf = ({ chain }: TestChain, from = 1): Header[] =>
  Array.from({ length: chain.tip.height - from + 1 }, (_, index) => chain.header(from + index))

/** A client that has been shown a chain's headers up to a height. */
function following(
  test: TestChain,
  options: LightClientOptions = {},
  height = test.chain.tip.height,
): LightClient {
  const client = new LightClient(test.network, options)
  const followed = client.follow(headersOf(test).slice(0, height), test.nowMs)
  invariant(followed.ok, 'honest headers')
  return client
}

function inclusionOf({ chain }: TestChain, height: number, { id }: Sealed): InclusionProof {
  const answered = answer(chain, { type: 'getInclusion', id: 1, height, transaction: id })
  invariant(answered?.type === 'inclusion', 'the transaction is in that block')
  const bytes = encode(reply, { ...answered, id: 1 })
  invariant(bytes.length <= PROOF_BYTES_MAX, 'a proof is small')
  return answered.proof
}

function balanceOf({ chain }: TestChain, account: Account): BalanceProof {
  const answered = answer(chain, { type: 'getBalance', id: 1, account })
  invariant(answered?.type === 'balance', 'there is a block')
  const bytes = encode(reply, { ...answered, id: 1 })
  invariant(bytes.length <= PROOF_BYTES_MAX, 'a proof is small')
  return answered.proof
}

/** Blocks 1 to 4, alice's payments in block 2. */
function paid(network?: Network): { test: TestChain; payments: Sealed[] } {
  const test = new TestChain(network)
  test.grow(1)
  const payments = [0, 1, 2, 3, 4].map((nonce) => test.transfer(alice, carol.account, 5 + nonce, { nonce }))
  test.grow(1, payments)
  test.grow(2)
  return { test, payments }
}

const first = <T>([item]: readonly T[]): T => {
  invariant(item !== undefined, 'not empty')
  return item
}

t.test('it shows that a transaction is in the chain, how deep, and under how much work', async (t) => {
  const { test, payments } = paid()
  const client = following(test)
  for (const [index, payment] of payments.entries()) {
    const proof = inclusionOf(test, 2, payment)
    t.match(proof, { index, count: 5, following: { length: 2 } })
    const checked = client.checkInclusion(proof, payment.id, test.nowMs)
    const { hash, time } = test.chain.at(2) ?? test.chain.tip
    const work = test.chain.tip.work - (test.chain.at(1)?.work ?? 0n)
    const transaction = { ...payment.transaction, signature: Uint8Array.from(payment.transaction.signature) }
    const value = { hash, height: 2, time, confirmations: 3, work, transaction }
    t.strictSame(checked, { ok: true, value })
  }
})

t.test('it shows what an account has, and that another one has nothing', async (t) => {
  const { test } = paid()
  const client = following(test)
  const { hash, height, time, work, parent } = test.chain.tip
  const under = { hash, height, time, confirmations: 1, work: work - (parent?.work ?? 0n) }
  for (const { account } of [alice, bob, carol, signer(9)]) {
    const checked = client.checkBalance(balanceOf(test, account), account, test.nowMs)
    t.strictSame(checked, { ok: true, value: { ...under, account, ...test.chain.state.account(account) } })
  }
  t.match(test.chain.state.account(carol.account), { balance: 35 })
})

t.test('one message is enough for a client that has the block before', async (t) => {
  const { test, payments } = paid()
  const payment = first(payments)
  const behind = following(test, {}, 1)
  t.match(behind.checkInclusion(inclusionOf(test, 2, payment), payment.id, test.nowMs), {
    value: { confirmations: 3 },
  })
  t.equal(behind.tip.hash, test.chain.tip.hash, 'what follows is its chain now')
  const one = following(test, {}, 3)
  t.match(one.checkBalance(balanceOf(test, alice.account), alice.account, test.nowMs), {
    value: { confirmations: 1 },
  })
  const far = following(test, {}, 0)
  t.equal(codeOf(far.checkInclusion(inclusionOf(test, 2, payment), payment.id, test.nowMs)), 'unknown-parent')
  t.equal(
    codeOf(far.checkBalance(balanceOf(test, alice.account), alice.account, test.nowMs)),
    'unknown-parent',
  )
  t.equal(far.tip.height, 0)
})

t.test(
  'what shows one transaction does not show another, in another place, or in another block',
  async (t) => {
    const { test, payments } = paid()
    const client = following(test)
    const [payment, other] = [payments[3] ?? first(payments), first(payments)]
    const proof = inclusionOf(test, 2, payment)
    const check = (spoilt: Partial<InclusionProof>, id = payment.id) =>
      codeOf(client.checkInclusion({ ...proof, ...spoilt }, id, test.nowMs))
    t.equal(check({}), 'ok')
    t.equal(check({}, other.id), 'wrong-transaction')
    t.equal(check({ transaction: other.bytes }), 'wrong-transaction')
    t.equal(check({ transaction: other.bytes }, other.id), 'bad-transactions-root')
    t.equal(check({ transaction: payment.bytes.slice(1) }), 'bad-encoding')
    const resigned = payment.bytes.slice()
    resigned.set(new Uint8Array(64), resigned.length - 64)
    t.equal(check({ transaction: resigned }), 'bad-transactions-root', 'the same id, other bytes')
    t.equal(check({ path: proof.path.toReversed() }), 'bad-transactions-root', 'a forged path')
    t.equal(check({ path: [ZERO_HASH, ...proof.path.slice(1)] }), 'bad-transactions-root', 'a forged path')
    t.equal(check({ path: proof.path.slice(1) }), 'bad-transactions-root', 'a short path')
    for (const index of [0, 1, 2, 4, 5]) t.equal(check({ index }), 'bad-transactions-root', `index ${index}`)
    for (const count of [0, 3, 4, 6, 8]) t.equal(check({ count }), 'bad-transactions-root', `count ${count}`)
    const elsewhere = test.chain.header(3)
    t.equal(check({ header: elsewhere }), 'bad-content', "another block's header")
  },
)

t.test('nothing is shown by a coinbase that is not the one under the proof of work', async (t) => {
  const { test, payments } = paid()
  const payment = first(payments)
  const [client, account] = [following(test), alice.account]
  const inclusion = inclusionOf(test, 2, payment)
  const balance = balanceOf(test, account)
  const lie = new State(test.network.hashing)
  const spoilt: Partial<BalanceProof['coinbase']>[] = [
    { stateRoot: lie.root(), transactionsRoot: ZERO_HASH },
    { signature: new Uint8Array(64) },
    { reward: 1 },
  ]
  for (const fields of spoilt) {
    const [one, two] = [inclusion, balance].map(({ coinbase }) => ({ ...coinbase, ...fields }))
    invariant(one !== undefined && two !== undefined, 'two coinbases')
    t.equal(
      codeOf(client.checkInclusion({ ...inclusion, coinbase: one }, payment.id, test.nowMs)),
      'bad-content',
    )
    t.equal(codeOf(client.checkBalance({ ...balance, coinbase: two }, account, test.nowMs)), 'bad-content')
  }
})

t.test('a coinbase that the header commits to, and that breaks a rule, shows nothing', async (t) => {
  const { test } = paid()
  const client = following(test)
  const state = balanceOf(test, alice.account).state
  const spoilt = (coinbase: Partial<Block['coinbase']>) => {
    const block = test.block()
    const changed = mine(test.network, remake(test.network, block, { coinbase: { ...coinbase } }, bob))
    const proof = { header: changed.header, coinbase: changed.coinbase, state }
    return codeOf(client.checkBalance(proof, alice.account, test.nowMs))
  }
  const { stateRoot } = balanceOf(test, alice.account).coinbase
  t.equal(spoilt({ stateRoot, network: 'ffffffff' as Block['coinbase']['network'] }), 'wrong-network')
  t.equal(spoilt({ stateRoot, height: 4 }), 'bad-coinbase')
  t.equal(spoilt({ stateRoot, parent: ZERO_HASH }), 'bad-coinbase')
  t.equal(spoilt({ stateRoot, tick: stateRoot }), 'bad-tick')
  t.equal(client.tip.height, 4, 'nor is its header followed')
  t.equal(spoilt({ stateRoot }), 'ok', 'the spoilt field was the only fault')
})

t.test('a proof of another network is refused', async (t) => {
  const [{ test }, other] = [paid(), paid(testNetwork({ name: 'other' }))]
  const client = following(test)
  const payment = first(other.payments)
  t.equal(
    codeOf(client.checkInclusion(inclusionOf(other.test, 2, payment), payment.id, test.nowMs)),
    'wrong-transaction',
    'its id is another here',
  )
  const balance = balanceOf(other.test, alice.account)
  t.equal(codeOf(client.checkBalance(balance, alice.account, test.nowMs)), 'wrong-network')
  t.equal(codeOf(client.follow(headersOf(other.test), test.nowMs)), 'unknown-parent')
})

t.test('a state proof that leads elsewhere is refused, also one of absence', async (t) => {
  const { test } = paid()
  const client = following(test)
  const mines = balanceOf(test, alice.account)
  const check = (state: Partial<StateProof>, account = alice.account) =>
    codeOf(client.checkBalance({ ...mines, state: { ...mines.state, ...state } }, account, test.nowMs))
  t.equal(check({}), 'ok')
  t.equal(check({}, carol.account), 'bad-state-root')
  t.equal(check({ leaf: [] }), 'bad-state-root', 'alice has an entry')
  t.equal(check(balanceOf(test, signer(9).account).state), 'bad-state-root', "a stranger's absence")
  t.equal(check({ siblings: mines.state.siblings.slice(0, -1) }), 'bad-state-root', 'a branch cut')
  const { path, value } = first(mines.state.leaf)
  const richer = value.slice()
  richer[15] = 0xff
  t.equal(check({ leaf: [{ path, value: richer }] }), 'bad-state-root', 'more coins')
})

t.test('an entry that no honest miner can have made is refused, not read', async (t) => {
  const { test } = paid()
  const client = following(test)
  const { account } = signer(9)
  const after = Uint8Array.of(1, 2, 3)
  const broken = new State(test.network.hashing).with(
    [{ kind: 0, key: account as string as Hash, before: new Uint8Array(0), after }],
    'after',
  )
  const made = mine(
    test.network,
    remake(test.network, test.block(), { coinbase: { stateRoot: broken.root() } }, bob),
  )
  const state = broken.accountProof(account)
  invariant(state !== undefined, 'a small tree')
  const proof = { header: made.header, coinbase: made.coinbase, state }
  t.equal(codeOf(client.checkBalance(proof, account, test.nowMs)), 'bad-state-root')
})

t.test('an old state is true and refused; an old inclusion counts the more', async (t) => {
  const { test, payments } = paid()
  const [client, payment, account] = [following(test, { staleMax: 2 }), first(payments), alice.account]
  const balance = balanceOf(test, account)
  const inclusion = inclusionOf(test, 2, payment)
  const check = () => client.checkBalance(balance, account, test.nowMs)
  test.grow(2)
  client.follow(headersOf(test), test.nowMs)
  t.match(check(), { value: { confirmations: 3 } })
  test.grow(1)
  client.follow(headersOf(test), test.nowMs)
  t.equal(codeOf(check()), 'stale')
  t.match(client.checkInclusion(inclusion, payment.id, test.nowMs), { value: { confirmations: 6 } })
})

t.test('a proof under a branch with less work is refused, until that branch has more', async (t) => {
  const { test, payments } = paid()
  const payment = first(payments)
  const rival = new TestChain(test.network)
  rival.grow(3, [], carol)
  const client = following(test)
  t.match(client.follow(headersOf(rival), test.nowMs), { ok: true }, 'nothing is wrong with it')
  t.equal(client.tip.hash, test.chain.tip.hash, 'but it has less work')
  const theirs = balanceOf(rival, alice.account)
  t.equal(codeOf(client.checkBalance(theirs, alice.account, test.nowMs)), 'unknown-parent')
  const ours = inclusionOf(test, 2, payment)
  t.equal(codeOf(client.checkInclusion(ours, payment.id, test.nowMs)), 'ok')
  while (rival.chain.tip.work <= test.chain.tip.work) rival.grow(1, [], carol)
  t.match(client.follow(headersOf(rival), rival.nowMs), { ok: true })
  t.equal(client.tip.hash, rival.chain.tip.hash)
  t.equal(codeOf(client.checkInclusion(ours, payment.id, test.nowMs)), 'unknown-parent')
  const fork = balanceOf(test, alice.account)
  const short = new TestChain(test.network)
  short.grow(1)
  t.equal(codeOf(client.checkBalance(balanceOf(short, bob.account), bob.account, test.nowMs)), 'not-best')
  t.equal(codeOf(client.checkBalance(fork, alice.account, test.nowMs)), 'unknown-parent')
})

t.test('a branch that a proof brings along wins by its work, as any other', async (t) => {
  const { test } = paid()
  const rival = new TestChain(test.network)
  const payment = rival.transfer(alice, bob.account, 7)
  rival.grow(1, [payment], carol)
  while (rival.chain.tip.work <= test.chain.tip.work) rival.grow(1, [], carol)
  const client = following(test)
  const checked = client.checkInclusion(inclusionOf(rival, 1, payment), payment.id, rival.nowMs)
  t.match(checked, { value: { height: 1, confirmations: rival.chain.tip.height } })
  t.equal(client.tip.hash, rival.chain.tip.hash)
})

t.test('headers are checked one by one; those before a fault count', async (t) => {
  const test = new TestChain()
  test.grow(5)
  const headers = headersOf(test)
  const at = (index: number, fields: Partial<Header>): LightClient => {
    const client = new LightClient(test.network)
    const spoilt = headers.map((header, each) => (each === index ? { ...header, ...fields } : header))
    t.notOk(client.follow(spoilt, test.nowMs).ok)
    return client
  }
  const codes = (fields: Partial<Header>) => {
    const client = new LightClient(test.network)
    client.follow(headers.slice(0, 2), test.nowMs)
    return codeOf(client.follow([{ ...first(headers.slice(2)), ...fields }], test.nowMs))
  }
  t.equal(codes({}), 'ok')
  t.equal(codes({ target: targetFor(5) }), 'bad-target')
  t.equal(codes({ height: 4 }), 'unknown-parent')
  t.equal(codes({ parent: ZERO_HASH }), 'unknown-parent')
  const block = test.block()
  t.equal(at(3, { parent: ZERO_HASH }).tip.height, 3)
  t.equal(at(0, { target: 1n }).tip.height, 0)
  const client = following(test)
  const weak = mine(test.network, block, false).header
  t.equal(codeOf(client.follow([weak], test.nowMs)), 'high-hash')
  const early = mine(test.network, {
    ...block,
    header: { ...block.header, time: test.chain.tip.time },
  }).header
  t.equal(codeOf(client.follow([early], test.nowMs)), 'time-too-old')
  const late = mine(test.network, { ...block, header: { ...block.header, time: test.nowMs + 1e6 } }).header
  t.equal(codeOf(client.follow([late], test.nowMs)), 'time-too-new')
  t.equal(client.tip.height, 5)
  t.match(
    client.follow([late], Number.POSITIVE_INFINITY),
    { ok: true },
    'a device without a clock cannot tell',
  )
  t.match(client.follow([], test.nowMs), { ok: true, value: { height: 6 } })
})

t.test('what follows a proven header is checked as any header', async (t) => {
  const { test, payments } = paid()
  const payment = first(payments)
  const proof = inclusionOf(test, 2, payment)
  const client = following(test, {}, 1)
  const [next, after] = proof.following
  invariant(next !== undefined && after !== undefined, 'two follow')
  const spoilt = [next, { ...after, time: next.time }]
  // Another time is another hash, which may meet the easy target by chance; the time itself then does not.
  t.match(
    codeOf(client.checkInclusion({ ...proof, following: spoilt }, payment.id, test.nowMs)),
    /high-hash|time-too-old/,
  )
  t.equal(client.tip.height, 3)
  const many = new TestChain()
  const early = many.transfer(alice, bob.account, 1)
  many.grow(1, [early])
  many.grow(20)
  const long = inclusionOf(many, 1, early)
  t.equal(long.following.length, FOLLOWING_MAX)
  t.match(new LightClient(many.network).checkInclusion(long, early.id, many.nowMs), {
    value: { confirmations: FOLLOWING_MAX + 1 },
  })
})

t.test('it keeps a window, finds its way back by it, and undoes nothing below it', async (t) => {
  const test = new TestChain(testNetwork({ interval: 100 }))
  const { network } = test
  // Headers alone are enough here.
  const headers: Header[] = []
  let last = position0(network)
  const next = (parent: typeof last, content: Hash): Header => {
    const { hash, height, childTarget: target, time } = parent
    const draft = { version: 1, height: height + 1, parent: hash, content, target, time: time + 100 } as const
    return mine(network, { ...test.block(), header: { ...draft, nonce: new Uint8Array(8) } }).header
  }
  for (let count = 0; count < 600; count++) {
    const header = next(last, ZERO_HASH)
    headers.push(header)
    last = place(network, headerHash(network.hashing, header), header, last)
  }
  const windowMax = WINDOW_MIN
  const client = new LightClient(network, { windowMax })
  for (let from = 0; from < 600; from += 150)
    t.ok(client.follow(headers.slice(from, from + 150), last.time).ok)
  t.strictSame(client.tip, last)
  t.equal(client.base.height, 600 - windowMax + 1)
  const heights = client
    .locator()
    .map((hash) => (client.at(600)?.hash === hash ? 600 : heightOf(client, hash)))
  t.strictSame(heights, [600, 599, 598, 597, 596, 595, 594, 593, 592, 591, 512, client.base.height])
  t.throws(() => new LightClient(network, { windowMax: WINDOW_MIN - 1 }))

  const anchor = client.base
  const anchored = new LightClient(network, { anchor, windowMax })
  t.strictSame(anchored.locator(), [anchor.hash])
  t.ok(anchored.follow(headers.slice(anchor.height), last.time).ok)
  t.strictSame(anchored.tip, last, 'from an anchor it gets to the same tip with the same work')

  const branch = [next(anchor, hashFromBytes(new Uint8Array(32).fill(1)))]
  const below = next(position0(network), hashFromBytes(new Uint8Array(32).fill(2)))
  t.equal(codeOf(client.follow(branch, last.time)), 'ok', 'a branch that leaves at its lowest place')
  t.equal(codeOf(client.follow([below], last.time)), 'unknown-parent', 'and one that leaves below')
  t.equal(codeOf(client.follow(headers.slice(0, 1), last.time)), 'unknown-parent')
  t.equal(codeOf(client.follow([network.block0], last.time)), 'unknown-parent')
})

const heightOf = (client: LightClient, hash: Hash): number | undefined => {
  for (let { height } = client.base; height <= client.tip.height; height++)
    if (client.at(height)?.hash === hash) return height
  return undefined
}

t.test('10,000 random changes of a valid proof are all refused', async (t) => {
  // Hard enough that a changed header does not meet the target by chance.
  const target = targetFor(1 << 14)
  const { test, payments } = paid(testNetwork({ target, targetMax: target }))
  const payment = payments[3] ?? first(payments)
  const client = following(test)
  const { tip } = client
  const random = seeded(4)
  const accepted: string[] = []
  const spoil = <T>(codec: Codec<T>, proof: T, check: (spoilt: T) => string): void => {
    const bytes = encode(codec, proof)
    t.equal(check(proof), 'ok')
    for (let round = 0; round < 5_000; round++) {
      const spoilt = bytes.slice()
      for (let changes = 1 + Math.floor(random() * 3); changes > 0; changes--) {
        const at = Math.floor(random() * bytes.length)
        spoilt[at] = (spoilt[at] ?? 0) ^ (1 + Math.floor(random() * 255))
      }
      const decoded = decode(codec, spoilt, PROOF_BYTES_MAX)
      const code = decoded.ok ? check(decoded.value) : 'bad-encoding'
      if (code === 'ok' && encode(codec, proof).some((byte, at) => byte !== spoilt[at]))
        accepted.push(`round ${round}`)
    }
  }
  spoil(inclusionProof, inclusionOf(test, 2, payment), (spoilt) =>
    codeOf(client.checkInclusion(spoilt, payment.id, test.nowMs)),
  )
  spoil(balanceProof, balanceOf(test, alice.account), (spoilt) =>
    codeOf(client.checkBalance(spoilt, alice.account, test.nowMs)),
  )
  t.strictSame(accepted, [])
  t.equal(client.tip, tip)
})
