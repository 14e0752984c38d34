/**
 * Whether a wire's condition holds for a reading, and what the next decision has to know of it.
 *
 * The first reading only says where things are: an edge needs one on the other side before it, a change one to compare with.
 * `above` and `below` are strict; an edge has happened once the value is strictly through the threshold, and may happen again
 * once the value was on the other side by `hysteresis` or more.
 */
import { invariant } from '../../schemas/result.ts'
import type { Decimal } from '../../schemas/units.ts'
import { scaled, scaledNumber } from './exact.ts'
import type { Condition } from './wire.ts'

export interface Memory {
  /** Where an edge's value was last seen: `through`, where it fires, or before it. */
  readonly side: 'unknown' | 'before' | 'through'
  /** Value that the next change is counted from. */
  readonly base: Decimal | undefined
  /** Edges seen, or changes paid, since `epoch`. */
  readonly count: number
  /** When this memory began, milliseconds: numbers of edges are told from those of an earlier memory by it. */
  readonly epoch: number
}

export const freshMemory = (epoch: number): Memory => ({
  side: 'unknown',
  base: undefined,
  count: 0,
  epoch,
})

export interface Judgement {
  readonly fires: boolean
  /** What to remember when the event is not paid. */
  readonly memory: Memory
  /** What to remember when it is, or was before. */
  readonly paid: Memory
}

/** A value that is not known (a batch has only a Merkle root) fulfils `each` and nothing else. */
export function judge(condition: Condition, memory: Memory, value: Decimal | undefined): Judgement {
  if (condition.kind === 'each') return same(true, memory)
  if (value === undefined) return same(false, memory)
  switch (condition.kind) {
    case 'above':
      return same(scaled(value) > exactly(condition.threshold), memory)
    case 'below':
      return same(scaled(value) < exactly(condition.threshold), memory)
    case 'changes':
      return changed(exactly(condition.by), memory, value)
    case 'rises':
    case 'falls': {
      // Falling is rising with everything upside down.
      const sign = condition.kind === 'rises' ? 1n : -1n
      const beyond = sign * (scaled(value) - exactly(condition.threshold))
      return edge(beyond, exactly(condition.hysteresis), memory)
    }
  }
}

const same = (fires: boolean, memory: Memory): Judgement => ({ fires, memory, paid: memory })

function exactly(value: number): bigint {
  const exact = scaledNumber(value)
  invariant(exact !== undefined, 'the configuration has checked its numbers')
  return exact
}

/** `beyond`: how far the value is through the threshold. */
function edge(beyond: bigint, hysteresis: bigint, memory: Memory): Judgement {
  if (beyond > 0n) {
    const count = memory.side === 'before' ? memory.count + 1 : memory.count
    return same(memory.side === 'before', { ...memory, side: 'through', count })
  }
  const back = memory.side === 'unknown' || -beyond >= hysteresis
  return same(false, back ? { ...memory, side: 'before' } : memory)
}

function changed(by: bigint, memory: Memory, value: Decimal): Judgement {
  const { base } = memory
  if (base === undefined) return same(false, { ...memory, base: value })
  const difference = scaled(value) - scaled(base)
  const fires = (difference < 0n ? -difference : difference) >= by
  return { fires, memory, paid: fires ? { ...memory, base: value, count: memory.count + 1 } : memory }
}
