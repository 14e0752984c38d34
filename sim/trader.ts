/**
 * What a simulated device trades: it opens channels, claims on them and closes them, makes hashlocks, opens them and takes
 * them back, and shares what it earns. All of this is allowed on its own chain at that moment; whether it still is when a
 * block has it is for the ledger to say.
 */
import type { Chain } from '../ledger/chain.ts'
import { CLAIM_STEPS_MAX } from '../ledger/channel.ts'
import { PARTS } from '../ledger/split.ts'
import type { ChannelEntry } from '../ledger/state.ts'
import { fromHex, type Hash, hashFromBytes, ZERO_HASH } from '../schemas/hex.ts'
import { type ChannelProof, SHARES_MAX } from '../schemas/transaction.ts'
import { type Channel, type Lock, type Party, signedProof, type Wish } from './deals.ts'

/** What a device knows of the ledger. */
export type Place = Pick<Chain, 'network' | 'state' | 'next'>

/** Steps of a hash chain; now and then more than one claim may be above the one before. */
const STEPS = [12, 40] as const
const STEPS_MANY = CLAIM_STEPS_MAX + 100
const MANY = 0.1
/** Share of its trades that begin something, although something is going on. */
const BEGINS = 0.3
/** Blocks, and intervals, from a hashlock to its deadline. */
const DEADLINE = [4, 60] as const
/** A channel takes at most this part of a balance. */
const PART = 20
/** As `until`: no height from which anybody may close the channel. */
const NEVER = 2 ** 32 - 1

export class Trader {
  readonly #party: Party

  constructor(party: Party) {
    this.#party = party
  }

  /** One of the things that it may do now: with its own deals, with somebody else's, or something new. */
  wish(place: Place): Wish | undefined {
    const random = this.#party.random
    const { account } = this.#party.signer
    const { channels, locks } = this.#party.deals
    const [channel, lock] = [random.pick(channels), random.pick(locks)]
    const going = [
      ...channels
        .filter((each) => each === channel || each.to === account || each.payer.account === account)
        .flatMap((each) => this.#withChannel(each, place)),
      ...locks
        .filter((each) => each === lock || each.to === account || each.from === account)
        .flatMap((each) => this.#withLock(each, place)),
    ]
    if (going.length > 0 && !random.chance(BEGINS)) return random.pick(going)()
    return random.pick([() => this.#open(place), () => this.#lock(place), () => this.#split()])()
  }

  #amount({ state }: Place): number {
    return this.#party.random.whole(0, Math.floor(state.account(this.#party.signer.account).balance / PART))
  }

  #open({ network, state, next }: Place): Wish | undefined {
    const random = this.#party.random
    const amount = this.#amount({ network, state, next })
    if (amount === 0) return undefined
    const words = random.chance(0.6) ? this.#words(network.hashing) : []
    const steps = words.length - 1
    const step = steps > 0 ? Math.ceil(amount / random.whole(Math.ceil(0.9 * steps), steps)) : 0
    const to = random.pick(this.#party.others())
    const delay = random.whole(1, 12)
    const until = random.chance(0.3) ? next.height + random.whole(5, 60) : NEVER
    const anchor = words[0] ?? ZERO_HASH
    return {
      fill: (head) => ({ ...head, type: 'channelOpen', to, amount, delay, until, anchor, step, memo: '' }),
      made: (id) => this.#party.deals.addChannel({ id, payer: this.#party.signer, to, words }),
    }
  }

  /** A hash chain from its anchor up. */
  #words(hashing: Place['network']['hashing']): Hash[] {
    const random = this.#party.random
    const steps = random.chance(MANY) ? STEPS_MANY : random.whole(...STEPS)
    let word = random.bytes(32)
    const words = [hashFromBytes(word)]
    for (let step = 0; step < steps; step++) {
      word = hashing.tagged('word', word)
      words.push(hashFromBytes(word))
    }
    return words.reverse()
  }

  #withChannel(channel: Channel, place: Place): (() => Wish | undefined)[] {
    const entry = place.state.channel(channel.id)
    if (entry === undefined) return []
    const { height } = place.next
    const { account } = this.#party.signer
    const wishes: (() => Wish | undefined)[] = []
    const mayClose = account === entry.to || entry.closing <= height
    const mayWish = account === entry.from && height + entry.delay < entry.closing
    if (entry.paid < entry.amount) wishes.push(() => this.#claim(channel, entry, place))
    if (mayClose || mayWish)
      wishes.push(() => ({ fill: (head) => ({ ...head, type: 'channelClose', channel: channel.id }) }))
    return wishes
  }

  #claim(channel: Channel, entry: ChannelEntry, { network }: Place): Wish | undefined {
    const random = this.#party.random
    const proof =
      channel.words.length > 0 && random.chance(0.7)
        ? this.#wordProof(channel, entry)
        : signedProof(
            network,
            channel.id,
            random.chance(0.3) ? entry.amount : random.whole(entry.paid + 1, entry.amount),
            channel.payer,
          )
    return proof && { fill: (head) => ({ ...head, type: 'channelClaim', channel: channel.id, proof }) }
  }

  #wordProof({ words }: Channel, { paid, amount, step, steps }: ChannelEntry): ChannelProof | undefined {
    const least = Math.max(steps, Math.floor(paid / step)) + 1
    const most = Math.min(words.length - 1, Math.floor(amount / step), steps + CLAIM_STEPS_MAX)
    if (least > most) return undefined
    const count = this.#party.random.whole(least, most)
    return { type: 'word', steps: count, word: words[count] as Hash }
  }

  #lock(place: Place): Wish | undefined {
    const random = this.#party.random
    const { network, next } = place
    const amount = this.#amount(place)
    if (amount === 0) return undefined
    const secret = hashFromBytes(random.bytes(32))
    const lock = hashFromBytes(network.hashing.plain(fromHex(secret)))
    const to = random.pick(this.#party.others())
    const height = next.height + random.whole(...DEADLINE)
    const time = next.medianTime + random.whole(...DEADLINE) * network.genesis.interval
    const { account: from } = this.#party.signer
    return {
      fill: (head) => ({ ...head, type: 'hashlock', to, amount, lock, height, time, memo: '' }),
      made: (id) => this.#party.deals.addLock({ id, from, to, secret }),
    }
  }

  #withLock({ id, secret }: Lock, { state, next }: Place): (() => Wish)[] {
    const entry = state.hashlock(id)
    if (entry === undefined) return []
    const isPast = next.height >= entry.height && next.medianTime >= entry.time
    if (isPast) return [() => ({ fill: (head) => ({ ...head, type: 'hashlockRefund', hashlock: id }) })]
    return [() => ({ fill: (head) => ({ ...head, type: 'hashlockClaim', hashlock: id, preimage: secret }) })]
  }

  #split(): Wish {
    const random = this.#party.random
    const { account } = this.#party.signer
    const others = this.#party.others().filter((other) => other !== account)
    const count = random.whole(0, SHARES_MAX)
    let left = PARTS
    const shares = random.some(others, count).map((other, index) => {
      const parts = random.whole(1, left - (count - 1 - index))
      left -= parts
      return { account: other, parts }
    })
    return { fill: (head) => ({ ...head, type: 'split', shares }) }
  }
}
