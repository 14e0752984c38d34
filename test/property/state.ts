/**
 * The state against a naive reference: plain maps and BigInt sums, written from docs/PROTOCOL.md sections 3 and 5.
 *
 * Blocks of random transactions, many of them invalid, are executed on both; blocks are undone and redone by their
 * changes as the store keeps them. After every step both agree on every account, reward and total, the supply law
 * holds, and the root is that of the same entries put into a tree in another order, and of the definition itself.
 */
import { strictEqual as equal, ok, deepStrictEqual as same } from 'node:assert'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { executeBlock } from '../../ledger/block.ts'
import type { Network } from '../../ledger/network.ts'
import { type Change, changes as changesCodec, State, StateView } from '../../ledger/state.ts'
import { type Sealed, sealTransaction } from '../../ledger/transaction.ts'
import { hashing } from '../../node/signing.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, fromHex, type Hash, hashFromBytes, ZERO_HASH } from '../../schemas/hex.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { codeOf, coinsIn, seeded, signer, testNetwork } from '../helpers/ledger.ts'
import { property } from './property.ts'

const LARGEST = 2 ** 53 - 1
const ACCOUNTS = Array.from({ length: 24 }, (_, index) => signer(index + 1).account)
const accountAt = (index: number): Account => ACCOUNTS[index % ACCOUNTS.length] as Account
const FEE_FLOOR = 3
const MATURITY = 3
const SUBSIDY = 900
const HALVING_INTERVAL = 2
const BATCH_HEIGHT = 4

/** Of enrolled networks. */
const AUTHORITIES = ACCOUNTS.slice(3, 5)
const active = [
  { type: 1, height: 0 },
  { type: 2, height: 0 },
  { type: 3, height: BATCH_HEIGHT },
]
const rules = {
  subsidy: SUBSIDY,
  halvingInterval: HALVING_INTERVAL,
  feeFloor: FEE_FLOOR,
  maturity: MATURITY,
  allocations: ACCOUNTS.slice(0, 5).map((account, index) => ({ account, amount: 10 ** index })),
}
const open = testNetwork({ ...rules, activations: active })
const enrolled = testNetwork({
  ...rules,
  authorities: AUTHORITIES,
  activations: [...active, { type: 4, height: 0 }, { type: 5, height: 0 }],
})

/** A transaction to try, relative to what its sender has when its turn comes. */
const attempt = fc.record({
  type: fc.constantFrom('transfer', 'transfer', 'transfer', 'reading', 'batch', 'admission', 'revocation'),
  from: fc.nat(6),
  to: fc.nat(ACCOUNTS.length - 1),
  nonceAhead: fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1, 5, LARGEST),
  expiryAhead: fc.constantFrom(1000, 1000, 0, 1, -1),
  fee: fc.oneof(
    { weight: 6, arbitrary: fc.nat(9) },
    { weight: 1, arbitrary: fc.constantFrom(0, 700, LARGEST) },
  ),
  /** Smallest units, or so much above what the sender has besides the fee. */
  amount: fc.oneof(
    fc.nat(30),
    fc.nat(3000),
    fc.constantFrom(LARGEST, LARGEST - 1, 0),
    fc.constantFrom(0, 0, 1).map((above) => ({ above })),
  ),
  memoBytes: fc.nat(80),
  count: fc.integer({ min: 1, max: 65_535 }),
})
type Attempt = typeof attempt extends fc.Arbitrary<infer T> ? T : never

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('block' as const),
      miner: fc.nat(8),
      attempts: fc.array(attempt, { maxLength: 8 }),
      /** How much less than allowed the miner takes; -1 is one too many. */
      spared: fc.constantFrom(0, 0, 0, 1, 500, LARGEST, -1),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('undo' as const), blocks: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('redo' as const), blocks: fc.integer({ min: 1, max: 6 }) }),
  },
)

interface Entry {
  readonly kind: number
  readonly key: string
  readonly value: Uint8Array
}

/** The ledger as a reader of the protocol document would first write it down. */
class NaiveLedger {
  readonly accounts = new Map<string, { nonce: bigint; balance: bigint }>()
  readonly rewards = new Map<number, { account: string; amount: bigint }>()
  /** Height of the admission. */
  readonly members = new Map<string, number>()
  supply = 0n
  transactions = 0n
  readings = 0n
  height = 0

  copy(): NaiveLedger {
    const copy = new NaiveLedger()
    for (const [key, entry] of this.accounts) copy.accounts.set(key, { ...entry })
    for (const [key, entry] of this.rewards) copy.rewards.set(key, { ...entry })
    for (const [key, since] of this.members) copy.members.set(key, since)
    copy.supply = this.supply
    copy.transactions = this.transactions
    copy.readings = this.readings
    copy.height = this.height
    return copy
  }

  at(account: string): { nonce: bigint; balance: bigint } {
    let entry = this.accounts.get(account)
    if (entry === undefined) {
      entry = { nonce: 0n, balance: 0n }
      this.accounts.set(account, entry)
    }
    return entry
  }

  /** Section 5, execution, step 1. */
  begin(): void {
    this.height++
    const reward = this.rewards.get(this.height - MATURITY)
    if (reward === undefined) return
    this.at(reward.account).balance += reward.amount
    this.rewards.delete(this.height - MATURITY)
  }

  /** Section 3, "in a block of height h by miner m", the first rule that is broken. */
  pay(tx: Transaction, bytes: number, miner: string): string {
    if (tx.type === 'batch' && this.height < BATCH_HEIGHT) return 'type-not-active'
    if (tx.expiry < this.height) return 'expired'
    if (tx.from !== miner && tx.fee < FEE_FLOOR * Math.ceil(bytes / 1000)) return 'fee-too-low'
    const sender = this.at(tx.from)
    if (BigInt(tx.nonce) < sender.nonce) return 'nonce-too-low'
    if (BigInt(tx.nonce) > sender.nonce) return 'nonce-gap'
    const amount = tx.type === 'transfer' ? BigInt(tx.amount) : 0n
    const spend = amount + BigInt(tx.fee)
    if (spend > BigInt(LARGEST)) return 'amount-overflow'
    if (spend > sender.balance) return 'insufficient-balance'
    if (tx.type === 'admission') {
      if (AUTHORITIES.includes(tx.member) || this.members.has(tx.member)) return 'already-member'
      this.members.set(tx.member, this.height)
    }
    if (tx.type === 'revocation' && !this.members.delete(tx.member)) return 'not-member'
    sender.nonce += 1n
    sender.balance -= spend
    if (tx.type === 'transfer') this.at(tx.to).balance += amount
    this.transactions += 1n
    this.readings += tx.type === 'reading' ? 1n : tx.type === 'batch' ? BigInt(tx.count) : 0n
    return 'ok'
  }

  /** What the miner may take, section 4: halved by repeated halving. */
  most(fees: bigint): bigint {
    let subsidy = BigInt(SUBSIDY)
    for (let era = HALVING_INTERVAL; era < this.height; era += HALVING_INTERVAL) subsidy /= 2n
    return subsidy + fees
  }

  end(miner: string, fees: bigint, reward: bigint): void {
    if (reward > 0n) this.rewards.set(this.height, { account: miner, amount: reward })
    this.supply += reward - fees
  }

  entries(): Entry[] {
    const list: Entry[] = []
    for (const [key, { nonce, balance }] of this.accounts)
      if (nonce > 0n || balance > 0n) list.push({ kind: 0, key, value: numbers(nonce, balance) })
    for (const [height, { account, amount }] of this.rewards) {
      const key = height.toString(16).padStart(64, '0')
      list.push({ kind: 1, key, value: Buffer.concat([Buffer.from(account, 'hex'), numbers(amount)]) })
    }
    for (const [key, since] of this.members) {
      const value = Buffer.alloc(36)
      value.set(Buffer.from(key, 'hex'))
      value.writeUInt32BE(since, 32)
      list.push({ kind: 3, key, value })
    }
    list.push({ kind: 2, key: ZERO_HASH, value: numbers(this.supply, this.transactions, this.readings) })
    return list
  }
}

function numbers(...values: readonly bigint[]): Uint8Array {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64BE(value, 8 * index)
  return bytes
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const tagged = (tag: string, ...parts: readonly Uint8Array[]): Buffer => {
  const prefix = sha256(Buffer.from(tag, 'ascii'))
  return sha256(prefix, prefix, ...parts)
}

/** Section 5, the root as it is defined: by the set of entries, no tree. */
function rootOf(entries: readonly { path: Buffer; value: Uint8Array }[], depth = 0): Buffer {
  const [first, ...others] = entries
  if (first === undefined) return Buffer.alloc(32)
  if (others.length === 0) return tagged('pinledger/state-leaf', first.path, first.value)
  const side = (wanted: number) =>
    rootOf(
      entries.filter(({ path }) => (((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1) === wanted),
      depth + 1,
    )
  return tagged('pinledger/state-node', side(0), side(1))
}

const NOTHING = new Uint8Array(0)

function agree(state: State, naive: NaiveLedger, salt: number): void {
  for (const account of ACCOUNTS) {
    const { nonce, balance } = naive.accounts.get(account) ?? { nonce: 0n, balance: 0n }
    same(state.account(account), { nonce: Number(nonce), balance: Number(balance) }, `account ${account}`)
    let maturing = 0n
    for (const reward of naive.rewards.values()) if (reward.account === account) maturing += reward.amount
    equal(state.maturing(account, naive.height, MATURITY), Number(maturing), `maturing of ${account}`)
  }
  for (const account of ACCOUNTS)
    equal(state.member(account)?.since, naive.members.get(account), `member ${account}`)
  same(
    [...state.members()].map(({ account, since }) => [account as string, since]).sort(),
    [...naive.members].sort(),
    'all members',
  )
  const { supply, transactions, readings } = naive
  same(state.totals(), {
    supply: Number(supply),
    transactions: Number(transactions),
    readings: Number(readings),
  })
  let coins = 0n
  for (const { balance } of naive.accounts.values()) coins += balance
  for (const { amount } of naive.rewards.values()) coins += amount
  equal(coins, supply, 'the reference keeps the supply law')
  equal(BigInt(coinsIn(state)), supply, 'balances and rewards add up to the supply')

  const entries = naive.entries()
  const paths = entries.map(({ kind, key, value }) => ({
    path: tagged('pinledger/state-key', Uint8Array.of(kind), Buffer.from(key, 'hex')),
    value,
  }))
  equal(state.root(), hashFromBytes(rootOf(paths)), 'root by definition')
  const random = seeded(salt)
  const shuffled = entries
    .map((entry) => ({ entry, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(
      ({ entry }): Change => ({
        kind: entry.kind,
        key: entry.key as Hash,
        before: NOTHING,
        after: entry.value,
      }),
    )
  const rebuilt = new State(hashing).with(shuffled, 'after')
  equal(rebuilt.root(), state.root(), 'root of the same entries in another order')
  equal(rebuilt.with(shuffled.reverse(), 'before').root(), ZERO_HASH, 'and of none, once all are removed')
}

/** The transaction that an attempt means now. It needs no valid signature: nothing here verifies one. */
function compose(network: Network, naive: NaiveLedger, height: number, wanted: Attempt): Sealed {
  // What others than an authority ask for is refused without the state; here it never comes so far.
  const membership = wanted.type === 'admission' || wanted.type === 'revocation'
  const from = membership
    ? (AUTHORITIES[wanted.from % AUTHORITIES.length] as Account)
    : accountAt(wanted.from)
  const { nonce, balance } = naive.at(from)
  const head = {
    network: network.id,
    from,
    nonce: wanted.nonceAhead === LARGEST ? LARGEST : Math.max(0, Number(nonce) + wanted.nonceAhead),
    fee: wanted.fee,
    expiry: Math.max(0, height + wanted.expiryAhead),
    signature: new Uint8Array(64),
  }
  const sensed = { sensor: 's', sequence: 0, unit: 'Cel', synchronised: true }
  if (wanted.type === 'admission' || wanted.type === 'revocation')
    return sealTransaction(network, { ...head, type: wanted.type, member: accountAt(wanted.to % 10) })
  if (wanted.type === 'reading') {
    const sample = { ...sensed, value: { mantissa: 1, exponent: 0 }, time: 0 }
    return sealTransaction(network, { ...head, type: 'reading', sample })
  }
  if (wanted.type === 'batch') {
    const { count } = wanted
    const own = { ...sensed, count, firstTime: 0, lastTime: 0, root: ZERO_HASH }
    return sealTransaction(network, { ...head, type: 'batch', ...own })
  }
  const { amount } = wanted
  const sum = typeof amount === 'number' ? amount : Number(balance) - wanted.fee + amount.above
  return sealTransaction(network, {
    ...head,
    type: 'transfer',
    to: accountAt(wanted.to),
    amount: Math.min(LARGEST, Math.max(0, sum)),
    memo: 'm'.repeat(wanted.memoBytes),
  })
}

interface Done {
  readonly changes: Uint8Array
  readonly before: { readonly naive: NaiveLedger; readonly root: Hash }
  readonly after: { readonly naive: NaiveLedger; readonly root: Hash }
}

/** Both ledgers, and the blocks between which they can go back and forth. */
class Run {
  readonly network: Network
  state: State
  naive = new NaiveLedger()
  readonly done: Done[] = []
  readonly undone: Done[] = []

  constructor(network: Network) {
    this.network = network
    this.state = network.state0
    for (const { account, amount } of network.genesis.allocations) {
      this.naive.at(account).balance = BigInt(amount)
      this.naive.supply += BigInt(amount)
    }
  }

  block(miner: Account, attempts: readonly Attempt[], spared: number): void {
    const { network } = this
    const before = { naive: this.naive, root: this.state.root() }
    const naive = this.naive.copy()
    if (network === enrolled && !AUTHORITIES.includes(miner) && !naive.members.has(miner)) {
      const uninvited = executeBlock(
        network,
        this.state,
        { height: naive.height + 1, medianTime: 0, miner, reward: 'all' },
        [],
      )
      equal(codeOf(uninvited), 'not-admitted', 'only authorities and members mine')
      return
    }
    naive.begin()
    const height = naive.height
    const accepted: Sealed[] = []
    let fees = 0n
    for (const wanted of attempts) {
      const sealed = compose(network, naive, height, wanted)
      const membership = wanted.type === 'admission' || wanted.type === 'revocation'
      const expected =
        membership && network === open
          ? 'type-not-active'
          : naive.pay(sealed.transaction, sealed.bytes.length, miner)
      const outcome = executeBlock(network, this.state, { height, medianTime: 0, miner, reward: 0 }, [
        ...accepted,
        sealed,
      ])
      equal(codeOf(outcome), expected, `verdict on a ${sealed.transaction.type} at height ${height}`)
      if (expected !== 'ok') continue
      accepted.push(sealed)
      fees += BigInt(sealed.transaction.fee)
    }
    const most = naive.most(fees)
    const reward = spared < 0 ? most + 1n : most > BigInt(spared) ? most - BigInt(spared) : 0n
    const given = spared === 0 ? 'all' : Number(reward)
    const outcome = executeBlock(
      network,
      this.state,
      { height, medianTime: 0, miner, reward: given },
      accepted,
    )
    equal(this.state.root(), before.root, 'execution leaves the state before it alone')
    if (spared < 0) {
      equal(codeOf(outcome), 'bad-reward')
      return
    }
    ok(outcome.ok, 'the block executes')
    equal(BigInt(outcome.value.reward), reward)
    equal(BigInt(outcome.value.fees), fees)
    naive.end(miner, fees, reward)
    this.state = outcome.value.state
    this.naive = naive
    const after = { naive, root: this.state.root() }
    this.done.push({ changes: encode(changesCodec, outcome.value.changes), before, after })
    this.undone.length = 0
  }

  move(from: Done[], to: Done[], side: 'before' | 'after', blocks: number): void {
    for (let count = 0; count < blocks; count++) {
      const block = from.pop()
      if (block === undefined) return
      const changes = decode(changesCodec, block.changes, block.changes.length)
      ok(changes.ok, 'stored changes decode')
      this.state = this.state.with(changes.value, side)
      this.naive = block[side].naive
      equal(this.state.root(), block[side].root, `the root ${side} the block is back`)
      to.push(block)
    }
  }
}

const statePlays = property(
  'state',
  'blocks, undo and redo agree with plain maps: verdicts, balances, supply law, roots',
  30,
  fc.record({
    isEnrolled: fc.boolean(),
    steps: fc.array(step, { maxLength: 40, size: 'max' }),
    salt: fc.nat(),
  }),
  ({ isEnrolled, steps, salt }) => {
    const run = new Run(isEnrolled ? enrolled : open)
    for (const [index, one] of steps.entries()) {
      if (one.do === 'block') run.block(accountAt(one.miner), one.attempts, one.spared)
      else if (one.do === 'undo') run.move(run.done, run.undone, 'before', one.blocks)
      else run.move(run.undone, run.done, 'after', one.blocks)
      agree(run.state, run.naive, salt + index)
    }
  },
)

/** Entries with few keys, so that they meet: what the tree does when two paths part late. */
const stateView = property(
  'state-view',
  'a view reads what it wrote, lists only what changed, sorted, and leads there and back',
  150,
  fc.record({
    before: fc.array(fc.tuple(fc.nat(7), fc.nat(3)), { maxLength: 12 }),
    after: fc.array(fc.tuple(fc.nat(7), fc.nat(3)), { maxLength: 12 }),
  }),
  ({ before, after }) => {
    const first = new StateView(new State(hashing))
    for (const [account, balance] of before) first.setAccount(accountAt(account), { nonce: 0, balance })
    const base = new State(hashing).with(first.changes(), 'after')
    const root = base.root()
    const view = new StateView(base)
    const expected = new Map<Account, number>()
    for (const [account, balance] of after) {
      view.setAccount(accountAt(account), { nonce: 0, balance })
      expected.set(accountAt(account), balance)
      equal(view.account(accountAt(account)).balance, balance)
    }
    const changes = view.changes()
    const wanted = [...expected].filter(([account, balance]) => base.account(account).balance !== balance)
    same(
      changes.map(({ key }) => key as string),
      wanted.map(([account]) => account as string).sort(),
    )
    const next = base.with(changes, 'after')
    for (const [account, balance] of expected) equal(next.account(account).balance, balance)
    equal(next.with(changes, 'before').root(), root)
    equal(base.root(), root, 'the old state stays as it was')
    for (const { key } of changes) equal(fromHex(key).length, 32)
  },
)

export const stateProperties = [statePlays, stateView]
