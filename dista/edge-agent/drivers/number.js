/** A number out of text that some file or program wrote. */
import { z } from 'zod';
import { parseDecimal, toDecimal } from '../../schemas/units.js';
export const numberFields = {
    /** Regular expression (`^` and `$` match at lines) whose first group, or whole match, is the number. */
    pattern: z
        .string()
        .min(1)
        .max(200)
        .optional()
        .refine((text) => text === undefined || isPattern(text), 'expected a regular expression'),
    /** The number is multiplied by it. */
    scale: z
        .number()
        .refine((scale) => scale !== 0, 'expected another number than 0')
        .default(1),
};
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
/** Digits that a scaled number keeps: fewer than a float has, so that 0.1 * 3 is 0.3. */
const DIGITS = 12;
const PLACES_MAX = 12;
/** The number in `text`, which the caller bounds. Throws an Error that says what was there instead. */
export function findNumber(text, { pattern, scale }) {
    const found = pattern === undefined ? text.trim() : matched(text, pattern);
    if (!NUMBER.test(found))
        throw new Error(`expected a number, found "${found.slice(0, 60)}"`);
    // Digits that are there are kept, such as those of 21.50.
    const exact = scale === 1 ? parseDecimal(found) : undefined;
    const value = exact ?? nearestDecimal(Number(found) * scale);
    if (value === undefined)
        throw new Error(`${found.slice(0, 60)} times ${scale} is too large`);
    return value;
}
function matched(text, pattern) {
    const match = new RegExp(pattern, 'm').exec(text);
    if (match === null)
        throw new Error(`nothing matches ${pattern} in "${text.trim().slice(0, 60)}"`);
    return (match[1] ?? match[0]).trim();
}
/** With as few places as keep its digits; undefined when it does not fit 2^53 - 1. */
export function nearestDecimal(value) {
    const rounded = Number(value.toPrecision(DIGITS));
    if (!Number.isSafeInteger(Math.round(rounded)))
        return undefined;
    let places = 0;
    while (places < PLACES_MAX &&
        Number(rounded.toFixed(places)) !== rounded &&
        Number.isSafeInteger(Math.round(rounded * 10 ** (places + 1))))
        places++;
    return toDecimal(rounded, places);
}
function isPattern(text) {
    try {
        new RegExp(text, 'm');
        return true;
    }
    catch {
        return false; // The answer: it is none.
    }
}
//# sourceMappingURL=number.js.map