/**
 * A payer's hash chain (PayWord): words of which each is the hash of the next, paid out one by one from the anchor on.
 *
 * `word(0)` is the anchor and stands in the channel; `word(n)` hashed n times is the anchor. The last word is the seed. Every
 * 1,024th word is kept and the words between two of them are worked out when the first is asked for, so that a
 * chain of 2^20 words takes some 64 KiB, and a step two hashes on average. Invariant: the hash is the ledger's `H(word, ...)`, here
 * from the state after its tag, since the same 64 bytes come first each time. Not reentrant (it reuses its buffers).
 * Source: docs/PROTOCOL.md section 3; Rivest and Shamir, "PayWord and MicroMint" (1996).
 */
import { TAGS } from '../../ledger/hashing.js';
import { fromHex, toHex } from '../../schemas/hex.js';
import { invariant } from '../../schemas/result.js';
import { compress, INITIAL } from '../compress.js';
import { hashing } from '../signing.js';
/** Words of one chain. */
export const CHAIN_STEPS_MAX = 2 ** 20;
/** Words between two that are kept. */
const SPACING = 1024;
/** Hashes after which a building chain lets others run, some 10 ms. */
const SLICE = 8_192;
const WORDS = 8;
/** SHA-256's state after `SHA256(tag) || SHA256(tag)`: FIPS 180-4 section 6.2.2. */
const MIDSTATE = (() => {
    const tag = wordOf(toHex(hashing.plain(new TextEncoder().encode(TAGS.word))));
    const state = INITIAL.slice();
    compress(state, Int32Array.from([...tag, ...tag]), 0);
    return state.map((each, index) => (each + INITIAL[index]) | 0);
})();
/** The second block: the word, then the padding of a message of 96 bytes. */
const block = new Int32Array(16);
block[8] = 0x80000000 | 0;
block[15] = 96 * 8;
const state = new Int32Array(WORDS);
/** Replaces a word by the one before it. */
function stepBack(word) {
    block.set(word);
    state.set(MIDSTATE);
    compress(state, block, 0);
    for (let index = 0; index < WORDS; index++)
        word[index] = (state[index] + MIDSTATE[index]) | 0;
}
function wordOf(hex) {
    const bytes = fromHex(hex);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Int32Array.from({ length: WORDS }, (_, index) => view.getInt32(4 * index));
}
function hexOf(word) {
    const bytes = new Uint8Array(4 * WORDS);
    const view = new DataView(bytes.buffer);
    for (const [index, each] of word.entries())
        view.setInt32(4 * index, each);
    return toHex(bytes);
}
/** The word that is `steps` before this one. */
export function wordBefore(word, steps) {
    const at = wordOf(word);
    for (let step = 0; step < steps; step++)
        stepBack(at);
    return hexOf(at);
}
/** Builds a chain of `steps` words from the 32 bytes of its last one; yields now and then, so that others can run. */
export function* buildWordChain(seed, steps) {
    invariant(steps >= 1 && steps <= CHAIN_STEPS_MAX, `a chain has 1 to ${CHAIN_STEPS_MAX} steps, not ${steps}`);
    invariant(seed.length === 32, 'a seed is 32 bytes');
    const last = wordOf(toHex(seed));
    /** Word number SPACING * index at `index`. */
    const kept = new Int32Array(WORDS * (Math.floor(steps / SPACING) + 1));
    const at = last.slice();
    for (let step = steps;; step--) {
        if (step % SPACING === 0)
            kept.set(at, (step / SPACING) * WORDS);
        if (step === 0)
            break;
        stepBack(at);
        if (step % SLICE === 0)
            yield;
    }
    /** The words above kept one number `section`, in order. */
    const words = new Int32Array(WORDS * SPACING);
    let section = -1;
    const open = (number) => {
        const from = number * SPACING;
        const to = Math.min(steps, from + SPACING);
        const top = to === steps ? last.slice() : kept.slice((to / SPACING) * WORDS, (to / SPACING + 1) * WORDS);
        for (let step = to; step > from; step--) {
            words.set(top, (step - from - 1) * WORDS);
            stepBack(top);
        }
        section = number;
    };
    return {
        anchor: hexOf(kept.subarray(0, WORDS)),
        steps,
        word(step) {
            invariant(step >= 0 && step <= steps, `word ${step} of a chain of ${steps}`);
            if (step % SPACING === 0)
                return hexOf(kept.subarray((step / SPACING) * WORDS, (step / SPACING + 1) * WORDS));
            const number = Math.floor(step / SPACING);
            if (number !== section)
                open(number);
            const from = (step - number * SPACING - 1) * WORDS;
            return hexOf(words.subarray(from, from + WORDS));
        },
    };
}
/** A chain in one go: up to a second for the longest. */
export function wordChain(seed, steps) {
    const building = buildWordChain(seed, steps);
    for (;;) {
        const { done, value } = building.next();
        if (done)
            return value;
    }
}
//# sourceMappingURL=words.js.map