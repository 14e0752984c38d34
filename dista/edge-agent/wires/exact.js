/** Places kept: a reading has up to 12 after the point, a number of a configuration up to as many. */
const PLACES = 12;
const power = (exponent) => 10n ** BigInt(exponent);
/** A value in 10^-12. */
export const scaled = ({ mantissa, exponent }) => BigInt(mantissa) * power(exponent + PLACES);
/** A number of a configuration in 10^-12; undefined when it has more than 12 places after the point or is beyond 10^15. */
export function scaledNumber(value) {
    if (!Number.isFinite(value) || Math.abs(value) > 1e15)
        return undefined;
    const [digits = '', exponent = '0'] = String(value).split('e');
    const [whole = '', fraction = ''] = digits.split('.');
    const places = PLACES + Number(exponent) - fraction.length;
    return places < 0 ? undefined : BigInt(whole + fraction) * power(places);
}
/** `amount` for each unit of a value: rounded down, never negative, at most `most`. */
export function perUnit(amount, most, value) {
    if (value.mantissa <= 0)
        return 0;
    const product = (BigInt(amount) * scaled(value)) / power(PLACES);
    return product > BigInt(most) ? most : Number(product);
}
//# sourceMappingURL=exact.js.map