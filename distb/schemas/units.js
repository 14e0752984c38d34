/**
 * Measurement units: the symbols of RFC 8428 (SenML) section 12.1, and decimal numbers without floats.
 *
 * A value is `mantissa * 10^exponent`: 1 byte exponent (-12 to 12), 8 byte signed mantissa (within 2^53 - 1).
 * Its text keeps both: 1250 * 10^-2 is "12.50", 12 * 10^3 is "12e3".
 */
import { z } from 'zod';
import { CodecError } from './codec.js';
import { text } from './field.js';
/** Unit symbol as sent: 1 to 15 printable ASCII characters. Whether it is registered is the config's concern. */
export const unit = text(15, /^[!-~]+$/, '1 to 15 printable ASCII characters');
export const UNITS = [
    'm', 'kg', 'g', 's', 'A', 'K', 'cd', 'mol', 'Hz', 'rad', 'sr', 'N', 'Pa', 'J', 'W', 'C', 'V', 'F', 'Ohm', 'S',
    'Wb', 'T', 'H', 'Cel', 'lm', 'lx', 'Bq', 'Gy', 'Sv', 'kat', 'm2', 'm3', 'l', 'm/s', 'm/s2', 'm3/s', 'l/s', 'W/m2',
    'cd/m2', 'bit', 'bit/s', 'lat', 'lon', 'pH', 'dB', 'dBW', 'Bspl', 'count', '/', '%', '%RH', '%EL', 'EL', '1/s',
    '1/min', 'beat/min', 'beats', 'S/m', 'B', 'VA', 'VAs', 'var', 'vars', 'J/m', 'kg/m3', 'deg', 'NTU', 'B/s',
]; // biome-ignore format: a table of symbols reads better dense
const EXPONENT_MAX = 12;
const DECIMAL = /^(-?)(0|[1-9][0-9]*)(?:\.([0-9]{1,12})|e([1-9][0-9]?))?$/;
/** Text with exactly the decimal's digits; inverse of `parseDecimal`. */
export function formatDecimal({ mantissa, exponent }) {
    if (exponent > 0)
        return `${mantissa}e${exponent}`;
    if (exponent === 0)
        return String(mantissa);
    const digits = String(Math.abs(mantissa)).padStart(1 - exponent, '0');
    return `${mantissa < 0 ? '-' : ''}${digits.slice(0, exponent)}.${digits.slice(exponent)}`;
}
/** Parses "12.50", "-3", "12e3"; undefined when it is not such text or out of range. */
export function parseDecimal(input) {
    const match = DECIMAL.exec(input);
    if (match === null)
        return undefined;
    const [, sign = '', whole = '', fraction = '', power = '0'] = match;
    const magnitude = Number(whole + fraction);
    const exponent = fraction === '' ? Number(power) : -fraction.length;
    if (magnitude > Number.MAX_SAFE_INTEGER || exponent > EXPONENT_MAX)
        return undefined;
    if (magnitude === 0 && sign === '-')
        return undefined;
    return { mantissa: sign === '-' ? -magnitude : magnitude, exponent };
}
/** Nearest decimal with `places` digits after the point; throws when it does not fit 2^53 - 1. */
export function toDecimal(value, places) {
    const mantissa = Math.round(value * 10 ** places);
    if (!Number.isSafeInteger(mantissa))
        throw new CodecError(`value ${value} with ${places} places does not fit 2^53 - 1`);
    return { mantissa: mantissa === 0 ? 0 : mantissa, exponent: places === 0 ? 0 : -places };
}
export const decimalNumber = ({ mantissa, exponent }) => exponent < 0 ? mantissa / 10 ** -exponent : mantissa * 10 ** exponent;
export const decimal = {
    size: () => 9,
    write(writer, value) {
        if (!Number.isSafeInteger(value.mantissa))
            throw new CodecError('mantissa out of -(2^53 - 1) to 2^53 - 1');
        if (!Number.isInteger(value.exponent) || Math.abs(value.exponent) > EXPONENT_MAX) {
            throw new CodecError(`exponent out of -${EXPONENT_MAX} to ${EXPONENT_MAX}`);
        }
        writer.view.setInt8(writer.offset, value.exponent);
        writer.view.setBigInt64(writer.offset + 1, BigInt(value.mantissa));
        writer.offset += 9;
    },
    read(reader) {
        const at = reader.take(9);
        const exponent = reader.view.getInt8(at);
        const mantissa = Number(reader.view.getBigInt64(at + 1));
        if (Math.abs(exponent) > EXPONENT_MAX)
            throw new CodecError(`exponent ${exponent} out of -${EXPONENT_MAX} to ${EXPONENT_MAX}`);
        if (!Number.isSafeInteger(mantissa))
            throw new CodecError('mantissa out of -(2^53 - 1) to 2^53 - 1');
        return { mantissa, exponent };
    },
    toJson: formatDecimal,
    json: z.string().transform((input, context) => {
        const value = parseDecimal(input);
        if (value !== undefined)
            return value;
        context.addIssue({ code: 'custom', message: 'expected a decimal such as "12.50", "-3" or "12e3"' });
        return z.NEVER;
    }),
};
//# sourceMappingURL=units.js.map