/**
 * Who has paid for which topics, as the broker's own validators say, and what time it is.
 *
 * If validators differ, the longest grant counts: one that is behind, or was started again, must not take away what was paid for. What a
 * validator said stays until it is over, also when the validator has gone. Time is the later of this machine's clock and the newest
 * tip of a validator, so that a clock that stands in 1970 does not give for ever. Invariants: an entry's `until` is the longest in
 * `by`; `#said` names exactly the sensors in whose entries a validator stands. Source: docs/PROTOCOL.md section 7.
 */
import { decode } from '../schemas/codec.ts'
import { GRANT_BYTES_MAX, type Grant, grant } from '../schemas/grant.ts'
import type { Account, Network } from '../schemas/hex.ts'
import { MESSAGE_BYTES_MAX, tip } from '../schemas/message.ts'
import type { ParsedTopic } from '../schemas/topic.ts'
import type { Limits } from './limits.ts'

export type GrantRefusal = 'bad-grant' | 'grants-full'

/** Until when a buyer may read, milliseconds since 1970. */
export interface Entry {
  readonly until: number
}

interface Kept {
  readonly by: Map<Account, number>
  until: number
}

/** What a validator has said of a pair. */
interface Said {
  readonly network: Network
  readonly validator: Account
  readonly seller: string
  readonly buyer: string
}

export class PaidGrants {
  readonly #limits: Pick<Limits, 'grantsPerValidatorMax'>
  readonly #clock: () => number
  /** By network, seller and sensor, then by buyer. */
  readonly #topics = new Map<string, Map<string, Kept>>()
  readonly #said = new Map<string, Said & { readonly sensors: Grant['sensors'] }>()
  readonly #perValidator = new Map<Account, number>()
  readonly #tips = new Map<string, number>()
  #newestTip = 0
  #expiredMs = 0
  /** Changes with every change of what `buyersOf` gives. */
  version = 0
  /** Entries of all topics. */
  size = 0

  /** `clock`: milliseconds since 1970. */
  constructor(limits: Pick<Limits, 'grantsPerValidatorMax'>, clock: () => number) {
    this.#limits = limits
    this.#clock = clock
  }

  get nowMs(): number {
    return Math.max(this.#clock(), this.#newestTip)
  }

  /** Who has paid for a topic; some may be over. Good until `version` changes. */
  buyersOf(network: Network, seller: Account, sensor: string): ReadonlyMap<string, Entry> | undefined {
    return this.#topics.get(topicKey(network, seller, sensor))
  }

  /** What may be published was published: only validators may publish grants and tips, so these are theirs. */
  hear(topic: ParsedTopic, payload: Uint8Array): GrantRefusal | undefined {
    if (topic.json) return undefined
    if (topic.kind === 'tip') this.#hearTip(topic, payload)
    return topic.kind === 'grant' ? this.#hearGrant(topic, payload) : undefined
  }

  /** What a pair may read: all of it, an empty payload for nothing. */
  #hearGrant(topic: ParsedTopic, payload: Uint8Array): GrantRefusal | undefined {
    const { network, publisher: validator, rest } = topic
    const [seller = '', buyer = ''] = rest
    const said = { network, validator, seller, buyer }
    if (payload.length === 0) {
      this.#replace(said, [])
      return undefined
    }
    const decoded = decode(grant, payload, GRANT_BYTES_MAX)
    if (!decoded.ok || decoded.value.seller !== seller || decoded.value.buyer !== buyer) return 'bad-grant'
    const { sensors } = decoded.value
    const before = this.#said.get(saidKey(said))?.sensors.length ?? 0
    const count = (this.#perValidator.get(validator) ?? 0) - before + sensors.length
    if (count > this.#limits.grantsPerValidatorMax) return 'grants-full'
    this.#replace(said, sensors)
    return undefined
  }

  /** Where a validator's chain ends. */
  #hearTip({ network, publisher: validator }: ParsedTopic, payload: Uint8Array): void {
    const decoded = decode(tip, payload, MESSAGE_BYTES_MAX)
    if (!decoded.ok) return
    this.#tips.set(`${network}/${validator}`, decoded.value.time)
    this.#newestTip = Math.max(...this.#tips.values())
  }

  /** Forgets what is over by the ledger's time; a clock of ours that is wrong may yet be put right. */
  expire(): void {
    if (this.#newestTip === this.#expiredMs) return
    this.#expiredMs = this.#newestTip
    for (const said of this.#said.values()) {
      const running = said.sensors.filter(({ until }) => until > this.#newestTip)
      if (running.length < said.sensors.length) this.#replace(said, running)
    }
  }

  #replace(said: Said, sensors: Grant['sensors']): void {
    const { network, validator, seller, buyer } = said
    const key = saidKey(said)
    const before = this.#said.get(key)?.sensors ?? []
    for (const { sensor } of before) this.#take(topicKey(network, seller, sensor), buyer, validator)
    for (const { sensor, until } of sensors)
      this.#give(topicKey(network, seller, sensor), buyer, validator, until)
    if (sensors.length === 0) this.#said.delete(key)
    else this.#said.set(key, { network, validator, seller, buyer, sensors })
    const count = (this.#perValidator.get(validator) ?? 0) + sensors.length - before.length
    this.#perValidator.set(validator, count)
    this.version++
  }

  #give(topic: string, buyer: string, validator: Account, until: number): void {
    const buyers = this.#topics.get(topic) ?? new Map<string, Kept>()
    const entry = buyers.get(buyer) ?? { by: new Map<Account, number>(), until: 0 }
    if (entry.by.size === 0) this.size++
    entry.by.set(validator, Math.max(until, entry.by.get(validator) ?? 0))
    entry.until = Math.max(entry.until, until)
    buyers.set(buyer, entry)
    this.#topics.set(topic, buyers)
  }

  #take(topic: string, buyer: string, validator: Account): void {
    const buyers = this.#topics.get(topic)
    const entry = buyers?.get(buyer)
    if (buyers === undefined || entry === undefined) return
    entry.by.delete(validator)
    entry.until = Math.max(0, ...entry.by.values())
    if (entry.by.size > 0) return
    buyers.delete(buyer)
    this.size--
    if (buyers.size === 0) this.#topics.delete(topic)
  }
}

const topicKey = (network: Network, seller: string, sensor: string): string =>
  `${network}/${seller}/${sensor}`
const saidKey = ({ network, validator, seller, buyer }: Said): string =>
  `${network}/${validator}/${seller}/${buyer}`
