/**
 * Amounts are whole numbers of the smallest unit, 10^-8 coin, below 2^53, so that a JavaScript number, a JSON
 * reader and a double all see the same value. Sums are checked (CVE-2010-5139 was an unchecked one).
 */
export const COIN = 100_000_000;
/** Sum, or undefined when it would leave the exact range. */
export function addAmounts(left, right) {
    const sum = left + right;
    return Number.isSafeInteger(sum) ? sum : undefined;
}
/** Coins as text without rounding: 150000000 is "1.5". */
export function formatCoins(amount) {
    const sign = amount < 0 ? '-' : '';
    const magnitude = Math.abs(amount);
    const fraction = String(magnitude % COIN)
        .padStart(8, '0')
        .replace(/0+$/, '');
    return `${sign}${Math.floor(magnitude / COIN)}${fraction && `.${fraction}`}`;
}
/** Parses "1.5" coins into smallest units; undefined when it is not such text or has more than 8 places. */
export function parseCoins(text) {
    const match = /^(\d{1,8})(?:\.(\d{1,8}))?$/.exec(text);
    if (match === null)
        return undefined;
    const amount = Number(match[1]) * COIN + Number((match[2] ?? '').padEnd(8, '0'));
    return Number.isSafeInteger(amount) ? amount : undefined;
}
//# sourceMappingURL=amount.js.map