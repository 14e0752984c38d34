import { accountText, short } from '../schemas/hex.js';
import { accept, refuse } from '../schemas/result.js';
const LISTED_MAX = 8;
const some = (texts) => texts.slice(0, LISTED_MAX).join(', ') + (texts.length > LISTED_MAX ? ', ...' : '');
const ACCOUNT_START = /^[0-9a-f]{8,64}$/;
/** Whether a seller is meant by its account, the start of it, or its name. Nobody can go by the name of a whole account. */
export const isMeant = ({ seller, name }, of) => accountText.safeParse(of).success
    ? seller === of
    : name === of || (ACCOUNT_START.test(of) && seller.startsWith(of));
/** The one listing that is wanted. Two sellers that fit are a fault: a name is nobody's own. */
export function pick(listings, { of, kind, item }) {
    const no = (code, message) => refuse({ code, message });
    const meant = listings.filter((listing) => isMeant(listing, of));
    if (meant.length === 0) {
        const sellers = [...new Set(listings.map(({ name, seller }) => `${name} (${short(seller)})`))];
        const there = sellers.length === 0 ? 'nobody offers anything' : `there are ${some(sellers)}`;
        return no('no-such-seller', `no good offer of ${of}: ${there}`);
    }
    const sellers = [...new Set(meant.map(({ seller }) => seller))];
    if (sellers.length > 1)
        return no('ambiguous', `${of} may be any of ${some(sellers)}: say which by account`);
    const found = meant.filter((listing) => listing.item.type === kind && listing.item.name === item);
    const [first] = found;
    if (first === undefined) {
        const items = [...new Set(meant.map(({ item: { type, name } }) => `${type} ${name}`))];
        return no('no-such-item', `${of} does not offer ${kind} ${item}: it offers ${some(items)}`);
    }
    const networks = [...new Set(found.map(({ network }) => network.id))];
    return networks.length > 1
        ? no('ambiguous', `${of} offers it on networks ${some(networks)}: say which by --network`)
        : accept(first);
}
export const SORTS = ['name', 'price', 'score'];
export function search(listings, query, sort = 'name') {
    const { words = [], unit, kind, of, maxPrice } = query;
    const found = listings.filter((listing) => {
        const { item } = listing;
        if (unit !== undefined && unitOf(item) !== unit)
            return false;
        if (kind !== undefined && item.type !== kind)
            return false;
        if (of !== undefined && !isMeant(listing, of))
            return false;
        if (maxPrice !== undefined && item.price > maxPrice)
            return false;
        const text = [listing.name, listing.seller, item.type, item.name, unitOf(item), item.place, item.terms]
            .join('\n')
            .toLowerCase();
        return words.every((word) => text.includes(word.toLowerCase()));
    });
    return found.sort((a, b) => ORDER[sort](a, b) || ORDER.name(a, b));
}
const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const ORDER = {
    name: (a, b) => compare(a.name, b.name) ||
        compare(a.seller, b.seller) ||
        compare(a.item.name, b.item.name) ||
        compare(a.item.type, b.item.type),
    /** A price for a reading and one for a minute cannot be compared, so kinds stay together. */
    price: (a, b) => compare(a.item.type, b.item.type) || a.item.price - b.item.price,
    /** The best first, then those that were compared with the most others; those without one last. */
    score: (a, b) => (b.score?.score ?? -1) - (a.score?.score ?? -1) ||
        (b.score?.neighbours ?? 0) - (a.score?.neighbours ?? 0),
};
export const unitOf = (item) => ('unit' in item ? item.unit : '');
/** The middle opinion, of two the lower: one validator alone cannot praise. */
export function median(scores) {
    const sorted = [...scores].sort((a, b) => a.score - b.score);
    return sorted[Math.floor((sorted.length - 1) / 2)];
}
//# sourceMappingURL=listings.js.map