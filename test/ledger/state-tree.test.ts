import t from 'tap'
import {
  checkTreeProof,
  type Tree,
  treeEntries,
  treeGet,
  treeProof,
  treeRoot,
  treeSet,
} from '../../ledger/state-tree.ts'
import { hashing } from '../../node/signing.ts'
import { decode, encode } from '../../schemas/codec.ts'
import { fromHex, hashFromBytes, toHex, ZERO_HASH } from '../../schemas/hex.ts'
import {
  PROOF_BYTES_MAX,
  STATE_DEPTH_MAX,
  STATE_SIBLINGS_MAX,
  STATE_VALUE_BYTES_MAX,
  type StateProof,
  stateProof,
} from '../../schemas/proof.ts'
import { invariant } from '../../schemas/result.ts'
import { seeded } from '../helpers/ledger.ts'

const bitAt = (path: Uint8Array, depth: number) => ((path[depth >> 3] as number) >> (7 - (depth & 7))) & 1

/** The root as its definition says it, over the whole set. */
function naiveRoot(entries: readonly (readonly [Uint8Array, Uint8Array])[], depth = 0): Uint8Array {
  const [first] = entries
  if (first === undefined) return new Uint8Array(32)
  if (entries.length === 1) return hashing.tagged('stateLeaf', ...first)
  const side = (bit: number) =>
    naiveRoot(
      entries.filter(([path]) => bitAt(path, depth) === bit),
      depth + 1,
    )
  return hashing.tagged('stateNode', side(0), side(1))
}

const rootText = (tree: Tree) => toHex(treeRoot(hashing, tree))
const naiveText = (set: ReadonlyMap<string, Uint8Array>) =>
  toHex(naiveRoot([...set].map(([path, value]) => [fromHex(path), value] as const)))

for (const [title, pathOf] of [
  ['paths that are hashes', (index: number) => hashing.tagged('stateKey', Uint8Array.of(index))],
  // A grinder can make paths that share a long beginning; here they differ in the last or the first bits only.
  ['paths alike but for their last byte', (index: number) => new Uint8Array(32).fill(index, 31)],
  ['paths alike but for their first byte', (index: number) => new Uint8Array(32).fill(index, 0, 1)],
] as const) {
  t.test(`after any inserts, updates and removals the root is that of the set: ${title}`, async (t) => {
    for (let seed = 1; seed <= 4; seed++) {
      const random = seeded(seed)
      const set = new Map<string, Uint8Array>()
      let tree: Tree
      const wrong: string[] = []
      for (let step = 0; step < 150; step++) {
        const path = pathOf(Math.floor(random() * 24))
        const removes = random() < 0.45
        const value = removes ? undefined : Uint8Array.of(Math.floor(random() * 4))
        const before = tree
        const rootBefore = rootText(before)
        tree = treeSet(tree, path, value)
        if (value === undefined) set.delete(toHex(path))
        else set.set(toHex(path), value)
        if (rootText(tree) !== naiveText(set)) wrong.push(`seed ${seed} step ${step}: root`)
        if (rootText(before) !== rootBefore) wrong.push(`seed ${seed} step ${step}: the old tree changed`)
        const found = treeGet(tree, path)
        if (found !== value) wrong.push(`seed ${seed} step ${step}: get`)
      }
      const entries = [...treeEntries(tree)].map(({ path, value }) => [toHex(path), value] as const)
      t.strictSame(
        entries,
        [...set].sort(([a], [b]) => (a < b ? -1 : 1)),
        'entries come in path order',
      )
      t.strictSame(wrong, [])
      for (const path of set.keys()) tree = treeSet(tree, fromHex(path), undefined)
      t.equal(tree, undefined, 'with everything removed nothing is left')
    }
  })
}

t.test('the root does not depend on the order of inserts', async (t) => {
  const random = seeded(7)
  const entries = Array.from({ length: 64 }, (_, index) => hashing.tagged('stateKey', Uint8Array.of(index)))
  const roots = new Set<string>()
  for (let round = 0; round < 5; round++) {
    const shuffled = entries.map((path) => [random(), path] as const).sort(([a], [b]) => a - b)
    let tree: Tree
    for (const [, path] of shuffled) tree = treeSet(tree, path, path)
    roots.add(rootText(tree))
  }
  t.equal(roots.size, 1)
})

t.test('the empty root is 32 zero bytes; values and paths cannot be exchanged', async (t) => {
  t.equal(rootText(undefined), '0'.repeat(64))
  const [a, b] = [hashing.tagged('stateKey', Uint8Array.of(1)), hashing.tagged('stateKey', Uint8Array.of(2))]
  t.not(rootText(treeSet(undefined, a, b)), rootText(treeSet(undefined, b, a)))
  t.equal(treeGet(treeSet(undefined, a, b), b), undefined, 'a lone leaf answers for its own path only')
})

const keyPath = (index: number) => hashing.tagged('stateKey', Uint8Array.of(index >> 8, index & 255))
const treeOf = (paths: readonly Uint8Array[]): Tree =>
  paths.reduce<Tree>((tree, path, index) => treeSet(tree, path, Uint8Array.of(index & 255)), undefined)
const proofOf = (tree: Tree, path: Uint8Array): StateProof => {
  const proof = treeProof(hashing, tree, path)
  invariant(proof !== undefined, 'the proof is within its limits')
  return proof
}
/** The value that a proof shows, 'none', or 'refused'. */
const shown = (tree: Tree, path: Uint8Array, proof: StateProof) => {
  const proven = checkTreeProof(hashing, treeRoot(hashing, tree), path, proof)
  return proven === undefined ? 'refused' : (proven.value ?? 'none')
}
/** The path whose bits are zero but for these. */
const withBits = (...depths: readonly number[]): Uint8Array => {
  const path = new Uint8Array(32)
  for (const depth of depths) path[depth >> 3] = (path[depth >> 3] ?? 0) | (0x80 >> (depth & 7))
  return path
}

t.test('a proof shows each entry of a tree, and of each other path that it has none', async (t) => {
  for (const count of [0, 1, 2, 3, 8, 300]) {
    const paths = Array.from({ length: count }, (_, index) => keyPath(index))
    const tree = treeOf(paths)
    const wrong: string[] = []
    for (const path of [...paths, ...Array.from({ length: 40 }, (_, index) => keyPath(1000 + index))]) {
      const proof = proofOf(tree, path)
      if (shown(tree, path, proof) !== (treeGet(tree, path) ?? 'none')) wrong.push(toHex(path))
      const other = treeSet(tree, path, Uint8Array.of(1, 2))
      if (shown(other, path, proof) !== 'refused') wrong.push(`${toHex(path)} under another root`)
    }
    t.strictSame(wrong, [], `${count} entries`)
  }
})

t.test('absence is an empty side, or another entry that stands there', async (t) => {
  const tree = treeOf([withBits(0, 1, 2), withBits(0, 1)])
  t.match(proofOf(tree, withBits(0)), { siblings: { length: 1 }, leaf: [] })
  t.match(proofOf(tree, withBits(5)), { siblings: { length: 1 }, leaf: [] })
  const other = proofOf(tree, withBits(0, 1, 3))
  t.strictSame(other.leaf, [{ path: hashFromBytes(withBits(0, 1)), value: Uint8Array.of(1) }])
  t.equal(shown(tree, withBits(0, 1, 3), other), 'none')
  t.same(shown(tree, withBits(0, 1), other), Uint8Array.of(1), 'the same proof shows that entry')
})

t.test('no proof of absence is made from an entry that exists', async (t) => {
  const paths = Array.from({ length: 50 }, (_, index) => keyPath(index))
  const tree = treeOf(paths)
  const path = keyPath(7)
  const proof = proofOf(tree, path)
  t.equal(shown(tree, path, { ...proof, leaf: [] }), 'refused', 'the place said to be empty')
  for (const [, neighbour] of [...paths.entries()].filter(([index]) => index !== 7)) {
    const theirs = proofOf(tree, neighbour)
    t.equal(shown(tree, path, theirs), 'refused', "another entry's way")
    t.equal(shown(tree, path, { ...proof, leaf: theirs.leaf }), 'refused', 'another entry in its place')
  }
})

t.test('a proof that cuts a branch, or has a sibling too many, shows nothing', async (t) => {
  const tree = treeOf(Array.from({ length: 50 }, (_, index) => keyPath(index)))
  const path = keyPath(7)
  const proof = proofOf(tree, path)
  const deepest = withBits().subarray(0, 16)
  const depths = Array.from({ length: STATE_DEPTH_MAX }, (_, depth) => depth).filter(
    (depth) => bitAt(proof.siblingBits, depth) === 1,
  )
  const bits = withBits(...depths.slice(0, -1)).subarray(0, 16)
  const cut = { ...proof, siblingBits: bits, siblings: proof.siblings.slice(0, -1) }
  t.equal(shown(tree, path, cut), 'refused', 'cut below')
  t.equal(shown(tree, path, { ...cut, leaf: [] }), 'refused', 'cut below and said to be empty')
  const branch = { path: proof.siblings.at(-1) ?? ZERO_HASH, value: fromHex(proof.siblings.at(-1) ?? '') }
  t.equal(shown(tree, path, { ...cut, leaf: [branch] }), 'refused', 'a branch for a leaf')
  t.equal(shown(tree, path, { ...proof, siblingBits: deepest, siblings: [] }), 'refused', 'all cut')
  t.equal(shown(tree, path, { ...proof, siblings: [...proof.siblings, ZERO_HASH] }), 'refused', 'one more')
  t.equal(shown(tree, path, { ...proof, siblings: proof.siblings.slice(0, -1) }), 'refused', 'one less')
})

t.test(
  'a fact has one proof: a sibling without entries is not listed, one more stands nowhere',
  async (t) => {
    const tree = treeOf([withBits(2), withBits()])
    const proof = proofOf(tree, withBits())
    t.equal(proof.siblings.length, 1, 'two of three siblings are empty')
    const listed = { siblingBits: withBits(0, 2).subarray(0, 16), siblings: [ZERO_HASH, ...proof.siblings] }
    t.equal(shown(tree, withBits(), { ...proof, ...listed }), 'refused')
    t.equal(
      shown(tree, withBits(), { ...proof, siblings: [...proof.siblings, ...proof.siblings] }),
      'refused',
    )
  },
)

t.test('what does not fit a proof has none', async (t) => {
  const alike = (depth: number) => treeProof(hashing, treeOf([withBits(), withBits(depth)]), withBits())
  t.match(alike(STATE_DEPTH_MAX - 1), { siblings: { length: 1 } })
  t.equal(alike(STATE_DEPTH_MAX), undefined, 'paths too much alike')
  const crowd = (count: number) => {
    const paths = Array.from({ length: count }, (_, depth) => withBits(2 * depth))
    return treeProof(hashing, treeOf([withBits(), ...paths]), withBits())
  }
  const largest = crowd(STATE_SIBLINGS_MAX)
  t.equal(largest?.siblings.length, STATE_SIBLINGS_MAX)
  t.ok(largest !== undefined && encode(stateProof, largest).length < PROOF_BYTES_MAX)
  t.equal(crowd(STATE_SIBLINGS_MAX + 1), undefined, 'too many siblings')
  const valued = (bytes: number) =>
    treeProof(hashing, treeSet(undefined, withBits(), new Uint8Array(bytes)), withBits())
  t.not(valued(STATE_VALUE_BYTES_MAX), undefined)
  t.equal(valued(STATE_VALUE_BYTES_MAX + 1), undefined, 'too large a value')
})

t.test('with any byte changed a proof shows nothing', async (t) => {
  const tree = treeOf(Array.from({ length: 200 }, (_, index) => keyPath(index)))
  const random = seeded(11)
  for (const path of [keyPath(3), keyPath(5000)]) {
    const bytes = encode(stateProof, proofOf(tree, path))
    const shows: string[] = []
    for (let round = 0; round < 2000; round++) {
      const spoilt = bytes.slice()
      const at = Math.floor(random() * bytes.length)
      spoilt[at] = (spoilt[at] ?? 0) ^ (1 + Math.floor(random() * 255))
      const decoded = decode(stateProof, spoilt, PROOF_BYTES_MAX)
      if (decoded.ok && shown(tree, path, decoded.value) !== 'refused') shows.push(`byte ${at}`)
    }
    t.strictSame(shows, [])
  }
})
