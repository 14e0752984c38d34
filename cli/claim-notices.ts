/**
 * What is heard on `claim/`: the best proofs that payees, or whoever says so, have for their channels, and about which to ask next.
 *
 * Anybody may publish any notice on its own topics, about any channel. So a notice counts for its publisher's channels only, and junk
 * costs its publisher: each has a turn for each turn of another, those found to be payees apart from all others, and when there is
 * no more room, who was asked about in vain gives way.
 */
import type { Account, Hash } from '../schemas/hex.ts'
import type { ChannelProof } from '../schemas/transaction.ts'

/** Publishers, and channels of each, that are remembered; and of publishers only that they were asked about in vain. */
const PUBLISHERS_MAX = 1_000
const CHANNELS_MAX = 256
const VAIN_MAX = 10_000

export interface Notice {
  readonly publisher: Account
  readonly channel: Hash
  readonly proof: ChannelProof
}

/** By publisher and channel; who was asked about last comes last. */
type Queue = Map<Account, Map<Hash, ChannelProof>>

export class ClaimNotices {
  readonly #payees: Queue = new Map()
  readonly #others: Queue = new Map()
  readonly #vain = new Set<Account>()

  /** `proof`: undefined when its publisher takes it back. */
  hear(publisher: Account, channel: Hash, proof: ChannelProof | undefined): void {
    const held = this.#held(publisher)
    if (proof === undefined) this.#drop(publisher, channel)
    else if (held !== undefined) {
      if (held.size < CHANNELS_MAX || held.has(channel)) held.set(channel, proof)
    } else if (this.#hasRoom()) this.#others.set(publisher, new Map([[channel, proof]]))
  }

  /** Those to ask about now, `max` at most, each once. */
  next(max: number): readonly Notice[] {
    const queues = [this.#payees, this.#others]
    const turns = queues.map((queue) => byTurns(queue, max))
    const notices: Notice[] = []
    while (notices.length < max) {
      const round = turns.flatMap((turn) => turn.next().value ?? [])
      if (round.length === 0) break
      notices.push(...round.slice(0, max - notices.length))
    }
    for (const { publisher, channel, proof } of notices) {
      const held = this.#held(publisher)
      held?.delete(channel)
      held?.set(channel, proof)
      const queue = queues.find((each) => each.has(publisher))
      if (held === undefined || queue === undefined) continue
      queue.delete(publisher)
      queue.set(publisher, held)
    }
    return notices
  }

  /** What the ledger says: whether the channel is there and its publisher is the payee. */
  found({ publisher, channel }: Notice, isPayee: boolean): void {
    if (!isPayee) {
      this.#drop(publisher, channel)
      if (!this.#payees.has(publisher)) this.#vain.add(publisher)
      for (const oldest of this.#vain) {
        if (this.#vain.size <= VAIN_MAX) break
        this.#vain.delete(oldest)
      }
      return
    }
    this.#vain.delete(publisher)
    const held = this.#others.get(publisher)
    if (held === undefined) return
    this.#others.delete(publisher)
    this.#payees.set(publisher, held)
  }

  #held(publisher: Account): Map<Hash, ChannelProof> | undefined {
    return this.#payees.get(publisher) ?? this.#others.get(publisher)
  }

  #drop(publisher: Account, channel: Hash): void {
    const held = this.#held(publisher)
    held?.delete(channel)
    if (held?.size !== 0) return
    this.#payees.delete(publisher)
    this.#others.delete(publisher)
  }

  #hasRoom(): boolean {
    if (this.#payees.size + this.#others.size < PUBLISHERS_MAX) return true
    for (const other of this.#others.keys()) if (this.#vain.has(other)) return this.#others.delete(other)
    return false
  }
}

/** The first notice of each publisher, then the second of each, and so on. */
function* byTurns(queue: Queue, max: number): Generator<Notice, undefined> {
  const lists = [...queue]
    .slice(0, max)
    .map(([publisher, held]) => [...held].map(([channel, proof]) => ({ publisher, channel, proof })))
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  for (let index = 0; index < longest; index++)
    for (const list of lists) {
      const notice = list[index]
      if (notice !== undefined) yield notice
    }
  return undefined
}
