/**
 * An immutable binary tree over 32-byte paths whose root commits to every entry.
 *
 * The root of a set of entries depends on the set only: empty is 32 zero bytes, a single entry is its leaf
 * `H(state-leaf, path || value)`, more are `H(state-node, root of those with bit 0, root of those with bit 1)`.
 * An update copies the nodes on its path, so old roots stay valid and hashes are computed once, when asked for.
 * Source: docs/PROTOCOL.md section 5.
 */
import { fromHex, hashFromBytes, ZERO_HASH } from '../schemas/hex.js';
import { STATE_DEPTH_MAX, STATE_SIBLINGS_MAX, STATE_VALUE_BYTES_MAX, } from '../schemas/proof.js';
const EMPTY = new Uint8Array(32);
class Leaf {
    path;
    value;
    hash;
    constructor(path, value) {
        this.path = path;
        this.value = value;
    }
}
class Branch {
    zero;
    one;
    hash;
    constructor(zero, one) {
        this.zero = zero;
        this.one = one;
    }
}
const bit = (path, depth) => (path[depth >> 3] >> (7 - (depth & 7))) & 1;
function samePath(left, right) {
    for (let at = 0; at < 32; at++)
        if (left[at] !== right[at])
            return false;
    return true;
}
export function treeGet(tree, path) {
    let node = tree;
    for (let depth = 0; node instanceof Branch; depth++)
        node = bit(path, depth) === 0 ? node.zero : node.one;
    return node !== undefined && samePath(node.path, path) ? node.value : undefined;
}
/** The tree with `path` set to `value`, or without it when `value` is undefined. */
export function treeSet(tree, path, value, depth = 0) {
    if (tree instanceof Branch) {
        const side = bit(path, depth);
        const zero = side === 0 ? treeSet(tree.zero, path, value, depth + 1) : tree.zero;
        const one = side === 1 ? treeSet(tree.one, path, value, depth + 1) : tree.one;
        return join(zero, one);
    }
    if (tree === undefined || samePath(tree.path, path))
        return value === undefined ? undefined : new Leaf(path, value);
    return value === undefined ? tree : fork(tree, new Leaf(path, value), depth);
}
/** A branch has more than one entry below it: a lone leaf rises, which keeps the root a function of the set. */
function join(zero, one) {
    if (zero === undefined && !(one instanceof Branch))
        return one;
    if (one === undefined && !(zero instanceof Branch))
        return zero;
    return new Branch(zero, one);
}
function fork(old, added, depth) {
    const side = bit(added.path, depth);
    if (bit(old.path, depth) === side) {
        const deeper = fork(old, added, depth + 1);
        return side === 0 ? new Branch(deeper, undefined) : new Branch(undefined, deeper);
    }
    return side === 0 ? new Branch(added, old) : new Branch(old, added);
}
export function treeRoot(hashing, tree) {
    if (tree === undefined)
        return EMPTY;
    if (tree.hash === undefined) {
        tree.hash =
            tree instanceof Leaf
                ? hashing.tagged('stateLeaf', tree.path, tree.value)
                : hashing.tagged('stateNode', treeRoot(hashing, tree.zero), treeRoot(hashing, tree.one));
    }
    return tree.hash;
}
export function* treeEntries(tree) {
    if (tree === undefined)
        return;
    if (tree instanceof Leaf) {
        yield tree;
        return;
    }
    yield* treeEntries(tree.zero);
    yield* treeEntries(tree.one);
}
/**
 * Shows which entry, if any, is where `path` ends. Undefined when that lies deeper, or has more siblings or a larger
 * value, than a proof holds; somebody has then spent some 2^45 hashes on a path.
 */
export function treeProof(hashing, tree, path) {
    const siblingBits = new Uint8Array(STATE_DEPTH_MAX / 8);
    const siblings = [];
    let node = tree;
    for (let depth = 0; node instanceof Branch; depth++) {
        const [next, sibling] = bit(path, depth) === 0 ? [node.zero, node.one] : [node.one, node.zero];
        node = next;
        if (sibling === undefined)
            continue;
        if (depth >= STATE_DEPTH_MAX || siblings.length >= STATE_SIBLINGS_MAX)
            return undefined;
        siblingBits[depth >> 3] = siblingBits[depth >> 3] | (0x80 >> (depth & 7));
        siblings.push(treeRoot(hashing, sibling));
    }
    if (node !== undefined && node.value.length > STATE_VALUE_BYTES_MAX)
        return undefined;
    const leaf = node === undefined ? [] : [{ path: hashFromBytes(node.path), value: node.value }];
    return { siblingBits, siblings: siblings.map(hashFromBytes), leaf };
}
/**
 * What `proof` shows of `path` in the state with `root`; undefined when it shows nothing. The way up follows the bits of
 * the path asked for, and a leaf's hash contains its own, so an entry that is elsewhere cannot stand here.
 */
export function checkTreeProof(hashing, root, path, { siblingBits, siblings, leaf: [leaf] }) {
    let depth = 0;
    for (let at = 0; at < STATE_DEPTH_MAX; at++)
        if (bit(siblingBits, at) === 1)
            depth = at + 1;
    const rest = [...siblings];
    let node = leaf === undefined ? EMPTY : hashing.tagged('stateLeaf', fromHex(leaf.path), leaf.value);
    while (depth-- > 0) {
        const sibling = bit(siblingBits, depth) === 1 ? rest.pop() : ZERO_HASH;
        if (sibling === undefined)
            return undefined;
        const other = fromHex(sibling);
        node =
            bit(path, depth) === 0
                ? hashing.tagged('stateNode', node, other)
                : hashing.tagged('stateNode', other, node);
    }
    // Zero stands for no entries, which has no bit: with both there were two proofs of one fact.
    if (rest.length > 0 || siblings.includes(ZERO_HASH))
        return undefined;
    if (!samePath(node, root))
        return undefined;
    return { value: leaf !== undefined && samePath(fromHex(leaf.path), path) ? leaf.value : undefined };
}
//# sourceMappingURL=state-tree.js.map