import t, { type Test } from 'tap'
import { ChainStore } from '../../node/chain-store.ts'
import { WorldError } from '../../node/error.ts'
import { repair } from '../../node/repair.ts'
import { segmentHeights } from '../../node/segments.ts'
import { verifyLedger } from '../../node/verify.ts'
import type { Vote } from '../../schemas/checkpoint.ts'
import { alice } from '../helpers/ledger.ts'
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

t.test('a damaged genesis leaves nothing', (t) => {
  const first = new MemoryDisk()
  storeOf(first, { ...long, blocks: long.blocks.slice(0, 20) }).close()
  const { height, steps } = repair(damaged('chain.log', 30, first), 'now')
  t.equal(height, undefined)
  t.match(steps.join(), /chain.log was moved/)
  t.end()
})

const pruned = whole.after()
new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()
const headerBytes = pruned.files.get('headers.log')?.length ?? 0
/** The vote of a signer; its signature is not looked at. */
const vote = (height: number): Vote => ({
  source: { height: 0, hash: chain.at(0)?.hash as never },
  target: { height, hash: chain.at(height)?.hash as never },
  signer: alice.account,
  signature: new Uint8Array(64),
})
/** What a signer has voted, written into its newest segment. */
function voted(disk: MemoryDisk, height: number): MemoryDisk {
  const store = new ChainStore(disk, undefined, SMALL)
  store.checkpoints.saveVote(vote(height))
  store.close()
  return disk
}
t.test('a pruned ledger without whole headers is moved aside, all of it and as it was', (t) => {
  for (const at of [2_000, headerBytes - 1]) {
    const disk = damaged('headers.log', at, pruned)
    const before = new Map(disk.files)
    disk.files.set('key.json', new Uint8Array(1))
    disk.files.set('outbox.log', new Uint8Array(1))
    const { height, steps } = repair(disk, 'now')
    t.equal(height, undefined)
    t.match(steps[0], /^headers.log was moved to headers.log.damaged-now: /)
    t.strictSame(
      [...disk.files.keys()].sort(),
      [...before.keys()]
        .map((name) => `${name}.damaged-now`)
        .concat('key.json', 'outbox.log')
        .sort(),
    )
    for (const [name, bytes] of before)
      t.equal(Buffer.compare(disk.files.get(`${name}.damaged-now`) ?? bytes.slice(1), bytes), 0, name)
    mended(t, new MemoryDisk(disk.files))
    const store = storeOf(disk, long)
    t.equal(store.chain.state.root(), chain.state.root(), 'and begins anew beside what was moved')
    store.close()
  }
  t.end()
})

t.test('what a signer has voted stays, whatever is moved aside', (t) => {
  const headers = damaged('headers.log', 2_000, voted(pruned.after(), 1_290))
  const anew = repair(headers, 'now')
  t.equal(anew.height, 0)
  t.match(anew.steps.at(-1), /the last vote of this signer \(height 1290\) was put into chain.log/)
  t.strictSame(segmentHeights(headers), [0])
  const segment = damaged('chain-0000001024.log', 100_000, voted(whole.after(), 1_290))
  t.equal(repair(segment, 'now').height, 1_024)
  for (const disk of [headers, segment]) {
    const store = new ChainStore(disk, undefined, SMALL)
    t.strictSame(store.checkpoints.vote, vote(1_290))
    store.close()
    const steps = verifyLedger(disk)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    t.match(step.value, { ok: true })
  }
  const kept = voted(whole.after(), 1_290)
  const files = new Map(kept.files)
  t.strictSame(repair(kept, 'now'), { steps: [], height: 1_300 }, 'one that is there is not written again')
  t.ok(kept.holds(files))
  t.end()
})

t.test('where it cannot finish it moves nothing, and says so', (t) => {
  const disk = damaged('headers.log', 2_000)
  const before = new Map(disk.files)
  const { open } = disk
  disk.open = (name) => {
    const file = open.call(disk, name)
    const read = (): never => {
      throw new WorldError('store-corrupt', `cannot read ${name} at offset 0: EIO`)
    }
    return name === 'chain-0000001280.log' ? { ...file, size: 100, read } : file
  }
  t.throws(() => repair(disk, 'now'), {
    code: 'store-corrupt',
    message: /^this cannot be repaired, and nothing was moved: cannot read chain-0000001280.log/,
  })
  t.ok(disk.writes === 0 && disk.holds(before))
  t.end()
})
