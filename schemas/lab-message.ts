/**
 * What is said in an experiment on agents that run anyway: their owner's order, a tower's rounds, the ticks of each agent's hand.
 *
 * An order's hash is what its signature is over: `H(lab, genesis hash || order without its signature)`. It stands in every other
 * message of that experiment, so nothing of one is of use in another. Source: docs/PROTOCOL.md section 16.
 */
import type { Infer } from './codec.ts'
import { list, struct, union } from './compound.ts'
import { account, choice, fixed, hash, time, u8, u32, u64 } from './field.ts'
import { tick } from './tick.ts'
import { SIGNATURE_BYTES } from './transaction.ts'

/** One letter each. */
export const LAB_AGENTS_MAX = 26
export const LAB_ROUNDS_MAX = 100_000
/** Sequence, time, type, mode, rounds, time-out, a count, agents, signature. */
export const LAB_ORDER_BYTES_MAX = 8 + 6 + 1 + 1 + 4 + 4 + 2 + LAB_AGENTS_MAX * 33 + SIGNATURE_BYTES
/** Order, term, round, time left, a count, tips, signature. */
export const LAB_TOWER_BYTES_MAX = 32 + 4 + 4 + 4 + 2 + LAB_AGENTS_MAX * 36 + SIGNATURE_BYTES
export const LAB_TICKS_BYTES_MAX = 65_536
/** In one message. */
export const LAB_TICKS_MAX = 256
export const LAB_ASK_BYTES = 36

export const labAgent = struct({
  account,
  /** Leading zero hex digits, 1 to 15. */
  difficulty: u8,
})

export const labPlan = union({
  start: {
    number: 1,
    codec: struct({
      /** Each hand for itself; in step; or free, each naming the newest of the others. */
      mode: choice({ alone: 1, rounds: 2, free: 3 }),
      /** Rounds, or ticks: of each hand, where they run free of the one with the most digits. */
      rounds: u32,
      /** Milliseconds, of a round. */
      timeoutMs: u32,
      agents: list(labAgent, LAB_AGENTS_MAX),
    }),
  },
  stop: { number: 2, codec: struct({}) },
})
export type LabPlan = Infer<typeof labPlan>
export type LabStart = Extract<LabPlan, { readonly type: 'start' }>
export type LabMode = LabStart['mode']

export const labOrder = struct({
  /** Larger than that of every order before. */
  sequence: u64,
  time,
  plan: labPlan,
  signature: fixed(SIGNATURE_BYTES),
})
export type LabOrder = Infer<typeof labOrder>

/** Where a hand ends. */
export const labTip = struct({ height: u32, hash })
export type LabTip = Infer<typeof labTip>

/** What a tower says: which round it is, and where each hand ended when it began, in the order's order. */
export const labTower = struct({
  order: hash,
  /** Of two towers the one with the higher term counts. */
  term: u32,
  /** From 1 on; one more than the order has: it is over. */
  round: u32,
  /** Of the round, milliseconds. */
  leftMs: u32,
  tips: list(labTip, LAB_AGENTS_MAX),
  signature: fixed(SIGNATURE_BYTES),
})
export type LabTower = Infer<typeof labTower>

/** Ticks of the publisher's hand, one after the other. */
export const labTicks = struct({
  order: hash,
  ticks: list(
    struct({
      tick,
      /** What the agent says that it took, 0 where it does not know any more. Nobody can check it. */
      hashes: u64,
      microseconds: u64,
    }),
    LAB_TICKS_MAX,
  ),
  signature: fixed(SIGNATURE_BYTES),
})
export type LabTicks = Infer<typeof labTicks>

/** Asks an agent for the ticks of its hand above a height. */
export const labAsk = struct({ order: hash, above: u32 })
