/**
 * Virtual time: events in the order of their time, and in the order in which they were asked for when that is equal.
 *
 * Each event runs until nothing more follows from it (promises included) before the next one starts, so a run depends
 * on nothing but its events.
 */
import type { Cancel } from '../node/timers.ts'

interface Event {
  readonly timeMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** Waits for promises, of which one is a whole turn of Node's loop: that takes many times as long. */
const TURN_EVERY = 256

export class Scheduler {
  readonly #heap: Event[] = []
  #nowMs = 0
  #order = 0
  #events = 0
  #unsettled = false
  #turns = 0

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Events that have run. */
  get events(): number {
    return this.#events
  }

  at(timeMs: number, run: () => void): Cancel {
    const event: Event = { timeMs: Math.max(timeMs, this.#nowMs), order: this.#order++, run }
    this.#push(event)
    return () => {
      event.run = undefined
    }
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.at(this.#nowMs + delayMs, run)
  }

  /** The running event has settled a promise, or may have: what waits for it runs before the next event. */
  settle(): void {
    this.#unsettled = true
  }

  /** Runs what is due until `timeMs`, or until `isOver`. */
  async run(timeMs: number, isOver: () => boolean): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.timeMs <= timeMs; next = this.#heap[0]) {
      this.#pop()
      if (next.run === undefined) continue
      this.#nowMs = next.timeMs
      this.#events++
      next.run()
      if (this.#unsettled) {
        this.#unsettled = false
        // The next tick comes after all promises; a turn of the loop now and then is for the signals that end the program.
        await new Promise<void>(this.#turns++ % TURN_EVERY === 0 ? setImmediate : process.nextTick)
      }
      if (isOver()) return
    }
    this.#nowMs = Math.max(this.#nowMs, timeMs)
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!isBefore(event, heap[up] as Event)) break
      heap[at] = heap[up] as Event
      at = up
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Event
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Event, heap[down] as Event)) down++
      if (!isBefore(heap[down] as Event, last)) break
      heap[at] = heap[down] as Event
      at = down
    }
    heap[at] = last
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.timeMs < b.timeMs || (a.timeMs === b.timeMs && a.order < b.order)
