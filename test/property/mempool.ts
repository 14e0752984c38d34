/**
 * The mempool against a naive reference, which keeps lists and works everything out anew at each step.
 *
 * Random transactions (gaps, replacements, overdrafts, expiring, a miner's own; in two of the properties also channels,
 * hashlocks and splits, several for one channel or lock), blocks that confirm some of them or others with the same nonces,
 * and reorganisations. After every step: each account's queue begins at its nonce, has no gap and
 * is covered; memory and counts are within their limits; the order is that of the fee rates and makes a valid
 * block; and what was there before, or came back, is there still, or was named with a reason that is true. With
 * room for all the queues are exactly those of the reference.
 */
import { strictEqual as equal, ok, deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import { applyTransaction, checkInContext, checkOnState, spendOf } from '../../ledger/apply.ts'
import { executeBlock } from '../../ledger/block.ts'
import type { Moment } from '../../ledger/hashlock.ts'
import { type Dropped, Mempool } from '../../ledger/mempool.ts'
import {
  MEMPOOL_DEFAULTS,
  type MempoolLimits,
  memoryOf,
  replacementFee,
} from '../../ledger/mempool-limits.ts'
import { type Change, type State, StateView } from '../../ledger/state.ts'
import { type Sealed, sealTransaction } from '../../ledger/transaction.ts'
import type { Account } from '../../schemas/hex.ts'
import type { Transaction } from '../../schemas/transaction.ts'
import { codeOf, signer, testNetwork } from '../helpers/ledger.ts'
import { NEVER } from '../helpers/trade.ts'
import { BLOCK_MS, fieldsOf, reservedBy, senderOf, settledBy, type Trade, trade } from './mempool-trade.ts'
import { property } from './property.ts'

const ACCOUNTS = Array.from({ length: 6 }, (_, index) => signer(index + 1).account)
const accountAt = (index: number): Account => ACCOUNTS[index % ACCOUNTS.length] as Account
/** Who is paid and never pays, so that blocks of strangers touch no queue. */
const STRANGER = signer(99).account
const network = testNetwork({
  feeFloor: 2,
  maturity: 1,
  allocations: ACCOUNTS.slice(0, 5).map((account, index) => ({ account, amount: 40 * 3 ** index })),
})

const AMPLE: MempoolLimits = {
  ...MEMPOOL_DEFAULTS,
  accountMax: 4,
  heldAccountMax: 3,
  gapMax: 4,
  heldMax: 1000,
  heldBlocksMax: 2,
}
const TIGHT: MempoolLimits = { ...AMPLE, memoryBytesMax: 6 * 2300, heldMax: 4 }

const transfer = {
  /** Few, so that queues grow. */
  from: fc.constantFrom(2, 2, 2, 2, 3, 3, 0, 1, 4, 5),
  to: fc.nat(5),
  /** Relative to the end of the account's queue. */
  nonceAhead: fc.constantFrom(0, 0, 0, 0, 0, 1, 1, 2, 3, 6, -1, -1, -2, -2, -3),
  fee: fc.oneof(
    { weight: 4, arbitrary: fc.nat(12) },
    { weight: 1, arbitrary: fc.constantFrom(0, 50, 400, 2 ** 53 - 1) },
  ),
  amount: fc.oneof(
    { weight: 3, arbitrary: fc.nat(20) },
    { weight: 1, arbitrary: fc.constantFrom(60, 100, 300, 2 ** 53 - 1) },
  ),
  expiryAhead: fc.constantFrom(100, 100, 100, 0, 1, 2, -1),
  /** Mostly none, so that rates are equal often. */
  memoBytes: fc.constantFrom(0, 0, 0, 17, 40),
}
const transfers = fc.record(transfer)
/** A transfer, or what `trade` says. */
type Wanted = (typeof transfers extends fc.Arbitrary<infer T> ? T : never) & {
  readonly trade?: Trade | undefined
}
const trades: fc.Arbitrary<Wanted> = fc.record({
  ...transfer,
  from: fc.constantFrom(2, 2, 3, 3, 4, 1, 0),
  nonceAhead: fc.constantFrom(0, 0, 0, 0, 0, 0, 1, 1, 2, -1, -1, -2),
  fee: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 2, max: 12 }) },
    { weight: 1, arbitrary: transfer.fee },
  ),
  expiryAhead: fc.constantFrom(100, 100, 100, 100, 100, 100, 0, 1, -1),
  trade: fc.option(trade, { freq: 6, nil: undefined }),
})

interface BlockPlan {
  readonly miner: number
  /** Every how many of the waiting ones it takes; 0: none. */
  readonly takes: number
  /** Others, tried on the state as it then is. */
  readonly others: readonly Wanted[]
}

function stepOf(wanted: fc.Arbitrary<Wanted>) {
  const plan: fc.Arbitrary<BlockPlan> = fc.record({
    miner: fc.nat(6),
    takes: fc.nat(3),
    others: fc.array(wanted, { maxLength: 3 }),
  })
  return fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('add' as const), wanted }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), which: fc.nat() }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('move' as const),
        undone: fc.constant(0),
        blocks: fc.tuple(plan),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('move' as const),
        undone: fc.integer({ min: 1, max: 5 }),
        blocks: fc.array(plan, { maxLength: 5 }),
      }),
    },
  )
}

interface Mined {
  readonly before: State
  readonly state: State
  readonly transactions: readonly Sealed[]
  readonly changes: readonly Change[]
}

interface Entry {
  readonly sealed: Sealed
  /** Order in which it came; undefined for what left and came back. */
  readonly arrival: number | undefined
}

const nonceOf = ({ transaction }: Sealed): number => transaction.nonce
const fromOf = ({ transaction }: Sealed): Account => transaction.from
const spent = (list: readonly Sealed[]): bigint =>
  list.reduce((sum, { transaction: tx }) => sum + BigInt(tx.fee) + reservedBy(tx), 0n)
const idsOf = (list: readonly Sealed[]): string[] => list.map(({ id }) => id as string).sort()

class Run {
  readonly pool: Mempool
  readonly limits: MempoolLimits
  readonly ownMiner: Account | undefined
  readonly blocks: Mined[] = []
  readonly seen: Sealed[] = []
  /** What blocks that were taken back held. */
  readonly returned = new Set<Sealed>()
  state = network.state0
  /** The reference: what waits, in no order, and what is held. */
  entries: Entry[] = []
  held: { readonly sealed: Sealed; readonly since: number }[] = []
  arrivals = 0

  constructor(limits: MempoolLimits, ownMiner: Account | undefined) {
    this.limits = limits
    this.ownMiner = ownMiner
    this.pool = new Mempool(network, ownMiner, limits)
  }

  /** Of the next block. */
  get height(): number {
    return this.blocks.length + 1
  }

  /** Where the next block stands: one second a block. */
  get next(): Moment {
    return { height: this.height, medianTime: BLOCK_MS * this.height }
  }

  get ample(): boolean {
    return this.limits === AMPLE
  }

  queueOf(account: Account, entries = this.entries): Entry[] {
    return entries
      .filter(({ sealed }) => fromOf(sealed) === account)
      .sort((a, b) => nonceOf(a.sealed) - nonceOf(b.sealed))
  }

  heldOf(account: Account): Sealed[] {
    return this.held.map(({ sealed }) => sealed).filter((sealed) => fromOf(sealed) === account)
  }

  offered(sealed: Sealed): number {
    return fromOf(sealed) === this.ownMiner ? Number.MAX_VALUE : sealed.transaction.fee / sealed.bytes.length
  }

  /** The lowest rate, and the latest arrival, of an account's queue up to a transaction. */
  rankOf(sealed: Sealed, entries = this.entries): { rate: number; since: number | undefined } {
    const before = this.queueOf(fromOf(sealed), entries).filter(
      (entry) => nonceOf(entry.sealed) <= nonceOf(sealed),
    )
    const arrivals = before.map(({ arrival }) => arrival)
    return {
      rate: Math.min(...before.map((entry) => this.offered(entry.sealed))),
      since: arrivals.includes(undefined) ? undefined : Math.max(...(arrivals as number[])),
    }
  }

  senderOf(asked: Wanted): Account {
    return senderOf(asked.trade, this.seen) ?? accountAt(asked.from)
  }

  compose(asked: Wanted, nonce: number): Sealed {
    const { trade, amount } = asked
    const to = asked.to === 5 ? STRANGER : accountAt(asked.to)
    const own =
      trade === undefined
        ? { type: 'transfer', to, amount, memo: 'm'.repeat(asked.memoBytes) }
        : fieldsOf(trade, { height: this.height, seen: this.seen, to, amount })
    const sealed = sealTransaction(network, {
      ...own,
      network: network.id,
      from: this.senderOf(asked),
      nonce: Math.max(0, nonce + asked.nonceAhead),
      fee: asked.fee,
      expiry: Math.max(0, this.height + asked.expiryAhead),
      signature: new Uint8Array(64),
    } as Transaction)
    this.seen.push(sealed)
    return sealed
  }

  /** Where the rules of section 9 put a transaction, or why nowhere. */
  /** `entering`: it is not in a block or a queue until now. */
  verdict(sealed: Sealed, entering = true): string {
    const { id, transaction: tx } = sealed
    if ([...this.entries, ...this.held].some((entry) => entry.sealed.id === id)) return 'known'
    const misplaced = checkInContext(network, sealed, { height: this.height, miner: this.ownMiner ?? '' })
    if (misplaced !== undefined) return misplaced.code
    const { nonce, balance } = this.state.account(tx.from)
    if (tx.nonce < nonce) return 'nonce-too-low'
    const queue = this.queueOf(tx.from).map((entry) => entry.sealed)
    const next = nonce + queue.length
    if (tx.nonce > next) {
      const own = this.heldOf(tx.from)
      if (spent([...queue, ...own, sealed]) > BigInt(balance)) return 'insufficient-balance'
      const taken = own.some((other) => nonceOf(other) === tx.nonce)
      if (tx.nonce - next > this.limits.gapMax || taken || own.length >= this.limits.heldAccountMax)
        return 'nonce-gap'
      const rates = this.held.map((entry) => entry.sealed.transaction.fee / entry.sealed.bytes.length)
      const full =
        this.held.length >= this.limits.heldMax && Math.min(...rates) >= tx.fee / sealed.bytes.length
      return full ? 'nonce-gap' : 'held'
    }
    const old = queue.find((other) => nonceOf(other) === tx.nonce)
    if (old !== undefined && tx.fee < replacementFee(network, this.limits.replacePercent, old, sealed))
      return 'fee-too-low-to-replace'
    if (entering && old === undefined && queue.length >= this.limits.accountMax) return 'account-queue-full'
    const others = queue.filter((other) => other !== old)
    if (spent([...others, sealed]) > BigInt(balance)) return 'insufficient-balance'
    const impossible = checkOnState(network, this.state, tx, this.next)
    if (impossible !== undefined) return impossible.code
    const before = others.filter((other) => nonceOf(other) < tx.nonce)
    const rate = Math.min(...[...before, sealed].map((other) => this.offered(other)))
    const memory = (list: readonly Sealed[]) => list.reduce((sum, other) => sum + memoryOf(other), 0)
    const needed =
      memory(this.entries.map((entry) => entry.sealed).filter((other) => other !== old)) + memoryOf(sealed)
    const cheaper = this.entries
      .map((entry) => entry.sealed)
      .filter((other) => fromOf(other) !== tx.from && this.rankOf(other).rate < rate)
    const growing = memoryOf(sealed) > (old === undefined ? 0 : memoryOf(old))
    const missing = needed - this.limits.memoryBytesMax
    return growing && missing > memory(cheaper) ? 'mempool-full' : 'queued'
  }

  /** Does what the verdict says; for a reference that has room, so nothing is evicted. */
  put(sealed: Sealed, arrival: number | undefined, since: number, entering = true): string {
    const verdict = this.verdict(sealed, entering)
    if (verdict === 'held') this.held.push({ sealed, since })
    if (verdict !== 'queued') return verdict
    const { from, nonce } = sealed.transaction
    this.entries = this.entries.filter(
      (entry) => fromOf(entry.sealed) !== from || nonceOf(entry.sealed) !== nonce,
    )
    this.entries.push({ sealed, arrival })
    return verdict
  }

  promote(account: Account): void {
    for (;;) {
      const next = this.state.account(account).nonce + this.queueOf(account).length
      const entry = this.held.find(({ sealed }) => fromOf(sealed) === account && nonceOf(sealed) === next)
      if (entry === undefined || this.queueOf(account).length >= this.limits.accountMax) return
      this.held = this.held.filter((other) => other !== entry)
      if (this.put(entry.sealed, undefined, entry.since) !== 'queued') return
    }
  }

  add(sealed: Sealed): void {
    const verdict = this.verdict(sealed)
    const before = this.snapshot()
    const outcome = this.pool.add(sealed, this)
    const taken = verdict === 'held' || verdict === 'queued'
    equal(codeOf(outcome), taken ? 'ok' : verdict, 'verdict of the pool and of the reference')
    if (!outcome.ok) {
      same(
        this.pool.ordered().map(({ id }) => id),
        before.ordered.map(({ id }) => id),
        'a refusal changes nothing',
      )
      same(idsOf(this.after().held), idsOf(before.held))
      return
    }
    equal(
      this.pool.ordered().some(({ id }) => id === sealed.id),
      verdict === 'queued',
    )
    const { entered, dropped } = outcome.value
    if (verdict === 'held') same(entered, [], 'what is held has not entered')
    this.evictedRightly(sealed, dropped)
    this.conserved(before, [sealed], new Set(), dropped)
    this.follow(() => {
      this.put(sealed, this.arrivals++, this.height)
      if (verdict === 'queued') this.promote(fromOf(sealed))
    })
  }

  /** Makes blocks on the state after `undone` blocks are taken back, and tells the pool. */
  move(undone: number, plans: readonly BlockPlan[]): void {
    const before = this.snapshot()
    const disconnected = this.blocks.splice(Math.max(0, this.blocks.length - undone)).reverse()
    this.state = disconnected.at(-1)?.before ?? this.state
    const connected = plans.map((plan) => this.mine(plan))
    const confirmed = new Set(connected.flatMap(({ transactions }) => transactions.map(({ id }) => id)))
    const returning = disconnected
      .flatMap(({ transactions }) => transactions)
      .filter(({ id }) => !confirmed.has(id))
    for (const sealed of returning) this.returned.add(sealed)
    const { entered, dropped } = this.pool.update(this, { disconnected, connected })
    for (const { id } of entered) ok(this.pool.has(id), 'what entered is there')
    this.conserved(before, returning, confirmed, dropped)
    this.follow(() => this.refill(returning, confirmed))
  }

  mine({ miner, takes, others }: BlockPlan): Mined {
    const context = { ...this.next, miner: accountAt(miner) }
    const candidates = this.pool.ordered().filter((_, index) => takes > 0 && index % takes === 0)
    const view = new StateView(this.state)
    const transactions: Sealed[] = []
    const take = (sealed: Sealed): void => {
      if (applyTransaction(network, view, sealed, context).ok) transactions.push(sealed)
    }
    for (const sealed of candidates) take(sealed)
    for (const other of others)
      take(this.compose({ ...other, nonceAhead: 0 }, view.account(this.senderOf(other)).nonce))
    const outcome = executeBlock(network, this.state, { ...context, reward: 'all' }, transactions)
    ok(outcome.ok)
    const mined = {
      before: this.state,
      state: outcome.value.state,
      transactions,
      changes: outcome.value.changes,
    }
    this.blocks.push(mined)
    this.state = mined.state
    return mined
  }

  /** The reference's update: everything out, everything in again, of every account. */
  refill(returning: readonly Sealed[], confirmed: ReadonlySet<string>): void {
    const { entries, held, height } = this
    this.entries = []
    this.held = []
    const queued = entries.map(({ sealed, arrival }) => ({ sealed, arrival, since: height }))
    const inTime = held.filter(({ since }) => height - since <= this.limits.heldBlocksMax)
    const again = [
      ...returning.map((sealed) => ({ sealed, arrival: undefined, since: height, entering: false })),
      ...queued.map((entry) => ({ ...entry, entering: false })),
      ...inTime.map((entry) => ({ ...entry, arrival: undefined, entering: true })),
    ].sort((a, b) => nonceOf(a.sealed) - nonceOf(b.sealed))
    for (const { sealed, arrival, since, entering } of again)
      if (!confirmed.has(sealed.id)) this.put(sealed, arrival, since, entering)
  }

  /** What waits and what is held now, as far as the pool tells. */
  after(): { ordered: readonly Sealed[]; held: Sealed[] } {
    const ordered = this.pool.ordered()
    const queued = new Set(ordered.map(({ id }) => id))
    const held = new Map(
      this.seen.filter(({ id }) => this.pool.has(id) && !queued.has(id)).map((one) => [one.id, one]),
    )
    return { ordered, held: [...held.values()] }
  }

  snapshot(): { ordered: readonly Sealed[]; held: Sealed[]; entries: Entry[] } {
    return { ...this.after(), entries: this.entries }
  }

  /** Lets the reference do the same. With room its lists must be the pool's; else it takes over what the pool evicted. */
  follow(act: () => void): void {
    const before = { entries: this.entries, held: this.held }
    act()
    const { ordered, held } = this.after()
    if (this.ample) {
      same(idsOf(this.entries.map(({ sealed }) => sealed)), idsOf(ordered), 'the queues of the reference')
      // What is held is judged when it comes and when its account changes; the reference judges it at each step.
      const stays = idsOf(this.held.map(({ sealed }) => sealed))
      const holding = new Set(idsOf(held))
      same(
        stays.filter((id) => !holding.has(id)),
        [],
        'what it holds',
      )
      const more = [...holding].filter((id) => !stays.includes(id))
      ok(
        more.every((id) => before.held.some(({ sealed }) => sealed.id === id)),
        'what more is held was so before',
      )
    }
    const known = new Map(
      [...before.entries, ...this.entries].map((entry) => [entry.sealed.id, entry.arrival]),
    )
    const since = new Map([...before.held, ...this.held].map((entry) => [entry.sealed.id, entry.since]))
    this.entries = ordered.map((sealed) => ({ sealed, arrival: known.get(sealed.id) }))
    this.held = held.map((sealed) => ({ sealed, since: since.get(sealed.id) ?? this.height }))
  }

  /** Nothing vanishes: what was there or came is there, confirmed, or named as dropped for a reason that is true. */
  conserved(
    before: ReturnType<Run['snapshot']>,
    came: readonly Sealed[],
    confirmed: ReadonlySet<string>,
    dropped: readonly Dropped[],
  ): void {
    const { ordered, held } = this.after()
    const all = new Set(
      [...before.ordered, ...before.held, ...came].map(({ id }) => id).filter((id) => !confirmed.has(id)),
    )
    const candidates = [...before.ordered, ...before.held, ...came]
    const named = dropped.map(({ sealed }) => sealed.id)
    same(
      [...ordered.map(({ id }) => id), ...held.map(({ id }) => id), ...named].sort(),
      [...all].sort(),
      'nothing vanishes',
    )
    for (const { sealed, fault } of dropped)
      ok(this.isTrue(sealed, fault.code, ordered, candidates), `${fault.code}: ${fault.message}`)
  }

  /** `candidates` is all that was there or came. */
  isTrue(sealed: Sealed, code: string, ordered: readonly Sealed[], candidates: readonly Sealed[]): boolean {
    const { transaction: tx } = sealed
    const { nonce, balance } = this.state.account(tx.from)
    const queue = ordered.filter((other) => fromOf(other) === tx.from)
    const rival = queue.find((other) => nonceOf(other) === tx.nonce)
    const all = new Map(candidates.map((other) => [other.id, other])).set(sealed.id, sealed)
    const own = [...all.values()].filter((other) => fromOf(other) === tx.from)
    switch (code) {
      case 'nonce-too-low':
        return tx.nonce < nonce
      case 'replaced':
        return rival !== undefined && rival.transaction.fee > tx.fee
      case 'fee-too-low-to-replace':
        return rival !== undefined
      case 'nonce-gap':
        // Held too long counts, also when the gap closes in the very blocks that make it so.
        return nonce + queue.length <= tx.nonce || this.isLate(sealed)
      // What it had to stand beside may have been evicted since.
      case 'account-queue-full':
        return new Set(own.map(nonceOf)).size > this.limits.accountMax
      case 'insufficient-balance':
        return spent(own) > BigInt(balance)
      case 'mempool-full':
        return !this.ample
      default:
        return [
          checkInContext(network, sealed, { height: this.height, miner: this.ownMiner ?? '' }),
          checkOnState(network, this.state, tx, this.next),
        ].some((fault) => fault?.code === code)
    }
  }

  isLate({ id }: Sealed): boolean {
    const since = this.held.find(({ sealed }) => sealed.id === id)?.since ?? this.height
    return this.height - since > this.limits.heldBlocksMax
  }

  /** Who made room paid less than who came, and no cheaper one of another account stayed; of equals the newest went. */
  evictedRightly(sealed: Sealed, dropped: readonly Dropped[]): void {
    const evicted = dropped
      .filter(
        ({ sealed: one, fault }) =>
          fault.code === 'mempool-full' &&
          this.entries.some((entry) => entry.sealed === one || entry.sealed.id === one.id),
      )
      .map(({ sealed: one }) => ({ ...this.rankOf(one), one }))
    if (evicted.length === 0) return
    const ordered = this.pool.ordered()
    const newcomer = this.rankOf(sealed, [...ordered.map((one) => ({ sealed: one, arrival: 0 }))])
    const dearest = evicted.reduce((a, b) => (b.rate > a.rate ? b : a))
    ok(dearest.rate < newcomer.rate, 'the evicted paid less per byte than the newcomer')
    const room = this.limits.memoryBytesMax - this.pool.memory
    ok(
      evicted.some(({ one }) => memoryOf(one) > room),
      'no more were evicted than had to be',
    )
    for (const entry of this.entries) {
      const stays = entry.sealed
      if (fromOf(stays) === fromOf(sealed) || !ordered.some(({ id }) => id === stays.id)) continue
      const rank = this.rankOf(stays)
      ok(rank.rate >= dearest.rate, 'no cheaper one stayed')
      if (rank.rate !== dearest.rate || rank.since === undefined) continue
      for (const { rate, since } of evicted)
        if (rate === dearest.rate && since !== undefined) ok(rank.since <= since, 'of equals the newest went')
    }
  }

  /** What always holds. */
  holds(): void {
    const { pool, limits, state, height } = this
    const ordered = pool.ordered()
    equal(new Set(ordered.map(({ id }) => id)).size, ordered.length, 'each once')
    equal(pool.size, ordered.length)
    equal(
      pool.bytes,
      ordered.reduce((sum, { bytes }) => sum + bytes.length, 0),
      'bytes',
    )
    equal(
      pool.memory,
      ordered.reduce((sum, sealed) => sum + memoryOf(sealed), 0),
      'memory',
    )
    ok(pool.memory <= limits.memoryBytesMax, 'memory is bounded')
    ok(pool.held <= limits.heldMax && pool.held === this.after().held.length, 'what is held is bounded')
    for (const account of ACCOUNTS) {
      const { nonce, balance } = state.account(account)
      const queue = ordered.filter((sealed) => fromOf(sealed) === account)
      same(
        queue.map(nonceOf),
        queue.map((_, index) => nonce + index),
        'no gap, in nonce order',
      )
      const returned = [...this.returned].filter((sealed) => fromOf(sealed) === account).length
      ok(queue.length <= limits.accountMax + returned, 'an account has its share, and what came back')
      ok(spent(queue) <= BigInt(balance), 'the balance covers the queue')
      equal(pool.nextNonce(state, account), nonce + queue.length)
      ok(this.heldOf(account).length <= limits.heldAccountMax)
      for (const sealed of queue)
        ok(spendOf(sealed.transaction) !== undefined && sealed.transaction.expiry >= height)
    }
    const ranks = ordered.map((sealed) => this.rankOf(sealed))
    for (const [index, rank] of ranks.entries()) {
      const before = ranks[index - 1]
      if (before === undefined) continue
      ok(before.rate >= rank.rate, 'best fee rate first')
      if (before.rate === rank.rate && before.since !== undefined && rank.since !== undefined)
        ok(before.since <= rank.since, 'of equals the first come first')
    }
    this.applies(ordered)
  }

  /** Each is possible on the tip, and all in their order make a block but for those that come too late for a channel or lock. */
  applies(ordered: readonly Sealed[]): void {
    const view = new StateView(this.state)
    const context = { ...this.next, miner: this.ownMiner ?? STRANGER }
    const settled = new Set<string>()
    const left = new Set<Account>()
    for (const sealed of ordered) {
      const { transaction: tx } = sealed
      equal(checkOnState(network, this.state, tx, this.next), undefined, 'possible on the tip')
      const code = codeOf(applyTransaction(network, view, sealed, context))
      const entry = settledBy(tx)
      if (left.has(tx.from)) equal(code, 'nonce-gap', 'one before it was left out')
      else if (code !== 'ok') {
        ok(entry !== undefined && settled.has(entry), `a valid block, but ${code}`)
        left.add(tx.from)
      } else if (entry !== undefined) settled.add(entry)
    }
  }
}

const plays = (
  name: string,
  runs: number,
  limits: MempoolLimits,
  what: string,
  wanted: fc.Arbitrary<Wanted>,
  beginning: readonly Wanted[],
) =>
  property(
    name,
    `${what}: queues, order, limits and reasons agree with lists that are worked out anew`,
    runs,
    fc.record({
      ownMiner: fc.option(fc.nat(4), { nil: undefined }),
      steps: fc.array(stepOf(wanted), { maxLength: 60, size: 'max' }),
    }),
    ({ ownMiner, steps }) => {
      const run = new Run(limits, ownMiner === undefined ? undefined : accountAt(ownMiner))
      if (beginning.length > 0) run.move(0, [{ miner: 6, takes: 0, others: beginning }])
      for (const one of steps) {
        if (one.do === 'add')
          run.add(run.compose(one.wanted, run.pool.nextNonce(run.state, run.senderOf(one.wanted))))
        else if (one.do === 'move') run.move(one.undone, one.blocks)
        else {
          const sealed = run.seen[one.which % Math.max(1, run.seen.length)]
          if (sealed !== undefined) run.add(sealed)
        }
        run.holds()
      }
    },
  )

const fine = { nonceAhead: 0, fee: 2, expiryAhead: 100, memoBytes: 0 } as const
/** In the first block: two channels and two locks. */
const BEGINNING: readonly Wanted[] = [
  { ...fine, from: 4, to: 2, amount: 8, trade: { do: 'open', delay: 2, lasts: NEVER } },
  { ...fine, from: 4, to: 3, amount: 10, trade: { do: 'open', delay: 4, lasts: 3 } },
  { ...fine, from: 3, to: 1, amount: 10, trade: { do: 'lock', height: 4, time: 5 } },
  { ...fine, from: 3, to: 2, amount: 5, trade: { do: 'lock', height: 50, time: 0 } },
]

export const mempoolProperties = [
  plays('mempool', 80, AMPLE, 'with room for all', transfers, []),
  plays('mempool-full', 120, TIGHT, 'with room for six', transfers, []),
  plays('mempool-trade', 50, AMPLE, 'channels, hashlocks and splits', trades, BEGINNING),
  plays('mempool-trade-full', 50, TIGHT, 'the same with room for six', trades, BEGINNING),
]
