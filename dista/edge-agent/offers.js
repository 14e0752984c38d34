/**
 * The offers of the sellers that an agent pays, as they stand on the broker: signed by the seller for this network, and not stale.
 *
 * An offer says what a seller asks for, not what it will do: where it is missing nothing may depend on it but waiting or a
 * warning. Anybody may publish under a seller's name on a broker of another make: what it did not sign is passed over.
 */
import { checkOffer, OFFER_AHEAD_MS_MAX } from '../ledger/offer.js';
import { decode } from '../schemas/codec.js';
import { OFFER_BYTES_MAX, offer as offerCodec, } from '../schemas/offer.js';
import { topic } from '../schemas/topic.js';
export class Offers {
    #desk;
    #sellersMax;
    #wanted = new Set();
    #offers = new Map();
    /** Each seller is a subscription, and a broker takes only so many of a client: 100, if it is of our make. */
    constructor(desk, sellersMax) {
        this.#desk = desk;
        this.#sellersMax = sellersMax;
    }
    /** Also these sellers' offers count from now on; the topics on which they come. */
    want(sellers) {
        for (const seller of sellers)
            if (this.#wanted.size < this.#sellersMax)
                this.#wanted.add(seller);
        return [...this.#wanted].map((seller) => topic(this.#desk.chain.network.id, 'offer', seller));
    }
    take({ kind, publisher, json }, payload) {
        if (kind !== 'offer' || json || !this.#wanted.has(publisher))
            return;
        // Empty: it was taken back, if only the seller can say so.
        if (payload.length === 0 && this.#desk.isGuarded)
            this.#offers.delete(publisher);
        const decoded = decode(offerCodec, payload, OFFER_BYTES_MAX);
        if (!decoded.ok)
            return;
        // Its time counts when it is used: by then a clock may have been put right.
        const checked = checkOffer(this.#desk.chain.network, payload, publisher, decoded.value.time);
        if (!checked.ok)
            return;
        const known = this.#offers.get(publisher);
        if (known === undefined || !this.#isGood(known) || checked.value.time >= known.time)
            this.#offers.set(publisher, checked.value);
    }
    /** What a seller offers now; undefined when nobody can say. */
    find(seller, kind, name) {
        const offer = this.#offers.get(seller);
        if (offer === undefined || !this.#isGood(offer))
            return undefined;
        return offer.items.find((item) => item.type === kind && item.name === name);
    }
    /** Neither stale nor of the future, by the ledger's time where this machine's is not known to be right. */
    #isGood({ time, until }) {
        const { clock, chain } = this.#desk;
        const nowMs = clock.synchronised() ? clock.now() : chain.tip.time;
        return nowMs < until && time - nowMs <= OFFER_AHEAD_MS_MAX;
    }
}
//# sourceMappingURL=offers.js.map