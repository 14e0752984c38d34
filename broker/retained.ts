/**
 * Retained messages, with quotas: one device cannot fill the memory, and all devices together not the validators' part.
 *
 * Invariant: the sums in `#usage` are the sums over `#messages`. In memory only: whoever publishes a retained topic
 * publishes it again after every connect.
 */
import type { Account } from '../schemas/hex.ts'
import { parseTopic } from '../schemas/topic.ts'
import { matches } from './filter.ts'
import type { Limits } from './limits.ts'

/** Bookkeeping of one message beside its topic and payload, bytes. */
const OVERHEAD_BYTES = 256
/** Owner of what lies outside the tree of accounts: the broker's challenge. */
const BROKER = ''

interface Usage {
  messages: number
  bytes: number
}

/** The fields of a packet that are kept; `cmd` is `publish`, or `pubrel` for the second half of QoS 2. */
export interface StoredPacket {
  readonly cmd: string
  readonly topic: string
  readonly payload: Buffer
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly dup: boolean
  readonly brokerId?: string
  readonly brokerCounter?: number
  messageId?: number | undefined
}

/** `own-quota`: its publisher keeps too much already. `devices-full`: all devices together do. */
export type RetainVerdict = 'store' | 'own-quota' | 'devices-full'

export class RetainedMessages {
  readonly #limits: Limits
  readonly #validators: ReadonlySet<Account>
  readonly #messages = new Map<string, { packet: StoredPacket; owner: string; bytes: number }>()
  readonly #usage = new Map<string, Usage>()
  #devicesBytes = 0
  #bytes = 0

  constructor(limits: Limits, validators: ReadonlySet<Account>) {
    this.#limits = limits
    this.#validators = validators
  }

  get count(): number {
    return this.#messages.size
  }
  get bytes(): number {
    return this.#bytes
  }

  /** What `store` would do with a payload of so many bytes; an empty one deletes and is always welcome. */
  verdict(topic: string, payloadBytes: number): RetainVerdict {
    if (payloadBytes === 0) return 'store'
    const owner = ownerOf(topic)
    if (owner === BROKER) return 'store'
    const before = this.#messages.get(topic)?.bytes
    const more = sizeOf(topic, payloadBytes) - (before ?? 0)
    const usage = this.#usage.get(owner) ?? { messages: 0, bytes: 0 }
    const validator = this.#validators.has(owner as Account)
    const limits = this.#limits
    const messagesMax = validator ? limits.retainedPerValidatorMax : limits.retainedPerDeviceMax
    const bytesMax = validator ? limits.retainedPerValidatorBytesMax : limits.retainedPerDeviceBytesMax
    if (usage.messages + (before === undefined ? 1 : 0) > messagesMax) return 'own-quota'
    if (usage.bytes + more > bytesMax) return 'own-quota'
    if (!validator && this.#devicesBytes + more > limits.retainedDevicesBytesMax) return 'devices-full'
    return 'store'
  }

  /** Keeps the message, replaces or (empty payload) deletes; does nothing beyond a quota. */
  store(packet: StoredPacket): void {
    const { topic } = packet
    if (this.verdict(topic, packet.payload.length) !== 'store') return
    const before = this.#messages.get(topic)
    if (before !== undefined) {
      this.#messages.delete(topic)
      this.#account(before.owner, -1, -before.bytes)
    }
    if (packet.payload.length === 0) return
    const owner = ownerOf(topic)
    const bytes = sizeOf(topic, packet.payload.length)
    // A copy: the parser's payload is a view that keeps its whole network buffer alive.
    this.#messages.set(topic, {
      packet: { ...packet, payload: Buffer.from(packet.payload) },
      owner,
      bytes,
    })
    this.#account(owner, 1, bytes)
  }

  /** The retained messages that a filter matches. */
  *matching(filter: string): Generator<StoredPacket> {
    if (!/[+#]/.test(filter)) {
      const one = this.#messages.get(filter)
      if (one !== undefined) yield one.packet
      return
    }
    for (const [topic, { packet }] of this.#messages) if (matches(filter, topic)) yield packet
  }

  #account(owner: string, messages: number, bytes: number): void {
    const usage = this.#usage.get(owner) ?? { messages: 0, bytes: 0 }
    usage.messages += messages
    usage.bytes += bytes
    if (usage.messages === 0) this.#usage.delete(owner)
    else this.#usage.set(owner, usage)
    this.#bytes += bytes
    if (owner !== BROKER && !this.#validators.has(owner as Account)) this.#devicesBytes += bytes
  }
}

const ownerOf = (topic: string): string => parseTopic(topic)?.publisher ?? BROKER
const sizeOf = (topic: string, payloadBytes: number): number => topic.length + payloadBytes + OVERHEAD_BYTES
