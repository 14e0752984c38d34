/**
 * Wires under whatever comes: readings, samples, blocks, a reorganisation, a program that dies, between a payment and what follows it
 * too, a limit, a broker that is away.
 *
 * No occurrence is paid twice: not a reading, not a slot of a schedule, and of edges and changes no more than a model counts in all that was
 * ever said. And whenever something is paid, the hour and the day before the tip have no more payments and coins than the limits allow.
 */
import { ok } from 'node:assert'
import fc from 'fast-check'
import { paidFor } from '../../edge-agent/wires/book.ts'
import { DAY_MS, HOUR_MS } from '../../edge-agent/wires/limits.ts'
import { parseBlock } from '../../ledger/block.ts'
import type { Sealed } from '../../ledger/transaction.ts'
import { invariant } from '../../schemas/result.ts'
import { alice, bob, carol, START_MS, signer, TestChain, testNetwork } from '../helpers/ledger.ts'
import { sample, WiresLab } from '../helpers/wires-lab.ts'
import { property } from './property.ts'

const MINUTE_MS = 60_000
const INTERVAL_MINUTES = 20
const seller = signer(4).account
const network = testNetwork({
  interval: INTERVAL_MINUTES * MINUTE_MS,
  allocations: [{ account: alice.account, amount: 10_000 }],
})
const LIMITS = { perHourMax: 2, perDayMax: 6, coinsPerDayMax: '0.00000040' }
const COINS_PER_DAY_MAX = 40
const lamp = (output: string) => ({ device: seller, output, minutes: 1 })
const theirs = { device: bob.account, sensor: 'soil' }
const wires = [
  { when: theirs, pay: '0.00000005', for: 'reading', confirmations: 2, ...LIMITS },
  { when: { ...theirs, rises: 5 }, pay: '0.00000005', to: lamp('theirs') },
  {
    when: { sensor: 'soil' },
    to: carol.account,
    pay: { perUnit: '0.00000001', most: '0.00000015' },
    for: 'each',
    ...LIMITS,
  },
  { when: { sensor: 'soil', rises: 5, hysteresis: 2 }, to: lamp('own'), pay: '0.00000003', ...LIMITS },
  { when: { sensor: 'soil', changesBy: 4 }, to: lamp('changes'), pay: '0.00000003' },
  { when: { every: { minutes: 60 } }, to: carol.account, pay: '0.00000001', for: 'slot', ...LIMITS },
]

const value = fc.integer({ min: -2, max: 12 })
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('mine' as const),
      readings: fc.array(value, { maxLength: 3 }),
      sends: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      values: fc.array(value, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('restart' as const),
      dies: fc.boolean(),
      values: fc.array(value, { maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fork' as const),
      back: fc.integer({ min: 1, max: 4 }),
      keeps: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('away' as const), inSync: fc.boolean() }) },
)

class World {
  readonly lab = new WiresLab({ test: new TestChain(network), wires, sensors: ['soil'] })
  #sequence = 0
  #soil = 0
  /** All that was ever said, in the order in which the agent may have seen it. */
  readonly said: number[] = []

  take(one: typeof step extends fc.Arbitrary<infer T> ? T : never): void {
    const { lab } = this
    if (one.kind === 'mine') this.mine(one.readings, one.sends)
    if (one.kind === 'say') this.say(one.values)
    if (one.kind === 'away') lab.inSync = one.inSync
    if (one.kind === 'fork') this.fork(one.back, one.keeps)
    if (one.kind === 'restart') {
      lab.diesAfterPaying = one.dies
      this.say(one.values)
      lab.restart()
    }
  }

  say(values: readonly number[]): void {
    this.said.push(...values)
    this.lab.say(
      ...values.map((each) => sample(this.#sequence++, String(each), START_MS + this.said.length * 7)),
    )
    this.lab.pay()
  }

  /** At each decision the limits hold: what is paid in the hour and day before the tip, and what waits. */
  constructor() {
    const { lab } = this
    lab.onPaid = (sealed) => {
      const now = lab.chain.tip.time
      const all = paidIn(lab)
      for (const purchase of new Set(
        sealed.flatMap(({ transaction: tx }) => paidFor(alice.account, tx)?.purchase ?? []),
      )) {
        if (/ on (theirs|changes)$/.test(purchase)) continue
        const within = (length: number) =>
          all.filter((each) => each.purchase === purchase && (each.time ?? now) > now - length)
        const coins = within(DAY_MS).reduce((sum, { amount }) => sum + amount, 0)
        ok(within(HOUR_MS).length <= LIMITS.perHourMax, `${purchase}: ${within(HOUR_MS).length} in an hour`)
        ok(within(DAY_MS).length <= LIMITS.perDayMax, `${purchase}: ${within(DAY_MS).length} in a day`)
        ok(coins <= COINS_PER_DAY_MAX, `${purchase}: ${coins} in a day`)
      }
    }
  }

  mine(values: readonly number[], sends: boolean): void {
    const { lab } = this
    const nonce = lab.test.nonceOf(bob.account)
    const readings = values.map((each, at) =>
      lab.test.reading(bob, { nonce: nonce + at, sample: sample(this.#soil++, String(each)) }),
    )
    lab.mine([...readings, ...(sends ? lab.outbox.pending(64) : [])])
    this.lab.pay()
  }

  /** Another branch wins: with the same transactions in one block, or without any of them. */
  fork(back: number, keeps: boolean): void {
    const { chain } = this.lab
    const from = Math.max(0, chain.tip.height - back)
    const other = new TestChain(network)
    for (let height = 1; height <= from; height++)
      other.acceptBytes(this.lab.test.archive.block(chain.at(height)?.hash ?? chain.tip.hash))
    const gone = blocks(this.lab)
      .slice(from)
      .flatMap(({ transactions }) => transactions)
    other.grow(1, keeps ? gone : [], carol)
    while (other.chain.tip.work <= chain.tip.work) other.grow(1, [], carol)
    this.lab.reorganise(other)
    this.lab.pay()
  }
}

const blocks = ({ chain }: WiresLab) =>
  Array.from({ length: chain.tip.height }, (_, at) => {
    const entry = chain.at(at + 1)
    invariant(entry !== undefined, 'the chain has the height')
    const block = parseBlock(network, chain.archive.block(entry.hash))
    invariant(block.ok, 'a stored block parses')
    return { time: entry.time, transactions: block.value.transactions }
  })

interface Paid {
  readonly purchase: string
  readonly amount: number
  readonly memo: string
  /** Of its block; undefined while it waits. */
  readonly time: number | undefined
}

function paidIn(lab: WiresLab): Paid[] {
  const one =
    (time?: number) =>
    ({ transaction: tx }: Sealed): Paid[] => {
      const paid = paidFor(alice.account, tx)
      return paid === undefined || tx.type !== 'transfer' ? [] : [{ ...paid, memo: tx.memo, time }]
    }
  return [
    ...blocks(lab).flatMap(({ time, transactions }) => transactions.flatMap(one(time))),
    ...lab.outbox.unconfirmed.flatMap(one()),
  ]
}

/** Rises above 5 from 3 or below, and steps of 4 that a run through all values can have at most. */
function counted(values: readonly number[]): { rises: number; changes: number } {
  let [rises, changes] = [0, 0]
  let low = false
  for (const [at, each] of values.entries()) {
    if (each > 5 && low) rises++
    if (each > 5) low = false
    else if (each <= 3 || at === 0) low = true
    if (at > 0) changes++
  }
  return { rises, changes }
}

function check({ lab, said }: World): void {
  const paid = paidIn(lab)
  const named = paid.filter(({ memo }) => /^(reading|each|slot) /.test(memo) && !/^each /.test(memo))
  ok(new Set(named.map(({ memo }) => memo)).size === named.length, 'no memo that names an event comes twice')
  const of = (memo: string) => paid.filter((each) => each.memo === memo).length
  const most = counted(said)
  ok(of('on own') <= most.rises + 1, `${of('on own')} rises paid, ${most.rises} there were`)
  ok(of('on changes') <= most.changes, `${of('on changes')} changes paid, ${most.changes} there could be`)
  ok(paid.filter(({ memo }) => memo.startsWith('each ')).length <= said.length, 'no sample is paid twice')
}

export const wiresProperties = [
  property(
    'wires',
    'no occurrence is paid twice and no limit passed, whatever restarts and reorganisations come',
    12,
    fc.array(step, { minLength: 5, maxLength: 60 }),
    (steps) => {
      const world = new World()
      for (const one of steps) world.take(one)
      world.lab.inSync = true
      world.lab.pay()
      check(world)
    },
  ),
]
