import { headerHash } from '../ledger/network.js';
import { every } from '../node/timers.js';
import { BLOCK_BYTES_MAX, block as blockCodec } from '../schemas/block.js';
import { decode } from '../schemas/codec.js';
import { GRANT_MS_MAX, grant } from '../schemas/grant.js';
import { mirror, topic } from '../schemas/topic.js';
import { withMirror } from './announcer.js';
import { GRANT_BOOK_LIMITS, GrantBook } from './grant-book.js';
/** A tenth of the time at most is spent on looking back. */
const LOOK_EVERY_MS = 100;
const LOOK_MS = 10;
/** Pairs that have nothing any more, and that a broker may still have something of: said again after a connect. */
const WITHDRAWN_MAX = 10_000;
const RECEIPT = Buffer.from('sold ');
const NOTHING = new Uint8Array(0);
export class GrantFeed {
    #modules;
    #book;
    #withdrawn = new Map();
    /** The next height to look at; 0: done. */
    #cursor = 0;
    #stop = () => { };
    constructor(modules) {
        this.#modules = modules;
        this.#book = new GrantBook(modules.limits ?? GRANT_BOOK_LIMITS);
    }
    /** Entries that run. */
    get size() {
        return this.#book.size;
    }
    /** Receipts that found no room since the start. */
    get dropped() {
        return this.#book.dropped;
    }
    /** Whether old blocks are still looked at. */
    get isLooking() {
        return this.#cursor > 0;
    }
    start() {
        this.#cursor = this.#modules.chain.tip.height;
        this.#look();
        if (!this.isLooking)
            return;
        this.#stop = every(this.#modules.timers, LOOK_EVERY_MS, () => {
            try {
                this.#look();
            }
            catch (error) {
                this.#modules.onFatal(error);
            }
        });
    }
    stop() {
        this.#stop();
    }
    onUpdate({ disconnected, connected, tip }) {
        for (const { block } of disconnected)
            this.#book.disconnect(block);
        for (const { block } of connected)
            this.#book.connect(block, block.header.time);
        if (connected.length > 0)
            this.#book.expire(tip.time);
        this.#tell();
    }
    /** Everything, to a broker that may know nothing. */
    publishAll() {
        for (const pair of this.#withdrawn.values())
            this.#publish(pair);
        for (const pair of this.#book.pairs)
            this.#publish(pair);
    }
    #tell() {
        for (const pair of this.#book.takeChanged()) {
            const key = `${pair.seller}/${pair.buyer}`;
            this.#withdrawn.delete(key);
            if (this.#book.sensors(pair).length === 0)
                this.#withdraw(key, pair);
            this.#publish(pair);
        }
    }
    #withdraw(key, pair) {
        this.#withdrawn.set(key, pair);
        if (this.#withdrawn.size <= WITHDRAWN_MAX)
            return;
        for (const oldest of this.#withdrawn.keys()) {
            this.#withdrawn.delete(oldest);
            break;
        }
    }
    #publish(pair) {
        const { chain, account, retained } = this.#modules;
        const { seller, buyer } = pair;
        const name = topic(chain.network.id, 'grant', account, seller, buyer);
        retained(name, () => {
            const sensors = this.#book.sensors(pair);
            if (sensors.length > 0)
                return withMirror(name, grant, { seller, buyer, height: chain.tip.height, sensors });
            return [name, mirror(name)].map((gone) => ({ topic: gone, payload: NOTHING, qos: 1 }));
        });
    }
    /** Looks at older blocks for a while. */
    #look() {
        const { monotonic, chain } = this.#modules;
        const untilMs = monotonic() + LOOK_MS;
        while (this.#cursor > 0 && monotonic() < untilMs)
            this.#cursor = this.#lookAt(this.#cursor);
        this.#tell();
        if (this.isLooking)
            return;
        this.#stop();
        this.#modules.log.debug('looked back for receipts', { grants: this.size, height: chain.tip.height });
    }
    /** Takes the receipts at a height; the next height to look at, 0 when there is none. */
    #lookAt(height) {
        const { chain } = this.#modules;
        // A reorganisation may have left a shorter chain.
        if (height > chain.tip.height)
            return chain.tip.height;
        const header = chain.header(height);
        if (header.time < chain.tip.time - GRANT_MS_MAX)
            return 0;
        const hash = chain.at(height)?.hash ?? headerHash(chain.network.hashing, header);
        const bytes = height > chain.base.height ? chain.archive.block(hash) : chain.archive.settled(height, hash);
        if (bytes === undefined)
            return 0;
        // Most blocks have none: those are not decoded.
        if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(RECEIPT)) {
            const decoded = decode(blockCodec, bytes, BLOCK_BYTES_MAX);
            if (decoded.ok)
                this.#book.connect(decoded.value, chain.tip.time);
        }
        return height - 1;
    }
}
//# sourceMappingURL=grant-feed.js.map