/** A hash-rate trace out of blocks that were really mined: work over time, by windows of blocks. */
import type { RateStep, Trace } from './trace.ts'

export interface MinedBlock {
  readonly height: number
  /** Any seconds; only their differences count. */
  readonly seconds: number
  /** Expected hashes for it. */
  readonly hashes: number
}

/** Blocks in a window: their time tells the rate within 18 % (one over the root of 30). */
export const WINDOW = 30
/** A block that took so many times the mean before it ends an outage: by chance one in e^60 does. */
const OUTAGE = 60

/**
 * From the first block to the end of the last whole window. Heights that are missing count as much as those that are
 * there. Undefined when there is no whole window.
 */
export function traceOfBlocks(name: string, blocks: readonly MinedBlock[]): Trace | undefined {
  const sorted = blocks.toSorted((a, b) => a.seconds - b.seconds)
  const begin = sorted[0]
  if (begin === undefined) return undefined
  const steps: RateStep[] = []
  let open = begin
  let last = begin
  let [count, hashes] = [0, 0]
  let end = begin.seconds
  let meanSeconds: number | undefined
  const push = (from: number, until: number, rate: number): void => {
    steps.push({ fromSeconds: from - begin.seconds, hashesPerSecond: rate })
    end = until
  }
  /** Closes the window at `last`. */
  const close = (): void => {
    const seconds = last.seconds - open.seconds
    if (count === 0 || seconds <= 0) return
    const heights = Math.max(1, last.height - open.height)
    push(open.seconds, last.seconds, ((hashes / count) * heights) / seconds)
    meanSeconds = seconds / heights
  }
  const reopen = (at: MinedBlock): void => {
    open = at
    count = 0
    hashes = 0
  }
  for (const block of sorted.slice(1)) {
    const mean = meanSeconds ?? (count === 0 ? undefined : (last.seconds - open.seconds) / count)
    if (mean !== undefined && mean > 0 && block.seconds - last.seconds > OUTAGE * mean) {
      close()
      push(last.seconds, block.seconds, 0)
      reopen(block)
    } else {
      count++
      hashes += block.hashes
    }
    last = block
    if (count >= WINDOW && last.seconds > open.seconds) {
      close()
      reopen(last)
    }
  }
  return meanSeconds === undefined ? undefined : { name, seconds: end - begin.seconds, steps }
}
