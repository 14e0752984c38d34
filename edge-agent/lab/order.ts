/**
 * Orders of experiments: signed by an agent's owner, newer than all before, and of a size that an agent can bear.
 *
 * Whatever is refused is refused with a reason for the owner to read. Source: docs/PROTOCOL.md section 16.
 */
import type { Hand } from '../../ledger/hand.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { type Account, type Hash, hashFromBytes, short } from '../../schemas/hex.ts'
import {
  LAB_ORDER_BYTES_MAX,
  LAB_ROUNDS_MAX,
  type LabOrder,
  type LabPlan,
  type LabStart,
  labOrder,
} from '../../schemas/lab-message.ts'
import { accept, type Result, refuse } from '../../schemas/result.ts'
import { SIGNATURE_BYTES } from '../../schemas/transaction.ts'
import { DIGITS_MAX, fixedHand } from '../experiment/hand.ts'
import { lastsMsMax } from './rounds.ts'
import { type Keys, messageOf } from './words.ts'

/** How far an order's time may be from the agent's. */
export const ORDER_MS_MAX = 3_600_000
/** Nor is it further ahead of a clock that may be late: a Pi was switched off for no longer. */
const LATE_MS_MAX = 10 * 365 * 86_400_000
export const TIMEOUT_MS = { min: 1_000, max: 86_400_000 } as const
/** Of all rounds together, were each closed at its time-out. */
export const LASTS_MS_MAX = 7 * 86_400_000
/** Of all ticks of an experiment on disk. */
export const LAB_STORE_BYTES_MAX = 64 << 20

export interface SignedOrder {
  readonly order: LabOrder
  readonly hash: Hash
  readonly bytes: Uint8Array
}

/** A tick that names all other hands, as a record of a log. */
export const storedTickBytes = (agents: number): number => 141 + 68 * (agents - 1)

export function signOrder(
  network: Keys,
  body: { readonly sequence: number; readonly time: number; readonly plan: LabPlan },
  sign: (message: Uint8Array) => Uint8Array,
): SignedOrder {
  const bytes = encode(labOrder, { ...body, signature: new Uint8Array(SIGNATURE_BYTES) })
  const message = messageOf(network, 'lab', bytes)
  const signature = sign(message)
  bytes.set(signature, bytes.length - SIGNATURE_BYTES)
  return { order: { ...body, signature }, hash: hashFromBytes(message), bytes }
}

export interface OrderRefusal {
  /** Undefined when the bytes are no order, or not the owner's. */
  readonly sequence: number | undefined
  readonly reason: string
}

export interface Addressee {
  readonly owner: Account
  /** Of the last order that was taken; 0: none. */
  readonly sequence: number
  /** Milliseconds since 1970: not later than it is. */
  readonly nowMs: number
  /** Whether it may be earlier than it is. */
  readonly mayBeLate: boolean
}

/** Whether the bytes are an order of that owner, by its signature alone. */
export function readOrder(network: Keys, owner: Account, bytes: Uint8Array): Result<SignedOrder, string> {
  const decoded = decode(labOrder, bytes, LAB_ORDER_BYTES_MAX)
  if (!decoded.ok) {
    const { field, message } = decoded.fault
    return refuse(`bad-encoding: ${field === '' ? '' : `${field}: `}${message}`)
  }
  const message = messageOf(network, 'lab', bytes)
  if (!network.signatures.verify(decoded.value.signature, message, owner))
    return refuse(`bad-signature: not signed by the owner ${short(owner)} for this network`)
  return accept({ order: decoded.value, hash: hashFromBytes(message), bytes })
}

/** Whether an agent takes an order. */
export function checkOrder(
  network: Keys,
  to: Addressee,
  bytes: Uint8Array,
): Result<SignedOrder, OrderRefusal> {
  const read = readOrder(network, to.owner, bytes)
  if (!read.ok) return refuse({ sequence: undefined, reason: read.fault })
  const { sequence, time, plan } = read.value.order
  const because = (reason: string) => refuse({ sequence, reason })
  if (sequence <= to.sequence)
    return because(`old-sequence: expected more than ${to.sequence}, got ${sequence}; an order counts once`)
  const aheadMs = time - to.nowMs
  // An end may be old: the broker has kept it. From the future it would have a number that no order of today is above.
  const isOld = plan.type === 'start' && aheadMs <= -ORDER_MS_MAX
  if (isOld || aheadMs >= (to.mayBeLate ? LATE_MS_MAX : ORDER_MS_MAX))
    return because(
      `bad-time: the order is of ${new Date(time).toISOString()}, which is not within an hour of this agent's ${new Date(to.nowMs).toISOString()}`,
    )
  if (plan.type === 'stop') return read
  const wrong = planFault(plan)
  return wrong === undefined ? read : because(`bad-plan: ${wrong}`)
}

/** What is wrong with a plan, in words. */
export function planFault({ mode, rounds, timeoutMs, agents }: LabStart): string | undefined {
  const least = mode === 'alone' ? 1 : 2
  if (agents.length < least) return `expected at least ${least} agents, got ${agents.length}`
  if (new Set(agents.map(({ account }) => account)).size !== agents.length) return 'each agent once'
  const digits = agents.find(({ difficulty }) => difficulty < 1 || difficulty > DIGITS_MAX)?.difficulty
  if (digits !== undefined) return `expected a difficulty from 1 to ${DIGITS_MAX}, got ${digits}`
  if (rounds < 1 || rounds > LAB_ROUNDS_MAX) return `expected 1 to ${LAB_ROUNDS_MAX} rounds, got ${rounds}`
  if (timeoutMs < TIMEOUT_MS.min || timeoutMs > TIMEOUT_MS.max)
    return `expected a time-out from ${TIMEOUT_MS.min} to ${TIMEOUT_MS.max} ms, got ${timeoutMs}`
  if (rounds * timeoutMs > LASTS_MS_MAX)
    return `rounds times time-out is ${rounds * timeoutMs} ms, expected at most ${LASTS_MS_MAX}, seven days`
  const bytes = rounds * agents.length * storedTickBytes(agents.length)
  if (bytes > LAB_STORE_BYTES_MAX)
    return `${rounds} rounds of ${agents.length} agents take ${bytes} bytes, expected at most ${LAB_STORE_BYTES_MAX}`
  return undefined
}

/** When an experiment is over for whoever was switched off meanwhile, however often; milliseconds since 1970. */
export const endsAt = ({ time }: LabOrder, { rounds, timeoutMs, agents }: LabStart): number =>
  time + ORDER_MS_MAX + lastsMsMax(rounds, timeoutMs, agents.length)

/** What people call an agent's hand, by its place in the order. */
export const letterOf = (index: number): string => String.fromCharCode(97 + index)

/** The hand of each agent: nobody can mine on it before there is the order. */
export const handsOf = ({ time }: LabOrder, { agents }: LabStart, hash: Hash): readonly Hand[] =>
  agents.map(({ difficulty }, index) =>
    fixedHand(`${letterOf(index)}-${hash.slice(0, 16)}`, difficulty, time),
  )

/** How long a hand may get: in rounds a tower that takes over may count some again, and a fast hand has no end but the disk's. */
export function heightMax(plan: LabStart, index: number): number {
  const { mode, agents, rounds } = plan
  if (mode === 'alone' || (mode === 'free' && index === slowest(plan))) return rounds
  return Math.floor(LAB_STORE_BYTES_MAX / agents.length / storedTickBytes(agents.length))
}

/** Place of the hand with the most digits, the first of several. */
export const slowest = ({ agents }: LabStart): number =>
  agents.reduce(
    (best, { difficulty }, index) => (difficulty > (agents[best]?.difficulty ?? 0) ? index : best),
    0,
  )
