import { list, struct, union } from './compound.js';
import { account, fixed, freeText, name, network, time, u8, u32, u64 } from './field.js';
import { unit } from './units.js';
/** No offer is larger: so many largest items, and the head. */
export const OFFER_BYTES_MAX = 16_384;
export const OFFER_ITEMS_MAX = 64;
/** UTF-8 bytes of the seller's terms, and of the place where an item is. */
export const TERMS_BYTES_MAX = 80;
export const PLACE_BYTES_MAX = 48;
export const OFFER_NAME_BYTES_MAX = 64;
/** What every item has. */
const common = {
    /** The sensor, output or file. */
    name,
    /** Smallest units: for a reading, a minute or the whole file. */
    price: u64,
    /** Blocks, the payment's own counted, before the seller acts on it. */
    confirmations: u8,
    /** Where it is, in words; readings of one place and unit are compared. Empty: nobody says. */
    place: freeText(PLACE_BYTES_MAX),
    /** What the seller wants to have said. */
    terms: freeText(TERMS_BYTES_MAX),
};
/** What a sensor says. */
const measured = {
    unit,
    /** Milliseconds between two readings; 0: at no fixed rate. */
    everyMs: u32,
    /** Readings that the sensor has made so far. */
    count: u64,
};
/** How long can be bought at once. */
const timed = { secondsMin: u32, secondsMax: u32 };
export const offerItem = union({
    /** One for one through a channel; the price is for a reading. */
    readings: { number: 1, codec: struct({ ...common, ...measured }) },
    /** The sensor's paid topic, by the minute. */
    topic: {
        number: 2,
        codec: struct({
            ...common,
            ...measured,
            ...timed,
            /** Milliseconds between two readings that everybody may have; 0: none. */
            freeEveryMs: u32,
        }),
    },
    /** A relay or LED, on by the minute. */
    output: { number: 3, codec: struct({ ...common, ...timed }) },
    /** A file, for as often as it is bought. */
    file: {
        number: 4,
        codec: struct({
            ...common,
            /** Its size. */
            bytes: u64,
        }),
    },
});
export const OFFER_KINDS = ['readings', 'topic', 'output', 'file'];
export const offer = struct({
    /** First bytes of the genesis hash; the signature is over all of it. */
    network,
    /** The seller. */
    from: account,
    /** When it was made, by the seller's clock, and from when on it is stale. */
    time,
    until: time,
    /** The seller in words. */
    name: freeText(OFFER_NAME_BYTES_MAX),
    items: list(offerItem, OFFER_ITEMS_MAX),
    signature: fixed(64),
});
//# sourceMappingURL=offer.js.map