import { jsonBytes } from '../node/ledger-node.js';
import { every } from '../node/timers.js';
import { block as blockCodec } from '../schemas/block.js';
import { Reader } from '../schemas/codec.js';
import { mirror, topic } from '../schemas/topic.js';
import { QualityBook } from './quality.js';
/** Blocks that a start looks back on. */
const LOOK_BACK_BLOCKS = 200;
/** New opinions are looked for this often. */
const OPINION_MS = 1_000;
export class Opinions {
    #modules;
    #book;
    #stop = () => { };
    constructor(modules) {
        this.#modules = modules;
        this.#book = new QualityBook(modules.chain.network);
    }
    start() {
        const { chain, timers } = this.#modules;
        const { tip, base, archive } = chain;
        const from = Math.max(base.height, tip.height - LOOK_BACK_BLOCKS);
        for (let height = from + 1; height <= tip.height; height++) {
            const entry = chain.at(height);
            if (entry === undefined)
                continue;
            for (const tx of blockCodec.read(new Reader(archive.block(entry.hash))).transactions)
                this.#book.transaction(tx, height);
        }
        this.#stop = every(timers, OPINION_MS, () => this.#say());
    }
    stop() {
        this.#stop();
    }
    /** Offers say where sensors are. */
    receive({ kind, publisher, json }, payload) {
        if (kind === 'offer' && !json)
            this.#book.offer(publisher, payload, this.#modules.now());
    }
    onUpdate(update) {
        this.#book.update(update);
    }
    /** Says everything again, to a broker that may have forgotten. */
    publishAll() {
        for (const quality of this.#book.standing)
            this.#publish(quality);
    }
    #say() {
        const { chain, inSync, now, onFatal } = this.#modules;
        try {
            if (!inSync())
                return;
            for (const quality of this.#book.due(now(), chain.tip.height))
                this.#publish(quality);
            for (const device of this.#book.gone())
                this.#publish({ device });
        }
        catch (error) {
            onFatal(error);
        }
    }
    /** Without sensors: what was said of the device is taken back. */
    #publish(value) {
        const { account, chain, retained } = this.#modules;
        const name = mirror(topic(chain.network.id, 'quality', account, value.device));
        const payload = value.sensors === undefined ? new Uint8Array(0) : jsonBytes(value);
        retained(name, () => [{ topic: name, payload, qos: 1 }]);
    }
}
//# sourceMappingURL=opinions.js.map