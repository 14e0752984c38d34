/**
 * Keys and hashes as branded lowercase hex text: the form they have in memory, in topics and in JSON.
 *
 * Text compares with `===` and is a Map key; codecs turn it into the 32 bytes that are hashed and sent.
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
export const ZERO_HASH = '0'.repeat(64);
const hexText = (bytes) => z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `expected ${bytes * 2} lowercase hex digits (${bytes} bytes)`);
export const hashText = hexText(32).transform((text) => text);
export const accountText = hexText(32).transform((text) => text);
export const networkText = hexText(4).transform((text) => text);
/** The two digits of every byte, as ASCII codes. */
const DIGITS = Uint8Array.from({ length: 512 }, (_, at) => {
    const digit = at % 2 === 0 ? at >> 5 : (at >> 1) & 15;
    return digit + (digit < 10 ? 48 : 87);
});
const ascii = new TextDecoder('latin1');
/** In one piece: text that is joined digit by digit keeps its pieces, a kilobyte for each hash that is remembered. */
export function toHex(bytes) {
    const codes = new Uint8Array(2 * bytes.length);
    for (let at = 0; at < bytes.length; at++) {
        const byte = bytes[at];
        codes[2 * at] = DIGITS[2 * byte];
        codes[2 * at + 1] = DIGITS[2 * byte + 1];
    }
    return ascii.decode(codes);
}
export const fromHex = (text) => hexToBytes(text);
export const hashFromBytes = (bytes) => toHex(bytes);
export const accountFromBytes = (bytes) => toHex(bytes);
/** Short form for people's eyes only, never for comparison. */
export const short = (text) => text.slice(0, 8);
//# sourceMappingURL=hex.js.map