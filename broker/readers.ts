/**
 * To whom the broker forwards what is not for everybody: paid topics to who has paid, private ones to who is addressed.
 *
 * Asked for every message and every client that it could go to: a topic is taken apart once for all clients, and an answer
 * costs the same however many grants there are. Invariant: `#last` is what `#audienceOf` says of `#lastTopic` while the grants have
 * `#lastVersion`. Source: docs/PROTOCOL.md section 7.
 */
import type { Account } from '../schemas/hex.ts'
import { KINDS, type ParsedTopic, parseTopic } from '../schemas/topic.ts'
import type { Entry, PaidGrants } from './paid-grants.ts'

/** Why a message does not go on to a client. */
export type WithheldReason = 'not-paid' | 'not-addressed'

type Audience =
  | { readonly for: 'everybody' }
  | { readonly for: 'addressee'; readonly publisher: Account; readonly addressee: string }
  | {
      readonly for: 'payers'
      readonly publisher: Account
      readonly buyers: ReadonlyMap<string, Entry> | undefined
    }

const EVERYBODY: Audience = { for: 'everybody' }

export class Readers {
  readonly #grants: PaidGrants
  #lastTopic = ''
  #lastVersion = -1
  #last = EVERYBODY

  constructor(grants: PaidGrants) {
    this.#grants = grants
  }

  /** Why a message on `topic` is not for a session of `account` (undefined: an anonymous one); undefined when it is. */
  withheld(topic: string, account: Account | undefined): WithheldReason | undefined {
    const audience = this.#audience(topic)
    if (audience.for === 'everybody') return undefined
    if (audience.for === 'addressee') {
      const is = account !== undefined && (account === audience.publisher || account === audience.addressee)
      return is ? undefined : 'not-addressed'
    }
    if (account === undefined) return 'not-paid'
    if (account === audience.publisher) return undefined
    const until = audience.buyers?.get(account)?.until
    return until !== undefined && until > this.#grants.nowMs ? undefined : 'not-paid'
  }

  /** Whether everybody gets what is published on a topic. */
  isOpen(topic: string): boolean {
    return this.#audience(topic).for === 'everybody'
  }

  #audience(topic: string): Audience {
    // All copies of a message have one string for its topic, so this compares pointers.
    if (topic === this.#lastTopic && this.#lastVersion === this.#grants.version) return this.#last
    this.#last = this.#audienceOf(parseTopic(topic))
    this.#lastTopic = topic
    this.#lastVersion = this.#grants.version
    return this.#last
  }

  #audienceOf(parsed: ParsedTopic | undefined): Audience {
    // Outside the tree of accounts is what the broker itself says.
    if (parsed === undefined) return EVERYBODY
    const { network, kind, publisher, rest } = parsed
    const [level = ''] = rest
    const rules = KINDS[kind]
    if (!('readers' in rules)) return EVERYBODY
    if (rules.readers === 'addressee') return { for: 'addressee', publisher, addressee: level }
    return { for: 'payers', publisher, buyers: this.#grants.buyersOf(network, publisher, level) }
  }
}
