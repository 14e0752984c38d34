/**
 * What an agent offers, from what its configuration sells: sensors by reading and by minute, outputs by minute, files.
 *
 * A price in the configuration is what makes an item; prices are smallest units here.
 */
import { OFFER_ITEMS_MAX } from '../schemas/offer.js';
/** In the order of the configuration; what is beyond the limit of an offer is left out. */
export function itemsOf({ sensors, outputs, files = [] }, factsOf) {
    const items = [
        ...sensors.flatMap((sensor) => sensorItems(sensor, factsOf)),
        ...outputs.flatMap(({ name, sell }) => sell === undefined
            ? []
            : [{ type: 'output', name, price: sell.perMinute, ...common(sell), ...minutes(sell) }]),
        ...files.map((file) => {
            const { name, price, bytes } = file;
            return { type: 'file', name, price, bytes, ...common(file) };
        }),
    ];
    return items.slice(0, OFFER_ITEMS_MAX);
}
function sensorItems({ name, intervalSeconds, sell }, factsOf) {
    if (sell === undefined)
        return [];
    const { perReading, perMinute, freeEverySeconds } = sell;
    const measured = { name, ...common(sell), ...factsOf(name), everyMs: ms(intervalSeconds ?? 0) };
    const items = [];
    if (perReading !== undefined)
        items.push({ type: 'readings', price: perReading, ...measured });
    if (perMinute !== undefined)
        items.push({
            type: 'topic',
            price: perMinute,
            ...measured,
            ...minutes(sell),
            freeEveryMs: ms(freeEverySeconds),
        });
    return items;
}
const common = ({ confirmations, place = '', terms = '' }) => ({ confirmations, place, terms });
const minutes = ({ secondsMin, secondsMax }) => ({ secondsMin, secondsMax });
const ms = (seconds) => Math.round(seconds * 1000);
//# sourceMappingURL=offer-items.js.map