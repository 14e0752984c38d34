/**
 * How far a catch-up is and how long it will take, from the rate of the last ten seconds.
 *
 * Two phases: headers are looked at, then bodies are fetched and checked. While headers are looked at, the time of the bodies
 * is only known if this node has fetched bodies before.
 */
export interface Progress {
  readonly phase: 'headers' | 'bodies'
  readonly done: number
  /** As many as the peer claims, at least as many as it has shown. */
  readonly of: number
  readonly perSecond: number
  /** For what is left of both phases; undefined while nobody can know. */
  readonly secondsLeft: number | undefined
}

const SAMPLE_MS = 1_000
const SAMPLES_MAX = 10

export class ProgressMeter {
  #phase: Progress['phase'] = 'headers'
  #of = 0
  #done = 0
  /** When and how much, oldest first, a second apart. */
  #samples: { readonly atMs: number; readonly done: number }[]

  constructor(nowMs: number) {
    this.#samples = [{ atMs: nowMs, done: 0 }]
  }

  begin(phase: Progress['phase'], of: number, nowMs: number): void {
    this.#phase = phase
    this.#of = of
    this.#done = 0
    this.#samples = [{ atMs: nowMs, done: 0 }]
  }

  count(items: number, nowMs: number): void {
    this.#done += items
    if (this.#done > this.#of) this.#of = this.#done
    if (nowMs - (this.#samples.at(-1)?.atMs ?? 0) < SAMPLE_MS) return
    this.#samples.push({ atMs: nowMs, done: this.#done })
    if (this.#samples.length > SAMPLES_MAX) this.#samples.shift()
  }

  /** What was there already says nothing about the rate. */
  skip(items: number): void {
    this.#done += items
    this.#samples = this.#samples.map(({ atMs, done }) => ({ atMs, done: done + items }))
  }

  /** `bodiesPerSecond`: what an earlier catch-up reached, if there was one. */
  view(nowMs: number, bodiesPerSecond?: number): Progress {
    const [oldest = { atMs: nowMs, done: this.#done }] = this.#samples
    const perSecond = ((this.#done - oldest.done) / Math.max(1, nowMs - oldest.atMs)) * 1000
    const left = this.#of - this.#done
    let secondsLeft = left === 0 ? 0 : perSecond > 0 ? left / perSecond : undefined
    if (this.#phase === 'headers' && secondsLeft !== undefined)
      secondsLeft = bodiesPerSecond === undefined ? undefined : secondsLeft + this.#of / bodiesPerSecond
    return { phase: this.#phase, done: this.#done, of: this.#of, perSecond, secondsLeft }
  }
}

const BAR_LENGTH = 20

/** `######..............` */
export function bar({ done, of }: Progress): string {
  const filled = of === 0 ? 0 : Math.floor((done / of) * BAR_LENGTH)
  return '#'.repeat(filled).padEnd(BAR_LENGTH, '.')
}
