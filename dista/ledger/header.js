/**
 * Header rules: proof of work, the target that the parent demands, height and time.
 *
 * Cheap checks come first; a header is checked before its body is looked at. Source: docs/PROTOCOL.md section 4.
 */
import { header } from '../schemas/block.js';
import { encode } from '../schemas/codec.js';
import { hashFromBytes, toHex } from '../schemas/hex.js';
import { accept } from '../schemas/result.js';
import { nextTarget, workOf } from './difficulty.js';
import { faulty } from './fault.js';
/** How far a block's time may be ahead of the local clock, in intervals. */
export const FUTURE_INTERVALS_MAX = 9;
/** Block 0's place: its child has the same target. */
export const position0 = ({ block0, block0Hash, genesis }) => ({
    hash: block0Hash,
    height: 0,
    time: block0.time,
    target: genesis.target,
    childTarget: genesis.target,
    work: 0n,
});
/** Checks a header as child of `parent`; `nowMs` is the local clock. */
export function checkHeader(network, value, parent, nowMs) {
    const hash = network.hashing.double(encode(header, value));
    if (value.parent !== parent.hash)
        return faulty('unknown-parent', `parent: ${value.parent} is not ${parent.hash}`);
    if (value.height !== parent.height + 1)
        return faulty('bad-height', `height: expected ${parent.height + 1}, got ${value.height}`);
    if (value.target !== parent.childTarget) {
        return faulty('bad-target', `target: expected ${hex(parent.childTarget)}, got ${hex(value.target)}`);
    }
    const proof = BigInt(`0x${toHex(hash)}`);
    if (proof > value.target)
        return faulty('high-hash', `nonce: hash ${toHex(hash)} is above the target ${hex(value.target)}`);
    if (value.time <= parent.time)
        return faulty('time-too-old', `time: must be after the parent's ${parent.time}, got ${value.time}`);
    const latest = nowMs + FUTURE_INTERVALS_MAX * network.genesis.interval;
    if (value.time > latest) {
        return faulty('time-too-new', `time: ${value.time - nowMs} ms ahead of this clock, limit ${latest - nowMs}`);
    }
    return accept(place(network, hashFromBytes(hash), value, parent));
}
/** The place of a header that is known to be valid. */
export const place = (network, hash, value, parent) => ({
    hash,
    height: value.height,
    time: value.time,
    // The same number as the parent's, and so one BigInt instead of two for each of millions of blocks.
    target: parent.childTarget,
    childTarget: nextTarget(network.genesis, value.target, value.time - parent.time),
    work: parent.work + workOf(value.target),
});
const hex = (target) => target.toString(16).padStart(64, '0');
//# sourceMappingURL=header.js.map