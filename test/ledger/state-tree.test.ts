import t from 'tap'
import { type Tree, treeEntries, treeGet, treeRoot, treeSet } from '../../ledger/state-tree.ts'
import { hashing } from '../../node/signing.ts'
import { fromHex, toHex } from '../../schemas/hex.ts'
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
