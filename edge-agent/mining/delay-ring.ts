/** The last `size` delays, for percentiles, and the largest of all. */
export interface DelayRing {
  add(delayMs: number): void
  /** Smallest kept delay that at least the fraction `q` (0 to 1) of them does not exceed; undefined when empty. */
  quantile(q: number): number | undefined
  /** Largest delay ever added, those that were overwritten included. */
  max(): number | undefined
}

export function createDelayRing(size: number): DelayRing {
  const delays: number[] = []
  let next = 0
  let largest: number | undefined
  return {
    add(delayMs) {
      delays[next] = delayMs
      next = (next + 1) % size
      largest = Math.max(largest ?? 0, delayMs)
    },
    quantile(q) {
      const sorted = delays.toSorted((a, b) => a - b)
      return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]
    },
    max: () => largest,
  }
}
