import { BucketPerKey } from './token-bucket.js';
const RATES = {
    rejected: { perSecond: 1, burst: 20 },
    ignored: { perSecond: 20, burst: 400 },
};
const ACCOUNTS_MAX = 1_000;
export const MUTE_MS = 10_000;
export class Muting {
    #buckets = {
        rejected: new BucketPerKey(RATES.rejected, ACCOUNTS_MAX),
        ignored: new BucketPerKey(RATES.ignored, ACCOUNTS_MAX),
    };
    #untilMs = new Map();
    isMuted(publisher, nowMs) {
        return (this.#untilMs.get(publisher) ?? 0) > nowMs;
    }
    /** Counts a useless message; true when its publisher is muted from now on. */
    count(publisher, why, nowMs) {
        if (this.#buckets[why].take(publisher, nowMs))
            return false;
        if (this.#untilMs.size >= ACCOUNTS_MAX)
            this.#untilMs.clear();
        this.#untilMs.set(publisher, nowMs + MUTE_MS);
        return true;
    }
}
//# sourceMappingURL=muting.js.map