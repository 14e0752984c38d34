/**
 * Whose clock is off, ours or a miner's, by the times in blocks and when they came.
 *
 * A miner writes its own time into a block, unless its parent's is as late: then it has to write the parent's + 1 ms (template.ts).
 * Such a block says only that its miner's clock was not ahead of that. So one miner that is ahead moves the times in everybody's
 * blocks on top of its own, and one that is behind shows its own time only after a long gap. Source: docs/CLOCKCHAIN.md.
 */
import type { Account } from '../schemas/hex.ts'
import type { ClockFacts } from './clock-report.ts'

/** A block of somebody else that came live. */
export interface HeardBlock {
  readonly miner: Account
  /** The time in it, less ours when it came, milliseconds. */
  readonly aheadMs: number
  /** False: its time is its parent's + 1, its miner's clock may have been behind that. */
  readonly isOwnTime: boolean
}

/** Blocks that a miner is judged by, and fewer than these say nothing. */
const BLOCKS = 16
const BLOCKS_MIN = 3
/** Newest blocks, most of which have to be of miners who differ from us, before we doubt our own clock. */
const OWN_BLOCKS = 32

/** What `heard`, the newest last, says of each miner's clock and of ours. */
export function clocksOf(heard: readonly HeardBlock[]): Pick<ClockFacts, 'clocks' | 'own'> {
  const byMiner = new Map<Account, HeardBlock[]>()
  for (const block of heard) {
    const blocks = byMiner.get(block.miner)
    if (blocks === undefined) byMiner.set(block.miner, [block])
    else blocks.push(block)
  }
  const clocks = new Map<Account, { aheadMs: number; blocks: number }>()
  for (const [miner, all] of byMiner) {
    const blocks = all.slice(-BLOCKS)
    if (blocks.length >= BLOCKS_MIN) clocks.set(miner, { aheadMs: aheadOf(blocks), blocks: blocks.length })
  }
  if (clocks.size === 0) return { clocks, own: undefined }
  // Names are cheap, so most miners do not suffice; and one strong miner alone must not put everybody else in the wrong.
  const ofMiners = median([...clocks.values()].map(({ aheadMs }) => aheadMs))
  const ofBlocks = median(heard.slice(-OWN_BLOCKS).map(({ miner }) => clocks.get(miner)?.aheadMs ?? 0))
  const isAgreed = ofMiners * ofBlocks > 0
  const others = isAgreed ? nearer(ofMiners, ofBlocks) : 0
  return { clocks, own: { aheadMs: 0 - others, miners: clocks.size } }
}

/**
 * How far a clock is ahead at least: by the middle one of what each block shows, or, if that is less, by the second lowest of
 * the times that it could not choose, none of which its clock was ahead of. One block may have been long on its way.
 */
function aheadOf(blocks: readonly HeardBlock[]): number {
  const middle = median(blocks.map(({ aheadMs, isOwnTime }) => (isOwnTime ? aheadMs : Math.min(0, aheadMs))))
  const [, limit] = blocks
    .filter(({ isOwnTime }) => !isOwnTime)
    .map(({ aheadMs }) => aheadMs)
    .sort((a, b) => a - b)
  return Math.min(middle, limit ?? middle)
}

/** The middle one; of two in the middle the one nearer to zero, so that half of the others alone put nobody in the wrong. */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [low = 0, high = 0] = [
    sorted[Math.ceil(sorted.length / 2) - 1],
    sorted[Math.floor(sorted.length / 2)],
  ]
  return nearer(low, high)
}

const nearer = (one: number, other: number): number => (Math.abs(one) < Math.abs(other) ? one : other)
