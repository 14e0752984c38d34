/** What a wire does about one occurrence: a pure function of its rule, its memory, what is paid already, and what stands against it. */
import { type Judgement, judge, type Memory } from './condition.ts'
import { perUnit } from './exact.ts'
import { type Identity, identify, type Occurrence } from './occurrence.ts'
import { receiverOf, type Wire } from './wire.ts'

export interface Payment {
  readonly draft: {
    readonly type: 'transfer'
    readonly to: ReturnType<typeof receiverOf>
    readonly amount: number
    readonly memo: string
  }
  /** Names what was bought and from whom, so that it is paid once. */
  readonly key: string
  readonly amount: number
}

export interface Act {
  readonly memory: Memory
  readonly payment: Payment | undefined
  /** Why it fired and yet pays nothing; undefined when it pays, has paid, or did not fire. */
  readonly why: string | undefined
}

export interface Surroundings {
  readonly isPaid: (identity: Identity) => boolean
  /** What keeps the wire from paying so much now. */
  readonly obstacle: (amount: number) => string | undefined
}

export const BATCHED = 'its readings come in batches, whose values are not on the ledger'

export function act(
  wire: Wire,
  before: Memory,
  occurrence: Occurrence,
  { isPaid, obstacle }: Surroundings,
): Act {
  const judgement = judge(wire.condition, before, occurrence.value)
  if (!judgement.fires) {
    const why = occurrence.value === undefined && wire.condition.kind !== 'each' ? BATCHED : undefined
    return { memory: judgement.memory, payment: undefined, why }
  }
  const identity = identify(wire, occurrence, judgement.paid)
  if (isPaid(identity)) return { memory: judgement.paid, payment: undefined, why: undefined }
  return pay(wire, judgement, occurrence, identity, obstacle)
}

function pay(
  wire: Wire,
  { memory, paid }: Judgement,
  occurrence: Occurrence,
  { key, memo }: Identity,
  obstacle: Surroundings['obstacle'],
): Act {
  const amount = amountFor(wire, occurrence)
  if (typeof amount === 'string') return { memory, payment: undefined, why: amount }
  const why = obstacle(amount)
  if (why !== undefined) return { memory, payment: undefined, why }
  const draft = { type: 'transfer', to: receiverOf(wire), amount, memo } as const
  return { memory: paid, payment: { draft, key, amount }, why: undefined }
}

/** Smallest units, or why there is nothing to pay. */
function amountFor({ pay }: Wire, { value, count }: Occurrence): number | string {
  if (pay.kind === 'amount') {
    const amount = pay.amount * count
    return Number.isSafeInteger(amount) ? amount : 'the amount is beyond 2^53 - 1'
  }
  if (value === undefined) return BATCHED
  const amount = perUnit(pay.amount, pay.most, value)
  return amount === 0 ? 'the value comes to nothing' : amount
}
