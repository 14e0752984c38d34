/**
 * A paid topic as its buyer reads it: SenML where the broker keeps it to those who paid, and on any other broker what is sealed,
 * with keys that are asked for by the minute.
 */
import type { Network } from '../ledger/network.ts'
import { createKeyPair, type KeyPair } from '../node/key-agreement.ts'
import type { Signer } from '../node/signing.ts'
import { askForKeys, openKeys, openReading, readKeyMessage } from '../node/topic-keys.ts'
import type { Account } from '../schemas/hex.ts'
import { EPOCH_KEYS_MAX, epochAt } from '../schemas/sealed.ts'
import { mirror, type ParsedTopic, topic } from '../schemas/topic.ts'
import { decimalNumber } from '../schemas/units.ts'

export interface Reading {
  readonly sensor: string
  readonly value: number
  readonly unit: string
  /** Milliseconds since 1970, by the seller's clock. */
  readonly time: number
}

export interface TopicReaderModules {
  readonly network: Network
  readonly signer: Signer
  readonly publish: (name: string, payload: Uint8Array) => void
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number
  readonly onReading: (reading: Reading) => void
  /** The seller says that there is no key for us. */
  readonly onDenied: (code: string) => void
}

/** The next question for keys comes no sooner. */
const ASK_MS = 2_000
/** And one for a key that is not needed yet: it is not given before it is paid for. */
const AHEAD_MS = 15_000
/** Keys of epochs that are kept: all of an answer, and some that are over, for what comes late. */
const KEYS_MAX = EPOCH_KEYS_MAX + 3

export class TopicReader {
  readonly #seller: Account
  readonly #sensor: string
  readonly #modules: TopicReaderModules
  readonly #keys = new Map<number, Uint8Array>()
  #pair: KeyPair | undefined
  #askedMs = Number.NEGATIVE_INFINITY

  constructor(seller: Account, sensor: string, modules: TopicReaderModules) {
    this.#seller = seller
    this.#sensor = sensor
    this.#modules = modules
  }

  filters(): string[] {
    const { network, signer } = this.#modules
    const paid = topic(network.id, 'paid', this.#seller, this.#sensor)
    return [paid, mirror(paid), topic(network.id, 'key', this.#seller, signer.account)]
  }

  take({ kind, publisher, rest, json }: ParsedTopic, payload: Uint8Array): void {
    if (publisher !== this.#seller) return
    if (kind === 'key' && !json) this.#key(payload)
    if (kind !== 'paid' || rest[0] !== this.#sensor) return
    if (json) this.#readable(payload)
    else this.#sealed(payload)
  }

  #readable(payload: Uint8Array): void {
    const reading = parseSenml(payload)
    if (reading?.sensor === this.#sensor) this.#modules.onReading(reading)
  }

  #sealed(payload: Uint8Array): void {
    const { network, onReading } = this.#modules
    const opened = openReading(network, this.#seller, this.#sensor, payload, (epoch) => this.#keys.get(epoch))
    if (opened.ok) {
      const { sensor, value, unit, time } = opened.value
      onReading({ sensor, value: decimalNumber(value), unit, time })
      // The next epoch's key is asked for before it is needed.
      if (!this.#keys.has(epochAt(time) + 1)) this.#ask(AHEAD_MS)
    } else if (opened.fault.code === 'no-key') this.#ask(ASK_MS)
  }

  #ask(pauseMs: number): void {
    const { network, signer, publish, nowMs } = this.#modules
    if (nowMs() - this.#askedMs < pauseMs) return
    this.#askedMs = nowMs()
    this.#pair = createKeyPair()
    const question = askForKeys(network, signer, this.#seller, this.#sensor, this.#pair)
    publish(topic(network.id, 'key', signer.account, this.#seller), question)
  }

  #key(payload: Uint8Array): void {
    const { network, signer, onDenied } = this.#modules
    const read = readKeyMessage(network, this.#seller, signer.account, payload)
    if (!read.ok || read.value.type === 'ask' || read.value.sensor !== this.#sensor) return
    if (read.value.type === 'denied') {
      onDenied(read.value.code)
      return
    }
    const opened = this.#pair === undefined ? undefined : openKeys(network, read.value, this.#pair)
    if (opened?.ok !== true) return
    for (const { epoch, key } of opened.value) this.#keys.set(epoch, key)
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= KEYS_MAX) break
      this.#keys.delete(oldest)
    }
  }
}

/** Of SenML as agents publish it; undefined for anything else, since on a foreign broker it may be anybody's. */
export function parseSenml(payload: Uint8Array): Reading | undefined {
  try {
    const [record] = JSON.parse(new TextDecoder().decode(payload)) as readonly Record<string, unknown>[]
    const { n, u, v, t } = record ?? {}
    if (typeof n !== 'string' || typeof u !== 'string' || typeof v !== 'number' || typeof t !== 'number')
      return undefined
    return { sensor: n, value: v, unit: u, time: t * 1000 }
  } catch {
    return undefined
  }
}
