/**
 * Who has paid for which topics, as the broker's own validators say, and what time it is.
 *
 * If validators differ, the longest grant counts: one that is behind, or was started again, must not take away what was paid for. What a
 * validator said stays until it is over, also when the validator has gone. Time is the later of this machine's clock and the newest
 * tip of a validator, so that a clock that stands in 1970 does not give for ever. Invariants: an entry's `until` is the longest in
 * `by`; `#said` names exactly the sensors in whose entries a validator stands. Source: docs/PROTOCOL.md section 7.
 */
import { decode } from '../schemas/codec.js';
import { GRANT_BYTES_MAX, grant } from '../schemas/grant.js';
import { MESSAGE_BYTES_MAX, tip } from '../schemas/message.js';
export class PaidGrants {
    #limits;
    #clock;
    /** By network, seller and sensor, then by buyer. */
    #topics = new Map();
    #said = new Map();
    #perValidator = new Map();
    #tips = new Map();
    #newestTip = 0;
    #expiredMs = 0;
    /** Changes with every change of what `buyersOf` gives. */
    version = 0;
    /** Entries of all topics. */
    size = 0;
    /** `clock`: milliseconds since 1970. */
    constructor(limits, clock) {
        this.#limits = limits;
        this.#clock = clock;
    }
    get nowMs() {
        return Math.max(this.#clock(), this.#newestTip);
    }
    /** Who has paid for a topic; some may be over. Good until `version` changes. */
    buyersOf(network, seller, sensor) {
        return this.#topics.get(topicKey(network, seller, sensor));
    }
    /** What may be published was published: only validators may publish grants and tips, so these are theirs. */
    hear(topic, payload) {
        if (topic.json)
            return undefined;
        if (topic.kind === 'tip')
            this.#hearTip(topic, payload);
        return topic.kind === 'grant' ? this.#hearGrant(topic, payload) : undefined;
    }
    /** What a pair may read: all of it, an empty payload for nothing. */
    #hearGrant(topic, payload) {
        const { network, publisher: validator, rest } = topic;
        const [seller = '', buyer = ''] = rest;
        const said = { network, validator, seller, buyer };
        if (payload.length === 0) {
            this.#replace(said, []);
            return undefined;
        }
        const decoded = decode(grant, payload, GRANT_BYTES_MAX);
        if (!decoded.ok || decoded.value.seller !== seller || decoded.value.buyer !== buyer)
            return 'bad-grant';
        const { sensors } = decoded.value;
        const before = this.#said.get(saidKey(said))?.sensors.length ?? 0;
        const count = (this.#perValidator.get(validator) ?? 0) - before + sensors.length;
        if (count > this.#limits.grantsPerValidatorMax)
            return 'grants-full';
        this.#replace(said, sensors);
        return undefined;
    }
    /** Where a validator's chain ends. */
    #hearTip({ network, publisher: validator }, payload) {
        const decoded = decode(tip, payload, MESSAGE_BYTES_MAX);
        if (!decoded.ok)
            return;
        this.#tips.set(`${network}/${validator}`, decoded.value.time);
        this.#newestTip = Math.max(...this.#tips.values());
    }
    /** Forgets what is over by the ledger's time; a clock of ours that is wrong may yet be put right. */
    expire() {
        if (this.#newestTip === this.#expiredMs)
            return;
        this.#expiredMs = this.#newestTip;
        for (const said of this.#said.values()) {
            const running = said.sensors.filter(({ until }) => until > this.#newestTip);
            if (running.length < said.sensors.length)
                this.#replace(said, running);
        }
    }
    #replace(said, sensors) {
        const { network, validator, seller, buyer } = said;
        const key = saidKey(said);
        const before = this.#said.get(key)?.sensors ?? [];
        for (const { sensor } of before)
            this.#take(topicKey(network, seller, sensor), buyer, validator);
        for (const { sensor, until } of sensors)
            this.#give(topicKey(network, seller, sensor), buyer, validator, until);
        if (sensors.length === 0)
            this.#said.delete(key);
        else
            this.#said.set(key, { network, validator, seller, buyer, sensors });
        const count = (this.#perValidator.get(validator) ?? 0) + sensors.length - before.length;
        this.#perValidator.set(validator, count);
        this.version++;
    }
    #give(topic, buyer, validator, until) {
        const buyers = this.#topics.get(topic) ?? new Map();
        const entry = buyers.get(buyer) ?? { by: new Map(), until: 0 };
        if (entry.by.size === 0)
            this.size++;
        entry.by.set(validator, Math.max(until, entry.by.get(validator) ?? 0));
        entry.until = Math.max(entry.until, until);
        buyers.set(buyer, entry);
        this.#topics.set(topic, buyers);
    }
    #take(topic, buyer, validator) {
        const buyers = this.#topics.get(topic);
        const entry = buyers?.get(buyer);
        if (buyers === undefined || entry === undefined)
            return;
        entry.by.delete(validator);
        entry.until = Math.max(0, ...entry.by.values());
        if (entry.by.size > 0)
            return;
        buyers.delete(buyer);
        this.size--;
        if (buyers.size === 0)
            this.#topics.delete(topic);
    }
}
const topicKey = (network, seller, sensor) => `${network}/${seller}/${sensor}`;
const saidKey = ({ network, validator, seller, buyer }) => `${network}/${validator}/${seller}/${buyer}`;
//# sourceMappingURL=paid-grants.js.map