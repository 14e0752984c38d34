/**
 * What the rules of channels, hashlocks and splits forbid: transactions that are well signed, and must come to nothing.
 *
 * Each is forbidden on the chain that its sender has; in a later block a refund, say, may be due.
 */
import { CLAIM_STEPS_MAX } from '../ledger/channel.ts'
import { PARTS } from '../ledger/split.ts'
import type { ChannelEntry } from '../ledger/state.ts'
import { type Account, type Hash, hashFromBytes } from '../schemas/hex.ts'
import type { ChannelProof } from '../schemas/transaction.ts'
import { type Channel, type Lock, type Party, signedProof, type Wish } from './deals.ts'
import type { Place } from './trader.ts'

/** Most are about what somebody else has at stake; one split in so many. */
const SPLIT = 0.1

export class Mischief {
  readonly #party: Party

  constructor(party: Party) {
    this.#party = party
  }

  /** Undefined when there is nothing to abuse. */
  wish(place: Place): Wish | undefined {
    const random = this.#party.random
    if (random.chance(SPLIT)) return this.#split()
    const { channels, locks } = this.#party.deals
    const deal = random.pick([...channels, ...locks])
    if (deal === undefined) return undefined
    return 'secret' in deal ? this.#withLock(deal, place) : this.#withChannel(deal, place)
  }

  #withChannel(channel: Channel, place: Place): Wish | undefined {
    const { id, payer } = channel
    const entry = place.state.channel(id)
    const claim = (proof: ChannelProof): Wish => ({
      fill: (head) => ({ ...head, type: 'channelClaim', channel: id, proof }),
    })
    const close: Wish = { fill: (head) => ({ ...head, type: 'channelClose', channel: id }) }
    if (entry === undefined)
      return this.#party.random.pick([close, claim(signedProof(place.network, id, 1, payer))])
    if (this.#party.random.chance(0.3)) return this.#mayClose(entry, place.next.height) ? undefined : close
    const proof = this.#party.random.pick(this.#badProofs(channel, entry, place))
    return proof && claim(proof())
  }

  #mayClose(entry: ChannelEntry, height: number): boolean {
    const { account } = this.#party.signer
    if (account === entry.to || entry.closing <= height) return true
    return account === entry.from && height + entry.delay < entry.closing
  }

  #badProofs({ id, payer, words }: Channel, entry: ChannelEntry, { network }: Place): (() => ChannelProof)[] {
    const random = this.#party.random
    const { paid, amount, steps, step } = entry
    const own = this.#party.signer
    const signed = (least: number, most: number) => () =>
      signedProof(network, id, random.whole(least, most), payer)
    const list = [signed(amount + 1, amount + 1_000)]
    if (paid > 0) list.push(signed(paid, paid))
    if (paid > 1) list.push(signed(1, paid - 1))
    if (paid < amount && own.account !== entry.from)
      list.push(
        () => signedProof(network, id, random.whole(paid + 1, amount), own),
        () => signedProof(network, id, random.whole(paid + 1, amount), own, entry.from),
      )
    if (step > 0) {
      const next = Math.max(steps, Math.floor(paid / step)) + 1
      const guessed = () => ({ type: 'word', steps: next, word: hashFromBytes(random.bytes(32)) }) as const
      list.push(guessed, guessed)
      const far = words[steps + CLAIM_STEPS_MAX + 1]
      if (far !== undefined)
        list.push(() => ({ type: 'word', steps: steps + CLAIM_STEPS_MAX + 1, word: far }))
    }
    return list
  }

  #withLock({ id, secret }: Lock, { state, next }: Place): Wish {
    const entry = state.hashlock(id)
    const claim = (preimage: Hash): Wish => ({
      fill: (head) => ({ ...head, type: 'hashlockClaim', hashlock: id, preimage }),
    })
    const refund: Wish = { fill: (head) => ({ ...head, type: 'hashlockRefund', hashlock: id }) }
    if (entry === undefined) return this.#party.random.pick([claim(secret), refund])
    if (next.height >= entry.height && next.medianTime >= entry.time) return claim(secret)
    return this.#party.random.pick([claim(hashFromBytes(this.#party.random.bytes(32))), refund])
  }

  /** More than the whole, one account twice, or oneself. */
  #split(): Wish {
    const random = this.#party.random
    const { account: own } = this.#party.signer
    const [one, other] = random.some(this.#party.others(), 2) as [Account, Account]
    const shares = random.pick([
      [
        { account: one, parts: PARTS - 1 },
        { account: other, parts: 2 },
      ],
      [
        { account: one, parts: 1 },
        { account: one, parts: 1 },
      ],
      [{ account: own, parts: 1 }],
    ])
    return { fill: (head) => ({ ...head, type: 'split', shares }) }
  }
}
