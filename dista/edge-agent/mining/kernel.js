/**
 * The miner's heart: searches a range of nonces for a header whose double SHA-256 is not above the target.
 *
 * A header (schemas/block.ts) is two SHA-256 blocks. The first is hashed once per job (midstate). The nonce's last 24
 * bits lie in word 12 of the second, so the rounds over words 0 to 11 are done once per 2^24 nonces, and a candidate
 * costs 52 + 64 rounds. Almost all fail on the top 32 bits of the hash; only then are the other words computed.
 * A function of its inputs; not reentrant (it reuses its buffers), so each thread has its own.
 */
import { compress, firstTwelve, INITIAL, ROUNDS_AHEAD } from '../../node/compress.js';
import { invariant } from '../../schemas/result.js';
/** As in schemas/block.ts (a test holds them equal): importing it would load all codecs and zod into each thread. */
export const HEADER_BYTES = 115;
export const HEADER_NONCE_OFFSET = 107;
const BLOCK_BYTES = 64;
const LOW_VALUES = 2 ** 24;
const HIGH_VALUES = 2 ** 40;
const NONCE_MASK = (1n << 64n) - 1n;
/** The 1 bit that ends a message, right after the nonce's last byte in word 12 (FIPS 180-4 section 5.1.1). */
const PADDING = 0x80;
/** The target as 8 words, most significant first. Range: 0 to 2^256 - 1. */
export function targetWords(target) {
    invariant(target >= 0n && target >> 256n === 0n, 'a target is an unsigned 256-bit integer');
    return Uint32Array.from({ length: 8 }, (_, word) => Number((target >> BigInt(32 * (7 - word))) & 0xffffffffn));
}
/** Copy of `header` with `nonce` in its place. */
export function withNonce(header, nonce) {
    const copy = header.slice();
    new DataView(copy.buffer).setBigUint64(HEADER_NONCE_OFFSET, nonce);
    return copy;
}
export function createKernel() {
    const ahead = new Int32Array(8);
    const state = new Int32Array(8);
    const tail = new Int32Array(16);
    const digest = new Int32Array(16);
    digest[8] = 0x80000000;
    digest[15] = 256;
    /** Copies the tail and does the rounds that do not depend on the nonce's low 24 bits. */
    function advance(work, high) {
        tail.set(work.tail);
        tail[10] = work.tail[10] | Math.floor(high / 2 ** 32);
        tail[11] = high;
        ahead.set(work.midstate);
        firstTwelve(ahead, tail);
    }
    return {
        prepare(header) {
            invariant(header.length === HEADER_BYTES, 'a header has 115 bytes');
            const padded = new Uint8Array(2 * BLOCK_BYTES);
            padded.set(header);
            padded.fill(0, HEADER_NONCE_OFFSET);
            padded[HEADER_BYTES] = PADDING;
            const view = new DataView(padded.buffer);
            view.setUint32(2 * BLOCK_BYTES - 4, HEADER_BYTES * 8);
            const words = Int32Array.from({ length: 32 }, (_, word) => view.getInt32(4 * word));
            const midstate = INITIAL.slice();
            compress(midstate, words, 0);
            for (let i = 0; i < 8; i++)
                midstate[i] = midstate[i] + INITIAL[i];
            return { midstate, tail: words.slice(16) };
        },
        scan(work, target, nonceStart, count) {
            const { midstate } = work;
            const top = target[0];
            let high = Number(nonceStart >> 24n);
            let low = Number(nonceStart & 0xffffffn);
            advance(work, high);
            for (let done = 0; done < count; done++) {
                if (low === LOW_VALUES) {
                    low = 0;
                    high = (high + 1) % HIGH_VALUES;
                    advance(work, high);
                }
                tail[12] = (low << 8) | PADDING;
                state.set(ahead);
                compress(state, tail, ROUNDS_AHEAD);
                for (let i = 0; i < 8; i++)
                    digest[i] = state[i] + midstate[i];
                state.set(INITIAL);
                compress(state, digest, 0);
                if ((state[0] + INITIAL[0]) >>> 0 <= top && meets(state, target)) {
                    return (nonceStart + BigInt(done)) & NONCE_MASK;
                }
                low++;
            }
            return undefined;
        },
    };
}
/** Whether the hash whose state before the final addition is `state` is not above the target. */
function meets(state, target) {
    for (let i = 0; i < 8; i++) {
        const word = (state[i] + INITIAL[i]) >>> 0;
        if (word !== target[i])
            return word < target[i];
    }
    return true;
}
//# sourceMappingURL=kernel.js.map