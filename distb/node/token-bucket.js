export class TokenBucket {
    #limit;
    #tokens;
    #atMs;
    /** `nowMs`: monotonic milliseconds, here and in `take`. */
    constructor(limit, nowMs) {
        this.#limit = limit;
        this.#tokens = limit.burst;
        this.#atMs = nowMs;
    }
    /** Takes a token; false when there is none. */
    take(nowMs) {
        const gained = (Math.max(0, nowMs - this.#atMs) / 1000) * this.#limit.perSecond;
        this.#tokens = Math.min(this.#limit.burst, this.#tokens + gained);
        this.#atMs = nowMs;
        if (this.#tokens < 1)
            return false;
        this.#tokens -= 1;
        return true;
    }
    /** Takes a token, and then 0; else the milliseconds, at least 1, after which there is one. */
    takeOrWaitMs(nowMs) {
        return this.take(nowMs) ? 0 : Math.max(1, Math.ceil(((1 - this.#tokens) / this.#limit.perSecond) * 1000));
    }
}
export class BucketPerKey {
    #limit;
    #keysMax;
    #buckets = new Map();
    constructor(limit, keysMax) {
        this.#limit = limit;
        this.#keysMax = keysMax;
    }
    take(key, nowMs) {
        return this.#bucket(key, nowMs).take(nowMs);
    }
    takeOrWaitMs(key, nowMs) {
        return this.#bucket(key, nowMs).takeOrWaitMs(nowMs);
    }
    #bucket(key, nowMs) {
        const bucket = this.#buckets.get(key) ?? new TokenBucket(this.#limit, nowMs);
        // A Map keeps the order of insertion: the first key is the one unused for longest.
        this.#buckets.delete(key);
        this.#buckets.set(key, bucket);
        if (this.#buckets.size > this.#keysMax) {
            for (const oldest of this.#buckets.keys()) {
                this.#buckets.delete(oldest);
                break;
            }
        }
        return bucket;
    }
}
//# sourceMappingURL=token-bucket.js.map