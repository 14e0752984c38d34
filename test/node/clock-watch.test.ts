import t from 'tap'
import type { Update } from '../../ledger/chain.ts'
import { targetFor } from '../../ledger/difficulty.ts'
import { ClockWatch } from '../../node/clock-watch.ts'
import type { LedgerNode } from '../../node/ledger-node.ts'
import type { Signer } from '../../node/signing.ts'
import { block as blockCodec } from '../../schemas/block.ts'
import { encode } from '../../schemas/codec.ts'
import type { Account } from '../../schemas/hex.ts'
import { tick as tickCodec } from '../../schemas/tick.ts'
import { Rng } from '../../sim/random.ts'
import { TestHand } from '../helpers/hand.ts'
import { alice, bob, carol, codeOf, mine, START_MS, signer, TestChain } from '../helpers/ledger.ts'
import { recordingLog } from '../helpers/rig.ts'

/** Between two blocks, so that times ascend although a miner's clock is ahead. */
const GAP_MS = 20_000
const HOUR_MS = 3_600_000

/** A node that hears blocks of miners by turns, each made by a clock that is so far ahead of the right one. */
function watched(
  miners: readonly (readonly [Signer, number])[],
  { ownAheadMs = 0, blocks = 12, progress = undefined as LedgerNode['progress'] } = {},
) {
  const test = new TestChain()
  const { log, lines } = recordingLog()
  const session = { connected: true }
  const node = { chain: test.chain, hand: undefined, session, progress } as unknown as LedgerNode
  let own = ownAheadMs
  let nowMs = START_MS
  const clock = { now: () => nowMs + own, monotonic: () => nowMs, synchronised: () => true }
  const watch = new ClockWatch({ node, self: carol.account, clock, log })
  const hear = (): void => {
    for (let block = 0; block < blocks; block++) {
      const [miner, aheadMs] = miners[block % miners.length] as readonly [Signer, number]
      nowMs += GAP_MS
      const outcome = test.accept(
        test.block([], { miner, header: { time: nowMs + aheadMs } }),
        nowMs + 60_000,
      )
      if (outcome.ok) watch.onUpdate(outcome.value)
    }
  }
  hear()
  const codes = () => watch.check().alarms.map(({ code }) => code)
  const setOwn = (aheadMs: number): void => {
    own = aheadMs
    hear()
  }
  return { watch, lines, codes, setOwn }
}

t.test("a miner's clock that is off is named, while the others agree with ours", async (t) => {
  const { codes, watch } = watched([
    [alice, 0],
    [bob, 0],
    [signer(4), 6_000],
  ])
  t.strictSame(codes(), ['clock'])
  t.match(
    watch.report().alarms[0]?.message,
    `clock of ${signer(4).account} is 6 s ahead, by its last 4 blocks`,
  )
  t.strictSame(watched([[alice, 0]]).codes(), [])
})

t.test('who is an hour off learns it, once in the log, and that it is right again', async (t) => {
  const { codes, lines, setOwn } = watched(
    [
      [alice, 0],
      [bob, 300],
    ],
    { ownAheadMs: 3_600_000 },
  )
  t.strictSame(codes(), ['own-clock'])
  t.strictSame(codes(), ['own-clock'])
  t.equal(lines.length, 1)
  t.match(lines[0], {
    level: 'warn',
    fields: { code: 'own-clock', reason: /60 min ahead of .* 2 other miners/ },
  })
  setOwn(0)
  t.strictSame(codes(), [])
  t.match(lines[1], { level: 'info', fields: { code: 'own-clock', reason: 'right again' } })
})

t.test('half of the others alone put nobody in the wrong', async (t) => {
  const { watch } = watched([
    [alice, 0],
    [bob, 7_000],
  ])
  t.equal(watch.report().ownAheadMs, -0)
})

t.test('one miner that makes most of the blocks puts nobody else in the wrong', async (t) => {
  const odd = [signer(4), 6_000] as const
  const miners = [odd, odd, [alice, 0], odd, odd, [bob, 0]] as const
  t.strictSame(watched(miners, { blocks: 24 }).codes(), ['clock'])
})

t.test('most names do not put us in the wrong when they made the fewer blocks', async (t) => {
  const right = [alice, 0] as const
  const miners = [21, 22, 23].flatMap((index) => [right, right, [signer(index), 6_000] as const])
  t.strictSame(watched(miners, { blocks: 36 }).codes(), ['clock', 'clock', 'clock'])
})

t.test('what was heard by a clock that has been set since says nothing about it', async (t) => {
  const { codes, setOwn } = watched([
    [alice, 0],
    [bob, 0],
  ])
  t.strictSame(codes(), [])
  setOwn(HOUR_MS)
  t.strictSame(codes(), ['own-clock'])
})

t.test('blocks of a catch-up say nothing about clocks', async (t) => {
  const progress = { phase: 'bodies', done: 1, of: 2 } as unknown as LedgerNode['progress']
  t.equal(watched([[alice, 0]], { progress }).watch.report().ownAheadMs, null)
  const { watch } = watched([[alice, 0]], { progress, ownAheadMs: HOUR_MS })
  t.equal(watch.report().fast.silentMs, HOUR_MS, 'nor how long ago the newest was made')
})

/**
 * A node whose clock is off, and what the others make: `others` holds their chain. What our own clock finds too new does not
 * get into our chain, and goes to the watch as the ledger's node gives it.
 */
function behind(ownAheadMs: number) {
  const [own, others] = [new TestChain(), new TestChain()]
  const { log, lines } = recordingLog()
  let nowMs = START_MS
  const clock = { now: () => nowMs + ownAheadMs, monotonic: () => nowMs, synchronised: () => true }
  const session = { connected: true }
  const state = { progress: undefined as unknown }
  const node = Object.assign(state, { chain: own.chain, hand: undefined, session }) as unknown as LedgerNode
  const watch = new ClockWatch({ node, self: carol.account, clock, log })
  watch.check()
  const send = (bytes: Uint8Array): string => {
    const outcome = own.acceptBytes(bytes, clock.now())
    const code = codeOf(outcome)
    if (outcome.ok) watch.onUpdate(outcome.value)
    else if (code === 'time-too-new' || code === 'unknown-parent') watch.onHeld(bytes)
    return code
  }
  const make = (miner: Signer, aheadMs = 0, header = {}): Uint8Array => {
    const block = others.block([], { miner, header: { time: nowMs + aheadMs, ...header } })
    others.accept(block, nowMs + HOUR_MS)
    return encode(blockCodec, block)
  }
  const codes = () => watch.check().alarms.map(({ code }) => code)
  const wait = (ms: number): void => {
    nowMs += ms
  }
  return { own, others, watch, lines, send, make, codes, wait, state }
}

t.test(
  'who is an hour behind learns it from blocks that it cannot take, and that none is lacking',
  async (t) => {
    const { send, make, codes, wait, lines, watch, state } = behind(-HOUR_MS)
    const refused = new Set<string>()
    for (let block = 0; block < 12; block++) {
      wait(GAP_MS)
      refused.add(send(make(block % 2 === 0 ? alice : bob)))
    }
    t.strictSame([...refused], ['time-too-new', 'unknown-parent'])
    t.strictSame(codes(), ['own-clock'])
    t.match(
      lines[0]?.fields.reason,
      /^this machine's clock is 60 min behind the blocks of most of 2 other miners: .*, until then it takes no newer ones \(/,
    )
    t.equal(watch.report().ownAheadMs, -HOUR_MS)
    state.progress = { phase: 'bodies', done: 1, of: 2 }
    codes()
    t.equal(lines.length, 1, 'it is not right again because it tries to catch up')
  },
)

t.test('a block that we can take when we have waited does not say how far we are behind', async (t) => {
  const { send, make, codes, wait, watch } = behind(-40_000)
  for (let block = 0; block < 12; block++) {
    wait(GAP_MS)
    const bytes = make(block % 2 === 0 ? alice : bob)
    t.equal(send(bytes), 'time-too-new')
    wait(5_000)
    t.equal(send(bytes), 'ok')
  }
  t.equal(watch.report().ownAheadMs, -40_000)
  for (let block = 0; block < 4; block++) {
    wait(GAP_MS)
    send(make(alice))
  }
  t.strictSame(codes(), ['own-clock'], 'there are blocks, although we take none')
})

t.test('a block that is too new counts once, with the work of one, and signed by its miner', async (t) => {
  const spoilt = (spoil: Parameters<TestChain['block']>[1], meets = true) => {
    const off = behind(-HOUR_MS)
    // On a block that we lack, so that our chain judges nothing.
    off.others.grow(1)
    for (let block = 1; block <= 6; block++) {
      off.wait(GAP_MS)
      const { header = {}, ...rest } = spoil ?? {}
      const time = START_MS + block * GAP_MS
      const made = off.others.block([], { miner: alice, ...rest, header: { time, ...header } })
      off.send(encode(blockCodec, meets ? made : mine(off.others.network, made, false)))
    }
    return off.watch.report().ownAheadMs
  }
  t.ok((spoilt({}) ?? 0) < -HOUR_MS / 2, 'as it should be')
  t.ok((spoilt({ header: { target: targetFor(5) } }) ?? 0) < -HOUR_MS / 2, 'a little easier than the next')
  t.equal(spoilt({ header: { target: targetFor(3) } }), null, 'more than four times as easy')
  t.equal(spoilt({}, false), null, 'without a proof of work')
  t.equal(spoilt({ coinbase: { signature: new Uint8Array(64) } }), null, 'not signed')
  t.equal(spoilt({ miner: carol }), null, 'our own')
  const { send, make, wait, watch } = behind(-HOUR_MS)
  wait(GAP_MS)
  const bytes = make(alice)
  t.equal(send(bytes), 'time-too-new')
  for (let copy = 0; copy < 6; copy++) {
    wait(GAP_MS)
    send(bytes)
  }
  t.equal(watch.report().ownAheadMs, null, 'six times the same')
})

t.test(
  'blocks that are too new for all make no right clock wrong, however many names they bear',
  async (t) => {
    const { own, send, make, codes, wait, watch } = behind(0)
    const hostile = Array.from({ length: 6 }, (_, index) => signer(20 + index))
    for (let round = 0; round < 60; round++) {
      wait(4_000)
      t.equal(send(make(round % 2 === 0 ? alice : bob)), 'ok')
      // Made on the tip, so with its target; a dozen at once, from whoever has saved them up.
      for (const miner of [...hostile, ...hostile]) {
        const time = START_MS + HOUR_MS + round * 4_000 + hostile.indexOf(miner)
        send(encode(blockCodec, own.block([], { miner, header: { time } })))
      }
      t.notOk(codes().includes('own-clock'), `round ${round}`)
    }
    t.ok(codes().includes('clock'), 'they are named')
    t.equal(watch.report().ownAheadMs, -0)
  },
)

t.test(
  'a clock that is ahead makes no hand stand still, and one that is behind hides none that does',
  async (t) => {
    for (const aheadMs of [HOUR_MS, -30_000]) {
      const { send, make, codes, wait } = behind(aheadMs)
      for (let block = 0; block < 12; block++) {
        wait(6_000)
        t.equal(send(make(block % 2 === 0 ? alice : bob)), 'ok')
      }
      t.strictSame(codes(), ['own-clock'])
      wait(47_000)
      t.strictSame(codes(), ['own-clock'])
      wait(2_000)
      t.strictSame(codes(), ['fast-hand-stopped', 'own-clock'])
    }
  },
)

t.test(
  'a hand whose ticks no longer come has stopped, and so has one whose blocks do not; the other goes on',
  async (t) => {
    const test = new TestChain()
    const hand = new TestHand()
    const { log } = recordingLog()
    let nowMs = START_MS
    const clock = { now: () => nowMs + HOUR_MS, monotonic: () => nowMs, synchronised: () => true }
    const bytes: Uint8Array[] = []
    const node = {
      ...{ chain: test.chain, session: { connected: true }, progress: undefined },
      hand: { slow: hand.slow, tick: (height: number) => bytes[height - 1] },
    } as unknown as LedgerNode
    const watch = new ClockWatch({ node, self: carol.account, clock, log })
    const stopped = () =>
      watch
        .check()
        .alarms.map(({ code }) => code)
        .filter((code) => code.endsWith('stopped'))
    const go = (seconds: number, blocks: boolean, ticks: boolean): void => {
      for (let second = 1; second <= seconds; second++) {
        nowMs += 1_000
        if (blocks && second % 4 === 0) {
          const outcome = test.accept(test.block([], { header: { time: nowMs } }), nowMs)
          if (outcome.ok) watch.onUpdate(outcome.value)
        }
        if (ticks && second % 16 === 0) {
          const tick = hand.tick([], { time: nowMs })
          if (!hand.accept(tick, nowMs).ok) continue
          bytes.push(encode(tickCodec, tick))
          watch.onTick()
        }
      }
    }
    watch.check()
    go(160, true, true)
    t.strictSame(stopped(), [])
    // Twelve intervals are 48 s and 192 s.
    go(190, true, false)
    t.strictSame(stopped(), [])
    go(10, true, false)
    t.strictSame(stopped(), ['slow-hand-stopped'])
    go(16, true, true)
    t.strictSame(stopped(), [])
    go(48, false, true)
    t.strictSame(stopped(), [])
    go(16, false, true)
    t.strictSame(stopped(), ['fast-hand-stopped'])
    t.equal(watch.report().slow?.silentMs, 0)
    for (let tick = 1; tick <= 4; tick++) {
      const made = hand.tick()
      bytes.push(encode(tickCodec, made))
      hand.accept(made)
    }
    watch.onTick()
    t.ok((watch.report().slow?.silentMs ?? 0) > HOUR_MS / 2, 'four at once were not made just now')
  },
)

/** Of 1,000 looks of a node with a right clock, one every fourth block, how many said what; of four miners, itself among them, one is off. */
function looks(intervalMs: number, offMs: number): Record<string, number> {
  const random = new Rng(`clocks ${intervalMs} ${offMs}`)
  let nowMs = START_MS
  let tip = { height: 0, time: nowMs }
  const genesis = { interval: intervalMs, halfLife: 64, targetMax: targetFor(256), time: nowMs, slowRatio: 0 }
  const chain = {
    ...{ network: { genesis }, base: { height: 0 }, at: () => undefined },
    get tip() {
      return tip
    },
  }
  const node = { chain, session: { connected: true } } as unknown as LedgerNode
  const clock = { now: () => nowMs, monotonic: () => nowMs, synchronised: () => true }
  const watch = new ClockWatch({ node, self: 'self' as Account, clock, log: recordingLog().log })
  const counts: Record<string, number> = {}
  for (let block = 1; block <= 4_000; block++) {
    nowMs += Math.round(random.exponential(intervalMs))
    const miner = random.pick(['self', 'one', 'two', 'odd'])
    const time = Math.max(nowMs + (miner === 'odd' ? offMs : 0), tip.time + 1)
    const entry = { miner, height: tip.height + 1, time, parent: tip, hash: `${block}` }
    tip = entry
    watch.onUpdate({ added: { entry }, connected: [{ entry }] } as unknown as Update)
    if (block % 4 !== 0) continue
    for (const { code, message } of watch.report().alarms) {
      const who = code === 'clock' ? /clock of (\w+)/.exec(message)?.[1] : code
      if (who !== undefined && who !== 'fast-hand-stopped') counts[who] = (counts[who] ?? 0) + 1
    }
  }
  return counts
}

t.test('one of four miners that is off is named, and nobody else: 1,000 looks each', async (t) => {
  for (const [intervalMs, offMs] of [
    ...([
      [10_000, 20_000],
      [10_000, 60_000],
      [10_000, 80_000],
      [4_000, 20_000],
      [4_000, 30_000],
    ] as const),
    ...([
      [10_000, -30_000],
      [10_000, -60_000],
      [4_000, -15_000],
      [4_000, -30_000],
    ] as const),
  ]) {
    const { odd = 0, ...rest } = looks(intervalMs, offMs)
    const what = `T = ${intervalMs / 1000} s, ${offMs / 1000} s off`
    t.ok(odd > 900, `${what}: ${odd}`)
    t.strictSame(rest, {}, what)
  }
})
