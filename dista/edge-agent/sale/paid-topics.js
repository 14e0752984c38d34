/**
 * Sensors that are sold by the minute: their full rate goes to `paid/`, readable on a broker that keeps it to those who paid, and
 * sealed on any other, where who has paid asks for the keys on `key/`.
 *
 * Who has paid is what our own receipts say. A question that comes twice gets two answers, and only who asked can open either.
 */
import { TokenBucket } from '../../node/token-bucket.js';
import { readKeyMessage, signKeyMessage, TopicSeller } from '../../node/topic-keys.js';
import { topic } from '../../schemas/topic.js';
import { senml } from '../senml.js';
/** Answers: each costs two signatures and a key agreement, and anybody may ask on a broker without access rules. */
const ANSWERS = { perSecond: 20, burst: 60 };
export class PaidTopics {
    filters;
    #modules;
    #keys;
    #answers;
    constructor(modules) {
        const { chain, signer, clock } = modules.desk;
        this.#modules = modules;
        this.#keys = new TopicSeller(chain.network, signer);
        this.#answers = new TokenBucket(ANSWERS, clock.monotonic());
        this.filters = [topic(chain.network.id, 'key', '+', signer.account)];
    }
    onSample(sample) {
        const { desk, running, sold } = this.#modules;
        const terms = sold.get(sample.sensor);
        if (terms === undefined || !desk.connected)
            return;
        if (desk.isGuarded && terms.seal === 'auto')
            void desk.tellPeople('paid', [sample.sensor], senml(desk.signer.account, sample));
        else
            void desk.tell('paid', [sample.sensor], this.#keys.seal(sample, running.now()));
    }
    onMessage({ kind, publisher, rest, json }, payload, retain) {
        const { desk, running, sold, isKnown } = this.#modules;
        const { account } = desk.signer;
        if (kind !== 'key' || json || retain || rest[0] !== account || !isKnown())
            return;
        if (!this.#answers.take(desk.clock.monotonic()))
            return;
        const { network } = desk.chain;
        const read = readKeyMessage(network, publisher, account, payload);
        if (!read.ok || read.value.type !== 'ask')
            return;
        const { seller, buyer, sensor, publicKey } = read.value;
        const nowMs = running.now();
        const { remainingMs } = running.of({ kind: 'topic', name: sensor }, buyer);
        const deny = (code) => signKeyMessage(network, desk.signer, { type: 'denied', seller, buyer, sensor, publicKey, code });
        const answer = !sold.has(sensor)
            ? deny('not-for-sale')
            : remainingMs === 0
                ? deny('not-paid')
                : this.#keys.answer(read.value, nowMs, nowMs + remainingMs);
        if (answer !== undefined)
            void desk.tell('key', [buyer], answer);
    }
}
//# sourceMappingURL=paid-topics.js.map