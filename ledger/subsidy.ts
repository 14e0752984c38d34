/**
 * What a block creates: the subsidy, halved every `halvingInterval` blocks, first paid at height 1.
 *
 * Source: Bitcoin's GetBlockSubsidy; the sum of its 33 eras is 20,999,999.9769 coins. docs/PROTOCOL.md section 4.
 */
import type { Genesis } from '../schemas/genesis.ts'

type Schedule = Pick<Genesis, 'subsidy' | 'halvingInterval'>

/** Smallest units created at `height`. Division by a power of two, since `1e9 >> 32 === 1e9` in JavaScript. */
export function subsidyAt({ subsidy, halvingInterval }: Schedule, height: number): number {
  if (height === 0) return 0
  if (halvingInterval === 0) return subsidy
  return Math.floor(subsidy / 2 ** Math.floor((height - 1) / halvingInterval))
}

/** All that the schedule will ever create; undefined when it has no end or leaves the exact range. */
export function totalSubsidy({ subsidy, halvingInterval }: Schedule): number | undefined {
  if (subsidy === 0) return 0
  if (halvingInterval === 0) return undefined
  let total = 0n
  for (let era = BigInt(subsidy); era > 0n; era /= 2n) total += era * BigInt(halvingInterval)
  return total <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(total) : undefined
}
