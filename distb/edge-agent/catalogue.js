/**
 * The agent's offer on the broker: published at each connection, when it changes, and before it gets stale.
 *
 * An agent that stops takes it back; one that vanishes leaves it behind, and it is stale before long.
 */
import { signOffer } from '../ledger/offer.js';
import { within } from '../node/within.js';
import { clipText } from '../schemas/field.js';
import { OFFER_NAME_BYTES_MAX, offer as offerCodec } from '../schemas/offer.js';
/** How long an offer is good: also how long a price that is no longer asked can be shown to somebody. */
export const VALID_MS = 1_800_000;
/** A third of that, so that two renewals may fail. */
export const RENEW_MS = 600_000;
/** Changes are told no faster than this, a failed attempt is repeated as soon. */
const AGAIN_MS = 5_000;
/** How long taking it back may take. */
const WITHDRAW_MS_MAX = 1_000;
export class Catalogue {
    #desk;
    #name;
    #items;
    #published;
    #triedMs = Number.NEGATIVE_INFINITY;
    /** `items`: what is sold at the moment. */
    constructor(desk, name, items) {
        this.#desk = desk;
        this.#name = clipText(name, OFFER_NAME_BYTES_MAX);
        this.#items = items;
    }
    onConnected() {
        this.#published = undefined;
        this.#triedMs = Number.NEGATIVE_INFINITY;
        this.tick();
    }
    tick() {
        const { connected, clock } = this.#desk;
        if (!connected || clock.monotonic() - this.#triedMs < AGAIN_MS)
            return;
        const items = this.#items();
        const key = keyOf(items);
        const time = this.#now();
        if (this.#published !== undefined && this.#published.key === key) {
            const ageMs = time - this.#published.time;
            // A clock that was set back makes it an offer of the future.
            if (items.length === 0 || (ageMs >= 0 && ageMs < RENEW_MS))
                return;
        }
        this.#triedMs = clock.monotonic();
        void this.#publish(items, time).then((sent) => {
            if (sent)
                this.#published = { key, time };
        });
    }
    async stop() {
        if (this.#desk.connected && this.#published !== undefined)
            await within(WITHDRAW_MS_MAX, this.#publish([], 0));
    }
    /** Without items, takes back what may stand there from an earlier run. */
    async #publish(items, time) {
        const { signer, chain, tell, tellPeople } = this.#desk;
        if (items.length === 0) {
            const gone = [tell('offer', [], new Uint8Array(0), true), tellPeople('offer', [], undefined, true)];
            return (await Promise.all(gone)).every(Boolean);
        }
        const unsigned = { from: signer.account, time, until: time + VALID_MS, name: this.#name, items };
        const { offer, bytes } = signOffer(chain.network, unsigned, signer.sign);
        const sent = await tell('offer', [], bytes, true);
        return sent && (await tellPeople('offer', [], offerCodec.toJson(offer), true));
    }
    /** A Pi's clock may say 1970; the chain knows better. */
    #now() {
        const { clock, chain } = this.#desk;
        return clock.synchronised() ? clock.now() : Math.max(clock.now(), chain.tip.time);
    }
}
/** What makes an offer another one: not the count of readings, which grows with each. */
const keyOf = (items) => JSON.stringify(items.map((item) => ('count' in item ? { ...item, count: 0 } : item)));
//# sourceMappingURL=catalogue.js.map