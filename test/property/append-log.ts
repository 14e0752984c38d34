/**
 * The append log under crashes and damage: what was committed is there or the damage has a name, never neither.
 *
 * The disk is a file in memory that keeps a prefix of what it was writing when it failed.
 */
import { strictEqual as equal, ok, deepStrictEqual as same } from 'node:assert'
import fc from 'fast-check'
import { type AppendLog, audit, type LogEntry, type LogFile, openAppendLog } from '../../node/append-log.ts'
import { WorldError } from '../../node/error.ts'
import { property } from './property.ts'

const PATH = 'fuzzed.log'

class MemoryDisk implements LogFile {
  readonly path = PATH
  bytes: Buffer
  /** Bytes of the next write that reach the disk; undefined: all. */
  room: number | undefined
  /** After the write's last byte, or instead of a cut: the disk says no. */
  failing = false
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.bytes = Buffer.from(bytes)
  }
  get size(): number {
    return this.bytes.length
  }
  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || offset + length > this.bytes.length) throw new RangeError(`read ${length} at ${offset}`)
    return this.bytes.subarray(offset, offset + length)
  }
  append(bytes: Uint8Array): void {
    const room = Math.min(this.room ?? bytes.length, bytes.length)
    this.bytes = Buffer.concat([this.bytes, bytes.subarray(0, room)])
    if (this.room !== undefined || this.failing) throw new Error('EIO: i/o error, write')
  }
  truncate(size: number): void {
    if (this.failing) throw new Error('EIO: i/o error, ftruncate')
    this.bytes = this.bytes.subarray(0, size)
  }
  close(): void {}
}

const entry = fc.record({
  kind: fc.nat(255),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(700).map((length) => new Uint8Array(length).fill(length)),
  ),
})
const batch = fc.array(entry, { minLength: 1, maxLength: 4 })
const batches = fc.array(batch, { maxLength: 8 })

const shown = ({ kind, bytes }: LogEntry): string => `${kind}:${Buffer.from(bytes).toString('hex')}`

function opened(disk: MemoryDisk): { log: AppendLog; seen: string[]; positions: number[] } {
  const seen: string[] = []
  const positions: number[] = []
  const log = openAppendLog(disk, {
    onRecord: (kind, bytes, position) => {
      seen.push(shown({ kind, bytes }))
      positions.push(position)
    },
  })
  return { log, seen, positions }
}

/** A log of these batches, with the file's size after each; the first is the size with none. */
function written(list: readonly (readonly LogEntry[])[]): { bytes: Buffer; ends: number[] } {
  const disk = new MemoryDisk()
  const { log } = opened(disk)
  const ends = [log.size]
  for (const one of list) {
    log.append(one)
    ends.push(log.size)
  }
  log.close()
  return { bytes: disk.bytes, ends }
}

const crashes = property(
  'log-crash',
  'cut at any byte, the log opens with every batch that was whole and takes more',
  120,
  fc.record({ list: batches, cut: fc.nat(), more: batch }),
  ({ list, cut, more }) => {
    const { bytes, ends } = written(list)
    const length = cut % (bytes.length + 1)
    const disk = new MemoryDisk(bytes.subarray(0, length))
    const { log, seen, positions } = opened(disk)
    const whole = ends.filter((end) => end <= length).length - 1
    const expected = list.slice(0, Math.max(0, whole)).flat().map(shown)
    same(seen, expected, 'the whole batches, and nothing of the cut one')
    equal(log.torn, length - (whole < 0 ? 0 : (ends[whole] ?? 0)), 'bytes cut off')
    equal(log.records, expected.length)
    for (const [index, position] of positions.entries()) equal(shown(log.read(position)), expected[index])
    const added = log.append(more)
    same(
      added.map((position) => shown(log.read(position))),
      more.map(shown),
    )
    log.close()
    same(opened(disk).seen, [...expected, ...more.map(shown)], 'what was added after the crash stays')
  },
)

const damage = property(
  'log-damage',
  'flipped bits in what was committed are named and nothing before the last batch is cut, wherever the file ends',
  250,
  fc.record({
    list: batches,
    flips: fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 3 }),
    cut: fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat() }),
  }),
  ({ list, flips, cut }) => {
    const { bytes, ends } = written(list)
    const length = cut === undefined ? bytes.length : cut % (bytes.length + 1)
    const spoilt = Buffer.from(bytes.subarray(0, length))
    for (const [at, bit] of flips)
      if (length > 0) spoilt[at % length] = (spoilt[at % length] ?? 0) ^ (1 << bit)
    const first = spoilt.findIndex((byte, at) => byte !== bytes[at])
    const committed = Math.max(0, ...ends.filter((end) => end <= length))
    const whole = list.slice(0, Math.max(0, ends.filter((end) => end <= length).length - 1)).flat()

    const disk = new MemoryDisk(spoilt)
    let seen: readonly string[] | undefined
    try {
      seen = opened(disk).seen
    } catch (error) {
      ok(error instanceof WorldError, String(error))
      equal(error.code, 'store-corrupt')
      ok(error.message.includes(PATH) && /record [0-9]+/.test(error.message), 'it says which file and record')
      same(disk.bytes, spoilt, 'a damaged file is left as it is')
    }
    const sealed = ends.filter((end) => end <= length).at(-2) ?? 0
    // With more than one flip there may be nothing whole to tell where the last batch began.
    const single = spoilt.filter((byte, at) => byte !== bytes[at]).length === 1
    if (first !== -1 && first < sealed && single)
      equal(seen, undefined, 'damage to a batch that another follows is never passed over')
    if (seen !== undefined && (first === -1 || first >= sealed)) {
      const lost = first !== -1 && first < committed ? (list[ends.indexOf(committed) - 1]?.length ?? 0) : 0
      same(
        seen,
        whole.slice(0, whole.length - lost).map(shown),
        'what opens has every batch but a damaged last one',
      )
    }

    // The audit tells the same as opening, and yields what is whole before the damage.
    let named: string | undefined
    let unfinished = false
    const read: string[] = []
    for (const outcome of audit(new MemoryDisk(spoilt)))
      if (outcome.ok) read.push(shown(outcome.value))
      else {
        named = outcome.fault.code
        unfinished = outcome.fault.unfinished
      }
    equal(named !== undefined && !unfinished, seen === undefined, `audit says ${named}`)
    same(read, whole.slice(0, read.length).map(shown), 'in order, from the first')
    if (first !== -1) {
      const before = list
        .slice(0, Math.max(0, ends.filter((end) => end <= Math.min(first, length)).length - 1))
        .flat()
      ok(read.length >= before.length, 'every batch before the damage is read')
    }
  },
)

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('append' as const), batch }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      batch,
      room: fc.option(fc.nat(900), { nil: undefined }),
      cuts: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
)

const life = property(
  'log-life',
  'through writes, failing writes and restarts no batch that was announced is lost, and none is there in part',
  100,
  fc.array(action, { maxLength: 25, size: 'max' }),
  (actions) => {
    const disk = new MemoryDisk()
    let log = opened(disk).log
    let announced: string[] = []
    /** A batch whose write failed: it may be there, whole. */
    let doubtful: string[] = []
    let broken = false
    const reopen = (): void => {
      log.close()
      const next = opened(disk)
      log = next.log
      const both = [...announced, ...doubtful]
      const seen = next.seen.length > announced.length ? both : announced
      same(next.seen, seen, 'what was announced, and perhaps the one that failed, whole')
      announced = [...seen]
      doubtful = []
      broken = false
      equal(log.records, announced.length)
    }
    for (const one of actions) {
      if (one.do === 'reopen') {
        reopen()
        continue
      }
      const fails = one.do === 'fail'
      if (fails) {
        disk.room = one.room
        disk.failing = one.room === undefined || !one.cuts
      }
      try {
        log.append(one.batch)
        ok(!fails && !broken, 'an append that failed says so, and so do all after it')
        announced.push(...one.batch.map(shown))
      } catch (error) {
        ok(error instanceof WorldError && error.code === 'store-write', String(error))
        ok(fails || broken, 'a working disk takes it')
        if (!broken) doubtful = one.batch.map(shown)
        broken = true
      }
      disk.room = undefined
      disk.failing = false
    }
    reopen()
  },
)

export const appendLogProperties = [crashes, damage, life]
