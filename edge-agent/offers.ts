/**
 * The offers of the sellers that an agent pays, as they stand on the broker: signed by the seller for this network, and not stale.
 *
 * An offer says what a seller asks for, not what it will do: where it is missing nothing may depend on it but waiting or a
 * warning. Anybody may publish under a seller's name on a broker of another make: what it did not sign is passed over.
 */
import { checkOffer, OFFER_AHEAD_MS_MAX } from '../ledger/offer.ts'
import { decode } from '../schemas/codec.ts'
import type { Account } from '../schemas/hex.ts'
import {
  OFFER_BYTES_MAX,
  type Offer,
  type OfferItem,
  type OfferKind,
  offer as offerCodec,
} from '../schemas/offer.ts'
import { type ParsedTopic, topic } from '../schemas/topic.ts'
import type { Desk } from './trade.ts'

type OfferDesk = Pick<Desk, 'chain' | 'clock' | 'isGuarded'>

export class Offers {
  readonly #desk: OfferDesk
  readonly #sellersMax: number
  readonly #wanted = new Set<Account>()
  readonly #offers = new Map<Account, Offer>()

  /** Each seller is a subscription, and a broker takes only so many of a client: 100, if it is of our make. */
  constructor(desk: OfferDesk, sellersMax: number) {
    this.#desk = desk
    this.#sellersMax = sellersMax
  }

  /** Also these sellers' offers count from now on; the topics on which they come. */
  want(sellers: Iterable<Account>): string[] {
    for (const seller of sellers) if (this.#wanted.size < this.#sellersMax) this.#wanted.add(seller)
    return [...this.#wanted].map((seller) => topic(this.#desk.chain.network.id, 'offer', seller))
  }

  take({ kind, publisher, json }: ParsedTopic, payload: Uint8Array): void {
    if (kind !== 'offer' || json || !this.#wanted.has(publisher)) return
    // Empty: it was taken back, if only the seller can say so.
    if (payload.length === 0 && this.#desk.isGuarded) this.#offers.delete(publisher)
    const decoded = decode(offerCodec, payload, OFFER_BYTES_MAX)
    if (!decoded.ok) return
    // Its time counts when it is used: by then a clock may have been put right.
    const checked = checkOffer(this.#desk.chain.network, payload, publisher, decoded.value.time)
    if (!checked.ok) return
    const known = this.#offers.get(publisher)
    if (known === undefined || !this.#isGood(known) || checked.value.time >= known.time)
      this.#offers.set(publisher, checked.value)
  }

  /** What a seller offers now; undefined when nobody can say. */
  find<K extends OfferKind>(
    seller: Account,
    kind: K,
    name: string,
  ): Extract<OfferItem, { readonly type: K }> | undefined {
    const offer = this.#offers.get(seller)
    if (offer === undefined || !this.#isGood(offer)) return undefined
    return offer.items.find(
      (item): item is Extract<OfferItem, { readonly type: K }> => item.type === kind && item.name === name,
    )
  }

  /** Neither stale nor of the future, by the ledger's time where this machine's is not known to be right. */
  #isGood({ time, until }: Offer): boolean {
    const { clock, chain } = this.#desk
    const nowMs = clock.synchronised() ? clock.now() : chain.tip.time
    return nowMs < until && time - nowMs <= OFFER_AHEAD_MS_MAX
  }
}
