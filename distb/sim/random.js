/**
 * Random numbers that a seed decides: sfc32 (Chris Doty-Humphrey, PractRand), seeded with FNV-1a of a text.
 *
 * Each purpose forks a stream of its own by name, so that one more draw here changes nothing there: a trace from which
 * a fault was taken out stays comparable.
 */
export class Rng {
    #name;
    #a;
    #b;
    #c;
    #count = 1;
    constructor(name) {
        this.#name = name;
        this.#a = fnv1a(`${name}/a`);
        this.#b = fnv1a(`${name}/b`);
        this.#c = fnv1a(`${name}/c`);
        for (let round = 0; round < 12; round++)
            this.next();
    }
    fork(purpose) {
        return new Rng(`${this.#name}/${purpose}`);
    }
    /** Uniform, 0 <= x < 1, 32 bits. */
    next() {
        const sum = (this.#a + this.#b + this.#count) | 0;
        this.#count = (this.#count + 1) | 0;
        this.#a = this.#b ^ (this.#b >>> 9);
        this.#b = (this.#c + (this.#c << 3)) | 0;
        this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
        return (sum >>> 0) / 2 ** 32;
    }
    chance(probability) {
        return this.next() < probability;
    }
    /** A whole number from `low` to `high`, both included. */
    whole(low, high) {
        return low + Math.floor(this.next() * (high - low + 1));
    }
    between(low, high) {
        return low + this.next() * (high - low);
    }
    /** The waiting time for an event that happens once every `mean` in the mean. */
    exponential(mean) {
        return -mean * Math.log(1 - this.next());
    }
    pick(list) {
        return list[Math.floor(this.next() * list.length)];
    }
    /** So many different ones. */
    some(list, count) {
        const left = [...list];
        const picked = [];
        while (picked.length < count && left.length > 0)
            picked.push(...left.splice(Math.floor(this.next() * left.length), 1));
        return picked;
    }
    bytes(length) {
        return Uint8Array.from({ length }, () => Math.floor(this.next() * 256));
    }
}
function fnv1a(text) {
    let hash = 0x811c9dc5;
    for (let at = 0; at < text.length; at++)
        hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
    return hash;
}
//# sourceMappingURL=random.js.map