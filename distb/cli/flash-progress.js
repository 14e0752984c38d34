/** How far flashing is: a line that moves on a terminal, a line for each tenth elsewhere, JSON with `--json`. */
import { bar, ProgressMeter } from '../node/sync-progress.js';
const REDRAW_MS = 200;
export class FlashProgress {
    #to;
    #json;
    #phase = 'checking';
    #of;
    #meter;
    #tenth = 0;
    #drawnMs = 0;
    constructor(to, json) {
        this.#to = to;
        this.#json = json;
    }
    /** `of`: bytes of this phase, undefined when the image does not say. */
    begin(phase, of) {
        this.end();
        this.#phase = phase;
        this.#of = of;
        this.#tenth = 0;
        this.#drawnMs = 0;
        this.#meter = new ProgressMeter(this.#to.nowMs());
        this.#meter.begin('bodies', of ?? 0, this.#to.nowMs());
    }
    count(bytes) {
        const nowMs = this.#to.nowMs();
        this.#meter?.count(bytes, nowMs);
        if (this.#isLive) {
            if (nowMs - this.#drawnMs < REDRAW_MS)
                return;
            this.#drawnMs = nowMs;
            this.#to.output.write(`\r${this.#line()}\x1b[K`);
            return;
        }
        const tenth = Math.floor((this.#done / (this.#of ?? Number.POSITIVE_INFINITY)) * 10);
        if (tenth <= this.#tenth)
            return;
        this.#tenth = tenth;
        if (this.#json)
            this.#to.print(`${JSON.stringify({ event: 'progress', phase: this.#phase, percent: tenth * 10 })}\n`);
        else
            this.#to.output.write(`${this.#line()}\n`);
    }
    /** Leaves the last state of a moving line on the screen. */
    end() {
        if (this.#meter !== undefined && this.#isLive)
            this.#to.output.write(`\r${this.#line()}\x1b[K\n`);
        this.#meter = undefined;
    }
    get #isLive() {
        return !this.#json && this.#to.output.isTTY === true;
    }
    get #done() {
        return this.#meter?.view(this.#to.nowMs()).done ?? 0;
    }
    /** `writing   ########............  40 %  1.1 of 2.8 GB  23.4 MB/s  72 s left` */
    #line() {
        const view = this.#meter?.view(this.#to.nowMs());
        if (view === undefined)
            return '';
        const { done, perSecond, secondsLeft } = view;
        const rate = perSecond > 0 ? `  ${(perSecond / 1e6).toFixed(1)} MB/s` : '';
        if (this.#of === undefined)
            return `${this.#phase.padEnd(9)} ${gigabytes(done)} GB${rate}`;
        const percent = Math.floor((done / Math.max(1, this.#of)) * 100);
        const left = secondsLeft === undefined || secondsLeft === 0 ? '' : `  ${secondsLeft.toFixed(0)} s left`;
        return `${this.#phase.padEnd(9)} ${bar(view)} ${String(percent).padStart(3)} %  ${gigabytes(done)} of ${gigabytes(this.#of)} GB${rate}${left}`;
    }
}
const gigabytes = (bytes) => (bytes / 1e9).toFixed(2);
//# sourceMappingURL=flash-progress.js.map