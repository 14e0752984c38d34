import { QUALITY_SENSORS_MAX } from '../schemas/quality.js';
import { decimalNumber } from '../schemas/units.js';
/** Transactions of one sensor that are remembered. */
export const WINDOW = 64;
/** Sensors that are remembered, some 8 KB each. */
export const SERIES_MAX = 2_000;
export const ofSample = ({ sensor, unit, sequence, time, synchronised, value }) => ({
    ...{ sensor, unit, sequence, count: 1, time, synchronised },
    value: decimalNumber(value),
    step: 10 ** value.exponent,
});
export const ofBatch = ({ sensor, unit, sequence, count, lastTime, synchronised }) => ({
    ...{ sensor, unit, sequence, count, time: lastTime, synchronised, value: undefined, step: 0 },
});
export class SeriesBook {
    /** In the order in which they were heard, the latest last. */
    #series = new Map();
    #perDevice = new Map();
    #max;
    constructor(max = SERIES_MAX) {
        this.#max = max;
    }
    get size() {
        return this.#series.size;
    }
    all() {
        return this.#series.values();
    }
    /** Adds a confirmed reading. False when it is known already, as after a reorganisation, or there is no room for the sensor. */
    take(device, heard, height) {
        const key = `${device} ${heard.sensor}`;
        let kept = this.#series.get(key);
        if (kept !== undefined && heard.sequence < kept.next) {
            if (heard.time <= kept.time)
                return false;
            // A device that lost its data counts from the start again.
            kept.next = heard.sequence;
        }
        if (kept?.unit !== heard.unit)
            kept = this.#fresh(key, device, heard);
        if (kept === undefined)
            return false;
        const { sequence, count, time, value, step, synchronised } = heard;
        kept.points.push({ height, value, step, count, missed: sequence - kept.next, synchronised });
        if (kept.points.length > WINDOW)
            kept.points.shift();
        kept.next = sequence + count;
        kept.time = time;
        this.#series.delete(key);
        this.#series.set(key, kept);
        return true;
    }
    #fresh(key, device, { sensor, unit, sequence }) {
        if (!this.#series.has(key)) {
            const own = this.#perDevice.get(device) ?? 0;
            if (own >= QUALITY_SENSORS_MAX)
                return undefined;
            this.#perDevice.set(device, own + 1);
            if (this.#series.size >= this.#max)
                this.#dropOldest();
        }
        return { device, sensor, unit, points: [], next: sequence, time: 0 };
    }
    #dropOldest() {
        for (const [key, { device }] of this.#series) {
            this.#series.delete(key);
            const left = (this.#perDevice.get(device) ?? 1) - 1;
            if (left === 0)
                this.#perDevice.delete(device);
            else
                this.#perDevice.set(device, left);
            return;
        }
    }
}
//# sourceMappingURL=series.js.map