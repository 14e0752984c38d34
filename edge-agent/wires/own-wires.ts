/**
 * Wires on this agent's own sensors, and on the time.
 *
 * Samples count while the agent can act on them, connected and in sync: what happened while it was cut off is not paid later, and
 * an edge that fell into that time counts with the first sample after it. What a wire remembers goes to the log after its
 * payments are in the outbox: a crash between the two finds the edge paid by its number.
 */
import type { Sample } from '../../schemas/transaction.ts'
import { act, type Surroundings } from './act.ts'
import { freshMemory, type Memory } from './condition.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Deed } from './ledger-wires.ts'
import { sampleFor, slotFor } from './occurrence.ts'
import type { Wire } from './wire.ts'

/** Samples that wait to be looked at, a second's worth. */
const SAMPLES_MAX = 10_000

export class OwnWires {
  #wires: readonly (readonly [string, Wire])[] = []
  #sensors = new Set<string>()
  #samples: Sample[] = []
  readonly #memories = new Map<string, Memory>()
  readonly #changed = new Set<string>()

  constructor(wires: readonly Wire[], known: (wire: string) => Memory | undefined) {
    this.set(wires, known)
  }

  /** Other wires from now on; those that say the same as before go on with what they remember. */
  set(wires: readonly Wire[], known: (wire: string) => Memory | undefined): void {
    this.#wires = wires
      .filter(({ source }) => source.kind !== 'ledger')
      .map((wire) => [fingerprintOf(wire), wire] as const)
    this.#sensors = new Set(
      this.#wires.flatMap(([, { source }]) => (source.kind === 'own' ? [source.sensor] : [])),
    )
    const names = new Set(this.#wires.map(([name]) => name))
    for (const name of names) {
      const memory = this.#memories.get(name) ?? known(name)
      if (memory !== undefined) this.#memories.set(name, memory)
    }
    for (const name of [...this.#memories.keys()]) if (!names.has(name)) this.#memories.delete(name)
  }

  /** Names of the wires, as `known` is asked for. */
  get names(): ReadonlySet<string> {
    return new Set(this.#wires.map(([name]) => name))
  }

  take(sample: Sample): void {
    if (this.#sensors.has(sample.sensor) && this.#samples.length < SAMPLES_MAX) this.#samples.push(sample)
  }

  /** What the samples since the last call come to, and the slot that it is; `nowMs` is also when new memories begin. To be taken to its end. */
  *due(surroundings: (wire: Wire) => Surroundings, nowMs: number): Generator<Deed> {
    const samples = this.#samples
    this.#samples = []
    for (const [name, wire] of this.#wires) {
      const slot = slotFor(wire, nowMs)
      const occurrences =
        slot === undefined ? samples.flatMap((sample) => sampleFor(wire, sample) ?? []) : [slot]
      for (const occurrence of occurrences) {
        const before = this.#memories.get(name) ?? freshMemory(nowMs)
        const done = act(wire, before, occurrence, surroundings(wire))
        if (done.memory !== before) {
          this.#memories.set(name, done.memory)
          this.#changed.add(name)
        }
        yield { wire, ...done }
      }
    }
  }

  /** What has changed since the last call, for the log. */
  changed(): ReadonlyMap<string, Memory> {
    const changed = new Map<string, Memory>()
    for (const name of this.#changed) {
      const memory = this.#memories.get(name)
      if (memory !== undefined) changed.set(name, memory)
    }
    this.#changed.clear()
    return changed
  }
}
