export class SimClock {
    #scheduler;
    #startMs;
    #offsetMs = 0;
    #drift = 0;
    #setMs = 0;
    #poweredMs;
    #trusted = true;
    /** `startMs`: what the true clock says when the simulation begins. */
    constructor(scheduler, startMs) {
        this.#scheduler = scheduler;
        this.#startMs = startMs;
    }
    now = () => {
        const { nowMs } = this.#scheduler;
        if (this.#poweredMs !== undefined)
            return Math.floor(nowMs - this.#poweredMs);
        return Math.floor(this.#startMs + nowMs + this.#offsetMs + this.#drift * (nowMs - this.#setMs));
    };
    monotonic = () => this.#scheduler.nowMs;
    synchronised = () => this.#trusted;
    /** Whether it is within `toleranceMs` of the true time, and known to be. */
    isRight(toleranceMs) {
        return this.#trusted && Math.abs(this.now() - this.#startMs - this.#scheduler.nowMs) <= toleranceMs;
    }
    /** Set to the true time plus `offsetMs`, running fast or slow by `drift` (1e-5: 10 ppm); the machine believes in it. */
    set(offsetMs, drift) {
        this.#offsetMs = offsetMs;
        this.#drift = drift;
        this.#setMs = this.#scheduler.nowMs;
        this.#poweredMs = undefined;
        this.#trusted = true;
    }
    /** Power came back to a machine without a battery clock: 1970, and it knows that it does not know. */
    powerOn() {
        this.#poweredMs = this.#scheduler.nowMs;
        this.#trusted = false;
    }
}
//# sourceMappingURL=clock.js.map