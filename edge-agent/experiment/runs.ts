/**
 * The experiments: a hand alone, two hands in step, two hands that run free.
 *
 * In step: in each round both search one tick, which names the other's last one, and whoever is first waits. Free: each goes
 * on at once, and always names the other's newest. Source: docs/CLOCKCHAIN.md "The lecture's experiments".
 */
import { barrier } from './barrier.ts'
import type { ExperimentHand, Made } from './hand.ts'

export type Pair = readonly [ExperimentHand, ExperimentHand]

/** `ticks` ticks, one after the other; ends early when the hand is stopped. */
export async function runAlone(
  hand: ExperimentHand,
  ticks: number,
  onTick: (made: Made) => void,
): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) {
    const made = await hand.seek(() => [])
    if (made === undefined) return
    onTick(made)
  }
}

/** Until the slow hand has made `ticks` ticks or one of them is stopped; stops both. */
export async function runFree(
  [slow, fast]: Pair,
  ticks: number,
  onTick: (made: Made) => void,
): Promise<void> {
  const stop = () => Promise.all([slow.stop(), fast.stop()])
  const turn = async (hand: ExperimentHand, other: ExperimentHand, end: number): Promise<void> => {
    while (hand.slow.tip.height < end) {
      const made = await hand.seek(() => [other.newest])
      if (made === undefined) return
      onTick(made)
      other.refresh()
    }
  }
  await Promise.all([
    turn(slow, fast, ticks).finally(stop),
    turn(fast, slow, Number.POSITIVE_INFINITY).finally(stop),
  ])
}

export interface Round {
  /** From 1 on. */
  readonly round: number
  /** Milliseconds. */
  readonly ms: number
  /** The hands were stopped in it. */
  readonly cut: boolean
  /** A hand's tick of this round; undefined where it did not come in time. */
  readonly ticks: readonly [Made | undefined, Made | undefined]
  /** Milliseconds that each waited at the barrier. */
  readonly waitedMs: readonly [number, number]
}

export interface StepOptions {
  readonly rounds: number
  /** A round that takes longer is closed without the tick that is missing; its hand goes on searching it. */
  readonly timeoutMs: number
}

/** Ends early when the hands are stopped. */
export async function runInStep(
  [a, b]: Pair,
  { rounds, timeoutMs }: StepOptions,
  onRound: (round: Round) => void,
): Promise<void> {
  let stopped = false
  let named = { a: a.newest, b: b.newest }
  const seek = async (work: Promise<Made | undefined>) => {
    const made = await work
    stopped ||= made === undefined
    return made
  }
  const seekA = () => seek(a.seek(() => [named.b]))
  const seekB = () => seek(b.seek(() => [named.a]))
  let works = [seekA(), seekB()] as const
  for (let round = 1; ; round++) {
    const startMs = performance.now()
    const [madeA, madeB] = await barrier(works, timeoutMs)
    const endMs = performance.now()
    const waited = (made: Made | undefined) => (made === undefined ? 0 : Math.max(0, endMs - made.atMs))
    onRound({
      round,
      ms: endMs - startMs,
      cut: stopped,
      ticks: [madeA, madeB],
      waitedMs: [waited(madeA), waited(madeB)],
    })
    if (stopped || round === rounds) return
    named = { a: a.newest, b: b.newest }
    works = [madeA === undefined ? works[0] : seekA(), madeB === undefined ? works[1] : seekB()]
    // Whoever is late names what is newest now.
    if (madeA === undefined) a.refresh()
    if (madeB === undefined) b.refresh()
  }
}
