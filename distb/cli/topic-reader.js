import { createKeyPair } from '../node/key-agreement.js';
import { askForKeys, openKeys, openReading, readKeyMessage } from '../node/topic-keys.js';
import { epochAt } from '../schemas/sealed.js';
import { mirror, topic } from '../schemas/topic.js';
import { decimalNumber } from '../schemas/units.js';
/** The next question for keys comes no sooner. */
const ASK_MS = 2_000;
/** And one for a key that is not needed yet: it is not given before it is paid for. */
const AHEAD_MS = 15_000;
/** Keys of epochs that are kept. */
const KEYS_MAX = 4;
export class TopicReader {
    #seller;
    #sensor;
    #modules;
    #keys = new Map();
    #pair;
    #askedMs = Number.NEGATIVE_INFINITY;
    constructor(seller, sensor, modules) {
        this.#seller = seller;
        this.#sensor = sensor;
        this.#modules = modules;
    }
    filters() {
        const { network, signer } = this.#modules;
        const paid = topic(network.id, 'paid', this.#seller, this.#sensor);
        return [paid, mirror(paid), topic(network.id, 'key', this.#seller, signer.account)];
    }
    take({ kind, publisher, rest, json }, payload) {
        if (publisher !== this.#seller)
            return;
        if (kind === 'key' && !json)
            this.#key(payload);
        if (kind !== 'paid' || rest[0] !== this.#sensor)
            return;
        if (json)
            this.#readable(payload);
        else
            this.#sealed(payload);
    }
    #readable(payload) {
        const reading = parseSenml(payload);
        if (reading?.sensor === this.#sensor)
            this.#modules.onReading(reading);
    }
    #sealed(payload) {
        const { network, onReading } = this.#modules;
        const opened = openReading(network, this.#seller, this.#sensor, payload, (epoch) => this.#keys.get(epoch));
        if (opened.ok) {
            const { sensor, value, unit, time } = opened.value;
            onReading({ sensor, value: decimalNumber(value), unit, time });
            // The next epoch's key is asked for before it is needed.
            if (!this.#keys.has(epochAt(time) + 1))
                this.#ask(AHEAD_MS);
        }
        else if (opened.fault.code === 'no-key')
            this.#ask(ASK_MS);
    }
    #ask(pauseMs) {
        const { network, signer, publish, nowMs } = this.#modules;
        if (nowMs() - this.#askedMs < pauseMs)
            return;
        this.#askedMs = nowMs();
        this.#pair = createKeyPair();
        const question = askForKeys(network, signer, this.#seller, this.#sensor, this.#pair);
        publish(topic(network.id, 'key', signer.account, this.#seller), question);
    }
    #key(payload) {
        const { network, signer, onDenied } = this.#modules;
        const read = readKeyMessage(network, this.#seller, signer.account, payload);
        if (!read.ok || read.value.type === 'ask' || read.value.sensor !== this.#sensor)
            return;
        if (read.value.type === 'denied') {
            onDenied(read.value.code);
            return;
        }
        const opened = this.#pair === undefined ? undefined : openKeys(network, read.value, this.#pair);
        if (opened?.ok !== true)
            return;
        for (const { epoch, key } of opened.value)
            this.#keys.set(epoch, key);
        for (const oldest of this.#keys.keys()) {
            if (this.#keys.size <= KEYS_MAX)
                break;
            this.#keys.delete(oldest);
        }
    }
}
/** Of SenML as agents publish it; undefined for anything else, since on a foreign broker it may be anybody's. */
export function parseSenml(payload) {
    try {
        const [record] = JSON.parse(new TextDecoder().decode(payload));
        const { n, u, v, t } = record ?? {};
        if (typeof n !== 'string' || typeof u !== 'string' || typeof v !== 'number' || typeof t !== 'number')
            return undefined;
        return { sensor: n, value: v, unit: u, time: t * 1000 };
    }
    catch {
        return undefined;
    }
}
//# sourceMappingURL=topic-reader.js.map