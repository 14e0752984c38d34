/**
 * What wires would have cost: the blocks of a ledger through the same rules, as if every payment had been confirmed at once.
 *
 * Readings of the agent itself stand for its samples. How many coins it had is not asked: `balanceMin` and an empty account
 * stop nothing here.
 */
import type { Sealed } from '../../ledger/transaction.ts'
import type { Account } from '../../schemas/hex.ts'
import { act } from './act.ts'
import { Book } from './book.ts'
import { freshMemory, type Memory } from './condition.ts'
import { Till } from './limits.ts'
import { type Occurrence, readingFor, sampleFor, slotFor } from './occurrence.ts'
import { describeWire, purchaseOf, type Wire } from './wire.ts'

export interface ReplayedBlock {
  readonly height: number
  readonly time: number
  readonly transactions: readonly Sealed[]
}

export interface Outcome {
  readonly words: string
  /** Readings, samples or slots that it looked at. */
  readonly seen: number
  readonly payments: number
  /** Smallest units. */
  readonly amount: number
  /** What kept it from paying: how often, and when first, by the name of the limit or the reason. */
  readonly stopped: readonly { readonly why: string; readonly times: number; readonly first: number }[]
}

interface Tally {
  memory: Memory
  seen: number
  payments: number
  amount: number
  readonly paid: Set<string>
  readonly stopped: Map<string, { times: number; first: number }>
}

export function dryRun(
  wires: readonly Wire[],
  agent: Account | undefined,
  blocks: Iterable<ReplayedBlock>,
): Outcome[] {
  const book = new Book()
  const tallies = wires.map(
    (): Tally => ({
      memory: freshMemory(0),
      seen: 0,
      payments: 0,
      amount: 0,
      paid: new Set(),
      stopped: new Map(),
    }),
  )
  for (const { height, time, transactions } of blocks) {
    for (const [index, wire] of wires.entries()) {
      const tally = tallies[index]
      if (tally === undefined) continue
      const till = openTill(book, time)
      const paid: { purchase: string; amount: number }[] = []
      for (const occurrence of occurrences(wire, agent, time, transactions)) {
        const payment = look(wire, tally, occurrence, till, time)
        if (payment !== undefined) paid.push({ purchase: purchaseOf(wire), amount: payment })
      }
      book.connect(height, time, paid)
    }
  }
  return wires.map((wire, index) => {
    const { seen = 0, payments = 0, amount = 0, stopped = new Map() } = tallies[index] ?? {}
    return {
      words: describeWire(wire),
      seen,
      payments,
      amount,
      stopped: [...stopped].map(([why, { times, first }]) => ({ why, times, first })),
    }
  })
}

const openTill = (book: Book, nowMs: number): Till =>
  new Till({
    since: (purchase, after) => book.since(purchase, after),
    waiting: () => ({ payments: 0, amount: 0 }),
    nowMs,
    spendable: Number.POSITIVE_INFINITY,
    fee: 0,
  })

function* occurrences(
  wire: Wire,
  agent: Account | undefined,
  time: number,
  transactions: readonly Sealed[],
): Generator<Occurrence> {
  const slot = slotFor(wire, time)
  if (slot !== undefined) yield slot
  for (const { id, transaction: tx } of transactions) {
    const own = tx.type === 'reading' && tx.from === agent ? sampleFor(wire, tx.sample) : undefined
    const occurrence = own ?? readingFor(wire, id, tx)
    if (occurrence !== undefined) yield occurrence
  }
}

/** What it pays for an occurrence. */
function look(
  wire: Wire,
  tally: Tally,
  occurrence: Occurrence,
  till: Till,
  time: number,
): number | undefined {
  if (wire.source.kind !== 'every' || !tally.paid.has(occurrence.key)) tally.seen++
  const done = act(wire, tally.memory, occurrence, {
    isPaid: () => tally.paid.has(occurrence.key),
    obstacle: (amount) => till.obstacle(wire, amount),
  })
  tally.memory = done.memory
  if (done.why !== undefined) {
    const [why = ''] = done.why.split(':')
    const { times = 0, first = time } = tally.stopped.get(why) ?? {}
    tally.stopped.set(why, { times: times + 1, first })
  }
  if (done.payment === undefined) return undefined
  till.take(wire, done.payment.amount)
  tally.paid.add(occurrence.key)
  tally.payments++
  tally.amount += done.payment.amount
  return done.payment.amount
}
