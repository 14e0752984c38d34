import { KINDS, parseTopic } from '../schemas/topic.js';
const EVERYBODY = { for: 'everybody' };
export class Readers {
    #grants;
    #lastTopic = '';
    #lastVersion = -1;
    #last = EVERYBODY;
    constructor(grants) {
        this.#grants = grants;
    }
    /** Why a message on `topic` is not for a session of `account` (undefined: an anonymous one); undefined when it is. */
    withheld(topic, account) {
        const audience = this.#audience(topic);
        if (audience.for === 'everybody')
            return undefined;
        if (audience.for === 'addressee') {
            const is = account !== undefined && (account === audience.publisher || account === audience.addressee);
            return is ? undefined : 'not-addressed';
        }
        if (account === undefined)
            return 'not-paid';
        if (account === audience.publisher)
            return undefined;
        const until = audience.buyers?.get(account)?.until;
        return until !== undefined && until > this.#grants.nowMs ? undefined : 'not-paid';
    }
    /** Whether everybody gets what is published on a topic. */
    isOpen(topic) {
        return this.#audience(topic).for === 'everybody';
    }
    #audience(topic) {
        // All copies of a message have one string for its topic, so this compares pointers.
        if (topic === this.#lastTopic && this.#lastVersion === this.#grants.version)
            return this.#last;
        this.#last = this.#audienceOf(parseTopic(topic));
        this.#lastTopic = topic;
        this.#lastVersion = this.#grants.version;
        return this.#last;
    }
    #audienceOf(parsed) {
        // Outside the tree of accounts is what the broker itself says.
        if (parsed === undefined)
            return EVERYBODY;
        const { network, kind, publisher, rest } = parsed;
        const [level = ''] = rest;
        const rules = KINDS[kind];
        if (!('readers' in rules))
            return EVERYBODY;
        if (rules.readers === 'addressee')
            return { for: 'addressee', publisher, addressee: level };
        return { for: 'payers', publisher, buyers: this.#grants.buyersOf(network, publisher, level) };
    }
}
//# sourceMappingURL=readers.js.map