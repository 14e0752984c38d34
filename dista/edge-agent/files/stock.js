/**
 * What has been made ready for buyers: a quote names the hash of the whole ciphertext, so a file is encrypted once before it is
 * quoted, without keeping what comes out. One file at a time; what was made ready is remembered as long as the file stays the same.
 */
import { createHash } from 'node:crypto';
import { sealChunk } from '../../node/file-cipher.js';
import { chunksOf } from '../../schemas/file-message.js';
import { hashFromBytes } from '../../schemas/hex.js';
import { ChangedError } from './shelf.js';
/** Files that wait to be made ready, and files and sales that are remembered. */
const JOBS_MAX = 16;
const CONTENTS_MAX = 64;
const PREPARED_MAX = 64;
export class Stock {
    #shelf;
    #keys;
    #contents = new Map();
    #prepared = new Map();
    #jobs = new Map();
    #running;
    #stopped = false;
    constructor(shelf, keys) {
        this.#shelf = shelf;
        this.#keys = keys;
    }
    /** What is ready for a buyer, if the file is still the same. */
    ready(buyer, { name, version }, price) {
        const found = this.#prepared.get(keyOf(buyer, name));
        return found?.content.version === version && found.price === price ? found : undefined;
    }
    /** Percent that is done of what is being made ready for a buyer; undefined: nothing is. */
    progress(buyer, name) {
        const job = this.#jobs.get(keyOf(buyer, name));
        if (job === undefined)
            return undefined;
        return Math.floor((100 * job.bytesDone) / Math.max(1, 2 * job.file.size));
    }
    /** Makes a file ready; false when too many wait. Only for what neither is ready nor being made. */
    prepare(buyer, file, price, onDone) {
        if (this.#jobs.size >= JOBS_MAX)
            return false;
        this.#jobs.set(keyOf(buyer, file.name), { buyer, file, price, onDone, bytesDone: 0 });
        this.#running ??= this.#run();
        return true;
    }
    /** Ends after the chunk that is being read. */
    async stop() {
        this.#stopped = true;
        await this.#running;
    }
    async #run() {
        for (const [key, job] of this.#jobs) {
            if (this.#stopped)
                break;
            let outcome;
            try {
                outcome = await this.#make(job);
                remember(this.#prepared, key, outcome, PREPARED_MAX);
            }
            catch (error) {
                if (!(error instanceof ChangedError))
                    throw error;
                outcome = error;
            }
            this.#jobs.delete(key);
            job.onDone(outcome);
        }
        this.#running = undefined;
    }
    async #make(job) {
        const { buyer, price } = job;
        const content = await this.#study(job);
        const file = this.#keys.fileOf(content.hash);
        const key = this.#keys.keyOf({ buyer, price, file });
        const digest = createHash('sha256');
        const last = chunksOf(content.size) - 1;
        for await (const { index, bytes } of this.#shelf.read(content)) {
            this.#goOn();
            digest.update(sealChunk(key, { index, last: index === last }, bytes));
            job.bytesDone += bytes.length;
        }
        const lock = hashFromBytes(this.#keys.sha256(key));
        return { buyer, price, content, file, key, lock, ciphertext: hashFromBytes(digest.digest()) };
    }
    async #study(job) {
        const { file } = job;
        const known = this.#contents.get(file.name);
        if (known?.version === file.version) {
            job.bytesDone += file.size;
            return known;
        }
        const content = await this.#shelf.study(file, (bytes) => {
            this.#goOn();
            job.bytesDone += bytes;
        });
        remember(this.#contents, file.name, content, CONTENTS_MAX);
        return content;
    }
    #goOn() {
        if (this.#stopped)
            throw new ChangedError('the agent stops');
    }
}
const keyOf = (buyer, name) => `${buyer} ${name}`;
/** The one remembered for longest makes room. */
function remember(map, key, value, max) {
    map.delete(key);
    map.set(key, value);
    if (map.size <= max)
        return;
    for (const oldest of map.keys()) {
        map.delete(oldest);
        break;
    }
}
//# sourceMappingURL=stock.js.map