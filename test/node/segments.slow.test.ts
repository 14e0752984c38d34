/** Segments, the window, headers below it and deleting old blocks: on a disk that may fail at any write. */
import t from 'tap'
import { audit, openAppendLog } from '../../node/append-log.ts'
import { ChainStore, type StoreOptions } from '../../node/chain-store.ts'
import { WorldError } from '../../node/error.ts'
import { RECORD, recordName } from '../../node/records.ts'
import { segmentHeights, segmentName } from '../../node/segments.ts'
import { type Verification, verifyLedger } from '../../node/verify.ts'
import type { Hash } from '../../schemas/hex.ts'
import { alice, bob, carol, signer, TestChain } from '../helpers/ledger.ts'
import { longChain, SMALL, storeOf, tell } from '../helpers/long-chain.ts'
import { MemoryDisk, PowerCut } from '../helpers/memory-disk.ts'

const long = longChain(1_300)
const { chain } = long.test
const whole = new MemoryDisk()
storeOf(whole, long).close()
const hashAt = (height: number): Hash => chain.at(height)?.hash as Hash

const facts = (store: ChainStore) => ({
  tip: store.chain.tip.hash,
  work: store.chain.tip.work,
  childTarget: store.chain.tip.childTarget,
  root: store.chain.state.root(),
  accounts: [...store.accounts].sort(),
})

t.test('a large segment is followed by the next, and the window by a later base', (t) => {
  const disk = new MemoryDisk()
  const store = storeOf(disk, long)
  // At 256 a segment began too, but its base was undone: the window could not begin there.
  t.strictSame(segmentHeights(disk), [0, 256, 512, 768, 1024, 1280])
  t.equal(store.chain.base.height, 1024)
  t.equal(store.chain.tip.hash, chain.tip.hash)
  t.equal(store.chain.state.root(), chain.state.root())
  const before = facts(store)
  const size = store.size
  store.close()
  const again = new ChainStore(disk.after(), undefined, SMALL)
  t.strictSame(facts(again), before)
  t.equal(again.size, size)
  t.equal(again.chain.base.height, 1024)
  t.strictSame(again.chain.headersAfter([], 2_000), chain.headersAfter([], 2_000), 'all headers, from both')
  t.strictSame(again.chain.headersAfter([hashAt(768)], 1), chain.headersAfter([hashAt(768)], 1), 'a waypoint')
  for (const hash of again.chain.locator().slice(-4))
    t.ok([...Array(1301).keys()].some((at) => hashAt(at) === hash))
  again.close()
  t.end()
})

t.test('the state that a segment begins with does not make it large', (t) => {
  /** Bytes behind the state of all segments that another one follows. */
  const sizes = (disk: MemoryDisk): number[] =>
    segmentHeights(disk)
      .slice(0, -1)
      .map((height) => {
        const file = disk.open(segmentName(height))
        for (const read of audit(file))
          if (read.ok && read.value.kind === RECORD.block) return file.size - read.value.position
        return 0
      })
  const many = Array.from({ length: 250 }, (_, index) => signer(index + 5).account)
  const accounts = [alice.account, ...many.filter((account) => account !== alice.account)]
  const allocations = accounts.map((account) => ({ account, amount: account === alice.account ? 1e11 : 1e6 }))
  const rich = longChain(770, { allocations })
  const usual = new MemoryDisk()
  storeOf(usual, rich).close()
  const bytes = Math.max(...sizes(usual)) + 1
  const disk = new MemoryDisk()
  storeOf(disk, rich, { ...SMALL, segmentBlocks: 10_000, segmentBytes: bytes }).close()
  t.strictSame(segmentHeights(disk), [0, 512], 'one at 768 would have less')
  t.end()
})

t.test(
  'settled blocks are found, also those that were connected again, and wrong hashes are not looked for',
  (t) => {
    const disk = new MemoryDisk()
    const store = storeOf(disk, long)
    for (const height of [1, 195, 203, 251, 256, 257, 258, 512, 1000, 1024])
      t.strictSame(
        store.settled(height, hashAt(height)),
        long.test.archive.block(hashAt(height)),
        `${height}`,
      )
    t.equal(store.settled(700, hashAt(701)), undefined)
    store.close()
    t.end()
  },
)

t.test('a base that was undone is not where the window begins', (t) => {
  const disk = new MemoryDisk()
  const options = { ...SMALL, windowBlocks: 0, windowBlocksMin: 0 }
  const until = long.blocks.findIndex(
    (bytes) => Buffer.compare(bytes, long.test.archive.block(hashAt(512))) === 0,
  )
  const store = storeOf(
    disk,
    { ...long, blocks: long.blocks.slice(0, until) },
    { ...SMALL, windowBlocks: 10_000 },
  )
  store.close()
  t.strictSame(segmentHeights(disk), [0, 256])
  // Also when it was undone before the program started again.
  const again = new ChainStore(disk, undefined, { ...options, windowBlocks: 1 })
  tell(again, long.blocks.slice(until, until + 1))
  t.strictSame(segmentHeights(disk), [0, 256, 512])
  t.equal(again.chain.base.height, 0)
  again.close()
  t.end()
})

t.test('a start builds the state on the newest base that was not undone', (t) => {
  const early = new MemoryDisk()
  const first = storeOf(early, { ...long, blocks: [] }, { ...SMALL, windowBlocks: 10_000 })
  // The base at 256 is undone by the branch that begins at 251.
  for (const bytes of long.blocks.slice(0, 300)) {
    tell(first, [bytes])
    if (first.chain.tip.height < 240) continue
    const again = new ChainStore(early.after(), undefined, { ...SMALL, windowBlocks: 10_000 })
    t.strictSame(facts(again), facts(first), `at height ${first.chain.tip.height}`)
    again.close()
  }
  first.close()

  // And by one above a window that begins later: its oldest base is left to build on.
  const disk = new MemoryDisk()
  const store = storeOf(disk, long)
  const rival = new TestChain(chain.network)
  for (let height = 1; height <= 1270; height++) rival.acceptBytes(long.test.archive.block(hashAt(height)))
  const blocks: Uint8Array[] = []
  while (rival.chain.tip.height < 1302) {
    const list = [rival.transfer(alice, carol.account, 1)]
    const outcome = rival.accept(rival.block(list, { miner: carol }))
    if (outcome.ok) blocks.push(outcome.value.added.bytes)
  }
  tell(store, blocks)
  t.equal(store.chain.tip.hash, rival.chain.tip.hash)
  t.equal(segmentHeights(disk).at(-1), 1280)
  const again = new ChainStore(disk.after(), undefined, SMALL)
  t.strictSame(facts(again), facts(store))
  again.close()
  store.close()
  t.end()
})

t.test('where signers make blocks final, what is final need not stay in memory', (t) => {
  const signed = longChain(769, { checkpointSigners: [alice.account, bob.account], checkpointThreshold: 2 })
  const disk = new MemoryDisk()
  const store = storeOf(
    disk,
    { ...signed, blocks: signed.blocks.slice(0, -2) },
    { ...SMALL, windowBlocks: 10_000 },
  )
  t.equal(store.chain.base.height, 0)
  const first = new ChainStore(disk.after(), undefined, { ...SMALL, windowBlocks: 10_000 })
  first.chain.finalise(signed.test.chain.at(511)?.hash as Hash)
  tell(first, signed.blocks.slice(-2))
  t.equal(first.chain.base.height, 0, 'but no more than that')
  first.close()
  store.chain.finalise(signed.test.chain.at(700)?.hash as Hash)
  tell(store, signed.blocks.slice(-2))
  t.equal(store.chain.tip.height, 769)
  t.equal(store.chain.base.height, 512, 'the newest segment below the final block')
  store.close()
  t.end()
})

const sizes = (() => {
  const store = new ChainStore(whole.after(), undefined, SMALL)
  store.close()
  return { all: store.size, segment: whole.files.get('chain.log')?.length ?? 0 }
})()

t.test('old segments are deleted beyond a budget or an age, the oldest first, and the window never', (t) => {
  const cases: [Partial<StoreOptions>, number[]][] = [
    [{ bytesMax: sizes.all }, [0, 256, 512, 768, 1024, 1280]],
    [{ bytesMax: sizes.all - 1 }, [256, 512, 768, 1024, 1280]],
    [{ bytesMax: sizes.all - sizes.segment - 1 }, [512, 768, 1024, 1280]],
    [{ bytesMax: 1 }, [1024, 1280]],
    [{ ageMsMax: chain.tip.time - (chain.at(512)?.time ?? 0) }, [256, 512, 768, 1024, 1280]],
    [{ ageMsMax: 0 }, [1024, 1280]],
  ]
  for (const [limits, expected] of cases) {
    const disk = whole.after()
    const notices: string[] = []
    const store = new ChainStore(disk, undefined, {
      ...SMALL,
      ...limits,
      onNotice: (text) => notices.push(text),
    })
    t.strictSame(segmentHeights(disk), expected, JSON.stringify(limits))
    t.equal(notices.length, limits.bytesMax === 1 ? 1 : 0)
    t.equal(store.keptFrom, expected[0])
    const first = expected[0] ?? 0
    t.equal(store.settled(200, hashAt(200)) === undefined, first > 0)
    t.strictSame(store.chain.headersAfter([], 2_000), chain.headersAfter([], 2_000), 'headers stay')
    t.equal(store.chain.state.root(), chain.state.root(), 'the state stays')
    store.close()
  }
  t.end()
})

t.test('beyond its budget it lets go of old blocks before it makes its window smaller', (t) => {
  const bytesMax = Math.floor(sizes.all * 0.7)
  const store = new ChainStore(new MemoryDisk(), long.genesis, { ...SMALL, windowBlocks: 512, bytesMax })
  let smallest = Number.POSITIVE_INFINITY
  for (const bytes of long.blocks) {
    tell(store, [bytes])
    const { tip, base } = store.chain
    if (tip.height >= 768) smallest = Math.min(smallest, tip.height - base.height)
  }
  t.ok(store.keptFrom > 0, 'it had to let go of some')
  t.ok(smallest >= 500, `the window had ${smallest} blocks at least`)
  store.close()
  t.end()
})

t.test('while it runs the ledger stays below its budget', (t) => {
  const disk = new MemoryDisk()
  const bytesMax = Math.floor(sizes.all * 0.7)
  const store = new ChainStore(disk, long.genesis, { ...SMALL, bytesMax })
  let largest = 0
  for (const bytes of long.blocks) {
    tell(store, [bytes])
    largest = Math.max(largest, store.size)
  }
  t.ok(largest <= bytesMax, `${largest} of ${bytesMax}`)
  t.ok(store.keptFrom > 0)
  t.equal(
    store.size,
    [...disk.files.values()].reduce((sum, { length }) => sum + length, 0),
    'as the disk counts',
  )
  store.close()
  t.end()
})

t.test(
  'the power fails at any write around a new segment, headers and deleting: nothing announced is lost',
  (t) => {
    const limits = { ...SMALL, bytesMax: 1 }
    const at = (height: number): number =>
      long.blocks.findIndex((bytes) => Buffer.compare(bytes, long.test.archive.block(hashAt(height))) === 0)
    const start = new MemoryDisk()
    storeOf(start, { ...long, blocks: long.blocks.slice(0, at(1022)) }, SMALL).close()
    const rest = long.blocks.slice(at(1022), at(1027))
    const kinds = new Set<string>()
    let crashes = 0
    for (const arrives of [0, 400, 1000]) {
      for (let failAt = 0; ; failAt++) {
        const disk = start.after()
        disk.failAt = failAt
        disk.arrives = arrives
        let told = 1021
        let failed = false
        try {
          const store = new ChainStore(disk, undefined, limits)
          for (const bytes of rest) {
            tell(store, [bytes])
            told++
          }
        } catch (error) {
          if (
            !(error instanceof PowerCut) &&
            !(error instanceof WorldError && error.cause instanceof PowerCut)
          )
            throw error
          failed = true
        }
        if (!failed) break
        crashes++
        const left = disk.after()
        kinds.add(segmentHeights(left).join())
        const again = new ChainStore(left, undefined, limits)
        const { height } = again.chain.tip
        if (height !== told && height !== told + 1) t.fail('the tip', { failAt, arrives, height, told })
        tell(again, rest.slice(height - 1021))
        if (again.chain.tip.hash !== hashAt(1026)) t.fail('goes on', { failAt, arrives })
        if (again.chain.base.height !== 768)
          t.fail('the window moved', { failAt, arrives, base: again.chain.base.height })
        if (again.chain.header(700).height !== 700) t.fail('headers')
        again.close()
        const end = segmentHeights(left).join()
        if (end !== '768,1024') t.fail('old segments are gone', { failAt, arrives, end })
        if ([...left.files.keys()].some((name) => name.endsWith('.new'))) t.fail('a draft stays', { failAt })
        const third = new ChainStore(left, undefined, limits)
        if (third.chain.tip.hash !== hashAt(1026)) t.fail('opens again')
        third.close()
      }
    }
    t.ok(crashes > 30, `${crashes} crashes`)
    t.ok(kinds.size > 3, [...kinds].join(' '))
    t.end()
  },
)

t.test('a full disk at any write stops with an error that says so, and a restart goes on', (t) => {
  const at = long.blocks.findIndex(
    (bytes) => Buffer.compare(bytes, long.test.archive.block(hashAt(768))) === 0,
  )
  const start = new MemoryDisk()
  storeOf(start, { ...long, blocks: long.blocks.slice(0, at) }, SMALL).close()
  const rest = long.blocks.slice(at, at + 3)
  let stops = 0
  for (let failAt = 0; ; failAt++) {
    const disk = start.after()
    disk.failAt = failAt
    disk.arrives = 300
    disk.error = () => new Error('ENOSPC: no space left on device')
    let failed = false
    try {
      tell(new ChainStore(disk, undefined, SMALL), rest)
    } catch (error) {
      failed = true
      if (!(error instanceof WorldError)) throw error
      if (error.code !== 'store-write' || !/no space left/.test(error.message)) t.fail(error.message)
    }
    if (!failed) break
    stops++
    const again = new ChainStore(disk.after(), undefined, SMALL)
    tell(again, rest.slice(again.chain.tip.height - 767))
    t.equal(again.chain.tip.hash, hashAt(770))
    again.close()
  }
  t.ok(stops > 8, `${stops} stops`)
  t.end()
})

t.test('damage to what a window stands on is named, with what to do', (t) => {
  const spoil = (name: string, change: (bytes: Uint8Array) => Uint8Array | undefined, expected: RegExp) => {
    const disk = whole.after()
    const bytes = change(Uint8Array.from(disk.files.get(name) ?? []))
    if (bytes === undefined) disk.files.delete(name)
    else disk.files.set(name, bytes)
    t.throws(() => new ChainStore(disk, undefined, SMALL), { code: 'store-corrupt', message: expected }, name)
  }
  const flip = (at: number) => (bytes: Uint8Array) =>
    bytes.map((byte, index) => (index === (at < 0 ? bytes.length + at : at) ? byte ^ 1 : byte))
  spoil('chain-0000001024.log', flip(-20), /chain-0000001024.log is damaged .* pinledger repair/)
  spoil('chain-0000001024.log', () => undefined, /headers.log ends at height 1024, but there is no .*repair/)
  spoil('headers.log', flip(2_000), /headers.log is damaged/)
  spoil('chain-0000001280.log', flip(300), /chain-0000001280.log is damaged/)
  t.end()
})

t.test(
  'headers that a kept segment stands on are never taken for a torn end, and nothing is changed',
  (t) => {
    const pruned = whole.after()
    new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()
    t.strictSame(segmentHeights(pruned), [1024, 1280])
    const bytes = pruned.files.get('headers.log') ?? new Uint8Array()
    const last = [...audit(pruned.open('headers.log'))].at(-1)
    const at = last?.ok ? last.value.position : 0
    pruned.files.set('chain-0000001536.log.new', new Uint8Array(3))
    const refused = (changed: Uint8Array, expected: RegExp, what: string) => {
      const disk = pruned.after()
      disk.files.set('headers.log', changed)
      const before = new Map(disk.files)
      t.throws(
        () => new ChainStore(disk, undefined, SMALL),
        { code: 'store-corrupt', message: expected },
        what,
      )
      t.ok(disk.writes === 0 && disk.holds(before), what)
    }
    const damaged = new RegExp(
      `headers.log is damaged at record \\d.*, offset ${at}: .*Nothing was changed.*repair`,
    )
    for (let flipped = at; flipped < bytes.length; flipped += 499)
      refused(
        bytes.map((byte, index) => (index === flipped ? byte ^ 1 : byte)),
        damaged,
        `flipped ${flipped}`,
      )
    for (const size of [at + 1, bytes.length - 1]) refused(bytes.slice(0, size), damaged, `cut at ${size}`)
    refused(
      bytes.slice(0, at),
      /headers.log ends at height 768.*Nothing was changed/,
      'without its last batch',
    )
    for (const size of [0, 4, 8])
      refused(
        bytes.slice(0, size),
        /headers.log is damaged at record 0.*Nothing was changed/,
        `${size} bytes`,
      )

    // Where the segment that comes after what is whole is still there, nobody needs the rest: a crash may have torn it.
    for (const changed of [bytes.with(at + 499, 0), bytes.slice(0, -1)]) {
      const disk = whole.after()
      disk.files.set('headers.log', changed)
      const store = new ChainStore(disk, undefined, SMALL)
      t.equal(store.chain.base.height, 1024)
      store.close()
      t.equal(Buffer.compare(disk.files.get('headers.log') ?? bytes.slice(1), bytes), 0, 'written again')
    }
    t.end()
  },
)

t.test('every record of a segment has a name', (t) => {
  const disk = whole.after()
  const names = new Set<string>()
  for (const name of disk.list())
    for (const read of audit(disk.open(name))) if (read.ok) names.add(recordName(read.value.kind))
  t.strictSame([...names].sort(), [
    'accounts',
    'base',
    'block',
    'changes',
    'genesis',
    'headers',
    'state',
    'tip',
  ])
  t.end()
})

const verified = (disk: MemoryDisk): Verification => {
  const steps = verifyLedger(disk)
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

t.test('verify goes over all segments, or over all headers and the segments that are left', (t) => {
  const expected = { ok: true, height: 1_300, tip: chain.tip.hash, stateRoot: chain.state.root() }
  const all = verified(whole)
  t.match(all, expected)
  t.equal(all.from, undefined)
  const pruned = whole.after()
  new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()
  t.match(verified(pruned), { ...expected, from: 1_024 })
  t.end()
})

t.test('verify finds what is wrong with a segment, a base, a state or a header', (t) => {
  const pruned = whole.after()
  new ChainStore(pruned, undefined, { ...SMALL, bytesMax: 1 }).close()
  /** The logs with one record changed, all checksums right. */
  const forged = (
    from: MemoryDisk,
    name: string,
    kind: number,
    change: (bytes: Uint8Array) => void,
  ): MemoryDisk => {
    const disk = from.after()
    const records = [...audit(disk.open(name))].flatMap((read) => (read.ok ? [read.value] : []))
    const index = records.findIndex((each) => each.kind === kind)
    disk.files.delete(name)
    const log = openAppendLog(disk.open(name))
    for (const [at, { kind: of, bytes }] of records.entries()) {
      const copy = Uint8Array.from(bytes)
      if (at === index) change(copy)
      log.append([{ kind: of, bytes: copy }])
    }
    return disk
  }
  const last = (bytes: Uint8Array): void => {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  }
  const flip = (at: number) => (bytes: Uint8Array) => {
    bytes[at] = (bytes[at] ?? 0) ^ 1
  }
  const segment = 'chain-0000001024.log'
  const { base, state, headers, block } = RECORD
  const cases: [MemoryDisk, RegExp][] = [
    [
      forged(whole, segment, state, last),
      /^chain-0000001024.log: record \d+ \(state\).*the root of its state/,
    ],
    [forged(pruned, segment, state, last), /the root of its state/],
    [forged(whole, segment, base, flip(40)), /its base's coinbase is not its header's/],
    [forged(pruned, segment, base, flip(380)), /its base is not the block that headers.log has/],
    [forged(whole, segment, base, flip(380)), /does not stand on the block/],
    [forged(pruned, segment, base, last), /not whole|entries/],
    [forged(pruned, segment, block, last), /\(block\)/],
    [forged(pruned, 'headers.log', headers, flip(5_000)), /no header at height 1024/],
    [forged(pruned, 'headers.log', headers, last), /no header at height 1024/],
  ]
  for (const [disk, fault] of cases) t.match(verified(disk), { ok: false, fault }, String(fault))
  const gap = whole.after()
  gap.files.delete('chain-0000000768.log')
  t.match(verified(gap), {
    ok: false,
    fault: /chain-0000001024.log: .*does not stand on the block that the segment before/,
  })
  t.end()
})
