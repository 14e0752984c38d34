/**
 * When an output is on: a function of its rule, what is known now, and what it remembers.
 *
 * The safe state wins where nothing is known: no broker for too long, no reading that is fresh enough, or on for as long as
 * it may. The first of these that holds is the cause, then the condition decides. What has been on for its longest time
 * stays safe until a fresh reading says that the condition is false; time in the safe state does not count.
 */
import { writeTime } from '../../schemas/receipt-memo.ts'
import { invariant } from '../../schemas/result.ts'

export type Condition =
  /** A sensor of this agent is above or below a value. */
  | {
      readonly kind: 'sensor'
      readonly sensor: string
      readonly compare: 'above' | 'below'
      readonly threshold: number
      /** Once it holds, it holds until the value has come back by this much beyond the threshold; 0 or more. */
      readonly hysteresis: number
      /** A reading counts for this long. */
      readonly staleMs: number
    }
  | { readonly kind: 'agent'; readonly state: 'connected' | 'mining' }
  /** Somebody has paid for it. */
  | { readonly kind: 'paid' }

export interface Rule {
  readonly safe: boolean
  readonly condition: Condition
  /** Longest time on; undefined: no limit. */
  readonly onMsMax: number | undefined
  /** How long the broker may be away; undefined: for ever. */
  readonly lostMsMax: number | undefined
}

export interface Facts {
  /** Monotonic. */
  readonly nowMs: number
  /** The newest reading of the condition's sensor. */
  readonly reading: { readonly value: number; readonly atMs: number } | undefined
  /** When the connection ended; undefined while there is one, -Infinity before the first. */
  readonly lostSinceMs: number | undefined
  readonly isMining: boolean
  /** What was sold of this output; undefined where that is not known. */
  readonly sold: Sold | undefined
}

/** How long something is sold for. */
export interface Sold {
  /** 0: it is not, or no longer. */
  readonly remainingMs: number
  /** Milliseconds since 1970, whole seconds. */
  readonly until: number
}

/** What the next decision has to know of this one. */
export interface Memory {
  readonly atMs: number
  readonly on: boolean
  readonly isMet: boolean
  /** Time on since the condition was false. */
  readonly onMs: number
}

export type Cause = 'lost' | 'stale' | 'limit' | 'condition'

export interface Decision {
  readonly on: boolean
  readonly cause: Cause
  /** For people. */
  readonly reason: string
  readonly memory: Memory
}

export const firstMemory = (nowMs: number): Memory => ({ atMs: nowMs, on: false, isMet: false, onMs: 0 })

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`

export function decide(rule: Rule, facts: Facts, before: Memory): Decision {
  const { nowMs, lostSinceMs } = facts
  invariant(nowMs >= before.atMs, 'time runs forward')
  const judged = judge(rule.condition, facts, before.isMet)
  const onMs = judged.isMet === false ? 0 : before.onMs + (before.on ? nowMs - before.atMs : 0)
  const become = (on: boolean, cause: Cause, reason: string): Decision => ({
    on,
    cause,
    reason,
    memory: { atMs: nowMs, on, isMet: judged.isMet === true, onMs },
  })
  const { safe, onMsMax, lostMsMax } = rule
  if (lostSinceMs !== undefined && lostMsMax !== undefined && nowMs - lostSinceMs >= lostMsMax) {
    const reason = lostSinceMs === -Infinity ? 'no connection yet' : `no connection for ${seconds(lostMsMax)}`
    return become(safe, 'lost', reason)
  }
  if (judged.isMet === undefined) return become(safe, 'stale', judged.reason)
  if (!judged.isMet) return become(false, 'condition', judged.reason)
  if (onMsMax !== undefined && onMs >= onMsMax)
    return become(safe, 'limit', `was on for ${seconds(onMsMax)}, its longest time, and ${judged.reason}`)
  return become(true, 'condition', judged.reason)
}

interface Judged {
  /** Undefined where nothing is known. */
  readonly isMet: boolean | undefined
  readonly reason: string
}

function judge(condition: Condition, facts: Facts, wasMet: boolean): Judged {
  if (condition.kind === 'agent') {
    const { state } = condition
    const isMet = state === 'connected' ? facts.lostSinceMs === undefined : facts.isMining
    return { isMet, reason: `the agent is ${isMet ? '' : 'not '}${state}` }
  }
  if (condition.kind === 'paid') {
    const { sold } = facts
    if (sold === undefined)
      return { isMet: undefined, reason: 'what was sold is not known before the ledger is' }
    if (sold.remainingMs <= 0) return { isMet: false, reason: 'nobody has paid' }
    return { isMet: true, reason: `paid until ${writeTime(sold.until)}` }
  }
  const { sensor, compare, threshold, hysteresis, staleMs } = condition
  const { reading, nowMs } = facts
  if (reading === undefined) return { isMet: undefined, reason: `${sensor} has said nothing yet` }
  if (nowMs - reading.atMs >= staleMs)
    return { isMet: undefined, reason: `${sensor} has said nothing for ${seconds(staleMs)}` }
  const { value } = reading
  const back = wasMet ? hysteresis : 0
  const limit = Number((compare === 'above' ? threshold - back : threshold + back).toPrecision(12))
  const isMet = compare === 'above' ? value > limit : value < limit
  return { isMet, reason: `${sensor} ${value} is ${isMet ? '' : 'not '}${compare} ${limit}` }
}
