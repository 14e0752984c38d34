/**
 * The state against a naive reference, naive-ledger.ts.
 *
 * Blocks of random transactions, many of them invalid, are executed on both; blocks are undone and redone by their
 * changes as the store keeps them. After every step both agree on every account, reward, channel, hashlock, split and
 * total, the supply law holds, and the root is that of the same entries put into a tree in another order, and of the
 * definition itself. Transactions of types 6 to 12 are in state-trade.ts.
 */
import { strictEqual as equal, ok, deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import { executeBlock } from '../../ledger/block.ts'
import type { Network } from '../../ledger/network.ts'
import { type Change, changes as changesCodec, State, StateView } from '../../ledger/state.ts'
import { checkTransaction, type Sealed, SignatureCache, sealTransaction } from '../../ledger/transaction.ts'
import { hashing } from '../../node/signing.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, fromHex, type Hash, hashFromBytes, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import { TYPE_NUMBERS } from '../../schemas/transaction.ts'
import { codeOf, coinsIn, seeded, signer, testNetwork } from '../helpers/ledger.ts'
import { LARGEST, NaiveLedger, rootOf, tagged } from './naive-ledger.ts'
import { property } from './property.ts'

const ACCOUNTS = Array.from({ length: 24 }, (_, index) => signer(index + 1).account)
export const accountAt = (index: number): Account => ACCOUNTS[index % ACCOUNTS.length] as Account
const MATURITY = 3
const BATCH_HEIGHT = 4

/** Of enrolled networks. */
const AUTHORITIES = ACCOUNTS.slice(3, 5)
const active = [
  { type: 1, height: 0 },
  { type: 2, height: 0 },
  { type: 3, height: BATCH_HEIGHT },
]
export const rules = {
  subsidy: 900,
  halvingInterval: 2,
  feeFloor: 3,
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

const stepOf = <A>(attempts: fc.Arbitrary<A[]>) =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('block' as const),
        miner: fc.nat(8),
        attempts,
        /** How much less than allowed the miner takes; -1 is one too many. */
        spared: fc.constantFrom(0, 0, 0, 1, 500, LARGEST, -1),
        /** By how much the median time is above that of the block before, milliseconds. */
        later: fc.constantFrom(1, 1, 2, 5),
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
type Block<A> = Extract<
  ReturnType<typeof stepOf<A>> extends fc.Arbitrary<infer T> ? T : never,
  { do: 'block' }
>

const NOTHING = new Uint8Array(0)

/** On what types 6 to 12 leave. */
function agreeOnTrade(state: State, naive: NaiveLedger): void {
  for (const [id, { amount, paid, step, ...others }] of naive.channels) {
    const sums = { amount: Number(amount), paid: Number(paid), step: Number(step) }
    same(state.channel(id as Hash), { ...others, ...sums }, `channel ${id}`)
  }
  for (const [id, { amount, ...others }] of naive.locks)
    same(state.hashlock(id as Hash), { ...others, amount: Number(amount) }, `hashlock ${id}`)
  for (const id of naive.gone) {
    equal(state.channel(id as Hash), undefined, `channel ${id} is closed`)
    equal(state.hashlock(id as Hash), undefined, `hashlock ${id} is settled`)
  }
  for (const account of ACCOUNTS) same(state.split(account), naive.splits.get(account) ?? [], 'split')
}

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
  agreeOnTrade(state, naive)
  const { supply, transactions, readings } = naive
  same(state.totals(), {
    supply: Number(supply),
    transactions: Number(transactions),
    readings: Number(readings),
  })
  equal(naive.coins(), supply, 'the reference keeps the supply law')
  equal(BigInt(coinsIn(state)), supply, 'all coins, locked ones too, add up to the supply')

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

function compose(network: Network, naive: NaiveLedger, wanted: Attempt): Sealed {
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
    expiry: Math.max(0, naive.height + wanted.expiryAhead),
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

/** The transaction that an attempt means now, at the reference's height. It needs no valid signature. */
export type Compose<A> = (network: Network, naive: NaiveLedger, wanted: A) => Sealed

/** Both ledgers, and the blocks between which they can go back and forth. */
class Run<A> {
  readonly network: Network
  readonly compose: Compose<A>
  state: State
  naive: NaiveLedger
  readonly done: Done[] = []
  readonly undone: Done[] = []

  constructor(network: Network, compose: Compose<A>) {
    this.network = network
    this.compose = compose
    this.state = network.state0
    const { genesis, genesisHash } = network
    const activations = new Map(genesis.activations.map(({ type, height }) => [type, height]))
    this.naive = new NaiveLedger({ ...genesis, genesisHash, activations })
    for (const { account, amount } of genesis.allocations) {
      this.naive.at(account).balance = BigInt(amount)
      this.naive.supply += BigInt(amount)
    }
  }

  block({ miner: who, attempts, spared, later }: Block<A>): void {
    const { network } = this
    const miner = accountAt(who)
    const before = { naive: this.naive, root: this.state.root() }
    const naive = this.naive.copy()
    const { authorities } = network.genesis
    const invited = authorities.length === 0 || authorities.includes(miner) || naive.members.has(miner)
    naive.medianTime += later
    const { medianTime } = naive
    const place = { height: naive.height + 1, medianTime, miner }
    if (!invited) {
      const uninvited = executeBlock(network, this.state, { ...place, reward: 'all' }, [])
      equal(codeOf(uninvited), 'not-admitted', 'only authorities and members mine')
      return
    }
    naive.begin()
    const accepted: Sealed[] = []
    let fees = 0n
    for (const wanted of attempts) {
      const sealed = this.compose(network, naive, wanted)
      const what = `${sealed.transaction.type} at height ${naive.height}`
      if (this.isUnfit(sealed, what)) continue
      const expected = naive.pay(sealed.transaction, sealed.bytes, miner)
      const outcome = executeBlock(network, this.state, { ...place, reward: 0 }, [...accepted, sealed])
      equal(codeOf(outcome), expected, `verdict on a ${what}`)
      if (expected !== 'ok') continue
      accepted.push(sealed)
      fees += BigInt(sealed.transaction.fee)
    }
    const most = naive.most(fees)
    const reward = spared < 0 ? most + 1n : most > BigInt(spared) ? most - BigInt(spared) : 0n
    const given = spared === 0 ? 'all' : Number(reward)
    const outcome = executeBlock(network, this.state, { ...place, reward: given }, accepted)
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

  /** What needs no state, but for signatures; both say so. Of the types that are composed to break it. */
  isUnfit(sealed: Sealed, what: string): boolean {
    if (TYPE_NUMBERS[sealed.transaction.type] < TYPE_NUMBERS.channelOpen) return false
    const verified = new SignatureCache()
    verified.add(toHex(sealed.leaf))
    const fault = this.naive.unfit(sealed.transaction)
    equal(codeOf(checkTransaction(this.network, sealed, verified)), fault, `${what}, without state`)
    return fault !== 'ok'
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

/** A property of blocks of at most 8 such attempts, on one of these networks. */
export const plays = <A>(
  name: string,
  what: string,
  runs: number,
  networks: readonly Network[],
  attempts: fc.Arbitrary<A>,
  compose: Compose<A>,
  beginning: readonly A[] = [],
) =>
  property(
    name,
    `${what}: verdicts, balances, supply law, roots`,
    runs,
    fc.record({
      network: fc.nat(networks.length - 1),
      steps: fc.array(stepOf(fc.array(attempts, { maxLength: 8 })), { maxLength: 40, size: 'max' }),
      salt: fc.nat(),
    }),
    ({ network, steps, salt }) => {
      const run = new Run(networks[network] as Network, compose)
      if (beginning.length > 0)
        run.block({ do: 'block', miner: 0, attempts: [...beginning], spared: 0, later: 1 })
      for (const [index, one] of steps.entries()) {
        if (one.do === 'block') run.block(one)
        else if (one.do === 'undo') run.move(run.done, run.undone, 'before', one.blocks)
        else run.move(run.undone, run.done, 'after', one.blocks)
        agree(run.state, run.naive, salt + index)
      }
    },
  )

const statePlays = plays(
  'state',
  'blocks, undo and redo agree with plain maps',
  30,
  [open, enrolled],
  attempt,
  compose,
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
