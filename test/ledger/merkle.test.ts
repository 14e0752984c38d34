import t from 'tap'
import { checkMerklePath, merklePath, merkleRoot } from '../../ledger/merkle.ts'
import { hashing } from '../../node/signing.ts'
import { toHex } from '../../schemas/hex.ts'

const leaf = (index: number) => hashing.tagged('leaf', Uint8Array.of(index))
const leavesOf = (count: number) => Array.from({ length: count }, (_, index) => leaf(index))
const rootText = (leaves: Uint8Array[]) => toHex(merkleRoot(hashing, leaves))

t.test('every leaf of 1 to 33 has a path, which holds for its place and no other', async (t) => {
  const wrong: string[] = []
  for (let count = 1; count <= 33; count++) {
    const leaves = leavesOf(count)
    const root = merkleRoot(hashing, leaves)
    for (const [index, own] of leaves.entries()) {
      const path = merklePath(hashing, leaves, index)
      if (!checkMerklePath(hashing, root, own, index, count, path))
        wrong.push(`${index} of ${count}: refused`)
      for (let other = -1; other <= count; other++) {
        if (other !== index && checkMerklePath(hashing, root, own, other, count, path))
          wrong.push(`${index} of ${count}: accepted as ${other}`)
      }
      for (const other of [count - 1, count + 1, count * 2, 0]) {
        if (checkMerklePath(hashing, root, own, index, other, path))
          wrong.push(`${index} of ${count}: as of ${other}`)
      }
      if (checkMerklePath(hashing, root, leaf(200), index, count, path))
        wrong.push(`${index} of ${count}: other leaf`)
    }
  }
  t.strictSame(wrong, [])
})

t.test('a path with any byte changed, one sibling more, fewer or out of order is refused', async (t) => {
  for (const count of [2, 3, 7, 8, 33]) {
    const leaves = leavesOf(count)
    const root = merkleRoot(hashing, leaves)
    for (const index of [0, 1, count - 1]) {
      const own = leaf(index)
      const path = merklePath(hashing, leaves, index)
      const check = (changed: Uint8Array[], to = root) =>
        checkMerklePath(hashing, to, own, index, count, changed)
      t.equal(check(path), true, `${index} of ${count}`)
      const accepted = path.flatMap((sibling, level) =>
        Array.from(sibling, (_, at) => {
          const spoilt = path.map((bytes) => Uint8Array.from(bytes))
          const bytes = spoilt[level] as Uint8Array
          bytes[at] = (bytes[at] as number) ^ 1
          return check(spoilt)
        }).filter(Boolean),
      )
      t.strictSame(accepted, [])
      t.equal(check(path.slice(1)), false, 'one fewer')
      t.equal(check([...path, leaf(0)]), false, 'one more')
      if (path.length > 1) t.equal(check(path.toReversed()), false, 'out of order')
      for (let at = 0; at < 32; at++) {
        const spoilt = Uint8Array.from(root)
        spoilt[at] = (spoilt[at] as number) ^ 0x80
        if (check(path, spoilt)) t.fail(`root byte ${at} is not compared`)
      }
    }
  }
})

t.test('a count or index that is no whole 32-bit number is refused', async (t) => {
  const leaves = leavesOf(1)
  const root = merkleRoot(hashing, leaves)
  t.equal(checkMerklePath(hashing, root, leaf(0), 0, 1, []), true)
  for (const [index, count] of [
    [0, 2 ** 32 + 1],
    [0, Number.NaN],
    [Number.NaN, 1],
    [0.5, 1],
    [0, 0],
  ] as const) {
    const path = count > 2 ? Array.from({ length: 33 }, () => leaf(1)) : []
    t.equal(checkMerklePath(hashing, root, leaf(0), index, count, path), false, `${index} of ${count}`)
  }
})

t.test('CVE-2012-2459: repeating the last leaf or leaves changes the root', async (t) => {
  for (const count of [1, 2, 3, 5, 6, 7]) {
    const leaves = leavesOf(count)
    const roots = new Set([rootText(leaves)])
    for (let repeated = 1; repeated <= count; repeated++)
      roots.add(rootText([...leaves, ...leaves.slice(-repeated)]))
    t.equal(roots.size, count + 1, `${count} leaves`)
  }
})

t.test('a 64-byte transaction cannot stand in for two leaves, nor a subtree for a leaf', async (t) => {
  const [a, b, c] = [leaf(0), leaf(1), leaf(2)] as const
  const pair = new Uint8Array([...a, ...b])
  t.not(rootText([a, b]), rootText([hashing.tagged('leaf', pair)]))
  const node = hashing.tagged('node', a, b)
  t.not(rootText([a, b, c]), rootText([node, c]), 'the count is committed')
  t.not(rootText([a, b]), rootText([node]))
  t.equal(checkMerklePath(hashing, merkleRoot(hashing, [a, b, c]), node, 0, 2, [c]), false)
})

t.test('leaves are committed in their order, and no leaves have a root of their own', async (t) => {
  t.not(rootText(leavesOf(5)), rootText(leavesOf(5).toReversed()))
  t.not(rootText([]), rootText([new Uint8Array(32)]))
  t.equal(checkMerklePath(hashing, merkleRoot(hashing, []), new Uint8Array(32), 0, 0, []), false)
})
