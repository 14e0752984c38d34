/** Chunks on their way at a time: 6 MiB, less than a session keeps of messages that wait. */
const WINDOW = 96;
/** Chunks asked for in one message, and how many have to be missing before the next one, so that not each costs a message. */
const BATCH = 32;
/** A chunk that has not come for so long, while no other came either, is asked for again. */
const PATIENCE_MS = 3_000;
export class Download {
    #chunks;
    /** Next chunk to give on. */
    #next;
    /** First that was never asked for. */
    #asked;
    #early = new Map();
    #movedMs;
    /** `have`: chunks that are there already. */
    constructor(chunks, have, nowMs) {
        this.#chunks = chunks;
        this.#next = have;
        this.#asked = have;
        this.#movedMs = nowMs;
    }
    get isDone() {
        return this.#next === this.#chunks;
    }
    /** When something last came, or was to come. */
    get movedMs() {
        return this.#movedMs;
    }
    /** What to ask for now. */
    ask(nowMs) {
        if (this.isDone)
            return [];
        if (nowMs - this.#movedMs >= PATIENCE_MS) {
            this.#movedMs = nowMs;
            return this.#missing();
        }
        const end = Math.min(this.#chunks, this.#next + WINDOW);
        if (end - this.#asked < BATCH && (end < this.#chunks || end === this.#asked))
            return [];
        const asked = { first: this.#asked, count: end - this.#asked };
        this.#asked = end;
        return split(asked);
    }
    /** Takes a chunk; those that are next in order, if it was missing. */
    take(index, bytes, nowMs) {
        if (index < this.#next || index >= this.#asked || this.#early.has(index))
            return [];
        this.#movedMs = nowMs;
        this.#early.set(index, bytes);
        const ready = [];
        for (let next = this.#early.get(this.#next); next !== undefined; next = this.#early.get(this.#next)) {
            this.#early.delete(this.#next++);
            ready.push(next);
        }
        return ready;
    }
    /** What was asked for and has not come. */
    #missing() {
        const gaps = [];
        for (let index = this.#next; index < this.#asked; index++) {
            if (this.#early.has(index))
                continue;
            const last = gaps.at(-1);
            if (last !== undefined && last.first + last.count === index)
                gaps[gaps.length - 1] = { first: last.first, count: last.count + 1 };
            else
                gaps.push({ first: index, count: 1 });
        }
        return gaps.flatMap(split);
    }
}
/** In messages of at most a batch. */
function split({ first, count }) {
    const parts = [];
    for (let done = 0; done < count; done += BATCH)
        parts.push({ first: first + done, count: Math.min(BATCH, count - done) });
    return parts;
}
//# sourceMappingURL=download.js.map