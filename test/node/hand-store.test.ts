/** A slow hand on disk: what was announced is there after any crash, and nothing else is taken for it. */
import t, { type Test } from 'tap'
import type { Hand } from '../../ledger/hand.ts'
import { headerHash, type Position, place, position0 } from '../../ledger/header.ts'
import { TICK_WINDOW } from '../../ledger/slow-hand.ts'
import { openAppendLog } from '../../node/append-log.ts'
import { WorldError } from '../../node/error.ts'
import { HAND_FILE, HandStore } from '../../node/hand-store.ts'
import { encode } from '../../schemas/codec.ts'
import { handGenesis } from '../../schemas/genesis.ts'
import { ZERO_HASH } from '../../schemas/hex.ts'
import { invariant } from '../../schemas/result.ts'
import { type Tick, tick as tickCodec } from '../../schemas/tick.ts'
import { mineTick, testHand } from '../helpers/hand.ts'
import { MemoryDisk } from '../helpers/memory-disk.ts'

const FAR_MS = Number.MAX_SAFE_INTEGER
const hand = testHand()
const T = hand.genesis.interval
/** With these on the same parent at the same time it is another tick. */
const OTHER = [{ ledger: ZERO_HASH, height: 1, block: ZERO_HASH }]

const open = (disk: MemoryDisk, of = hand) => new HandStore(disk.open(HAND_FILE), of)

/** All in one write. */
function save(store: HandStore, ticks: readonly Tick[]): void {
  const added = ticks.map((tick) => {
    const outcome = store.slow.accept(encode(tickCodec, tick), FAR_MS)
    invariant(outcome.ok, outcome.ok ? '' : outcome.fault.message)
    return outcome.value
  })
  store.save(added)
}

/** Ticks one after the other on a place, each so much later than the one before. */
function ticksOn(of: Hand, parent: Position, count: number, anchors = OTHER, stepMs = T): Tick[] {
  const ticks: Tick[] = []
  for (let at = parent; ticks.length < count; ) {
    const tick = mineTick(of, at, anchors, { time: at.time + stepMs })
    ticks.push(tick)
    at = place(of, headerHash(of.hashing, tick.header), tick.header, at)
  }
  return ticks
}

const placeOf = (store: HandStore, height: number): Position => {
  const entry = store.slow.entry(store.slow.hashAt(height))
  invariant(entry !== undefined, 'it is in the window')
  return entry
}

/** The tick at every height has the bytes of the best chain's. */
function agrees(t: Test, store: HandStore, best: readonly Tick[], what = ''): void {
  t.equal(store.slow.tip.height, best.length, what)
  const wrong = best.findIndex((each, index) =>
    Buffer.compare(store.tick(index + 1), encode(tickCodec, each)),
  )
  t.equal(wrong, -1, what)
}

const start = ticksOn(hand, position0(hand), 5, [])

t.test('what was saved is there when it is opened again, and it goes on', async (t) => {
  const disk = new MemoryDisk()
  save(open(disk), start.slice(0, 3))
  const again = open(disk)
  agrees(t, again, start.slice(0, 3))
  save(again, start.slice(3))
  again.save([])
  agrees(t, open(disk), start)
  t.equal(open(disk).size, disk.files.get(HAND_FILE)?.length)
  t.throws(() => again.tick(6), /the slow hand has a tick at height 6/)
  t.throws(() => again.tick(0))
})

t.test('after a reorganisation, and one back, each height has the tick of the best chain', async (t) => {
  const disk = new MemoryDisk()
  const store = open(disk)
  save(store, start)
  const branch = ticksOn(hand, placeOf(store, 2), 5)
  for (const tick of branch) save(store, [tick])
  const best = [...start.slice(0, 2), ...branch]
  agrees(t, store, best)
  agrees(t, open(disk), best)
  const tip = store.slow.entry(headerHash(hand.hashing, (start.at(-1) as Tick).header)) as Position
  const back = ticksOn(hand, tip, 3)
  save(store, back)
  agrees(t, store, [...start, ...back])
  agrees(t, open(disk), [...start, ...back])
})

t.test('a torn tail is cut off wherever it was torn, and what came before stays', async (t) => {
  const disk = new MemoryDisk()
  const sizes = start.map((tick) => {
    save(open(disk), [tick])
    return disk.files.get(HAND_FILE)?.length ?? 0
  })
  const whole = disk.files.get(HAND_FILE) ?? new Uint8Array(0)
  const first = whole.length - (sizes[4] as number) + (sizes[2] as number)
  for (let length = first; length <= whole.length; length++) {
    const torn = new MemoryDisk(new Map([[HAND_FILE, whole.slice(0, length)]]))
    const store = open(torn)
    const kept = sizes.filter((size) => size <= length).length
    if (store.slow.tip.height !== kept) t.fail(`cut to ${length}: ${store.slow.tip.height}, expected ${kept}`)
    save(store, start.slice(kept))
    if (open(torn).slow.tip.height !== 5) t.fail(`cut to ${length}: it does not go on`)
  }
})

t.test('a flipped byte anywhere before the last batch is damage, and nothing is cut off', async (t) => {
  const disk = new MemoryDisk()
  for (const tick of start) save(open(disk), [tick])
  const whole = disk.files.get(HAND_FILE) ?? new Uint8Array(0)
  const last = encode(tickCodec, start[4] as Tick).length + 24
  for (let at = 0; at < whole.length; at++) {
    const changed = whole.slice()
    changed[at] = (changed[at] ?? 0) ^ 0x10
    const damaged = new MemoryDisk(new Map([[HAND_FILE, changed]]))
    const code = codeOf(() => open(damaged))
    if (at < whole.length - last && code !== 'store-corrupt') t.fail(`byte ${at}: ${code}`)
    // Damage to a whole last batch looks like a write that the power ended.
    if (code === 'ok' && open(damaged).slow.tip.height !== 4) t.fail(`byte ${at}`)
    if (code !== 'ok' && damaged.files.get(HAND_FILE)?.length !== whole.length) t.fail(`byte ${at}: cut`)
  }
})

const codeOf = (run: () => unknown): string => {
  try {
    run()
    return 'ok'
  } catch (error) {
    return error instanceof WorldError ? error.code : String(error)
  }
}

t.test('a foreign hand, record or tick is refused, and says what to do', async (t) => {
  const disk = new MemoryDisk()
  save(open(disk), start)
  const refused = /^hand\.log is not of this slow hand .*move it away/
  t.throws(() => open(disk, testHand({ name: 'other' })), { code: 'store-corrupt', message: refused })
  const own = encode(handGenesis, hand.genesis)
  const tick = encode(tickCodec, start[0] as Tick)
  const orphan = encode(tickCodec, start[3] as Tick)
  for (const records of [
    [{ kind: 2, bytes: orphan }],
    [{ kind: 2, bytes: tick.subarray(1) }],
    [{ kind: 3, bytes: tick }],
    [{ kind: 1, bytes: tick }],
  ]) {
    const foreign = new MemoryDisk()
    openAppendLog(foreign.open(HAND_FILE)).append([{ kind: 1, bytes: own }, ...records])
    t.throws(() => open(foreign), { code: 'store-corrupt', message: refused })
  }
})

t.test('the power fails at any write: what was saved before is there, and it goes on', async (t) => {
  for (let failAt = 0; failAt < 8; failAt++)
    for (const arrives of [0, 300, 999, 1000]) {
      const disk = new MemoryDisk()
      Object.assign(disk, { failAt, arrives })
      let saved = 0
      try {
        const store = open(disk)
        for (; saved < start.length; saved++) save(store, start.slice(saved, saved + 1))
      } catch {
        // The power fails.
      }
      const after = disk.after()
      const { height } = open(after).slow.tip
      if (height < saved || height > saved + 1) t.fail(`write ${failAt}, ${arrives}: ${height} of ${saved}`)
      save(open(after), start.slice(height))
      agrees(t, open(after), start, `write ${failAt}, ${arrives}`)
    }
})

t.test('a full disk is said, and the store only reads from then on', async (t) => {
  const disk = new MemoryDisk()
  const store = open(disk)
  save(store, start.slice(0, 2))
  Object.assign(disk, { failAt: disk.writes, error: () => new Error('ENOSPC: no space left on device') })
  t.throws(() => save(store, start.slice(2, 3)), { code: 'store-write', message: /ENOSPC/ })
  disk.failAt = Number.POSITIVE_INFINITY
  t.throws(() => save(store, start.slice(3, 4)), { code: 'store-write' }, 'one is missing in between')
  agrees(t, open(disk.after()), start.slice(0, 2))
})

/** Every hash is a tick of the first ones, so that long branches cost nothing. */
const free = testHand({ halfLife: 1, target: 2n ** 256n - 1n, targetMax: 2n ** 256n - 1n })

t.test('a branch longer than the window wins, in one write or one by one, and is there again', async (t) => {
  const length = TICK_WINDOW + 100
  const few = ticksOn(free, position0(free), 4, [], 1)
  for (const size of [1, length]) {
    const disk = new MemoryDisk()
    const store = open(disk, free)
    save(store, few)
    const branch = ticksOn(free, position0(free), length)
    for (let at = 0; at < length; at += size) save(store, branch.slice(at, at + size))
    agrees(t, store, branch)
    agrees(t, open(disk, free), branch)
  }
  t.end()
})

t.test('a branch of more than twice the window wins: few ticks with much work are undone', async (t) => {
  const hard = ticksOn(free, position0(free), 13, [], 1)
  const disk = new MemoryDisk()
  const store = open(disk, free)
  save(store, hard)
  const branch = ticksOn(free, position0(free), Number(store.slow.tip.work) + 1)
  save(store, branch)
  t.ok(branch.length > 2 * TICK_WINDOW)
  agrees(t, store, branch)
  const next = ticksOn(free, placeOf(store, branch.length), 1)
  save(store, next)
  agrees(t, open(disk, free), [...branch, ...next])
})
