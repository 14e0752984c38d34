/**
 * From samples to drafts of transactions: each on its own, or a batch with its Merkle root.
 *
 * Sequence numbers go on where the outbox's last stored ones ended.
 */
import { merklePath, merkleRoot } from '../ledger/merkle.ts'
import type { Clock } from '../node/clock.ts'
import { hashing } from '../node/signing.ts'
import { encode } from '../schemas/codec.ts'
import { type Hash, hashFromBytes } from '../schemas/hex.ts'
import type { BatchedSample } from '../schemas/message.ts'
import { invariant } from '../schemas/result.ts'
import { type Sample, sample as sampleCodec } from '../schemas/transaction.ts'
import type { Decimal } from '../schemas/units.ts'
import type { Sensor } from './driver.ts'
import type { Draft, Outbox } from './outbox.ts'

/** How much too early a free sample may be. */
const EARLY_MS = 50

export interface AgentSensor {
  readonly name: string
  readonly driver: string
  readonly sensor: Sensor
  /** Samples in one transaction; 1: each on its own. */
  readonly batch: number
  /** Its full rate is for sale: so often a sample is everybody's, and the ledger's; 0: never. */
  readonly sell?: { readonly freeEverySeconds: number } | undefined
}

/** A sample as it was taken, and as everybody gets it, if they do. */
export interface Taken {
  readonly sample: Sample
  readonly free: Sample | undefined
}

/** A draft, and for a batch the samples that travel on their own once it has an id. */
export interface Gathered {
  readonly draft: Draft
  readonly samples: readonly Sample[]
}

export class Sampling {
  readonly #sensors: readonly AgentSensor[]
  readonly #outbox: Outbox
  readonly #clock: Clock
  /** Samples that are not signed yet, by sensor. */
  readonly #waiting = new Map<string, Sample[]>()
  readonly #sequences = new Map<string, number>()
  /** What is sold has a count of its own, of all samples. */
  readonly #soldSequences = new Map<string, number>()
  /** When the last free sample of a sensor that is sold was taken; monotonic. */
  readonly #freeMs = new Map<string, number>()

  constructor(sensors: readonly AgentSensor[], outbox: Outbox, clock: Clock) {
    this.#sensors = sensors
    this.#outbox = outbox
    this.#clock = clock
  }

  /** Gives a value its number and time. */
  take({ name, sensor: { unit }, sell }: AgentSensor, value: Decimal): Taken {
    const time = Math.max(0, this.#clock.now())
    const said = { sensor: name, value, unit, time, synchronised: this.#clock.synchronised() }
    const free = sell === undefined || this.#isFree(name, sell) ? this.#keep(said) : undefined
    if (sell === undefined && free !== undefined) return { sample: free, free }
    // Counts from the time of the start on: nothing of it is stored, and no number comes again.
    const sequence = this.#soldSequences.get(name) ?? time
    this.#soldSequences.set(name, sequence + 1)
    return { sample: { ...said, sequence }, free }
  }

  #isFree(name: string, { freeEverySeconds }: NonNullable<AgentSensor['sell']>): boolean {
    if (freeEverySeconds === 0) return false
    const nowMs = this.#clock.monotonic()
    const last = this.#freeMs.get(name)
    // A sensor that speaks as often as that is a little early now and then.
    if (last !== undefined && nowMs - last < freeEverySeconds * 1000 - EARLY_MS) return false
    this.#freeMs.set(name, nowMs)
    return true
  }

  /** Numbers a sample for the ledger and keeps it until it is signed. */
  #keep(said: Omit<Sample, 'sequence'>): Sample {
    const { sensor: name } = said
    const sequence = this.#sequences.get(name) ?? this.#outbox.nextSequence(name)
    this.#sequences.set(name, sequence + 1)
    const sample = { ...said, sequence }
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), sample])
    return sample
  }

  /** Takes out what makes whole transactions. */
  gather(): Gathered[] {
    const gathered: Gathered[] = []
    for (const { name, batch } of this.#sensors) {
      const waiting = this.#waiting.get(name) ?? []
      while (waiting.length >= batch) {
        const samples = waiting.splice(0, batch)
        const [first] = samples
        invariant(first !== undefined, 'a batch has at least one sample')
        if (batch === 1) gathered.push({ draft: { type: 'reading', sample: first }, samples: [] })
        else gathered.push({ draft: batchDraft(first, samples), samples })
      }
    }
    return gathered
  }
}

const leavesOf = (samples: readonly Sample[]): Uint8Array[] =>
  samples.map((sample) => hashing.tagged('sample', encode(sampleCodec, sample)))

function batchDraft(first: Sample, samples: readonly Sample[]): Draft {
  return {
    type: 'batch',
    sensor: first.sensor,
    sequence: first.sequence,
    count: samples.length,
    unit: first.unit,
    firstTime: first.time,
    // The clock may have been set back meanwhile.
    lastTime: Math.max(first.time, samples.at(-1)?.time ?? 0),
    synchronised: samples.every(({ synchronised }) => synchronised),
    root: hashFromBytes(merkleRoot(hashing, leavesOf(samples))),
  }
}

/** Each sample of a batch with its proof that the transaction commits to it. */
export function withProofs(transaction: Hash, samples: readonly Sample[]): BatchedSample[] {
  const leaves = leavesOf(samples)
  return samples.map((sample, index) => {
    const path = merklePath(hashing, leaves, index).map(hashFromBytes)
    return { transaction, index, count: samples.length, sample, path }
  })
}
