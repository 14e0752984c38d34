const SAMPLE_MS = 1_000;
const SAMPLES_MAX = 10;
export class ProgressMeter {
    #phase = 'headers';
    #of = 0;
    #done = 0;
    /** When and how much, oldest first, a second apart. */
    #samples;
    constructor(nowMs) {
        this.#samples = [{ atMs: nowMs, done: 0 }];
    }
    begin(phase, of, nowMs) {
        this.#phase = phase;
        this.#of = of;
        this.#done = 0;
        this.#samples = [{ atMs: nowMs, done: 0 }];
    }
    count(items, nowMs) {
        this.#done += items;
        if (this.#done > this.#of)
            this.#of = this.#done;
        if (nowMs - (this.#samples.at(-1)?.atMs ?? 0) < SAMPLE_MS)
            return;
        this.#samples.push({ atMs: nowMs, done: this.#done });
        if (this.#samples.length > SAMPLES_MAX)
            this.#samples.shift();
    }
    /** What was there already says nothing about the rate. */
    skip(items) {
        this.#done += items;
        this.#samples = this.#samples.map(({ atMs, done }) => ({ atMs, done: done + items }));
    }
    /** `bodiesPerSecond`: what an earlier catch-up reached, if there was one. */
    view(nowMs, bodiesPerSecond) {
        const [oldest = { atMs: nowMs, done: this.#done }] = this.#samples;
        const perSecond = ((this.#done - oldest.done) / Math.max(1, nowMs - oldest.atMs)) * 1000;
        const left = this.#of - this.#done;
        let secondsLeft = left === 0 ? 0 : perSecond > 0 ? left / perSecond : undefined;
        if (this.#phase === 'headers' && secondsLeft !== undefined)
            secondsLeft = bodiesPerSecond === undefined ? undefined : secondsLeft + this.#of / bodiesPerSecond;
        return { phase: this.#phase, done: this.#done, of: this.#of, perSecond, secondsLeft };
    }
}
const BAR_LENGTH = 20;
/** `######..............` */
export function bar({ done, of }) {
    const filled = of === 0 ? 0 : Math.floor((done / of) * BAR_LENGTH);
    return '#'.repeat(filled).padEnd(BAR_LENGTH, '.');
}
//# sourceMappingURL=sync-progress.js.map