/** How the hashing of a new network's miners is shared between the first block and the first tick. */
import { SLOW_SHARE } from '../edge-agent/miner.ts'
import type { GenesisChoices } from '../ledger/preset.ts'

/** `work`: hashes of all miners in an interval. `ratio`: blocks per tick, 0 without a slow hand. */
export const firstWorks = (work: number, ratio: number): Pick<GenesisChoices, 'firstWork' | 'slow'> =>
  ratio === 0
    ? { firstWork: Math.max(1, work) }
    : {
        firstWork: Math.max(1, work * (1 - SLOW_SHARE)),
        slow: { ratio, hand: { firstWork: Math.max(1, work * SLOW_SHARE * ratio) } },
      }
