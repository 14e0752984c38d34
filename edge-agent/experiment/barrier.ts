/** The barrier at the end of a round: whoever is first waits for the others, at most until the time-out. */

/**
 * What each of `works` came to, in their order; undefined where it had not come after `timeoutMs`. Rejects with the first that
 * rejects. A work that came late is not lost: its promise can stand at the next barrier.
 */
export function barrier<T>(
  works: readonly Promise<T>[],
  timeoutMs: number,
): Promise<readonly (T | undefined)[]> {
  return new Promise((resolve, reject) => {
    const outcomes: (T | undefined)[] = works.map(() => undefined)
    let missing = works.length
    const close = (): void => {
      clearTimeout(timer)
      resolve(outcomes.slice())
    }
    const timer = setTimeout(close, timeoutMs)
    for (const [index, work] of works.entries()) {
      work.then(
        (outcome) => {
          outcomes[index] = outcome
          missing--
          if (missing === 0) close()
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    }
  })
}
