import { checkOffer } from '../ledger/offer.js';
import { QUALITY_SENSORS_MAX } from '../schemas/quality.js';
import { judge } from './plausibility.js';
import { ofBatch, ofSample, SeriesBook } from './series.js';
/** A device's opinion is told this often at most. */
export const TELL_MS = 60_000;
/** Devices that are judged in one go. */
const DEVICES_AT_ONCE = 8;
/** Devices whose offers are remembered; the one that was heard longest ago makes room. */
const OFFERS_MAX = 2_000;
/** An offer of one device is looked at this often at most: its signature costs some. */
const OFFER_MS = 1_000;
export class QualityBook {
    #network;
    #series;
    #offers = new Map();
    #told = new Map();
    /** Devices that have said something since they were judged. */
    #changed = new Set();
    constructor(network, seriesMax) {
        this.#network = network;
        this.#series = new SeriesBook(seriesMax);
    }
    /** What was told of each device and still stands: to be told again to a broker that may have forgotten. */
    get standing() {
        return [...this.#told.values()].flatMap(({ quality }) => (quality === undefined ? [] : [quality]));
    }
    /** Takes what blocks confirmed; what they take back stays, and is known when it comes again. */
    update({ connected }) {
        for (const { transactions, entry } of connected)
            for (const { transaction } of transactions)
                this.transaction(transaction, entry.height);
    }
    transaction(tx, height) {
        if (tx.type !== 'reading' && tx.type !== 'batch')
            return;
        const heard = tx.type === 'reading' ? ofSample(tx.sample) : ofBatch(tx);
        if (this.#series.take(tx.from, heard, height))
            this.#changed.add(tx.from);
    }
    /** Takes what stood on a device's offer topic; an empty one takes it back. `nowMs`: Unix milliseconds. */
    offer(publisher, bytes, nowMs) {
        if (bytes.length === 0) {
            this.#offers.delete(publisher);
            return;
        }
        const before = this.#offers.get(publisher);
        if (before !== undefined && Math.abs(nowMs - before.heardMs) < OFFER_MS)
            return;
        const checked = checkOffer(this.#network, bytes, publisher, nowMs);
        if (!checked.ok)
            return;
        const places = new Map();
        for (const { type, name, place } of checked.value.items)
            if (type === 'readings' || type === 'topic')
                places.set(name, placeOf(place));
        this.#offers.delete(publisher);
        this.#offers.set(publisher, { heardMs: nowMs, until: checked.value.until, places });
        for (const oldest of this.#offers.keys()) {
            if (this.#offers.size <= OFFERS_MAX)
                break;
            this.#offers.delete(oldest);
        }
    }
    /** New opinions, a few at a time: call again soon. `nowMs`: Unix milliseconds; `height`: of the tip. */
    due(nowMs, height) {
        const devices = [...this.#changed]
            .filter((device) => this.#isDue(device, nowMs))
            .slice(0, DEVICES_AT_ONCE);
        if (devices.length === 0)
            return [];
        const wanted = new Set(devices);
        const own = new Map();
        const byUnit = new Map();
        for (const series of this.#series.all()) {
            if (wanted.has(series.device))
                put(own, series.device, series);
            put(byUnit, series.unit, series);
        }
        return devices.flatMap((device) => {
            const quality = { device, height, sensors: this.#sensors(own.get(device) ?? [], byUnit, nowMs) };
            const before = this.#told.get(device)?.quality;
            const isNews = quality.sensors.length > 0 && keyOf(before) !== keyOf(quality);
            this.#changed.delete(device);
            this.#told.set(device, { atMs: nowMs, quality: isNews ? quality : before });
            return isNews ? [quality] : [];
        });
    }
    /** Devices of which no reading is remembered any more: what was told of them is taken back. */
    gone() {
        const there = new Set([...this.#series.all()].map(({ device }) => device));
        const gone = [...this.#told.keys()].filter((device) => !there.has(device));
        for (const device of gone) {
            this.#told.delete(device);
            this.#changed.delete(device);
        }
        return gone;
    }
    #isDue(device, nowMs) {
        const told = this.#told.get(device);
        return told === undefined || Math.abs(nowMs - told.atMs) >= TELL_MS;
    }
    #sensors(own, byUnit, nowMs) {
        const sorted = [...own].sort((a, b) => (a.sensor < b.sensor ? -1 : 1));
        return sorted.slice(0, QUALITY_SENSORS_MAX).map((series) => {
            const others = (byUnit.get(series.unit) ?? []).filter(({ device }) => device !== series.device);
            const place = this.#placeOf(series, nowMs);
            const neighbours = place === '' ? [] : others.filter((other) => this.#placeOf(other, nowMs) === place);
            return judge(series, { place, neighbours, others });
        });
    }
    #placeOf({ device, sensor }, nowMs) {
        const offered = this.#offers.get(device);
        return offered === undefined || offered.until <= nowMs ? '' : (offered.places.get(sensor) ?? '');
    }
}
/** Places are alike if they are written alike, but for case and spaces around. */
const placeOf = (text) => text.trim().toLowerCase();
/** What makes an opinion another one: not how many readings it rests on, nor the offset, which moves with each. */
const keyOf = (quality) => JSON.stringify(quality?.sensors.map(({ readings: _, offset: __, ...rest }) => rest) ?? []);
function put(map, key, value) {
    const list = map.get(key);
    if (list === undefined)
        map.set(key, [value]);
    else
        list.push(value);
}
//# sourceMappingURL=quality.js.map