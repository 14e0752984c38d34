const EMPTY = new Uint8Array(32);
function countBytes(count) {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, count);
    return bytes;
}
/** Largest power of two below `count` (count > 1). */
function split(count) {
    let power = 1;
    while (power * 2 < count)
        power *= 2;
    return power;
}
function top(hashing, leaves, from, to) {
    const count = to - from;
    if (count === 0)
        return EMPTY;
    if (count === 1)
        return leaves[from];
    const middle = from + split(count);
    return hashing.tagged('node', top(hashing, leaves, from, middle), top(hashing, leaves, middle, to));
}
/** Root over leaf hashes (32 bytes each) in order. */
export function merkleRoot(hashing, leaves) {
    return hashing.tagged('root', countBytes(leaves.length), top(hashing, leaves, 0, leaves.length));
}
/** Sibling hashes from leaf `index` up to the top. */
export function merklePath(hashing, leaves, index) {
    const path = [];
    let from = 0;
    let to = leaves.length;
    while (to - from > 1) {
        const middle = from + split(to - from);
        if (index < middle) {
            path.unshift(top(hashing, leaves, middle, to));
            to = middle;
        }
        else {
            path.unshift(top(hashing, leaves, from, middle));
            from = middle;
        }
    }
    return path;
}
/** Whether `leaf` is number `index` of `count` under `root`. */
export function checkMerklePath(hashing, root, leaf, index, count, path) {
    // A larger count would wrap in `countBytes` and pass for a small one.
    if (!Number.isInteger(index) || index < 0 || index >= count || count > 0xffffffff)
        return false;
    const sides = [];
    let from = 0;
    let to = count;
    while (to - from > 1) {
        const middle = from + split(to - from);
        sides.unshift(index < middle ? 'right' : 'left');
        if (index < middle)
            to = middle;
        else
            from = middle;
    }
    if (sides.length !== path.length)
        return false;
    let node = leaf;
    for (const [level, side] of sides.entries()) {
        const sibling = path[level];
        node = side === 'right' ? hashing.tagged('node', node, sibling) : hashing.tagged('node', sibling, node);
    }
    const computed = hashing.tagged('root', countBytes(count), node);
    return computed.every((byte, at) => byte === root[at]);
}
//# sourceMappingURL=merkle.js.map