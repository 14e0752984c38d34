import t, { type Test } from 'tap'
import { ChainStore } from '../../node/chain-store.ts'
import { repair } from '../../node/repair.ts'
import { segmentHeights } from '../../node/segments.ts'
import { longChain, SMALL, storeOf, tell } from '../helpers/long-chain.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'

const long = longChain(1_300)
const { chain } = long.test
const whole = new MemoryDisk()
storeOf(whole, long).close()

const damaged = (name: string, at: number, from = whole): MemoryDisk => {
  const disk = from.after()
  const bytes = Uint8Array.from(disk.files.get(name) ?? [])
  bytes[at] = (bytes[at] ?? 0) ^ 1
  disk.files.set(name, bytes)
  return disk
}

/** Repairs, and tells the rest of the chain to what is left; nothing may be lost from the disk on the way. */
function mended(t: Test, disk: MemoryDisk) {
  const before = [...disk.files.values()].map(({ length }) => length).sort()
  const outcome = repair(disk, 'now')
  const kept = [...disk.files.values()].map(({ length }) => length)
  t.ok(
    before.every((length) => kept.includes(length) || length < 60_000),
    'no block was deleted',
  )
  if (outcome.height === undefined) return outcome
  const store = new ChainStore(disk, undefined, SMALL)
  t.equal(store.chain.tip.height, outcome.height)
  for (let height = outcome.height + 1; height <= 1_300; height++)
    tell(store, [long.test.archive.block(chain.at(height)?.hash as never)])
  t.equal(store.chain.state.root(), chain.state.root(), 'the rest is fetched again')
  t.strictSame(store.chain.headersAfter([], 2_000), chain.headersAfter([], 2_000))
  store.close()
  return outcome
}

t.test('what is whole stays as it is', (t) => {
  const disk = whole.after()
  t.strictSame(repair(disk, 'now'), { steps: [], height: 1_300 })
  t.strictSame([...disk.files.keys()].sort(), [...whole.files.keys()].sort())
  t.end()
})

t.test('damage in the window: what comes before it stays, the rest is moved aside', (t) => {
  const disk = damaged('chain-0000001024.log', 100_000)
  const { height, steps } = mended(t, disk)
  t.equal(height, 1_024)
  t.match(steps[0], /^chain-0000001024.log was moved to chain-0000001024.log.damaged-now: record \d+/)
  t.match(steps.join(), /blocks above height 1024 are fetched again/)
  t.match(steps.join(), /headers.log was moved/)
  t.end()
})

t.test('damage below the window costs old blocks only', (t) => {
  const disk = damaged('chain-0000000512.log', 100_000)
  const { height, steps } = mended(t, disk)
  t.equal(height, 1_300)
  t.strictSame(segmentHeights(disk).slice(0, 2), [768, 1024])
  t.match(steps.join(), /blocks up to height 768 are no longer kept/)
  t.end()
})

t.test('headers.log is written again from the blocks', (t) => {
  for (const disk of [damaged('headers.log', 2_000), whole.after()]) {
    const bytes = disk.files.get('headers.log') ?? new Uint8Array()
    const { height } = mended(t, disk)
    t.equal(height, 1_300)
    t.equal(disk.files.get('headers.log')?.length, bytes.length)
  }
  t.end()
})

t.test(
  'a damaged genesis leaves nothing, a pruned ledger without headers cannot be mended, and both are said',
  (t) => {
    const first = new MemoryDisk()
    storeOf(first, { ...long, blocks: long.blocks.slice(0, 20) }).close()
    const { height, steps } = repair(damaged('chain.log', 30, first), 'now')
    t.equal(height, undefined)
    t.match(steps.join(), /chain.log was moved/)
    const pruned = whole.after()
    new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()
    t.throws(() => repair(damaged('headers.log', 2_000, pruned), 'now'), {
      code: 'store-corrupt',
      message: /cannot be repaired.*Restore a backup, import a snapshot/,
    })
    t.end()
  },
)
